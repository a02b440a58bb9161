"""What was seen of a worktree and its branch, and whether they may go."""

from enum import StrEnum
from typing import NamedTuple

from git_fleet.model.fleet import Dirt, Worktree
from git_fleet.model.plan import Task


class Fate(StrEnum):
    KEEP = "keep"
    REMOVE = "remove"
    UNKNOWN = "unknown"


class Facts(NamedTuple):
    """What was seen of one task's worktree and branch."""

    branch: str
    worktree: str | None = None
    """The path; None when there is none."""
    tip: str | None = None
    """Where the branch is; None when there is no branch."""
    landed: bool = False
    proof: str = ""
    """Why it counts as landed."""
    unlanded: int | None = 0
    """Commits of the branch that the base lacks; None when nobody could count."""
    dirt: Dirt | None = None
    """With hidden paths, and ignored ones that are work; None when git could not look."""
    disposable: tuple[str, ...] = ()
    """Ignored paths that can be made again: they go along."""
    copies: tuple[str, ...] = ()
    """Ignored paths that the main worktree has byte for byte: they go along."""
    other_branch: str | None = None
    """What is checked out there instead."""
    locked: str | None = None
    taken_over: str | None = None
    """The git directory to which its `.git` leads, where that is not its entry: what is in it is not ours to judge."""
    inside: tuple[str, ...] = ()
    """Other worktrees, repositories and mounts that lie in the folder, and work in submodules, in words."""
    submodules: tuple[str, ...] = ()
    """Those that are checked out and hold nothing of their own: they go along."""
    standing_in: bool = False
    processes: tuple[str, ...] = ()
    """Others whose current directory is in the folder: `1234 (sleep)`."""
    agent: tuple[str, int] | None = None
    """(task, process) of the agent of ours that runs there."""
    unkept: tuple[tuple[str, str], ...] = ()
    """HEAD, where it is detached, and private references, with what they hold, where no branch or tag has it."""
    in_use: tuple[str, ...] = ()
    """Where else the branch is checked out, or being rebased."""
    shown: bool = False
    """Is it what HEAD of the bare repository names?"""
    half_written: str | None = None
    """An administrative entry that names the branch, and that git does not see."""
    stashes: tuple[str, ...] = ()
    """`stash@{0}`: entries that were made on the branch."""
    gone: bool = False
    """The folder is not there; only the administrative entry is."""
    away: str | None = None
    """Not even the folder around it is there: this one."""
    moved: str | None = None
    """Where its folder was moved to by hand."""
    foreign: bool = False
    """Neither is it in the plan, nor has git fleet made it."""


class Verdict(NamedTuple):
    """`remove` with the proof, or `keep`/`unknown` with every reason."""

    fate: Fate
    reasons: tuple[str, ...]
    hints: tuple[str, ...] = ()
    """What has to happen first."""


class Judged(NamedTuple):
    """One task, what was seen of it, and what is to become of it."""

    task: Task
    worktree: Worktree | None
    facts: Facts
    verdict: Verdict
    entry_only: bool = False
    """Its folder is gone: only the administrative entry is judged, the branch stays."""
    removed: bool = False


class Trash(NamedTuple):
    """A folder in the trash: of which worktree and operation, and since when (seconds since 1970)."""

    operation: int
    path: str | None
    """Where it was; None where nobody knows any more."""
    place: str
    since_s: float
    bytes: int
    kept: str | None = None
    """Why it was not deleted."""
