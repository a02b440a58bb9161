"""`sync`: bring the base into task branches, each in its own worktree, for its own author to resolve what conflicts.

What goes without a conflict is made beside it, as `land` makes it, and the branch moves there with its worktree. Else
git does it there, as if the author had typed it: a conflict is an ordinary merge or rebase that waits, and `--continue`
and `--abort` are git's own.
"""

import os
import shlex
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from git_fleet.analysis import state as states
from git_fleet.journal import database, locks
from git_fleet.model.errors import BrokenOff, Busy, Fatal, FleetError, LockedOut, Refused
from git_fleet.model.events import Listener, Note
from git_fleet.model.fleet import Branch, Dirt, State
from git_fleet.model.journal import ChangeKind, OperationState, RecordedChange
from git_fleet.model.plan import PlanView, Task
from git_fleet.operations import advance, build, lanes, recover, running, stops, survey, work
from git_fleet.operations.combine import combine
from git_fleet.operations.context import Context
from git_fleet.operations.naming import find
from git_fleet.repo import around, changing, git, halfway, hooks, lineage, looking, merging, objects
from git_fleet.repo.objects import Made

KIND = "sync"
_HOOKS_OF_REBASE = ("pre-rebase", "post-checkout", "prepare-commit-msg", "post-commit", "post-rewrite")


class Fate(StrEnum):
    SYNCED = "synced"
    CURRENT = "current"
    CONFLICT = "conflict"
    REFUSED = "refused"


class Synced(NamedTuple):
    """What became of one branch, or would: `before` and `after` are its tips, `paths` where it conflicts.

    `why` and `hints`: of one that is refused; `busy` where it is safe to try again.
    """

    task: Task
    fate: Fate
    before: str
    after: str | None = None
    paths: tuple[str, ...] = ()
    why: str = ""
    worktree: str | None = None
    hints: tuple[str, ...] = ()
    busy: bool = False


class _Subject(NamedTuple):
    """A task with its branch, and the worktree that has it checked out."""

    task: Task
    branch: Branch
    worktree: str | None
    behind: int


class _Made(NamedTuple):
    """What a branch comes to with the base: None where it conflicts in `paths`, or cannot be told, `why`."""

    after: str | None
    paths: tuple[str, ...] = ()
    why: str | None = None


class _Deed(NamedTuple):
    """What it is carried out with."""

    context: Context
    journal: database.Journal
    operation: int
    inherit: Sequence[int]
    rebase: bool
    by_git: dict[str, dict[str, object]]
    """What git itself does in worktrees, by branch; kept in the operation's detail."""


def would(context: Context, view: PlanView, names: Sequence[str], *, rebase: bool) -> list[Synced]:
    """What `sync` would do; read-only. A rebase of a branch without merges is judged by the merge of the same two."""
    subjects = _subjects(context, view, names)
    refused = _refused(subjects)
    wanted = [one for one in subjects if one.behind and one.task.id not in refused]
    with merging.quarantine(context.repository, context.base.commit) as place:
        merges = merging.merges(place, [(one.branch.tip, context.base.commit) for one in wanted])
        losing = [one for one in wanted if rebase and _loses(context, place, one)]
    said = {one.task.id: merge for one, merge in zip(wanted, merges, strict=True)}
    found = []
    for one in subjects:
        merge = said.get(one.task.id)
        if merge is None:
            found.append(_idle(one, refused.get(one.task.id)))
            continue
        refusal = None if merge.clean else _apart(context, one) or (None if one.worktree else _nowhere(one))
        refusal = _would_lose(one) if one in losing else refusal
        if refusal:
            found.append(_not(one, refusal, merge.paths))
            continue
        fate = Fate.SYNCED if merge.clean else Fate.CONFLICT
        found.append(Synced(one.task, fate, one.branch.tip, None, merge.paths, worktree=one.worktree))
    return found


