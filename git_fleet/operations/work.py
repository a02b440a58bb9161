"""How everything begins that changes worktrees, branches or the plan: first, what was killed before is put right."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from git_fleet.journal import database, locks
from git_fleet.model.events import Listener
from git_fleet.operations import killed, recover, running
from git_fleet.operations.context import Context
from git_fleet.repo import git


class Work(NamedTuple):
    """What a deed is carried out with while the worktree lock is held; the worktrees were listed under it."""

    context: Context
    journal: database.Journal
    lock: locks.Lock
    say: Listener


@contextmanager
def journal_of(context: Context, say: Listener) -> Iterator[database.Journal]:
    """The journal, open; killed landings were put right. Raises Refused in a hook of `git commit`, Busy, Fatal."""
    running.refuse_inside_a_commit(context.repository)
    with database.opened(context.repository.fleet_dir) as journal:
        killed.landings_anywhere(context, journal, say)
        yield journal


@contextmanager
def locked(context: Context, journal: database.Journal, say: Listener) -> Iterator[Work]:
    """The worktree lock, held; everything else that was killed was put right. Raises Busy."""
    fleet_dir = context.repository.fleet_dir
    with locks.hold(fleet_dir, running.WORKTREES, waits=running.tells(say)) as lock:
        recover.after_kill(context, journal, recover.WORKTREE_KINDS, lock, say)
        yield Work(context._replace(worktrees=git.worktrees(context.repository)), journal, lock, say)


@contextmanager
def begun(context: Context, say: Listener) -> Iterator[Work]:
    """Both, for a deed that holds the lock to its end."""
    with journal_of(context, say) as journal, locked(context, journal, say) as work:
        yield work
