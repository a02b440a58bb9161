"""`add`: all or nothing for each task, also when many add at once and when files cannot be written."""

import subprocess
from pathlib import Path

import kit
import rooms
from kit import Repo


def together(repo: Repo, calls: list[list[str]]) -> list[tuple[int, str]]:
    """Run `git fleet …` several times at the same moment."""
    running = [
        subprocess.Popen(["git", "fleet", *call], cwd=repo.path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for call in calls
    ]
    repo.changed_by_fleet = True
    return [(one.wait(timeout=120), one.stderr.read().decode()) for one in running if one.stderr]


def test_origin_is_recorded(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": None})
    repo.fleet("add", "a", check=0)
    assert repo.oid("refs/fleet/base/a") == repo.oid("main") == repo.oid("a")


def test_a_branch_that_exists_gets_a_worktree_and_stays(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": None})
    tip = repo.branch("a", {"a": "x\n"})
    repo.fleet("add", "a", check=0)
    assert (repo.oid("a"), (rooms.tree(repo, "a") / "a").read_text()) == (tip, "x\n")
    repo.fleet("undo", check=0)
    assert repo.oid("a") == tip and not rooms.tree(repo, "a").exists()


def test_a_filling_that_fails_leaves_nothing_of_its_task(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"bad": None, "good": None})
    repo.branch("bad", {".gitattributes": "* filter=broken\n", "new": "x\n"})
    repo.config({"filter.broken.smudge": "false", "filter.broken.required": "true"})
    before = repo.snapshot()
    done = repo.fleet("add", "bad", "good", check=3)
    assert "bad" in done.err and "files could not be written" in done.err
    after = repo.snapshot()
    assert after.refs == {**before.refs, "refs/heads/good": repo.oid("main")}
    assert list(after.worktrees) == [str(repo.path), str(rooms.tree(repo, "good"))]
    assert [path.name for path in (repo.path / ".git/worktrees").iterdir()] == ["good"]
    assert not rooms.tree(repo, "bad").exists()
    repo.git("config", "filter.broken.smudge", "cat")
    repo.fleet("add", "bad", check=0)


def test_a_filling_that_fails_for_all_leaves_nothing_at_all(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": None, "b": None})
    repo.commit("filter", {".gitattributes": "* filter=broken\n"})
    repo.config({"filter.broken.smudge": "false", "filter.broken.required": "true"})
    before = repo.snapshot()
    repo.fleet("add", "a", "b", check=3)
    assert repo.snapshot() == before
    assert not repo.exists("refs/fleet/base/a") and not (repo.path / ".git/worktrees").exists()
    assert rooms.operations(repo) == [("add", "failed")]
    assert rooms.states(repo) == {"a": "ready", "b": "ready"}


def test_a_name_in_the_way_fails_alone(tmp_path: Path) -> None:
    """`x/y` cannot be a branch where `x` is one."""
    repo = rooms.fleet(tmp_path, {"a": None, "good": None})
    repo.config({"fleet.a.branch": "main/below"})
    before = repo.snapshot()
    done = repo.fleet("add", "a", "good", check=3)
    assert "main/below" in done.err
    assert repo.snapshot().refs == {**before.refs, "refs/heads/good": repo.oid("main")}
    assert not rooms.tree(repo, "a").exists()


def test_a_new_task_that_cannot_be_made_is_in_the_plan_and_says_so(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": None})
    repo.git("branch", "7/below")
    said = repo.fleet("add", "7 seven", check=3).err
    assert "7 is in the plan by now: git fleet add 7 tries again, git fleet plan drop 7 drops it" in said
    repo.fleet("plan", "drop", "7", check=0)
    repo.git("branch", "-D", "7/below")
    repo.fleet("add", "7 seven", check=0)


def test_a_worktree_that_cannot_be_registered_fails_alone(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": None, "good": None})
    (tmp_path / "plain").write_text("a file\n")
    repo.config({"fleet.a.worktree": "../plain/a"})
    repo.fleet("add", "a", "good", check=3)
    assert repo.exists("good") and not repo.exists("a") and not repo.exists("refs/fleet/base/a")


def test_twelve_at_once_of_different_tasks_all_succeed(tmp_path: Path) -> None:
    names = [f"t{number}" for number in range(12)]
    repo = rooms.fleet(tmp_path, dict.fromkeys(names))
    assert [status for status, _ in together(repo, [["add", name] for name in names])] == [0] * 12
    assert sorted(tree.branch or "" for tree in repo.worktrees()[1:]) == sorted(f"refs/heads/{name}" for name in names)
    for name in names:
        assert repo.git("status", "--porcelain", cwd=rooms.tree(repo, name)) == ""
    assert rooms.operations(repo) == [("add", "done")] * 12
    assert set(repo.snapshot().refs) == {"refs/heads/main", *(f"refs/heads/{name}" for name in names)}


def test_twelve_at_once_of_the_same_task_make_it_once(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": None})
    ended = together(repo, [["add", "a"]] * 12)
    assert [status for status, _ in ended] == [0] * 12, ended
    assert rooms.operations(repo) == [("add", "done")]
    assert repo.git("status", "--porcelain", cwd=rooms.tree(repo, "a")) == ""


def test_an_add_that_was_killed_is_taken_back_or_finished(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": None, "b": None})
    repo.commit("slow", {".gitattributes": "* filter=slow\n"})
    repo.config({"filter.slow.smudge": f"touch '{tmp_path}/begun'; sleep 5; cat"})
    running = repo.start("add", "a")
    kit.wait_for((tmp_path / "begun").exists)
    running.kill()
    repo.git("config", "filter.slow.smudge", "cat")
    said = repo.fleet("add", "b", check=0).err
    assert "'add a' (operation 1) had been killed: 3 of its changes taken back" in said
    assert not repo.exists("a") and not rooms.tree(repo, "a").exists() and not repo.exists("refs/fleet/base/a")
    assert repo.fleet("log", "--json", check=0).json["operations"][-1]["state"] == "failed"
    repo.fleet("add", "a", check=0)


def test_an_add_that_still_fills_is_left_alone(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": None, "b": None})
    repo.commit("slow", {".gitattributes": "file filter=slow\n"})
    gate = f"touch '{tmp_path}/begun'; while ! test -e '{tmp_path}/go'; do sleep 0.02; done; cat"
    repo.config({"filter.slow.smudge": gate})
    slow = repo.start("add", "a")
    kit.wait_for((tmp_path / "begun").exists)
    quick = repo.start("add", "b")
    kit.wait_for(lambda: repo.exists("b"))
    (tmp_path / "go").touch()
    assert (slow.wait(), quick.wait()) == (0, 0)
    assert rooms.states(repo) == {"a": "active", "b": "active"}


def test_a_hook_runs_in_the_new_worktree(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": None})
    hook = repo.path / ".git/hooks/post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f'#!/bin/sh\npwd >"{tmp_path}/where"\necho "$@" >"{tmp_path}/args"\nexit 1\n')
    hook.chmod(0o755)
    repo.fleet("add", "a", check=0)
    assert (tmp_path / "where").read_text() == f"{rooms.tree(repo, 'a')}\n"
    assert (tmp_path / "args").read_text() == f"{'0' * 40} {repo.oid('main')} 1\n"


def test_in_a_sha256_repository(tmp_path: Path) -> None:
    repo = kit.make_repo(tmp_path / "app", {"file": "x\n"}, "--object-format=sha256")
    repo.config({"fleet.branch": "{id}", "fleet.worktree": "../{id}", "fleet.a.title": "a"})
    repo.fleet("add", "a", check=0, oracle=False)
    repo.commit("a: done", {"a": "x\n"}, rooms.tree(repo, "a"))
    repo.fleet("land", check=0, oracle=False)
    assert repo.read("a") == "x\n"
    repo.fleet("remove", "a", check=0, oracle=False)
    repo.fleet("undo", check=0, oracle=False)
    assert (rooms.tree(repo, "a") / "a").read_text() == "x\n"


def test_from_a_bare_repository(tmp_path: Path) -> None:
    rooms.fleet(tmp_path, {}).git("clone", "-q", "--bare", ".", "../hub.git")
    hub = kit.adopt(tmp_path / "hub.git")
    hub.config({"fleet.branch": "{id}", "fleet.worktree": "../{id}", "fleet.a.title": "a"})
    hub.fleet("add", "a", check=0, oracle=False)
    hub.commit("a: done", {"a": "x\n"}, tmp_path / "a")
    hub.fleet("land", check=0, oracle=False)
    assert hub.show("a") == "x\n"


def test_a_template_through_a_link_is_the_place_behind_it(tmp_path: Path) -> None:
    repo = kit.make_repo(tmp_path / "app", {"a": "1\n"})
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    repo.git("config", "fleet.1.worktree", "../link/one")
    repo.fleet("add", "1", check=0)
    again = repo.fleet("add", "1", check=0)
    assert "exists as planned" in again.err
    assert (tmp_path / "real" / "one" / "a").read_text() == "1\n"


# ------------------------------------------------------------------------------------------------------- moved by hand


def test_a_worktree_that_was_moved_by_hand_is_not_made_twice(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}})
    rooms.tree(repo, "a").rename(tmp_path / "moved")
    before = repo.snapshot()
    refused = repo.fleet("add", "a", check=3).err
    assert f"its worktree '{tmp_path}/a' was moved to '{tmp_path}/moved'" in refused
    assert f"git worktree repair {tmp_path}/moved" in refused
    assert f"its folder was moved to '{tmp_path}/moved'" in repo.fleet("clean", "--dry-run", check=0).out
    assert repo.snapshot() == before
    repo.git("worktree", "repair", tmp_path / "moved")
    assert f"is checked out in '{tmp_path}/moved'" in repo.fleet("add", "a", check=3).err


def test_a_fleet_that_was_moved_as_a_whole_is_repaired_not_made_again(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    rooms.fleet(tmp_path / "old", {"a": {"a": "x\n"}})
    (tmp_path / "old").rename(tmp_path / "new")
    repo = kit.adopt(tmp_path / "new/app")
    assert f"git worktree repair {tmp_path}/new/a" in repo.fleet("add", "a", check=3, oracle=False).err
    repo.git("worktree", "repair", tmp_path / "new/a")
    assert "exists as planned" in repo.fleet("add", "a", check=0).err


def test_a_folder_that_was_moved_out_of_sight_finds_no_other_entry_under_its_name(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}})
    (tmp_path / "far/away").mkdir(parents=True)
    rooms.tree(repo, "a").rename(tmp_path / "far/away/a")
    repo.fleet("add", "a", check=0)
    assert rooms.status_of("git", "status", cwd=tmp_path / "far/away/a") == 128
    assert repo.git("status", "--porcelain", cwd=rooms.tree(repo, "a")) == ""


def test_a_task_that_begins_a_plan_names_the_worktrees_that_are_not_in_it(tmp_path: Path) -> None:
    repo = kit.make_repo(tmp_path / "app", {"a": "x\n"})
    repo.git("worktree", "add", "-q", "-b", "fix", "../fix")
    said = repo.fleet("add", "7 new thing", check=0).err
    assert "not in it, unless you say so: fix (git config fleet.fix.branch fix)\n" in said
    repo.git("config", "fleet.fix.branch", "fix")
    assert rooms.states(repo) == {"7": "active", "fix": "active"}
    assert "not in it" not in repo.fleet("add", "8 next", check=0).err
