"""Task and plan: what somebody wants."""

from enum import StrEnum
from typing import NamedTuple


class SourceKind(StrEnum):
    """Where a plan was read from."""

    CONFIG = "config"
    MARKDOWN = "markdown"
    YAML = "yaml"
    WORKTREES = "worktrees"


class Source(NamedTuple):
    """A plan's origin; `path` is absolute, and None where there is no file."""

    kind: SourceKind
    path: str | None = None


class Row(NamedTuple):
    """One task as a source has it, nothing filled in: None means the source says nothing."""

    id: str
    title: str | None = None
    branch: str | None = None
    worktree: str | None = None
    owns: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    status: str | None = None
    agent: str | None = None
    prompt: str | None = None
    checklist: str | None = None
    estimate: str | None = None
    priority: str | None = None
    line: int | None = None


class Progress(NamedTuple):
    """Items of a checklist that are ticked, of all."""

    done: int
    total: int


class Task(NamedTuple):
    """One row of the plan with every gap filled from the templates."""

    id: str
    title: str
    slug: str
    branch: str
    """Short name; the ref is `refs/heads/<branch>`."""
    worktree: str
    """Absolute path."""
    owns: tuple[str, ...] = ()
    """gitignore-style patterns, relative to the top of the tree."""
    needs: tuple[str, ...] = ()
    """Ids."""
    status: str | None = None
    """The Status cell as written; says what somebody believed, never what is."""
    agent: str | None = None
    prompt: str | None = None
    checklist: str | None = None
    estimate_s: int | None = None
    priority: int = 0
    line: int | None = None
    progress: Progress | None = None
    """As read from the checklist; None where there is none, or it cannot be read."""

    @property
    def ref(self) -> str:
        return f"refs/heads/{self.branch}"

    @property
    def label(self) -> str:
        """How people are told of it: `42 count`."""
        return f"{self.id} {self.title}" if self.title and self.title != self.id else self.id


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


class Problem(NamedTuple):
    """Something wrong with a plan that could still be read."""

    severity: Severity
    code: str
    message: str
    tasks: tuple[str, ...] = ()
    line: int | None = None


class Folding(NamedTuple):
    """Which different names the file system takes for one: those that differ in case, or in Unicode's form alone."""

    case: bool = False
    form: bool = False


class Plan(NamedTuple):
    """The tasks in the order in which they stand, and where they were read from."""

    source: Source
    tasks: tuple[Task, ...]
    problems: tuple[Problem, ...] = ()
    folding: Folding = Folding()
    """Asked only where names of tasks look alike."""


class Overlap(NamedTuple):
    """Two tasks own the same paths; `excused_by` says why that is no harm (one needs the other), else None."""

    tasks: tuple[str, str]
    paths: tuple[str, ...]
    excused_by: str | None = None


class Joint(NamedTuple):
    """A path that several tasks build on."""

    path: str
    tasks: tuple[str, ...]


class Coupling(NamedTuple):
    """Owned paths of two tasks that the base's history changed together.

    `paths`: one of each task. `support`: how many commits changed both; `confidence`: their share of those that
    changed the rarer one.
    """

    tasks: tuple[str, str]
    paths: tuple[str, str]
    support: int
    confidence: float


class Hot(NamedTuple):
    """A path that most work touches, and the tasks that own it; `share` of the commits looked at, or of the merges."""

    path: str
    share: float
    tasks: tuple[str, ...]
    conflicts: float = 0.0
    """Share of the past conflicts that it was in."""


class Footprint(NamedTuple):
    """The paths that one commit changed; of a merge, those that both of its sides had changed."""

    paths: tuple[str, ...]
    merge: bool = False


class Verdict(StrEnum):
    """Is it worth running these tasks at the same time?"""

    PARALLEL = "parallel"
    MIXED = "mixed"
    SEQUENTIAL = "sequential"


class Advice(NamedTuple):
    """`width`: the most tasks that can run at once; `speedup`: serial time over fleet time, None if unknown."""

    verdict: Verdict
    width: int
    speedup: float | None
    reasons: tuple[str, ...]
    speedup_without_review: float | None = None
    """As if reviewing took no time; None if nobody knows how long the tasks take."""
    critical_path: tuple[str, ...] = ()
    """The longest chain of tasks that wait for each other, by time where it is known; ids."""
    critical_path_s: float | None = None
    serial_s: float | None = None
    """What no fleet makes faster: splitting, reviewing, conflicts, gates."""


class PlanView(NamedTuple):
    """A plan and what thought makes of it."""

    plan: Plan
    waves: tuple[tuple[str, ...], ...]
    overlaps: tuple[Overlap, ...]
    joints: tuple[Joint, ...]
    problems: tuple[Problem, ...]
    advice: Advice
    couplings: tuple[Coupling, ...] | None = None
    """None: nobody has looked."""
    hot: tuple[Hot, ...] = ()


class Edit(NamedTuple):
    """One value of one task changed, or (`key` None) its whole row taken out; `where` is the file or configuration."""

    task: str
    key: str | None
    before: tuple[str, ...]
    after: tuple[str, ...]
    where: str
    operation: int | None = None
    """The operation's number; None where nothing was changed, yet or at all."""
