"""git, or all of us, killed while `sync` has git merge or rebase in somebody's worktree: what was half done is put
back, what stands whole is its author's, and what anybody wrote meanwhile stays. SAFETY F 75.
"""

from pathlib import Path

import pytest
import rooms
from kit import Completed, Repo
from safety import syscalls
from safety.syscalls import Place, needs_strace

ALONE = "kill -9 $PPID"
TOGETHER = "kill -9 $(ps -o ppid= -p $PPID) $PPID"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """`b` conflicts with what main got meanwhile in `file` and `kept`, which main deleted; `new` comes, `gone` goes."""
    old = {"kept": "old\n", "gone": "gone\n"}
    repo = rooms.fleet(tmp_path, {})
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


def killed_while_writing(repo: Repo, whom: str, *args: str) -> Completed:
    """git writes files in the order of their names: by the filter of the last one, all but that are written."""
    repo.write({".git/info/attributes": "zz filter=deadly\n"})
    repo.config({"filter.deadly.smudge": whom, "filter.deadly.clean": "cat"})
    done = repo.fleet("sync", *args, "b")
    repo.config({"filter.deadly.smudge": "cat"})
    assert done.status != 0 and (rooms.tree(repo, "b") / "new").exists() and (private(repo) / "index.lock").exists()
    return done


def killed_at(repo: Repo, log: Path, call: str, name: str, *args: str, nth: int = 1) -> Completed:
    place = Place("git", call, str(private(repo) / name), nth)
    done, struck = syscalls.inject(repo, ("sync", *args, "b"), log, place, "signal=KILL")
    assert struck, done
    return done


def status(repo: Repo) -> list[str]:
    return repo.git("status", "--porcelain", cwd=rooms.tree(repo, "b")).splitlines()


CONFLICT = ["UU file", "D  gone", "UD kept", "A  new", "A  zz"]


@pytest.mark.parametrize("whom", [ALONE, TOGETHER], ids=["git", "all of us"])
def test_killed_while_it_writes_a_conflict(repo: Repo, whom: str) -> None:
    top, tip = rooms.tree(repo, "b"), repo.oid("b")
    killed_while_writing(repo, whom)
    lock = private(repo) / "index.lock"
    assert str(lock) in repo.fleet("sync", "b", check=75).err
    assert "<<<<<<< HEAD" in (top / "file").read_text() and repo.oid("b") == tip
    lock.unlink()
    done = repo.fleet("sync", "b", check=4)
    assert f"git broke off while it changed files in '{top}': it is as it was before" in done.err
    assert "b: conflict in file, kept; it waits in" in done.out and status(repo) == CONFLICT
    assert (top / "file").read_text() == "<<<<<<< HEAD\nb\n=======\nmain\n>>>>>>> main\n"
    assert rooms.operations(repo) == [("sync", "failed"), ("sync", "failed")]
    repo.git("merge", "--abort", cwd=top)
    assert status(repo) == [] and repo.oid("b") == tip


@pytest.mark.parametrize("where", ["file", "new", "gone"])
def test_what_somebody_wrote_since_stays_and_all_the_rest_with_it(repo: Repo, where: str) -> None:
    top = rooms.tree(repo, "b")
    killed_while_writing(repo, TOGETHER)
    (private(repo) / "index.lock").unlink()
    (top / where).write_text("mine\n")
    before = status(repo)
    done = repo.fleet("sync", "b", check=3)
    assert f"git broke off while it changed files in '{top}': look at git -C '{top}' status" in done.err
    assert (top / where).read_text() == "mine\n" and status(repo) == before


@needs_strace
@pytest.mark.parametrize("call", ["openat", "write"])
def test_killed_before_it_has_said_that_it_merges(repo: Repo, tmp_path: Path, call: str) -> None:
    """The conflict is in files and index, but MERGE_HEAD is missing or empty: a commit of that would be no merge."""
    top, tip = rooms.tree(repo, "b"), repo.oid("b")
    told = killed_at(repo, tmp_path / "log", call, "MERGE_HEAD").err
    if call == "openat":  # git fleet does so, too, when it looks what git left: now they are both dead
        assert told == "" and status(repo) == CONFLICT and not (private(repo) / "MERGE_HEAD").exists()
        told = repo.fleet("sync", "a", check=0).err
    assert f"git broke off while it changed files in '{top}': it is as it was before" in told
    assert status(repo) == [] and repo.oid("b") == tip and not (private(repo) / "MERGE_HEAD").exists()
    assert not (top / "new").exists() and (top / "kept").read_text() == "b\n"
    assert repo.fleet("sync", "b", check=4) and status(repo) == CONFLICT


