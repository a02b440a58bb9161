"""The landing order: fewest stops, proven by trying everything; needs; ties; reasons."""

import json
import os
from collections.abc import Collection, Iterator
from itertools import chain, combinations
from pathlib import Path
from random import Random

import pytest

from git_fleet.analysis.order import broken_need, given, order
from git_fleet.model.landing import Action, Candidate, OrderCost, OrderStep

LAND, STOP, PARK = Action.LAND, Action.STOP, Action.PARK
Conflicts = dict[str, set[str]]


def steps(
    candidates: list[Candidate], conflicts: Conflicts, before: Collection[tuple[str, str]] = ()
) -> list[tuple[str, Action, str]]:
    return [(step.id, step.action, step.reason) for step in order(candidates, conflicts, before)]


def landed(found: tuple[OrderStep, ...]) -> list[str]:
    return [step.id for step in found if step.action is LAND]


# --- what it says ----------------------------------------------------------------------------------------------------


def test_nothing() -> None:
    assert order([], {}) == ()


def test_three_tasks_two_of_which_conflict() -> None:
    assert steps([Candidate("42"), Candidate("43"), Candidate("44")], {"44": {"42"}}) == [
        ("42", LAND, "before 44: they conflict, 42 stands earlier"),
        ("43", LAND, "needs nothing, conflicts with nobody"),
        ("44", STOP, "conflicts with 42, which lands first"),
    ]


def test_the_busiest_stops() -> None:
    hub = Candidate("1", priority=9, joint=True)
    assert steps([hub, *map(Candidate, "234")], {"1": {"2", "3"}}) == [
        ("2", LAND, "before 1: they conflict, the fewest stop this way"),
        ("3", LAND, "before 1: they conflict, the fewest stop this way"),
        ("4", LAND, "needs nothing, conflicts with nobody"),
        ("1", STOP, "conflicts with 2 and 3, which land first"),
    ]


def test_priority_then_joint_then_plan_order_decide() -> None:
    one, two, first = Candidate("1", joint=True), Candidate("2", priority=1), Candidate("1")
    conflicts = {"1": {"2"}}
    assert steps([one, two], conflicts)[0] == ("2", LAND, "before 1: they conflict, 2 has the higher priority")
    assert steps([first, Candidate("2", joint=True)], conflicts)[0] == (
        "2",
        LAND,
        "before 1: they conflict, 2 is the joint",
    )
    assert steps([first, Candidate("2", size=9)], conflicts)[0] == (
        *("1", LAND, "before 2: they conflict, 1 stands earlier"),
    )


def test_the_sequence_of_those_that_land() -> None:
    tasks = [
        Candidate("small", size=1),
        Candidate("late", needs=("small", "elsewhere"), priority=9),
        Candidate("big", size=9),
        Candidate("joint", joint=True),
        Candidate("urgent", priority=1, needs=("elsewhere",)),
    ]
    assert steps(tasks, {}) == [
        ("urgent", LAND, "what it needs has landed, conflicts with nobody"),
        ("joint", LAND, "needs nothing, conflicts with nobody"),
        ("big", LAND, "needs nothing, conflicts with nobody"),
        ("small", LAND, "needs nothing, conflicts with nobody"),
        ("late", LAND, "after small, which it needs"),
    ]


def test_what_a_branch_stands_on_goes_first_unless_it_needs_that_branch() -> None:
    top, low = Candidate("top", size=9, priority=5, stands_on=("low", "gone")), Candidate("low", size=1)
    assert steps([top, low], {}) == [
        ("low", LAND, "needs nothing, conflicts with nobody"),
        ("top", LAND, "after low, on which it stands"),
    ]
    assert landed(order([top, low._replace(needs=("top",))], {})) == ["top", "low"]
    assert landed(order([top._replace(needs=("low",)), low], {})) == ["low", "top"]
    assert landed(order([top, low._replace(stands_on=("top",))], {})) == ["low", "top"]


def test_conflict_with_the_base_comes_last_and_parks_what_needs_it() -> None:
    tasks = [
        Candidate("1", base_conflict=True, priority=9),
        Candidate("2", needs=("1",)),
        Candidate("3", needs=("2",)),
        Candidate("4"),
        Candidate("5"),
    ]
    assert steps(tasks, {"4": {"1", "5"}}) == [
        ("4", LAND, "before 1 and 5: they conflict, 4 stands earlier"),
        ("5", STOP, "conflicts with 4, which lands first"),
        ("1", STOP, "conflicts with the base"),
        ("2", PARK, "waits for 1, which stops"),
        ("3", PARK, "waits for 2, which waits too"),
    ]
    assert steps([tasks[0], tasks[3]], {"1": {"4"}})[0] == (
        "4",
        LAND,
        "before 1: they conflict, and they cannot land now",
    )


