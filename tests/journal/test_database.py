"""The journal: numbers, states and changes survive; what cannot be used is named; readers write nothing."""

import contextlib
import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import kit
import pytest

from git_fleet.journal import database, schema
from git_fleet.journal.database import GateRow, Journal
from git_fleet.model.errors import Busy, Fatal
from git_fleet.model.fleet import Landing
from git_fleet.model.journal import ChangeKind, Operation, OperationState, RecordedChange

REF = RecordedChange(ChangeKind.REF, "refs/heads/ü\udcff", None, "1" * 40)
TREE = RecordedChange(ChangeKind.WORKTREE, "/there", '{"branch": "x"}', None)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with database.opened(str(tmp_path / "fleet")) as journal:
        yield journal


def sql(folder: Path, statement: str) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(folder / "fleet.db")) as db, db:
        return db.execute(statement).fetchall()


def test_an_operation_from_intent_to_end(journal: Journal) -> None:
    number = journal.begin("add", "add 42", [REF], '{"a": 1}')
    journal.intend(number, [TREE])
    running = journal.operation(number)
    assert running is not None and running.ended_s is None and running.state is OperationState.RUNNING
    journal.describe(number, detail='{"b": 2}')
    journal.describe(number, summary="add 42, 43")
    journal.finish(number, OperationState.DONE)
    done = journal.operation(number)
    assert done is not None and done.ended_s is not None and done.ended_s >= done.began_s
    expected = Operation(
        1, "add", OperationState.DONE, "add 42, 43", done.began_s, done.ended_s, (REF, TREE), '{"b": 2}'
    )
    assert done == expected
    journal.rewrite(number, [TREE])
    assert journal.operations() == (expected._replace(changes=(TREE,)),)
    assert journal.operation(99) is None


def test_newest_first_by_state_and_number(journal: Journal) -> None:
    for state in (OperationState.DONE, OperationState.FAILED, OperationState.STOPPED, OperationState.DONE):
        journal.finish(journal.begin("land", "x"), state)
    assert [one.id for one in journal.operations()] == [4, 3, 2, 1]
    assert [one.id for one in journal.operations(2)] == [4, 3]
    assert [one.id for one in journal.operations(1, [OperationState.DONE])] == [4]
    assert [one.id for one in journal.operations(states=[OperationState.DONE, OperationState.STOPPED])] == [4, 3, 1]


def test_numbers_go_on_above_what_was_kept(journal: Journal) -> None:
    assert [journal.begin("add", "x"), journal.begin("add", "x", at_least=7), journal.begin("add", "x")] == [1, 7, 8]


def test_landings(journal: Journal) -> None:
    one, two = Landing("42", "a" * 40, "b" * 40), Landing("43", "c" * 40, "d" * 40)
    first, second = journal.begin("land", "x"), journal.begin("land", "y")
    journal.record_landings(second, [two])
    journal.record_landings(first, [one])
    journal.record_landings(first, [one])
    assert journal.landings() == (one, two)
    assert (journal.landings_of(first), journal.landings_of(second)) == ((one,), (two,))
    journal.finish(first, OperationState.UNDONE)
    assert [task for task, _ in journal.landed_at()] == ["43"]


def test_gate_results(journal: Journal) -> None:
    red, green = GateRow("failed", 1.5, "/log"), GateRow("passed", 2.5, None)
    assert journal.gate_result("tree", "make", "env") is None
    journal.record_gates([("tree", "make", "env", red, "42"), ("base", "make", "env", green, None)])
    journal.record_gates([("tree", "make", "env", green, "42")])
    assert journal.gate_result("tree", "make", "env") == green and journal.gate_result("tree", "true", "env") is None
    assert journal.gate_result("tree", "make", "other env") is None
    assert journal.gates_by_task() == {"42": "passed"}


def test_it_is_there_the_next_time(tmp_path: Path) -> None:
    for number in (1, 2):
        with database.opened(str(tmp_path / "a" / "fleet")) as journal:
            assert journal.begin("add", "x", [REF]) == number
    with database.opened_to_read(str(tmp_path / "a" / "fleet")) as read:
        assert read is not None and [one.changes for one in read.operations()] == [(REF,), (REF,)]


def test_a_failing_write_leaves_nothing(journal: Journal) -> None:
    with pytest.raises(sqlite3.Error):
        journal.begin("add", "x", [REF, REF._replace(name=None)])  # type: ignore[arg-type]
    assert journal.operations() == () and journal.begin("add", "y") == 1


