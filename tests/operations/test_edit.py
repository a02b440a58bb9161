"""`plan set` and `plan drop`, with the program: what changes, what is refused, and the way back."""

import os
from pathlib import Path

import pytest
from kit import Repo, make_repo
from rooms import Quick
from warm import Warm

from git_fleet.journal import database
from git_fleet.model.journal import ChangeKind, RecordedChange

PLAN = """\
# Plan\r
\r
| Issue | Branch | Files owned | Depends on | Status |\r
|---|---|---|---|---|\r
| #42 count | `b/42` | `cli.py` | — | queued |\r
| #43 docs | `b/43` | `docs/` | #42 | |\r
| #44 clear | `b/44` | `cli.py` | #42 | |\r
"""


@pytest.fixture
def file(tmp_path: Path) -> Repo:
    repo = make_repo(tmp_path / "app", {"PLAN.md": PLAN})
    repo.git("config", "fleet.plan", "PLAN.md")
    return repo


@pytest.fixture
def config(tmp_path: Path) -> Repo:
    repo = make_repo(tmp_path / "app", {"cli.py": ""})
    repo.config({"fleet.42.title": "count", "fleet.42.owns": ["a.py", "b.py"], "fleet.42.nonsense": "kept"})
    repo.config({"fleet.43.title": "docs", "fleet.43.needs": "42"})
    return repo


def section(repo: Repo, id: str) -> list[str]:
    lines = repo.git("config", "--local", "--list").splitlines()
    return [line.removeprefix(f"fleet.{id}.") for line in lines if line.startswith(f"fleet.{id}.")]


def test_a_cell_and_back(file: Repo) -> None:
    done = file.fleet("plan", "set", "#43", "owns", "docs/*.md", "README.md", check=0)
    assert done.out == "43: owns 'docs/' -> 'docs/*.md', 'README.md' in PLAN.md\n"
    changed = PLAN.replace("| `docs/` |", "| `docs/*.md`, `README.md` |")
    assert file.read("PLAN.md") == changed
    assert "git fleet undo 1" in done.err
    # What an undo replaces is in the journal, where the oracle does not look.
    assert file.fleet("undo", check=0, oracle=False).out == "undone 1: plan set 43 owns\n"
    assert file.read("PLAN.md") == PLAN
    file.fleet("undo", check=0)
    assert file.read("PLAN.md") == changed


def test_a_row_and_back(file: Repo) -> None:
    file.fleet("plan", "drop", "b/44", check=0)
    assert file.read("PLAN.md") == "".join(PLAN.splitlines(keepends=True)[:-1])
    file.fleet("undo", check=0)
    assert file.read("PLAN.md") == PLAN


def test_an_edit_is_not_undone_over_a_later_one(file: Repo) -> None:
    file.fleet("plan", "set", "43", "status", "soon", check=0)
    file.write({"PLAN.md": file.read("PLAN.md") + "\nwords\n"})
    assert "PLAN.md' is no longer where it was left" in file.fleet("undo", check=3).err
    assert file.read("PLAN.md").endswith("words\n")


def test_keys_of_the_configuration_and_back(config: Repo) -> None:
    before = section(config, "42")
    config.fleet("plan", "set", "42", "owns", "c.py", "d/", "c.py", check=0)
    assert section(config, "42") == ["title=count", "nonsense=kept", "owns=c.py", "owns=d/"]
    config.fleet("plan", "set", "42", "TITLE", 'all; # "x" \\', check=0)
    assert config.git("config", "fleet.42.title") == 'all; # "x" \\'
    config.fleet("plan", "set", "42", "owns", check=0)
    assert section(config, "42") == ['title=all; # "x" \\', "nonsense=kept"]
    for _ in range(3):
        config.fleet("undo", str(max(1, _operations(config))), check=0)
    assert sorted(section(config, "42")) == sorted(before)


def _operations(repo: Repo) -> int:
    """The newest edit that stands."""
    found = repo.fleet("log", "--json", check=0).json["operations"]
    return next(one["id"] for one in found if one["kind"] == "plan" and one["state"] == "done")