def test_a_need_that_brings_more_wins() -> None:
    tasks = [Candidate("1"), Candidate("2"), Candidate("3", needs=("2",)), Candidate("4", needs=("2",))]
    assert steps(tasks, {"1": {"2"}}) == [
        ("2", LAND, "before 1: they conflict, the fewest stop this way"),
        ("3", LAND, "after 2, which it needs"),
        ("4", LAND, "after 2, which it needs"),
        ("1", STOP, "conflicts with 2, which lands first"),
    ]


def test_needs_that_conflict_with_each_other() -> None:
    tasks = [Candidate("1"), Candidate("2"), Candidate("3", needs=("1", "2"))]
    assert [step[:2] for step in steps(tasks, {"1": {"2"}})] == [("1", LAND), ("2", STOP), ("3", PARK)]
    assert steps([Candidate("1"), Candidate("2", needs=("1",))], {"1": {"2"}})[1] == (
        *("2", STOP, "conflicts with 1, which lands first"),
    )


def test_needs_in_a_circle_are_parked() -> None:
    tasks = [Candidate("1", needs=("2",)), Candidate("2", needs=("1",)), Candidate("3", needs=("2",)), Candidate("4")]
    assert steps(tasks, {}) == [
        ("4", LAND, "needs nothing, conflicts with nobody"),
        ("1", PARK, "waits for 2: needs go in a circle"),
        ("2", PARK, "waits for 1: needs go in a circle"),
        ("3", PARK, "waits for 2: needs go in a circle"),
    ]
    assert steps([Candidate("1", needs=("1",))], {}) == [("1", PARK, "waits for 1: needs go in a circle")]


def test_only_one_order_merges() -> None:
    tasks = [Candidate("1", priority=5), Candidate("2")]
    assert steps(tasks, {}, [("2", "1"), ("2", "unknown")]) == [
        ("2", LAND, "before 1: only this order merges"),
        ("1", LAND, "after 2: only this order merges"),
    ]
    assert [step[:2] for step in steps(tasks, {}, [("1", "2"), ("2", "1")])] == [("1", LAND), ("2", STOP)]
    needy = [Candidate("1"), Candidate("2", needs=("1",))]
    assert [step[:2] for step in steps(needy, {}, [("2", "1")])] == [("1", LAND), ("2", STOP)]


def test_the_reasons_name_the_paths_where_they_are_few() -> None:
    tasks, conflicts = [*map(Candidate, ("42", "43", "44"))], {"42": {"43", "44"}}
    shared = {frozenset(("42", "43")): ["cli.py"], frozenset(("42", "44")): ["cli.py", "README.md"]}
    last = Candidate("43", joint=True)
    assert order([tasks[0], last], {"42": {"43"}}, (), shared)[0].reason == (
        "before 42: both change cli.py, 43 is the joint"
    )
    found = order([tasks[0]._replace(needs=()), *tasks[1:]], conflicts, (), shared)
    assert found[0].reason == "before 42: both change cli.py, the fewest stop this way"
    many = {frozenset(("42", "43")): [*"abcd"]}
    assert "they conflict" in order(tasks[:2], {"42": {"43"}}, (), many)[0].reason
    hub = order([tasks[0]._replace(priority=9), *tasks[1:]], {"42": {"43"}, "44": {"42", "43"}}, (), shared)
    assert hub[0].reason == "before 43 and 44: all change README.md and cli.py, 42 has the higher priority"


# --- an order that somebody gives ------------------------------------------------------------------------------------


def test_a_given_order_is_kept_and_says_what_it_costs() -> None:
    tasks = [*map(Candidate, "1234")]
    found, cost = given(tasks, {"1": {"2", "3"}}, [], ["1", "4"])
    assert [(step.id, step.action) for step in found] == [("1", LAND), ("4", LAND), ("2", STOP), ("3", STOP)]
    assert found[0].reason == "before 2 and 3: they conflict, in the order given"
    assert cost == OrderCost(stops=2, fewest_stops=1, conflicts=2, fewest_conflicts=2)


