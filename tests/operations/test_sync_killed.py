"""git, or all of us, killed while `sync` has git merge or rebase in somebody's worktree: what was half done is put
back, what stands whole is its author's, and what anybody wrote meanwhile stays. SAFETY F 75.
"""

import contextlib
from pathlib import Path

import kit
import pytest
import rooms
from kit import Completed, Repo
from safety import syscalls
from safety.syscalls import Place, needs_strace
from warm import Warm

ALONE = "kill -9 $PPID"
TOGETHER = "kill -9 $(ps -o ppid= -p $PPID) $PPID"


class Loaded(Repo):
    """A repository, and the program that is loaded already."""

    warm: Warm

    def sync(self, *args: str, check: int | None = None, oracle: bool = True) -> Completed:
        return self.call("sync", *args, check=check, oracle=oracle)

    def call(self, *args: str, check: int | None = None, oracle: bool = True) -> Completed:
        self.changed_by_fleet = True
        with kit.conserved(self) if oracle else contextlib.nullcontext():
            done = self.warm.run(*args, cwd=self.path, env=kit.environment(None))
        assert check in (None, done.status), done
        return done


@pytest.fixture
def repo(tmp_path: Path, warm: Warm) -> Loaded:
    """`b` conflicts with what main got meanwhile in `file` and `kept`, which main deleted; `new` comes, `gone` goes."""
    old = {"kept": "old\n", "gone": "gone\n"}
    repo = Loaded(rooms.fleet(tmp_path, {}).path)
    repo.warm = warm
    repo.commit("old", old)
    repo.config({"fleet.a.title": "a", "fleet.b.title": "b"})
    repo.git("worktree", "add", "-q", "-b", "b", "../b")
    repo.git("branch", "-q", "a")
    repo.commit("b: own", {"own": "b\n"}, rooms.tree(repo, "b"))
    repo.commit("b: done", {"file": "b\n", "kept": "b\n"}, rooms.tree(repo, "b"))
    repo.commit("meanwhile", {"file": "main\n", "new": "new\n", "gone": None, "kept": None, "zz": "last\n"})
    return repo


def private(repo: Repo) -> Path:
    return repo.path / ".git/worktrees/b"


def killed_while_writing(repo: Loaded, whom: str, *args: str) -> Completed:
    """git writes files in the order of their names: by the filter of the last one, all but that are written."""
    repo.write({".git/info/attributes": "zz filter=deadly\n"})
    repo.config({"filter.deadly.smudge": whom, "filter.deadly.clean": "cat"})
    done = repo.sync(*args, "b")
    repo.config({"filter.deadly.smudge": "cat"})
    assert done.status != 0 and (rooms.tree(repo, "b") / "new").exists() and (private(repo) / "index.lock").exists()
    return done


def status(repo: Loaded) -> list[str]:
    return repo.git("status", "--porcelain", cwd=rooms.tree(repo, "b")).splitlines()


CONFLICT = ["UU file", "D  gone", "UD kept", "A  new", "A  zz"]


@pytest.mark.parametrize("whom", [ALONE, TOGETHER], ids=["git", "all of us"])
def test_killed_while_it_writes_a_conflict(repo: Loaded, whom: str) -> None:
    top, tip = rooms.tree(repo, "b"), repo.oid("b")
    killed_while_writing(repo, whom)
    lock = private(repo) / "index.lock"
    assert str(lock) in repo.sync("b", check=75).err
    assert "<<<<<<< HEAD" in (top / "file").read_text() and repo.oid("b") == tip
    lock.unlink()
    done = repo.sync("b", check=4)
    assert f"git broke off while it changed files in '{top}': it is as it was before" in done.err
    assert "b: conflict in file, kept; it waits in" in done.out and status(repo) == CONFLICT
    assert (top / "file").read_text() == "<<<<<<< HEAD\nb\n=======\nmain\n>>>>>>> main\n"
    repo.git("merge", "--abort", cwd=top)
    assert status(repo) == [] and repo.oid("b") == tip


@pytest.mark.parametrize("where", ["file", "new"])
def test_what_somebody_wrote_since_stays_and_all_the_rest_with_it(repo: Loaded, where: str) -> None:
    top = rooms.tree(repo, "b")
    killed_while_writing(repo, TOGETHER)
    (private(repo) / "index.lock").unlink()
    (top / where).write_text("mine\n")
    before = status(repo)
    done = repo.sync("b", check=3)
    assert f"git broke off while it changed files in '{top}': look at git -C {top} status" in done.err
    assert (top / where).read_text() == "mine\n" and status(repo) == before