@needs_strace
def test_killed_when_the_conflict_stands_whole(repo: Repo, tmp_path: Path) -> None:
    killed_at(repo, tmp_path / "log", "openat", "MERGE_MODE")
    assert status(repo) == CONFLICT
    done = repo.fleet("sync", "b", check=3)
    assert f"a merge is in progress in '{rooms.tree(repo, 'b')}'" in done.err and status(repo) == CONFLICT


def test_killed_when_the_merge_is_made(repo: Repo) -> None:
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
    assert repo.fleet("sync", "b").status != 0
    assert repo.git("rev-parse", "b^@").split() == [tip, repo.oid("main")]
    assert "'sync b' (operation 1) had been killed: b had come to its end" in repo.fleet("sync", "b", check=0).err
    repo.fleet("undo", check=0)
    assert repo.oid("b") == tip and status(repo) == [] and not (top / "new").exists()


def test_killed_while_it_moves_what_was_rebased_beside(repo: Repo) -> None:
    top = rooms.tree(repo, "b")
    repo.git("reset", "-q", "--hard", "b~1", cwd=top)
    tip = repo.oid("b")
    killed_while_writing(repo, TOGETHER, "--rebase")
    (private(repo) / "index.lock").unlink()
    done = repo.fleet("sync", "--rebase", "b", check=0)
    assert f"git broke off while it changed files in '{top}': it is as it was before" in done.err
    assert repo.git("rev-parse", "b^@") == repo.oid("main") and status(repo) == []
    repo.fleet("undo", check=0)
    assert repo.oid("b") == tip and status(repo) == [] and not (top / "new").exists()


def test_killed_while_it_moves_to_where_it_rebases(repo: Repo) -> None:
    """The list of what is to be picked may be in somebody's editor: giving that up is left to him, the files not."""
    top, tip = rooms.tree(repo, "b"), repo.oid("b")
    killed_while_writing(repo, TOGETHER, "--rebase")
    (private(repo) / "index.lock").unlink()
    done = repo.fleet("sync", "--rebase", "b", check=3)
    assert f"git broke off while it changed files in '{top}': it is as it was before" in done.err
    assert f"a rebase is left halfway in '{top}', give it up there: git -C '{top}' rebase --abort" in done.err
    assert f"a rebase is in progress in '{top}': finish it there, or give it up" in done.err
    assert status(repo) == [] and repo.oid("b") == tip and not (top / "new").exists()
    repo.git("rebase", "--abort", cwd=top)
    assert repo.fleet("sync", "--rebase", "b", check=4) and repo.oid("b") == tip


@needs_strace
def test_killed_before_the_rebase_begins(repo: Repo, tmp_path: Path) -> None:
    """`git rebase --abort` fails with what is written so far; nothing of it is needed."""
    killed_at(repo, tmp_path / "log", "write", "rebase-merge/onto", "--rebase")
    assert not (private(repo) / "rebase-merge").exists() and status(repo) == []
    assert repo.fleet("sync", "--rebase", "b", check=4)


@needs_strace
def test_killed_while_it_picks(repo: Repo, tmp_path: Path) -> None:
    tip, top = repo.oid("b"), rooms.tree(repo, "b")
    done = killed_at(repo, tmp_path / "log", "openat", "rebase-merge/done", "--rebase")
    assert "git was killed by signal 9 while it changed files in" in done.err
    assert f"a rebase is left halfway in '{top}', give it up there: git -C '{top}' rebase --abort" in done.err
    done = repo.fleet("sync", "--rebase", "b", check=3)
    assert f"a rebase is in progress in '{top}'" in done.err
    repo.git("rebase", "--abort", cwd=top)
    assert repo.oid("b") == tip and status(repo) == []


def test_killed_while_it_writes_the_files_of_a_pick(repo: Repo) -> None:
    """They would be in the way of giving the rebase up; each of them is in the branch."""
    top, tip = rooms.tree(repo, "b"), repo.oid("b")
    repo.write({".git/info/attributes": "own filter=deadly\n"})
    repo.config({"filter.deadly.smudge": TOGETHER, "filter.deadly.clean": "cat"})
    assert repo.fleet("sync", "--rebase", "b").status != 0
    repo.config({"filter.deadly.smudge": "cat"})
    (top / "own").write_text("")
    lock = private(repo) / "index.lock"
    assert str(lock) in repo.fleet("sync", "--rebase", "b", check=75).err
    lock.unlink()
    assert rooms.status_of("git", "rebase", "--abort", cwd=top) != 0 and (private(repo) / "rebase-merge").exists()
    told = repo.fleet("sync", "--rebase", "b", check=3, oracle=False).err  # to which a torn file is one like any other
    assert f"a rebase is left halfway in '{top}', give it up there: git -C '{top}' rebase --abort" in told
    repo.git("rebase", "--abort", cwd=top)
    assert repo.oid("b") == tip and status(repo) == [] and (top / "own").read_text() == "b\n"
