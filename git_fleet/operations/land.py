"""`land`, and what goes on after a stop: `--continue`, `--skip`, `--park`, `--abort`."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from git_fleet.journal import database, locks
from git_fleet.model.errors import Busy, Fatal, FleetError, GitError, Moved
from git_fleet.model.events import Listener, Note
from git_fleet.model.fleet import Base
from git_fleet.model.journal import OperationState
from git_fleet.model.landing import Action, Ending, LandOutcome, Request, Step
from git_fleet.model.plan import PlanView
from git_fleet.operations import advance, build, carry, gating, killed, lanes, push, running, statuses, stops, verify
from git_fleet.operations.context import Context, with_marks
from git_fleet.operations.prepare import Prepared, outcome, prepare, refuse_dirty
from git_fleet.operations.run import Run
from git_fleet.repo import git, merging, objects

AGAIN = 3
"""How often a landing looks again when somebody moves the base meanwhile."""


def land(context: Context, view: PlanView, request: Request, say: Listener) -> LandOutcome:
    """Land what can land. Raises Busy (somebody else lands, the base moved), Stopped (a conflict waits), Refused."""
    with _held(context, say) as (journal, lock):
        context = _start(context, journal, say)
        one = stops.waiting(journal, context.base.branch)
        if one is not None:
            raise stops.still_waiting(one)
        with merging.quarantine(context.repository, context.base.commit) as place:
            prepared = prepare(context, view, request, place)
            _refuse_dirty(context, prepared)
            moving = [step for step in prepared.steps if step.action in (Action.LAND, Action.STOP)]
            if not moving:
                nothing = outcome(Ending.NOTHING, context, prepared.steps, None)
                owed = push.owed(journal, context.base.branch) if request.push else None
                return nothing._replace(operation=owed)
            for brought in prepared.brought:
                say(Note(brought))
            summary = f"land {', '.join(step.id for step in moving)}"
            detail = json.dumps({"onto": context.base.branch, "request": request._asdict()})
            with (
                running.begun(context.repository, journal, "land", summary, detail=detail) as (operation, _),
                killed.put_right_on_failure(context, journal, operation, say),
            ):
                done = _carried(Run(context, journal, lock, operation, request, say), view, prepared)
                return done._replace(cost=prepared.cost)


def would_refuse(context: Context, prepared: Prepared) -> FleetError | None:
    """Why `land` would do nothing of what was prepared; read-only."""
    fleet_dir = context.repository.fleet_dir
    with database.opened_to_read(fleet_dir) as journal:
        one = stops.waiting(journal, context.base.branch) if journal else None
    if one is not None:
        return stops.still_waiting(one)
    try:
        _refuse_dirty(context, prepared)
        landing = [step for step in prepared.steps if step.action is Action.LAND]
        if not all(step.commit for step in landing) and context.settings.strategy != "ff":
            verify.refuse_dropped(context, landing, prepared.place, prepared.start)
    except FleetError as error:
        return error
    return None


def _refuse_dirty(context: Context, prepared: Prepared) -> None:
    """Raises Refused where a worktree of what lands is dirty, or uncommitted work lies where the base's checkout would
    change, or the base is being rebased. The move looks again: this is to be told before anything is begun, and gates
    run.
    """
    refuse_dirty(context, prepared)
    touched = [p for step in prepared.steps if step.action is Action.LAND for p in prepared.changed[step.id]]
    if touched:
        advance.refuse_if_under_way(context.repository, context.worktrees, context.base.ref)
        statuses.refuse_if_in_the_way(context, advance.holder(context.worktrees, context.base.ref), touched)


def go_on(context: Context, view: PlanView, say: Listener) -> LandOutcome:
    """Land the resolved conflict and go on with what is left. Raises Refused with what is not resolved yet."""
    with _held(context, say) as (journal, lock):
        context, one = _take_up(context, journal, say)
        run = Run(context, journal, lock, one.operation, one.request, say)
        with running.alive(context.repository, one.operation):
            step, failure = _landed_by_hand(run, one)
            if failure is not None:
                return failure
            with killed.put_right_on_failure(context, journal, one.operation, say):
                lanes.put_away(context.repository, one.lane, one.operation, say)
                return _rest(run, view, one.rest, [step])


def _landed_by_hand(run: Run, one: stops.Waiting, again: int = AGAIN) -> tuple[Step, LandOutcome | None]:
    """The resolved conflict, tested and on the base, or what its gate said.

    Whatever goes wrong before the base has moved, it waits as before.
    """
    journal, operation = run.journal, run.operation
    step = stops.resolved(run.context, journal, one)
    step = build.resolved(run.context, stops.onto_moved_base(run.context, journal, one, step), operation)
    journal.finish(operation, OperationState.RUNNING)
    try:
        with killed.put_right_on_failure(run.context, journal, operation, run.say):
            step, failure = gating.resolved(run, step, one.lane)
            if failure is None:
                carry.move_base(run, [step])
    except Moved:
        if not again:
            raise
    else:
        if failure is not None:
            journal.finish(operation, OperationState.STOPPED, one.step.id)
        return step, failure
    run = _looked_again(run)
    known = journal.operation(operation)
    return _landed_by_hand(run, (stops.read(known) if known else None) or one, again - 1)


def skip(context: Context, view: PlanView, say: Listener) -> LandOutcome:
    """Leave the conflicting branch out and go on with what is left."""
    with _without_lane(context, say) as (run, one):
        skipped = one.step._replace(action=Action.SKIP, reason="left out by hand")
        return _rest(run, view, one.rest, [skipped])


def park(context: Context, view: PlanView, say: Listener) -> LandOutcome:
    """Put the conflicting branch, and what needs it, behind all others of this landing, and go on.

    Where there are no others the landing ends, and they wait for the next one.
    """
    with _without_lane(context, say) as (run, one):
        behind = _and_what_needs_it(context, one.step.id, one.rest)
        others = [id for id in one.rest if id not in behind]
        if others:
            return _rest(run, view, [*others, *behind], [])
        tasks = {task.id: task for task in context.plan.tasks}
        parked = [one.step._replace(action=Action.PARK, reason="parked by hand: waits for the next landing")]
        for task in (tasks[id] for id in behind[1:]):
            tip = git.resolve(context.repository, task.ref) or ""
            why = f"needs {one.step.id}, which is parked"
            parked.append(Step(task.id, task.branch, tip, Action.PARK, why, title=task.title, agent=task.agent))
        return _rest(run, view, (), parked)


@contextmanager
def _without_lane(context: Context, say: Listener) -> Iterator[tuple[Run, stops.Waiting]]:
    """The landing that waits, running again, the lane of its conflict put away."""
    with _held(context, say) as (journal, lock):
        context, one = _take_up(context, journal, say)
        with (
            running.alive(context.repository, one.operation),
            killed.put_right_on_failure(context, journal, one.operation, say),
        ):
            journal.finish(one.operation, OperationState.RUNNING)
            _put_away(context, one, say)
            yield Run(context, journal, lock, one.operation, one.request, say), one


def _and_what_needs_it(context: Context, id: str, among: Sequence[str]) -> list[str]:
    """A task, and after it those that need it, directly or further down."""
    found = [id]
    needs = {task.id: task.needs for task in context.plan.tasks}
    for _ in among:
        found += [one for one in among if one not in found and not set(found).isdisjoint(needs.get(one, ()))]
    return found


def abort(context: Context, say: Listener) -> None:
    """End a landing that stopped: what has landed stays landed, the lane goes."""
    with _held(context, say) as (journal, _):
        context, one = _take_up(context, journal, say)
        _put_away(context, one, say)
        running.note(journal, one.operation, current=None)
        landed = stops.close(context, journal, one.operation, "given up")
        say(
            Note(
                "the landing is over; what had landed stays landed" if landed else "the landing is over; nothing landed"
            )
        )


def _put_away(context: Context, one: stops.Waiting, say: Listener) -> None:
    """The lane goes; what somebody did there is kept, and he is told where."""
    kept = lanes.put_away(context.repository, one.lane, one.operation, say)
    if kept is not None:
        say(Note(f"what was done in the lane is kept: {kept}"))


@contextmanager
def _held(context: Context, say: Listener) -> Iterator[tuple[database.Journal, locks.Lock]]:
    """The journal and the base's lock. Raises Busy at once when a gate of a landing asks for it."""
    running.refuse_inside_a_commit(context.repository)
    if os.environ.get("FLEET_LANDING"):
        raise Busy("a landing is going on, and this runs inside one of its gates")
    fleet_dir = context.repository.fleet_dir
    name = locks.base_lock(context.base.branch)
    with (
        database.opened(fleet_dir) as journal,
        locks.hold(fleet_dir, name, waits=running.tells(say)) as lock,
    ):
        yield journal, lock


