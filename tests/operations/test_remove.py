"""`remove`: whatever anybody could miss keeps a worktree where it is."""

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import kit
import pytest
import rooms
from kit import Repo

from git_fleet.model.errors import FleetError


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """Task `a` has landed, its worktree is still there; `b` is at work."""
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}, "b": {"b": "x\n"}})
    repo.git("merge", "-q", "--no-ff", "a")
    return repo


def git(tree: Path, *args: str) -> None:
    subprocess.run(["git", *args], cwd=tree, check=True, capture_output=True)


def modified(tree: Path) -> None:
    (tree / "file").write_text("mine\n")


def untracked(tree: Path) -> None:
    (tree / "mine").write_text("mine\n")


def ignored(tree: Path) -> None:
    (tree / "mine.log").write_text("mine\n")


def staged(tree: Path) -> None:
    (tree / "mine").write_text("mine\n")
    git(tree, "add", "mine")


def committed(tree: Path) -> None:
    git(tree, "commit", "-q", "--allow-empty", "-m", "more")


def locked(tree: Path) -> None:
    git(tree, "worktree", "lock", "--reason", "agent 7", str(tree))


def nested_worktree(tree: Path) -> None:
    (tree / ".gitignore").write_text("*.log\n/inner\n")
    git(tree, "update-index", "--assume-unchanged", ".gitignore")
    git(tree, "worktree", "add", "-q", "-b", "inner", "inner")
    (tree / ".gitignore").write_text("*.log\n")


def nested_repository(tree: Path) -> None:
    kit.make_repo(tree / "inner", {"mine": "mine\n"})


def assumed_unchanged(tree: Path) -> None:
    git(tree, "update-index", "--assume-unchanged", "file")
    (tree / "file").write_text("mine\n")


def skipped(tree: Path) -> None:
    git(tree, "update-index", "--skip-worktree", "file")
    (tree / "file").write_text("mine\n")


def detached(tree: Path) -> None:
    git(tree, "checkout", "-q", "--detach")
    git(tree, "commit", "-q", "--allow-empty", "-m", "on no branch")


def bisecting(tree: Path) -> None:
    git(tree, "bisect", "start")


def untracked_though_nobody_shows_it(tree: Path) -> None:
    git(tree, "config", "status.showUntrackedFiles", "no")
    untracked(tree)


def merging(tree: Path) -> None:
    """Nothing is left to see of the merge but that it is one."""
    git(tree, "merge", "-q", "--no-commit", "--no-ff", "-s", "ours", "b")


def rebasing(tree: Path) -> None:
    env = {**os.environ, "GIT_SEQUENCE_EDITOR": "echo break >"}
    subprocess.run(["git", "rebase", "-q", "-i", "HEAD~"], cwd=tree, check=True, env=env)


def nested_worktree_in_an_ignored_folder(tree: Path) -> None:
    git(tree, "config", "core.excludesFile", "/dev/null")
    git(tree, "worktree", "add", "-q", "-b", "inner", "cache.log/inner")
    (tree / "cache.log/inner/file").write_text("mine\n")


def nested_repository_in_an_ignored_folder(tree: Path) -> None:
    kit.make_repo(tree / "inner.log", {"mine": "mine\n"})


def nested_repository_among_tracked_files(tree: Path) -> None:
    """git status says nothing of it: all that it sees there is tracked."""
    (tree / "down").mkdir()
    (tree / "down/file").write_text("x\n")
    git(tree, "add", "down")
    git(tree, "commit", "-q", "-m", "down")
    git(tree, "-C", "../app", "merge", "-q", "--no-ff", "a")
    inner = kit.make_repo(tree / "down")
    inner.git("commit", "-q", "--allow-empty", "-m", "mine")


def stashed(tree: Path) -> None:
    modified(tree)
    git(tree, "stash", "push", "-q", "-m", "for later")


def modified_behind_a_monitor(tree: Path) -> None:
    """A monitor that sleeps: git status believes it that nothing was changed."""
    monitor = tree.parent / "monitor"
    monitor.write_text("#!/bin/sh\nprintf 'token\\0'\n")
    monitor.chmod(0o755)
    git(tree, "config", "core.fsmonitor", str(monitor))
    git(tree, "update-index", "--fsmonitor")
    git(tree, "status")
    modified(tree)
    assert subprocess.check_output(["git", "status", "--porcelain"], cwd=tree) == b""


