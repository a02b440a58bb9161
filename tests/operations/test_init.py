"""`init`: a plan is started where there is none, and never beside another one."""

from pathlib import Path

import kit
import pytest
import rooms
from kit import Repo


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return kit.make_repo(tmp_path / "app", {"file": "x\n"})


def test_tasks_in_the_configuration_are_not_hidden_by_a_file(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": None})
    before = repo.snapshot()
    for more in ([], ["--from-branches"]):
        refused = repo.fleet("init", "--markdown", "NEW.md", *more, check=3)
        assert "there is a plan already, in the git configuration: a" in refused.err
    assert "there is a plan already" in repo.fleet("init", check=3).err
    assert repo.snapshot() == before and rooms.states(repo) == {"a": "ready"}


def test_what_would_not_be_read_is_not_written(repo: Repo) -> None:
    repo.fleet("init", "--markdown", "PLAN.md", check=0)
    repo.git("branch", "pr/1")
    before = repo.snapshot()
    for words in ([], ["--from-branches"], ["--markdown", "OTHER.md"], ["--from-branches", "--markdown", "OTHER.md"]):
        refused = repo.fleet("init", *words, check=3)
        assert "fleet.plan is 'PLAN.md'" in refused.err and "git config --unset fleet.plan" in refused.err
    assert repo.snapshot() == before


def test_the_file_that_is_configured_may_be_made(repo: Repo) -> None:
    repo.git("config", "fleet.plan", "PLAN.md")
    repo.fleet("init", "--markdown", "PLAN.md", check=0)
    assert "no task" in repo.fleet("plan").out or "0 tasks" in repo.fleet("plan").out


def test_a_dry_run_names_what_it_would_start_and_hints_at_nothing(repo: Repo) -> None:
    repo.git("branch", "pr/1")
    before = repo.snapshot()
    said = repo.fleet("init", "--from-branches", "-n", check=0)
    assert "would start a plan" in said.out and "pr/1" in said.out and said.err == ""
    assert repo.snapshot() == before
