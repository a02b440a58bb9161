"""`undo`: takes an operation back whole, or says why not and changes nothing; an undo can be undone."""

import subprocess
from contextlib import chdir
from pathlib import Path

import pytest
import rooms
from kit import Repo, make_repo
from warm import Warm

from git_fleet.journal import database, locks
from git_fleet.model.errors import Refused
from git_fleet.operations import context as contexts
from git_fleet.operations import revert, undo
from git_fleet.repo import worktrees


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return rooms.fleet(tmp_path, {"a": {"a": "x\n"}, "b": {"b": "x\n"}, "new": None})


def test_nothing_to_undo(repo: Repo) -> None:
    before = repo.snapshot()
    done = repo.fleet("undo", check=128)
    assert "there is nothing to undo" in done.err
    assert repo.snapshot() == before


def test_undo_of_an_undo_says_that_it_does_again(repo: Repo) -> None:
    repo.fleet("add", "new", check=0)
    repo.fleet("land", "a", check=0)
    assert repo.fleet("undo", check=0).out == "undone 2: land a\n"
    assert repo.fleet("undo", "--dry-run", check=0).out == "would redo: land a\n"
    again = repo.fleet("undo", check=0)
    assert again.out == "redone: land a\n" and "git fleet undo 2 && git fleet undo 1   # add new\n" in again.err
    assert rooms.operations(repo) == [("undo", "done"), ("undo", "undone"), ("land", "done"), ("add", "done")]
    assert repo.fleet("undo", check=0).out == "undone 4: land a\n"
    summaries = [one["summary"] for one in repo.fleet("log", "--json").json["operations"]]
    assert summaries[:3] == ["undo 4: land a", "undo 3: redo land a", "undo 2: land a"]
    assert "git fleet log lists" in repo.fleet("undo", "2", check=3).err


def test_what_was_done_again_can_be_taken_back_by_its_own_number(repo: Repo) -> None:
    repo.fleet("land", "a", check=0)
    repo.fleet("undo", check=0)
    repo.fleet("undo", check=0)
    assert repo.fleet("undo", "1", check=0).out == "undone 1: land a\n"
    assert rooms.states(repo)["a"] == "active" and rooms.operations(repo)[-1] == ("land", "undone")


def test_add_and_back_and_again(repo: Repo) -> None:
    before = repo.snapshot()
    repo.fleet("add", "new", check=0)
    added = repo.snapshot()
    repo.fleet("undo", check=0)
    assert (repo.snapshot().refs, repo.snapshot().files) == (before.refs, before.files)
    assert not repo.exists("refs/fleet/base/new")
    repo.fleet("undo", check=0)
    assert (repo.snapshot().refs, repo.snapshot().files) == (added.refs, added.files)
    assert repo.snapshot().config == added.config
    assert repo.exists("refs/fleet/base/new")
    assert repo.git("status", "--porcelain", cwd=rooms.tree(repo, "new")) == ""


def test_land_and_back_and_again(repo: Repo) -> None:
    before = repo.snapshot()
    repo.fleet("land", check=0)
    landed = repo.snapshot()
    repo.fleet("undo", check=0)
    assert (repo.snapshot().refs, repo.snapshot().files) == (before.refs, before.files)
    assert rooms.states(repo) == {"a": "active", "b": "active", "new": "ready"}
    repo.fleet("undo", check=0)
    assert (repo.snapshot().refs, repo.snapshot().files) == (landed.refs, landed.files)
    assert repo.snapshot().config == landed.config
    assert rooms.states(repo) == {"a": "landed", "b": "landed", "new": "ready"}