def stashed_while_on_no_branch(tree: Path) -> None:
    git(tree, "checkout", "-q", "--detach")
    stashed(tree)


def half_written(tree: Path) -> None:
    (tree.parent / "app/.git/worktrees/a/gitdir").write_text("")


def with_a_private_reference(tree: Path) -> None:
    git(tree, "commit", "-q", "--allow-empty", "-m", "on no branch")
    git(tree, "update-ref", "refs/worktree/x", "HEAD")
    git(tree, "reset", "-q", "--hard", "HEAD~")


def on_another_branch(tree: Path) -> None:
    git(tree, "checkout", "-q", "-b", "other")


def checked_out_in_the_main_worktree(tree: Path) -> None:
    git(tree, "checkout", "-q", "--detach")
    git(tree, "-C", "../app", "checkout", "-q", "--ignore-other-worktrees", "a")


def checked_out_twice(tree: Path) -> None:
    git(tree, "worktree", "add", "-q", "--force", "../twice", "a")


def being_rebased_elsewhere(tree: Path) -> None:
    git(tree, "checkout", "-q", "--detach")
    git(tree, "worktree", "add", "-q", "../elsewhere", "a")
    rebasing(tree.parent / "elsewhere")


def with_size_and_time_of_before(tree: Path) -> None:
    """A user who told git to trust what anybody can set."""
    git(tree, "config", "core.trustctime", "false")
    os.utime(tree / "file", (5, 5))
    git(tree, "status")
    time.sleep(1.1)  # git looks at whole seconds
    text = (tree / "file").read_text()
    (tree / "file").write_text(text.replace("line", "LINE"))
    os.utime(tree / "file", (5, 5))


def under_a_name_that_differs_by_case(tree: Path) -> None:
    git(tree, "config", "core.ignoreCase", "true")
    (tree / "FILE").write_text("mine\n")


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (modified, "modified: file"),
        (untracked, "untracked: mine"),
        (ignored, "ignored: mine.log"),
        (staged, "staged: mine"),
        (committed, "has 1 commit that the base lacks"),
        (locked, "it is locked: agent 7"),
        (nested_worktree, "another worktree is in it: "),
        (nested_repository, "a repository is in it: "),
        (assumed_unchanged, "modified, though marked as unchanged: file"),
        (skipped, "modified, though marked as unchanged: file"),
        (detached, "what is checked out there is on no branch"),
        (with_a_private_reference, "what refs/worktree/x holds is on no branch"),
        (bisecting, "a bisect is in progress"),
        (untracked_though_nobody_shows_it, "untracked: mine"),
        (merging, "a merge is in progress"),
        (rebasing, "a rebase is in progress"),
        (nested_worktree_in_an_ignored_folder, "another worktree is in it: "),
        (nested_repository_in_an_ignored_folder, "ignored: inner.log/"),
        (nested_repository_among_tracked_files, "a repository is in it: "),
        (stashed, "stash@{0} was made on 'a'"),
        (modified_behind_a_monitor, "modified: file"),
        (stashed_while_on_no_branch, "stash@{0} was made on 'a'"),
        (half_written, "which is half written"),
        (on_another_branch, "it is on 'other', not on 'a'"),
        (checked_out_in_the_main_worktree, "'a' is in use in '"),
        (checked_out_twice, "'a' is in use in '"),
        (being_rebased_elsewhere, "'a' is in use in '"),
        (with_size_and_time_of_before, "modified: file"),
        (under_a_name_that_differs_by_case, "untracked: FILE"),
    ],
)
def test_it_stays(repo: Repo, harm: Callable[[Path], None], said: str) -> None:
    harm(rooms.tree(repo, "a"))
    before = repo.snapshot()
    assert said in repo.fleet("remove", "a", check=3).err
    assert repo.snapshot() == before and not repo.exists("refs/fleet/keep/1/0")


def test_a_folder_that_cannot_be_read_keeps_it(repo: Repo) -> None:
    """git status says of it, to people alone, that it could not open it; and that all is well."""
    closed = rooms.tree(repo, "a") / "closed"
    closed.mkdir()
    (closed / "mine").write_text("mine\n")
    closed.chmod(0)
    done = repo.run(*rooms.whom_modes_bind(), "git", "fleet", "remove", "a", check=3, reader=False)
    assert "a stays: cannot be read: closed\n" in done.err and f"chmod u+rwx {closed}\n" in done.err
    assert (closed / "mine").read_text() == "mine\n"


