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


def put_away(repository: Repository, path: str, operation: int) -> None:
    """A lane in which somebody may have worked: what he committed is kept, what he did not goes to the trash."""
    with locks.hold(repository.fleet_dir, running.WORKTREES) as lock:
        if not os.path.isdir(path):
            return
        made = git.reflog_commits(repository, "HEAD", path)  # the first try of what was amended, too
        running.keep(repository, operation, [*looking.commit_and_parents(repository, path)[:1], *made])
        dirt = looking.dirt([path], ignored=True)[path]
        if dirt is not None and dirt.clean and not dirt.ignored:
            changing.remove_lane(repository, path, [lock.fd])
            return
        places = (worktrees.trash_place(repository, path, operation, number) for number in range(900, 10_000))
        trashed = next(place for place in places if not os.path.lexists(place.folder))
        worktrees.move_folder_to_trash(trashed)
        worktrees.move_entry_to_trash(repository, trashed)
