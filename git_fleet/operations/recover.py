"""What a killed run left is put right at the start of the next command that changes something. It never guesses."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from git_fleet.journal import database, locks
from git_fleet.model.events import Listener, Recovered
from git_fleet.model.fleet import Repository
from git_fleet.model.journal import ChangeKind, Operation, OperationState
from git_fleet.operations import revert, running
from git_fleet.repo import looking

WORKTREE_KINDS = ("add", "remove", "clean", "purge", "doctor", "undo", "plan", "sync")
"""Operations that work under the worktree lock."""


def interrupted(repository: Repository, journal: database.Journal, kinds: Sequence[str]) -> list[Operation]:
    """Operations of these kinds that began, never ended, and that no process works on."""
    running_now = journal.operations(states=[OperationState.RUNNING])
    return [one for one in running_now if one.kind in kinds and not running.is_alive(repository, one.id)]


def after_kill(
    repository: Repository, journal: database.Journal, kinds: Sequence[str], lock: locks.Lock, say: Listener
) -> None:
    """Finish what was complete but for its last note, take back the rest; the worktree lock is held by the caller."""
    for operation in interrupted(repository, journal, kinds):
        done = [revert.is_done(repository, change) for change in operation.changes]
        if operation.changes and all(done) and _whole(operation):
            journal.finish(operation.id, OperationState.DONE)
            say(
                Recovered(
                    f"'{operation.summary}' (operation {operation.id}) had been killed at its very end: it is done"
                )
            )
            continue
        back = revert.take_back(repository, operation.changes, operation.id, lock)
        journal.finish(operation.id, OperationState.FAILED)
        foreign = [c.name for c, is_so in zip(operation.changes, done, strict=True) if is_so is None]
        left = f"; left alone, since it changed meanwhile: {', '.join(foreign)}" if foreign else ""
        what = f"{len(back)} of its changes taken back" if back else "nothing had happened yet"
        say(Recovered(f"'{operation.summary}' (operation {operation.id}) had been killed: {what}{left}"))


@contextmanager
def put_back(repository: Repository, journal: database.Journal, number: int, lock: locks.Lock) -> Iterator[None]:
    """An operation that ends with an error is put back and ends as failed: nobody takes it for killed."""
    try:
        yield
    except BaseException:
        known = journal.operation(number)
        if known is not None and known.state is OperationState.RUNNING:
            revert.take_back(repository, known.changes, number, lock)
            journal.finish(number, OperationState.FAILED)
        raise


def _whole(operation: Operation) -> bool:
    """Were the files of new worktrees written? The index is the last thing that git writes."""
    made = [c.name for c in operation.changes if c.kind is ChangeKind.WORKTREE and c.before is None]
    return all(looking.index_bytes(path) for path in made)
