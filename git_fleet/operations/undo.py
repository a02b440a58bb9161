"""`undo`: take an operation back, only what it touched, only if nothing of it moved since. An undo can be undone."""

import itertools
import json
import shlex
from contextlib import ExitStack
from functools import partial

from git_fleet.analysis.paths import parents
from git_fleet.journal import database, locks
from git_fleet.model.errors import Fatal, Refused
from git_fleet.model.events import Listener
from git_fleet.model.fleet import Repository, Worktree
from git_fleet.model.journal import ChangeKind, Operation, OperationState, RecordedChange
from git_fleet.model.removal import Judged
from git_fleet.operations import advance, agents, push, recover, remove, revert, running, statuses, withdrawal, work
from git_fleet.operations.context import PLAN, Context
from git_fleet.plan import config
from git_fleet.repo import compare, git, lineage


def choose(journal: database.Journal | None, number: int | None) -> Operation:
    """The operation to take back: the named one, else the last that changed something. Raises Fatal or Refused."""
    if number is None:
        candidates = journal.operations(1, [OperationState.DONE, OperationState.STOPPED]) if journal else ()
        if not candidates:
            raise Fatal("there is nothing to undo", ["git fleet log"])
        found: Operation | None = candidates[0]
    else:
        found = journal.operation(number) if journal else None
    if found is None:
        raise Fatal(f"there is no operation {number}", ["git fleet log"])
    if found.kind == "purge":
        raise Refused(
            f"'{found.summary}' (operation {found.id}) has deleted for good: it cannot be taken back",
            ["an older one: git fleet log, then git fleet undo <operation>"],
        )
    if found.state is OperationState.STOPPED:
        raise Refused(
            f"'{found.summary}' waits for you: it cannot be taken back half-way", ["git fleet land --abort, then undo"]
        )
    if found.state is not OperationState.DONE:
        raise Refused(
            f"operation {found.id} ({found.summary}) is {found.state}: there is nothing to take back",
            ["git fleet log lists what can be taken back: what is done"],
        )
    return found


def undo(context: Context, number: int | None, say: Listener) -> Operation:
    """Take it back. Raises Refused, with nothing changed, when anything of it moved since or would lose work."""
    repository = context.repository
    with work.journal_of(context, say) as journal:
        with work.locked(context, journal, say):
            operation = choose(journal, number)
        with (
            locks.hold(repository.fleet_dir, _lock_of(operation), waits=running.tells(say)),
            work.locked(context, journal, say) as (context, _, lock, _),
        ):
            going = refuse_if_moved(context, operation)
            redone, what = meaning(operation)
            summary = f"undo {operation.id}: {'redo ' if redone else ''}{what}"
            detail = json.dumps({"undoes": operation.id, "redo": redone, "what": what})
            begun = running.begun(repository, journal, "undo", summary, detail=detail)
            with begun as (new, _), recover.put_right_on_failure(context, journal, new, lock, say):
                journal.intend(new, revert.intended(repository, operation.changes, new))
                running.keep(repository, new, _commits(operation))
                remove.pin(repository, new, going)
                with ExitStack() as stack:
                    for change in operation.changes:
                        stack.enter_context(statuses.aside(context, *_checkout(repository, change)))
                    again = partial(withdrawal.look_again, context, going)
                    done = _config_back(context, journal, operation, new, say)
                    done += revert.take_back(repository, operation.changes, new, lock, say, again)
                journal.rewrite(new, done)
                recover.end_undo(context, journal, new, operation, say)
    return operation


def _config_back(
    context: Context, journal: database.Journal, operation: Operation, new: int, say: Listener
) -> list[RecordedChange]:
    """Keys of the configuration, where they can go back to the byte, comments and all; the reverse changes."""
    trace = json.loads(operation.detail).get("config")
    if trace is None:
        return []
    with locks.hold(context.repository.fleet_dir, PLAN, waits=running.tells(say)):
        back = config.restore(context.repository, config.Trace(*trace))
    if back is None:
        return []
    running.note(journal, new, config=back)
    keys = (one for one in reversed(operation.changes) if one.kind is ChangeKind.CONFIG)
    return [RecordedChange(one.kind, one.name, one.after, one.before) for one in keys]


def meaning(operation: Operation) -> tuple[bool, str]:
    """What taking an operation back comes to: (True, what is done again) or (False, what is taken back)."""
    if operation.kind != "undo":
        return False, operation.summary
    said = json.loads(operation.detail)
    return not said.get("redo", False), said.get("what", operation.summary)  # an older journal does not say it


def further_back(repository: Repository, operation: Operation) -> tuple[Operation, ...]:
    """What one would take back, one after the other, who did this again and meant to go further; read-only.

    Nothing where nothing is older.
    """
    done = [one for one in history(repository, -1) if one.state is OperationState.DONE and one.kind != "undo"]
    both = tuple(one for one in done if one.id < operation.id)[:2]
    return both if len(both) == 2 else ()


