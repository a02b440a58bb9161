"""What `git fleet go` does next. Pure: of what is seen at one instant; whoever does it looks again afterwards.

A wave is what can be at work at once. Nothing of it lands before all its agents have ended, so that they land in the
order that conflicts least.
"""

import shlex
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from git_fleet.analysis import admission, starting
from git_fleet.analysis.state import Standing
from git_fleet.model.fleet import State
from git_fleet.model.going import Deed, Held, Left, Turn
from git_fleet.model.plan import Overlap, Task
from git_fleet.model.settings import Settings

_OVER = (State.LANDED, State.DROPPED)
_NOT_BEGUN = (State.READY, State.PLANNED, State.MISSING)


class Seen(NamedTuple):
    """What there is to decide by."""

    tasks: tuple[Task, ...]
    """Those to bring to the base, with all that they need, in plan order."""
    world: admission.Seen
    overlaps: tuple[Overlap, ...]
    settings: Settings
    alive: Collection[str] = ()
    """Tasks, of the whole plan, at which an agent is at work."""
    unfinished: Collection[str] = ()
    """Tasks whose worktree is there, but not yet set up."""
    untouched: Collection[str] = ()
    """Tasks in whose worktree nobody has worked yet, and of which nothing was said."""
    held: Mapping[str, Held] = MappingProxyType({})
    """Tasks that cannot go on as they are, whatever was said of them."""
    stopped: tuple[str, Held] | None = None
    """The task with whose conflict a landing waits: nothing else lands until a human has resolved it."""
    review: bool = False
    """Only what was approved lands."""


def decide(seen: Seen) -> Turn:
    """The next turn."""
    standings = seen.world.standings
    there = [task for task in seen.tasks if standings[task.id].state not in _OVER]
    able = [task for task in there if task.id not in seen.held]
    answers = _asked(seen, [task for task in able if standings[task.id].state in _NOT_BEGUN])
    new = [answer.task.id for answer in answers if answer.create]
    new += [task.id for task in able if task.id in seen.unfinished]
    if new:
        return Turn(Deed.ADD, tuple(new))
    ready = [task.id for task in able if task.id in seen.untouched and _startable(seen, task)]
    room = len(ready) if seen.settings.limit is None else max(0, seen.settings.limit - len(seen.alive))
    if ready[:room]:
        return Turn(Deed.START, tuple(ready[:room]))
    working = tuple(task.id for task in there if task.id in seen.alive)
    landing = () if working or seen.stopped else _landable(seen, able)
    if landing:
        return Turn(Deed.LAND, landing)
    human = tuple(task.id for task in there if standings[task.id].state is State.RUNNING)
    if working or human:
        return Turn(Deed.WAIT, working or human)
    refused = {answer.task.id: Held(answer.why or "", answer.hints) for answer in answers}
    return Turn(Deed.END, left=tuple(Left(t, standings[t.id].state, refused.get(t.id) or _why(seen, t)) for t in there))


def has_agent(task: Task, settings: Settings) -> bool:
    """Can an agent do it? All others are for humans."""
    return isinstance(starting.command(task, settings, ()), str)


def _asked(seen: Seen, tasks: Sequence[Task]) -> tuple[admission.Admission, ...]:
    """May they begin? Those with an agent are asked first: a human's takes no place from them."""
    humans_last = sorted(tasks, key=lambda task: not has_agent(task, seen.settings))
    limit = seen.settings.limit
    return admission.admit(humans_last, seen.world, seen.overlaps, limit=limit, allow_overlap=False)


def _startable(seen: Seen, task: Task) -> bool:
    fine = starting.refusal(task, seen.world.standings) is None and has_agent(task, seen.settings)
    return fine and task.id not in seen.alive


def _landable(seen: Seen, able: Sequence[Task]) -> tuple[str, ...]:
    """What may land now: said to be good, and so is all that it needs."""
    standings = seen.world.standings
    good = (State.APPROVED,) if seen.review else (State.APPROVED, State.DONE)
    found = {task.id: task for task in able if standings[task.id].state in good}
    while early := [id for id, task in found.items() if not _needs_met(task, standings, found)]:
        for id in early:
            del found[id]
    return tuple(found)


def _needs_met(task: Task, standings: Mapping[str, Standing], with_it: Collection[str]) -> bool:
    known = [need for need in task.needs if need in standings]
    return all(need in with_it or standings[need].state is State.LANDED for need in known)


def _why(seen: Seen, task: Task) -> Held:
    """Why it does not go on by itself, and the way on."""
    if seen.stopped and seen.stopped[0] == task.id:
        return seen.stopped[1]
    if task.id in seen.held:
        return seen.held[task.id]
    standing = seen.world.standings[task.id]
    id = shlex.quote(task.id)
    reason, done = standing.reason, f"git fleet mark done {id}"
    match standing.state:
        case State.STUCK:
            again = (f"git fleet run {id}   # to have it tried again", f"{done}   # when it is good as it is")
            return Held(reason or "it is stuck", (f"git fleet logs {id}", *again))
        case State.REJECTED:
            return Held(reason or "it was rejected", (f"git fleet mark approved {id}   # when it was put right",))
        case State.DONE | State.APPROVED:
            return _not_landed(seen, task)
        case State.ACTIVE:
            refused = starting.refusal(task, seen.world.standings)
            if refused and task.id in seen.untouched:
                return Held(refused.why)
            how = (f"cd {shlex.quote(standing.worktree.path if standing.worktree else task.worktree)}",)
            if has_agent(task, seen.settings):
                how = (f"git fleet run {id}   # to have its agent go on",)
            else:
                reason = reason or _is_for_humans(task, seen.settings)
            return Held(reason or "nobody has said that it is done", (*how, f"{done}   # when it is done"))
        case _:
            return Held(reason or str(standing.state))


def _is_for_humans(task: Task, settings: Settings) -> str:
    found = starting.command(task, settings, ())
    return f"for a human: {found.why}" if isinstance(found, starting.Refusal) else ""


def _not_landed(seen: Seen, task: Task) -> Held:
    standings = seen.world.standings
    if seen.review and standings[task.id].state is State.DONE:
        return Held(
            "waits for a review",
            (f"git fleet review {shlex.quote(task.id)}", f"git fleet mark approved {shlex.quote(task.id)}"),
        )
    if seen.stopped:
        return Held(f"lands when the conflict of {seen.stopped[0]} is out of the way")
    waits = [need for need in task.needs if need in standings and standings[need].state is not State.LANDED]
    return Held(f"lands after {', '.join(waits)}" if waits else "it did not land")
