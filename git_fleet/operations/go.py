"""`go`: a plan to its end. What is next is decided by `analysis/going.py`, from a new look at the repository each time.

Nothing is kept between two looks but what did not work, so that it is not tried for ever: whoever is killed here loses
nothing, and whoever begins again goes on where things are.
"""

import shlex
import time
from collections.abc import Collection, Sequence
from typing import NamedTuple

from git_fleet.analysis import going
from git_fleet.journal import database, locks
from git_fleet.model.errors import Busy, Refused, Stopped
from git_fleet.model.events import AgentAtWork, AgentEnded, AgentsAtWork, AgentStarted, Listener, Note
from git_fleet.model.fleet import State
from git_fleet.model.going import Deed, Going, Held, Turn
from git_fleet.model.landing import Action, Ending, LandOutcome, Request
from git_fleet.operations import agents, create, pulse, running, scene, setup, underway
from git_fleet.operations import context as contexts
from git_fleet.operations import land as landing
from git_fleet.operations.context import Context
from git_fleet.operations.naming import find
from git_fleet.operations.scene import Sight, Tried, Wish
from git_fleet.repo import logs

PAUSE_S = 0.5
"""Between two glances at what is going on; there is a real look only when something has changed."""
AGAIN_S = 30.0
"""So long nothing may have changed before it is looked at all the same: not every change can be seen at a glance."""
SETTING_UP_S = 5.0
"""Where somebody else is setting up a worktree, he is asked so often."""
LOCK = "go"


class _Memory(NamedTuple):
    """All that one `go` remembers, by task."""

    tried: dict[str, Tried]
    watched: set[str]
    """Those with an agent at work, as of the last look."""
    told: set[str]
    """Those of which was said that they are waited for."""


def dry_run(wish: Wish) -> Going:
    """The first turn, and the waves. Read-only. Raises Refused, Fatal."""
    sight = scene.look(wish)
    return _so_far(sight, going.decide(sight.seen), ())


def go(wish: Wish, say: Listener) -> Going:
    """Turn by turn to the end. Raises Busy where another one is at work; Refused, Fatal."""
    sight = scene.look(wish)
    running.refuse_inside_a_commit(sight.context.repository)
    memory, done = _Memory({}, set(), set()), list[str]()
    with locks.hold(sight.context.repository.fleet_dir, LOCK, wait_s=0.2):
        while True:
            glance = _glance(sight.context)
            sight = scene.look(wish, memory.tried)
            _tell_who_ended(sight, memory, say)
            turn = going.decide(sight.seen)
            if turn.deed is Deed.END:
                return _so_far(sight, turn, done)
            try:
                done += _do(sight, wish, turn, glance, memory, say)
            except (Busy, Stopped) as error:  # somebody else does something here, or has: look again
                say(Note(error.message))
                time.sleep(PAUSE_S)


def _do(
    sight: Sight, wish: Wish, turn: Turn, glance: frozenset[pulse.Mark], memory: _Memory, say: Listener
) -> list[str]:
    """One turn; what has landed by it."""
    match turn.deed:
        case Deed.ADD:
            _add(sight, turn.tasks, memory.tried, say)
        case Deed.START:
            _start(sight, turn.tasks, memory, say)
        case Deed.WAIT:
            _wait(sight, turn.tasks, glance, memory, say)
        case Deed.LAND:
            return _land(sight, wish, turn.tasks, memory.tried, say)
    return []


def _so_far(sight: Sight, turn: Turn, done: Sequence[str]) -> Going:
    standings = sight.seen.world.standings
    found = {task.id: standings[task.id].state for task in sight.seen.tasks}
    open = {id for id, state in found.items() if state not in (State.LANDED, State.DROPPED)}
    waves = (tuple(id for id in wave if id in open) for wave in sight.view.waves)
    return Going(sight.context.base, sight.seen.tasks, found, turn, tuple(done), tuple(filter(None, waves)))


def _add(sight: Sight, ids: Sequence[str], tried: dict[str, Tried], say: Listener) -> None:
    context, asked = sight.context, create.Request(create.Selection(tuple(ids)))
    made = create.add(context, sight.view, asked, say)
    for id in made.refused:
        tried[id] = Tried(sight.tip(id), None, Held("it could not be created", (f"git fleet add {id}",)))
    for one in made.not_set_up:
        hints = (f"git fleet add {one.task}", *((f"less {shlex.quote(one.log)}",) if one.log else ()))
        tip = sight.tip(one.task) or context.base.commit
        tried[one.task] = Tried(tip, None, Held(f"its worktree is not set up: {one.why}", hints))
    if setup.due(context, [task for task in sight.seen.tasks if task.id in ids and task.id not in tried]):
        time.sleep(SETTING_UP_S)