def test_a_dry_run_says_what_would_be(repo: Repo) -> None:
    assert repo.fleet("remove", "--dry-run", "a", check=0).out.startswith("a: remove: landed: ")
    refused = repo.fleet("remove", "--dry-run", "a", "b", check=3)
    assert refused.out.splitlines()[1] == "b: keep: 'b' has 1 commit that the base lacks"
    assert refused.err.startswith("error: nothing removed: b stays: 'b' has 1 commit that the base lacks\nhint: ")


def test_as_json_it_is_what_clean_says(repo: Repo) -> None:
    def said(*args: str, check: int) -> tuple[int | None, dict[str, Any]]:
        found = repo.fleet("remove", "--json", *args, check=check).json
        schemas = [
            json.loads(resources.files("git_fleet.output").joinpath(f"schemas/{name}.json").read_text())
            for name in ("remove", "clean")
        ]
        jsonschema.Draft202012Validator(schemas[0]).validate(found)
        assert schemas[0]["properties"]["verdicts"] == schemas[1]["properties"]["verdicts"]
        return found["operation"], {one["id"]: one for one in found["verdicts"]}

    locked(rooms.tree(repo, "b"))
    cleaned = {one["id"]: one for one in repo.fleet("clean", "--dry-run", "--json", check=0).json["verdicts"]}
    assert cleaned["b"]["evidence"]["locked"] == "agent 7"
    assert said("--dry-run", "a", "b", check=3) == said("a", "b", check=3) == (None, cleaned)
    assert said("--dry-run", "a", check=0) == (None, {"a": cleaned["a"]})
    assert said("a", check=0) == (1, {"a": {**cleaned["a"], "removed": True}})
    assert said("a", check=0) == (None, {})


def test_every_reason_is_named(repo: Repo) -> None:
    for harm in (modified, untracked, ignored, locked):
        harm(rooms.tree(repo, "a"))
    said = repo.fleet("remove", "a", check=3).err
    assert repo.fleet("remove", "--dry-run", "a", check=3).err == said
    for reason in ("modified: file", "untracked: mine", "ignored: mine.log", "it is locked: agent 7"):
        assert reason in said


@pytest.mark.parametrize("below", [".", "deep/down"])
def test_it_stays_while_you_stand_in_it(repo: Repo, below: str) -> None:
    here = rooms.tree(repo, "a") / below
    here.mkdir(parents=True, exist_ok=True)
    before = repo.snapshot()
    assert "you stand in it" in repo.fleet("remove", "a", cwd=here, check=3).err
    assert repo.snapshot() == before and here.is_dir()


def test_what_has_not_landed_stays(repo: Repo) -> None:
    before = repo.snapshot()
    assert "'b' has 1 commit that the base lacks" in repo.fleet("remove", "b", check=3).err
    assert repo.snapshot() == before


def test_one_that_stays_keeps_all(repo: Repo) -> None:
    before = repo.snapshot()
    refused = repo.fleet("remove", "a", "b", check=3)
    assert repo.snapshot() == before
    assert "git fleet remove a" in refused.err


def test_a_removed_task_is_gone_and_its_commits_are_kept(repo: Repo) -> None:
    tip, tree = repo.oid("a"), rooms.tree(repo, "a")
    repo.git("commit", "-q", "--allow-empty", "-m", "given up", cwd=tree)
    given_up = repo.oid("a")
    repo.git("reset", "-q", "--hard", tip, cwd=tree)
    private = repo.git("commit-tree", "-m", "private", "HEAD^{tree}", cwd=tree)
    repo.config({"core.logAllRefUpdates": "always"})
    for where in (private, tip):
        repo.git("update-ref", "refs/worktree/mine", where, cwd=tree)
    done = repo.fleet("remove", "a", check=0)
    assert not tree.exists() and not repo.exists("a") and not repo.exists("refs/fleet/base/a")
    assert f"{tree}" in done.err + done.out
    repo.git("reflog", "expire", "--expire=now", "--expire-unreachable=now", "--all")
    repo.git("gc", "-q", "--prune=now")
    assert {repo.git("cat-file", "-t", oid) for oid in (tip, given_up, private)} == {"commit"}


