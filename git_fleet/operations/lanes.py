"""Lanes: scratch worktrees of ours, in which gates run and conflicts are resolved."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from git_fleet.journal import database, locks
from git_fleet.model.fleet import Repository
from git_fleet.operations import running
from git_fleet.operations.survey import lane_path
from git_fleet.repo import changing, git, looking, worktrees


@contextmanager
def opened(repository: Repository, journal: database.Journal, operation: int, commit: str) -> Iterator[str]:
    """The path of a lane for gates at `commit`, removed at the end: what gates leave in it is nobody's work."""
    path = open_at(repository, journal, operation, commit)
    try:
        yield path
    finally:
        with locks.hold(repository.fleet_dir, running.WORKTREES) as lock:
            changing.remove_lane(repository, path, [lock.fd])


def open_at(repository: Repository, journal: database.Journal, operation: int, commit: str) -> str:
    """A new lane at `commit`; the journal knows of it before it is there."""
    with locks.hold(repository.fleet_dir, running.WORKTREES) as lock:
        taken = {tree.path for tree in git.worktrees(repository)}
        paths = (lane_path(repository, number) for number in range(1, 10_000))
        path = next(path for path in paths if path not in taken and not os.path.lexists(path))
        running.note(journal, operation, lane=path)
        changing.add_lane(repository, path, commit, [lock.fd])
    return path


def put_away(repository: Repository, path: str, operation: int) -> str | None:
    """A lane in which somebody may have worked: what he committed is kept, what he did not goes to the trash.

    Where that is: the commit or the folder; None when there is nothing that somebody did.
    """
    with locks.hold(repository.fleet_dir, running.WORKTREES) as lock:
        if not os.path.isdir(path):
            _forget(repository, path, operation)
            return None
        head = looking.commit_and_parents(repository, path)[:1]
        made = git.reflog_commits(repository, "HEAD", path)  # the first try of what was amended, too
        running.keep(repository, operation, [*head, *made])
        dirt = looking.dirt([path], ignored=True)[path]
        if dirt is not None and dirt.clean and not dirt.ignored:
            changing.remove_lane(repository, path, [lock.fd])
            return f"commit {head[0]}" if head and len({*made}) > 1 else None
        places = (worktrees.trash_place(repository, path, operation, number) for number in range(900, 10_000))
        trashed = next(place for place in places if not os.path.lexists(place.folder))
        worktrees.move_folder_to_trash(trashed)
        worktrees.move_entry_to_trash(repository, trashed)
        return f"folder '{trashed.folder}'"


def _forget(repository: Repository, path: str, operation: int) -> None:
    """The entry of a lane whose folder was deleted by hand goes, so that its name is free again."""
    trash = f"{repository.fleet_dir}/trash/{operation}"
    number = next(number for number in range(900, 10_000) if not os.path.lexists(f"{trash}/{number}-entry"))
    worktrees.move_lost_entry_to_trash(repository, path, operation, number)
