"""What waits for review, since when it is read, and how long that is likely to take."""

import pytest

from git_fleet.analysis import reviewing
from git_fleet.model.fleet import Mark, State
from git_fleet.model.review import Event


def shown(task: str, tip: str, who: str, at_s: float) -> Event:
    return Event(task, tip, who, at_s)


def mark(state: State, tip: str) -> Mark:
    return Mark("a", state, None, "me", 1.0, tip)


@pytest.mark.parametrize(
    ("state", "said", "expected"),
    [
        (State.ACTIVE, None, True),
        (State.DONE, mark(State.DONE, "new"), True),
        (State.MISSING, None, True),
        (State.APPROVED, mark(State.APPROVED, "new"), False),
        (State.ACTIVE, mark(State.APPROVED, "old"), True),
        (State.REJECTED, mark(State.REJECTED, "new"), False),
        (State.REJECTED, mark(State.REJECTED, "old"), True),
        (State.RUNNING, mark(State.RUNNING, "old"), False),
        (State.STUCK, mark(State.STUCK, "new"), False),
        (State.LANDED, None, False),
        (State.DROPPED, None, False),
    ],
)
def test_what_waits(state: State, said: Mark | None, expected: bool) -> None:
    assert reviewing.waits(state, said, "new") is expected


def test_a_review_begins_with_the_first_look_and_ends_with_anybodys_answer() -> None:
    events = [
        shown("a", "1", "me", 10),
        shown("a", "1", "you", 15),
        shown("a", "1", "me", 20),
        shown("b", "1", "me", 30),
    ]
    assert reviewing.began(events, "a", "1", "me") == 10
    assert reviewing.began(events, "a", "1", "you") == 15
    assert reviewing.began(events, "a", "2", "me") is None
    answered = [*events, Event("a", "1", "you", 40, "approved", 15)]
    assert reviewing.began(answered, "a", "1", "me") is None
    assert reviewing.began([*answered, shown("a", "1", "me", 50)], "a", "1", "me") == 50


def test_what_is_in_hand_is_what_was_shown_last_and_not_answered() -> None:
    events = [shown("a", "1", "me", 1), shown("b", "2", "me", 2), shown("c", "3", "you", 3)]
    assert reviewing.in_hand(events, "me", "abc") == "b"
    assert reviewing.in_hand(events, "me", "ac") == "a"
    assert reviewing.in_hand([*events, Event("b", "2", "you", 4, "rejected")], "me", "abc") == "a"
    assert reviewing.in_hand(events[2:], "me", "abc") is None
    assert reviewing.last_shown(events, "b", "me") == "2" and reviewing.last_shown(events, "c", "me") is None


def test_few_reviews_say_nothing_and_what_took_too_long_lay_on_a_desk() -> None:
    def answered(task: str, minutes: float) -> Event:
        return Event(task, "1", "me", 60 * minutes, "approved", 0.0)

    two = [answered("a", 2), answered("a", 6), answered("b", 121), Event("c", "1", "me", 60, "approved")]
    assert reviewing.lasted(two) == {"a": [(0, 120), (0, 360)], "b": [(0, 7260)]}
    assert reviewing.likely(reviewing.lasted(two), 900.0) == (900.0, 0)
    assert reviewing.likely(reviewing.lasted([*two, answered("c", 4)]), 900.0) == (240.0, 3)
    assert reviewing.likely(reviewing.lasted([*two, answered("c", 3), answered("d", 5)]), 900.0) == (240.0, 4)
