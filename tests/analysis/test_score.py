"""Was parallel worth it? Never said better than it was; what nobody knows stays unknown."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_fleet.analysis.score import score, stops
from git_fleet.model.score import Authored, Gates, Past, Range, Score, Source, Worth

M, H = 60.0, 3600.0


def by(who: str, *minutes: float) -> tuple[Authored, ...]:
    return tuple(Authored(minute * M, who) for minute in minutes)


def agent(id: str, *minutes: float, landed: float) -> Past:
    return Past(id, added_s=0.0, agents=((minutes[0] * M, minutes[1] * M),), landed_s=landed * M)


def test_a_day_of_three_agents() -> None:
    conflict = agent("c", 0, 90, landed=120)._replace(stops=((105 * M, 115 * M),), gate_s=5 * M)
    read = agent("a", 0, 60, landed=105)._replace(reviews=((90 * M, 100 * M),), done_s=65 * M)
    found = score([read, agent("b", 0, 45, landed=105), conflict], [Gates(100 * M, 5 * M, 3 * M)], left=1)
    assert (found.wall_s, found.at_work_s, found.serial_s) == (120 * M, 120 * M, Range(195 * M, 195 * M))
    assert (found.review_s, found.conflict_s, found.gate_s, found.integration_s) == (10 * M, 10 * M, 5 * M, 25 * M)
    assert (found.without_conflicts_s, found.saved_s, found.at_once, found.left) == (110 * M, 3 * M, 3, 1)
    assert (found.worth, found.speedup) == (Worth.PAID, Range(1.625, 1.625))
    a, b, c = found.tasks
    assert (a.done_s, a.waited_s, a.review_s, a.source) == (65 * M, 40 * M, 10 * M, Source.AGENT)
    assert (b.review_s, b.conflict_s, b.gate_s, b.waited_s) == (None, 0.0, None, 60 * M)
    assert (c.conflict_s, c.gate_s) == (10 * M, 5 * M)


def test_a_night_is_no_work_and_not_on_the_clock() -> None:
    """Two tasks, an hour of work on each of two days: 24 hours on the wall."""
    days = (0, 30, 60, 24 * 60, 24 * 60 + 30, 24 * 60 + 60)
    two = [
        Past(who, added_s=0.0, commits=by(who, *days), landed_s=(24 * 60 + 60) * M, reviews=((60 * M, 24 * H),))
        for who in "ab"
    ]
    found = score(two)
    assert (found.wall_s, found.at_work_s, found.serial_s) == (25 * H, 2 * H, Range(4 * H, 4 * H))
    assert found.worth is Worth.PAID and found.review_s is None
    awake = two[0]._replace(id="c", commits=(), agents=((60 * M, 24 * H),))
    assert score([*two, awake]).at_work_s == 25 * H, "an agent that runs is no pause"


def test_one_person_among_several_branches_is_no_fleet() -> None:
    one, other = (
        Past("a", added_s=0.0, commits=by("me", 30, 90, 150), landed_s=180 * M),
        Past("b", added_s=0.0, commits=by("me", 60, 120, 180), landed_s=180 * M),
    )
    found = score([one, other])
    assert found.serial_s == Range(180 * M, 330 * M)
    assert found.worth is Worth.UNKNOWN and found.why == "between 1.0 and 1.8 times as fast"
    several = score([one, other._replace(commits=by("you", 60, 120, 180))])
    assert several.serial_s == Range(330 * M, 330 * M) and several.worth is Worth.PAID


def test_an_estimate_is_believed_as_far_as_there_was_time() -> None:
    found = score([Past(id, added_s=0.0, done_s=30 * M, landed_s=60 * M, estimate_s=2 * H) for id in "ab"])
    assert found.serial_s == Range(60 * M, 240 * M)
    assert {one.source for one in found.tasks} == {Source.ESTIMATE} and found.worth is Worth.UNKNOWN


@pytest.mark.parametrize(
    ("minutes", "worth"),
    [(40, Worth.SEQUENTIAL), (54, Worth.SEQUENTIAL), (56, Worth.EVEN), (65, Worth.EVEN), (66, Worth.PAID)],
)
def test_the_bounds_of_the_verdict(minutes: int, worth: Worth) -> None:
    assert score([agent("a", 0, minutes / 2, landed=60), agent("b", 0, minutes / 2, landed=60)]).worth is worth


@pytest.mark.parametrize(
    ("past", "why"),
    [
        ([], "no task has landed"),
        ([agent("a", 0, 60, landed=60)], "only one task has landed"),
        ([agent("a", 0, 60, landed=60), Past("b", landed_s=60 * M)], "nobody knows when b began"),
        ([agent("a", 0, 60, landed=60), Past("b", added_s=0.0)], "nobody knows when b landed"),
        ([agent("a", 0, 0.5, landed=0.9)] * 2, "all of it was over within a minute"),
        ([agent("a", 0, 60, landed=60), Past("b", added_s=0.0, landed_s=60 * M)], "nobody knows how long b took"),
        (
            [agent("a", 0, 60, landed=60), Past("b", added_s=0.0, landed_s=60 * M, agents=((0.0, None),))],
            "nobody knows how long b took",
        ),
    ],
)
def test_what_is_not_known(past: list[Past], why: str) -> None:
    found = score(past)
    assert (found.worth, found.why) == (Worth.UNKNOWN, why)


def test_what_is_older_than_the_worktree_is_of_another_life() -> None:
    old = by("me", -600, -590)
    past = Past("a", added_s=0.0, commits=(*old, *by("me", 20)), landed_s=60 * M, done_s=-5.0, reviews=((-9.0, -1.0),))
    [task] = score([past]).tasks
    assert (task.began_s, task.done_s, task.work_s, task.review_s) == (0.0, 20 * M, Range(20 * M, 20 * M), None)
    assert score([past._replace(added_s=None)]).began_s == -600 * M


def test_stops_end_where_somebody_goes_on() -> None:
    said = [
        (1, "stopped", "a", 10.0),
        (2, "done", None, 11.0),
        (1, "running", None, 15.0),
        (1, "stopped", "b", 16.0),
        (1, "stopped", "b", 18.0),
        (1, "failed", None, 20.0),
        (3, "stopped", "c", 30.0),
    ]
    assert stops(said) == {"a": [(10.0, 15.0)], "b": [(16.0, 18.0), (18.0, 20.0)]}


# ------------------------------------------------------------------------------------------------------- for all pasts

MOMENTS = st.floats(0, 72 * H).map(lambda at_s: round(at_s))
SPANS = st.tuples(MOMENTS, MOMENTS).map(lambda two: (float(min(two)), float(max(two))))
UNKNOWN = st.none()
PASTS = st.lists(
    st.builds(
        Past,
        id=st.uuids().map(str),
        added_s=UNKNOWN | MOMENTS,
        commits=st.lists(st.builds(Authored, MOMENTS, st.sampled_from("xy")), max_size=6).map(tuple),
        done_s=UNKNOWN | MOMENTS,
        landed_s=UNKNOWN | MOMENTS,
        agents=st.lists(SPANS | st.tuples(MOMENTS, UNKNOWN), max_size=2).map(tuple),
        reviews=st.lists(SPANS, max_size=2).map(tuple),
        stops=st.lists(SPANS, max_size=2).map(tuple),
        estimate_s=UNKNOWN | st.integers(60, 100_000),
    ),
    max_size=5,
)


@settings(max_examples=100, deadline=None)
@given(PASTS)
def test_nothing_is_ever_made_better_than_it_was(past: list[Past]) -> None:
    found: Score = score(past)
    assert len(found.tasks) == len(past)
    assert found.serial_s.most is None or found.serial_s.least <= found.serial_s.most + 1e-6
    if found.at_work_s is not None and found.wall_s is not None:
        assert 0 <= found.at_work_s <= found.wall_s
        assert found.serial_s.least <= found.at_once * found.at_work_s + 1e-6, "nobody does two things at once"
    if found.worth is Worth.PAID:
        assert found.at_work_s is not None and found.serial_s.least > found.at_work_s and found.at_once > 1
    if found.worth in (Worth.SEQUENTIAL, Worth.EVEN):
        assert found.serial_s.most is not None and all(one.source for one in found.tasks)
    if found.worth is not Worth.UNKNOWN:
        assert found.wall_s is not None and len(past) > 1 and not found.why


@settings(max_examples=20, deadline=None)
@given(PASTS, st.integers(0, 10**9))
def test_it_does_not_matter_when_it_all_was(past: list[Past], later: int) -> None:
    def moved(span: tuple[float, float | None]) -> tuple[float, float | None]:
        return span[0] + later, None if span[1] is None else span[1] + later

    def one(task: Past) -> Past:
        values = {
            key: None if (value := getattr(task, key)) is None else value + later
            for key in ("added_s", "done_s", "landed_s")
        }
        spans = {key: tuple(map(moved, getattr(task, key))) for key in ("agents", "reviews", "stops")}
        return task._replace(**values, **spans, commits=tuple(Authored(c.at_s + later, c.who) for c in task.commits))

    here, there = score(past), score([one(task) for task in past])
    assert (here.worth, here.at_once) == (there.worth, there.at_once)
    assert here.serial_s.least == pytest.approx(there.serial_s.least)


def test_more_agents_at_once_never_make_the_verdict_worse() -> None:
    order = (Worth.SEQUENTIAL, Worth.EVEN, Worth.PAID)
    worths = [score([agent(str(n), 0, 20, landed=60) for n in range(count)]).worth for count in range(2, 6)]
    assert all(order.index(a) <= order.index(b) for a, b in pairwise(worths)) and worths[-1] is Worth.PAID