def test_a_full_disk_is_called_so_and_what_was_there_stays(tmp_path: Path) -> None:
    """SQLite rolls back by itself then; its limit of pages is a disk that can be full everywhere."""
    with database.opened(str(tmp_path / "fleet")) as journal:
        journal.begin("add", "x")
        pages = sql(tmp_path / "fleet", "PRAGMA page_count")[0][0]
        journal.db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(Fatal, match=r"cannot be written: database or disk is full") as error:
            journal.begin("add", "y" * 100_000)
        assert error.value.hints == ('df "$(git rev-parse --git-path fleet)"   # is there room on its disk?',)
        assert [one.summary for one in journal.operations()] == ["x"]


# -------------------------------------------------------------------------------------------------- versions and damage


def test_an_old_version_is_brought_up_to_date(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "fleet.db").close()
    with database.opened(str(tmp_path)) as journal:
        journal.begin("add", "x")
    assert sql(tmp_path, "PRAGMA user_version") == [(len(schema.MIGRATIONS),)]
    with database.opened(str(tmp_path)) as journal:
        assert len(journal.operations()) == 1


def test_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    with database.opened(str(tmp_path)):
        pass
    sql(tmp_path, f"PRAGMA user_version = {len(schema.MIGRATIONS) + 1}")
    before = (tmp_path / "fleet.db").read_bytes()
    with pytest.raises(Fatal, match="was written by a newer git fleet") as caught, database.opened(str(tmp_path)):
        pass
    assert str(tmp_path / "fleet.db") in caught.value.message and caught.value.hints
    with database.opened_to_read(str(tmp_path)) as journal:
        assert journal is None
    assert (tmp_path / "fleet.db").read_bytes() == before


def test_garbage_is_named_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "fleet.db").write_bytes(b"garbage" * 1000)
    with pytest.raises(Fatal, match="cannot be used") as caught, database.opened(str(tmp_path)):
        pass
    assert str(tmp_path / "fleet.db") in caught.value.message
    with database.opened_to_read(str(tmp_path)) as journal:
        assert journal is None
    assert (tmp_path / "fleet.db").read_bytes() == b"garbage" * 1000


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x\n")
    with pytest.raises(Fatal, match="cannot open") as caught, database.opened(str(tmp_path / "file" / "fleet")):
        pass
    assert str(tmp_path / "file") in caught.value.message


def test_a_journal_that_is_in_use_too_long_is_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_S", 0.05)
    with database.opened(str(tmp_path)) as journal:
        with contextlib.closing(sqlite3.connect(tmp_path / "fleet.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(Busy, match="journal is in use"):
                journal.begin("add", "x")
        assert journal.begin("add", "x") == 1


# -------------------------------------------------------------------------------------------------------------- reading


def test_reading_where_there_is_none_makes_none(tmp_path: Path) -> None:
    with database.opened_to_read(str(tmp_path / "fleet")) as journal:
        assert journal is None
    assert not (tmp_path / "fleet").exists()


@pytest.mark.parametrize("name", ["plain", "sp ace%20?#x", "a:b", "ü"])
def test_reading_writes_nothing(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    with database.opened(str(folder)) as journal:
        journal.begin("add", "x", [REF])
    before = kit.listing(tmp_path)
    with database.opened_to_read(str(folder)) as read:
        assert read is not None and len(read.operations()) == 1
        assert kit.listing(tmp_path) == before
        with pytest.raises(Fatal, match="cannot be written"):
            read.begin("add", "y")
    assert kit.listing(tmp_path) == before


# ------------------------------------------------------------------------------------------------------------- at once


def test_many_at_once_get_numbers_of_their_own(tmp_path: Path) -> None:
    script = (
        "import json, sys; from git_fleet.journal import database\n"
        "with database.opened(sys.argv[1]) as j: print(json.dumps([j.begin('add', 'x') for _ in range(50)]))"
    )
    argv = [sys.executable, "-c", script, str(tmp_path / "fleet")]
    running = [subprocess.Popen(argv, cwd=kit.ROOT, stdout=subprocess.PIPE, text=True) for _ in range(8)]
    numbers = [number for one in running for number in json.loads(one.communicate(timeout=120)[0])]
    assert sorted(numbers) == list(range(1, 401))
