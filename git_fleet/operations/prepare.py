"""What a landing would do: select, order, fold. Read-only; the answer is the certificate."""

import os
from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple

from git_fleet.analysis import ancestry, notable
from git_fleet.analysis import order as orders
from git_fleet.analysis import state as states
from git_fleet.analysis.message import refuse_unknown_placeholders
from git_fleet.analysis.proof import Proof
from git_fleet.journal import database
from git_fleet.model.errors import Fatal, Refused
from git_fleet.model.fleet import Branch, Dirt, PairVerdict, Radar, Snapshot, State
from git_fleet.model.landing import Action, Candidate, Ending, LandOutcome, OrderCost, OrderStep, Request, Step
from git_fleet.model.plan import PlanView, SourceKind, Task
from git_fleet.operations import integrated, landed, radar, simulate, survey
from git_fleet.operations.context import Context
from git_fleet.operations.naming import find
from git_fleet.repo import around, lineage, looking, merging
from git_fleet.repo.merging import Quarantine


class Prepared(NamedTuple):
    """The certificate and what it was made from."""

    steps: tuple[Step, ...]
    tasks: Mapping[str, Task]
    snapshot: Snapshot
    changed: Mapping[str, tuple[str, ...]]
    """task -> the paths that it changes in the base."""
    place: Quarantine
    """Where the certificate's trees are."""
    start: tuple[str, ...] = ()
    """Commits that count as landed although the base lacks them."""
    cost: OrderCost | None = None
    """Of the order, where one was given."""
    brought: tuple[str, ...] = ()
    """What a person should look at before it lands."""


def prepare(
    context: Context,
    view: PlanView,
    request: Request,
    place: Quarantine,
    *,
    lenient: bool = False,
    anew: bool = False,
) -> Prepared:
    """Select, order and fold, in a quarantine on the base; read-only. Raises Refused or Fatal for named tasks that
    cannot land.

    `lenient` parks a named task that waits for another instead of refusing. `anew` makes every merge again, also of
    what has landed on an integration branch.
    """
    refuse_unknown_placeholders(context.settings.message)
    snapshot, family = survey.look(context)
    standings = states.standings(context.plan, snapshot, view.overlaps)
    chosen = _select(context, snapshot, standings, request)
    tips = {task.ref: snapshot.branches[task.ref] for task in chosen}
    proven = _proven(context, snapshot, standings, chosen)
    held = _held_back(context, snapshot, standings, family, named=bool(request.names))
    if request.names and not lenient:
        _refuse_rejected(chosen, standings, held)
    apart = proven.keys() | held.keys()
    ahead = {task.ref: tips[task.ref] for task in chosen if snapshot.distances[task.ref].ahead and task.id not in apart}
    waiting = _waiting([task for task in chosen if task.ref in ahead], _with_proven(standings, proven))
    if request.names and waiting and not lenient:
        raise _too_early(context, snapshot, waiting)
    sight = radar.look_in(place, context.base, ahead, family)
    joints = {id for joint in view.joints for id in joint.tasks[:1]}
    able = [task for task in chosen if task.ref in ahead and task.id not in waiting]
    below = family.stands_on({task.id: tips[task.ref].tip for task in able})
    order, cost = _order(able, sight, joints, below, [find(context.plan, name).id for name in request.order])
    tasks = {task.id: task for task in chosen}
    strategy = context.settings.strategy
    start = _start(context, ahead, proven, tips)
    ready = integrated.steps(context, able, tips) if able and not anew and not request.order else ()
    steps = list(
        ready
        or simulate.fold(
            place, context.base, order, tasks, tips, simulate.foreseen(sight), strategy=strategy, start=start
        )
    )
    for task in chosen:
        if task.id in waiting:
            steps.append(_idle(task, tips, Action.PARK, f"needs {', '.join(waiting[task.id])}, not landed yet"))
        elif task.id in proven:
            steps.append(_idle(task, tips, Action.SKIP, proven[task.id].sentence))
        elif task.id in held:
            steps.append(_idle(task, tips, Action.SKIP, held[task.id]))
        elif task.ref not in ahead:
            steps.append(_idle(task, tips, Action.SKIP, "nothing to land: no commits that the base lacks"))
    changed = {task.id: tuple(change.path for change in sight.changes.get(task.ref, ())) for task in chosen}
    moving = [tasks[step.id] for step in steps if step.action in (Action.LAND, Action.STOP)]
    brought = _brought(context, place, sight, moving)
    return Prepared(tuple(steps), tasks, snapshot, changed, place, start, cost, brought)


def _held_back(
    context: Context,
    snapshot: Snapshot,
    standings: Mapping[str, states.Standing],
    family: ancestry.Ancestry,
    *,
    named: bool,
) -> dict[str, str]:
    """task -> what was said of it, or of one that its branch stands on, so that it is left out."""
    tips = {task.id: snapshot.branches[task.ref].tip for task in context.plan.tasks if task.ref in snapshot.distances}
    return states.held_back(standings, family.stands_on(tips), named=named)


