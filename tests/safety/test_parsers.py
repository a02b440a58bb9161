"""Every reader of text that others wrote: whatever it is given, an answer or an error of ours, and soon. SAFETY 3.8.

Plans in Markdown have their own in `tests/plan`; here is the rest.
"""

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
import rooms
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kit import Repo

from git_fleet.journal import database
from git_fleet.model.errors import FleetError
from git_fleet.plan import checklist, issues, orchestration
from git_fleet.repo import looking, merging
from git_fleet.repo import settings as settings_of
from safety import TORTURE

EXAMPLES = 20_000 if TORTURE else 150
fuzz = settings(max_examples=EXAMPLES, deadline=2000, suppress_health_check=[HealthCheck.too_slow])
OID = "0123456789" * 4
PATHS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=30)
KEYS = st.sampled_from(["number", "title", "body", "labels", "state", "name", "url", "task", "subtasks", "id", "owns"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8) | KEYS, inner, max_size=5),
    max_leaves=12,
)


def answers(read: Callable[[], object]) -> None:
    """An answer, or an error of ours."""
    try:
        read()
    except FleetError as error:
        assert str(error)


@fuzz
@given(JSON | st.lists(st.dictionaries(KEYS, JSON, max_size=6), max_size=4))
def test_issues(value: object) -> None:
    answers(lambda: issues.parsed(json.dumps(value).encode(), "issues.json"))


@fuzz
@given(st.binary(max_size=200) | st.text("[]{},:\"'0123456789eE+-.\\u nulltrefas", max_size=60).map(str.encode))
def test_issues_that_are_no_json(data: bytes) -> None:
    answers(lambda: issues.parsed(data, "issues.json"))


YAML = st.text("tasksubiddescription: -[]{}&*!|>%@`'\"#\n\t,01?~<=é", max_size=120)


@fuzz
@given(YAML | JSON.map(lambda value: json.dumps(value)))
def test_orchestrations(text: str) -> None:
    answers(lambda: orchestration.parsed(text.encode(), "plan.yaml"))


@fuzz
@given(st.text("- *+[]xX 1.)#`\n\té/\\.|", max_size=200) | st.text(max_size=100))
def test_checklists(text: str) -> None:
    found = checklist.parsed(text)
    assert all(isinstance(part, tuple | int | str | None) for part in found)


@fuzz
@given(st.lists(st.tuples(st.sampled_from("1?!u"), PATHS), max_size=6))
def test_what_git_status_says(entries: list[tuple[str, str]]) -> None:
    """Any path comes out as it went in."""
    start = {
        "1": f"1 MM N... 100644 100644 100644 {OID} {OID} ",
        "u": f"u UU N... 100644 100644 100644 100644 {OID} {OID} {OID} ",
        "?": "? ",
        "!": "! ",
    }
    found = looking._dirt("".join(f"{start[kind]}{path}\0" for kind, path in entries), None)
    by_kind = {kind: tuple(path for one, path in entries if one == kind) for kind in "1u?!"}
    assert (found.staged, found.unstaged) == (by_kind["1"], by_kind["1"])
    assert (found.untracked, found.unmerged, found.ignored) == (by_kind["?"], by_kind["u"], by_kind["!"])


MERGES = st.lists(
    st.tuples(st.lists(PATHS, max_size=3, unique=True), st.lists(st.tuples(PATHS, PATHS), max_size=2)),
    min_size=1,
    max_size=4,
)