def test_remove_and_back_and_again(repo: Repo) -> None:
    tree = rooms.tree(repo, "a")
    reflogs = [(("show", "HEAD"), tree), (("show", "refs/heads/a"), tree)]
    repo.fleet("land", check=0)
    before = (repo.snapshot(), [repo.git("reflog", *words, cwd=cwd) for words, cwd in reflogs])
    repo.fleet("remove", "a", check=0)
    repo.fleet("undo", check=0)
    after = repo.snapshot()
    assert (after.refs, after.worktrees, after.files) == before[0][:3]
    assert [repo.git("reflog", *words, cwd=cwd) for words, cwd in reflogs] == before[1]
    repo.fleet("undo", check=0)
    assert not tree.exists() and not repo.exists("a")
    repo.fleet("undo", check=0)
    assert repo.snapshot().refs == before[0].refs


def test_two_removed_at_once_come_back_at_once(repo: Repo) -> None:
    repo.fleet("land", check=0)
    before = repo.snapshot()
    repo.fleet("remove", "a", "b", check=0)
    repo.fleet("undo", check=0)
    after = repo.snapshot()
    assert (after.refs, after.worktrees, after.files) == (before.refs, before.worktrees, before.files)


def test_an_older_operation_by_its_number(repo: Repo) -> None:
    repo.fleet("add", "new", check=0)
    repo.fleet("land", "a", check=0)
    repo.fleet("undo", "1", check=0)
    assert not repo.exists("new") and (repo.path / "a").is_file()
    assert rooms.operations(repo) == [("undo", "done"), ("land", "done"), ("add", "undone")]
    assert "there is nothing to take back" in repo.fleet("undo", "1", check=3).err
    assert "there is no operation 99" in repo.fleet("undo", "99", check=128).err


def test_add_stays_once_somebody_committed(repo: Repo) -> None:
    repo.fleet("add", "new", check=0)
    repo.commit("work", {"new": "x\n"}, rooms.tree(repo, "new"))
    before = repo.snapshot()
    assert "'new'" in repo.fleet("undo", check=3).err
    assert repo.snapshot() == before


@pytest.mark.parametrize("name", ["mine", "mine.log"])
def test_add_stays_once_somebody_worked(repo: Repo, name: str) -> None:
    repo.fleet("add", "new", check=0)
    (rooms.tree(repo, "new") / name).write_text("mine\n")
    before = repo.snapshot()
    assert name in repo.fleet("undo", check=3).err
    assert repo.snapshot() == before
    assert repo.fleet("undo", "--dry-run").status == 3


def _hidden(repo: Repo, tree: Path) -> None:
    repo.git("update-index", "--assume-unchanged", "file", cwd=tree)
    (tree / "file").write_text("mine\n")


def _detached(repo: Repo, tree: Path) -> None:
    repo.git("switch", "-q", "--detach", cwd=tree)
    repo.commit("mine", {"mine": "x\n"}, tree)


def _nested(_: Repo, tree: Path) -> None:
    make_repo(tree / "inner", {"x": "x\n"})


def test_what_remove_would_leave_stays(repo: Repo, warm: Warm) -> None:
    """An undo of `add` is a removal: the same reasons, and the hint that helps."""
    tree = rooms.tree(repo, "new")
    for work, reason, hint in (
        (_hidden, "modified, though marked as unchanged: file", "commit or move what is named"),
        (_nested, "a repository is in it: ", "move it out"),
        (lambda *_: repo.git("worktree", "lock", tree), "it is locked", "git worktree unlock"),
        (lambda *_: repo.git("bisect", "start", cwd=tree), "a bisect is in progress", "bisect reset"),
        (lambda *_: repo.git("switch", "-q", "-c", "x", cwd=tree), "it is on 'x', not on 'new'", "switch new"),
        (_detached, "what is checked out there is on no branch", "branch <name>"),
    ):
        quick = rooms.Quick(repo, warm)
        quick.fleet("add", "new", check=0)
        work(repo, tree)
        before = repo.snapshot()
        for dry in ([], ["--dry-run"]):
            done = quick.fleet("undo", *dry, check=3)
            assert f"not undone: '{tree}' stays: {reason}" in done.err and hint in done.err
        assert repo.snapshot() == before
        repo.git("worktree", "remove", "-f", "-f", tree)
        repo.git("branch", "-q", "-D", "new")
        repo.git("update-ref", "-d", "refs/fleet/base/new")


