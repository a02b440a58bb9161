"""What does `go` do next? Values alone, and a small world in which its turns are played to the end."""

from collections.abc import Mapping
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_fleet.analysis import admission, going
from git_fleet.analysis import state as states
from git_fleet.analysis.ownership import overlaps
from git_fleet.analysis.state import Standing
from git_fleet.model.errors import Exit
from git_fleet.model.fleet import Base, Branch, Landing, Mark, Repository, Snapshot, State, Worktree
from git_fleet.model.going import Deed, Going, Held, Turn
from git_fleet.model.plan import Plan, Source, SourceKind, Task
from git_fleet.model.settings import Settings

A, B, C = (Task(id, id, id, f"f/{id}", f"/{id}") for id in "abc")
TREE = {task.id: Worktree(task.worktree, "1" * 40, task.ref) for task in (A, B, C)}
AGENTS = Settings(agent="sh", agents={"sh": "true"})
HELD = Held("no", ("try",))


def seen(states_: Mapping[str, State], tasks: tuple[Task, ...] = (A, B, C), *, limit: int | None = None) -> going.Seen:
    """Tasks in these states; what is begun has its worktree."""
    begun = {id for id, state in states_.items() if state in states.IN_FLIGHT and state is not State.MISSING}
    standings = {task.id: Standing(State.READY, None) for task in tasks}
    standings |= {id: Standing(state, TREE[id] if id in begun else None) for id, state in states_.items()}
    there = {task.ref: task.worktree for task in tasks if task.id in begun}
    world = admission.Seen(standings, tuple(there), there, ())
    return going.Seen(tasks, world, overlaps(tasks), AGENTS._replace(limit=limit))


def left(turn: Turn) -> dict[str, str]:
    return {one.task.id: one.held.why for one in turn.left}


def test_what_is_ready_is_made_and_what_was_made_is_started() -> None:
    assert going.decide(seen({})) == Turn(Deed.ADD, ("a", "b", "c"))
    active = seen({"a": State.ACTIVE, "b": State.ACTIVE, "c": State.LANDED})
    assert going.decide(active._replace(untouched={"a", "b"})) == Turn(Deed.START, ("a", "b"))
    assert going.decide(active._replace(untouched={"a", "b"}, unfinished={"a"})) == Turn(Deed.ADD, ("a",))
    assert going.decide(active._replace(untouched={"b"}, alive={"a"})) == Turn(Deed.START, ("b",))


def test_what_was_made_too_early_and_what_is_at_work_is_not_started() -> None:
    early = seen({"a": State.STUCK, "b": State.ACTIVE}, (A, B._replace(needs=("a",))))._replace(untouched={"b"})
    assert left(going.decide(early)) == {"a": "it is stuck", "b": "it needs a, not landed yet"}
    at_work = seen({"a": State.ACTIVE}, (A,))._replace(untouched={"a"}, alive={"a"})
    assert going.decide(at_work) == Turn(Deed.WAIT, ("a",))


def test_a_wave_lands_when_the_last_agent_has_ended() -> None:
    wave = seen({"a": State.DONE, "b": State.RUNNING, "c": State.DROPPED})
    assert going.decide(wave._replace(alive={"b"})) == Turn(Deed.WAIT, ("b",))
    done = seen({"a": State.DONE, "b": State.DONE, "c": State.DROPPED})
    assert going.decide(done._replace(alive={"b"})) == Turn(Deed.WAIT, ("b",))  # it says so, and has not ended
    assert going.decide(done) == Turn(Deed.LAND, ("a", "b"))


def test_a_human_is_waited_for_when_nothing_else_is_to_be_done() -> None:
    wave = seen({"a": State.DONE, "b": State.RUNNING, "c": State.DROPPED})
    assert going.decide(wave) == Turn(Deed.LAND, ("a",))
    assert going.decide(seen({"a": State.LANDED, "b": State.RUNNING, "c": State.DROPPED})) == Turn(Deed.WAIT, ("b",))


def test_those_with_an_agent_are_made_first() -> None:
    tasks = (A._replace(agent="alice"), B, C._replace(owns=("x",)), B._replace(id="d", owns=("x",)))
    assert going.decide(seen({}, tasks, limit=2)) == Turn(Deed.ADD, ("b", "c"))
    assert going.decide(seen({"b": State.LANDED, "c": State.LANDED}, tasks[:3])) == Turn(Deed.ADD, ("a",))
    humans = seen({"a": State.ACTIVE}, tasks[:1])._replace(untouched={"a"})
    assert left(going.decide(humans)) == {"a": "for a human: its agent 'alice' has no command"}
    assert going.decide(humans).left[0].held.hints[0] == "cd /a"


