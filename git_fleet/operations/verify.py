"""Is the change of each branch in what lands, and still there afterwards? A drop without a conflict is an error."""

import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from git_fleet.analysis import dropped
from git_fleet.analysis.dropped import Doubt, Entry
from git_fleet.model.errors import Fatal, Refused
from git_fleet.model.landing import Step
from git_fleet.operations.context import Context
from git_fleet.repo import compare, git, lineage, merging

Changes = Mapping[str, tuple[Entry, Entry]]


class _Judged(NamedTuple):
    """A step, the tree before it, what its branch changes, and what it changes on the line."""

    step: Step
    line: str
    branch: Changes
    done: Changes


def refuse_dropped(context: Context, landing: Sequence[Step], place: merging.Quarantine, start: Sequence[str]) -> None:
    """Raises Refused, naming the branch, when the certificate lacks a change of one, or loses that of another.

    `start` are commits that count as landed before.
    """
    judged = _judged(context, landing, place, start)
    for number, one in enumerate(judged):
        alone = [path for path in one.branch if path not in one.done]
        elsewhere = compare.at(place, one.line, alone) if alone else {}
        for doubt in dropped.doubts(dropped.sides(one.branch, one.done, elsewhere)):
            if not _text_agrees(place, doubt):
                raise _refusal(context, judged, number, doubt)
    for number, one in enumerate(judged[:-1]):
        later = [other for other in judged[number + 1 :] if one.done.keys() & other.done.keys()]
        if later and dropped.taken_away(one.done, compare.at(place, judged[-1].step.tree or "", list(one.done))):
            last = later[-1].step.id
            raise Refused(
                f"nothing landed: {last} takes away all that {one.step.id} changes",
                [f"git fleet land {one.step.id}   # or leave it out: git fleet land {last}"],
            )


def _judged(
    context: Context, landing: Sequence[Step], place: merging.Quarantine, start: Sequence[str]
) -> list[_Judged]:
    starts = _starts(context, landing, place, start)
    commits = [commit for step, began in zip(landing, starts, strict=True) if began for commit in (step.tip, began)]
    trees = git.trees_of(context.repository, commits)
    lines = [context.base.tree, *(step.tree or "" for step in landing)]
    own = [
        (trees[began], trees[step.tip]) if began else (lines[0], lines[0])
        for step, began in zip(landing, starts, strict=True)
    ]
    done = list(itertools.pairwise(lines))
    changes = compare.between(place, [*own, *done])
    parts = zip(landing, lines, changes[: len(own)], changes[len(own) :], strict=False)
    return [_Judged(*part) for part in parts]


def _starts(
    context: Context, landing: Sequence[Step], place: merging.Quarantine, start: Sequence[str]
) -> list[str | None]:
    """Where each branch left what had landed before it; None where that is not one place."""
    base = context.base.commit
    wanted = [*(step.tip for step in landing), *(f"^{commit}" for commit in (base, *start))]
    parents = dict(lineage.with_parents(context.repository, wanted))
    seen: set[str] = set()
    below = [dropped.below(parents, step.tip, seen) for step in landing]
    several = [step.tip for step, commits in zip(landing, below, strict=True) if len(commits) > 1]
    asked = dict(zip(several, git.merge_bases(context.repository, base, several), strict=True))
    return [
        asked.get(step.tip) if len(commits) > 1 else next(iter(commits), None)
        for step, commits in zip(landing, below, strict=True)
    ]


def _text_agrees(place: merging.Quarantine, doubt: Doubt) -> bool:
    """Does a plain merge of the text give the same? Then the line, or the branch, had the other's change already."""
    one = doubt.sides
    if doubt.own and one.line == one.before:
        return False
    if not all(mode.startswith("100") for mode, _ in (one.before, one.branch, one.line)):
        return True  # a link, a submodule, a new file: git's own rules choose a side, or it is a conflict
    return compare.merged(place, one.line[1], one.before[1], one.branch[1]) == one.result[1]


def _refusal(context: Context, judged: Sequence[_Judged], number: int, doubt: Doubt) -> Refused:
    path, step = doubt.sides.path, judged[number].step
    before = (one.step.id for one in reversed(judged[:number]) if path in one.done)
    other = next(before, f"'{context.base.branch}'")
    whose = f"what it changed in '{path}'" if doubt.own else f"what {other} changed in '{path}'"
    rest = " ".join(one.step.id for one in judged if one.step is not step)
    hints = [f"which merge driver decides there: git check-attr merge -- {path}"]
    hints += [f"git fleet land {rest}   # without it"] if rest else []
    return Refused(f"nothing landed: {step.id} would drop, without a conflict, {whose}", hints)


def after(context: Context, landed: Sequence[Step]) -> None:
    """Raises Fatal, naming the branches, when the base has moved on and has not what has just landed on it."""
    repository, base = context.repository, context.base
    now = git.resolve(repository, base.ref)
    if now is None or now == landed[-1].commit:
        return
    lines = [base.tree, *(step.tree or "" for step in landed)]
    with merging.quarantine(repository, base.commit) as place:
        done = compare.between(place, list(itertools.pairwise(lines)))
        there = [compare.at(place, now, list(changes)) for changes in done]
    gone = [
        step.id
        for step, changes, now_there in zip(landed, done, there, strict=True)
        if dropped.taken_away(changes, now_there)
    ]
    if gone:
        raise Fatal(
            f"'{base.branch}' has moved on to {now[:10]} since it landed, and the change of {', '.join(gone)} is gone",
            [f"git log -p {(landed[-1].commit or now)[:10]}..{base.branch}"],
        )
