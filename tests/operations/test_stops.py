"""A landing that stopped: the lane is the user's until he continues, skips or aborts."""

import contextlib
import shutil
import sqlite3
from pathlib import Path

import pytest
import rooms
from kit import Repo


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """`a` has landed, `b` conflicts with it in `file` and waits in the lane, `c` merges with both."""
    work = {"a": {"file": "a\n"}, "b": {"file": "b\n", "b": "x\n"}, "c": {"c": "x\n"}}
    repo = rooms.fleet(tmp_path, work)
    repo.fleet("land", check=4)
    return repo


def lane(repo: Repo) -> Path:
    return repo.path.parent / "app-lane-1"


def resolve(repo: Repo, text: str = "both\n", *, add: bool = True) -> None:
    (lane(repo) / "file").write_text(text)
    if add:
        repo.git("add", "file", cwd=lane(repo))


def assert_landed(repo: Repo) -> None:
    """`b` is in, its merge is an ordinary one, no lane is left and nothing waits."""
    assert (repo.read("file"), repo.read("b"), repo.git("status", "--porcelain")) == ("both\n", "x\n", "")
    assert repo.oid("main^2") == repo.oid("b")
    assert not lane(repo).exists() and rooms.states(repo) == {"a": "landed", "b": "landed", "c": "landed"}
    assert rooms.operations(repo)[0] == ("land", "done")


def test_what_merges_has_landed_and_the_lane_shows_gits_markers(repo: Repo) -> None:
    assert rooms.states(repo) == {"a": "landed", "b": "active", "c": "landed"}
    assert (lane(repo) / "file").read_text() == "<<<<<<< HEAD\na\n=======\nb\n>>>>>>> b\n"
    assert repo.git("status", "--porcelain", cwd=lane(repo)) == "A  b\nUU file"
    assert repo.git("rev-parse", "HEAD", "MERGE_HEAD", cwd=lane(repo)).split() == [repo.oid("main"), repo.oid("b")]
    assert rooms.operations(repo) == [("land", "stopped")]


@pytest.mark.parametrize("command", [["land"], ["land", "c"]])
def test_nothing_else_lands_meanwhile(repo: Repo, command: list[str]) -> None:
    before = repo.snapshot()
    said = repo.fleet(*command, check=4).err
    assert "b conflicts in file" in said and "git fleet land --continue" in said
    assert repo.snapshot() == before


def test_resolved_and_added(repo: Repo) -> None:
    resolve(repo)
    done = repo.fleet("land", "--continue", check=0)
    assert "to clear what has landed: git fleet remove a c b\n" in done.err
    assert_landed(repo)
    assert repo.git("log", "-1", "--format=%B", "main") == "Merge branch 'b'\n\nFleet-Task: b\n"


@pytest.mark.parametrize("left", [None, "made.log"])
def test_whoever_stood_in_the_lane_is_told_where_to_go(repo: Repo, left: str | None) -> None:
    """Also where the lane went to the trash, in which the shell still stands."""
    resolve(repo)
    if left:
        (repo.path / ".git" / "info" / "exclude").write_text("*.log\n")
        (lane(repo) / left).touch()
    done = repo.fleet("land", "--continue", cwd=lane(repo), check=0)
    assert f"cd {repo.path}" in done.err


def test_resolved_and_committed_by_hand(repo: Repo) -> None:
    resolve(repo)
    repo.git("commit", "-q", "-m", "mine", cwd=lane(repo))
    repo.fleet("land", "--continue", check=0)
    assert_landed(repo)


def test_committed_by_hand_and_then_improved(repo: Repo) -> None:
    resolve(repo, "first try\n")
    repo.git("commit", "-q", "-m", "mine", cwd=lane(repo))
    resolve(repo)
    repo.fleet("land", "--continue", check=0)
    assert_landed(repo)


def test_improved_after_a_red_gate(repo: Repo) -> None:
    repo.config({"fleet.gate": "grep -q both file", "fleet.gateRetries": "0"})
    resolve(repo, "wrong\n")
    before = repo.oid("main")
    repo.fleet("land", "--continue", check=5)
    assert repo.oid("main") == before and rooms.operations(repo) == [("land", "stopped")]
    resolve(repo)
    repo.fleet("land", "--continue", check=0)
    assert_landed(repo)


@pytest.mark.parametrize(
    ("text", "add", "said"),
    [
        ("<<<<<<< HEAD\na\n=======\nb\n>>>>>>> b\n", True, "conflict markers are left in"),
        ("both\n", False, "not resolved and added yet in"),
    ],
)
def test_what_is_not_resolved_is_named(repo: Repo, text: str, add: bool, said: str) -> None:
    resolve(repo, text, add=add)
    before = repo.snapshot()
    refused = repo.fleet("land", "--continue", check=3)
    assert said in refused.err and "file" in refused.err
    assert repo.snapshot() == before