def test_a_removal_done_again_looks_again(repo: Repo, warm: Warm) -> None:
    repo = rooms.Quick(repo, warm)
    repo.fleet("land", "a", check=0)
    repo.fleet("remove", "a", check=0)
    repo.fleet("undo", check=0)
    _detached(repo, rooms.tree(repo, "a"))
    assert "what is checked out there is on no branch" in repo.fleet("undo", check=3).err


def test_add_stays_while_somebody_is_in_it(repo: Repo, warm: Warm) -> None:
    repo = rooms.Quick(repo, warm)
    repo.fleet("add", "new", check=0)
    tree = rooms.tree(repo, "new")
    assert "you stand in it" in repo.fleet("undo", cwd=tree, check=3).err
    sleeper = subprocess.Popen(["sleep", "60"], cwd=tree)
    try:
        assert f"in use by process {sleeper.pid} (sleep)" in repo.fleet("undo", check=3).err
    finally:
        sleeper.kill()
        sleeper.wait()
    repo.fleet("undo", check=0)


def test_a_branch_that_another_worktree_is_on_stays(repo: Repo) -> None:
    repo.fleet("add", "new", check=0)
    repo.git("switch", "-q", "--detach", cwd=rooms.tree(repo, "new"))
    repo.git("switch", "-q", "new")
    before = repo.snapshot()
    assert f"'new' is in use in '{repo.path}'" in repo.fleet("undo", check=3).err
    assert repo.snapshot() == before


def test_a_branch_without_a_worktree_stays_where_somebody_is_on_it_by_now(repo: Repo, warm: Warm) -> None:
    """The branch alone was removed, came back, and would go again."""
    repo = rooms.Quick(repo, warm)
    repo.fleet("land", "a", check=0)
    repo.git("worktree", "remove", rooms.tree(repo, "a"))
    repo.fleet("remove", "a", check=0)
    repo.fleet("undo", check=0)
    repo.git("switch", "-q", "a")
    assert f"'a' is in use in '{repo.path}'" in repo.fleet("undo", check=3).err
    assert repo.exists("a")


def test_what_only_the_worktree_remembers_is_kept(repo: Repo) -> None:
    """The reflogs of its HEAD and branch, and its private references."""
    repo.fleet("add", "new", check=0)
    tree = rooms.tree(repo, "new")
    lost = repo.commit("first try", {"mine": "x\n"}, tree)
    repo.git("reset", "-q", "--hard", "HEAD~1", cwd=tree)
    own = repo.git("commit-tree", "-m", "own", "-p", "HEAD", "HEAD^{tree}", cwd=tree)
    repo.git("update-ref", "refs/worktree/own", own, cwd=tree)
    log = repo.git("reflog", "show", "new")
    assert "what refs/worktree/own holds is on no branch" in repo.fleet("undo", check=3).err
    repo.git("branch", "held", own)
    repo.fleet("undo", check=0)
    repo.git("branch", "-D", "held")
    repo.git("gc", "--quiet", "--prune=now")
    assert {repo.git("cat-file", "-t", oid) for oid in (lost, own)} == {"commit"}
    repo.fleet("undo", check=0)
    assert repo.git("reflog", "show", "new") == log and repo.git("rev-parse", "refs/worktree/own", cwd=tree) == own
    repo.git("fsck", "--no-dangling")


def test_an_entry_whose_folder_is_there_again_stays(repo: Repo, warm: Warm, tmp_path: Path) -> None:
    repo = rooms.Quick(repo, warm)
    tree = rooms.tree(repo, "a")
    (tmp_path / "out/of").mkdir(parents=True)
    away = tree.rename(tmp_path / "out/of/sight")
    repo.fleet("clean", check=0)
    repo.fleet("undo", check=0)
    away.rename(tree)
    assert f"'{tree}' stays: its folder is there again" in repo.fleet("undo", check=3).err
    assert repo.git("status", "--porcelain", cwd=tree) == ""


