"""What `go` decides by: one look at the repository. Read-only."""

import os
import shlex
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from git_fleet.analysis import going
from git_fleet.analysis import state as states
from git_fleet.analysis.waves import closure
from git_fleet.journal import database
from git_fleet.model.errors import Fatal, Refused
from git_fleet.model.fleet import Dirt, Snapshot, State
from git_fleet.model.going import Held
from git_fleet.model.plan import PlanView, SourceKind, Task
from git_fleet.operations import context as contexts
from git_fleet.operations import create, landed, outlook, setup, stops, survey
from git_fleet.operations.context import Context
from git_fleet.operations.naming import find
from git_fleet.operations.prepare import uncommitted
from git_fleet.repo import looking

_GOOD = (State.DONE, State.APPROVED)


class Wish(NamedTuple):
    """What was typed. No names: every task."""

    names: tuple[str, ...] = ()
    review: bool = False
    gates: bool = True
    plan_file: str | None = None


class Sight(NamedTuple):
    """One look."""

    context: Context
    view: PlanView
    snapshot: Snapshot
    seen: going.Seen

    def tip(self, id: str) -> str | None:
        """Where a task's branch is; None without one."""
        branch = self.snapshot.branches.get(next(task.ref for task in self.context.plan.tasks if task.id == id))
        return branch.tip if branch else None


class Tried(NamedTuple):
    """What did not work, for as long as the branch stays where it was then, and (where given) the base."""

    tip: str | None
    base: str | None
    held: Held


def look(wish: Wish, tried: Mapping[str, Tried] = MappingProxyType({})) -> Sight:
    """Everything as it is now. Raises Refused and Fatal where there is no way to go on with this plan."""
    inside = os.environ.get("FLEET_TASK")
    if inside is not None or "FLEET_LANDING" in os.environ:
        for_whom = f"for task {inside}" if inside is not None else "in a gate of a landing"
        raise Refused(f"not gone on: this runs {for_whom}, for whose end it would wait")
    context = contexts.find(wish.plan_file)
    if context.plan.source.kind is SourceKind.WORKTREES or not context.plan.tasks:
        raise Fatal("there is no plan that says what to do", ["git fleet init", 'git fleet add "1 first task"'])
    view = outlook.view(context)
    contexts.refuse_broken_plan(view)
    tasks = _meant(context, wish.names)
    snapshot, _ = survey.look(context)
    snapshot = landed.with_proven(snapshot, context.plan.tasks)
    standings = states.standings(context.plan, snapshot, view.overlaps)
    active = [task for task in tasks if standings[task.id].state is State.ACTIVE]
    seen = going.Seen(
        tasks=tasks,
        world=create.bearing(context, snapshot, standings, tasks),
        overlaps=view.overlaps,
        settings=context.settings,
        alive=frozenset(id for id, agent in context.agents.items() if agent.alive),
        unfinished=frozenset(task.id for task in setup.due(context, active)),
        stopped=_stopped(context),
        review=wish.review,
    )
    sight = Sight(context, view, snapshot, seen)
    _refuse_without_agents(sight)
    untouched, held = _work_in(sight)
    failed = {
        id: one.held
        for id, one in tried.items()
        if id in standings and one.tip == sight.tip(id) and one.base in (None, context.base.commit)
    }
    return sight._replace(seen=seen._replace(untouched=untouched, held=held | failed))


def _meant(context: Context, names: Sequence[str]) -> tuple[Task, ...]:
    """The tasks that were named, with all that they need; without names, all."""
    tasks = context.plan.tasks
    if not names:
        return tasks
    named = {find(context.plan, name).id for name in names}
    closed = closure(tasks)
    return tuple(task for task in tasks if task.id in named or any(closed.needs(id, task.id) for id in named))


def _refuse_without_agents(sight: Sight) -> None:
    """Raises Refused where not one of the tasks that are left has an agent, and none is said to be worked at."""
    seen = sight.seen
    there = [task for task in seen.tasks if seen.world.standings[task.id].state not in (State.LANDED, State.DROPPED)]
    begun = [task for task in there if seen.world.standings[task.id].state in states.IN_FLIGHT]
    if there and not begun and not any(going.has_agent(task, seen.settings) for task in there):
        how = ["git config fleet.agent <name>", "git config fleetAgent.<name>.command '<command>'"]
        raise Refused("not gone on: no task has an agent", how)


def _stopped(context: Context) -> tuple[str, Held] | None:
    with database.opened_to_read(context.repository.fleet_dir) as journal:
        one = stops.waiting(journal, context.base.branch) if journal else None
    if one is None:
        return None
    told = stops.still_waiting(one)
    return one.step.id, Held(f"conflicts in {', '.join(one.step.conflicts)}", told.hints)


def _work_in(sight: Sight) -> tuple[frozenset[str], dict[str, Held]]:
    """Tasks in whose worktree nobody has worked yet; and those said to be good that cannot land as they are."""
    standings = sight.seen.world.standings
    trees = {id: one.worktree.path for id, one in standings.items() if one.worktree and one.worktree.prunable is None}
    asked = [task for task in sight.seen.tasks if standings[task.id].state in (*_GOOD, State.ACTIVE)]
    dirt = looking.dirt([path for task in asked if os.path.isdir(path := trees.get(task.id, ""))])
    untouched, held = set(), {}
    for task in asked:
        found, distance = dirt.get(trees.get(task.id, "")), sight.snapshot.distances.get(task.ref)
        ahead = distance.ahead if distance else 0
        if standings[task.id].state is State.ACTIVE:
            if not ahead and found is not None and _is_untouched(sight, task, found):
                untouched.add(task.id)
        elif found is not None and not found.clean:
            place = f"cd {shlex.quote(trees[task.id])}   # commit it there, or move it away, then:"
            held[task.id] = Held(str(uncommitted(found)), (place, f"git fleet mark done {task.id}"))
        elif not ahead:
            again = (f"git fleet run {task.id}   # to have it tried again", f"git fleet mark dropped {task.id}")
            held[task.id] = Held(f"{standings[task.id].state}, but it has no commits", again)
    return frozenset(untouched), held


def _is_untouched(sight: Sight, task: Task, dirt: Dirt) -> bool:
    """Has nobody said anything of it, nor changed a file? What is untracked may come from `fleet.setup`."""
    mark = sight.context.marks.get(task.id)
    silent = mark is None or mark.state is State.ACTIVE
    return silent and not (dirt.staged or dirt.unstaged or dirt.unmerged or dirt.operation)
