"""`remove`: the worktree goes to the trash whole, then the landed branch by compare-and-swap. Nothing is deleted."""

import os
import shlex
from collections.abc import Collection, Sequence

from git_fleet.analysis import removal
from git_fleet.analysis import state as states
from git_fleet.model.errors import FleetError, Refused
from git_fleet.model.events import Listener, Note, NotRemoved, Removed, Removing
from git_fleet.model.fleet import Landing, Repository, Worktree
from git_fleet.model.journal import ChangeKind, OperationState, RecordedChange
from git_fleet.model.plan import PlanView, Task
from git_fleet.model.removal import Facts, Fate, Judged
from git_fleet.operations import landed, observe, recover, revert, running, stops, survey
from git_fleet.operations.context import Context
from git_fleet.operations.naming import find
from git_fleet.operations.work import Work, begun
from git_fleet.repo import changing, entries, git, worktrees


def judge(context: Context, view: PlanView, names: Sequence[str]) -> list[Judged]:
    """A verdict for each named task of which anything is there; read-only. Raises Fatal, Refused."""
    tasks = [find(context.plan, name) for name in dict.fromkeys(names)]
    if any(task.ref == context.base.ref for task in tasks):
        raise Refused(f"nothing removed: '{context.base.branch}' is the base", ["git fleet status"])
    judged = judge_tasks(context, view, tasks)
    _refuse_retitled(context, view, {task.id for task in tasks} - {one.task.id for one in judged})
    return judged


def _refuse_retitled(context: Context, view: PlanView, ids: Collection[str]) -> None:
    """Raises Refused where there is nothing of a task but a branch that was made for it under another title."""
    if not ids:
        return
    snapshot, _ = survey.look(context)
    standings = states.standings(context.plan, snapshot, view.overlaps)
    for id, old in survey.older_branches(context, snapshot, standings).items():
        if id in ids:
            said = f"nothing removed: the branch '{old}' of {id} was made when its title was another"
            raise Refused(said, [f"git fleet plan set {id} branch {shlex.quote(old)}", "git fleet status"])


def judge_tasks(context: Context, view: PlanView, tasks: Sequence[Task]) -> list[Judged]:
    """A verdict for each of these tasks of the plan of which anything is there; read-only."""
    snapshot, _ = survey.look(context)
    standings = states.standings(context.plan, snapshot, view.overlaps)
    proofs = landed.of_tasks(snapshot, tasks)
    unlisted = entries.half_written(context.repository)
    seen = observe.surroundings(context)
    judged = []
    for task in tasks:
        tree = standings[task.id].worktree
        facts = observe.branch(seen, context, snapshot, task, tree)._replace(half_written=unlisted.get(task.ref))
        proof = proofs.get(task.id)
        if proof is not None:
            facts = facts._replace(landed=True, proof=proof.sentence, unlanded=0)
        if tree is not None:
            facts = observe.worktree(context, tree, facts, keepers(context, facts))
        judged.append(Judged(task, tree, facts, removal.verdict(facts)))
    return [one for one in judged if one.worktree or one.facts.tip]


def keepers(context: Context, facts: Facts) -> list[str]:
    """Commits that stay when branch and worktree go: what is in them is not lost."""
    return [context.base.commit, *([facts.tip] if facts.tip else [])]


def refuse(judged: Sequence[Judged]) -> None:
    """Raises Refused when any of them has to stay, with every reason."""
    kept = _kept(judged)
    if kept:
        said = "; ".join(f"{one.task.id} stays: {', '.join(one.verdict.reasons)}" for one in kept)
        going = [one.task.id for one in judged if one not in kept]
        hints = list(dict.fromkeys(hint for one in kept for hint in one.verdict.hints)) or ["git fleet status"]
        hints += [f"git fleet remove {' '.join(going)}   # those that can go"] if going else []
        raise Refused(f"nothing removed: {said}", hints)


def _kept(judged: Sequence[Judged]) -> list[Judged]:
    return [one for one in judged if one.verdict.fate is not Fate.REMOVE]


def remove(context: Context, view: PlanView, names: Sequence[str], say: Listener) -> tuple[int | None, list[Judged]]:
    """Remove all named tasks' worktrees and branches, or none where one has to stay: `refuse` says why.

    The operation's number, None where nothing was done; and every verdict, with what became of it.
    """
    with begun(context, say) as work:
        judged = judge(work.context, view, names)
        if not judged:
            say(Note(f"nothing to remove: {', '.join(names)} has neither a worktree nor a branch"))
        if not judged or _kept(judged):
            return None, judged
        return carry_out(work, "remove", judged)