def test_a_section_and_back(config: Repo) -> None:
    before = section(config, "43")
    config.fleet("plan", "drop", "43", check=0)
    assert section(config, "43") == []
    config.fleet("undo", check=0)
    assert sorted(section(config, "43")) == sorted(before)


def test_the_configuration_comes_back_to_the_byte(config: Repo, warm: Warm) -> None:
    """Comments and order, too; unless somebody wrote there since: then what he wrote stays, and the keys come back."""
    path, quick = config.path / ".git/config", Quick(config, warm)
    path.write_bytes(
        path.read_bytes() + b'[fleet "44"] ; mine\n  owns = x ; why \xc3\xa4\n\ttitle=y # \xff\n[z]\n\ta = b\n'
    )
    for words in (["set", "44", "owns", "y"], ["drop", "44"]):
        before = path.read_bytes()
        quick.fleet("plan", *words, check=0)
        after = path.read_bytes()
        for wanted in (before, after, before):
            quick.fleet("undo", check=0)
            assert path.read_bytes() == wanted
    quick.fleet("plan", "drop", "44", check=0)
    config.config({"z.a": "c"})
    quick.fleet("undo", check=0)
    assert sorted(section(config, "44")) == ["owns=x", "title=y"] and config.git("config", "z.a") == "c"


def test_what_a_dry_run_says_and_does_not(file: Repo) -> None:
    done = file.fleet("plan", "set", "43", "needs", "--dry-run", check=0)
    assert done.out == "would set 43: needs '42' -> unset in PLAN.md\n"
    assert file.fleet("plan", "drop", "44", "-n", check=0).out == "would drop 44 from PLAN.md\n"
    assert file.read("PLAN.md") == PLAN
    assert not (file.path / ".git/fleet").exists()


def test_what_is_so_already_is_no_operation(config: Repo) -> None:
    assert config.fleet("plan", "set", "43", "needs", "42", check=0).out == "43: needs is '42' already\n"
    assert config.fleet("log", "--json", check=0).json["operations"] == []


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("set", "42", "needs", "43"), 3, "cycle: 42 needs 43 needs 42"),
        (("set", "42", "estimate", "soon"), 3, "the table has no column for estimate"),
        (("set", "42", "branch", "-x"), 129, "No such option"),
        (("set", "42", "branch", "b/43"), 3, "branch 'b/43' is that of"),
        (("set", "42", "branch", "a..b"), 3, "branch 'a..b' will not do"),
        (("set", "42", "owns", "../x"), 3, "leaves the tree"),
        (("set", "42", "title", "none"), 129, "'none' means nothing"),
        (("set", "42", "title", "a\x1bb"), 129, "control character U+001B"),
        (("set", "42", "title", "two", "words"), 129, "'title' has one value: quote it"),
        (("set", "42", "colour", "red"), 129, "'colour' is no key"),
        (("set", "42", "needs", "99"), 128, "no task '99'"),
        (("set", "99", "title", "x"), 128, "no task '99'"),
        (("set", "42"), 129, "set what?"),
        (("drop",), 129, "drop which task?"),
        (("drop", "42", "43"), 129, "drop which task?"),
        (("drop", "42"), 3, "43 needs '42', which no task is"),
        (("show",), 129, "'show' is nothing that a plan does"),
    ],
)
def test_refused_with_nothing_changed(file: Repo, words: tuple[str, ...], status: int, said: str) -> None:
    done = file.fleet("plan", *words, check=status)
    assert said in done.err
    assert file.read("PLAN.md") == PLAN


def test_a_task_at_work_is_not_dropped_until_it_is_given_up(file: Repo) -> None:
    file.branch("b/44", {"x": "x"})
    done = file.fleet("plan", "drop", "44", check=3)
    assert "44 is at work: its branch 'b/44' is there" in done.err
    file.fleet("plan", "set", "44", "status", "dropped", check=0)
    file.fleet("plan", "drop", "44", check=0, oracle=False)
    assert file.exists("b/44")


