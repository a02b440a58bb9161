"""`sync`: the base comes to the branch, in the branch's own worktree, and its author resolves what conflicts."""

import json
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
import rooms
from kit import Repo


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """`a` merges with what main got meanwhile, `b` conflicts with it in `file`, `c` has it all."""
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}, "b": {"file": "b\n"}})
    repo.commit("meanwhile", {"file": "main\n"})
    repo.config({"fleet.c.title": "c"})
    repo.git("worktree", "add", "-q", "-b", "c", "../c", "main")
    return repo


def parents(repo: Repo, branch: str) -> list[str]:
    return repo.git("rev-parse", f"{branch}^@").split()


def test_the_base_is_merged_into_each_branch_where_it_lives(repo: Repo) -> None:
    a, b, c, main = (repo.oid(name) for name in ("a", "b", "c", "main"))
    done = repo.fleet("sync", check=4)
    assert parents(repo, "a") == [a, main] and (rooms.tree(repo, "a") / "file").read_text() == "main\n"
    assert repo.git("log", "-1", "--format=%B", "a") == "Merge branch 'main' into a\n"
    assert (repo.oid("b"), repo.oid("c"), repo.oid("main")) == (b, c, main)
    top = rooms.tree(repo, "b")
    assert (top / "file").read_text() == "<<<<<<< HEAD\nb\n=======\nmain\n>>>>>>> main\n"
    assert f"b: conflict in file; it waits in {top}" in done.out and "c: has all of main" in done.out
    assert f"cd {top}" in done.err and "then: git add file && git merge --continue" in done.err
    assert rooms.operations(repo) == [("sync", "done")]
    refused = repo.fleet("sync", "b", check=3)
    assert refused.out == ""
    assert f"b not synced: a merge is in progress in '{top}'" in refused.err
    (top / "file").write_text("both\n")
    repo.git("add", "file", cwd=top)
    repo.git("commit", "-q", "--no-edit", cwd=top)
    assert parents(repo, "b") == [b, main]
    repo.fleet("land", check=0)


def test_rebased(repo: Repo) -> None:
    main, b = repo.oid("main"), repo.oid("b")
    repo.fleet("sync", "--rebase", "a", check=0)
    assert parents(repo, "a") == [main] and (rooms.tree(repo, "a") / "a").exists()
    done = repo.fleet("sync", "--rebase", "b", check=4)
    assert "git rebase --abort" in done.err and repo.oid("b") == b
    repo.git("rebase", "--abort", cwd=rooms.tree(repo, "b"))
    assert repo.oid("b") == b


@pytest.mark.parametrize("hook", [False, True])
def test_a_rebase_that_would_lose_what_a_merge_resolved_is_none(repo: Repo, hook: bool) -> None:
    top = rooms.tree(repo, "a")
    repo.git("switch", "-q", "-c", "side", "a~", cwd=top)
    repo.commit("side", {"side": "x\n"}, top)
    repo.git("switch", "-q", "a", cwd=top)
    repo.git("merge", "-q", "--no-ff", "side", cwd=top)
    repo.write({"side": "resolved\n"}, top)
    repo.git("commit", "-q", "-a", "--amend", "--no-edit", cwd=top)
    before = repo.oid("a")
    if hook:
        rooms.hook(repo, "post-rewrite", "exit 0")
    for dry in (["--dry-run"], []):
        said = repo.fleet("sync", "--rebase", "a", *dry, check=3).err
        assert "rebasing would lose what its merges resolved\nhint: git fleet sync a\n" in said
        assert repo.oid("a") == before


def test_commits_are_made_again_as_they_were_less_what_the_base_has(repo: Repo) -> None:
    top, author = rooms.tree(repo, "a"), "Ada <ada@example.org> 1700000000 +0100"
    repo.git("cherry-pick", repo.oid("a"))
    repo.write({"second": "2\n"}, top)
    repo.git("add", ".", cwd=top)
    text = "second\n\n  its reason\n# and more\n"
    name, mail = author.split(" <")[0], "ada@example.org"
    words = ("-c", f"user.name={name}", "-c", f"user.email={mail}", "commit", "-q", "--cleanup=verbatim", "-F", "-")
    repo.git(*words, "--date=1700000000 +0100", stdin=text, cwd=top)
    before = repo.oid("a")
    repo.fleet("sync", "--rebase", "a", check=0)
    made = repo.git("cat-file", "commit", "refs/heads/a")
    assert parents(repo, "a") == [repo.oid("main")] and made.endswith(f"\n\n{text.rstrip()}")
    assert f"\nauthor {author}\n" in made
    assert repo.git("status", "--porcelain", cwd=top) == "" and (top / "second").read_text() == "2\n"
    repo.fleet("undo", check=0)
    assert repo.oid("a") == before


