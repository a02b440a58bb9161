"""Slots: a small number for each worktree, no two alike, by which those who work there choose ports and the like.

It lies in the worktree's administrative entry: it is free again when that goes, whoever removes the worktree, and comes
back with it. The main worktree's is 0, and written nowhere.
"""

import itertools
import os

from git_fleet.model.errors import Refused
from git_fleet.model.fleet import Repository
from git_fleet.repo.git import private_dir

_FILE = "fleet-slot"
_MOST_DIGITS = 9


def of(repository: Repository, top: str) -> int | None:
    """The slot of a worktree; None where it has none yet, or is no worktree of this repository."""
    private = os.path.realpath(private_dir(top) or "")
    return 0 if private == os.path.realpath(repository.common_dir) else _read(private)


def take(repository: Repository, top: str) -> int:
    """The slot of a worktree, the lowest free one where it has none. The worktree lock is held by the caller.

    Raises Refused where it is no worktree of this repository, or that cannot be written.
    """
    known = of(repository, top)
    if known == 0:
        return known
    private = os.path.realpath(private_dir(top) or "")
    if os.path.dirname(private) != _home(repository):
        raise Refused(f"'{top}' is no worktree of this repository", ["git worktree list"])
    return _given(repository, private)


def renew(repository: Repository, entry: str) -> None:
    """Give an administrative entry that comes back from the trash another slot, if its own is somebody's by now.

    The worktree lock is held by the caller. Raises Refused.
    """
    if _read(entry) is not None:
        _given(repository, entry)


def _given(repository: Repository, entry: str) -> int:
    home = _home(repository)
    names = os.listdir(home) if os.path.isdir(home) else []
    taken = {_read(f"{home}/{name}") for name in names if f"{home}/{name}" != entry}
    own = _read(entry)
    if own is not None and own not in taken:
        return own
    slot = next(number for number in itertools.count(1) if number not in taken)
    try:
        with open(f"{entry}/{_FILE}", "w", encoding="ascii") as file:
            file.write(f"{slot}\n")
    except OSError as error:
        raise Refused(f"'{entry}/{_FILE}' cannot be written: {error.strerror}") from error
    return slot


def _home(repository: Repository) -> str:
    return os.path.realpath(f"{repository.common_dir}/worktrees")


def _read(entry: str) -> int | None:
    try:
        with open(f"{entry}/{_FILE}", encoding="ascii", errors="replace") as file:
            said = file.read(_MOST_DIGITS + 2).strip()
    except OSError:
        return None
    return int(said) if said.isascii() and said.isdecimal() and len(said) <= _MOST_DIGITS and int(said) else None