def test_the_limit_counts_worktrees_and_agents() -> None:
    assert going.decide(seen({}, limit=2)) == Turn(Deed.ADD, ("a", "b"))
    by_hand = seen({"a": State.ACTIVE, "b": State.ACTIVE, "c": State.ACTIVE}, limit=2)._replace(
        untouched={"a", "b", "c"}
    )
    assert going.decide(by_hand) == Turn(Deed.START, ("a", "b"))
    assert going.decide(by_hand._replace(untouched={"c"}, alive={"a", "b"})) == Turn(Deed.WAIT, ("a", "b"))
    full = going.decide(seen({"a": State.STUCK, "b": State.LANDED}, limit=1))
    assert full.deed is Deed.END and left(full) == {
        "a": "it is stuck",
        "c": "1 task is at work and fleet.limit is 1",
    }


def test_only_what_was_approved_lands_with_a_review() -> None:
    done = seen({"a": State.DONE, "b": State.APPROVED, "c": State.DROPPED})._replace(review=True)
    assert going.decide(done) == Turn(Deed.LAND, ("b",))
    waits = going.decide(seen({"a": State.DONE}, (A,))._replace(review=True))
    assert waits.deed is Deed.END and waits.left[0].held == Held(
        "waits for a review", ("git fleet review a", "git fleet mark approved a")
    )


def test_what_needs_what_is_held_does_not_land_either() -> None:
    tasks = (A, B._replace(needs=("a",)), C)
    done = seen(dict.fromkeys("abc", State.DONE), tasks)
    assert going.decide(done) == Turn(Deed.LAND, ("a", "b", "c"))
    assert going.decide(done._replace(held={"a": HELD})) == Turn(Deed.LAND, ("c",))
    end = going.decide(seen({"a": State.DONE, "b": State.DONE}, tasks[:2])._replace(held={"a": HELD}))
    assert end.deed is Deed.END and left(end) == {"a": "no", "b": "lands after a"}


def test_a_conflict_stops_landings_and_nothing_else() -> None:
    stopped = seen({"a": State.DONE, "b": State.DONE})._replace(stopped=("a", HELD))
    assert going.decide(stopped) == Turn(Deed.ADD, ("c",))
    end = going.decide(seen({"a": State.DONE, "b": State.DONE}, (A, B))._replace(stopped=("a", HELD)))
    assert left(end) == {"a": "no", "b": "lands when the conflict of a is out of the way"}


@pytest.mark.parametrize(
    ("state", "why", "hint"),
    [
        (State.STUCK, "it is stuck", "git fleet logs a"),
        (State.REJECTED, "it was rejected", "git fleet mark approved a   # when it was put right"),
        (State.ACTIVE, "nobody has said that it is done", "git fleet run a   # to have its agent go on"),
        (State.DONE, "it did not land", None),
    ],
)
def test_every_end_has_its_reason(state: State, why: str, hint: str | None) -> None:
    world = seen({"a": state}, (A,))
    turn = going.decide(world._replace(held={"a": Held(why)}) if hint is None else world)
    assert left(turn) == {"a": why} and turn.left[0].held.hints[:1] == ((hint,) if hint else ())


def test_the_exit_code_is_that_of_the_worst() -> None:
    def code(*held: Held) -> Exit:
        turn = Turn(Deed.END, left=tuple(going.Left(A, State.DONE, one) for one in held))
        return Going(Base("main", "1" * 40, "2" * 40), (A,), {}, turn).code

    assert (code(), code(HELD), code(HELD, HELD._replace(red=True))) == (Exit.DONE, Exit.STOPPED, Exit.GATE)


# --------------------------------------------------------------------------------------------- a world to play in


class World(NamedTuple):
    """Ids; `fates`: how the agent of each ends, and whether a gate lets it pass."""

    tasks: tuple[Task, ...]
    fates: dict[str, tuple[State, bool]]
    limit: int | None
    stops: frozenset[str]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    count = draw(st.integers(1, 7))
    ids = [str(number) for number in range(count)]
    tasks, fates = [], {}
    for number, id in enumerate(ids):
        needs = tuple(sorted(draw(st.sets(st.sampled_from(ids[:number])))) if number else ())
        owns = tuple(sorted(draw(st.sets(st.sampled_from("xyz"), max_size=1))))
        agent = draw(st.sampled_from(["sh", "sh", "sh", "alice"]))
        tasks.append(Task(id, id, id, f"f/{id}", f"/{id}", owns, needs, agent=agent))
        fates[id] = draw(st.sampled_from([State.DONE, State.DONE, State.STUCK])), draw(st.booleans())
    limit = draw(st.none() | st.integers(1, 3))
    return World(tuple(tasks), fates, limit, frozenset(draw(st.sets(st.sampled_from(ids), max_size=1))))


