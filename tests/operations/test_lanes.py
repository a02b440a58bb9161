"""Lanes: scratch worktrees that are nobody's, until somebody worked in one."""

import contextlib
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import kit
import pytest
import rooms
from kit import Repo

from git_fleet.journal import database, locks
from git_fleet.model.errors import GitError
from git_fleet.model.events import Event
from git_fleet.operations import lanes, running


def nobody(event: object) -> None:
    """Listens to what is said."""


@pytest.fixture
def repo(tmp_path: Path, make_repo: Callable[..., Repo]) -> Repo:
    return make_repo(tmp_path / "app", {"file": "x\n", ".gitignore": "*.log\n"})


@pytest.fixture
def journal(repo: Repo) -> Iterator[database.Journal]:
    with database.opened(rooms.of(repo).fleet_dir) as journal:
        journal.begin("land", "land something")
        yield journal


def for_gates(repo: Repo, journal: database.Journal, *others: str) -> str:
    return lanes.open_for_gates(rooms.of(repo), journal, 1, repo.oid("main"), others, nobody)


@pytest.mark.parametrize("damage", ["", "rm .git", "rm -r ../app-lane-1", "mkdir -p x/y && chmod -R 555 x"])
def test_a_lane_for_gates_is_gone_afterwards(
    repo: Repo, journal: database.Journal, tmp_path: Path, damage: str
) -> None:
    path = for_gates(repo, journal)
    assert path == str(tmp_path / "app-lane-1")
    (Path(path) / "built").write_text("x\n")
    (Path(path) / "file").write_text("changed by a gate\n")
    subprocess.run(["sh", "-c", damage], cwd=path, check=True)
    assert lanes.discard(rooms.of(repo), path, nobody)
    assert not Path(path).exists() and len(repo.worktrees()) == 1


@pytest.mark.parametrize(
    "damage", ["", "rm .git", "rm -r ../app-lane-1", "touch $(git rev-parse --git-dir)/index.lock"]
)
def test_a_lane_that_a_gate_broke_is_made_anew(
    repo: Repo, journal: database.Journal, tmp_path: Path, damage: str
) -> None:
    path = for_gates(repo, journal)
    new = repo.branch("new", {"file": "new\n"})
    subprocess.run(["sh", "-c", damage], cwd=path, check=True)
    lanes.switch(rooms.of(repo), path, new, nobody)
    assert (Path(path) / "file").read_text() == "new\n"
    assert repo.git("status", "--porcelain", cwd=Path(path)) == "" and len(repo.worktrees()) == 2


def test_what_stands_in_the_place_of_a_lane_stays(repo: Repo, journal: database.Journal, tmp_path: Path) -> None:
    (tmp_path / "app-lane-1").mkdir()
    (tmp_path / "app-lane-1" / "mine").write_text("mine\n")
    assert for_gates(repo, journal) == str(tmp_path / "app-lane-2")
    assert (tmp_path / "app-lane-1" / "mine").exists()


def test_the_journal_knows_of_every_lane_for_gates(repo: Repo, journal: database.Journal) -> None:
    one = for_gates(repo, journal)
    two = for_gates(repo, journal, one)
    found = journal.operation(1)
    assert found is not None and json.loads(found.detail)["lanes"] == [one, two]


def test_the_journal_knows_of_a_lane_before_it_is_there(repo: Repo, journal: database.Journal) -> None:
    path = lanes.open_at(rooms.of(repo), journal, 1, repo.oid("main"), nobody)
    found = journal.operation(1)
    assert found is not None and f'"lane": "{path}"' in found.detail


@pytest.mark.parametrize("name", ["file", "notes", "x.log"])
def test_work_in_a_lane_goes_to_the_trash(repo: Repo, journal: database.Journal, name: str) -> None:
    found = rooms.of(repo)
    path = Path(lanes.open_at(found, journal, 1, repo.oid("main"), nobody))
    (path / name).write_text("mine\n")
    with kit.conserved(repo):
        lanes.put_away(found, str(path), 1, nobody)
    assert not path.exists() and len(repo.worktrees()) == 1
    assert [file.read_text() for file in Path(f"{found.fleet_dir}/trash").rglob(name) if file.is_file()] == ["mine\n"]


