"""The collision radar's answer: who conflicts with the base, who with whom, where, and why that is not known."""

from collections.abc import Mapping
from typing import NamedTuple

from git_fleet.model.fleet import Lines, Radar
from git_fleet.model.landing import OrderStep

BASE = ""
"""Stands for the base where two sides are named."""


class Stage(NamedTuple):
    """An index entry of a conflicting path: stage 1 is the common ancestor, 2 ours, 3 theirs. The mode is octal."""

    path: str
    number: int
    mode: str
    oid: str


class Notice(NamedTuple):
    """What git remarked about a merge: its stable short type (git-merge-tree(1)), and paths or names it is about."""

    type: str
    paths: tuple[str, ...]


class Tip(NamedTuple):
    """One line of work: `key` names it in the answer (unique), `commit` is its last commit.

    `ref` is the full ref name, None for work on no branch. `worktree` is the absolute path of the worktree in which it
    is checked out, None where it is nowhere: its uncommitted work then counts too.
    """

    key: str
    ref: str | None
    commit: str
    worktree: str | None = None


class Hunk(NamedTuple):
    """One place in one file where two sides disagree, as text (final newlines included; lossy for what is no UTF-8).

    `ours` is the side named first. None: that side has no such file. `line` is the first line's number in the merged
    file, None where the whole file is meant; whole files that are no text have both sides empty.
    """

    path: str
    line: int | None
    ours: str | None
    theirs: str | None


class Sight(NamedTuple):
    """One look at all tips. Keys are those of the tips, in their order."""

    radar: Radar
    """With uncommitted work, unless `committed` was asked for. A pair that is not in it is clean, unless one of its
    sides is in `radar.base_conflicts` or `radar.unknown`: those were compared with nobody."""
    changed: dict[str, tuple[str, ...]]
    """For each tip the paths that it changes (against the base; where it conflicts with the base or that is unknown,
    against where it left the base), uncommitted ones included."""
    dirty: frozenset[str]
    """Tips of which uncommitted work was counted."""
    operations: dict[str, str]
    """Tips whose worktree is in the middle of something: `merge`, `rebase`, … (as in Dirt.operation)."""
    behind: dict[str, int]
    """Commits of the base that each tip lacks."""
    lines: dict[str, Lines]
    order: tuple[OrderStep, ...]
    """The landing order with the fewest stops; ids are keys. Tips that are in the base already are left out."""
    stops: int
    """Branches that have to stop in that order."""
    notes: tuple[str, ...]
    """Sentences worth saying: what was compared otherwise than one would think."""
    compared: int
    """Pairs that were really merged or remembered: the candidates."""
    remembered: int
    """How many of those were not merged again."""
    pairs_total: int
    hunks: Mapping[tuple[str, str], tuple[Hunk, ...]]
    """Only where asked for: (key, key) of a pair in conflict, or (BASE, key)."""
