"""git told to change things: all or nothing, and never over somebody's work."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import rooms
from kit import Repo

from git_fleet.model.errors import Busy, GitError, Refused
from git_fleet.repo import changing
from git_fleet.repo.changing import RefUpdate


@pytest.fixture
def repo(tmp_path: Path, make_repo: Callable[..., Repo]) -> Repo:
    return make_repo(tmp_path / "app", {"file": "x\n", "other": "x\n"})


def refs(repo: Repo) -> dict[str, str]:
    return repo.snapshot().refs


# ---------------------------------------------------------------------------------------------------------------- refs


def test_refs_are_made_moved_and_deleted_together(repo: Repo) -> None:
    start, side = repo.oid("main"), repo.branch("side")
    updates = [
        RefUpdate("refs/heads/new", None, side),
        RefUpdate("refs/heads/main", start, side),
        RefUpdate("refs/heads/side", side, None),
    ]
    changing.update_refs(rooms.of(repo), updates, "test: all three")
    assert refs(repo) == {"refs/heads/main": side, "refs/heads/new": side}
    assert repo.git("log", "-1", "--walk-reflogs", "--format=%gs", "refs/heads/main") == "test: all three"


@pytest.mark.parametrize(
    ("ref", "old", "new", "said"),
    [
        ("refs/heads/main", "side", "side", "'refs/heads/main' moved meanwhile: it is at {main}, not at {side}"),
        ("refs/heads/side", None, "main", "'refs/heads/side' moved meanwhile: it is at {side}, not at nothing"),
        ("refs/heads/side", "main", None, "'refs/heads/side' moved meanwhile: it is at {side}, not at {main}"),
        ("refs/heads/none", "main", "side", "'refs/heads/none' moved meanwhile: it is at nothing, not at {main}"),
    ],
)
def test_a_lost_race_is_busy_and_nothing_moves(
    repo: Repo, ref: str, old: str | None, new: str | None, said: str
) -> None:
    oids = {"main": repo.oid("main"), "side": repo.branch("side")}
    before = refs(repo)
    good = RefUpdate("refs/heads/fresh", None, oids["main"])
    with pytest.raises(Busy) as caught:
        bad = RefUpdate(ref, oids[old] if old else None, oids[new] if new else None)
        changing.update_refs(rooms.of(repo), [good, bad], "test")
    assert caught.value.message == said.format(**oids)
    assert refs(repo) == before


def test_a_name_that_git_refuses_moves_nothing(repo: Repo) -> None:
    before, oid = refs(repo), repo.oid("main")
    updates = [RefUpdate("refs/heads/a", None, oid), RefUpdate("refs/heads/main/below", None, oid)]
    with pytest.raises(GitError):
        changing.update_refs(rooms.of(repo), updates, "test")
    assert refs(repo) == before


def test_a_ref_that_is_locked_by_git_moves_nothing(repo: Repo) -> None:
    before, oid = refs(repo), repo.oid("main")
    (repo.path / ".git/refs/heads/b.lock").touch()
    updates = [RefUpdate(f"refs/heads/{name}", None, oid) for name in "ab"]
    with pytest.raises(Busy, match=r"b\.lock' is in the way, \d+ s old"):
        changing.update_refs(rooms.of(repo), updates, "test")
    assert refs(repo) == before


def test_no_updates_is_nothing_to_do(repo: Repo) -> None:
    changing.update_refs(rooms.of(repo), [], "test")


def test_refs_in_a_sha256_repository(tmp_path: Path, make_repo: Callable[..., Repo]) -> None:
    repo = make_repo(tmp_path / "app", {"file": "x\n"}, "--object-format=sha256")
    oid = repo.oid("main")
    changing.update_refs(rooms.of(repo), [RefUpdate("refs/heads/new", None, oid)], "test")
    changing.update_refs(rooms.of(repo), [RefUpdate("refs/heads/new", oid, None)], "test")
    assert refs(repo) == {"refs/heads/main": oid}


# ----------------------------------------------------------------------------------------------------------- checkouts


def forward(repo: Repo, files: dict[str, str | None]) -> str:
    """A commit ahead of main, checked out nowhere."""
    return repo.branch("ahead", files)


def test_a_fast_forward_moves_branch_and_files(repo: Repo) -> None:
    new = forward(repo, {"file": "new\n", "fresh": "x\n"})
    repo.write({"other": "mine\n", "untracked": "mine\n"})
    changing.fast_forward(str(repo.path), rooms.of(repo), "refs/heads/main", new, "fleet land: 42")
    assert repo.oid("main") == new and repo.read("file") == "new\n" and repo.read("fresh") == "x\n"
    assert repo.git("status", "--porcelain") == " M other\n?? untracked"
    assert repo.git("log", "-1", "--walk-reflogs", "--format=%gs", "HEAD") == "fleet land: 42: Fast-forward"


@pytest.mark.parametrize("kind", ["modified", "staged", "untracked", "ignored"])
def test_a_fast_forward_never_goes_over_work(repo: Repo, kind: str) -> None:
    (repo.path / ".git/info").mkdir(exist_ok=True)
    (repo.path / ".git/info/exclude").write_text("fresh\n" if kind == "ignored" else "")
    new = forward(repo, {"file": "new\n", "fresh": "theirs\n"})
    repo.write({"file" if kind in ("modified", "staged") else "fresh": "mine\n"})
    if kind == "staged":
        repo.git("add", "file")
    before = repo.snapshot()
    with pytest.raises(Refused, match=f"^git would not move the checkout '{repo.path}': "):
        changing.fast_forward(str(repo.path), rooms.of(repo), "refs/heads/main", new, "test")
    assert repo.snapshot() == before


def test_only_forward(repo: Repo) -> None:
    new = repo.branch("aside", {"file": "aside\n"})
    repo.commit("ours", {"other": "ours\n"})
    with pytest.raises(Refused):
        changing.fast_forward(str(repo.path), rooms.of(repo), "refs/heads/main", new, "test")


def test_moving_back_keeps_edits_elsewhere(repo: Repo) -> None:
    old = repo.oid("main")
    repo.commit("landed", {"file": "new\n", "fresh": "x\n"})
    repo.write({"other": "mine\n", "untracked": "mine\n"})
    changing.move_back(str(repo.path), rooms.of(repo), "refs/heads/main", repo.oid("main"), old, "fleet undo")
    assert repo.oid("main") == old
    assert repo.git("status", "--porcelain") == " M other\n?? untracked"
    assert (repo.read("file"), (repo.path / "fresh").exists()) == ("x\n", False)


def test_moving_back_never_goes_over_work(repo: Repo) -> None:
    old = repo.oid("main")
    repo.commit("landed", {"file": "new\n"})
    repo.write({"file": "mine\n"})
    before = repo.snapshot()
    with pytest.raises(Refused, match=r"would not move the checkout .* back"):
        changing.move_back(str(repo.path), rooms.of(repo), "refs/heads/main", repo.oid("main"), old, "test")
    assert repo.snapshot() == before


# --------------------------------------------------------------------------------------------------------------- lanes


@pytest.fixture
def lane(repo: Repo, tmp_path: Path) -> str:
    changing.add_lane(rooms.of(repo), str(tmp_path / "lane"), repo.oid("main"))
    return str(tmp_path / "lane")


def test_a_lane_is_detached_and_keeps_what_is_ignored(repo: Repo, lane: str) -> None:
    new = forward(repo, {"file": "new\n"})
    (repo.path / ".git/info/exclude").write_text("*.o\n")
    repo.write({"file": "edited\n", "built.o": "x\n", "left": "x\n", "folder/left": "x\n"}, Path(lane))
    repo.git("init", "-q", "nested", cwd=Path(lane))
    repo.git("checkout", "-q", "-b", "mine", cwd=Path(lane))
    mine = repo.oid("mine")
    changing.set_lane(rooms.of(repo), lane, new)
    assert [tree.branch for tree in repo.worktrees()] == ["refs/heads/main", None]
    assert repo.git("rev-parse", "HEAD", cwd=Path(lane)) == new
    assert repo.git("status", "--porcelain", cwd=Path(lane)) == ""
    assert sorted(os.listdir(lane)) == sorted([".git", "built.o", *repo.git("ls-tree", "--name-only", new).split()])
    assert repo.oid("mine") == mine
    changing.remove_lane(rooms.of(repo), lane)
    assert not os.path.lexists(lane) and len(repo.worktrees()) == 1


def test_a_merge_in_a_lane(repo: Repo, lane: str) -> None:
    side = repo.branch("side", {"file": "theirs\n"})
    found = rooms.of(repo)
    assert changing.start_merge(found, lane, "side") is True
    changing.commit_lane(found, lane, "Merge\n\nFleet-Task: 42\n", amend=False)
    assert repo.git("log", "-1", "--format=%P", cwd=Path(lane)) == f"{repo.oid('main')} {side}"


def test_a_conflict_in_a_lane_names_the_branch(repo: Repo, lane: str) -> None:
    repo.branch("side/way", {"file": "theirs\n"})
    new = repo.branch("ours", {"file": "ours\n"})
    found = rooms.of(repo)
    changing.set_lane(found, lane, new)
    assert changing.start_merge(found, lane, "side/way") is False
    assert (Path(lane) / "file").read_text() == "<<<<<<< HEAD\nours\n=======\ntheirs\n>>>>>>> side/way\n"


def test_a_branch_that_looks_like_an_option(repo: Repo, lane: str) -> None:
    repo.git("update-ref", "refs/heads/--abort", repo.branch("side", {"file": "theirs\n"}))
    assert changing.start_merge(rooms.of(repo), lane, "--abort") is True
    assert (Path(lane) / "file").read_text() == "theirs\n"


def test_a_commit_hook_that_says_no_is_heard(repo: Repo, lane: str) -> None:
    hook = repo.path / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho the-hook-said-this >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(Refused, match="the-hook-said-this"):
        changing.commit_lane(rooms.of(repo), lane, "x", amend=False)


def test_amending_replaces_the_commit(repo: Repo, lane: str) -> None:
    (Path(lane) / "file").write_text("again\n")
    repo.git("add", "file", cwd=Path(lane))
    changing.commit_lane(rooms.of(repo), lane, "better\n", amend=True)
    assert repo.git("log", "--format=%s", cwd=Path(lane)) == "better"


# -------------------------------------------------------------------------------------------------------------- reflogs


def test_a_reflog_is_saved_and_put_back(repo: Repo) -> None:
    found = rooms.of(repo)
    repo.git("branch", "side")
    repo.git("update-ref", "-m", "odd \udcff", "refs/heads/side", repo.branch("x", {"x": "x\n"}))
    saved = changing.read_reflog(found, "refs/heads/side")
    assert saved is not None and saved.count("\n") == 2
    repo.git("branch", "-q", "-D", "side")
    assert changing.read_reflog(found, "refs/heads/side") is None
    repo.git("branch", "side", "main")
    changing.restore_reflog(found, "refs/heads/side", saved)
    assert changing.read_reflog(found, "refs/heads/side") == saved
