"""What happened and what was meant: operations with the before and after of everything they touch."""

from enum import StrEnum
from typing import NamedTuple


class ChangeKind(StrEnum):
    REF = "ref"
    """name: full ref; before, after: object ids, None for absent."""
    WORKTREE = "worktree"
    """name: path; before, after: JSON of what is needed to make it again, None for absent."""
    ENTRY = "entry"
    """name: a worktree's administrative directory, or a folder of git's in one; before, after: JSON with its place in
    the trash, None for absent."""
    CONFIG = "config"
    """name: `fleet.<id>.<key>`; before, after: JSON list of values, None for absent."""
    FILE = "file"
    """name: path; before, after: the whole text, None for absent."""


class RecordedChange(NamedTuple):
    kind: ChangeKind
    name: str
    before: str | None
    after: str | None


class OperationState(StrEnum):
    RUNNING = "running"
    """Not finished: being done now, or killed."""
    STOPPED = "stopped"
    """Waits for a human (`land --continue`)."""
    DONE = "done"
    FAILED = "failed"
    """Rolled back: the world is as before."""
    UNDONE = "undone"


class Operation(NamedTuple):
    id: int
    kind: str
    """`add`, `land`, `remove`, `undo`, `init`, …"""
    state: OperationState
    summary: str
    began_s: float
    ended_s: float | None
    changes: tuple[RecordedChange, ...] = ()
    detail: str = "{}"
    """JSON, private to the kind (`land`: pinned tips, steps, lane)."""
