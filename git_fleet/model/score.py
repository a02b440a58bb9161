"""Was parallel worth it? What is known of the past, and what follows. Times in seconds, moments since 1970."""

from enum import StrEnum
from typing import NamedTuple

Span = tuple[float, float]


class Authored(NamedTuple):
    """A commit: when it was written, and by whom."""

    at_s: float
    who: str


class Past(NamedTuple):
    """What is known of a task that has landed. None: nobody knows."""

    id: str
    title: str = ""
    added_s: float | None = None
    """When its worktree was made."""
    commits: tuple[Authored, ...] = ()
    """Its own; empty where they are gone."""
    done_s: float | None = None
    """When it was last said to be done."""
    landed_s: float | None = None
    agents: tuple[tuple[float, float | None], ...] = ()
    reviews: tuple[Span, ...] = ()
    stops: tuple[Span, ...] = ()
    """When a landing waited for somebody to resolve its conflict."""
    gate_s: float | None = None
    estimate_s: float | None = None


class Gates(NamedTuple):
    """Gates of one landing, from the first to the last."""

    began_s: float
    lasted_s: float
    saved_s: float


class Source(StrEnum):
    """Whence it is known how long the work on a task took."""

    AGENT = "agent"
    COMMITS = "commits"
    ESTIMATE = "estimate"


class Range(NamedTuple):
    """A figure that is known within bounds; `most` None: without bound."""

    least: float
    most: float | None

    @property
    def exact(self) -> bool:
        return self.least == self.most


class TaskScore(NamedTuple):
    """One task that has landed."""

    id: str
    title: str
    began_s: float | None
    done_s: float | None
    landed_s: float | None
    work_s: Range
    source: Source | None
    """None: nobody knows how long it took."""
    review_s: float | None
    waited_s: float | None
    """From done to landed."""
    conflict_s: float | None
    gate_s: float | None


class Worth(StrEnum):
    PAID = "paid"
    EVEN = "even"
    SEQUENTIAL = "sequential"
    UNKNOWN = "unknown"


class Score(NamedTuple):
    """All of them together."""

    tasks: tuple[TaskScore, ...]
    began_s: float | None
    landed_s: float | None
    at_work_s: float | None
    """Between the two, less the pauses."""
    serial_s: Range
    """The work of all, one after the other."""
    review_s: float | None
    conflict_s: float | None
    gate_s: float | None
    """On the clock."""
    saved_s: float
    """By running gates side by side."""
    at_once: int
    """The most tasks that were at work at the same time."""
    worth: Worth
    why: str
    """Of what is unknown."""
    left: int = 0
    """Tasks of the plan that have not landed."""

    @property
    def wall_s(self) -> float | None:
        if self.began_s is None or self.landed_s is None:
            return None
        return max(0.0, self.landed_s - self.began_s)

    @property
    def integration_s(self) -> float | None:
        """What it cost to bring it together, as far as that is known."""
        known = [one for one in (self.review_s, self.conflict_s, self.gate_s) if one is not None]
        return sum(known) if known else None

    @property
    def speedup(self) -> Range | None:
        if not self.at_work_s:
            return None
        most = None if self.serial_s.most is None else self.serial_s.most / self.at_work_s
        return Range(self.serial_s.least / self.at_work_s, most)

    @property
    def without_conflicts_s(self) -> float | None:
        """The time at work, had there been none; at best, since others may have worked meanwhile."""
        if self.at_work_s is None or self.conflict_s is None:
            return None
        return max(0.0, self.at_work_s - self.conflict_s)
