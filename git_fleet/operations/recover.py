"""What a killed run left is put right at the start of the next command that changes something. It never guesses."""

import json
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from git_fleet.journal import database, locks
from git_fleet.model.errors import BrokenOff, FleetError
from git_fleet.model.events import Listener, Note, Recovered
from git_fleet.model.fleet import Repository
from git_fleet.model.journal import ChangeKind, Operation, OperationState, RecordedChange
from git_fleet.operations import advance, revert, running
from git_fleet.operations.context import Context, is_base, write_status
from git_fleet.plan import config
from git_fleet.repo import git, halfway, looking, objects, worktrees

WORKTREE_KINDS = ("add", "remove", "clean", "purge", "doctor", "undo", "plan", "sync")
"""Operations that work under the worktree lock."""


def interrupted(repository: Repository, journal: database.Journal, kinds: Sequence[str]) -> list[Operation]:
    """The same as `dead`, for whoever is going to put it right: what only the dead could have let go is let go."""
    config.unlock(repository)
    found = dead(repository, journal, kinds)
    for one in found:
        objects.release(repository, running.holder(one.id))
    return found


def dead(repository: Repository, journal: database.Journal, kinds: Sequence[str]) -> list[Operation]:
    """Operations of these kinds that began, never ended, and that no process works on; read-only."""
    found = [one for one in journal.operations(states=[OperationState.RUNNING]) if one.kind in kinds]
    left = {one.id for one in found if not running.is_alive(repository, one.id)}
    if not left:
        return []
    # Read again: who ended between the two looks is neither alive nor dead, and had been written down before that.
    return [one for one in journal.operations(states=[OperationState.RUNNING]) if one.id in left]


def after_kill(
    context: Context, journal: database.Journal, kinds: Sequence[str], lock: locks.Lock, say: Listener
) -> None:
    """Finish what was complete but for its last notes, take back the rest; the worktree lock is held by the caller."""
    for operation in interrupted(context.repository, journal, kinds):
        came_to = put_right(context, journal, operation, lock, say, failed=False)
        say(Recovered(f"'{operation.summary}' (operation {operation.id}) had been killed{came_to}"))


def put_right(
    context: Context, journal: database.Journal, operation: Operation, lock: locks.Lock, say: Listener, *, failed: bool
) -> str:
    """End an operation that got no further as done, where that is so, else as taken back; in words, what it came to.

    One that `failed` is taken back also when all that it had meant so far is done: it wanted more. Not an undo, which
    has nothing left then but notes.
    """
    repository = context.repository
    if operation.kind == "sync":
        return _each_by_itself(repository, journal, operation, lock, say)
    done = [revert.is_done(repository, change) for change in operation.changes]
    whole = bool(operation.changes) and all(done) and _whole(repository, operation)
    if whole and (not failed or operation.kind == "undo"):
        _end(context, journal, operation, say)
        return " at its very end: it is done"
    for change in operation.changes if operation.kind == "undo" and not failed else ():
        if change.kind is ChangeKind.REF:
            advance.settle(repository, change, say, [lock.fd])
    back = revert.take_back(repository, operation.changes, operation.id, lock, say)
    worktrees.forget_temporary(repository, [lock.fd])
    journal.finish(operation.id, OperationState.FAILED)
    foreign = [c.name for c, is_so in zip(operation.changes, done, strict=True) if is_so is None]
    left = f"; left alone, since it changed meanwhile: {', '.join(foreign)}" if foreign else ""
    return f": {f'{len(back)} of its changes taken back' if back else 'nothing had happened yet'}{left}"


def _each_by_itself(
    repository: Repository, journal: database.Journal, operation: Operation, lock: locks.Lock, say: Listener
) -> str:
    """Branches that have nothing to do with each other: what is done stays done, a checkout broken off is put back."""
    by_git = json.loads(operation.detail).get("by_git", {})
    for change in operation.changes:
        advance.settle(repository, change, say, [lock.fd], by_git.get(change.name, {}).get("conflicts"))
    for change in operation.changes:
        top = by_git[change.name]["top"] if change.name in by_git else ""
        if change.before and halfway.is_rebase_left(top):  # to go on might leave out the commit that it was at
            halfway.unwrite(repository, top, change.before)
            give_up = f"git -C {shlex.quote(top)} rebase --abort"
            say(Note(f"a rebase is left halfway in '{top}', give it up there: {give_up}"))
    changes = [_as_made(repository, change, by_git.get(change.name)) for change in operation.changes]
    done = [revert.is_done(repository, change) for change in changes]
    kept = [change for change, is_so in zip(changes, done, strict=True) if is_so]
    journal.rewrite(operation.id, kept)
    journal.finish(operation.id, OperationState.DONE if kept else OperationState.FAILED)
    tops = [one["top"] for one in by_git.values()]
    waiting = [f"'{top}'" for top in tops if halfway.waits(top)]
    foreign = [change for change, is_so in zip(changes, done, strict=True) if is_so is None]
    told = [f"{_branches(kept)} had come to its end"] if kept else []
    told += [f"the conflict waits in {', '.join(waiting)}"] if waiting else []
    told += [f"left alone, since it moved meanwhile: {_branches(foreign)}"] if foreign else []
    return f": {'; '.join(told) or 'nothing had happened yet'}"


