"""The repository as observed at one instant, and the fleet: the plan joined with it."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from git_fleet.model.agent import Agent
from git_fleet.model.plan import Footprint, Plan, Task


class Repository(NamedTuple):
    """Where things are. Every path is absolute and real."""

    common_dir: str
    git_dir: str
    """Private to the worktree we were called in; equals `common_dir` in the main one."""
    top: str | None
    """Top of the worktree we were called in; None in a bare repository or inside a git directory."""
    main: str
    """Top of the main worktree; the bare repository itself where there is none."""
    bare: bool
    object_format: str
    """`sha1` or `sha256`."""

    @property
    def name(self) -> str:
        """`{repo}` of the templates."""
        last = self.main.rstrip("/").rpartition("/")[2]
        return last.removesuffix(".git") or last

    @property
    def fleet_dir(self) -> str:
        """Home of our own state."""
        return f"{self.common_dir}/fleet"


class Worktree(NamedTuple):
    """One entry of `git worktree list`; `branch` is a full ref name, None when detached."""

    path: str
    head: str | None
    branch: str | None
    main: bool = False
    bare: bool = False
    locked: str | None = None
    """The reason of the lock (may be empty); None when not locked."""
    prunable: str | None = None
    """Why nothing is there: git would prune the entry, or the folder is `foreign`. None where something is."""
    foreign: str | None = None
    """The repository that its folder belongs to, if that is another one, of which this is a copy, say."""


class Branch(NamedTuple):
    """A local branch: full ref name, tip, and the tip's committer date (seconds since 1970)."""

    ref: str
    tip: str
    tree: str
    committed_s: int

    @property
    def short(self) -> str:
        return self.ref.removeprefix("refs/heads/")


class Base(NamedTuple):
    """The branch that everything lands on, and where it stands."""

    branch: str
    commit: str
    tree: str

    @property
    def ref(self) -> str:
        return self.branch if self.branch.startswith("refs/") else f"refs/heads/{self.branch}"


class Dirt(NamedTuple):
    """Uncommitted work in a worktree: paths relative to its top. `ignored` is filled only where it was asked for."""

    staged: tuple[str, ...] = ()
    unstaged: tuple[str, ...] = ()
    untracked: tuple[str, ...] = ()
    unmerged: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    """Modified under assume-unchanged or skip-worktree; filled only where it was asked for."""
    operation: str | None = None
    """`merge`, `rebase`, `cherry-pick`, `revert`, `bisect`, `am` in progress."""
    unreadable: tuple[str, ...] = ()
    """Folders into which nobody could look; filled only where it was asked for."""

    @property
    def clean(self) -> bool:
        hides = self.hidden or self.unreadable
        return not (self.staged or self.unstaged or self.untracked or self.unmerged or hides or self.operation)

    @property
    def paths(self) -> tuple[str, ...]:
        """Each path with uncommitted work once."""
        return tuple(dict.fromkeys((*self.unmerged, *self.staged, *self.unstaged, *self.untracked)))


class Distance(NamedTuple):
    """Commits that the branch has and the base lacks, and the reverse."""

    ahead: int
    behind: int


class Change(NamedTuple):
    """One path that differs between two trees. Modes are octal strings, `000000` where absent."""

    path: str
    old_mode: str
    new_mode: str
    old: str
    new: str


class Lines(NamedTuple):
    insertions: int = 0
    deletions: int = 0


class PairVerdict(StrEnum):
    CLEAN = "clean"
    CONFLICT = "conflict"
    UNKNOWN = "unknown"


class Pair(NamedTuple):
    """What happens when both branches land. `keys` are in the order of the fleet; `paths` conflict, or are shared.

    `first` names the one that must land first where only one of the two orders merges; else None.
    """

    keys: tuple[str, str]
    verdict: PairVerdict
    paths: tuple[str, ...] = ()
    first: str | None = None
    kinds: tuple[str, ...] = ()
    """Of a conflict, each once: `content`, `add/add`, `modify/delete`, `rename/delete`, `rename/rename`,
    `directory rename`, `file/directory`, `mode`, `binary`, `submodule`."""
    why: str | None = None
    """Why the verdict is unknown."""


