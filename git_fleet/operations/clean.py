"""`clean`: what `remove` does, for all that is proven landed; entries go whose folder was deleted by hand."""

from collections.abc import Sequence

from git_fleet.analysis import removal
from git_fleet.analysis import state as states
from git_fleet.analysis import view as views
from git_fleet.journal import database
from git_fleet.model.events import Listener
from git_fleet.model.fleet import Snapshot
from git_fleet.model.plan import SourceKind, Task
from git_fleet.model.removal import Fate, Judged
from git_fleet.operations import remove, survey, work
from git_fleet.operations.context import Context
from git_fleet.plan import names
from git_fleet.repo import git


def judge(context: Context) -> list[Judged]:
    """A verdict for each task of which anything is there, and for all else that looks like one; read-only.

    What git fleet has neither planned nor made is named, and never touched.
    """
    snapshot, _ = survey.look(context)
    standings = states.standings(context.plan, snapshot, ())
    planned = [task for task in context.plan.tasks if task.ref != context.base.ref]
    unplanned = [task for task, _ in survey.unplanned(context, standings)]
    taken = {task.ref for task in (*planned, *unplanned)}
    ids = {task.id for task in (*planned, *unplanned)}
    made = [ref for ref in snapshot.origins if ref in snapshot.branches and ref not in taken]
    orphans = [_task_of(git.short(ref), ids) for ref in made]
    whole = context._replace(plan=context.plan._replace(tasks=(*planned, *unplanned, *orphans)))
    without_plan = context.plan.source.kind is SourceKind.WORKTREES
    strangers = _strangers(context, snapshot, (*unplanned, *(planned if without_plan else ())))
    found = []
    for one in remove.judge_tasks(whole, views.view(whole.plan), whole.plan.tasks):
        if one.task.id in strangers:
            facts = one.facts._replace(foreign=True)
            one = one._replace(facts=facts, verdict=removal.verdict(facts))
        found.append(one)
        if one.facts.gone and one.verdict.fate is not Fate.REMOVE and one.task.id not in strangers:
            found.append(one._replace(verdict=removal.of_stale_entry(one.facts), entry_only=True))
    return found


def _strangers(context: Context, snapshot: Snapshot, tasks: Sequence[Task]) -> set[str]:
    """Ids of tasks that nobody planned, and whose branch git fleet has neither made nor landed."""
    with database.opened_to_read(context.repository.fleet_dir) as journal:
        landed = {landing.tip for landing in (journal.landings() if journal else ())}
    return {
        task.id
        for task in tasks
        if task.ref not in snapshot.origins
        and (task.ref not in snapshot.branches or snapshot.branches[task.ref].tip not in landed)
    }


def _task_of(branch: str, taken: set[str]) -> Task:
    """A task-like row for a branch that git fleet made, and that no plan names any more."""
    row = names.row_of_branch(branch)
    return Task(
        id=row.id if row.id not in taken else branch, title=row.title or "", slug="", branch=branch, worktree=""
    )


def clean(context: Context, say: Listener) -> tuple[int | None, list[Judged]]:
    """Remove all that may go, as one operation: its number, and every verdict with what became of it."""
    with work.begun(context, say) as begun:
        judged = judge(begun.context)
        going = [one for one in judged if one.verdict.fate is Fate.REMOVE]
        if not going:
            return None, judged
        operation, gone = remove.carry_out(begun, "clean", going)
    went = {(one.task.id, one.entry_only) for one in gone}
    return operation, [one._replace(removed=(one.task.id, one.entry_only) in went) for one in judged]
