"""`land`, and what goes on after a stop: `--continue`, `--skip`, `--abort`."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from git_fleet.journal import database, locks
from git_fleet.model.errors import Busy, Fatal, FleetError
from git_fleet.model.events import Listener, Note
from git_fleet.model.fleet import Base
from git_fleet.model.journal import OperationState
from git_fleet.model.landing import Action, Ending, LandOutcome, Request, Step
from git_fleet.model.plan import PlanView
from git_fleet.operations import advance, build, carry, gating, killed, lanes, running, statuses, stops
from git_fleet.operations.context import Context
from git_fleet.operations.prepare import Prepared, outcome, prepare, refuse_dirty
from git_fleet.operations.run import Run
from git_fleet.repo import git, merging


def land(context: Context, view: PlanView, request: Request, say: Listener) -> LandOutcome:
    """Land what can land. Raises Busy (somebody else lands, the base moved), Stopped (a conflict waits), Refused."""
    with _held(context, say) as (journal, lock):
        context = _start(context, journal, say)
        one = stops.waiting(journal, context.base.branch)
        if one is not None:
            raise stops.still_waiting(one)
        with merging.quarantine(context.repository, context.base.commit) as place:
            prepared = prepare(context, view, request, place)
            refuse_dirty(context, prepared)
            moving = [step for step in prepared.steps if step.action in (Action.LAND, Action.STOP)]
            if not moving:
                return outcome(Ending.NOTHING, context, prepared.steps, None)
            summary = f"land {', '.join(step.id for step in moving)}"
            detail = json.dumps({"onto": context.base.branch, "request": request._asdict()})
            with (
                running.begun(context.repository, journal, "land", summary, detail=detail) as (operation, _),
                _closed_on_failure(context, journal, operation),
            ):
                return carry.carry_out(Run(context, journal, lock, operation, request, say), prepared)


def would_refuse(context: Context, prepared: Prepared) -> FleetError | None:
    """Why `land` would do nothing of what was prepared; read-only."""
    fleet_dir = context.repository.fleet_dir
    with database.opened_to_read(fleet_dir) as journal:
        one = stops.waiting(journal, context.base.branch) if journal else None
    if one is not None:
        return stops.still_waiting(one)
    touched = [p for step in prepared.steps if step.action is Action.LAND for p in prepared.changed[step.id]]
    try:
        refuse_dirty(context, prepared)
        if touched:
            tree = advance.holder(context.worktrees, context.base.ref)
            mine = statuses.own(context, tree, touched)
            advance.refuse_if_in_the_way(context.repository, tree, touched, mine.name if mine else None)
    except FleetError as error:
        return error
    return None


def go_on(context: Context, view: PlanView, say: Listener) -> LandOutcome:
    """Land the resolved conflict and go on with what is left. Raises Refused with what is not resolved yet."""
    with _held(context, say) as (journal, lock):
        context, one = _take_up(context, journal, say)
        step = stops.resolved(context, one)
        step = build.resolved(context, stops.onto_moved_base(context, journal, one, step))
        run = Run(context, journal, lock, one.operation, one.request, say)
        with running.alive(context.repository, one.operation):
            journal.finish(one.operation, OperationState.RUNNING)
            try:
                step, failure = gating.resolved(run, step, one.lane)
            except BaseException:
                journal.finish(one.operation, OperationState.STOPPED)
                raise
            if failure is not None:
                journal.finish(one.operation, OperationState.STOPPED)
                return failure
            with _closed_on_failure(context, journal, one.operation):
                carry.move_base(run, [step])
                lanes.put_away(context.repository, one.lane, one.operation)
                return _rest(run, view, one.rest, [step])


def skip(context: Context, view: PlanView, say: Listener) -> LandOutcome:
    """Leave the conflicting branch out and go on with what is left."""
    with _held(context, say) as (journal, lock):
        context, one = _take_up(context, journal, say)
        with running.alive(context.repository, one.operation), _closed_on_failure(context, journal, one.operation):
            journal.finish(one.operation, OperationState.RUNNING)
            _put_away(context, one, say)
            skipped = one.step._replace(action=Action.SKIP, reason="left out by hand")
            run = Run(context, journal, lock, one.operation, one.request, say)
            return _rest(run, view, one.rest, [skipped])


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
    kept = lanes.put_away(context.repository, one.lane, one.operation)
    if kept is not None:
        say(Note(f"what was done in the lane is kept: {kept}"))


@contextmanager
def _held(context: Context, say: Listener) -> Iterator[tuple[database.Journal, locks.Lock]]:
    """The journal and the base's lock. Raises Busy at once when a gate of a landing asks for it."""
    running.refuse_inside_a_commit()
    if os.environ.get("FLEET_LANDING"):
        raise Busy("a landing is going on, and this runs inside one of its gates")
    fleet_dir = context.repository.fleet_dir
    name = locks.base_lock(context.base.branch)
    with (
        database.opened(fleet_dir) as journal,
        locks.hold(fleet_dir, name, waits=running.tells(say)) as lock,
    ):
        yield journal, lock


@contextmanager
def _closed_on_failure(context: Context, journal: database.Journal, operation: int) -> Iterator[None]:
    """An operation that ends with an error ends as what it came to."""
    try:
        yield
    except BaseException as error:
        stops.close(context, journal, operation, "refused" if isinstance(error, FleetError) else "interrupted")
        raise


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
    return context._replace(base=fresh, worktrees=git.worktrees(repository))


def _take_up(context: Context, journal: database.Journal, say: Listener) -> tuple[Context, stops.Waiting]:
    context = _start(context, journal, say)
    one = stops.waiting(journal, context.base.branch)
    if one is None:
        raise Fatal(f"no landing on '{context.base.branch}' waits for anybody", ["git fleet land"])
    settings = context.settings._replace(strategy=one.request.strategy)  # by which it began
    return context._replace(settings=settings), one


def _rest(run: Run, view: PlanView, names: Sequence[str], before: Sequence[Step]) -> LandOutcome:
    """Go on with the tasks that came after the stop, onto the base as it is now."""
    running.note(run.journal, run.operation, current=None)
    began_at = run.context.base
    context = _at_this_instant(run.context)
    if not names:
        stops.close(context, run.journal, run.operation)
        end = outcome(Ending.LANDED, context, before, context.base.commit)
        return end._replace(operation=run.operation, base=began_at)
    run = run._replace(context=context, request=run.request._replace(names=tuple(names)))
    with merging.quarantine(context.repository, context.base.commit) as place:
        prepared = prepare(context, view, run.request, place, lenient=True)
        refuse_dirty(context, prepared)
        rest = carry.carry_out(run, prepared)
    return rest._replace(steps=(*before, *rest.steps), base=began_at)