def test_git_rebases_where_it_has_a_hook_to_ask(repo: Repo) -> None:
    rooms.hook(repo, "post-rewrite", 'echo "$1" >../said')
    repo.fleet("sync", "--rebase", "a", check=0)
    assert (repo.path.parent / "said").read_text() == "rebase\n" and parents(repo, "a") == [repo.oid("main")]


def test_a_branch_in_two_worktrees_moves_in_neither(repo: Repo) -> None:
    rooms.hook(repo, "pre-merge-commit", "exit 0")
    repo.git("worktree", "add", "-q", "--force", "../again", "a")
    before = repo.oid("a")
    assert "is checked out twice" in repo.fleet("sync", "a", check=3).err and repo.oid("a") == before


def test_it_can_be_undone(repo: Repo) -> None:
    before = repo.snapshot()
    repo.fleet("sync", "a", check=0)
    assert repo.snapshot() != before
    repo.fleet("undo", check=0)
    assert repo.snapshot() == before


def test_a_dry_run_says_it_and_does_nothing(repo: Repo) -> None:
    (rooms.tree(repo, "c") / "file").write_text("mine\n")
    repo.git("branch", "-q", "d", "main~1")
    repo.config({"fleet.d.title": "d"})
    said = [
        f"a: would get main in {rooms.tree(repo, 'a')}",
        f"b: would conflict in file; it would wait in {rooms.tree(repo, 'b')}",
        "c: has all of main",
    ]
    assert repo.fleet("sync", "--dry-run", check=0).out.splitlines() == said  # d is in no worktree
    assert repo.fleet("sync", "--dry-run", *"abcd", check=0).out.splitlines() == [*said, "d: would get main"]


