"""A review: what somebody has to read before a branch lands, and how long it took him."""

from typing import NamedTuple

from git_fleet.model.fleet import Base, State
from git_fleet.model.plan import Progress


class Event(NamedTuple):
    """A task was shown at this tip (`answer` None), or answered: `approved` or `rejected`.

    `began_s` of an answer: when whoever answers was first shown that tip; None where he was not. Since 1970.
    """

    task: str
    tip: str
    who: str
    at_s: float
    answer: str | None = None
    began_s: float | None = None


class File(NamedTuple):
    """A changed file. Lines are None where it is no text."""

    path: str
    insertions: int | None
    deletions: int | None
    builders: tuple[str, ...] = ()
    """Other tasks that build on it: it is a joint."""
    drift: bool = False
    """The task owns some paths, but not this one."""
    owners: tuple[str, ...] = ()
    """Of a drift: whose it is."""
    before: str | None = None
    """Of a renamed file: its name before."""


class Clash(NamedTuple):
    """What it conflicts with: a task's id, or None for the base."""

    task: str | None
    paths: tuple[str, ...]


class Page(NamedTuple):
    """All that a reviewer needs to know of one branch."""

    base: Base
    id: str
    title: str
    branch: str
    tip: str
    state: State
    reason: str | None
    place: str | None
    """Why it lands where it does; None for what does not land with the others."""
    commits: tuple[tuple[str, str], ...]
    """(commit, subject), oldest first."""
    files: tuple[File, ...]
    clashes: tuple[Clash, ...]
    doubt: str | None
    """Why nobody can say what it conflicts with."""
    gate: str | None
    """What the gates said of the tree that it would land as; None where they have not been asked."""
    gate_s: float | None
    needs: tuple[str, ...]
    needed_by: tuple[str, ...]
    stands_on: tuple[str, ...]
    """Other tasks whose commits it has: they are among what is read here."""
    uncommitted: int
    """Paths with work in its worktree that is not committed: no part of what is read here."""
    worktree: str | None
    agent: str | None
    progress: Progress | None
    likely_s: float
    likely_from: int
    """How long reading it is likely to take: the median of so many reviews; of none, it is `fleet.review`."""
    began_s: float | None = None
    """When this look at it began; None where it is not timed."""
    now_s: float = 0.0
    waiting: tuple[str, ...] = ()
    """All that wait for review, in landing order."""

    @property
    def lines(self) -> tuple[int, int]:
        """Insertions and deletions, of text files."""
        return sum(one.insertions or 0 for one in self.files), sum(one.deletions or 0 for one in self.files)


class Answer(NamedTuple):
    """What somebody said after reading."""

    id: str
    title: str
    tip: str
    state: State
    why: str | None
    who: str
    seconds: float | None
    """How long he read; None where he was not shown it here."""
