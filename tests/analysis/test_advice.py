"""Advice with its reasons."""

import itertools

from git_fleet.analysis.advice import advise
from git_fleet.model.fleet import Outlook
from git_fleet.model.plan import Advice, Coupling, Hot, Overlap, Task, Verdict


def task(id: str, minutes: int | None = None, needs: tuple[str, ...] = ()) -> Task:
    owns = (f"{id}.py",)
    return Task(id, f"t{id}", "", f"b{id}", f"/w/{id}", owns=owns, needs=needs, estimate_s=minutes and minutes * 60)


def test_the_empty_and_the_single() -> None:
    assert advise((), (), ()) == Advice(Verdict.SEQUENTIAL, 0, None, ("the plan has no task yet",))
    alone = advise((task("1"),), (("1",),), ())
    assert (alone.verdict, alone.width, alone.speedup) == (Verdict.SEQUENTIAL, 1, 1.0)
    assert alone.reasons == ("a single task needs no fleet",)


def test_independent_tasks_run_side_by_side() -> None:
    assert advise((task("1"), task("2")), (("1", "2"),), ()) == Advice(
        Verdict.PARALLEL, 2, 2.0, ("2 tasks need nothing of each other and own different paths",), None, ("1",)
    )


def test_nothing_is_said_of_paths_that_nobody_named() -> None:
    tasks = (task("1"), task("2")._replace(owns=()))
    said = "2 tasks need nothing of each other; 1 of them own no path and may meet anywhere"
    assert advise(tasks, (("1", "2"),), ()).reasons == (said,)


def test_an_order_is_explained_and_binds_only_where_paths_overlap() -> None:
    tasks = (task("1", 30), task("2", 50), task("3", 30))
    assert advise(tasks, (("1", "2"), ("3",)), (Overlap(("1", "3"), ("cli.py",)),)) == Advice(
        Verdict.MIXED,
        2,
        1.3,
        (
            "1 t1 and 3 t3 both own cli.py: 3 after 1, or one of them alone",
            "the longest chain is 1 → 3: 1h of 1h 50m of work",
            "55m stay serial: splitting, reviewing, gates, conflicts; 1.3 times as fast with reviews, 1.6 without",
        ),
        1.6,
        ("1", "3"),
        3600.0,
        3300.0,
    )


def test_a_chain_is_sequential() -> None:
    advice = advise((task("1"), task("2", needs=("1",))), (("1",), ("2",)), (Overlap(("1", "2"), ("x",), "2 needs 1"),))
    assert advice == Advice(
        Verdict.SEQUENTIAL, 1, 1.0, ("2 t2 waits for the landing of 1",), None, ("1", "2"), None, None
    )


def test_a_ring_never_runs() -> None:
    advice = advise((task("1", needs=("2",)), task("2", needs=("1",))), (), ())
    assert advice.verdict is Verdict.SEQUENTIAL
    assert advice.speedup is None
    assert advice.reasons == (
        "1, 2: never, because of a ring of needs",
        "1 t1 waits for the landing of 2",
        "2 t2 waits for the landing of 1",
    )


def test_small_tasks_that_overlap_are_one() -> None:
    tasks = (task("1", 10), task("2", 10), task("3", 90))
    advice = advise(tasks, (("1", "3"), ("2",)), (Overlap(("1", "2"), ("cli.py",)),))
    assert advice.reasons[0] == "1 t1 and 2 t2 both own cli.py and are small: make them one task"
    assert "1, 2: less than 15m of work; coarser tasks cost less to hand out" in advice.reasons


def test_what_many_want_comes_first_and_lists_merge_by_themselves() -> None:
    tasks = tuple(task(str(n)) for n in range(1, 5))
    overlaps = [
        Overlap((a, b), ("CHANGELOG.md", "cli.py") if b != "4" else ("CHANGELOG.md",))
        for a, b in itertools.combinations("1234", 2)
    ]
    assert advise(tasks, (("1",), ("2",), ("3",), ("4",)), overlaps).reasons[:2] == (
        "CHANGELOG.md, owned by 1, 2, 3 and 1 more: 'CHANGELOG.md merge=union' in .gitattributes makes it harmless",
        "cli.py, owned by 1, 2, 3: give it a task of its own, first, that they need",
    )
    hot = (Hot("app.py", 0.2, ("1", "2")),)
    pair = (Overlap(("1", "2"), ("app.py",)),)
    assert advise(tasks[:2], (("1",), ("2",)), pair, hot=hot).reasons[0] == (
        "app.py, owned by 1, 2: give it a task of its own, first, that they need"
    )


def test_coupled_tasks_are_not_independent() -> None:
    advice = advise(
        (task("1"), task("2")), (("1", "2"),), (), [Coupling(("1", "2"), ("cli.py", "README.md"), 12, 0.64)]
    )
    assert advice.verdict is Verdict.MIXED
    assert advice.reasons == (
        "1 t1 and 2 t2: cli.py and README.md change together (12 commits, 64%): one after the other, or one task",
    )


def test_what_stays_serial_can_eat_up_all_gain() -> None:
    advice = advise((task("1", 5), task("2", 5)), (("1", "2"),), ())
    assert advice.verdict is Verdict.SEQUENTIAL
    assert advice.speedup == 0.9
    assert advice.reasons[-1] == (
        "what stays serial eats up what is gained: one task after the other is as fast, and simpler"
    )


def test_one_person_reviews_only_so_many() -> None:
    tasks = tuple(task(str(n), 30) for n in range(6))
    waves = (tuple(one.id for one in tasks),)
    advice = advise(tasks, waves, ())
    assert (advice.speedup, advice.speedup_without_review) == (2.1, 4.5)
    assert "one person reviews 2 of them in the time that one takes (15m each), not 6" in advice.reasons
    quick = advise(tasks, waves, (), outlook=Outlook(review_s=0.0))
    assert (quick.speedup, quick.serial_s) == (4.5, 600.0)


def test_the_limit_holds_back() -> None:
    tasks = tuple(task(str(n)) for n in range(9))
    waves = (tuple(one.id for one in tasks),)
    assert advise(tasks, waves, ()).reasons[-1] == (
        "9 at once: past 7, keeping them apart costs more than it saves; set fleet.limit"
    )
    limited = advise(tasks, waves, (), outlook=Outlook(limit=3))
    assert (limited.speedup, limited.reasons[-1]) == (3.0, "9 could run at once, fleet.limit lets 3")
    assert advise(tasks, waves, (), outlook=Outlook(limit=1)).verdict is Verdict.SEQUENTIAL


def test_the_past_stands_in_for_estimates() -> None:
    advice = advise((task("1"), task("2")), (("1", "2"),), (), outlook=Outlook(spent_s=(3600.0, 7200.0, 5400.0)))
    assert advice.critical_path_s == 5400.0
    assert (advice.speedup, advice.speedup_without_review) == (1.6, 1.8)


def test_not_more_reasons_than_anybody_reads() -> None:
    tasks = [task("0"), *(task(str(n), needs=("0",)) for n in range(1, 20))]
    reasons = advise(tasks, (("0",), tuple(one.id for one in tasks[1:])), ()).reasons
    assert reasons[4] == "and 15 more of the kind"
    assert len(reasons) == 6