def carry_out(work: Work, kind: str, judged: Sequence[Judged]) -> tuple[int, list[Judged]]:
    """Remove all that are judged to go, as one operation: its number, and those that went.

    `clean` goes on with the others when one was changed meanwhile; otherwise that takes back all. Raises FleetError.
    """
    context, journal, lock, say = work
    repository = context.repository
    there = git.refs(repository, *(one.task.ref for one in judged), git.ORIGINS)
    ids = tuple(one.task.id for one in judged)
    gone = []
    with (
        running.begun(repository, journal, kind, f"{kind} {', '.join(ids)}") as (operation, _),
        recover.put_right_on_failure(context, journal, operation, lock, work.say),
    ):
        pin(repository, operation, judged)
        stops.write_down(context, journal, operation, _landings(work, judged), say)
        say(Removing(ids, operation))
        for number, one in enumerate(judged):
            try:
                _remove_one(work, operation, number, one, there)
            except FleetError as error:
                if kind != "clean":
                    raise
                say(NotRemoved(one.task.id, error.message))
                continue
            gone.append(one._replace(removed=True))
            branch = one.task.branch if one.facts.tip and not one.entry_only else None
            along = (*one.facts.disposable, *one.facts.copies)
            say(Removed(one.task.id, one.worktree.path if one.worktree else None, branch, along))
        journal.finish(operation, OperationState.DONE if gone else OperationState.FAILED)
    return operation, gone


def _landings(work: Work, judged: Sequence[Judged]) -> list[Landing]:
    """What landed by another hand than ours: when its branch is gone, nothing else would tell what needs it."""
    known = {(one.task, one.tip) for one in work.journal.landings()}
    found = [(one.task.id, one.facts.tip) for one in judged if one.facts.landed and not one.entry_only]
    return [Landing(id, tip, work.context.base.commit) for id, tip in found if tip and (id, tip) not in known]


def pin(repository: Repository, operation: int, judged: Sequence[Judged]) -> None:
    """Hold on to everything that would otherwise be held by nothing: tips, HEADs, what reflogs and entries remember."""
    tips = [one.facts.tip for one in judged if one.facts.tip]
    heads = [one.worktree.head for one in judged if one.worktree and one.worktree.head]
    logged = [commit for one in judged if one.facts.tip for commit in git.reflog_commits(repository, one.task.ref)]
    running.keep(repository, operation, [*tips, *heads, *logged])
    paths = [one.worktree.path for one in judged if one.worktree]
    for entry in [git.private_dir(path) or worktrees.lost_entry(repository, path) for path in paths]:
        if entry and os.path.isdir(entry):
            running.keep_held(repository, operation, entry)


def _remove_one(work: Work, operation: int, number: int, one: Judged, there: dict[str, str]) -> None:
    """Move it away piece by piece, or put back what was moved. Raises FleetError."""
    repository, journal = work.context.repository, work.journal
    before = journal.operation(operation)
    refs = _refs(one, there)
    trashed, changes = _to_trash(work, operation, number, one)
    changes += [RecordedChange(ChangeKind.REF, ref, old, None) for ref, old in refs]
    journal.intend(operation, changes)
    try:
        if trashed is not None:
            worktrees.move_folder_to_trash(trashed)
            look_again(work.context, one, trashed)
            worktrees.move_entry_to_trash(repository, trashed)
        for change in changes:
            if change.kind is ChangeKind.ENTRY:
                worktrees.move_entry(change.name, revert.place_of_entry(change))
        updates = [changing.RefUpdate(ref, old, None) for ref, old in refs]
        changing.update_refs(repository, updates, "fleet remove", [work.lock.fd])
    except FleetError:
        revert.take_back(repository, changes, operation, work.lock, work.say)
        journal.rewrite(operation, before.changes if before else ())
        raise


def _refs(one: Judged, there: dict[str, str]) -> list[tuple[str, str]]:
    """The references that go, each only from the value for which it was judged."""
    if one.entry_only:
        return []
    origin = f"{git.ORIGINS}{one.task.branch}"
    branch = [(one.task.ref, one.facts.tip)] if one.facts.tip else []
    return [*branch, *([(origin, there[origin])] if origin in there else [])]


def _to_trash(
    work: Work, operation: int, number: int, one: Judged
) -> tuple[worktrees.Trashed | None, list[RecordedChange]]:
    """Where folder and entry will go, and the record of it."""
    repository, tree = work.context.repository, one.worktree
    if tree is None:
        return None, []
    if not one.facts.gone:
        trashed = worktrees.trash_place(repository, tree.path, operation, number)
        reflog = changing.read_reflog(repository, one.task.ref)
        return trashed, [revert.removed_worktree(trashed, one.task.ref, reflog)]
    entry = worktrees.lost_entry(repository, tree.path)
    place = f"{repository.fleet_dir}/trash/{operation}/{number}-entry"
    return None, [revert.removed_entry(entry, place)] if entry else []


def look_again(context: Context, one: Judged, trashed: worktrees.Trashed) -> None:
    """Somebody may have written between the look and the rename; from here on nobody finds it. Raises Refused."""
    now = context._replace(worktrees=git.worktrees(context.repository))
    tree = _entry_of(now, trashed.path)
    known = Facts(branch=one.task.branch, tip=one.facts.tip, landed=True)
    facts = observe.worktree(now, tree, known, keepers(context, one.facts), trashed) if tree else known
    reasons = [*removal.of_worktree(facts), *([] if facts.dirt else ["git cannot say what is in it"])]
    if tree is not None and tree.branch == one.task.ref and tree.head != one.facts.tip:
        reasons.append(f"'{one.task.branch}' moved")
    if reasons:
        raise Refused(f"'{trashed.path}' was changed meanwhile, and stays: {', '.join(reasons)}", ["git fleet status"])


def _entry_of(context: Context, path: str) -> Worktree | None:
    return next((tree for tree in context.worktrees if tree.path == path), None)
