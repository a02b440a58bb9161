"""Advice with its reasons."""

import pytest

from git_fleet.analysis.advice import advise
from git_fleet.model.plan import Advice, Overlap, Task, Verdict


def task(id: str, minutes: int | None = None, needs: tuple[str, ...] = ()) -> Task:
    return Task(id, f"t{id}", "", f"b{id}", f"/w/{id}", needs=needs, estimate_s=minutes and minutes * 60)


@pytest.mark.parametrize(
    ("tasks", "waves", "overlaps", "expected"),
    [
        ((), (), (), Advice(Verdict.SEQUENTIAL, 0, None, ("the plan has no task yet",))),
        ((task("1"),), (("1",),), (), Advice(Verdict.SEQUENTIAL, 1, 1.0, ("a single task needs no fleet",))),
        (
            (task("1"), task("2")),
            (("1", "2"),),
            (),
            Advice(Verdict.PARALLEL, 2, 2.0, ("2 tasks need nothing of each other and own different paths",)),
        ),
        (
            (task("1", 30), task("2", 60), task("3", 30)),
            (("1", "2"), ("3",)),
            (Overlap(("1", "3"), ("cli.py",)),),
            Advice(
                Verdict.MIXED,
                2,
                1.3,
                ("1 t1 and 3 t3 both own cli.py: one after the other, or give it to one of them",),
            ),
        ),
        (
            (task("1"), task("2", 5, needs=("1",))),
            (("1",), ("2",)),
            (Overlap(("1", "2"), ("cli.py",), "2 needs 1"),),
            Advice(Verdict.SEQUENTIAL, 1, 1.0, ("2 t2 waits for the landing of 1",)),
        ),
        (
            (task("1", needs=("2",)), task("2", needs=("1",))),
            (),
            (),
            Advice(
                Verdict.SEQUENTIAL,
                0,
                None,
                (
                    "1 t1 waits for the landing of 2",
                    "2 t2 waits for the landing of 1",
                    "1, 2: never, because of a ring of needs",
                ),
            ),
        ),
    ],
)
def test_advice(
    tasks: tuple[Task, ...], waves: tuple[tuple[str, ...], ...], overlaps: tuple[Overlap, ...], expected: Advice
) -> None:
    assert advise(tasks, waves, overlaps) == expected


def test_not_more_reasons_than_anybody_reads() -> None:
    tasks = [task("0"), *(task(str(n), needs=("0",)) for n in range(1, 20))]
    reasons = advise(tasks, (("0",), tuple(one.id for one in tasks[1:])), ()).reasons
    assert len(reasons) == 6
    assert reasons[-1] == "and 14 more of the kind"