@needs_strace
def test_killed_before_it_has_said_that_it_merges(repo: Loaded, tmp_path: Path) -> None:
    """The conflict is in files and index, but MERGE_HEAD is empty: a commit of that would be no merge."""
    top, tip = rooms.tree(repo, "b"), repo.oid("b")
    place = Place("git", "write", str(private(repo) / "MERGE_HEAD"), 1)
    done, struck = syscalls.inject(repo, ("sync", "b"), tmp_path / "log", place, "signal=KILL")
    assert struck and f"git broke off while it changed files in '{top}': it is as it was before" in done.err
    assert status(repo) == [] and repo.oid("b") == tip and not (private(repo) / "MERGE_HEAD").exists()
    assert not (top / "new").exists() and (top / "kept").read_text() == "b\n"
    assert repo.sync("b", check=4) and status(repo) == CONFLICT


def test_killed_when_the_merge_is_made(repo: Loaded) -> None:
    """By a hook at its very end; it counts as done, and can be undone."""
    repo.git("checkout", "-q", "-b", "clean", "main~1")
    repo.commit("clean", {"clean": "clean\n"})
    repo.git("checkout", "-q", "main")
    repo.git("reset", "-q", "--hard", "clean", cwd=rooms.tree(repo, "b"))
    tip, top = repo.oid("b"), rooms.tree(repo, "b")
    for name, script in (("pre-merge-commit", "exit 0"), ("post-merge", "kill -9 $(ps -o ppid= -p $PPID)")):
        hook = repo.common_dir() / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\n{script}\n")
        hook.chmod(0o755)
    assert repo.sync("b").status != 0
    assert repo.git("rev-parse", "b^@").split() == [tip, repo.oid("main")]
    assert "'sync b' (operation 1) had been killed: b had come to its end" in repo.sync("b", check=0).err
    repo.call("undo", check=0)
    assert repo.oid("b") == tip and status(repo) == [] and not (top / "new").exists()


def test_killed_while_it_moves_what_was_rebased_beside(repo: Loaded) -> None:
    top = rooms.tree(repo, "b")
    repo.git("reset", "-q", "--hard", "b~1", cwd=top)
    tip = repo.oid("b")
    killed_while_writing(repo, TOGETHER, "--rebase")
    (private(repo) / "index.lock").unlink()
    done = repo.sync("--rebase", "b", check=0)
    assert f"git broke off while it changed files in '{top}': it is as it was before" in done.err
    assert repo.git("rev-parse", "b^@") == repo.oid("main") and status(repo) == []
    repo.call("undo", check=0)
    assert repo.oid("b") == tip and status(repo) == [] and not (top / "new").exists()


def test_killed_while_it_moves_to_where_it_rebases(repo: Loaded) -> None:
    """The list of what is to be picked may be in somebody's editor: giving that up is left to him, the files not."""
    top, tip = rooms.tree(repo, "b"), repo.oid("b")
    killed_while_writing(repo, TOGETHER, "--rebase")
    (private(repo) / "index.lock").unlink()
    done = repo.sync("--rebase", "b", check=3)
    assert f"git broke off while it changed files in '{top}': it is as it was before" in done.err
    assert f"a rebase is left halfway in '{top}', give it up there: git -C {top} rebase --abort" in done.err
    assert f"a rebase is in progress in '{top}'\nhint: finish it there, or give it up: git" in done.err
    assert status(repo) == [] and repo.oid("b") == tip and not (top / "new").exists()
    repo.git("rebase", "--abort", cwd=top)
    assert repo.sync("--rebase", "b", check=4) and repo.oid("b") == tip


def test_killed_before_the_rebase_begins(repo: Loaded) -> None:
    """As long as git has not written what it is going to pick, nobody can have anything to do with it."""
    killed_while_writing(repo, TOGETHER, "--rebase")
    for name in ("index.lock", "rebase-merge/git-rebase-todo"):
        (private(repo) / name).unlink()
    assert repo.sync("--rebase", "a", check=0) and status(repo) == []
    assert not (private(repo) / "rebase-merge").exists()


def test_killed_while_it_writes_the_files_of_a_pick(repo: Loaded) -> None:
    """They would be in the way of giving the rebase up; each of them is in the branch."""
    top, tip = rooms.tree(repo, "b"), repo.oid("b")
    repo.write({".git/info/attributes": "own filter=deadly\n"})
    repo.config({"filter.deadly.smudge": TOGETHER, "filter.deadly.clean": "cat"})
    assert repo.sync("--rebase", "b").status != 0
    repo.config({"filter.deadly.smudge": "cat"})
    (top / "own").write_text("")
    lock = private(repo) / "index.lock"
    assert str(lock) in repo.sync("--rebase", "b", check=75).err
    lock.unlink()
    assert rooms.status_of("git", "rebase", "--abort", cwd=top) != 0 and (private(repo) / "rebase-merge").exists()
    told = repo.sync("--rebase", "b", check=3, oracle=False).err  # to which a torn file is one like any other
    assert f"a rebase is left halfway in '{top}', give it up there: git -C {top} rebase --abort" in told
    repo.git("rebase", "--abort", cwd=top)
    assert repo.oid("b") == tip and status(repo) == [] and (top / "own").read_text() == "b\n"
