"""Where the plan comes from, with real repositories, and the way back."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from kit import Repo

from git_fleet.model.errors import Busy, Fatal, PlanError, Refused
from git_fleet.model.fleet import Repository
from git_fleet.model.plan import Plan, Row, Source, SourceKind, Task
from git_fleet.model.settings import Settings
from git_fleet.plan import config, source
from git_fleet.repo import git, location
from git_fleet.repo import settings as settings_of


@pytest.fixture
def repo(tmp_path: Path, make_repo: Callable[..., Repo], monkeypatch: pytest.MonkeyPatch) -> Repo:
    made = make_repo(tmp_path / "app", {"cli.py": ""})
    monkeypatch.chdir(made.path)
    return made


def read(plan_file: str | None = None) -> Plan:
    repository = location.locate()
    settings = settings_of.load(repository)
    return source.read(settings, repository, git.worktrees(repository), "main", plan_file)


def test_the_configuration(repo: Repo) -> None:
    for key, value in (
        ("42.title", "count"),
        ("42.owns", "cli.py"),
        ("42.OWNS", "docs/"),
        ("42.estimate", "45m"),
        ("42.nonsense", "x"),
        ("44.title", "first"),
        ("44.title", "clear"),
        ("44.needs", "#42, fix"),
        ("44.priority", "10"),
        ("44.worktree", "~/trees/44"),
        ("fix.needs", "42-count"),
        ("fix.needs", "feature/44-clear"),
    ):
        repo.git("config", "--add", f"fleet.{key}", value)
    trees = str(repo.path.parent)
    home = os.environ["HOME"]
    assert read() == Plan(
        Source(SourceKind.CONFIG),
        (
            Task(
                "42",
                "count",
                "count",
                "feature/42-count",
                f"{trees}/app-42-count",
                ("cli.py", "docs/"),
                estimate_s=2700,
            ),
            Task("44", "clear", "clear", "feature/44-clear", f"{home}/trees/44", needs=("42", "fix"), priority=10),
            Task("fix", "fix", "", "feature/fix", f"{trees}/app-fix", needs=("42", "44")),
        ),
    )


def test_a_file_before_the_setting_before_the_configuration(repo: Repo) -> None:
    repo.git("config", "fleet.1.title", "config")
    assert [task.id for task in read().tasks] == ["1"]
    repo.write({"PLAN.md": "id|needs\n--|--\n2|\n", "other.md": "id|needs\n--|--\n3|9\n"})
    repo.git("config", "fleet.plan", "PLAN.md")
    assert read().source == Source(SourceKind.MARKDOWN, str(repo.path / "PLAN.md"))
    assert [task.id for task in read().tasks] == ["2"]
    plan = read(str(repo.path / "other.md"))
    assert [(task.id, task.needs) for task in plan.tasks] == [("3", ("9",))]


def test_no_plan_at_all(repo: Repo) -> None:
    places = {}
    for branch in ("feature/42-count", "hotfix/42-crash", "pr/7", "me/fix"):
        places[branch] = str(repo.path.parent / branch.replace("/", "-"))
        repo.git("worktree", "add", "-q", "-b", branch, places[branch])
    repo.git("worktree", "add", "-q", "--detach", str(repo.path.parent / "lane"))
    assert read() == Plan(
        Source(SourceKind.WORKTREES),
        (
            Task("feature-42-count", "count", "count", "feature/42-count", places["feature/42-count"]),
            Task("hotfix-42-crash", "crash", "crash", "hotfix/42-crash", places["hotfix/42-crash"]),
            Task("fix", "fix", "", "me/fix", places["me/fix"]),
            Task("7", "7", "", "pr/7", places["pr/7"]),
        ),
    )


def test_the_base_in_a_linked_worktree_is_no_task(repo: Repo) -> None:
    repo.git("checkout", "-q", "-b", "other")
    repo.git("worktree", "add", "-q", str(repo.path.parent / "base"), "main")
    assert read().tasks == ()


def test_a_link_that_leads_out_is_refused(repo: Repo) -> None:
    outside = repo.path.parent / "outside.md"
    outside.write_text("id|needs\n--|--\n2|\n")
    (repo.path / "PLAN.md").symlink_to(outside)
    with pytest.raises(PlanError, match=r"^PLAN\.md: a link that leads out"):
        read(str(repo.path / "PLAN.md"))
    assert len(read(str(outside)).tasks) == 1


def test_status_and_new_rows_go_back_to_the_file(repo: Repo) -> None:
    repo.write({"PLAN.md": "id|needs|status\n--|--|--\n2||x\n"})
    repository = location.locate()
    plan = read(str(repo.path / "PLAN.md"))
    source.append(plan, repository, Row("3", "new one", needs=("2",)))
    assert source.set_status(plan, Settings(), repository, {"2": "landed", "3": "active"})
    assert not source.set_status(plan, Settings(write_status=False), repository, {"2": "never"})
    assert (repo.path / "PLAN.md").read_text() == "id|needs|status\n--|--|--\n2||landed\n3 new one | 2 | active\n"


def test_status_and_new_rows_go_back_to_the_configuration(repo: Repo) -> None:
    repository = location.locate()
    nobody = Plan(Source(SourceKind.WORKTREES), ())
    row = Row("45", 'retry; # "x"', "b", "../w", ("a/", "!b"), ("42", "43"), None, "claude", estimate="1h")
    source.append(nobody, repository, row)
    assert not source.set_status(nobody, Settings(), repository, {"45": "active"})
    assert source.set_status(read(), Settings(), repository, {"45": "active"})
    assert config.rows(settings_of.load(repository)) == (row._replace(status="active"),)
    with pytest.raises(Refused, match="task 45 already"):
        config.append(repository, Row("45"))
    with pytest.raises(Fatal):
        config.append(repository, Row("46", "two\nlines"))


def test_the_explanation_is_a_comment_written_once_under_gits_lock(repo: Repo) -> None:
    repository = location.locate()
    path = repo.path / ".git/config"
    path.chmod(0o600)
    before, said = path.read_text(), repo.git("config", "--list")
    lock = repo.path / ".git/config.lock"
    lock.touch()
    with pytest.raises(Busy, match=r"config\.lock"):
        config.explain(repository)
    assert lock.exists()
    lock.unlink()
    config.explain(repository)
    once = path.read_text()
    config.explain(repository)
    assert path.read_text() == once
    assert once.startswith(before)
    assert '[fleet "42"]' in once
    assert repo.git("config", "--list") == said
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not lock.exists()


def test_a_repository_elsewhere_is_named_by_its_main_worktree() -> None:
    repository = Repository("/w/app/.git", "/w/app/.git", None, "/w/app", False, "sha1")
    row = Row("42", "count")
    settings = Settings(rows=((row.id, (("title", "count"),)),))
    assert source.read(settings, repository, (), "main").tasks[0].worktree == "/w/app-42-count"
