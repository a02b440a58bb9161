"""Settings: every key, every value that makes no sense, and which branch is the base."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import rooms
from kit import Repo

from git_fleet.model.errors import Fatal
from git_fleet.model.fleet import Base
from git_fleet.model.settings import Gate, Settings
from git_fleet.repo import git, settings

DEFAULT_JOBS = max(1, (os.cpu_count() or 2) // 2)


@pytest.fixture
def repo(tmp_path: Path, make_repo: Callable[..., Repo]) -> Repo:
    return make_repo(tmp_path / "app", {"file": "x\n"})


def loaded(repo: Repo) -> Settings:
    return settings.load(rooms.of(repo))


def base(repo: Repo, onto: str | None = None) -> Base:
    found = rooms.of(repo)
    return settings.base_of(found, settings.load(found), git.worktrees(found), onto)


def test_nothing_set_is_the_defaults(repo: Repo) -> None:
    assert loaded(repo) == Settings(gate_jobs=DEFAULT_JOBS)


def test_every_key(repo: Repo) -> None:
    repo.config(
        {
            "fleet.plan": ["OLD.md", "PLAN.md"],
            "fleet.base": "trunk",
            "fleet.branch": "{id}",
            "fleet.worktree": "../{id}",
            "fleet.limit": "3",
            "fleet.strategy": "squash",
            "fleet.gate": ["make check", "make lint"],
            "fleetgate.unit tests.command": "pytest",
            "fleet.gateMode": "tip",
            "fleet.gateJobs": "2",
            "fleet.gateTimeout": "1.5h",
            "fleet.gateRetries": "0",
            "fleet.writeStatus": "no",
            "commit.gpgSign": "true",
            "color.ui": "never",
            "color.fleet": "always",
            "advice.fleet": "false",
            "fleet.42.title": "count",
            "fleet.42.owns": ["cli.py", "docs/"],
            "fleet.a.b.needs": "42",
        }
    )
    assert loaded(repo) == Settings(
        plan="PLAN.md",
        base="trunk",
        branch="{id}",
        worktree="../{id}",
        limit=3,
        strategy="squash",
        gates=(Gate("gate 1", "make check"), Gate("gate 2", "make lint"), Gate("unit tests", "pytest")),
        gate_mode="tip",
        gate_jobs=2,
        gate_timeout_s=5400.0,
        gate_retries=0,
        write_status=False,
        sign=True,
        color="always",
        hints=False,
        rows=(("42", (("title", "count"), ("owns", "cli.py"), ("owns", "docs/"))), ("a.b", (("needs", "42"),))),
    )


def test_an_empty_value_is_none(repo: Repo) -> None:
    repo.config(dict.fromkeys(("fleet.plan", "fleet.limit", "fleet.gate", "fleet.strategy", "fleet.gateTimeout"), ""))
    assert loaded(repo) == Settings(gate_jobs=DEFAULT_JOBS)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("90", 90.0), ("250ms", 0.25), ("90s", 90.0), ("10m", 600.0), ("1h", 3600.0), ("1d", 86400.0)],
)
def test_durations(repo: Repo, value: str, seconds: float) -> None:
    repo.config({"fleet.gateTimeout": value})
    assert loaded(repo).gate_timeout_s == seconds


@pytest.mark.parametrize("value", ["true", "YES", "on", "1"])
def test_words_for_true(repo: Repo, value: str) -> None:
    repo.config({"commit.gpgSign": value})
    assert loaded(repo).sign is True


def test_a_bare_key_is_true(repo: Repo) -> None:
    with open(repo.path / ".git" / "config", "a") as file:
        file.write("[commit]\n\tgpgSign\n")
    assert loaded(repo).sign is True


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("fleet.limit", "none", "a number from 1"),
        ("fleet.limit", "0", "a number from 1"),
        ("fleet.limit", "-1", "a number from 1"),
        ("fleet.gateJobs", "0", "a number from 1"),
        ("fleet.gateRetries", "twice", "a number from 0"),
        ("fleet.ports", "0", "a number from 1"),
        ("fleet.portBase", "none", "a number from 1"),
        ("fleet.strategy", "octopus", "one of merge, squash, rebase, ff"),
        ("fleet.gateMode", "some", "one of each, tip"),
        ("fleet.gateTimeout", "soon", "a duration such as 90s, 10m, 1h"),
        ("fleet.gateTimeout", "-5s", "a duration such as 90s, 10m, 1h"),
        ("fleet.writeStatus", "maybe", "true or false"),
        ("commit.gpgSign", "maybe", "true or false"),
        ("advice.fleet", "maybe", "true or false"),
    ],
)
def test_a_bad_value_is_named_with_its_key(repo: Repo, key: str, value: str, wanted: str) -> None:
    repo.config({key: value})
    with pytest.raises(Fatal) as caught:
        loaded(repo)
    assert caught.value.message.lower() == f"bad value '{value}' for '{key}': {wanted}".lower()


def test_an_empty_value_forgets_those_before_it(repo: Repo) -> None:
    repo.config({"fleet.copy": ["a", "", "b", "c"]})
    assert loaded(repo).copy == ("b", "c")


@pytest.mark.parametrize("value", ["²", "٣"])
def test_digits_that_are_no_numbers(repo: Repo, value: str) -> None:
    repo.config({"fleet.limit": value})
    try:
        assert loaded(repo).limit == 3
    except Fatal as error:
        assert error.message == f"bad value '{value}' for 'fleet.limit': a number from 1"


def test_a_configuration_that_cannot_be_read(repo: Repo) -> None:
    found = rooms.of(repo)
    with open(repo.path / ".git" / "config", "a") as file:
        file.write("[fleet\n")
    with pytest.raises(Fatal, match=r"^the git configuration cannot be read: bad config line"):
        settings.load(found)


def test_includes_and_worktree_configuration_are_seen(repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "more").write_text("[fleet]\n\tlimit = 7\n")
    repo.config({"include.path": str(tmp_path / "more"), "extensions.worktreeConfig": "true"})
    repo.git("config", "--worktree", "fleet.base", "trunk")
    assert (loaded(repo).limit, loaded(repo).base) == (7, "trunk")


# ---------------------------------------------------------------------------------------------------------------- base


def test_the_guesses_in_their_order(repo: Repo) -> None:
    """origin's HEAD, main, master, what the main worktree has."""
    for name in ("trunk", "master", "own"):
        repo.branch(name, {name: "x\n"})
    repo.git("update-ref", "refs/remotes/origin/trunk", "main")
    repo.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk")
    repo.git("checkout", "-q", "own")
    guessed = []
    for name in ("trunk", "main", "master"):
        guessed.append(base(repo).branch)
        repo.git("branch", "-q", "-D", name)
    assert [*guessed, base(repo).branch] == ["trunk", "main", "master", "own"]