def _start(sight: Sight, ids: Sequence[str], memory: _Memory, say: Listener) -> None:
    for id in ids:
        try:
            start = agents.prepare(sight.context, sight.view, find(sight.context.plan, id), ())
            say(AgentStarted(id, agents.run(sight.context, start, say)))
            memory.watched.add(id)
            memory.told.add(id)
        except Refused as error:
            memory.tried[id] = Tried(sight.tip(id), None, Held(error.message, error.hints))


def _land(sight: Sight, wish: Wish, ids: Sequence[str], tried: dict[str, Tried], say: Listener) -> list[str]:
    """Land them; those that did."""
    context = sight.context
    request = Request(tuple(ids), wish.gates, strategy=context.settings.strategy)
    outcome = landing.land(context, sight.view, request, say)
    if outcome.ending is Ending.STOPPED:
        say(Note(underway.landing(context.repository, context.base) or "a landing stopped"))
    done = [step.id for step in outcome.steps if step.action is Action.LAND and step.commit]
    failed = _failed(outcome, ids, done)
    for id, held in failed.items():
        base = outcome.base.commit if outcome.ending is Ending.BASE_RED else None
        tried[id] = Tried(sight.tip(id), base, held)
    return done


def _failed(outcome: LandOutcome, ids: Sequence[str], done: Collection[str]) -> dict[str, Held]:
    """Why those did not land that did not: not those that wait for another one, unless nothing else is to be said."""
    base = outcome.base.branch
    if outcome.ending is Ending.BASE_RED:
        why, anyway = f"the gate fails on '{base}' itself", "git fleet go --no-gate   # to land without it"
        return {id: Held(why, (f"make the gate pass on '{base}'", anyway), red=True) for id in ids}
    told = {one.id: one.log for one in (outcome.gates.evicted if outcome.gates else ()) if one.log}
    found = {}
    for step in outcome.steps:
        red, waits = step.gate == "failed", step.action is Action.PARK
        if step.id in ids and step.id not in done and (red or not waits):
            hints = (f"git fleet mark done {step.id}   # when it is corrected and committed",) if red else ()
            hints = (f"less {shlex.quote(told[step.id])}", *hints) if step.id in told else hints
            if step.action is Action.STOP:
                hints = (f"git fleet sync {step.id}   # to resolve it on its branch",)
            found[step.id] = Held(step.reason, hints, red)
    stuck = not found and not done and outcome.ending is not Ending.STOPPED
    return {step.id: Held(step.reason) for step in outcome.steps if step.id in ids} if stuck else found


def _wait(sight: Sight, ids: Sequence[str], before: frozenset[pulse.Mark], memory: _Memory, say: Listener) -> None:
    """Until something has changed since `before`, or an agent has ended."""
    context, until = sight.context, time.monotonic() + AGAIN_S
    at_work = [context.agents[id] for id in ids if id in sight.seen.alive]
    untold = [id for id in ids if id not in memory.told]
    if untold:
        say(Note(f"waits for {', '.join(untold)}, at work already"))
        memory.told.update(untold)
    while time.monotonic() < until and _glance(context) == before:
        say(AgentsAtWork(tuple(AgentAtWork(one.task, one.began_s, logs.last_line(one.log)) for one in at_work)))
        time.sleep(PAUSE_S)
        if not all(contexts.is_alive(context.repository, one) for one in at_work):
            break
    say(AgentsAtWork(()))


def _glance(context: Context) -> frozenset[pulse.Mark]:
    """Differs when somebody has said something of a task, or the base, the plan or the configuration has changed."""
    common = context.repository.common_dir
    files = [database.path_of(context.repository.fleet_dir), context.plan.source.path or "", f"{common}/config"]
    return pulse.of([*files, f"{common}/{context.base.ref}", f"{common}/packed-refs", f"{common}/reftable/tables.list"])


def _tell_who_ended(sight: Sight, memory: _Memory, say: Listener) -> None:
    standings, alive = sight.seen.world.standings, sight.seen.alive
    for id in sorted(memory.watched.difference(alive).intersection(standings)):
        say(AgentEnded(id, standings[id].state, standings[id].reason))
    memory.watched.clear()
    memory.watched.update(task.id for task in sight.seen.tasks if task.id in alive)
