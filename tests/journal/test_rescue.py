"""A writer killed in the middle of a transaction: readers see what was committed before, and put nothing right."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import kit
import pytest
import rooms

from git_fleet.journal import database, rescue

KILLED = """
import os, sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("PRAGMA cache_size = 1")  # so that pages are written before the end
db.execute("BEGIN IMMEDIATE")
db.execute("UPDATE operation SET summary = 'never committed'")
for number in range(1000):
    db.execute("INSERT INTO operation (kind, state, summary, began_s) VALUES ('add', 'done', ?, 0)", ("x" * 300,))
os.kill(os.getpid(), 9)
"""


def kill_a_writer(folder: Path) -> None:
    path = database.path_of(str(folder))
    ended = subprocess.run([sys.executable, "-c", KILLED, path], check=False)
    assert ended.returncode == -signal.SIGKILL and os.path.exists(f"{path}-journal")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with database.opened(str(tmp_path / "fleet")) as journal:
        for summary in ("one", "two"):
            journal.begin("add", summary)
    kill_a_writer(tmp_path / "fleet")
    return tmp_path / "fleet"


def summaries(folder: Path) -> list[str] | None:
    with database.opened_to_read(str(folder)) as journal:
        return None if journal is None else [one.summary for one in journal.operations()]


def test_readers_see_the_last_committed_state_and_write_nothing(folder: Path) -> None:
    before = kit.listing(folder)
    assert summaries(folder) == ["two", "one"]
    assert kit.listing(folder) == before


def test_the_next_writer_puts_it_right(folder: Path) -> None:
    with database.opened(str(folder)) as journal:
        journal.begin("add", "three")
    assert summaries(folder) == ["three", "two", "one"] and not (folder / "fleet.db-journal").exists()


def test_it_was_put_right_while_we_looked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between finding that a writer was killed and copying, another writer came."""
    copied = rescue.copied

    @contextlib.contextmanager
    def late(path: str) -> object:
        with database.opened(str(folder)) as journal:
            journal.begin("add", "three")
        with copied(path) as copy:
            assert copy is None
            yield copy

    monkeypatch.setattr(rescue, "copied", late)
    assert summaries(folder) == ["three", "two", "one"]


def test_a_copy_leaves_no_trace(folder: Path) -> None:
    with rescue.copied(database.path_of(str(folder))) as copy:
        assert copy is not None and os.path.dirname(copy) != str(folder)
    assert not os.path.exists(os.path.dirname(copy))


def test_log_and_undo_answer_beside_a_killed_writer(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}})
    repo.fleet("land", check=0)
    kill_a_writer(repo.common_dir() / "fleet")
    assert rooms.operations(repo) == [("land", "done")]
    assert "land a" in repo.fleet("undo", "--dry-run", check=0).out
    assert rooms.states(repo) == {"a": "landed"}
    repo.fleet("undo", check=0)
    assert rooms.operations(repo) == [("undo", "done"), ("land", "undone")]