def would(context: Context, number: int | None) -> Operation:
    """The operation that `undo` would take back; read-only. Raises Refused as `undo` would."""
    with database.opened_to_read(context.repository.fleet_dir) as journal:
        operation = choose(journal, number)
    refuse_if_moved(context, operation)
    return operation


def _lock_of(operation: Operation) -> str:
    """Moving a base takes that base's lock; all else has enough with the worktree lock."""
    moved = [c.name for c in operation.changes if c.kind is ChangeKind.REF and c.before and c.after]
    return locks.base_lock(moved[0].removeprefix("refs/heads/")) if moved else "undo"


def refuse_if_moved(context: Context, operation: Operation) -> list[Judged]:
    """What goes to the trash again. Raises Refused unless everything is where the operation left it, no work would be
    in the way, and `remove` would leave nothing of what goes where it is.
    """
    repository = context.repository
    _refuse_if_pushed(context, operation)
    moved = revert.moved_since(repository, operation.changes)
    if moved:
        raise Refused(f"not undone: since '{operation.summary}', {'; '.join(moved)}", ["git fleet log"])
    for change in operation.changes:
        if change.kind is ChangeKind.WORKTREE and change.before is None:
            agents.refuse_if_at_work(repository, change.name)
        if change.kind is ChangeKind.REF and change.before and change.after:
            tree, touched = _checkout(repository, change)
            submodules = compare.changed_submodules(repository, change.after, change.before)
            statuses.refuse_if_in_the_way(context, tree, touched, submodules)
        if change.kind is ChangeKind.REF and change.after is None:
            _refuse_if_no_room(repository, change.name)
    going = withdrawal.judge(context, operation.changes)
    withdrawal.refuse(going)
    return going


def _refuse_if_no_room(repository: Repository, ref: str) -> None:
    """Raises Refused where git cannot make a branch: `a` cannot be beside `a/b`."""
    above = [one for one in parents(ref) if one.startswith("refs/heads/")]
    there = [one for one in git.refs(repository, ref, *above) if one in above or one.startswith(f"{ref}/")]
    if there:
        raise Refused(
            f"not undone: '{git.short(ref)}' cannot come back beside the branch '{git.short(there[0])}'",
            [f"git branch -m {shlex.quote(git.short(there[0]))} <another name>"],
        )


def _refuse_if_pushed(context: Context, operation: Operation) -> None:
    """Raises Refused, with the reverts to make instead, when others may build on what the operation did."""
    repository = context.repository
    pushed = push.settled(repository, operation)
    for change in operation.changes:
        if change.kind is not ChangeKind.REF or not change.before or not change.after:
            continue
        where = git.refs_containing(repository, change.after, "refs/remotes/")
        there = pushed is not None and pushed.state != "rejected"
        if not where and not there:
            continue
        who = where[0] if where else pushed.remote if pushed else ""
        has = "may have it" if not where and pushed and pushed.state == "unknown" else "has it already"
        raise Refused(
            f"not undone: '{who}' {has}, others may build on it", reverts(repository, change.before, change.after)
        )


def reverts(repository: Repository, before: str, after: str) -> list[str]:
    """The commands that take back what a line got, for everybody, newest first; merges need to be told their side."""
    made = lineage.first_parent_range(repository, before, after)
    if not made:
        return []
    commands = []
    for merges, several in itertools.groupby(made, key=lambda one: len(one[1]) > 1):
        commits = " ".join(commit[:12] for commit, _ in several)
        commands.append(f"git revert --no-edit {'-m 1 ' if merges else ''}{commits}")
    return [f"{' && '.join(commands)}   # takes it back for everybody"]


def _checkout(repository: Repository, change: RecordedChange) -> tuple[Worktree | None, list[str]]:
    """Where a branch that moved is checked out, and the paths that moving it back touches. Raises Refused where it is
    being rebased.
    """
    if change.kind is not ChangeKind.REF or not change.before or not change.after:
        return None, []
    touched = git.changed_paths(repository, change.after, change.before)
    trees = git.worktrees(repository)
    advance.refuse_if_under_way(repository, trees, change.name)
    return advance.holder(trees, change.name), touched


def _commits(operation: Operation) -> list[str]:
    values = [v for c in operation.changes if c.kind is ChangeKind.REF for v in (c.before, c.after)]
    return [value for value in values if value]


def history(repository: Repository, limit: int) -> tuple[Operation, ...]:
    """Operations, newest first; read-only."""
    with database.opened_to_read(repository.fleet_dir) as journal:
        return journal.operations(limit) if journal else ()