def sync(
    context: Context, view: PlanView, names: Sequence[str], say: Listener, *, rebase: bool
) -> tuple[int | None, list[Synced]]:
    """Merge the base into each branch (`rebase`: rebase each onto it). One that is refused does not stop the others.

    The operation's number, None where there was nothing to do; and what became of each.

    A landing that waits for one of them to be resolved is over then: its author resolves it in his own worktree.
    """
    repository = context.repository
    with work.journal_of(context, say) as journal:
        _hand_back(context, journal, names, say)
        with work.locked(context, journal, say) as (context, _, lock, _):
            subjects = _subjects(context, view, names)
            refused = _refused(subjects)
            wanted = [one for one in subjects if one.behind and one.task.id not in refused]
            if not wanted:
                return None, [_idle(one, refused.get(one.task.id)) for one in subjects]
            verb = "rebase" if rebase else "sync"
            summary = f"{verb} {', '.join(one.task.id for one in wanted)}"
            with (
                running.begun(repository, journal, KIND, summary) as (operation, _),
                recover.put_right_on_failure(context, journal, operation, lock, say),
            ):
                running.keep(repository, operation, [one.branch.tip for one in wanted])
                deed = _Deed(context, journal, operation, [lock.fd], rebase, {})
                done = [_one(deed, one) if one in wanted else _idle(one, refused.get(one.task.id)) for one in subjects]
                _end(deed, summary, done)
    return operation, done


def _end(deed: _Deed, summary: str, done: Sequence[Synced]) -> None:
    waiting = [one.task.id for one in done if one.fate is Fate.CONFLICT]
    if waiting:
        deed.journal.describe(deed.operation, summary=f"{summary}; conflicts: {', '.join(waiting)}")
    moved = [_change(one.task, one.before, one.after) for one in done if one.after]
    deed.journal.rewrite(deed.operation, moved)
    deed.journal.finish(deed.operation, OperationState.DONE if moved else OperationState.FAILED)


def _change(task: Task, before: str, after: str) -> RecordedChange:
    return RecordedChange(ChangeKind.REF, task.ref, before, after)


def _subjects(context: Context, view: PlanView, names: Sequence[str]) -> list[_Subject]:
    """The named tasks, else all at work in a worktree, in plan order. Raises Fatal for one without a branch."""
    snapshot, _ = survey.look(context)
    standings = states.standings(context.plan, snapshot, view.overlaps)
    over = (State.LANDED, State.DROPPED)
    named = {find(context.plan, name).id for name in names}
    missing = next((t for t in context.plan.tasks if t.id in named and t.ref not in snapshot.branches), None)
    if missing is not None:
        raise Fatal(f"{missing.id} has no branch yet: '{missing.branch}'", [f"git fleet add {missing.id}"])
    chosen = [
        task
        for task in context.plan.tasks
        if task.ref in snapshot.branches and (task.id in named if names else standings[task.id].state not in over)
    ]
    trees = [tree for tree in reversed(snapshot.worktrees) if tree.prunable is None]
    # One that a rebase is to come back to is in use there, though detached.
    holders = {tree.branch or around.branch_under_way(context.repository, tree): tree.path for tree in trees}
    subjects = [
        _Subject(task, snapshot.branches[task.ref], holders.get(task.ref), snapshot.distances[task.ref].behind)
        for task in chosen
    ]
    return [one for one in subjects if names or one.worktree]


def _not(one: _Subject, error: FleetError, paths: tuple[str, ...] = ()) -> Synced:
    busy = isinstance(error, Busy)
    return Synced(one.task, Fate.REFUSED, one.branch.tip, None, paths, error.message, one.worktree, error.hints, busy)


def _idle(one: _Subject, refused: FleetError | None) -> Synced:
    if refused and one.behind:
        return _not(one, refused)
    return Synced(one.task, Fate.CURRENT, one.branch.tip, worktree=one.worktree)


def _refused(subjects: Sequence[_Subject]) -> dict[str, Refused]:
    return {one.task.id: why for one in subjects if (why := _refusal(one))}


def _refusal(one: _Subject) -> Refused | None:
    """Why a branch is left alone: somebody is at work there."""
    if one.worktree is None:
        return None
    if not os.path.isdir(one.worktree):
        return Refused(f"its worktree '{one.worktree}' is gone", [f"git fleet add {one.task.id}"])
    return _work(looking.dirt([one.worktree])[one.worktree], one.worktree)