@pytest.mark.parametrize("dry", [True, False])
def test_as_json(repo: Repo, dry: bool) -> None:
    (rooms.tree(repo, "a") / "a").write_text("half done\n")
    repo.git("branch", "-q", "d", "main~1")
    repo.config({"fleet.d.title": "d"})
    tips = {name: repo.oid(name) for name in "abcd"}
    found = repo.fleet("sync", *"abcd", "--json", *(["--dry-run"] if dry else []), check=3 if dry else 4).json
    schema = json.loads(resources.files("git_fleet.output").joinpath("schemas/sync.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(found)
    top = str(rooms.tree(repo, "a"))
    assert [(one["id"], one["result"], one["conflicts"], one["reason"]) for one in found["tasks"]] == [
        ("a", "refused", [], f"uncommitted work in '{top}': a"),
        ("b", "conflict", ["file"], None),
        ("c", "current", [], None),
        ("d", "synced", [], None),
    ]
    assert {one["branch"]: one["before"] for one in found["tasks"]} == tips
    assert [one["after"] for one in found["tasks"]] == [None, None, None, None if dry else repo.oid("d")]
    assert (found["operation"], found["base"]["commit"]) == (None if dry else 1, repo.oid("main"))


@pytest.mark.parametrize("kind", ["modified", "staged"])
def test_uncommitted_work_is_refused_and_the_others_go_on(repo: Repo, kind: str) -> None:
    top = rooms.tree(repo, "b")
    (top / "other").write_text("half done\n")
    if kind == "staged":
        repo.git("add", "other", cwd=top)
    b = repo.oid("b")
    done = repo.fleet("sync", check=3)
    assert f"b not synced: uncommitted work in '{top}': other" in done.err
    assert repo.oid("b") == b and (top / "other").read_text() == "half done\n"
    assert parents(repo, "a")[1] == repo.oid("main")


def test_a_path_is_named_once_and_some_are_counted(repo: Repo) -> None:
    top = rooms.tree(repo, "a")
    (top / "a").write_text("staged\n")
    for number in range(6):
        (top / f"new{number}").write_text("x\n")
    repo.git("add", "--all", cwd=top)
    (top / "a").write_text("changed since\n")
    done = repo.fleet("sync", "a", check=3)
    assert f"uncommitted work in '{top}': a, new0, new1, new2, new3 and 2 more\n" in done.err
    assert f"hint: commit or move it there, then try again: git -C {top} status" in done.err


@pytest.mark.parametrize("mode", ["sync", "--rebase", "by git"])
def test_a_lock_in_the_worktree_leaves_it_as_it_is(repo: Repo, mode: str) -> None:
    """One that is free goes on; what is left undone for a lock alone can be tried again."""
    id, other = ("b", "a") if mode == "by git" else ("a", "d")
    repo.git("worktree", "add", "-q", "-b", "d", "../d", "main~1")
    repo.config({"fleet.d.title": "d"})
    top, before = rooms.tree(repo, id), repo.oid(id)
    lock = repo.path / f".git/worktrees/{id}/HEAD.lock"
    lock.touch()
    words = ["sync", id, other, *(["--rebase"] if mode == "--rebase" else [])]
    done = repo.fleet(*words, check=75)
    assert (
        f"{id} not synced: '{lock}' is in the way" in done.err
        and f"hint: where no git runs any more: rm {lock}" in done.err
    )
    lock.unlink()
    assert repo.oid(id) == before and repo.git("status", "--porcelain", cwd=top) == ""
    assert repo.git("rev-list", f"{other}..main") == ""


def test_a_lock_that_comes_meanwhile_is_put_right(repo: Repo) -> None:
    top, before = rooms.tree(repo, "a"), repo.oid("a")
    lock = repo.path / ".git/worktrees/a/HEAD.lock"
    rooms.hook(repo, "post-index-change", f"touch '{lock}'")
    done = repo.fleet("sync", "a", check=75)
    assert f"'{lock}' is in the way" in done.err
    lock.unlink()
    (repo.common_dir() / "hooks/post-index-change").unlink()
    assert repo.oid("a") == before and repo.git("status", "--porcelain", cwd=top) == ""
    repo.fleet("sync", "a", check=0)


@pytest.mark.parametrize("dry", [True, False])
def test_unrelated_histories(repo: Repo, dry: bool) -> None:
    top = rooms.tree(repo, "a")
    repo.git("reset", "-q", "--hard", repo.git("commit-tree", "-m", "root", repo.oid("main^{tree}")), cwd=top)
    done = repo.fleet("sync", "a", *(["--dry-run"] if dry else []), check=3)
    assert "a not synced: it has no history in common with 'main'" in done.err
    assert f"hint: git -C {top} merge --allow-unrelated-histories main   # if that is meant" in done.err


def test_an_untracked_file_in_the_way_is_git_s_own_refusal(repo: Repo) -> None:
    repo.commit("more", {"new": "main's\n"})
    top = rooms.tree(repo, "a")
    (top / "new").write_text("mine\n")
    a = repo.oid("a")
    done = repo.fleet("sync", "a", check=3)
    assert (
        "a not synced" in done.err and f"hint: commit or move it there, then try again: git -C {top} status" in done.err
    )
    assert (top / "new").read_text() == "mine\n" and repo.oid("a") == a
    assert rooms.operations(repo) == [("sync", "failed")]


def test_a_branch_without_a_worktree(repo: Repo) -> None:
    """Left alone until it is named; merged beside it where that goes; a conflict needs a place to be resolved."""
    for name in ("a", "b"):
        repo.git("worktree", "remove", f"../{name}")
    a, b, main = repo.oid("a"), repo.oid("b"), repo.oid("main")
    assert repo.fleet("sync", check=0).out == "c: has all of main\n"
    done = repo.fleet("sync", "a", "b", check=3)
    assert parents(repo, "a") == [a, main] and repo.show("file", "a") == "main\n"
    assert "b not synced: it is checked out nowhere" in done.err and "git fleet add b" in done.err
    assert repo.oid("b") == b
    repo.fleet("undo", check=0)
    assert repo.oid("a") == a
    repo.fleet("sync", "--rebase", "a", check=0)
    assert parents(repo, "a") == [main]
    assert "b not synced: it is checked out nowhere" in repo.fleet("sync", "--rebase", "b", check=3).err


def test_a_worktree_that_is_gone(repo: Repo) -> None:
    import shutil

    shutil.rmtree(rooms.tree(repo, "a"))
    before = repo.oid("a")
    done = repo.fleet("sync", "a", oracle=False)
    assert done.status in (0, 3) and (repo.oid("a") != before) == (done.status == 0)


def test_a_rebase_is_under_way_there(repo: Repo) -> None:
    """Detached, but the branch is in use: moved beside, it could not be rebased to its end."""
    top, before = rooms.tree(repo, "a"), repo.oid("a")
    assert rooms.status_of("git", "rebase", "-q", "--exec=false", "main~1", cwd=top) == 1
    assert repo.git("branch", "--show-current", cwd=top) == ""
    done = repo.fleet("sync", "a", check=3)
    assert f"a not synced: a rebase is in progress in '{top}'" in done.err and repo.oid("a") == before
    assert f"hint: finish it there, or give it up: git -C {top} status" in done.err


def test_a_branch_that_is_not_there(repo: Repo) -> None:
    repo.config({"fleet.e.title": "e"})
    assert "git fleet add e" in repo.fleet("sync", "e", check=128).err


def test_a_hook_that_says_no_leaves_nothing_half_done_unsaid(repo: Repo) -> None:
    hook = repo.common_dir() / "hooks" / "pre-merge-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho not on a Friday >&2\nexit 1\n")
    hook.chmod(0o755)
    a = repo.oid("a")
    done = repo.fleet("sync", "a", check=4)
    assert repo.oid("a") == a and "it waits in" in done.out
    repo.git("merge", "--abort", cwd=rooms.tree(repo, "a"))


def test_a_conflict_of_a_landing_is_handed_back(tmp_path: Path) -> None:
    """The lane goes, what landed stays, and the author finds the conflict in his own worktree."""
    repo = rooms.fleet(tmp_path, {"a": {"file": "a\n"}, "b": {"file": "b\n"}, "c": {"file": "c\n"}})
    repo.fleet("land", check=4)
    lane = tmp_path / "app-lane-1"
    (lane / "file").write_text("half resolved\n")
    assert repo.fleet("sync", "c", check=4) and lane.exists()
    repo.git("merge", "--abort", cwd=rooms.tree(repo, "c"))
    landed = repo.oid("main")
    done = repo.fleet("sync", "b", check=4)
    assert "b is handed back to its branch, and the landing is over, with c not landed" in done.err
    assert "is kept: folder" in done.err and not lane.exists() and repo.oid("main") == landed
    assert repo.git("status", "--porcelain", cwd=rooms.tree(repo, "b")) == "UU file"
    assert rooms.operations(repo)[:3] == [("sync", "failed"), ("sync", "failed"), ("land", "done")]
    assert "sync b; conflicts: b" in repo.fleet("log", check=0).out
    (rooms.tree(repo, "b") / "file").write_text("both\n")
    repo.commit("resolved", cwd=rooms.tree(repo, "b"))
    assert repo.fleet("land", "--json", "b", check=0).json["result"]["landed"] == ["b"]


def test_not_handed_back_into_work(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"file": "a\n"}, "b": {"file": "b\n"}})
    repo.fleet("land", check=4)
    (rooms.tree(repo, "b") / "other").write_text("half done\n")
    assert "not handed back: uncommitted work" in repo.fleet("sync", "b", check=3).err
    assert (tmp_path / "app-lane-1").exists() and rooms.operations(repo) == [("land", "stopped")]


