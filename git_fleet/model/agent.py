"""An agent: a command of the user's at work in a task's worktree."""

from typing import NamedTuple


class Agent(NamedTuple):
    """One start of it. `pid` is its process and its process group, `identity` what tells that from a later one."""

    task: str
    worktree: str
    pid: int
    identity: str | None
    log: str
    began_s: float
    number: int = 0
    """Of the start, as the journal counts them."""
    ended_s: float | None = None
    """When it was seen to end; None while it runs, or where nobody saw it."""
    alive: bool = False
    """Does its process run right now?"""
