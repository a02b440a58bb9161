"""One form into another: what the form can hold reads as it was, what it cannot is named."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kit import Repo, make_repo

from git_fleet.model.plan import Plan, Row, Source, SourceKind, Task
from git_fleet.model.settings import Settings
from git_fleet.plan import config, convert, orchestration
from git_fleet.plan.markdown import rows_of
from git_fleet.plan.sheet import Sheet

NOTHING = ("", "—", "–", "-", "none", "n/a")
PRINTABLE = st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Zl", "Zp", "Zs", "Cs"))
TEXT = st.text(PRINTABLE | st.sampled_from("|`\\*_[]()#<>-,; "), min_size=1, max_size=12).filter(
    lambda text: text == " ".join(text.split()) and text.casefold() not in NOTHING
)
PATH = st.from_regex(r"!?[a-zé漢*?|`\[\]][a-zé0-9 ._*?|`/()\\-]{0,8}[a-z*/]", fullmatch=True)
ID = st.from_regex(r"[0-9]{1,3}|[A-Z]{2}-[0-9]{1,2}|[a-z]{2,5}", fullmatch=True).filter(lambda id: id not in NOTHING)
ROW = st.builds(
    Row,
    id=ID,
    title=st.none() | TEXT,
    branch=st.none() | PATH,
    worktree=st.none() | PATH,
    owns=st.lists(PATH, max_size=3, unique=True).map(tuple),
    needs=st.lists(ID, max_size=3, unique=True).map(tuple),
    status=st.none() | st.sampled_from(["queued", "**done**", "a | b", "`x`"]),
    agent=st.none() | TEXT,
    prompt=st.none() | PATH,
    checklist=st.none() | PATH,
    estimate=st.none() | st.sampled_from(["45m", "2h", "90"]),
    priority=st.none() | st.sampled_from(["0", "-3", "10"]),
    line=st.none(),
)
ROWS = st.lists(ROW, min_size=1, max_size=4, unique_by=lambda row: row.id).map(tuple)


@given(rows=ROWS)
def test_markdown_holds_it_or_says_what_it_does_not(rows: tuple[Row, ...]) -> None:
    found = convert.to_markdown(Sheet(rows))
    read = rows_of(found.text)
    said = set(found.lost)
    assert {row.id for row in read} == {row.id for row in rows} or said
    for before, after in zip(rows, read, strict=True):
        for field in Row._fields[1:-1]:
            assert getattr(before, field) == getattr(after, field) or f"{field} of {before.id}" in said


@given(rows=ROWS)
def test_everyday_rows_lose_nothing_in_markdown(rows: tuple[Row, ...]) -> None:
    plain = tuple(row._replace(title="count lines", agent="claude", owns=("src/a.py", "docs/**/*.md")) for row in rows)
    assert convert.to_markdown(Sheet(plain)).lost == ()


@given(rows=ROWS)
def test_yaml_holds_everything(rows: tuple[Row, ...]) -> None:
    found = convert.to_yaml(Sheet(rows))
    assert found.lost == ()
    read = orchestration.parsed(found.text.encode(), "x").rows
    assert tuple(row._replace(line=None) for row in read) == rows


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(rows=ROWS)
def test_git_reads_the_configuration_as_it_was(rows: tuple[Row, ...], tmp_path: Path) -> None:
    found = convert.to_config(Sheet(rows))
    assert found.lost == ()
    file = tmp_path / "config"
    file.write_text(found.text)
    listed = subprocess.run(["git", "config", "-z", "--list", "-f", file], check=True, capture_output=True, text=True)
    sections: dict[str, list[tuple[str, str]]] = {}
    for entry in listed.stdout.split("\0")[:-1]:
        key, _, value = entry.partition("\n")
        section, _, name = key.removeprefix("fleet.").rpartition(".")
        sections.setdefault(section, []).append((name, value))
    read = config.rows(Settings(rows=tuple((id, tuple(entries)) for id, entries in sections.items())))
    untitled = Row(id="")
    assert read == tuple(row._replace(title=row.id) if row._replace(id="") == untitled else row for row in rows)


def test_what_is_lost_is_named() -> None:
    rows = (Row("1", "a\u202eb", owns=("x\ty", "z")), Row("1"), Row(""))
    sheet = Sheet(rows, title="T", strategy="s", tests=("unit",), others=("column Colour",))
    assert convert.to_config(sheet).lost == (
        "a second row 1",
        "a row without an id",
        "the title of the plan: T",
        "strategy s",
        "validation test unit",
        "column Colour",
    )
    assert convert.to_yaml(sheet).lost == (
        "title of 1: an invisible character U+202E",
        "owns of 1: a control character U+0009",
        "column Colour",
    )
    assert set(convert.to_markdown(sheet).lost) >= {"strategy s", "validation test unit", "column Colour"}


def test_worktrees_without_a_plan_become_rows() -> None:
    task = Task("42", "count", "count", "feature/42-count", "/w/app-42-count")
    plan = Plan(Source(SourceKind.WORKTREES), (task, Task("fix", "fix", "", "fix", "/w/fix")))
    assert convert.of_plan(plan, "/w/app").rows == (
        Row("42", "count", "feature/42-count", "../app-42-count"),
        Row("fix", None, "fix", "../fix"),
    )


# ------------------------------------------------------------------------------------------------------- the program

PLAN = """\
| Issue | Branch | Files owned | Depends on | Status | Colour |
|---|---|---|---|---|---|
| #42 count | `b/42` | `cli.py` (dispatch) | — | queued | red |
| #43 docs | — | `README.md`, `docs/` | #42 | — | |
"""


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return make_repo(tmp_path / "app", {"PLAN.md": PLAN})


def tasks(repo: Repo, *args: str) -> object:
    return repo.fleet("plan", "--json", *args, check=0).json["tasks"]


def test_round_the_forms_and_back_it_is_the_same_plan(repo: Repo) -> None:
    before = tasks(repo, "--plan", "PLAN.md")
    done = repo.fleet("plan", "--plan", "PLAN.md", "--to", "yaml", check=0)
    assert done.err == "not carried over: column Colour\n"
    repo.write({"plan.yaml": done.out})
    assert tasks(repo, "--plan", "plan.yaml") == before
    repo.write({"again.md": repo.fleet("plan", "--plan", "plan.yaml", "--to", "markdown", check=0).out})
    assert tasks(repo, "--plan", "again.md") == before
    sections = repo.fleet("plan", "--plan", "again.md", "--to", "config", check=0).out
    with open(repo.path / ".git/config", "a") as file:
        file.write(sections)
    assert tasks(repo) == before


def test_init_from_a_file(repo: Repo) -> None:
    before = tasks(repo, "--plan", "PLAN.md")
    done = repo.fleet("init", "--from", "PLAN.md", check=0)
    assert "not carried over: column Colour\n" in done.err
    assert tasks(repo) == before
    done = repo.fleet("init", "--from", "PLAN.md", check=3)
    assert done.err.startswith("error: there is a plan already")


def test_the_branches_of_the_worktrees_become_a_plan(repo: Repo) -> None:
    repo.git("worktree", "add", "-q", "-b", "feature/7-fix", "../seven")
    found = repo.fleet("plan", "--to", "config", check=0).out
    assert found == '[fleet "7"]\n\ttitle = "fix"\n\tbranch = "feature/7-fix"\n\tworktree = "../seven"\n'


def test_forms_are_known(repo: Repo) -> None:
    repo.fleet("plan", "--to", "toml", check=129)
    repo.fleet("plan", "--to", "yaml", "--json", check=129)
    repo.fleet("plan", "--dry-run", check=129)
    repo.fleet("init", "--from", "PLAN.md", "--from-branches", check=129)


def test_yaml_is_planned_and_landed_from_but_never_written(repo: Repo) -> None:
    text = "task: x\nsubtasks:\n- {id: 1, description: one, owns: a.py}\nintegration: {validation_tests: [unit]}\n"
    repo.commit("plan", {"plan.yaml": text})
    repo.config({"fleet.plan": "plan.yaml"})
    assert "no gate of your configuration" in repo.fleet("plan", check=0).out
    repo.config({"fleetGate.unit.command": "true"})
    assert "no gate" not in repo.fleet("plan", check=0).out
    repo.fleet("add", "1", check=0)
    repo.commit("a", {"a.py": ""}, repo.path.parent / "app-1-one")
    repo.fleet("land", check=0)
    assert repo.read("plan.yaml") == text
    done = repo.fleet("add", "2 two", check=3)
    assert "a plan in YAML is only read" in done.err and not repo.exists("feature/2-two")