def hidden_edit(path: Path, repo: Repo) -> None:
    repo.git("update-index", "--assume-unchanged", "file", cwd=path)
    (path / "file").write_text("mine\n")


def private_reference(path: Path, repo: Repo) -> None:
    private = repo.git("commit-tree", "-m", "mine", "HEAD^{tree}", cwd=path)
    repo.git("update-ref", "refs/worktree/x", private, cwd=path)


def repository_in_it(path: Path, repo: Repo) -> None:
    (path / "x.log").mkdir()
    repo.git("init", "-q", str(path / "x.log"))


@pytest.mark.parametrize("deed", [hidden_edit, private_reference, repository_in_it])
def test_what_git_status_does_not_show_in_a_lane_goes_to_the_trash(
    repo: Repo, journal: database.Journal, deed: Callable[[Path, Repo], None]
) -> None:
    found = rooms.of(repo)
    path = Path(lanes.open_at(found, journal, 1, repo.oid("main"), nobody))
    deed(path, repo)
    with kit.conserved(repo):
        lanes.put_away(found, str(path), 1, nobody)
    assert [place.name for place in Path(f"{found.fleet_dir}/trash/1").iterdir()].count("900") == 1


def test_commits_in_a_lane_are_kept(repo: Repo, journal: database.Journal) -> None:
    """Also those that were amended or reset away there."""
    path = Path(lanes.open_at(rooms.of(repo), journal, 1, repo.oid("main"), nobody))
    made = [repo.commit(word, {"file": f"{word}\n"}, path) for word in ("one", "two")]
    repo.git("reset", "-q", "--hard", "HEAD~2", cwd=path)
    made.append(repo.commit("three", {"file": "three\n"}, path))
    with kit.conserved(repo):
        lanes.put_away(rooms.of(repo), str(path), 1, nobody)
    kept = repo.git("rev-list", "--glob=refs/fleet/keep").split()
    assert set(made) <= set(kept)


def test_a_lane_that_is_gone_is_put_away(repo: Repo) -> None:
    lanes.put_away(rooms.of(repo), str(repo.path.parent / "app-lane-1"), 1, nobody)


def test_who_waits_for_a_lane_is_told(repo: Repo, journal: database.Journal) -> None:
    """A lane is made under the lock of all worktrees."""
    said: list[str] = []
    found = rooms.of(repo)
    with contextlib.ExitStack() as held:
        held.enter_context(locks.hold(found.fleet_dir, running.WORKTREES))

        def hear(event: Event) -> None:
            said.append(str(event))
            held.close()

        path = lanes.open_at(found, journal, 1, repo.oid("main"), hear)
    assert Path(path).is_dir() and len(said) == 1 and "waits for another git fleet (pid" in said[0]


def test_a_lane_whose_making_was_killed_is_gone(repo: Repo, journal: database.Journal) -> None:
    """The filter of a file kills the `git worktree add` for which files are written."""
    repo.write({".git/info/attributes": "file filter=deadly\n"})
    repo.config({"filter.deadly.smudge": "kill -9 $(ps -o ppid= -p $PPID)", "filter.deadly.clean": "cat"})
    with pytest.raises(GitError):
        for_gates(repo, journal)
    assert not list(repo.path.parent.glob("app-lane-*")) and not (repo.path / ".git/worktrees").exists()


HALF_MADE = [("gitdir", "locked"), ("gitdir", "locked", "HEAD"), ("gitdir", "HEAD", "commondir")]


@pytest.mark.parametrize("left", HALF_MADE, ids=" ".join)
def test_an_entry_that_git_left_half_made_or_removed_goes_along(
    repo: Repo, journal: database.Journal, left: tuple[str, ...]
) -> None:
    path = for_gates(repo, journal)
    entry = repo.path / ".git/worktrees" / Path(path).name
    for file in entry.iterdir():
        if file.name not in left:
            shutil.rmtree(file) if file.is_dir() else file.unlink()
    if "HEAD" in left:
        (entry / "HEAD").write_text("0" * 40 + "\n")
    assert lanes.discard(rooms.of(repo), path, nobody)
    assert not (repo.path / ".git/worktrees").exists() and not Path(path).exists()
    repo.git("fsck", "--connectivity-only")
