"""The score, whole, and its document."""

from collections.abc import Callable
from typing import Any

import pytest

from git_fleet.model.score import Range, Score, Source, TaskScore, Worth
from git_fleet.output import score, words
from git_fleet.output.style import Style

M = 60.0
TASKS = (
    TaskScore("42", "count", 0.0, 65 * M, 105 * M, Range(60 * M, 60 * M), Source.AGENT, 10 * M, 40 * M, 0.0, 5.0),
    TaskScore("43", "43", 0.0, 45 * M, 105 * M, Range(20 * M, 45 * M), Source.COMMITS, None, 60 * M, 90.0, None),
    TaskScore("44", "clear", 0.0, None, 1560 * M, Range(0.0, None), None, None, None, 0.0, None),
)
FOUND = Score(
    TASKS,
    0.0,
    1560 * M,
    120 * M,
    Range(80 * M, None),
    10 * M,
    90.0,
    5 * M,
    3 * M,
    3,
    Worth.UNKNOWN,
    "nobody knows how long 44 took",
    1,
)
SCREEN = """\
id  title        work  known by  review  waited  conflict  gates
42  count          1h  agent        10m     40m               5s
43         20m to 45m  commits               1h        1m
44  clear     unknown

on the clock         2h from the first begun to the last landed, and 1d of pauses
one after the other  at least 1h 20m of work (1 by agents, 1 by commits, 1 unknown; the less if everybody does one thing at a time)
integration          16m: reviews 10m, conflicts 1m, gates 5m (3m saved by running them side by side)
without conflicts    1h 58m at best
at once              3 tasks at most
not landed yet       1 task

too little is known: nobody knows how long 44 took"""  # noqa: E501 - as it is shown


def test_the_screen() -> None:
    assert score.text(FOUND, Style()) == SCREEN


@pytest.mark.parametrize(
    ("worth", "work", "said"),
    [
        (Worth.PAID, (180, 180), "parallel paid: 2h for what takes 3h one after the other, 1.5 times as fast"),
        (
            Worth.PAID,
            (180, 240),
            "parallel paid: 2h for what takes 3h to 4h one after the other, at least 1.5 times as fast",
        ),
        (Worth.EVEN, (125, 125), "about even: 2h for what takes 2h 5m one after the other"),
        (Worth.SEQUENTIAL, (60, 60), "sequential would have been as fast: 2h for what takes 1h one after the other"),
    ],
)
def test_the_verdict(worth: Worth, work: tuple[int, int], said: str) -> None:
    found = FOUND._replace(worth=worth, serial_s=Range(work[0] * M, work[1] * M))
    assert score.verdict(found) == said
    assert score.document(found)["verdict"] == str(worth) and score.document(found)["reason"] == said


def test_the_document_conforms_and_what_is_unknown_is_null(conform: Callable[[str, dict[str, object]], Any]) -> None:
    found = conform("score", score.document(FOUND))
    assert found["speedup"] == {"least": 0.667, "most": None}
    assert [one["work_s"] for one in found["tasks"]] == [
        {"least": 3600, "most": 3600},
        {"least": 1200, "most": 2700},
        None,
    ]
    bare = Score((), None, None, None, Range(0.0, 0.0), None, None, None, 0.0, 0, Worth.UNKNOWN, "no task has landed")
    known = conform("score", score.document(bare))
    assert (known["wall_s"], known["speedup"], known["integration_s"]) == (None, None, None)
    assert score.text(bare, Style()) == "too little is known: no task has landed"


def test_spans_of_time() -> None:
    told = [words.span(one) for one in (-1, 0, 59.9, 60, 3599, 3600, 3900, 86400, 97260)]
    assert told == ["0s", "0s", "59s", "1m", "59m", "1h", "1h 5m", "1d", "1d 3h 1m"]