def _refuse_rejected(chosen: Sequence[Task], standings: Mapping[str, states.Standing], held: Mapping[str, str]) -> None:
    for task in chosen:
        if task.id in held and standings[task.id].state is State.REJECTED:
            raise Refused(
                f"not landed: {task.id} is {held[task.id]}",
                [f"git fleet mark approved {task.id}   # when it was put right; or done, to have it looked at again"],
            )


def _brought(context: Context, place: Quarantine, sight: Radar, moving: Sequence[Task]) -> tuple[str, ...]:
    """What of that which lands acts beyond its own files, a line for each task that brings some."""
    source = context.plan.source
    own = (
        os.path.relpath(source.path, context.repository.main)
        if source.kind is SourceKind.MARKDOWN and source.path
        else None
    )
    changes = {task.id: sight.changes.get(task.ref, ()) for task in moving}
    links = [change.new for found in changes.values() for change in found if change.new_mode == notable.LINK]
    read = merging.blobs(place, links) if links else []
    targets = {oid: target or "" for oid, target in zip(links, read, strict=True)}
    told = ((id, notable.brought(found, targets, own)) for id, found in changes.items())
    return tuple(f"{id} brings {', '.join(what)}" for id, what in told if what)


def _proven(
    context: Context, snapshot: Snapshot, standings: Mapping[str, states.Standing], chosen: Sequence[Task]
) -> dict[str, Proof]:
    """task -> why it counts as landed although the base lacks its commits; of the chosen and of what they need."""
    wanted = {task.id for task in chosen} | {need for task in chosen for need in task.needs}
    over = {id for id, standing in standings.items() if standing.state is State.LANDED}
    return landed.of_tasks(snapshot, [task for task in context.plan.tasks if task.id in wanted - over])


def _start(
    context: Context, ahead: Mapping[str, Branch], proven: Mapping[str, Proof], tips: Mapping[str, Branch]
) -> tuple[str, ...]:
    """The tips of branches that were squashed or rebased onto the base, where one that is to land stands on them.

    What stands on them is merged as if they had been merged: their commits are no change of its own any more.
    """
    if context.settings.strategy not in ("squash", "rebase") or not ahead:
        return ()
    with database.opened_to_read(context.repository.fleet_dir) as journal:
        recorded = journal.landings() if journal else ()
    there = lineage.contained(context.repository, context.base.commit, [one.commit for one in recorded])
    known = [one.tip for one in recorded if one.commit in there]
    known += [tips[task.ref].tip for task in context.plan.tasks if task.id in proven and task.ref in tips]
    if not known:
        return ()
    below = set(lineage.beside(context.repository, context.base.commit, [branch.tip for branch in ahead.values()]))
    return tuple(tip for tip in dict.fromkeys(known) if tip in below)


def _with_proven(standings: Mapping[str, states.Standing], proven: Mapping[str, Proof]) -> dict[str, states.Standing]:
    return {
        id: standing._replace(state=State.LANDED) if id in proven else standing for id, standing in standings.items()
    }


def _idle(task: Task, tips: Mapping[str, Branch], action: Action, reason: str) -> Step:
    return Step(task.id, task.branch, tips[task.ref].tip, action, reason, title=task.title)


def _select(
    context: Context, snapshot: Snapshot, standings: Mapping[str, states.Standing], request: Request
) -> list[Task]:
    """The tasks that are to land, in plan order. Landed ones are left out; what was named must be there."""
    plan = context.plan
    if not request.names:
        over = (State.LANDED, State.DROPPED)
        return [t for t in plan.tasks if t.ref in snapshot.branches and standings[t.id].state not in over]
    named = {find(plan, name).id for name in request.names}
    for task in plan.tasks:
        if task.id in named and standings[task.id].state is State.DROPPED:
            raise Refused(f"not landed: {task.id} is dropped", states.ways_back(task.id))
        if task.id in named and task.ref not in snapshot.branches and standings[task.id].state is not State.LANDED:
            raise Fatal(f"{task.id} has no branch yet: '{task.branch}'", [f"git fleet add {task.id}"])
    return [t for t in plan.tasks if t.id in named and standings[t.id].state is not State.LANDED]


def _waiting(chosen: Sequence[Task], standings: Mapping[str, states.Standing]) -> dict[str, list[str]]:
    """task -> the needs that have not landed and do not land in this run either, directly or further down.

    `chosen` are the tasks with something to land: one without commits is no reason for what needs it to go ahead.
    """
    here = {task.id for task in chosen}
    waiting: dict[str, list[str]] = {}
    while True:
        found = {
            task.id: missing
            for task in chosen
            if (missing := [need for need in task.needs if _lacks(need, standings, here - waiting.keys())])
        }
        if found.keys() == waiting.keys():
            return found
        waiting = found