def test_what_the_index_remembers_of_a_conflict_survives_gc(repo: Repo) -> None:
    """Without these blobs, git gc would die of the index that undo brings back."""
    tree = rooms.tree(repo, "a")
    (tree / "file").write_text("stashed\n")
    repo.git("stash", cwd=tree)
    repo.commit("mine", {"file": "mine\n"}, tree)
    assert rooms.status_of("git", "stash", "pop", cwd=tree) == 1
    repo.write({"file": "resolved\n"}, tree)
    repo.git("add", "file", cwd=tree)
    repo.git("stash", "drop", "-q", cwd=tree)
    repo.git("commit", "-q", "-m", "resolved", cwd=tree)
    repo.git("merge", "-q", "--no-ff", "a")
    before = repo.git("ls-files", "--resolve-undo", cwd=tree)
    assert before
    repo.fleet("remove", "a", check=0)
    repo.git("gc", "-q", "--prune=now")
    repo.fleet("undo", check=0)
    assert repo.git("ls-files", "--resolve-undo", cwd=tree) == before
    repo.git("gc", "-q", "--prune=now")


def test_twice_is_nothing_to_do(repo: Repo) -> None:
    repo.fleet("remove", "a", check=0)
    before = repo.snapshot()
    repo.fleet("remove", "a", check=0)
    assert repo.snapshot() == before


def test_a_branch_whose_folder_was_deleted_by_hand(repo: Repo) -> None:
    subprocess.run(["rm", "-r", rooms.tree(repo, "a")], check=True)
    repo.fleet("remove", "a", check=0)
    assert not repo.exists("a")
    assert [tree.branch for tree in repo.worktrees()] == ["refs/heads/main", "refs/heads/b"]


def test_a_locked_worktree_whose_disk_is_away_stays(repo: Repo, tmp_path: Path) -> None:
    locked(rooms.tree(repo, "a"))
    rooms.tree(repo, "a").rename(tmp_path / "unmounted")
    before = repo.git("worktree", "list", "--porcelain")
    assert "it is locked: agent 7" in repo.fleet("remove", "a", check=3).err
    assert repo.git("worktree", "list", "--porcelain") == before


def test_a_worktree_that_was_moved_by_git(repo: Repo, tmp_path: Path) -> None:
    repo.git("worktree", "move", "../a", "../moved")
    repo.fleet("remove", "a", check=0)
    assert not (tmp_path / "moved").exists() and not repo.exists("a")


def test_no_process_needs_to_be_in_the_way_to_see_another_base(repo: Repo) -> None:
    """The base's own worktree is never a task's."""
    repo.config({"fleet.main.title": "main"})
    before = repo.snapshot()
    assert repo.fleet("remove", "main").status != 0
    assert repo.snapshot() == before and os.path.isdir(repo.path)


@pytest.fixture
def sleeper(repo: Repo) -> Iterator[subprocess.Popen[bytes]]:
    """A process whose current directory is in the worktree of `a`."""
    process = subprocess.Popen(["sleep", "60"], cwd=rooms.tree(repo, "a"))
    yield process
    process.kill()
    process.wait()


def test_it_stays_while_a_process_stands_in_it(repo: Repo, sleeper: subprocess.Popen[bytes]) -> None:
    before = repo.snapshot()
    assert f"in use by process {sleeper.pid} (sleep)" in repo.fleet("remove", "a", check=3).err
    assert repo.snapshot() == before
    sleeper.kill()
    sleeper.wait()
    repo.fleet("remove", "a", check=0)


def test_it_stays_while_the_shell_that_calls_stands_in_it(repo: Repo) -> None:
    tree = rooms.tree(repo, "a")
    done = repo.run("sh", "-c", f"cd '{tree}' && git -C '{repo.path}' fleet remove a; exit $?", cwd=tree, reader=False)
    assert done.status == 3 and "in use by process " in done.err and tree.is_dir()


# -------------------------------------------------------------------------------------------------------------- trash


def as_before(repo: Repo, before: kit.Snapshot) -> bool:
    """But that the plan says by now that the task has landed: it has."""
    return repo.snapshot()._replace(config="") == before._replace(config="")


