"""Which pairs of branches could conflict at all, judged by the paths they change.

Two branches that change no path in common nearly always merge. The exceptions are marked here: each guard gives a
branch marks (`left`) and says to which marks of others it answers (`right`); a mark and its answer make a candidate.

| guard        | left                                             | right                             |
| ------------ | ------------------------------------------------ | --------------------------------- |
| `file`       | a path is added                                  | something is added below it       |
| `moved`      | a directory may have been renamed or moved away  | something is added below it       |
| `case`       | a path or directory is added                     | another spelling of it is added   |
| `submodule`  | a submodule or `.gitmodules` changes             | the same                          |
| `attributes` | `.gitattributes` of a directory changes          | something changes in it or below  |
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import chain
from operator import or_
from typing import NamedTuple, TypeVar

from git_fleet.analysis.bits import bits
from git_fleet.analysis.paths import parents
from git_fleet.model.fleet import Change

T = TypeVar("T")

ABSENT = "000000"
SUBMODULE = "160000"

Mark = tuple[str, str]
"""(guard, path)."""
CandidatePair = tuple[str, str, tuple[str, ...]]
"""(key, key, the paths that both change)."""


class _Side(NamedTuple):
    """One branch: what each changed path becomes (mode, object id), the paths it adds and the directories above."""

    becomes: dict[str, tuple[str, str]]
    added: tuple[str, ...]
    above_added: frozenset[str]
    submodules: bool


def candidates(changes: Mapping[str, Sequence[Change]]) -> Iterator[CandidatePair]:
    """Yield each pair that could conflict, in the order of the keys.

    `changes` are what each branch, merged with the base, changes in the base: one row a file, renames not detected.
    Pairs that are not yielded merge cleanly.
    """
    keys = tuple(changes)
    sides = tuple(_side(changes[key]) for key in keys)
    touching = _inverted(side.becomes for side in sides)
    guarded = _guarded(sides)
    for place, side in enumerate(sides):
        later = -1 << place + 1
        shared: dict[int, list[str]] = {other: [] for other in bits(guarded[place] & later)}
        risky = set(shared)
        for path in side.becomes:
            for other in bits(touching[path] & later):
                shared.setdefault(other, []).append(path)
                if other not in risky and _differ(path, side, sides[other]):
                    risky.add(other)
        yield from ((keys[place], keys[other], tuple(shared[other])) for other in sorted(risky))


def _side(changes: Sequence[Change]) -> _Side:
    added = tuple(change.path for change in changes if change.old_mode == ABSENT)
    return _Side(
        {change.path: (change.new_mode, change.new) for change in changes},
        added,
        frozenset(parent for path in added for parent in parents(path)),
        any(SUBMODULE in (change.old_mode, change.new_mode) or change.path == ".gitmodules" for change in changes),
    )


def _differ(path: str, one: _Side, other: _Side) -> bool:
    """Is a path that both change in need of a merge?

    Not if both make the same of it. But a path that both remove can be one that one of them, or each, has renamed.
    """
    if one.becomes[path] != other.becomes[path]:
        return True
    return one.becomes[path][0] == ABSENT and bool(one.added or other.added) and one.becomes != other.becomes


def _guarded(sides: Sequence[_Side]) -> tuple[int, ...]:
    """For each side, the sides that a guard pairs with it."""
    spellings = _spellings(sides)
    left = tuple(frozenset(_left(side, spellings)) for side in sides)
    marked = _inverted(left)
    right = tuple(frozenset(mark for mark in _right(side, spellings) if mark in marked) for side in sides)
    answered = _inverted(right)
    return tuple(
        _union(chain((marked[mark] for mark in answers), (answered.get(mark, 0) for mark in marks)))
        for marks, answers in zip(left, right, strict=True)
    )


def _left(side: _Side, spellings: Mapping[str, Collection[str]]) -> Iterator[Mark]:
    yield from (("file", path) for path in side.added)
    yield from (("moved", directory) for directory in _moved(side))
    yield from (("case", name) for name in (*side.added, *side.above_added) if name in spellings)
    if side.submodules:
        yield "submodule", ""
    for path in side.becomes:
        directory, _, name = path.rpartition("/")
        if name == ".gitattributes":
            yield "attributes", directory


def _right(side: _Side, spellings: Mapping[str, Collection[str]]) -> Iterator[Mark]:
    for directory in side.above_added:
        yield "file", directory
        yield "moved", directory
    for name in (*side.added, *side.above_added):
        yield from (("case", other) for other in spellings.get(name, ()))
    if side.submodules:
        yield "submodule", ""
    for path in side.becomes:
        yield "attributes", ""
        yield from (("attributes", parent) for parent in parents(path))


def _moved(side: _Side) -> frozenset[str]:
    """Directories that may be gone on this side, with files of theirs added elsewhere.

    git then moves what the other side adds below such a directory to the new place, or asks (it calls that a
    conflict). The rest of the tree is not seen here: a directory counts as gone unless a changed path is left in it.
    """
    if not side.added:
        return frozenset()
    gone = {parent for path, (mode, _) in side.becomes.items() if mode == ABSENT for parent in parents(path)}
    kept = {parent for path, (mode, _) in side.becomes.items() if mode != ABSENT for parent in parents(path)}
    return frozenset(gone - kept)


def _spellings(sides: Sequence[_Side]) -> dict[str, frozenset[str]]:
    """For each added name that differs from another added name by case alone: the others."""
    folded: defaultdict[str, set[str]] = defaultdict(set)
    for side in sides:
        for name in (*side.added, *side.above_added):
            folded[name.casefold()].add(name)
    return {name: frozenset(names - {name}) for names in folded.values() if len(names) > 1 for name in names}


def _inverted(sides: Iterable[Iterable[T]]) -> dict[T, int]:
    """For each item, the sides that have it."""
    index: defaultdict[T, int] = defaultdict(int)
    for place, items in enumerate(sides):
        for item in items:
            index[item] |= 1 << place
    return dict(index)


def _union(masks: Iterable[int]) -> int:
    return reduce(or_, masks, 0)
