"""`remove`: the worktree goes to the trash whole, then the landed branch by compare-and-swap. Nothing is deleted."""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from typing import NamedTuple

from git_fleet.analysis import removal
from git_fleet.analysis import state as states
from git_fleet.journal import database, locks
from git_fleet.model.errors import Refused
from git_fleet.model.events import Listener, Note, Removed
from git_fleet.model.fleet import Dirt, Repository, Snapshot, Worktree
from git_fleet.model.journal import ChangeKind, OperationState, RecordedChange
from git_fleet.model.plan import PlanView, Task
from git_fleet.operations import killed, landed, recover, revert, running, survey
from git_fleet.operations.context import Context
from git_fleet.operations.naming import find
from git_fleet.repo import changing, git, looking, worktrees


class Judged(NamedTuple):
    """One task and what is to become of its worktree and branch."""

    task: Task
    worktree: Worktree | None
    verdict: removal.Removal


def judge(context: Context, view: PlanView, names: Sequence[str]) -> list[Judged]:
    """A verdict for each named task; read-only. Raises Fatal for a name that is none."""
    snapshot, _ = survey.look(context)
    standings = states.standings(context.plan, snapshot, view.overlaps)
    tasks = [find(context.plan, name) for name in dict.fromkeys(names)]
    doubtful = {task.ref: snapshot.branches[task.ref].tip for task in tasks if _is_doubtful(snapshot, task)}
    proofs = landed.proofs(context.repository, context.base.commit, doubtful)
    judged = []
    for task in tasks:
        tree = standings[task.id].worktree
        facts = _facts(context, snapshot, task, tree)
        proof = proofs.get(task.ref)
        if proof is not None:
            facts = facts._replace(landed=True, proof=proof.sentence, unlanded=0)
        judged.append(Judged(task, tree, removal.verdict(facts)))
    return judged


def _is_doubtful(snapshot: Snapshot, task: Task) -> bool:
    """Has it commits that the base lacks, though the base may have the change?"""
    distance = snapshot.distances.get(task.ref)
    return distance is not None and distance.ahead > 0 and distance.behind > 0


def _facts(context: Context, snapshot: Snapshot, task: Task, tree: Worktree | None) -> removal.Facts:
    distance = snapshot.distances.get(task.ref)
    landing = snapshot.landings.get(task.id)
    facts = removal.Facts(
        branch=task.branch,
        landed=landing is not None,
        proof=f"landed: {landing.tip[:10]} is in {context.base.branch}" if landing else "",
        unlanded=distance.ahead if distance else 0,
    )
    if tree is None:
        return facts
    if not os.path.isdir(tree.path):  # on a disk that is not mounted, its owner has locked it
        return facts if tree.locked is None else facts._replace(worktree=tree.path, dirt=Dirt(), locked=tree.locked)
    repository, top = context.repository, tree.path
    dirt = looking.dirt([top], ignored=True)[top]
    return facts._replace(
        worktree=top,
        dirt=dirt._replace(hidden=looking.hidden_edits(repository, top)) if dirt else None,
        locked=tree.locked,
        inside=_inside(context, top),
        standing_in=_stands_in(top),
        head_kept=_head_kept(context, snapshot, task, tree),
    )


def _inside(context: Context, top: str) -> tuple[str, ...]:
    """What else would go with the folder: other worktrees of this repository, and repositories of their own."""
    others = [tree.path for tree in context.worktrees if tree.path.startswith(f"{top}/")]
    nested = [path for path in looking.nested_repositories(top) if path not in others]
    return (
        *(f"another worktree is in it: {path}" for path in others),
        *(f"a repository is in it: {p}" for p in nested),
    )


def _stands_in(top: str) -> bool:
    try:
        here = os.path.realpath(os.getcwd())
    except FileNotFoundError:
        return False
    return here == top or here.startswith(f"{top}/")


def _head_kept(context: Context, snapshot: Snapshot, task: Task, tree: Worktree) -> bool:
    """A detached HEAD's commits would lose their only name."""
    if tree.branch is not None or tree.head is None:
        return True
    branch = snapshot.branches.get(task.ref)
    known = [context.base.commit, *([branch.tip] if branch else [])]
    return any(git.is_ancestor(context.repository, tree.head, commit) for commit in known)


