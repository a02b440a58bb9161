"""Cases of CASES.md that belong to no one room: by their numbers, each played with the whole program."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import kit
import pytest
import rooms
from kit import Repo

from safety.syscalls import needs_strace

WORK = {"1": {"one": "1\n"}, "2": {"two": "2\n"}, "3": {"three": "3\n"}}


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """Three tasks at work, with a commit each."""
    return rooms.fleet(tmp_path / "here", WORK)


def in_front_of_git(folder: Path, script: str) -> dict[str, str]:
    """A `git` that runs a script before it becomes the real one; the environment that has it first on PATH."""
    folder.mkdir()
    (folder / "git").write_text(f'#!/bin/sh\n{script}\nexec "{shutil.which("git")}" "$@"\n')
    (folder / "git").chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


def play(repo: Repo, env: dict[str, str]) -> None:
    """Every command that does or asks something, as it goes in a working day."""
    repo.config({"fleet.4.title": "four"})
    calls = ("plan", "status", "check", "add 4", "land --dry-run", "land 1 2", "log", "remove 1", "undo", "remove 1")
    for call in calls:
        # Not through git, which puts its own folder before all else on PATH.
        assert repo.run("git-fleet", *call.split(), env=env, oracle=False).status in (0, 1), call


@pytest.mark.parametrize("operation", ["merge", "rebase", "cherry-pick", "revert", "bisect"])
def test_case_39_an_operation_in_progress(repo: Repo, operation: str) -> None:
    """Shown by `status`, never landed, never removed."""
    tree = rooms.tree(repo, "1")
    repo.commit("again", {"one": "again\n"}, tree)
    repo.branch("other", {"one": "other\n"}, start="1~1")
    begin = {"revert": ("revert", "HEAD~1"), "bisect": ("bisect", "start"), "rebase": ("rebase", "other")}
    rooms.status_of("git", *begin.get(operation, (operation, "other")), cwd=tree)
    before = repo.snapshot()
    for words in (("land", "1"), ("remove", "1")):
        refused = repo.fleet(*words, check=3)
        assert operation in refused.err, (words, refused.err)
    assert repo.snapshot() == before
    rows = repo.fleet("status", "--json", check=0).json["tasks"]
    assert [row["id"] for row in rows] == ["1", "2", "3"]


def test_case_43_a_localised_git(repo: Repo, tmp_path: Path) -> None:
    """Every git that we start speaks the same language, whatever the user's is."""
    notes = tmp_path / "languages"
    env = in_front_of_git(tmp_path / "bin", f"echo \"$LC_ALL $LANGUAGE $*\" >>'{notes}'")
    play(repo, {**env, "LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8"})
    heard = notes.read_text().splitlines()
    assert len(heard) > 50 and [line for line in heard if not line.startswith("C ")] == []


TOO_OLD = {
    "2.30.2": '"rev-parse --path-format"*) shift; echo "$1"; shift; set -- rev-parse "$@"',
    "2.35.1": '*" worktree "*) exit 129',
    "2.37.7": '*" cat-file -z "*) exit 129',
    "2.38.5": '*" merge-tree "*) exit 129',
}
"""What each of these does not know, and what it does then: the first repeats it."""


@pytest.mark.parametrize("version", TOO_OLD)
def test_case_44_a_git_that_is_too_old(repo: Repo, tmp_path: Path, version: str) -> None:
    """It says which version is there and which is needed, not what git does not understand."""
    script = f'case "$*" in version) echo git version {version}; exit;; {TOO_OLD[version]};; esac'
    env = in_front_of_git(tmp_path / "bin", script)
    done = repo.run("git-fleet", "land", "--dry-run", env=env, check=128, oracle=False)
    assert done.err.startswith(f"fatal: git {version} is too old: git fleet needs 2.39\nhint: ")


def test_case_51_one_branch_in_two_worktrees(repo: Repo, tmp_path: Path) -> None:
    """Both are shown; work in either is in the way of landing; the base in two is refused."""
    twin = tmp_path / "here/twin"
    repo.git("worktree", "add", "-q", "--detach", str(twin))
    repo.git("checkout", "-q", "--ignore-other-worktrees", "1", cwd=twin)
    seen = repo.fleet("status", "--json", check=0).json
    assert [row["id"] for row in seen["tasks"]] == ["1", "2", "3"]
    assert [row["worktree"] for row in seen["unplanned"]] == [str(twin)]
    for dirty in (twin, rooms.tree(repo, "1")):
        repo.write({"file": "dirty\n"}, dirty)
        assert str(dirty) in repo.fleet("land", "1", check=3).err
        repo.git("checkout", "-q", "-f", "--ignore-other-worktrees", "1", cwd=dirty)
    repo.git("checkout", "-q", "--ignore-other-worktrees", "main", cwd=twin)
    assert "checked out twice" in repo.fleet("land", "1", check=3).err