def test_what_merges_in_one_order_only_costs_a_pair_more() -> None:
    found, cost = given([*map(Candidate, "12")], {}, [("1", "2")], ["2", "1"])
    assert [(step.id, step.action) for step in found] == [("2", LAND), ("1", STOP)]
    assert found[1].reason == "merges only before 2, and the order given has it after"
    assert cost == OrderCost(stops=1, fewest_stops=0, conflicts=1, fewest_conflicts=0)


def test_what_the_given_need_comes_before_them() -> None:
    tasks = [Candidate("1"), Candidate("2", ("4",)), Candidate("3", base_conflict=True), Candidate("4", ("3", "1"))]
    found, _ = given(tasks, {}, [], ["2"])
    assert [(step.id, step.action) for step in found] == [("1", LAND), ("3", STOP), ("4", PARK), ("2", PARK)]
    circle = [Candidate("1", ("2",)), Candidate("2", ("1",)), Candidate("3")]
    assert next((step.id, step.action) for step in given(circle, {}, [], ["2"])[0]) == ("3", LAND)


def test_an_order_against_the_needs_is_found() -> None:
    tasks = [Candidate("1"), Candidate("2", ("1",)), Candidate("3", ("2",))]
    assert broken_need(tasks, ["1", "2", "3"]) is None and broken_need(tasks, ["2", "3"]) is None
    assert broken_need(tasks, ["2", "1"]) == ("2", "1")
    assert broken_need(tasks, ["3", "1"]) == ("3", "1")


def test_no_given_order_is_better_than_ours() -> None:
    dice = Random(11)
    for _ in range(150):
        tasks, conflicts = fleet(dice, dice.randint(1, 8), dice.choice((0.1, 0.3)), 0.05)
        ids = [task.id for task in tasks]
        dice.shuffle(ids)
        if broken_need(tasks, ids) is None:
            found, _cost = given(tasks, conflicts, [], ids)
            ours = order(tasks, conflicts)
            assert len(landed(found)) <= len(landed(ours)) and sorted(s.id for s in found) == sorted(ids)
            same = given(tasks, conflicts, [], [step.id for step in ours if step.action is LAND])
            assert landed(same[0]) == landed(ours) and same[1].stops == same[1].fewest_stops


def test_many_names_are_shortened() -> None:
    hub = Candidate("hub", priority=1)
    tasks = [hub, *(Candidate(str(n)) for n in range(5))]
    conflicts: Conflicts = {"hub": set("01234")}
    assert steps(tasks, conflicts)[-1] == ("hub", STOP, "conflicts with 0, 1 and 3 more, which land first")


# --- against trying everything ---------------------------------------------------------------------------------------


def subsets(ids: list[str]) -> Iterator[tuple[str, ...]]:
    return chain.from_iterable(combinations(ids, size) for size in range(len(ids) + 1))


def best(tasks: list[Candidate], conflicts: Conflicts) -> set[str]:
    """The set that should land, by trying all."""
    by_id = {task.id: task for task in tasks}

    def fits(chosen: tuple[str, ...]) -> bool:
        return (
            not any(by_id[one].base_conflict for one in chosen)
            and all(need in chosen for one in chosen for need in by_id[one].needs if need in by_id)
            and not any(
                two in conflicts.get(one, ()) or one in conflicts.get(two, ()) for one, two in combinations(chosen, 2)
            )
            and acyclic(chosen, by_id)
        )

    def worth(chosen: tuple[str, ...]) -> tuple[int, int, int, list[bool]]:
        mine = [by_id[one] for one in chosen]
        earlier = [task.id in chosen for task in tasks]
        return len(mine), sum(task.priority for task in mine), sum(task.joint for task in mine), earlier

    fitting: list[tuple[str, ...]] = [chosen for chosen in subsets(list(by_id)) if fits(chosen)]
    winner = max(fitting, key=worth)
    return set(winner)


def acyclic(chosen: Collection[str], by_id: dict[str, Candidate]) -> bool:
    left = set(chosen)
    while free := {one for one in left if not left.intersection(by_id[one].needs)}:
        left -= free
    return not left