ABOUT = "# how to resolve\n<<<<<<< HEAD\nyours\n>>>>>>> topic\n"


@pytest.mark.parametrize("side", ["a", "b"])
def test_a_file_may_be_about_conflict_markers(tmp_path: Path, side: str) -> None:
    """What one of the two sides says already is no conflict that was left; what git put there is."""
    work = {"a": {"file": f"a\n{ABOUT if side == 'a' else ''}"}, "b": {"file": f"b\n{ABOUT if side == 'b' else ''}"}}
    repo = rooms.fleet(tmp_path, work)
    repo.fleet("land", check=4)
    unresolved = (lane(repo) / "file").read_text()
    resolve(repo, unresolved)
    assert "conflict markers are left" in repo.fleet("land", "--continue", check=3).err
    resolve(repo, f"both\n{ABOUT}{ABOUT}")
    assert "conflict markers are left" in repo.fleet("land", "--continue", check=3).err
    resolve(repo, f"both\n{ABOUT}")
    repo.fleet("land", "--continue", check=0)
    assert repo.read("file") == f"both\n{ABOUT}"


def test_rerere_fills_in_but_stages_nothing_unseen(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"file": "a\n"}, "b": {"file": "b\n"}})
    repo.config({"rerere.enabled": "true", "rerere.autoUpdate": "true"})
    assert "rerere has" not in repo.fleet("land", check=4).err
    resolve(repo)
    repo.fleet("land", "--continue", check=0)
    repo.fleet("undo", check=0)
    said = repo.fleet("land", check=4).err
    assert "rerere has filled in an earlier resolution, look before you add: file" in said
    assert (lane(repo) / "file").read_text() == "both\n"
    assert repo.git("status", "--porcelain", cwd=lane(repo)) == "UU file"
    assert "not resolved and added yet" in repo.fleet("land", "--continue", check=3).err
    repo.git("add", "file", cwd=lane(repo))
    repo.fleet("land", "--continue", check=0)
    assert repo.read("file") == "both\n"


def test_parked_it_comes_after_all_others(tmp_path: Path) -> None:
    """And what needs it after it; parked again, when nothing else is left, it waits for the next landing."""
    work = {name: {"file": f"{name}\n"} for name in "abc"} | {"d": {"d": "x\n"}}
    repo = rooms.fleet(tmp_path, work)
    repo.config({"fleet.d.needs": ["a", "b"]})
    first = repo.fleet("land", "--json", check=4).json
    assert first["result"] == first["result"] | {"landed": ["a"], "stopped": ["b", "c"]}
    parked = repo.fleet("land", "--park", "--json", check=4).json
    assert [(step["id"], step["action"]) for step in parked["steps"]] == [("c", "stop"), ("b", "stop"), ("d", "park")]
    resolve(repo, "a and c\n")
    done = repo.fleet("land", "--continue", "--json", check=4).json
    assert done["result"]["landed"] == ["c"] and done["result"]["stopped"] == ["b"]
    before = repo.oid("main")
    said = repo.fleet("land", "--park", "--json", check=0).json
    assert [(step["id"], step["action"]) for step in said["steps"]] == [("b", "park"), ("d", "park")]
    assert repo.oid("main") == before and not lane(repo).exists()
    assert rooms.operations(repo)[0] == ("land", "done")
    assert rooms.states(repo) == {"a": "landed", "b": "active", "c": "landed", "d": "active"}
    repo.fleet("land", check=4)


def test_a_refusal_while_it_moves_leaves_the_resolution_where_it_is(repo: Repo) -> None:
    resolve(repo)
    repo.write({"b": "not committed\n"})
    assert "in the way: b" in repo.fleet("land", "--continue", check=3).err
    assert rooms.operations(repo)[0] == ("land", "stopped") and lane(repo).exists()
    (repo.path / "b").unlink()
    repo.fleet("land", "--continue", check=0)
    assert_landed(repo)


def test_a_base_that_is_being_rebased_by_then_leaves_it_too(repo: Repo) -> None:
    resolve(repo)
    rebase = ("git", "rebase", "-q", "--force-rebase", "--exec=false", "HEAD~1")
    assert rooms.status_of(*rebase, cwd=repo.path) == 1
    assert "a rebase of 'main' is in progress" in repo.fleet("land", "--continue", check=3).err
    assert rooms.operations(repo)[0] == ("land", "stopped") and lane(repo).exists()
    repo.git("rebase", "--abort")
    repo.fleet("land", "--continue", check=0)
    assert_landed(repo)


