"""`clean --purge`: the one thing that deletes for good. What is in the trash, since when, and away with it."""

import json
import os
import shlex
from collections.abc import Sequence
from contextlib import ExitStack

from git_fleet.journal import database
from git_fleet.model.events import Listener, Note
from git_fleet.model.journal import ChangeKind, Operation, OperationState
from git_fleet.model.removal import Trash
from git_fleet.operations import running, work
from git_fleet.operations.context import Context
from git_fleet.repo import changing, git, trash

_UNDER_WAY = (OperationState.RUNNING, OperationState.STOPPED)
_PINNING = ("add", "remove", "clean", "undo", "doctor")
"""Operations that pin commits for the sake of what they move to the trash, and of nothing else."""


def listed(context: Context) -> list[Trash]:
    """What is in the trash, oldest first, with what has to stay there; read-only."""
    with database.opened_to_read(context.repository.fleet_dir) as journal:
        return [seen for _, seen in _seen(context, journal.operations() if journal else ())]


def purge(context: Context, say: Listener) -> tuple[int | None, list[Trash]]:
    """Delete what is in the trash: the operation's number, and every item, `kept` where it is still there."""
    repository = context.repository
    with work.begun(context, say) as (context, journal, _, _), ExitStack() as stack:
        known = journal.operations()
        trash.finish(repository, _parents(context, known))
        found = _seen(context, known)
        doomed = [item for item, seen in found if seen.kept is None]
        if not doomed:
            return None, [seen for _, seen in found]
        summary = f"purge {len(doomed)} of the trash"
        operation, _ = stack.enter_context(running.begun(repository, journal, "purge", summary))
        after = [seen if seen.kept else seen._replace(kept=trash.delete(repository, item)) for item, seen in found]
        _unpin(context, known, {item.operation for item in doomed}, say)
        journal.finish(operation, OperationState.DONE)
    return operation, after


def _seen(context: Context, known: Sequence[Operation]) -> list[tuple[trash.Item, Trash]]:
    operations = {one.id: one for one in known}
    found = []
    for item in trash.items(context.repository, _parents(context, known)):
        operation = operations.get(item.operation)
        since = operation.ended_s or operation.began_s if operation else os.lstat(item.place).st_ctime
        under_way = operation is not None and operation.state in _UNDER_WAY
        why = f"operation {item.operation} is not over" if under_way else trash.why_kept(context.repository, item)
        found.append((item, Trash(item.operation, item.path, item.place, since, trash.size(item), why)))
    return sorted(found, key=lambda one: (one[1].since_s, one[1].place))


def _parents(context: Context, known: Sequence[Operation]) -> list[str]:
    """Folders beside which a trash may be: where worktrees are, and where they were."""
    were = [change.name for one in known for change in one.changes if change.kind is ChangeKind.WORKTREE]
    places = [context.repository.main, *(tree.path for tree in context.worktrees), *were]
    return list(dict.fromkeys(os.path.dirname(place) for place in places))


def _unpin(context: Context, known: Sequence[Operation], purged: set[int], say: Listener) -> None:
    """Let go of the commits that were kept for folders that no longer can come back.

    Branches without a folder are not what was purged: they cannot be undone alone, but their commits stay.
    """
    repository = context.repository
    left = {item.operation for item in trash.items(repository, _parents(context, known))}
    kinds = {one.id: one.kind for one in known}
    gone = [number for number in purged - left if kinds.get(number, "remove") in _PINNING]
    pins = git.refs(repository, *(f"{running.KEEP}{number}/" for number in gone)) if gone else {}
    alone = {tip: ref for one in known if one.id in gone for ref, tip in _branches_alone(one)}
    updates = [changing.RefUpdate(ref, oid, None) for ref, oid in pins.items() if oid not in alone]
    changing.update_refs(repository, updates, "fleet purge")
    for tip, ref in alone.items():
        again = f"git branch {shlex.quote(git.short(ref))} {tip}"
        say(Note(f"undo cannot bring back '{git.short(ref)}' any more, but its commits are kept: {again}"))


def _branches_alone(operation: Operation) -> list[tuple[str, str]]:
    """(reference, tip) of the branches that an operation removed without a worktree."""
    notes = [change.before for change in operation.changes if change.kind is ChangeKind.WORKTREE]
    along = {json.loads(note).get("branch") for note in notes if note}
    gone = [one for one in operation.changes if one.kind is ChangeKind.REF and one.before and one.after is None]
    branches = [one for one in gone if one.name.startswith("refs/heads/") and one.name not in along]
    return [(one.name, one.before) for one in branches if one.before]