@fuzz
@given(MERGES, st.data())
def test_what_git_merge_tree_says(merges: list[tuple[list[str], list[tuple[str, str]]]], data: st.DataObject) -> None:
    """Any path comes out as it went in, and an answer that a crash cut short is left out, wherever it was cut."""
    answers = []
    for conflicts, remarks in merges:
        stages = [f"100644 {OID} {number}\t{path}" for path in conflicts for number in (1, 2, 3)]
        told = [field for path, sentence in remarks for field in ("1", path, "CONFLICT (contents)", sentence)]
        answers.append("\0".join([str(int(not conflicts)), OID, *stages, "", *told, "", ""]))
    whole = "".join(answers)
    found = list(merging._read_merges(whole))
    assert [list(merge.paths) for merge in found] == [sorted(conflicts) for conflicts, _ in merges]
    cut = data.draw(st.integers(0, len(whole)))
    left = [(merge.tree, merge.paths) for merge in merging._read_merges(whole[:cut])]
    assert left == [(merge.tree, merge.paths) for merge in found[: len(left)]]


VALUES = st.text(max_size=12) | st.sampled_from(
    ["9" * 5000, "1e999h", "9" * 400 + "d", "٣", "-1", "0", "true", "\ud800"]
)
NAMES = (
    "limit",
    "review",
    "gateMode",
    "gateJobs",
    "gateTimeout",
    "gateRetries",
    "ports",
    "writeStatus",
    "strategy",
    "plan",
    "base",
)


@settings(fuzz, max_examples=EXAMPLES // 5, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(NAMES), VALUES)
def test_settings(tmp_path_factory: pytest.TempPathFactory, key: str, value: str) -> None:
    if any(char in value for char in "\0\r\n\ud800"):
        return
    repo = _shared(tmp_path_factory)
    repo.git("config", f"fleet.{key}", value)
    try:
        answers(lambda: settings_of.load(rooms.of(repo)))
    finally:
        repo.git("config", "--unset-all", f"fleet.{key}")


_repos: list[Repo] = []


def _shared(factory: pytest.TempPathFactory) -> Repo:
    if not _repos or not _repos[0].path.is_dir():
        _repos[:] = [rooms.fleet(factory.mktemp("settings"), {})]
    return _repos[0]


def test_a_journal_whose_damage_cannot_be_told(tmp_path: Path) -> None:
    """SQLite quotes what it found, which is no UTF-8 any more."""
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}})
    repo.fleet("land", check=0)
    path = Path(database.path_of(str(repo.common_dir() / "fleet")))
    data = path.read_bytes()
    assert data.count(b"CREATE TABLE operation ") == 1
    path.write_bytes(data.replace(b"CREATE TABLE operation ", b"CREATE TABLE oper\xd4tion "))
    for words in (("log",), ("status",), ("undo", "--dry-run"), ("land",)):
        done = repo.fleet(*words, oracle=False)  # raises for a traceback
        assert done.status in (0, 128), done
    found = repo.fleet("doctor", "--json", oracle=False).json["findings"]
    assert [one["code"] for one in found] == ["journal-damaged"]


@pytest.mark.parametrize("seed", range(40 if TORTURE else 3))
def test_a_journal_with_bytes_changed(seed: int, tmp_path: Path) -> None:
    """SAFETY 78: a reader answers without it or names it; nobody falls over it."""
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}})
    repo.fleet("land", check=0)
    path = Path(database.path_of(str(repo.common_dir() / "fleet")))
    data, dice = bytearray(path.read_bytes()), random.Random(seed)
    for _ in range(2 ** dice.randrange(1, 10)):
        data[dice.randrange(0 if seed % 2 else 100, len(data))] = dice.randrange(256)
    path.write_bytes(data)
    for words in (("log",), ("status",), ("undo", "--dry-run"), ("land",)):
        done = repo.fleet(*words, oracle=False)  # raises for a traceback
        assert done.status in (0, 3, 4, 128), done


@pytest.mark.parametrize(
    "detail", ["", "{", "[]", "null", '{"onto": 3, "lane": 4, "current": 5}', '{"undoes": "x"}', "1"]
)
def test_a_note_that_makes_no_sense(detail: str, tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}})
    with database.opened(str(repo.common_dir() / "fleet")) as journal:
        journal.begin("land", "land a", detail=detail)
    for words in (("log",), ("status",), ("land",)):
        assert repo.fleet(*words, oracle=False).status in (0, 128)