def test_what_can_be_made_again_goes_along_and_comes_back(repo: Repo) -> None:
    tree = rooms.tree(repo, "a")
    repo.commit("ignore", {".gitignore": "*.log\nnode_modules/\n.env\ntarget/\n"})
    repo.git("merge", "-q", "main", cwd=tree)
    repo.write(
        {
            "node_modules/x/index.js": "x\n",
            "sub/node_modules/y.js": "y\n",
            "target/CACHEDIR.TAG": "Signature: 8a477f597d28d172789f06886806bc55\n",
            "target/debug/app": "x\n",
        },
        tree,
    )
    before = repo.snapshot()
    assert "node_modules/" in repo.fleet("remove", "a", check=0).err
    assert not tree.exists()
    repo.fleet("undo", check=0)
    assert as_before(repo, before)
    repo.write({".env": "SECRET=1\n"}, tree)
    assert "ignored: .env\n" in repo.fleet("remove", "a", check=3).err
    repo.config({"fleet.disposable": ".env"})
    repo.fleet("remove", "a", check=0)


def test_an_empty_value_forgets_the_defaults(repo: Repo) -> None:
    tree = rooms.tree(repo, "a")
    repo.config({"core.excludesFile": str(tree.parent / "ignore"), "fleet.disposable": ["", "*.tmp"]})
    (tree.parent / "ignore").write_text("node_modules\n*.tmp\n")
    repo.write({"node_modules/x": "x\n", "x.tmp": "x\n"}, tree)
    assert "ignored: node_modules/\n" in repo.fleet("remove", "a", check=3).err


def test_a_link_that_leads_outside_goes_alone(repo: Repo, tmp_path: Path) -> None:
    outside = tmp_path / "store"
    outside.mkdir()
    (outside / "mine").write_text("mine\n")
    tree = rooms.tree(repo, "a")
    repo.config({"core.excludesFile": str(tmp_path / "ignore")})
    (tmp_path / "ignore").write_text("node_modules\n")
    (tree / "node_modules").symlink_to(outside)
    repo.fleet("remove", "a", check=0)
    assert (outside / "mine").read_text() == "mine\n"


def test_the_way_back_is_said_before_anything_is_touched(repo: Repo) -> None:
    first, second = repo.fleet("remove", "a", check=0).err.splitlines()
    assert first == "removing a; to bring them back: git fleet undo 1" and second.startswith("removed a: worktree ")


def test_it_does_not_take_longer_for_what_is_ignored(repo: Repo, tmp_path: Path) -> None:
    """An ignored folder is one path: nothing in it is looked at, it can even be unreadable."""
    tree = rooms.tree(repo, "a")
    repo.config({"core.excludesFile": str(tmp_path / "ignore")})
    (tmp_path / "ignore").write_text("node_modules\n")
    (tree / "node_modules/.git").mkdir(parents=True)
    repo.fleet("remove", "a", check=0)


def test_a_trash_on_its_own_device(repo: Repo, tmp_path: Path) -> None:
    """Where the worktree is on another device, its trash is beside it: going there stays one rename."""
    shm = Path("/dev/shm")
    if not os.access(shm, os.W_OK) or shm.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("no second device")
    away = shm / f"git-fleet-test-{os.getpid()}-{time.monotonic_ns()}"
    try:
        repo.git("worktree", "remove", "../a")
        repo.git("worktree", "add", "-q", away / "a", "a")
        repo.fleet("remove", "a", check=0)
        assert sorted(path.name for path in away.iterdir()) == [".git-fleet-trash"]
        repo.fleet("undo", check=0)
        assert (away / "a/a").read_text() == "x\n" and repo.git("status", "--porcelain", cwd=away / "a") == ""
        assert [path.name for path in away.iterdir()] == ["a"]
    finally:
        subprocess.run(["rm", "-rf", away], check=True)


def test_a_worktree_inside_that_was_deleted_is_in_nobodys_way(repo: Repo) -> None:
    repo.git("worktree", "add", "-q", "-b", "inner", "../a/inner")
    subprocess.run(["rm", "-r", rooms.tree(repo, "a") / "inner"], check=True)
    repo.fleet("remove", "a", check=0)
    assert repo.exists("inner")