def _branches(changes: Sequence[RecordedChange]) -> str:
    return ", ".join(git.short(change.name) for change in changes)


def _as_made(repository: Repository, change: RecordedChange, by_git: dict[str, str] | None) -> RecordedChange:
    """What git was to make with a commit of its own, with that commit where it is there."""
    now = git.resolve(repository, change.name) if by_git else None
    if by_git is None or now is None:
        return change
    made = looking.commit_and_parents(repository, None, now)[1:] == [change.before, by_git["theirs"]]
    return change._replace(after=now) if made else change


@contextmanager
def put_right_on_failure(
    context: Context, journal: database.Journal, number: int, lock: locks.Lock, say: Listener
) -> Iterator[None]:
    """What ends with an error is put right at once; where that fails too, the next command does it."""
    try:
        yield
    except BaseException as error:
        with suppress(FleetError, OSError):
            known = journal.operation(number)
            if known is not None and known.state is OperationState.RUNNING:
                put_right(context, journal, known, lock, say, failed=not isinstance(error, BrokenOff))
        raise


@contextmanager
def put_back(
    repository: Repository, journal: database.Journal, number: int, lock: locks.Lock, say: Listener
) -> Iterator[None]:
    """The same where no plan and no base can be found: what ends with an error is put back."""
    try:
        yield
    except BaseException:
        known = journal.operation(number)
        if known is not None and known.state is OperationState.RUNNING:
            revert.take_back(repository, known.changes, number, lock, say)
            journal.finish(number, OperationState.FAILED)
        raise


def _whole(repository: Repository, operation: Operation) -> bool:
    """Are new worktrees on their branches, with all their files? The index is the last thing that git writes.

    Where others were to come after it, the journal says so until they are there.
    """
    made = [c for c in operation.changes if c.kind is ChangeKind.WORKTREE and c.before is None]
    notes = {change.name: json.loads(change.after or "{}") for change in made}
    return all(
        "trashed" in note
        or ("more" not in note and looking.index_bytes(top) and _head(repository, top) == note.get("branch"))
        for top, note in notes.items()
    )


def _head(repository: Repository, top: str) -> str:
    return git.ask(repository, "symbolic-ref", "--quiet", "HEAD", cwd=top).stdout.strip()


def _end(context: Context, journal: database.Journal, operation: Operation, say: Listener) -> None:
    undone = journal.operation(json.loads(operation.detail).get("undoes", 0))
    if undone is not None:
        end_undo(context, journal, operation.id, undone, say)
    else:
        journal.finish(operation.id, OperationState.DONE)


def end_undo(context: Context, journal: database.Journal, number: int, undone: Operation, say: Listener) -> None:
    """All is where it was before `undone`: the plan and the journal say so. Done twice, it comes to the same."""
    deed, again = _deed(journal, undone)
    if deed.kind == "land" and is_base(context, json.loads(deed.detail).get("onto", context.base.branch)):
        ids = sorted({one.task for one in journal.landings_of(deed.id)})
        write_status(context, dict.fromkeys(ids, "landed" if again else "active"), say)
    elif deed.kind == "add":
        made = {change.name for change in deed.changes}
        ids = [task.id for task in context.plan.tasks if task.worktree in made]
        write_status(context, dict.fromkeys(ids, "active" if again else "queued"), say)
    journal.finish(undone.id, OperationState.UNDONE)
    journal.finish(deed.id, OperationState.DONE if again else OperationState.UNDONE)
    journal.finish(number, OperationState.DONE)


def _deed(journal: database.Journal, undone: Operation) -> tuple[Operation, bool]:
    """What an undo, or an undo of undos, is about in the end; and is it done again by taking `undone` back?"""
    again = False
    while undone.kind == "undo":
        below = journal.operation(json.loads(undone.detail).get("undoes", 0))
        if below is None:
            break
        undone, again = below, not again
    return undone, again