class Radar(NamedTuple):
    """Real merges of branches with the base and with each other. Keys are those of the tips asked about."""

    base_conflicts: dict[str, tuple[str, ...]]
    """Branches that do not merge with the base, and where."""
    merged: dict[str, str]
    """The tree that merging the branch into the base makes, for all others."""
    changes: dict[str, tuple[Change, ...]]
    """What that tree changes in the base."""
    lines: dict[str, Lines]
    pairs: tuple[Pair, ...]
    """Candidates only: pairs that are not here cannot conflict."""
    base_kinds: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    """The kinds of conflict (see Pair) of those that do not merge with the base."""
    unknown: Mapping[str, str] = MappingProxyType({})
    """Those of which nothing can be said, with the reason; they are in no pair."""


class State(StrEnum):
    PLANNED = "planned"
    BLOCKED = "blocked"
    READY = "ready"
    ACTIVE = "active"
    RUNNING = "running"
    STUCK = "stuck"
    DONE = "done"
    APPROVED = "approved"
    REJECTED = "rejected"
    LANDED = "landed"
    DROPPED = "dropped"
    MISSING = "missing"


MARKS = (State.RUNNING, State.DONE, State.STUCK, State.APPROVED, State.REJECTED, State.DROPPED)
"""What can be said of a task with `git fleet mark`."""


class Mark(NamedTuple):
    """What somebody said of a task, one of `MARKS`, and where its branch was then (None: nowhere yet).

    `active`: its branch was made anew, and nothing has been said since.
    """

    task: str
    state: State
    why: str | None
    who: str
    at_s: float
    tip: str | None


class Landing(NamedTuple):
    """Proof that a task is in the base: the branch's tip that landed, and the base's commit with it."""

    task: str
    tip: str
    commit: str


class Snapshot(NamedTuple):
    """One look at the repository. Branch keys are full ref names, worktree keys absolute paths."""

    repository: Repository
    base: Base
    worktrees: tuple[Worktree, ...]
    branches: dict[str, Branch]
    distances: dict[str, Distance]
    origins: dict[str, str]
    """The base's commit that a branch was started from, as recorded by `add`."""
    landings: dict[str, Landing]
    """By task id."""
    marks: Mapping[str, Mark] = MappingProxyType({})
    """What was said last of each task, by id."""
    agents: Mapping[str, Agent] = MappingProxyType({})
    """The last agent of each task, by id."""


class Outlook(NamedTuple):
    """What bears on a plan besides its own text. None: nobody has looked."""

    files: tuple[str, ...] | None = None
    """The base's files, sorted."""
    history: tuple[Footprint, ...] | None = None
    """The base's last commits."""
    conflicts: tuple[tuple[str, ...], ...] = ()
    """The paths in which each past merge that did not go by itself conflicted."""
    snapshot: Snapshot | None = None
    changed: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    """By full ref name: what the commits of a branch that the base lacks have changed."""
    spent_s: tuple[float, ...] = ()
    """How long tasks that have landed took."""
    gate_s: float = 0.0
    """How long gates take on one merge, by experience."""
    limit: int | None = None
    review_s: float = 900.0


class TaskReport(NamedTuple):
    """One row of `status`."""

    task: Task
    state: State
    wave: int | None
    branch: Branch | None
    worktree: Worktree | None
    distance: Distance | None
    dirt: Dirt | None
    lines: Lines | None
    drift: tuple[str, ...]
    base_conflict: tuple[str, ...]
    conflicts: tuple[tuple[str, tuple[str, ...]], ...]
    """(other task's id, paths)."""
    gate: str
    reason: str | None
    doubt: str | None = None
    """Why nobody can say what it conflicts with."""
    mark: Mark | None = None
    """What was said of it last, whether that still holds or not."""


class Fleet(NamedTuple):
    """The plan joined with the repository as observed at one instant."""

    plan: Plan
    snapshot: Snapshot
    reports: tuple[TaskReport, ...]
    unplanned: tuple[TaskReport, ...]
    base_dirt: Dirt | None
    """Work in the base's own worktree, where nobody should work; None where it has none."""