def test_the_branch_that_a_bare_repository_shows_stays(tmp_path: Path) -> None:
    made = rooms.fleet(tmp_path, {"a": {"a": "x\n"}})
    made.git("merge", "-q", "--no-ff", "a")
    bare = tmp_path / "bare.git"
    made.git("clone", "-q", "--bare", made.path, bare)
    made.git(f"--git-dir={bare}", "symbolic-ref", "HEAD", "refs/heads/a")
    made.git(f"--git-dir={bare}", "worktree", "add", "-q", "../bare-main", "main")
    made.git(f"--git-dir={bare}", "config", "fleet.a.title", "a")
    made.git(f"--git-dir={bare}", "config", "fleet.branch", "{id}")
    repo = Repo(tmp_path / "bare-main")
    assert "'a' is HEAD of the bare repository" in repo.fleet("remove", "a", check=3, oracle=False).err
    made.git(f"--git-dir={bare}", "symbolic-ref", "HEAD", "refs/heads/main")
    repo.fleet("remove", "a", check=0, oracle=False)


def test_an_entry_whose_disk_is_away_stays(repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "usb").mkdir()
    repo.git("worktree", "move", "../a", "../usb/a")
    (tmp_path / "usb").rename(tmp_path / "unmounted")
    assert "a disk may be away" in repo.fleet("remove", "a", check=3).err
    (tmp_path / "unmounted").rename(tmp_path / "usb")
    repo.fleet("remove", "a", check=0)


def test_a_worktree_that_was_moved_by_hand_stays(repo: Repo, tmp_path: Path) -> None:
    rooms.tree(repo, "a").rename(tmp_path / "moved")
    refused = repo.fleet("remove", "a", check=3).err
    assert f"its folder was moved to '{tmp_path}/moved'" in refused
    repo.git("worktree", "repair", tmp_path / "moved")
    repo.fleet("remove", "a", check=0)
    assert not (tmp_path / "moved").exists()


def test_staged_work_of_a_folder_that_was_deleted_stays(repo: Repo) -> None:
    staged(rooms.tree(repo, "a"))
    subprocess.run(["rm", "-r", rooms.tree(repo, "a")], check=True)
    assert "staged: mine" in repo.fleet("remove", "a", check=3).err


def test_the_entry_of_a_deleted_folder_comes_back(repo: Repo) -> None:
    subprocess.run(["rm", "-r", rooms.tree(repo, "a")], check=True)
    before = repo.git("worktree", "list", "--porcelain")
    repo.fleet("remove", "a", check=0)
    repo.fleet("undo", check=0)
    assert repo.git("worktree", "list", "--porcelain") == before and repo.exists("a")
    repo.fleet("undo", check=0)
    assert not repo.exists("a") and len(repo.worktrees()) == 2


# ----------------------------------------------------------------------------------------- somebody is quicker than we


def removal(repo: Repo, meanwhile: Callable[[], object], *names: str) -> None:
    """`remove`, with somebody at work between the last look and the first deed."""
    from git_fleet.analysis import view as views
    from git_fleet.model.events import Event, Removing
    from git_fleet.operations import context as contexts
    from git_fleet.operations import remove

    def say(event: Event) -> None:
        if isinstance(event, Removing):
            meanwhile()

    with contextlib.chdir(repo.path):
        context = contexts.find()
        remove.remove(context, views.view(context.plan), names, say)


@pytest.mark.parametrize(
    "deed", [modified, untracked, ignored, staged, committed, assumed_unchanged, detached, bisecting]
)
def test_who_writes_between_the_look_and_the_rename_keeps_it(repo: Repo, deed: Callable[[Path], None]) -> None:
    repo.fleet("land", "b", check=0)
    tree = rooms.tree(repo, "b")
    with kit.conserved(repo), pytest.raises(FleetError):
        removal(repo, lambda: deed(tree), "a", "b")
    assert tree.is_dir() and rooms.tree(repo, "a").is_dir() and repo.exists("a") and repo.exists("b")
    assert repo.git("worktree", "list").count("\n") == 2
    assert rooms.operations(repo)[0] == ("remove", "failed")


def test_a_branch_that_moves_meanwhile_keeps_its_name(repo: Repo) -> None:
    """Its worktree is gone, so only the compare-and-swap can see it."""
    repo.git("worktree", "remove", "../a")
    tip = repo.branch("later", {"later": "x\n"})
    with pytest.raises(FleetError, match="moved meanwhile"):
        removal(repo, lambda: repo.git("update-ref", "refs/heads/a", tip), "a")  # type: ignore[arg-type,return-value]
    assert repo.oid("a") == tip