def _too_early(context: Context, snapshot: Snapshot, waiting: Mapping[str, Sequence[str]]) -> Refused:
    """The refusal of a named task whose needs do not land with it: a branch without commits cannot land first."""
    id, missing = next(iter(waiting.items()))
    tasks = {task.id: task for task in context.plan.tasks}
    distances = [snapshot.distances.get(tasks[need].ref) if need in tasks else None for need in missing]
    empty = [need for need, distance in zip(missing, distances, strict=True) if not distance or not distance.ahead]
    said = f"not landed: {id} needs {', '.join(missing)}, not landed yet"
    if empty:
        has = "has" if len(empty) == 1 else "have"
        return Refused(said, [f"{', '.join(empty)} {has} nothing to land yet, see: git fleet status"])
    return Refused(said, [f"git fleet land {' '.join(missing)} {id}"])


def _lacks(need: str, standings: Mapping[str, states.Standing], here: Set[str]) -> bool:
    return need in standings and standings[need].state is not State.LANDED and need not in here


def _order(
    tasks: Sequence[Task],
    sight: Radar,
    joints: set[str],
    below: Mapping[str, tuple[str, ...]],
    wanted: Sequence[str],
) -> tuple[tuple[OrderStep, ...], OrderCost | None]:
    """The landing order: thought's, over what was seen, or the one that is wanted, and what that costs."""
    ids = {task.ref: task.id for task in tasks}
    pairs = [pair for pair in sight.pairs if all(key in ids for key in pair.keys)]
    conflicts: dict[str, set[str]] = {}
    shared = {}
    for pair in pairs:
        if pair.verdict is not PairVerdict.CLEAN:
            one, other = (ids[key] for key in pair.keys)
            conflicts.setdefault(one, set()).add(other)
            shared[frozenset((one, other))] = pair.paths
    first = {(ids[pair.first], ids[key]) for pair in pairs if pair.first for key in pair.keys if key != pair.first}
    candidates = [
        Candidate(
            id=task.id,
            needs=task.needs,
            priority=task.priority,
            size=len(sight.changes.get(task.ref, ())),
            joint=task.id in joints,
            base_conflict=task.ref in sight.base_conflicts,
            stands_on=below.get(task.id, ()),
        )
        for task in tasks
    ]
    if not wanted:
        return orders.order(candidates, conflicts, first, shared), None
    broken = orders.broken_need(candidates, wanted)
    if broken is not None:
        id, need = broken
        raise Refused(
            f"not landed: the order has {id} before {need}, which it needs",
            [f"put {need} before {id}: git fleet land --order {need},{id}"],
        )
    return orders.given(candidates, conflicts, first, wanted, shared)


def dry_run(context: Context, prepared: Prepared) -> LandOutcome:
    """The certificate as an outcome."""
    return outcome(Ending.DRY, context, prepared.steps, None)._replace(cost=prepared.cost)


def outcome(ending: Ending, context: Context, steps: Sequence[Step], commit: str | None) -> LandOutcome:
    """How a landing ended; the tree is the one after the last step that lands."""
    trees = [step.tree for step in steps if step.action is Action.LAND]
    tree = trees[-1] if trees else context.base.tree
    return LandOutcome(ending, context.base, context.settings.strategy, tuple(steps), tree, commit)


def refuse_dirty(context: Context, prepared: Prepared) -> None:
    """Raises Refused when a branch that would land or stop has uncommitted work in a worktree, naming the files."""
    holders: dict[str, list[str]] = {}
    for tree in prepared.snapshot.worktrees:
        ref = tree.branch or around.branch_under_way(context.repository, tree)
        if ref and tree.prunable is None:
            holders.setdefault(ref, []).append(tree.path)
    wanted = [step for step in prepared.steps if step.action in (Action.LAND, Action.STOP)]
    tops = [(step.id, top) for step in wanted for top in holders.get(f"refs/heads/{step.branch}", ())]
    dirt = looking.dirt([top for _, top in tops if os.path.isdir(top)])
    said = {id: f"in '{top}' {what}" for id, top in tops if (what := uncommitted(dirt.get(top)))}
    if not said:
        return
    others = [step.id for step in wanted if step.id not in said]
    hints = ["commit it there, or move it out of the way, then land again"]
    hints += [f"git fleet land {' '.join(others)}   # those that are clean"] if others else []
    raise Refused("not landed: " + "; ".join(f"{id} {what}" for id, what in said.items()), hints)


def uncommitted(dirt: Dirt | None) -> str | None:
    """What a worktree holds that is in no commit, in words; None where there is nothing."""
    if dirt is None:
        return "cannot be looked at by git"
    if dirt.operation:
        return f"is in the middle of a {dirt.operation}"
    more = f" and {len(dirt.paths) - 5} more" if len(dirt.paths) > 5 else ""
    return None if dirt.clean else f"has uncommitted work: {', '.join(dirt.paths[:5])}{more}"