def test_a_git_that_is_killed_while_it_writes_files_is_put_right(repo: Repo) -> None:
    """Killed by the filter of the last file, so that the first is written; what is done of the others stays."""
    repo.config({"filter.deadly.smudge": "kill -9 $PPID", "filter.deadly.clean": "cat"})
    repo.commit("more", {"first": "main\n", "last": "main\n", ".git/info/attributes": "last filter=deadly\n"})
    repo.git("worktree", "remove", "../c")
    tips = repo.oid("a"), repo.oid("c")
    top = rooms.tree(repo, "a")
    assert repo.fleet("sync", "a", "c").status != 0
    lock = repo.path / ".git/worktrees/a/index.lock"
    assert (top / "first").read_text() == "main\n" and repo.oid("a") == tips[0]
    assert str(lock) in repo.fleet("sync", "a", "c", check=75).err
    lock.unlink()
    repo.config({"filter.deadly.smudge": "cat"})
    said = repo.fleet("sync", "a", "c", check=0).err
    assert f"git broke off while it changed files in '{top}': it is as it was before" in said
    assert parents(repo, "a") == [tips[0], repo.oid("main")] and repo.oid("c") == repo.oid("main")
    assert (top / "last").read_text() == "main\n" and repo.git("status", "--porcelain", cwd=top) == ""
    assert rooms.operations(repo) == [("sync", "done"), ("sync", "failed")]
    repo.fleet("undo", check=0)
    assert (repo.oid("a"), repo.oid("c")) == tips


def test_killed_between_two_branches_the_first_stays(repo: Repo) -> None:
    """git's own hook kills git fleet when the second branch is to move."""
    repo.commit("more", {"other": "main\n"})
    repo.git("worktree", "remove", "../c")
    hook = repo.path / ".git/hooks/reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    script = 'test "$1" = prepared || exit 0\ngrep -q "refs/heads/c$" && kill -9 $(ps -o ppid= -p $PPID) && exit 1\n'
    hook.write_text(f"#!/bin/sh\n{script}exit 0\n")
    hook.chmod(0o755)
    tips = repo.oid("a"), repo.oid("c")
    assert repo.fleet("sync", "a", "c").status != 0
    hook.unlink()
    told = repo.fleet("sync", "c", check=0).err
    assert "'sync a, c' (operation 1) had been killed: a had come to its end" in told
    assert parents(repo, "a") == [tips[0], repo.oid("main")] and repo.oid("c") == repo.oid("main")
    assert rooms.operations(repo) == [("sync", "done"), ("sync", "done")]
    repo.fleet("undo", "1", check=0)
    assert repo.oid("a") == tips[0]