def fleet(dice: Random, count: int, density: float, needs: float) -> tuple[list[Candidate], Conflicts]:
    ids = [str(n) for n in range(count)]
    dice.shuffle(ids)
    tasks = [
        Candidate(
            one,
            tuple(two for two in (*ids, "gone") if dice.random() < needs and (two != one or dice.random() < 0.1)),
            priority=dice.choice((0, 0, 0, 1, -2)),
            size=dice.randrange(4),
            joint=dice.random() < 0.2,
            base_conflict=dice.random() < 0.07,
        )
        for one in ids
    ]
    return tasks, {one: {two for two in ids if two != one and dice.random() < density} for one in ids}


@pytest.mark.parametrize("needs", [0.0, 0.06, 0.15])
def test_fewest_stops(needs: float) -> None:
    dice = Random(f"fewest {needs}")
    for _ in range(250):
        tasks, conflicts = fleet(dice, dice.randint(1, 9), dice.choice((0.02, 0.1, 0.25, 0.5)), needs)
        found = order(tasks, conflicts)
        assert set(landed(found)) == best(tasks, conflicts), (tasks, conflicts)
        check(found, tasks, conflicts)


def check(found: tuple[OrderStep, ...], tasks: list[Candidate], conflicts: Conflicts) -> None:
    """What holds for every order, large or small."""
    by_id = {task.id: task for task in tasks}
    at = {step.id: place for place, step in enumerate(found)}
    lands = set(landed(found))
    assert sorted(at) == sorted(by_id) and len(found) == len(tasks)
    assert [step.action for step in found] == sorted((step.action for step in found), key=[LAND, STOP, PARK].index)
    for step in found:
        needs = [need for need in by_id[step.id].needs if need in by_id]
        foes = {foe for foe in by_id if foe in conflicts.get(step.id, ()) or step.id in conflicts.get(foe, ())}
        assert step.reason
        assert (step.action is PARK) == any(need not in lands for need in needs)
        if step.action is LAND:
            assert all(at[need] < at[step.id] for need in needs)
            assert not foes & lands and not by_id[step.id].base_conflict
        if step.action is STOP:
            assert foes & lands or by_id[step.id].base_conflict


@pytest.mark.parametrize("density", [0.01, 0.05, 0.3])
def test_large_fleets(density: float) -> None:
    dice = Random(5)
    tasks, conflicts = fleet(dice, 150, density, 0.004)
    found = order(tasks, conflicts)
    check(found, tasks, conflicts)
    turned = {one: [two for two in conflicts if one in conflicts[two]] for one in reversed(conflicts)}
    assert order(tasks, turned) == found


def test_a_path_of_conflicts_too_long_for_trying_all_is_still_best() -> None:
    tasks = [Candidate(str(n)) for n in range(301)]
    found = order(tasks, {str(n): {str(n + 1)} for n in range(300)})
    assert landed(found) == [str(n) for n in range(0, 301, 2)]


def test_ten_thousand_in_a_row() -> None:
    count = 10_000
    tasks = [Candidate(str(n), (str(n - 1),)) for n in range(count)]
    assert [step.id for step in order(tasks[::-1], {})] == [str(n) for n in range(count)]
    parked = order([Candidate("0", base_conflict=True), *tasks[1:]], {}, [("5", "7")])
    assert [step.action for step in parked] == [STOP, *[PARK] * (count - 1)]
    assert given(tasks[::-1], {}, [], [str(count - 1)])[1] == OrderCost(0, 0, 0, 0)
    rival = order([*tasks, Candidate("x", priority=9)], {"x": {"0"}})
    assert [step.id for step in rival] == [*(str(n) for n in range(count)), "x"]


# --- real fleets -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["flask", "pre-commit"])
def test_fleets_of_real_branches(name: str) -> None:
    folder = Path(os.environ.get("FLEETS") or Path(__file__).parents[2].parent / "shared" / "fleets")
    file = folder / f"{name}.truth.json"
    if not file.exists():
        pytest.skip(f"no {file}; set FLEETS to the folder of the real fleets")
    truth = json.loads(file.read_text())
    tasks = [Candidate(branch, base_conflict=branch in truth["base_conflicts"]) for branch in truth["branches"]]
    conflicts: Conflicts = {}
    for pair, answer in truth["pairs"].items():
        if answer["verdict"] == "conflict":
            conflicts.setdefault(pair.split()[0], set()).add(pair.split()[1])
    found = order(tasks, conflicts)
    check(found, tasks, conflicts)
    stops = [step.id for step in found if step.action is STOP]
    assert len(stops) - len(truth["base_conflicts"]) == truth["min_stops"]
    assert stops[truth["min_stops"] :] == list(truth["base_conflicts"])
