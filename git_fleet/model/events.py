"""What deeds say while they go on. One module of `output` makes sentences of them; deeds never speak themselves."""

from collections.abc import Callable
from typing import NamedTuple

from git_fleet.model.fleet import State


class Created(NamedTuple):
    """A task's branch and worktree were made (`existed`: were there already, as planned; `dry`: would be made)."""

    task: str
    branch: str
    worktree: str
    existed: bool = False
    dry: bool = False


class Copied(NamedTuple):
    """So many ignored files were copied into a task's new worktree (`dry`: would be); those left out, and why."""

    task: str
    files: int
    left_out: tuple[tuple[str, str], ...] = ()
    dry: bool = False


class NotCreated(NamedTuple):
    """A task was refused or failed; nothing of it is left."""

    task: str
    why: str
    hints: tuple[str, ...] = ()


class NotSetUp(NamedTuple):
    """A task's worktree is there, but a command that sets it up has failed; what it said is in the log."""

    task: str
    why: str
    log: str | None


class Progress(NamedTuple):
    """`done` of `total` of a long job; shown on a terminal only."""

    what: str
    done: int
    total: int


class Gating(NamedTuple):
    """A gate starts on a candidate."""

    what: str
    gate: str


class AtGate(NamedTuple):
    """What a lane does: since `began_s` (since 1970) it tests the `place`-th tree of `total`."""

    lane: int
    what: str
    gate: str
    began_s: float
    place: int
    total: int


class AtWork(NamedTuple):
    """What all lanes do at this moment, said again and again; shown on a terminal only."""

    lanes: tuple[AtGate, ...]


class AgentStarted(NamedTuple):
    task: str
    pid: int


class AgentEnded(NamedTuple):
    """An agent has ended, and so it stands with its task now."""

    task: str
    state: State
    why: str | None


class AgentAtWork(NamedTuple):
    """An agent works at a task since `began_s` (since 1970); the last line that it said."""

    task: str
    began_s: float
    said: str


class AgentsAtWork(NamedTuple):
    """What all agents do at this moment, said again and again; shown on a terminal only."""

    agents: tuple[AgentAtWork, ...]


class Evicted(NamedTuple):
    """A gate threw a branch out of the landing."""

    task: str
    why: str


class Gated(NamedTuple):
    what: str
    gate: str
    verdict: str
    seconds: float
    log: str | None = None
    why: str | None = None
    cached: bool = False


class Landed(NamedTuple):
    task: str
    branch: str
    commit: str


class Removing(NamedTuple):
    """About to begin with these tasks; said before anything is touched, so that the way back is known."""

    tasks: tuple[str, ...]
    operation: int


class Removed(NamedTuple):
    task: str
    worktree: str | None
    branch: str | None
    disposable: tuple[str, ...] = ()
    """Ignored paths that went along."""


class NotRemoved(NamedTuple):
    """It was put back: somebody was quicker."""

    task: str
    why: str


class Recovered(NamedTuple):
    """What an earlier, killed run had left, and what was done about it."""

    what: str


class Note(NamedTuple):
    """Something worth knowing that stops nothing."""

    text: str


Event = (
    Created
    | Copied
    | NotCreated
    | NotSetUp
    | Progress
    | Gating
    | AtWork
    | Gated
    | AgentStarted
    | AgentEnded
    | AgentsAtWork
    | Evicted
    | Landed
    | Removing
    | Removed
    | NotRemoved
    | Recovered
    | Note
)
Listener = Callable[[Event], None]