def test_who_writes_between_the_look_and_the_rename_keeps_it(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.fleet("add", "new", check=0)
    tree, move = rooms.tree(repo, "new"), worktrees.move_folder_to_trash

    def meanwhile(trashed: worktrees.Trashed) -> None:
        (tree / "mine").write_text("x\n")
        move(trashed)

    monkeypatch.setattr(worktrees, "move_folder_to_trash", meanwhile)
    with chdir(repo.path), pytest.raises(Refused, match="changed meanwhile, and stays: untracked: mine"):
        undo.undo(contexts.find(), None, lambda _: None)
    assert repo.git("status", "--porcelain", cwd=tree) == "?? mine" and repo.exists("new")
    assert rooms.operations(repo) == [("undo", "failed"), ("add", "done")]


def test_land_stays_once_the_base_moved(repo: Repo) -> None:
    repo.fleet("land", check=0)
    repo.commit("on top", {"top": "x\n"})
    before = repo.snapshot()
    assert "'main'" in repo.fleet("undo", check=3).err
    assert repo.snapshot() == before


def test_land_stays_once_it_was_pushed(repo: Repo) -> None:
    repo.fleet("land", check=0)
    repo.git("update-ref", "refs/remotes/origin/main", "main")
    before = repo.snapshot()
    assert "refs/remotes/origin/main" in repo.fleet("undo", check=3).err
    assert repo.snapshot() == before


def test_land_stays_with_work_in_the_way(repo: Repo) -> None:
    repo.fleet("land", check=0)
    repo.write({"a": "mine\n"})
    before = repo.snapshot()
    assert "in the way: a" in repo.fleet("undo", check=3).err
    assert "in the way: a" in repo.fleet("undo", "--dry-run", check=3).err
    assert repo.snapshot() == before and rooms.operations(repo) == [("land", "done")]
    assert "had been killed" not in repo.fleet("add", "new", check=0).err


def test_the_plans_own_status_cells_are_in_nobodys_way(tmp_path: Path) -> None:
    """A branch that edits the plan lands although `add` wrote into it, and comes back."""
    head = "| Issue | Branch | Files owned | Status |\n|---|---|---|---|\n"
    repo = make_repo(tmp_path / "app", {"PLAN.md": head + "| #1 one | `1` | `x` | queued |\n", "file": "x\n"})
    repo.config({"fleet.plan": "PLAN.md", "fleet.worktree": "../{id}"})
    repo.fleet("add", "1", check=0)
    repo.commit("retitled", {"PLAN.md": head + "| #1 eins | `1` | `x` | queued |\n"}, rooms.tree(repo, "1"))
    assert "| active |" in repo.read("PLAN.md")
    repo.fleet("land", "--dry-run", check=0)
    repo.fleet("land", check=0, oracle=False)  # it would miss the very file that had the other Status cell
    assert "| #1 eins |" in repo.read("PLAN.md") and "| landed |" in repo.read("PLAN.md")
    repo.fleet("undo", "--dry-run", check=0)
    repo.fleet("undo", check=0, oracle=False)
    assert "| #1 one |" in repo.read("PLAN.md") and "| active |" in repo.read("PLAN.md")
    repo.write({"PLAN.md": repo.read("PLAN.md") + "\nmine\n"})
    assert "in the way: PLAN.md" in repo.fleet("land", check=3).err


def test_a_status_cell_that_was_emptied_stays_empty(tmp_path: Path) -> None:
    head = "| Issue | Branch | Status |\n|---|---|---|\n"
    repo = make_repo(tmp_path / "app", {"PLAN.md": f"{head}| #1 one | `1` | |\n| #2 two | `2` | todo |\n"})
    repo.config({"fleet.plan": "PLAN.md", "fleet.worktree": "../{id}"})
    repo.fleet("add", "1", check=0)
    repo.commit("more", {"PLAN.md": repo.git("show", "main:PLAN.md") + "\n\nmore\n"}, rooms.tree(repo, "1"))
    repo.write({"PLAN.md": repo.read("PLAN.md").replace("todo", "")})
    repo.fleet("land", check=0, oracle=False)  # it would miss the very file that had the other Status cell
    assert (
        "more" in repo.read("PLAN.md") and "| landed |" in repo.read("PLAN.md") and "todo" not in repo.read("PLAN.md")
    )


def test_an_undo_that_fails_has_failed_and_was_not_killed(repo: Repo) -> None:
    """What git itself refuses, after the intent was written down."""
    repo.fleet("land", check=0)
    before = repo.snapshot()
    lock = repo.path / ".git/index.lock"
    lock.touch()
    repo.fleet("undo", check=75)
    lock.unlink()
    assert repo.snapshot() == before and rooms.operations(repo) == [("undo", "failed"), ("land", "done")]
    assert "had been killed" not in repo.fleet("undo", check=0).err


def test_land_goes_back_beside_work_elsewhere(repo: Repo) -> None:
    old = repo.oid("main")
    repo.fleet("land", check=0)
    repo.write({"other": "mine\n"})
    repo.fleet("undo", check=0)
    assert repo.oid("main") == old and repo.read("other") == "mine\n"
    assert repo.git("status", "--porcelain") == " M other"


def test_what_is_staged_elsewhere_stays_so(repo: Repo) -> None:
    """On the way back and on the way there again."""
    repo.fleet("land", check=0)
    repo.write({"other": "staged\n", "added": "x\n", "meant": "x\n"})
    repo.git("add", "other", "added")
    repo.git("add", "--intent-to-add", "meant")
    repo.git("update-index", "--chmod=+x", ".gitignore")
    repo.git("rm", "-q", "--cached", "file")
    repo.write({"other": "mine\n", "added": None})
    before = repo.git("status", "--porcelain=v2"), repo.git("diff", "--cached")
    for _ in range(2):
        repo.fleet("undo", check=0)
        assert (repo.git("status", "--porcelain=v2"), repo.git("diff", "--cached")) == before
        assert repo.git("show", ":other") == "staged"
    assert repo.git("log", "-1", "--walk-reflogs", "--format=%gs", "HEAD").startswith("fleet undo: moving back to ")


def test_a_branch_that_moves_while_it_is_taken_back_has_not_moved_back(repo: Repo) -> None:
    """git's own hook is asked between the files and the branch: both are as they were."""
    repo.fleet("land", check=0)
    before = repo.snapshot()
    hook = repo.path / ".git/hooks/reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text('#!/bin/sh\ntest "$1" != prepared || ! grep -q refs/heads/main\n')
    hook.chmod(0o755)
    assert "would not move the checkout" in repo.fleet("undo", check=3).err
    hook.unlink()
    assert repo.snapshot() == before and repo.git("status", "--porcelain") == ""


@pytest.fixture
def bumped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, warm: Warm) -> Repo:
    """A landed branch brought a newer commit of a submodule, which is checked out at the older one in the base."""
    for key, value in {"COUNT": "1", "KEY_0": "protocol.file.allow", "VALUE_0": "always"}.items():
        monkeypatch.setenv(f"GIT_CONFIG_{key}", value)
    inner = make_repo(tmp_path / "inner", {"x": "x\n"})
    repo = rooms.Quick(make_repo(tmp_path / "app", {"file": "x\n"}), warm)
    repo.config({"fleet.branch": "{id}", "fleet.worktree": "../{id}", "fleet.a.title": "a"})
    repo.git("submodule", "--quiet", "add", str(inner.path), "sub")
    repo.commit("a submodule")
    repo.fleet("add", "a", check=0)
    newer = inner.commit("newer", {"x": "y\n"})
    repo.git("-C", "sub", "fetch", "-q")
    repo.git("update-index", "--cacheinfo", f"160000,{newer},sub", cwd=rooms.tree(repo, "a"))
    repo.git("commit", "-q", "-m", "bump", cwd=rooms.tree(repo, "a"))
    repo.fleet("land", "a", check=0)
    return repo