def _start(context: Context, journal: database.Journal, say: Listener) -> Context:
    """Put right what a killed landing left, then look again: the base as it is now that the lock is held."""
    killed.landings(context, journal, say)
    return _at_this_instant(context)


def _at_this_instant(context: Context) -> Context:
    repository, base = context.repository, context.base
    commit = git.resolve(repository, base.ref)
    if commit is None:
        raise Busy(f"'{base.branch}' is gone", ["try again"])
    fresh = Base(base.branch, commit, git.tree_of(repository, commit))
    return with_marks(context._replace(base=fresh, worktrees=git.worktrees(repository)))


def _take_up(context: Context, journal: database.Journal, say: Listener) -> tuple[Context, stops.Waiting]:
    context = _start(context, journal, say)
    one = stops.waiting(journal, context.base.branch)
    if one is None:
        raise Fatal(f"no landing on '{context.base.branch}' waits for anybody", ["git fleet land"])
    settings = context.settings._replace(strategy=one.request.strategy)  # by which it began
    return context._replace(settings=settings), one


def _carried(run: Run, view: PlanView, prepared: Prepared, again: int = AGAIN) -> LandOutcome:
    """Carry it out. Where somebody moves the base meanwhile, or a gc takes what was in use: pinned anew, simulated
    anew, tested where a tree is new, so many times; never by force. Raises Moved or GitError then, with nothing moved.
    """
    try:
        return carry.carry_out(run, prepared)
    except (Moved, GitError) as error:
        if not again or not (isinstance(error, Moved) or _gone(run.context, prepared)):
            raise
    run = _looked_again(run)
    names = tuple(step.id for step in prepared.steps if step.action is not Action.SKIP)
    with merging.quarantine(run.context.repository, run.context.base.commit) as place:
        fresh = prepare(run.context, view, run.request._replace(names=names), place, lenient=True)
        _refuse_dirty(run.context, fresh)
        return _carried(run, view, fresh, again - 1)


