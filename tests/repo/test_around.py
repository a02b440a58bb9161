"""What is around a worktree besides its files."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import kit
import pytest
import rooms
from kit import Repo

from git_fleet.repo import around


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return rooms.fleet(tmp_path, {"a": {"a": "x\n"}})


def test_mount_points_are_read_with_odd_characters() -> None:
    text = "36 35 98:0 / /a\\040b\\134c rw - tmpfs none rw\n37 35 98:0 /x /d rw shared:1 - ext4 /dev/sda rw\n"
    assert around.mount_points(text) == ["/a b\\c", "/d"]


def test_a_mount_in_it_keeps_a_worktree(repo: Repo) -> None:
    """In a mount namespace of its own, where the system lets us make one."""
    repo.git("merge", "-q", "--no-ff", "a")
    inner = rooms.tree(repo, "a") / "inner"
    inner.mkdir()
    script = (
        f"mount -t tmpfs none '{inner}' || exit 99; PYTHONPATH='{kit.ROOT}' '{sys.executable}' -P -m git_fleet remove a"
    )
    if shutil.which("unshare") is None:
        pytest.skip("no unshare")
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script], cwd=repo.path, capture_output=True, text=True, check=False
    )
    if done.returncode in (1, 99):
        pytest.skip("no mount namespaces here")
    assert done.returncode == 3 and f"something is mounted in it: {inner}" in done.stderr, done.stderr
    assert inner.is_dir()


def test_stash_entries_and_the_branches_they_name(repo: Repo) -> None:
    tree = rooms.tree(repo, "a")
    for message in (("-m", "later: more"), ()):
        (tree / "file").write_text("mine\n")
        repo.git("stash", "push", "-q", *message, cwd=tree)
    repo.git("checkout", "-q", "--detach", cwd=tree)
    (tree / "file").write_text("mine\n")
    repo.git("stash", "push", "-q", cwd=tree)
    found = around.stashes(rooms.of(repo))
    assert [(one.name, one.branch) for one in found] == [
        ("stash@{0}", "(no branch)"),
        ("stash@{1}", "a"),
        ("stash@{2}", "a"),
    ]
    assert {one.commit for one in found} == {repo.oid("a")}
    assert around.made_on(found[1], "feature/a") and not around.made_on(found[1], "b")


def test_processes_that_stand_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    process = subprocess.Popen(["sleep", "60"], cwd=tmp_path / "in")
    try:
        assert around.processes_in(str(tmp_path / "in")) == [f"{process.pid} (sleep)"]
        assert around.processes_in(f"{tmp_path}/i") == [] and not around.standing_in(str(tmp_path / "in"))
    finally:
        process.kill()
        process.wait()
    assert around.standing_in(os.path.realpath(os.getcwd()))