def test_case_55_a_copy_of_the_whole_repository(repo: Repo, tmp_path: Path) -> None:
    """What the copy does, it does to itself: entries and journal still name the worktrees of the original."""
    repo.fleet("land", "1", check=0)
    shutil.copytree(tmp_path / "here/app", tmp_path / "there/app", symlinks=True)
    copy = Repo(tmp_path / "there/app")
    before, listed = repo.snapshot(), kit.listing(tmp_path / "here")
    for words in (("remove", "1"), ("clean",), ("undo",), ("add", "1"), ("land", "2")):
        copy.fleet(*words, oracle=False)
    assert repo.snapshot() == before
    changed = {path for path, now in kit.listing(tmp_path / "here").items() if listed.get(path) != now}
    assert not {path for path in changed if not path.endswith("/index")}


def test_case_55_the_worktrees_of_the_original_are_none_of_the_copy(repo: Repo, tmp_path: Path) -> None:
    """Nothing is rebased, run or brought back there, and every answer says why."""
    repo.git("commit", "-q", "--allow-empty", "-m", "more")
    repo.fleet("land", "1", check=0)
    repo.fleet("remove", "1", check=0)
    shutil.copytree(tmp_path / "here/app", tmp_path / "there/app", symlinks=True)
    copy = Repo(tmp_path / "there/app")
    before, listed = repo.snapshot(), kit.listing(tmp_path / "here")
    said = f"'{rooms.tree(repo, '2')}' belongs to another repository, '{repo.path}/.git'"
    [row] = [row for row in copy.fleet("status", "--json", check=0).json["tasks"] if row["id"] == "2"]
    assert row["state"] == "missing" and said in row["reason"]
    assert said in copy.fleet("run", "2", "--", "git commit --allow-empty -m FROMCOPY", check=3, oracle=False).err
    assert said in copy.fleet("add", "2", check=3, oracle=False).err
    assert "of this repository: was it copied?" in copy.fleet("undo", check=3, oracle=False).err
    copy.fleet("sync", "--rebase", "2", oracle=False)
    assert repo.snapshot() == before and kit.listing(tmp_path / "here") == listed
    repo.fleet("undo", check=0)
    assert rooms.tree(repo, "1").is_dir()


def test_case_61_a_commit_made_while_gates_run(repo: Repo) -> None:
    """What was tested lands; what came later stays on its branch, and is seen there."""
    tree, tip = rooms.tree(repo, "1"), repo.oid("1")
    repo.config({"fleet.gate": f"cd '{tree}' && test -e late || {{ touch late; git add late; git commit -qm late; }}"})
    done = repo.fleet("land", "--json", "1", check=0).json
    assert [step["tip"] for step in done["steps"]] == [tip]
    assert repo.git("merge-base", "main", "1") == tip
    [row] = [row for row in repo.fleet("status", "--json", check=0).json["tasks"] if row["id"] == "1"]
    assert (row["state"], row["ahead"]) == ("active", 1)
    assert "1 stays" in repo.fleet("remove", "1", check=3).err


def test_case_64_a_lock_that_is_left(repo: Repo) -> None:
    """It is named with its age, and stays; nothing of ours is half done."""
    before = repo.snapshot()
    index = repo.path / ".git/index.lock"
    index.touch()
    os.utime(index, (0, 0))
    refused = repo.fleet("land", "1", check=75)
    assert f"'{index}' is in the way, " in refused.err and f"rm {index}" in refused.err
    assert index.exists() and repo.snapshot() == before
    index.unlink()
    repo.git("checkout", "-q", "--detach")
    ref = repo.path / ".git/refs/heads/main.lock"
    ref.touch()
    assert f"'{ref}' is in the way, " in repo.fleet("land", "1", check=75).err
    assert ref.exists() and repo.oid("main") == before.refs["refs/heads/main"]
    ref.unlink()
    repo.fleet("land", "1", check=0)