def _gone(context: Context, prepared: Prepared) -> bool:
    landing = [step for step in prepared.steps if step.action is Action.LAND]
    known = [context.base.commit, *(step.tip for step in landing)]
    return not objects.whole(prepared.place, [step.tree for step in landing if step.tree], known)


def _looked_again(run: Run) -> Run:
    context, before = _at_this_instant(run.context), run.context.base.commit
    base = context.base
    moved = f"'{base.branch}' moved meanwhile" if base.commit != before else "objects that were in use are gone"
    run.say(Note(f"{moved}: looked at it again, at {base.commit[:10]}"))
    return run._replace(context=context)


def _rest(run: Run, view: PlanView, names: Sequence[str], before: Sequence[Step]) -> LandOutcome:
    """Go on with the tasks that came after the stop, onto the base as it is now."""
    running.note(run.journal, run.operation, current=None)
    began_at = run.context.base
    context = _at_this_instant(run.context)
    if not names:
        stops.close(context, run.journal, run.operation)
        end = outcome(Ending.LANDED, context, before, context.base.commit)
        return _with_earlier(run, end._replace(operation=run.operation, base=began_at))
    run = run._replace(context=context, request=run.request._replace(names=tuple(names), order=tuple(names)))
    with merging.quarantine(context.repository, context.base.commit) as place:
        prepared = prepare(context, view, run.request, place, lenient=True)
        _refuse_dirty(context, prepared)
        rest = _carried(run, view, prepared)
    return _with_earlier(run, rest._replace(steps=(*before, *rest.steps), base=began_at))


def _with_earlier(run: Run, end: LandOutcome) -> LandOutcome:
    named = {step.id for step in end.steps}
    refs = {task.id: task.ref for task in run.context.plan.tasks}
    there = git.refs(run.context.repository, "refs/heads/")
    known = [landing.task for landing in run.journal.landings_of(run.operation)]
    return end._replace(earlier=tuple(id for id in known if id not in named and refs.get(id) in there))