def refuse(judged: Sequence[Judged]) -> None:
    """Raises Refused when any of them has to stay, with every reason."""
    kept = [one for one in judged if one.verdict.fate is not removal.Fate.REMOVE]
    if kept:
        said = "; ".join(f"{one.task.id} stays: {', '.join(one.verdict.reasons)}" for one in kept)
        going = [one.task.id for one in judged if one not in kept]
        hints = list(dict.fromkeys(hint for one in kept for hint in one.verdict.hints)) or ["git fleet status"]
        hints += [f"git fleet remove {' '.join(going)}   # those that can go"] if going else []
        raise Refused(f"nothing removed: {said}", hints)


def remove(context: Context, view: PlanView, names: Sequence[str], say: Listener) -> int | None:
    """Remove all named tasks' worktrees and branches, or none; the operation's number, None with nothing to do."""
    repository = context.repository
    with database.opened(repository.fleet_dir) as journal, ExitStack() as stack:
        killed.landings_anywhere(context, journal, say)
        lock = stack.enter_context(locks.hold(repository.fleet_dir, running.WORKTREES, waits=running.tells(say)))
        recover.after_kill(repository, journal, recover.WORKTREE_KINDS, lock, say)
        context = context._replace(worktrees=git.worktrees(repository))
        judged = judge(context, view, names)
        refuse(judged)
        there = git.refs(repository, *(one.task.ref for one in judged), git.ORIGINS)
        judged = [one for one in judged if one.worktree or one.task.ref in there]
        if not judged:
            say(Note(f"nothing to remove: {', '.join(names)} has neither a worktree nor a branch"))
            return None
        summary = f"remove {', '.join(one.task.id for one in judged)}"
        operation, _ = stack.enter_context(running.begun(repository, journal, "remove", summary))
        running.keep(repository, operation, _commits(context, judged, there))
        for number, one in enumerate(judged):
            _remove_one(context, journal, lock, operation, number, one, there)
            path = one.worktree.path if one.worktree else None
            branch = one.task.branch if one.task.ref in there else None
            say(Removed(one.task.id, path, branch, operation))
        journal.finish(operation, OperationState.DONE)
        return operation


def _commits(context: Context, judged: Sequence[Judged], there: dict[str, str]) -> list[str]:
    """Everything that would otherwise be held by nothing: tips, HEADs, and what their reflogs remember."""
    found = [there[one.task.ref] for one in judged if one.task.ref in there]
    for one in judged:
        if one.worktree and one.worktree.head:
            found.append(one.worktree.head)
            if os.path.isdir(one.worktree.path):
                found += git.reflog_commits(context.repository, "HEAD", one.worktree.path)
        if one.task.ref in there:
            found += git.reflog_commits(context.repository, one.task.ref)
    return found


def _remove_one(
    context: Context,
    journal: database.Journal,
    lock: locks.Lock,
    operation: int,
    number: int,
    one: Judged,
    there: dict[str, str],
) -> None:
    repository, task, tree = context.repository, one.task, one.worktree
    changes: list[RecordedChange] = []
    trashed = None
    if tree is not None and os.path.isdir(tree.path):
        reflog = changing.read_reflog(repository, task.ref)
        trashed = worktrees.trash_place(repository, tree.path, operation, number)
        changes.append(revert.removed_worktree(trashed, task.ref, reflog))
    refs = [ref for ref in (task.ref, f"{git.ORIGINS}{task.branch}") if ref in there]
    changes += [RecordedChange(ChangeKind.REF, ref, there[ref], None) for ref in refs]
    journal.intend(operation, changes)
    if trashed is not None:
        _move_to_trash(repository, trashed)
    elif tree is not None:
        worktrees.move_lost_entry_to_trash(repository, tree.path, operation, number)
    updates = [changing.RefUpdate(ref, there[ref], None) for ref in refs]
    changing.update_refs(repository, updates, "fleet remove", [lock.fd])


def _move_to_trash(repository: Repository, trashed: worktrees.Trashed) -> None:
    """Rename first, look again, put back if somebody wrote meanwhile."""
    worktrees.move_folder_to_trash(trashed)
    dirt = looking.dirt([trashed.folder], ignored=True)[trashed.folder]
    if dirt is None or not dirt.clean or dirt.ignored:
        worktrees.move_folder_back(trashed)
        what = ", ".join((*dirt.paths, *dirt.ignored)[:5]) if dirt else "git cannot say what"
        raise Refused(f"not removed: somebody wrote in '{trashed.path}' meanwhile: {what}", ["git fleet status"])
    worktrees.move_entry_to_trash(repository, trashed)