def test_somebody_commits_to_the_base_while_the_resolution_is_tested(repo: Repo) -> None:
    commit = f"(cd '{repo.path}' && echo more >>other && git commit -q -a -m meanwhile)"
    repo.config({"fleet.gate": f"test -e '{repo.path}.once' || {commit}; touch '{repo.path}.once'"})
    resolve(repo)
    assert "looked at it again" in repo.fleet("land", "--continue", check=0).err
    assert_landed(repo)
    assert repo.git("log", "-1", "--format=%s", "main^1") == "meanwhile"


def test_edited_after_adding_is_named(repo: Repo) -> None:
    resolve(repo)
    resolve(repo, "later thought\n", add=False)
    assert "not resolved and added yet" in repo.fleet("land", "--continue", check=3).err
    resolve(repo)
    repo.fleet("land", "--continue", check=0)


def test_resolved_by_taking_the_file_away(repo: Repo) -> None:
    repo.git("rm", "-q", "file", cwd=lane(repo))
    repo.fleet("land", "--continue", check=0)
    assert not (repo.path / "file").exists() and rooms.states(repo)["b"] == "landed"


def test_resolved_to_what_the_base_has(repo: Repo) -> None:
    """An empty merge is a merge."""
    repo.git("rm", "-q", "-f", "b", cwd=lane(repo))
    resolve(repo, "a\n")
    repo.fleet("land", "--continue", check=0)
    assert rooms.states(repo)["b"] == "landed" and repo.oid("main^{tree}") == repo.oid("main^1^{tree}")


def test_a_merge_given_up_in_the_lane_is_not_taken_for_one(repo: Repo) -> None:
    repo.git("merge", "--abort", cwd=lane(repo))
    before = repo.snapshot()
    assert "no longer holds the merge of b" in repo.fleet("land", "--continue", check=3).err
    assert repo.snapshot() == before


def test_another_branch_in_the_lane_is_not_taken_for_it(repo: Repo) -> None:
    repo.git("reset", "-q", "--hard", cwd=lane(repo))
    repo.git("checkout", "-q", "--detach", "c", cwd=lane(repo))
    assert "no longer holds the merge of b" in repo.fleet("land", "--continue", check=3).err


def test_a_lane_deleted_by_hand(repo: Repo) -> None:
    shutil.rmtree(lane(repo))
    assert "is gone" in repo.fleet("land", "--continue", check=3).err
    repo.fleet("land", "--abort", check=0)
    repo.git("worktree", "prune")
    repo.fleet("land", check=4)
    resolve(repo)
    repo.fleet("land", "--continue", check=0)
    assert_landed(repo)


def test_a_lane_deleted_by_hand_is_no_hindrance_to_the_next(repo: Repo) -> None:
    """Nobody has to know `git worktree prune`."""
    shutil.rmtree(lane(repo))
    repo.fleet("land", "--abort", check=0)
    assert str(lane(repo)) not in repo.git("worktree", "list")
    repo.fleet("land", check=4)
    assert [path.name for path in repo.path.parent.glob("app-lane-*")] == ["app-lane-1"]


def test_a_base_that_moved_meanwhile(repo: Repo, tmp_path: Path) -> None:
    """The resolution goes onto the base as it is now, and what lands was tested there."""
    repo.config({"fleet.gate": f"cat file other >>'{tmp_path}/seen'"})
    resolve(repo)
    new = repo.commit("meanwhile", {"other": "x\n"})
    repo.fleet("land", "--continue", check=0)
    assert_landed(repo)
    assert repo.oid("main^1") == new and repo.read("other") == "x\n"
    assert (tmp_path / "seen").read_text().endswith("both\nx\n")
    before = repo.snapshot()
    assert "'main'" in repo.fleet("undo", check=3).err  # it would take the commit in between along
    assert repo.snapshot() == before


def test_a_base_that_moved_where_the_resolution_is(repo: Repo) -> None:
    resolve(repo)
    new = repo.commit("meanwhile", {"file": "elsewhere\n"})
    said = repo.fleet("land", "--continue", check=4).err
    assert "'main' moved while the conflict waited, and the resolution of b conflicts with what came: file" in said
    assert repo.oid("main") == new and (lane(repo) / "file").read_text() == "both\n"
    assert rooms.status_of("git", "merge", "main", cwd=lane(repo)) == 1
    assert "not resolved and added yet" in repo.fleet("land", "--continue", check=3).err
    resolve(repo)
    repo.fleet("land", "--continue", check=0)
    assert_landed(repo)
    assert repo.oid("main^1") == new