def test_what_is_checked_out_in_a_submodule_is_not_moved(bumped: Repo) -> None:
    """Neither is it in the way, nor does it go along, whatever the configuration says."""
    bumped.config({"submodule.recurse": "true", "submodule.sub.ignore": "all"})
    sub = bumped.path / "sub"
    bumped.git("checkout", "-q", "--detach", cwd=sub)
    local = bumped.commit("local", {"local": "mine\n"}, sub)
    for _ in range(2):
        bumped.fleet("undo", check=0)
        assert bumped.git("rev-parse", "HEAD", cwd=sub) == local and (sub / "local").read_text() == "mine\n"


def test_a_submodule_that_is_not_brought_up_to_date_is_in_nobodys_way(bumped: Repo) -> None:
    assert bumped.git("status", "--porcelain") == " M sub"
    bumped.fleet("undo", "--dry-run", check=0)
    bumped.fleet("undo", check=0)
    assert bumped.git("status", "--porcelain") == ""
    bumped.fleet("undo", check=0)
    bumped.git("add", "sub")  # what is staged is somebody's work
    assert "in the way: sub" in bumped.fleet("undo", check=3).err


def test_a_file_never_takes_the_place_of_what_is_in_a_submodule(bumped: Repo) -> None:
    """git would delete the folder, whatever is in it."""
    tree = rooms.tree(bumped, "a")
    bumped.git("rm", "-q", "--cached", "sub", cwd=tree)
    (tree / "sub").rmdir()
    bumped.commit("a file", {"sub": "x\n"}, tree)
    bumped.git("submodule", "--quiet", "update")
    before = bumped.snapshot()
    assert "in the way: sub" in bumped.fleet("land", "a", check=3).err
    assert bumped.snapshot() == before
    bumped.git("submodule", "--quiet", "deinit", "--all")
    bumped.fleet("land", "a", check=0)
    bumped.fleet("undo", check=0)