def test_a_broken_plan_can_be_mended(config: Repo) -> None:
    config.config({"fleet.42.needs": "43"})
    config.fleet("plan", "set", "42", "title", "other", check=0)
    config.fleet("plan", "set", "42", "needs", check=0)
    config.fleet("plan", "--json", check=0)


def test_values_that_stand_elsewhere_are_left_alone(config: Repo) -> None:
    config.git("config", "--global", "fleet.42.owns", "everywhere/")
    before = config.read(".git/config")
    assert "'fleet.42.owns' is set elsewhere" in config.fleet("plan", "set", "42", "owns", "x", check=3).err
    assert "is set elsewhere" in config.fleet("plan", "drop", "42", check=3).err
    assert config.read(".git/config") == before
    config.fleet("plan", "set", "42", "title", "x", check=0)


def test_the_last_value_of_a_task_is_not_unset(config: Repo) -> None:
    config.fleet("plan", "set", "43", "title", check=0)
    assert "43 says nothing but its needs" in config.fleet("plan", "set", "43", "needs", check=3).err


def test_without_a_plan_there_is_nothing_to_edit(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "app", {"a": ""})
    repo.git("worktree", "add", "-q", "-b", "x", "../x")
    assert "there is no plan to edit" in repo.fleet("plan", "set", "x", "title", "y", check=3).err


def test_yaml_is_never_written(file: Repo) -> None:
    file.write({"plan.yaml": "subtasks: [{id: 1}]\n"})
    done = file.fleet("plan", "set", "1", "title", "x", "--plan", "plan.yaml", check=3)
    assert "plan.yaml: a plan in YAML is only read" in done.err
    assert "--to markdown" in done.err


def test_the_configuration_is_busy_while_git_holds_its_lock(config: Repo) -> None:
    lock = config.path / ".git/config.lock"
    lock.write_text("")
    before = config.read(".git/config")
    config.fleet("plan", "set", "42", "title", "x", check=75)
    assert config.read(".git/config") == before and lock.exists()
    lock.unlink()
    config.fleet("plan", "set", "42", "title", "x", check=0)


def test_edits_at_once_lose_none(file: Repo) -> None:
    running = [file.start("plan", "set", id, "status", f"by-{id}") for id in ("42", "43", "44")]
    assert [one.wait() for one in running] == [0, 0, 0]
    assert [line.split("|")[5].strip() for line in file.read("PLAN.md").splitlines()[4:]] == ["by-42", "by-43", "by-44"]


def test_a_killed_edit_is_put_right(file: Repo) -> None:
    file.fleet("plan", "set", "43", "status", "x", check=0)
    _as_if_killed(file, PLAN, PLAN.replace("queued", "half"))
    file.fleet("plan", "set", "44", "status", "y", check=0)
    states = [one["state"] for one in file.fleet("log", "--json", check=0).json["operations"]]
    assert states == ["done", "failed", "done"]


def _as_if_killed(repo: Repo, before: str, after: str) -> None:
    """An edit whose intent is on the disk and whose deed never came."""

    with database.opened(str(repo.path / ".git/fleet")) as journal:
        journal.begin(
            "plan", "plan set 42 status", [RecordedChange(ChangeKind.FILE, str(repo.path / "PLAN.md"), before, after)]
        )


@pytest.mark.parametrize(
    ("ids", "words", "id"),
    [
        ((), "retry uploads", "retry-uploads"),
        (("42", "43"), "retry uploads", "44"),
        (("auth",), "retry uploads", "retry-uploads"),
        (("auth", "retry-uploads"), "retry uploads", "retry-uploads-2"),
        (("auth",), "漢字 漢字", "1"),
        (("42",), "45 retry uploads", "45"),
    ],
)
def test_add_finds_an_id_for_a_title(tmp_path: Path, ids: tuple[str, ...], words: str, id: str) -> None:
    repo = make_repo(tmp_path / "app", {"a": ""})
    repo.config({f"fleet.{one}.title": "t" for one in ids})
    repo.fleet("add", words, check=0)
    assert section(repo, id)[0] == f"title={words.removeprefix('45 ')}"
    assert os.path.isdir(repo.fleet("path", id, check=0).out.strip())