def _work(dirt: Dirt | None, top: str) -> Refused | None:
    if dirt is None:
        return Refused(f"git cannot say whether '{top}' is clean", [changing.look_there(top)])
    if dirt.operation:
        there = f"git -C {shlex.quote(top)} status"
        return Refused(f"a {dirt.operation} is in progress in '{top}'", [f"finish it there, or give it up: {there}"])
    paths = [path for path in dirt.paths if path not in dirt.untracked]
    if paths:
        return Refused(f"uncommitted work in '{top}': {advance.some_of(paths)}", [advance.to_commit(top)])
    return None


def _apart(context: Context, one: _Subject) -> Refused | None:
    """Why git merges the two by no means, where that is so."""
    base = context.base
    if git.ask(context.repository, "merge-base", one.branch.tip, base.commit).status != 1:
        return None
    there = f"-C {shlex.quote(one.worktree)} " if one.worktree else ""
    meant = f"git {there}merge --allow-unrelated-histories {shlex.quote(base.branch)}   # if that is meant"
    return Refused(f"it has no history in common with '{base.branch}'", [meant] if there else [])


def _loses(context: Context, place: merging.Quarantine, one: _Subject) -> bool:
    base, tip = context.base, one.branch.tip
    if not lineage.has_merges(context.repository, base.commit, tip):
        return False
    return not combine(place, "rebase", (base.commit, base.tree), tip, one.task.id).clean


def _would_lose(one: _Subject) -> Refused:
    return Refused("rebasing would lose what its merges resolved", [f"git fleet sync {one.task.id}"])


def _nowhere(one: _Subject) -> Refused:
    return Refused("it is checked out nowhere, and somebody has to resolve it", [f"git fleet add {one.task.id}"])


def _one(deed: _Deed, one: _Subject) -> Synced:
    """Do it for one branch."""
    try:
        repository, tip = deed.context.repository, one.branch.tip
        advance.holder(git.worktrees(repository), one.task.ref)
        asked = hooks.present(repository, tip, _HOOKS_OF_REBASE if deed.rebase else build.HOOKS["merge"])
        merges = deed.rebase and lineage.has_merges(repository, deed.context.base.commit, tip)
        made = _Made(None) if asked and one.worktree and not merges else _beside(deed, one)
        if merges and made.after is None:
            return _not(one, _would_lose(one))
        if one.worktree and (asked or made.after is None):
            return _by_git(deed, one)
        if made.after is None:
            return _not(one, _apart(deed.context, one) or _nowhere(one), made.paths)
        # Written down before, so that a checkout that is killed halfway is put back.
        deed.journal.intend(deed.operation, [_change(one.task, tip, made.after)])
        action = "fleet sync"
        advance.move(repository, one.task.ref, tip, made.after, action, deed.inherit, back=deed.rebase)
        return Synced(one.task, Fate.SYNCED, tip, made.after, worktree=one.worktree)
    except BrokenOff:
        raise
    except FleetError as error:
        return _not(one, error)


def _beside(deed: _Deed, one: _Subject) -> _Made:
    """The branch with the base, made in memory; the base itself where it has nothing own."""
    context, tip = deed.context, one.branch.tip
    repository, base = context.repository, context.base
    if git.is_ancestor(repository, tip, base.commit):
        return _Made(base.commit)
    with merging.quarantine(repository, tip) as place:
        if deed.rebase:
            found = combine(place, "rebase", (base.commit, base.tree), tip, one.task.id)
            wanted = build.again(place, found.picks, base.commit)
        else:
            found = combine(place, "merge", (tip, ""), base.commit, one.task.id)
            wanted = (Made(found.tree, (tip, base.commit), f"{_message(base.branch, one.task.branch)}\n"),)
        if not found.clean:
            return _Made(None, found.paths, found.why)
        if found.empty:
            return _Made(base.commit)
        made = objects.commits(place, wanted, sign=context.settings.sign)
        objects.keep(place, made[-1:], [tip, base.commit], running.holder(deed.operation))
    return _Made(made[-1])