def test_case_65_gc_at_the_worst_moments(tmp_path: Path) -> None:
    """Nothing that an operation still needs is ever without a name."""
    work = {"1": {"file": "one\n"}, "2": {"file": "two\n"}, "3": {"three": "3\n"}}
    repo = rooms.fleet(tmp_path / "here", work)

    def gc() -> None:
        repo.git("reflog", "expire", "--expire=now", "--all")
        repo.git("gc", "-q", "--prune=now")

    repo.config({"fleet.gate": "git -c gc.reflogExpire=now gc -q --prune=now"})
    repo.fleet("land", check=4)
    gc()
    lane = tmp_path / "here/app-lane-1"
    repo.write({"file": "both\n"}, lane)
    repo.git("add", "file", cwd=lane)
    gc()
    repo.fleet("land", "--continue", check=0)
    repo.fleet("remove", "1", "2", "3", check=0)
    gc()
    repo.fleet("undo", check=0)
    assert repo.show("file", "1") == "one\n" and repo.git("status", "--porcelain", cwd=rooms.tree(repo, "2")) == ""


LOCKLESS = {"ENOLCK": "No locks available", "EOPNOTSUPP": "Operation not supported"}
"""What network file systems answer whose locks are down, and such as have none."""


@needs_strace
@pytest.mark.parametrize("error", LOCKLESS)
def test_case_66_a_file_system_without_locks(repo: Repo, error: str) -> None:
    """What would change something does nothing and says why, in a line; who only looks does not notice."""

    def without_locks(*args: str, code: int) -> str:
        inject = ("-f", "--seccomp-bpf", "-qqq", "-e", "trace=flock", "-e", f"inject=flock:error={error}")
        program = (sys.executable, "-P", "-m", "git_fleet")
        env = {"PYTHONPATH": str(kit.ROOT)}
        return repo.run("strace", "-o", os.devnull, *inject, *program, *args, env=env, check=code, oracle=False).err

    repo.fleet("land", "1", check=0)
    before = repo.snapshot()
    deeds = [("land", "2"), ("add", "9 nine"), ("remove", "1"), ("undo",), ("plan", "set", "2", "priority", "3")]
    for deed in deeds if error == "ENOLCK" else deeds[:2]:
        first, *rest = without_locks(*deed, code=128).splitlines()
        assert first.startswith("fatal: cannot lock '") and first.endswith(f".lock': {LOCKLESS[error]}"), deed
        assert len(rest) == 1 and rest[0].startswith("hint: ")
    for look in (("status",), ("plan",), ("log",), ("land", "--dry-run"), ("doctor",)):
        assert "lock" not in without_locks(*look, code=0)
    assert repo.snapshot() == before
    repo.fleet("land", "2", check=0)


