"""Does a merge drop a change without a conflict, as a driver or a merge of the wrong kind does? Pure.

Told by whose side a path has in the end: where both sides changed it, neither may win unless the text agrees.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

Entry = tuple[str, str]
"""(mode, object id) of a path; what is not there has zeros."""


class Sides(NamedTuple):
    """One path as the branch found it, as the branch has it, as the line had it, and what came out."""

    path: str
    before: Entry
    branch: Entry
    line: Entry
    result: Entry


class Doubt(NamedTuple):
    """A side that won. `own`: the branch's own change is gone, else the other one's."""

    sides: Sides
    own: bool


def sides(
    branch: Mapping[str, tuple[Entry, Entry]],
    step: Mapping[str, tuple[Entry, Entry]],
    elsewhere: Mapping[str, Entry],
) -> Iterator[Sides]:
    """What became of each path that a branch changes.

    (before, after) by path of the branch and of its step on the line; `elsewhere` is what the line has at the paths
    that the step leaves alone. A path that the line no longer has was renamed there: git has followed it.
    """
    for path, (before, after) in branch.items():
        line, result = step.get(path) or (elsewhere.get(path),) * 2
        if line is not None and result is not None:
            yield Sides(path, before, after, line, result)


def doubts(found: Iterator[Sides]) -> Iterator[Doubt]:
    """The paths of which one side won although both had changed it, or the branch alone."""
    for one in found:
        if one.branch == one.line:
            continue
        if one.result == one.line:
            yield Doubt(one, own=True)
        elif one.result == one.branch and one.line != one.before:
            yield Doubt(one, own=False)


def taken_away(step: Mapping[str, tuple[Entry, Entry]], now: Mapping[str, Entry]) -> bool:
    """Is everything that a step changed as it was before? `now` lacks the paths that are not there."""
    return bool(step) and all(_same(now.get(path), before) for path, (before, _) in step.items())


def _same(now: Entry | None, before: Entry) -> bool:
    return now == before if now else not before[1].strip("0")


def below(parents: Mapping[str, Sequence[str]], tip: str, seen: set[str]) -> set[str]:
    """The commits on which those stand that a tip adds to `seen`, which then has them too.

    `parents` has all commits that are not in the base.
    """
    found: set[str] = set()
    waiting = [tip]
    own: set[str] = set()
    while waiting:
        commit = waiting.pop()
        if commit in seen or commit not in parents:
            found.add(commit)
        elif commit not in own:
            own.add(commit)
            waiting += parents[commit]
    seen |= own
    return found