def test_land_of_a_base_that_is_nowhere_checked_out(repo: Repo) -> None:
    old = repo.oid("main")
    repo.git("checkout", "-q", "--detach")
    repo.fleet("land", check=0)
    repo.fleet("undo", check=0)
    assert repo.oid("main") == old


def test_remove_stays_where_something_took_its_place(repo: Repo) -> None:
    repo.fleet("land", check=0)
    repo.fleet("remove", "a", check=0)
    rooms.tree(repo, "a").mkdir()
    before = repo.snapshot()
    repo.fleet("undo", check=3)
    assert repo.snapshot() == before


def test_remove_stays_where_its_branch_was_made_again(repo: Repo) -> None:
    repo.fleet("land", check=0)
    repo.fleet("remove", "a", check=0)
    repo.git("branch", "a", "main")
    before = repo.snapshot()
    assert "'a'" in repo.fleet("undo", check=3).err
    assert repo.snapshot() == before


def test_remove_stays_where_its_entry_name_was_taken(repo: Repo, tmp_path: Path) -> None:
    repo.fleet("land", check=0)
    repo.fleet("remove", "a", check=0)
    repo.git("worktree", "add", "-q", "-b", "other", tmp_path / "elsewhere" / "a")
    before = repo.snapshot()
    done = repo.fleet("undo", check=3)
    assert f"another worktree was registered under the name of '{rooms.tree(repo, 'a')}'" in done.err
    assert repo.snapshot() == before