def test_case_68_dates_that_cannot_be(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commits and files of tomorrow and of 1970: nothing is decided by a date."""
    for task, date in (("1", "2099-01-01T00:00:00"), ("2", "1970-01-02T00:00:00")):
        tree = rooms.tree(repo, task)
        with monkeypatch.context() as other:
            other.setenv("GIT_AUTHOR_DATE", date)
            other.setenv("GIT_COMMITTER_DATE", date)
            repo.commit("dated", {f"dated-{task}": "x\n"}, tree)
        for name in ("file", "other", f"dated-{task}"):
            os.utime(tree / name, (4_000_000_000, 4_000_000_000) if task == "1" else (0, 0))
    assert rooms.states(repo) == {"1": "active", "2": "active", "3": "active"}
    repo.write({"other": "edited\n"}, rooms.tree(repo, "2"))
    os.utime(rooms.tree(repo, "2") / "other", (0, 0))
    assert "other" in repo.fleet("land", "2", check=3).err
    done = repo.fleet("land", "--json", "1", "3", check=0).json
    assert sorted(done["result"]["landed"]) == ["1", "3"]
    repo.fleet("remove", "1", "3", check=0)
    assert "2 stays" in repo.fleet("remove", "2", check=3).err


def test_case_70_nothing_is_ever_stashed(repo: Repo, tmp_path: Path) -> None:
    """All worktrees share one stash: whoever pushes to it takes what is another's with him."""
    notes = tmp_path / "calls"
    env = in_front_of_git(tmp_path / "bin", f"printf '%s\\n' \"$*\" >>'{notes}'")
    repo.write({"other": "mine\n"}, rooms.tree(repo, "3"))
    repo.git("stash", "push", "-q", cwd=rooms.tree(repo, "3"))
    stash = repo.oid("refs/stash")
    play(repo, env)
    calls = notes.read_text()
    assert "merge-tree" in calls and " stash " not in calls.replace("\n", " ")
    assert repo.oid("refs/stash") == stash


def test_case_92_what_acts_beyond_its_own_files(tmp_path: Path) -> None:
    """Said on the way, in the dry run and in the landing; it is no reason to stop."""
    repo = kit.make_repo(
        tmp_path / "app", {"PLAN.md": "| id | files | status |\n|--|--|--|\n| 1 | x | |\n| 2 | y | |\n"}
    )
    repo.config({"fleet.branch": "{id}", "fleet.worktree": "../{id}", "fleet.plan": "PLAN.md"})
    repo.fleet("add", "1", "2", check=0)
    tree = tmp_path / "1"
    for name, target in (
        ("inside", "sub/x"),
        ("out", "../../etc/passwd"),
        ("sub\x1b/abs", "/etc"),
        ("git", ".git/config"),
    ):
        (tree / name).parent.mkdir(exist_ok=True)
        (tree / name).symlink_to(target)
    repo.write({".gitmodules": "", "PLAN.md": repo.show("PLAN.md", "1") + "\nmore\n"}, tree)
    repo.git("add", "-A", cwd=tree)
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{repo.oid('main')},lib", cwd=tree)
    repo.git("commit", "-q", "-m", "beyond", cwd=tree)
    (tree / "lib").mkdir()
    repo.commit("plain", {"y": "x\n"}, tmp_path / "2")
    said = (
        "note: 1 brings a change of '.gitmodules', another plan: 'PLAN.md', "
        "a link 'git' that leads out of the tree, to '.git/config', "
        "a submodule at 'lib', a link 'out' that leads out of the tree, to '../../etc/passwd', "
        "a link 'sub\\x1b/abs' that leads out of the tree, to '/etc'\n"
    )
    for words in (("land", "--dry-run"), ("land", "--script"), ("land", "1", "2")):
        done = repo.fleet(*words, check=0)
        assert said.removeprefix("note: ") in done.err and "2 brings" not in done.err, done.err


@pytest.mark.parametrize(
    ("limit", "more", "files"), [("size=3m", "size=30m", 1), ("nr_inodes=900", "nr_inodes=9000", 200)]
)
def test_case_125_a_disk_that_is_full(tmp_path: Path, limit: str, more: str, files: int) -> None:
    """Whether bytes or inodes are short: `add` leaves nothing half, and makes the rest once there is room."""
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", limit, "tmpfs", small], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("only root can make a small disk")
    try:
        repo = kit.make_repo(small / "app", {"file": "x\n"})
        big = os.urandom(900_000).hex()[: 900_000 // files]
        repo.commit("big", {f"big-{number}": f"{number} {big}" for number in range(files)})
        repo.config({"fleet.branch": "{id}", "fleet.worktree": "../{id}"})
        for task in ("1", "2", "3"):
            repo.config({f"fleet.{task}.title": task})
        before = repo.snapshot()
        refused = repo.fleet("add", "1", "2", "3")
        if files == 1:  # without an inode nothing can be put away either: the next call does it
            assert (refused.status, "files could not be written" in refused.err) == (3, True), refused
            made = [task for task in ("1", "2", "3") if (small / task).exists()]
            assert made != ["1", "2", "3"] and len(repo.worktrees()) == 1 + len(made)
            assert all(repo.git("status", "--porcelain", cwd=small / task) == "" for task in made)
        else:
            assert refused.status == 128 and "No space left on device" in refused.err, refused
        assert {path: oid for path, oid in repo.snapshot().files.items() if path in before.files} == before.files
        subprocess.run(["mount", "-o", f"remount,{more}", small], check=True)
        repo.fleet("add", "1", "2", "3", check=0)
        assert all(repo.git("status", "--porcelain", cwd=small / task) == "" for task in ("1", "2", "3"))
        repo.fsck()
    finally:
        subprocess.run(["umount", "-l", small], check=False)


def test_case_125_a_disk_that_is_full_of_copies(tmp_path: Path) -> None:
    """Half of a copy takes no room any more, and is not in the way of the others."""
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", small], capture_output=True)
    if mounted.returncode:
        pytest.skip("only root can make a small disk")
    try:
        repo = kit.make_repo(tmp_path / "app", {"file": "x\n", ".gitignore": "*.log\n"})
        repo.write({"big.log": os.urandom(300_000).hex()})
        repo.config({"fleet.branch": "{id}", "fleet.worktree": "../small/{id}", "fleet.copy": "*.log"})
        repo.config({"fleet.1.title": "1", "fleet.2.title": "2", "fleet.2.worktree": "../2"})
        said = repo.fleet("add", "1", "2", check=3).err
        assert "1 was not created: its ignored files could not be copied: No space left on device" in said
        assert not (small / "1").exists() and (tmp_path / "2/big.log").stat().st_size == 600_000
        assert repo.fleet("doctor", check=0).out == "nothing is wrong\n"
    finally:
        subprocess.run(["umount", "-l", small], check=False)