class Now(NamedTuple):
    """What has happened so far, by id."""

    trees: tuple[str, ...] = ()
    running: tuple[str, ...] = ()
    marks: Mapping[str, Mark] = {}
    landed: tuple[str, ...] = ()
    red: tuple[str, ...] = ()
    stopped: str | None = None


def look(world: World, now: Now) -> going.Seen:
    """The real states of what has happened."""
    refs = {task.id: task.ref for task in world.tasks}
    plan = Plan(Source(SourceKind.CONFIG), world.tasks)
    snapshot = Snapshot(
        repository=Repository("/r/.git", "/r/.git", "/r", "/r", False, "sha1"),
        base=Base("main", "0" * 40, "0" * 40),
        worktrees=tuple(Worktree(f"/{id}", "1" * 40, refs[id]) for id in now.trees),
        branches={refs[id]: Branch(refs[id], "1" * 40, "1" * 40, 0) for id in now.trees},
        distances={},
        origins={},
        landings={id: Landing(id, "1" * 40, "2" * 40) for id in now.landed},
        marks=now.marks,
    )
    shared = overlaps(world.tasks)
    standings = states.standings(plan, snapshot, shared)
    there = {refs[id]: f"/{id}" for id in now.trees}
    return going.Seen(
        world.tasks,
        admission.Seen(standings, tuple(there), there, ()),
        shared,
        AGENTS._replace(limit=world.limit),
        alive=now.running,
        untouched={id for id in now.trees if id not in now.marks and id not in now.landed},
        held={id: HELD._replace(red=True) for id in now.red},
        stopped=(now.stopped, HELD) if now.stopped else None,
    )


def done(world: World, now: Now, turn: Turn) -> Now:
    """What becomes of a turn; it must have been allowed."""
    needs = {task.id: set(task.needs) for task in world.tasks}
    owns = {task.id: set(task.owns) for task in world.tasks}
    match turn.deed:
        case Deed.ADD:
            for id in turn.tasks:
                flying = set(now.trees) - set(now.landed)
                assert needs[id] <= set(now.landed) and id not in now.trees
                assert not any(owns[id] & owns[other] for other in flying)
                assert world.limit is None or len(flying) < world.limit
                now = now._replace(trees=(*now.trees, id))
        case Deed.START:
            for id in turn.tasks:
                assert needs[id] <= set(now.landed) and id in now.trees and id not in now.marks
                assert world.limit is None or len(now.running) < world.limit
                mark = Mark(id, State.RUNNING, None, "sh", 0.0, "1" * 40)
                now = now._replace(running=(*now.running, id), marks={**now.marks, id: mark})
        case Deed.WAIT:
            first, *rest = now.running  # somebody is there to wait for
            mark = now.marks[first]._replace(state=world.fates[first][0])
            now = now._replace(running=tuple(rest), marks={**now.marks, first: mark})
        case Deed.LAND:
            assert not now.running and now.stopped is None
            for id in turn.tasks:
                assert now.marks[id].state is State.DONE and id not in now.landed
                if id in world.stops:
                    now = now._replace(stopped=id)
                elif not world.fates[id][1]:
                    now = now._replace(red=(*now.red, id))
                elif needs[id] <= set(now.landed) and now.stopped is None:
                    now = now._replace(landed=(*now.landed, id))
    return now


@settings(max_examples=60, deadline=None)
@given(worlds())
def test_it_starts_nothing_too_early_keeps_the_limit_and_ends(world: World) -> None:
    now, turns = Now(), 0
    while (turn := going.decide(look(world, now))).deed is not Deed.END:
        now, turns = done(world, now, turn), turns + 1
        assert turns <= 5 * len(world.tasks)
    assert {one.task.id for one in turn.left} == {task.id for task in world.tasks} - set(now.landed)
    assert all(one.held.why for one in turn.left)
    failed = {id for id, (state, passes) in world.fates.items() if state is State.STUCK or not passes}
    humans = {task.id for task in world.tasks if task.agent == "alice"}
    if not (failed | humans | world.stops):
        assert not turn.left