@pytest.mark.parametrize("other", ["new/sub", "new"])
def test_what_was_removed_stays_away_where_git_cannot_make_its_branch(tmp_path: Path, warm: Warm, other: str) -> None:
    branch = "new/sub" if other == "new" else "new"
    repo = rooms.Quick(rooms.fleet(tmp_path, {"a": None}, branch=branch), warm)
    repo.fleet("add", "a", check=0)
    repo.fleet("undo", check=0)
    repo.git("branch", other)
    before = repo.snapshot()
    done = repo.fleet("undo", check=3)
    assert f"cannot come back beside the branch '{other}'" in done.err and f"git branch -m {other} " in done.err
    assert repo.snapshot() == before


def test_reflogs_come_back_each_time(repo: Repo, warm: Warm) -> None:
    """Also where git writes none, as in a bare repository."""
    repo = rooms.Quick(repo, warm)
    repo.fleet("land", "a", check=0)
    log = repo.git("reflog", "show", "refs/heads/a")
    repo.config({"core.logAllRefUpdates": "false"})
    repo.fleet("remove", "a", check=0)
    for _ in range(2):
        repo.fleet("undo", check=0)
        assert repo.git("reflog", "show", "refs/heads/a") == log
        repo.fleet("undo", check=0)


def test_a_bare_repository(tmp_path: Path, warm: Warm) -> None:
    """The folder of the branch's log goes with the branch, and git makes none for the one that comes back."""
    source = make_repo(tmp_path / "source", {"file": "x\n"})
    source.git("clone", "-q", "--bare", source.path, tmp_path / "app.git")
    source.git("worktree", "add", "-q", tmp_path / "main", "main", cwd=tmp_path / "app.git")
    repo = rooms.Quick(Repo(tmp_path / "main"), warm)
    repo.fleet("add", "1 one", check=0)
    repo.commit("done", {"new": "x\n"}, Path(repo.fleet("path", "1", check=0).out.strip()))
    repo.fleet("land", "1", check=0)
    log = repo.git("reflog", "show", "feature/1-one")
    assert log.endswith("commit: done")
    repo.fleet("remove", "1", check=0)
    repo.fleet("undo", check=0)
    assert repo.git("reflog", "show", "feature/1-one") == log


def test_a_repository_that_was_moved_is_told(tmp_path: Path, warm: Warm) -> None:
    (tmp_path / "old").mkdir()
    repo = rooms.Quick(rooms.fleet(tmp_path / "old", {"a": {"a": "x\n"}}), warm)
    repo.fleet("land", "a", check=0)
    repo.fleet("remove", "a", check=0)
    (tmp_path / "old").rename(tmp_path / "new")
    repo = rooms.Quick(Repo(tmp_path / "new/app"), warm)
    done = repo.fleet("undo", check=3)
    assert f"is in the trash at '{repo.common_dir()}/fleet/trash/2/0'" in done.err
    assert f"its repository, then '{tmp_path}/old/app/.git', was moved" in done.err
    (tmp_path / "new").rename(tmp_path / "old")
    rooms.Quick(Repo(tmp_path / "old/app"), warm).fleet("undo", check=0)


def test_a_worktree_goes_back_to_the_place_in_the_trash_that_was_written_down_before(repo: Repo) -> None:
    """Where a killed redo of a removal is looked for."""
    repo.fleet("land", "a", check=0)
    repo.fleet("remove", "a", check=0)
    repo.fleet("undo", check=0)
    with database.opened(str(repo.common_dir() / "fleet")) as journal:
        undone = journal.operations()[0]
    repository = rooms.of(repo)
    with locks.hold(repository.fleet_dir, "worktrees") as lock:
        meant = revert.intended(repository, undone.changes, 9)
        done = revert.take_back(repository, undone.changes, 9, lock, lambda _: None)
    assert done == meant and not rooms.tree(repo, "a").exists()
