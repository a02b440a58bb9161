"""Lanes: scratch worktrees of ours, in which gates run and conflicts are resolved."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from git_fleet.journal import database, locks
from git_fleet.model.errors import FleetError
from git_fleet.model.events import Listener
from git_fleet.model.fleet import Repository
from git_fleet.operations import running
from git_fleet.operations.survey import lane_path
from git_fleet.repo import changing, git, held, looking, worktrees


def open_at(repository: Repository, journal: database.Journal, operation: int, commit: str, say: Listener) -> str:
    """A new lane at `commit` for a human; the journal knows of it before it is there."""
    return _open(repository, commit, lambda path: running.note(journal, operation, lane=path), say)


def open_for_gates(
    repository: Repository,
    journal: database.Journal,
    operation: int,
    commit: str,
    others: Sequence[str],
    say: Listener,
) -> str:
    """A new lane at `commit` beside the `others` of the same landing; the journal knows of it before it is there."""
    return _open(repository, commit, lambda path: running.note(journal, operation, lanes=[*others, path]), say)


@contextmanager
def opened(
    repository: Repository, journal: database.Journal, operation: int, commit: str, say: Listener
) -> Iterator[str]:
    """A lane at `commit` for git to work in, beside those of gates; gone at the end."""
    known = journal.operation(operation)
    others = json.loads(known.detail).get("lanes", ()) if known else ()
    path = open_for_gates(repository, journal, operation, commit, others, say)
    try:
        yield path
    finally:
        discard(repository, path, say)


def _open(repository: Repository, commit: str, write_down: Callable[[str], None], say: Listener) -> str:
    with locks.hold(repository.fleet_dir, running.WORKTREES, waits=running.tells(say)) as lock:
        taken = {tree.path for tree in git.worktrees(repository)}
        paths = (lane_path(repository, number) for number in range(1, 10_000))
        path = next(path for path in paths if path not in taken and not os.path.lexists(path))
        write_down(path)
        try:
            changing.add_lane(repository, path, commit, [lock.fd])
        except FleetError:
            _remove(repository, path, [lock.fd])
            raise
    return path


def switch(repository: Repository, path: str, commit: str, say: Listener) -> None:
    """Bring a lane for gates to another commit, warm: what git ignores stays, such as what was built; the rest goes.

    A lane that a gate broke is made anew. Raises GitError.
    """
    try:
        changing.set_lane(repository, path, commit)
    except FleetError:
        discard(repository, path, say)
        with locks.hold(repository.fleet_dir, running.WORKTREES, waits=running.tells(say)) as lock:
            changing.add_lane(repository, path, commit, [lock.fd])


def discard(repository: Repository, path: str, say: Listener) -> bool:
    """Remove a lane for gates: what they leave in it is nobody's work. Is it gone?"""
    with locks.hold(repository.fleet_dir, running.WORKTREES, waits=running.tells(say)) as lock:
        _remove(repository, path, [lock.fd])
    return not os.path.lexists(path)


def put_away(repository: Repository, path: str, operation: int, say: Listener) -> str | None:
    """A lane in which somebody may have worked: what he committed is kept, what he did not goes to the trash.

    Where that is: the commit or the folder; None when there is nothing that somebody did.
    """
    with locks.hold(repository.fleet_dir, running.WORKTREES, waits=running.tells(say)) as lock:
        if _forget(repository, path, operation):
            return None
        head = looking.commit_and_parents(repository, path)[:1]
        made = git.reflog_commits(repository, "HEAD", path)  # the first try of what was amended, too
        entry = git.private_dir(path) or ""
        running.keep_held(repository, operation, entry)
        if _holds_commits_alone(repository, path, entry):
            _remove(repository, path, [lock.fd])
            return f"commit {head[0]}" if head and len({*made}) > 1 else None
        places = (worktrees.trash_place(repository, path, operation, number) for number in range(900, 10_000))
        trashed = next(place for place in places if not os.path.lexists(place.folder))
        worktrees.move_folder_to_trash(trashed)
        worktrees.move_entry_to_trash(repository, trashed)
        return f"folder '{trashed.folder}'"


def _holds_commits_alone(repository: Repository, path: str, entry: str) -> bool:
    """Is there nothing in a lane but what its HEAD and its reflog name?"""
    whole = looking.whole(repository, path, entry)
    if whole is None or whole.nested or not whole.dirt.clean or whole.dirt.ignored:
        return False
    return not held.private_refs(repository, entry)


def _remove(repository: Repository, path: str, inherit: Sequence[int]) -> None:
    """A lane with nobody's work goes, also where a gate took its `.git` away, or a git was killed over it."""
    changing.remove_lane(repository, path, inherit)
    if os.path.lexists(path):
        worktrees.remove_scratch(path)
    if not os.path.lexists(path):
        worktrees.remove_lost_entry(repository, path)


def _forget(repository: Repository, path: str, operation: int) -> bool:
    """The entry of a lane whose folder was deleted by hand, or never filled, goes, so that its name is free again."""
    worktrees.remove_husk(path)
    if os.path.isdir(path):
        return False
    entry = worktrees.lost_entry(repository, path)
    if entry is not None:
        running.keep_held(repository, operation, entry)
    trash = f"{repository.fleet_dir}/trash/{operation}"
    number = next(number for number in range(900, 10_000) if not os.path.lexists(f"{trash}/{number}-entry"))
    worktrees.move_lost_entry_to_trash(repository, path, operation, number)
    return True