def test_a_base_that_moved_and_a_red_gate(repo: Repo) -> None:
    """What was carried over can be improved in the lane like any other."""
    repo.config({"fleet.gate": "grep -q both file", "fleet.gateRetries": "0"})
    resolve(repo, "wrong\n")
    new = repo.commit("meanwhile", {"other": "x\n"})
    repo.fleet("land", "--continue", check=5)
    assert repo.oid("main") == new and (lane(repo) / "other").read_text() == "x\n"
    resolve(repo)
    repo.fleet("land", "--continue", check=0)
    assert_landed(repo)


def test_a_base_that_was_taken_back_meanwhile(repo: Repo) -> None:
    resolve(repo)
    repo.git("reset", "-q", "--hard", "main^")
    before = repo.oid("main")
    assert "'main' no longer contains" in repo.fleet("land", "--continue", check=3).err
    assert repo.oid("main") == before
    assert "is kept: commit " in repo.fleet("land", "--abort", check=0).err


def test_a_branch_that_moved_meanwhile_lands_as_it_was_resolved(repo: Repo) -> None:
    tip = repo.oid("b")
    new = repo.commit("more", {"more": "x\n"}, rooms.tree(repo, "b"))
    resolve(repo)
    repo.fleet("land", "--continue", check=0)
    assert repo.oid("main^2") == tip and repo.oid("b") == new
    assert rooms.states(repo)["b"] == "active"


def test_skip_and_abort_keep_what_was_resolved(repo: Repo) -> None:
    resolve(repo, "half a day of work\n")
    said = repo.fleet("land", "--skip", check=0).err  # the oracle asks for it
    kept = Path(said.partition("is kept: folder '")[2].partition("'")[0])
    assert (kept / "file").read_text() == "half a day of work\n"
    assert rooms.states(repo) == {"a": "landed", "b": "active", "c": "landed"} and not lane(repo).exists()
    repo.fleet("land", check=4)
    (lane(repo) / "notes").write_text("untracked thoughts\n")
    repo.fleet("land", "--abort", check=0)
    assert not lane(repo).exists()


@pytest.mark.parametrize("option", ["--continue", "--skip", "--abort"])
def test_nothing_waits(tmp_path: Path, option: str) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}})
    before = repo.snapshot()
    assert "waits for anybody" in repo.fleet("land", option, check=128).err
    assert repo.snapshot() == before


def test_two_conflicts_one_after_the_other(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {name: {"file": f"{name}\n"} for name in "abc"})
    stopped = [repo.fleet("land", "--json", check=4).json["result"]["stopped"]]
    resolve(repo, "first\n")
    done = repo.fleet("land", "--continue", "--json", check=4).json
    assert (lane(repo) / "file").read_text().startswith("<<<<<<< HEAD\nfirst\n=======\n")
    resolve(repo, "second\n")
    repo.fleet("land", "--continue", check=0)
    assert repo.read("file") == "second\n" and set(rooms.states(repo).values()) == {"landed"}
    assert len(stopped[0]) in (1, 2) and done["result"]["landed"]


def test_undo_takes_the_whole_landing_back(repo: Repo) -> None:
    resolve(repo)
    start = repo.git("rev-list", "--max-parents=0", "main")
    refused = repo.fleet("undo", check=3)
    assert "--abort" in refused.err
    repo.fleet("land", "--continue", check=0)
    repo.fleet("undo", check=0)
    assert repo.oid("main") == start
    assert rooms.states(repo) == {"a": "active", "b": "active", "c": "active"}


def test_the_lane_is_no_task_and_its_work_no_dirt(repo: Repo) -> None:
    status = repo.fleet("status", "--json", check=0).json
    assert status["unplanned"] == [] and [row["id"] for row in status["tasks"]] == ["a", "b", "c"]


def test_a_journal_that_fails_after_the_base_moved_does_not_land_it_twice(repo: Repo) -> None:
    """Only the notes of it are missing then, and the next command writes them."""
    resolve(repo)
    path = repo.path / ".git/fleet/fleet.db"
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TRIGGER full BEFORE INSERT ON landing BEGIN SELECT RAISE(FAIL, 'disk I/O error'); END")
    assert "disk I/O error" in repo.fleet("land", "--continue", check=128).err
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("DROP TRIGGER full")
    landed = repo.oid("main")
    again = repo.fleet("land", "--continue", check=128).err
    assert "had been killed: it had landed" in again and "no landing on 'main' waits" in again
    assert repo.oid("main") == landed and repo.read("file") == "both\n"
