"""What `doctor` sees, what it makes of it, and what it would do about it."""

from enum import StrEnum
from typing import NamedTuple

from git_fleet.model.agent import Agent

HEAD_IN_A_TABLE = "ref: refs/heads/.invalid"
"""What the file HEAD says in a reftable, which holds the real one: git wants to see the file."""


COMMONDIR = "../..\n"
"""What the file `commondir` of an entry says, as git writes it: true also when the repository is moved or copied."""


class Entry(NamedTuple):
    """The administrative directory of a linked worktree, read without git: it may be what git stumbles over."""

    name: str
    place: str
    commondir: str | None
    """What its files say; None where one is missing."""
    gitdir: str | None
    head: str | None
    index_bytes: int | None
    locked: str | None
    folder: str | None = None
    """Where its worktree should be; None where `gitdir` makes no sense."""
    folder_there: bool = False
    parent_there: bool = False
    link: str | None = None
    """The git directory that the `.git` in the folder names; None without one."""
    link_there: bool = False
    claims: tuple[str, ...] = ()
    """Folders elsewhere whose `.git` names this entry, here or where the repository was."""
    moved_along: bool = False
    """They name it where the repository was: both were moved."""
    last_commit: str | None = None
    """The newest line of its HEAD's reflog."""
    unreadable_index: str | None = None
    """What git says of an index that it cannot read."""
    in_tables: bool = False
    """Its references, HEAD among them, are in a reftable."""
    astray: str | None = None
    """Where its `commondir` leads, if not to this repository: git works there, or fails."""


class Half(NamedTuple):
    """What a git that was killed at the beginning or the end of an operation has left: it is taken for one that is in
    progress, and cannot be given up with --abort.
    """

    operation: str
    """`rebase`, `cherry-pick` or `merge`."""
    place: str
    """The folder of its state; of a merge the file MERGE_HEAD."""
    folder: str
    """The worktree."""
    lacks: tuple[str, ...]
    """The files that are missing or empty."""
    names: tuple[str, ...]
    """The files that are there."""
    head: str | None
    """What HEAD says."""
    autostash: str | None = None
    """The commit in which git keeps what was not committed when it began."""


class LockFile(NamedTuple):
    """A lock of git's: seconds since it was made, and who has it open, as far as the system tells us."""

    path: str
    age_s: float
    holders: tuple[str, ...]


class BadRef(NamedTuple):
    """A reference that names nothing: what it says, and the last commit that its reflog knows and that is there."""

    ref: str
    says: str
    last: str | None


class Severity(StrEnum):
    ERROR = "error"
    """Something does not work, or work may be lost."""
    WARNING = "warning"
    NOTE = "note"
    """Worth knowing; nothing is wrong."""


class Repair(NamedTuple):
    """What can be done safely, and be taken back: all of it is data."""

    what: str
    files: tuple[tuple[str, str], ...] = ()
    """(path, new text)"""
    entry: str | None = None
    """A folder of git's own that goes to the trash."""
    config: tuple[str, str] | None = None
    aside: str | None = None
    """A file of ours that is moved aside."""
    recover: bool = False
    agent: Agent | None = None
    """One that is gone: its task is marked as stuck."""
    trust: bool = False
    """Take the configuration of now for known."""


class Finding(NamedTuple):
    severity: Severity
    code: str
    what: str
    path: str | None = None
    evidence: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    repair: Repair | None = None
    repaired: bool = False


class Observed(NamedTuple):
    """All that `doctor` looked at."""

    common_dir: str
    bare_flipped: bool = False
    entries: tuple[Entry, ...] = ()
    main_head: str | None = None
    """What the HEAD of the main worktree says; None in a bare repository."""
    main: str = ""
    main_index: str | None = None
    """What git says of its index, where it cannot read that."""
    list_fails: str | None = None
    """What git says when it cannot list the worktrees."""
    halves: tuple[Half, ...] = ()
    locks: tuple[LockFile, ...] = ()
    bad_refs: tuple[BadRef, ...] = ()
    interrupted: tuple[tuple[int, str], ...] = ()
    """(number, summary) of operations of ours that were killed."""
    waiting: tuple[tuple[int, str], ...] = ()
    journal: tuple[str, str, str] | None = None
    """(`damaged` or `newer`, the file, why)"""
    trust: tuple[tuple[str, str], ...] = ()
    """(what may run commands, `new`, `changed` or `gone`) since that was known last."""
    agents: tuple[Agent, ...] = ()
    """Those that ended without anybody seeing how."""
    settings: str | None = None
    """Why our own settings cannot be read."""
    stashes: tuple[tuple[str, str], ...] = ()
    """(name, branch)"""