def test_the_base_tells_where_it_stands(repo: Repo) -> None:
    assert base(repo) == Base("main", repo.oid("main"), repo.oid("main^{tree}"))
    assert base(repo).ref == "refs/heads/main"


def test_named_beats_configured_beats_guessed(repo: Repo) -> None:
    for name in ("one", "two/three"):
        repo.branch(name)
    repo.config({"fleet.base": "one"})
    assert (base(repo).branch, base(repo, "two/three").branch) == ("one", "two/three")
    assert base(repo, "refs/heads/two/three").branch == "two/three"


def test_a_named_base_that_is_not_there(repo: Repo) -> None:
    with pytest.raises(Fatal, match=r"^the base 'nowhere' is not a branch with commits$"):
        base(repo, "nowhere")


def test_no_commit_yet(tmp_path: Path, make_repo: Callable[..., Repo]) -> None:
    with pytest.raises(Fatal, match=r"^no base: there is no branch with a commit yet$"):
        base(make_repo(tmp_path / "empty"))


def test_a_bare_repository_has_a_base(repo: Repo, tmp_path: Path) -> None:
    repo.git("branch", "-m", "main", "odd")
    repo.git("clone", "-q", "--bare", ".", "../hub.git")
    assert base(Repo(tmp_path / "hub.git")).branch == "odd"