def _by_git(deed: _Deed, one: _Subject) -> Synced:
    """git's own command in the worktree: for hooks, and for a conflict, which waits there."""
    repository, base, ref, top = deed.context.repository, deed.context.base, one.task.ref, one.worktree
    assert top is not None
    # By its name, as its author would: that is what the conflict's markers say.
    name = base.branch if git.resolve(repository, base.branch) == base.commit else base.commit
    changing.refuse_locked_checkout(repository, top, ref)
    _foretell(deed, one, top, name)
    what = changing.start_rebase if deed.rebase else changing.merge_in
    failed = what(repository, top, name, _message(base.branch, one.task.branch), deed.inherit)
    if failed is None:
        after = git.resolve(repository, ref) or one.branch.tip
        _write_down(deed, one, after)
        return Synced(one.task, Fate.SYNCED, one.branch.tip, after, worktree=top)
    dirt = looking.dirt([top])[top]
    conflict = dirt is not None and dirt.operation is not None and halfway.waits(top)
    if not conflict and (dirt is None or _work(dirt, top)):
        changing.refuse_locked_checkout(repository, top, ref, LockedOut)
        raise BrokenOff(f"git broke off in '{top}': {failed}", [changing.look_there(top)])
    _write_down(deed, one, None)
    if dirt is not None and conflict:
        return Synced(one.task, Fate.CONFLICT, one.branch.tip, None, dirt.unmerged, failed, top)
    changing.refuse_locked_checkout(repository, top, ref)
    return _not(one, _apart(deed.context, one) or Refused(failed, [changing.look_there(top)]))


def _foretell(deed: _Deed, one: _Subject, top: str, name: str) -> None:
    """Write down what git is about to write into a worktree, which was clean just now: whoever finds it killed can tell
    from somebody's work what git left half done.
    """
    repository, theirs = deed.context.repository, deed.context.base.commit
    towards, conflicts = theirs, {}
    if not deed.rebase:
        merge = merging.as_author(repository, top, name)
        towards, conflicts = merge.tree or theirs, halfway.entries(merge.stages)
        running.keep(repository, deed.operation, [towards])
    deed.by_git[one.task.ref] = {"top": top, "theirs": theirs, "conflicts": conflicts}
    running.note(deed.journal, deed.operation, by_git=deed.by_git)
    deed.journal.intend(deed.operation, [_change(one.task, one.branch.tip, towards)])


def _write_down(deed: _Deed, one: _Subject, after: str | None) -> None:
    """What git really made of a branch, in the place of what was foretold; None: it waits, or nothing came of it."""
    known = deed.journal.operation(deed.operation)
    others = [change for change in known.changes if change.name != one.task.ref] if known else []
    made = [_change(one.task, one.branch.tip, after)] if after else []
    deed.journal.rewrite(deed.operation, [*others, *made])


def _message(base: str, branch: str) -> str:
    return f"Merge branch '{base}' into {branch}"


def _hand_back(context: Context, journal: database.Journal, names: Sequence[str], say: Listener) -> None:
    """A landing that waits for somebody to resolve a task's conflict in the lane no longer does."""
    one = stops.waiting(journal, context.base.branch)
    if one is None or one.step.id not in {find(context.plan, name).id for name in names}:
        return
    repository = context.repository
    with locks.hold(repository.fleet_dir, locks.base_lock(context.base.branch), waits=running.tells(say)):
        one = stops.waiting(journal, context.base.branch)
        if one is None:
            return
        holder = [tree for tree in context.worktrees if tree.branch == f"refs/heads/{one.step.branch}"]
        for tree in holder[:1]:
            work = _work(looking.dirt([tree.path])[tree.path], tree.path)
            if work is not None:
                raise Refused(f"not handed back: {work.message}", work.hints)
        kept = lanes.put_away(repository, one.lane, one.operation, say)
        running.note(journal, one.operation, current=None)
        stops.close(context, journal, one.operation, "handed back")
        kept_at = f"; what was done in the lane is kept: {kept}" if kept else ""
        left = f", with {', '.join(one.rest)} not landed" if one.rest else ""
        say(Note(f"{one.step.id} is handed back to its branch, and the landing is over{left}{kept_at}"))
