"""Locks: held as long as anybody has the descriptor, never broken by age."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import kit
import pytest

from git_fleet.journal import locks
from git_fleet.model.errors import Busy, Fatal


def is_free(folder: Path, name: str = "x") -> bool:
    try:
        with locks.hold(str(folder), name, wait_s=0.0):
            return True
    except Busy:
        return False


def test_one_at_a_time(tmp_path: Path) -> None:
    with locks.hold(str(tmp_path), "x") as lock:
        assert Path(lock.path) == tmp_path / "locks" / "x.lock" and Path(lock.path).exists()
        assert not is_free(tmp_path) and is_free(tmp_path, "y")
    assert is_free(tmp_path)


def test_the_holder_is_named(tmp_path: Path) -> None:
    with (
        locks.hold(str(tmp_path), "x") as lock,
        pytest.raises(Busy) as caught,
        locks.hold(str(tmp_path), "x", wait_s=0.05),
    ):
        pass
    said = f"another git fleet is at work here (pid {os.getpid()}): '{lock.path}' is locked"
    assert caught.value.message == said and caught.value.hints


def test_it_waits_as_long_as_it_was_told(tmp_path: Path) -> None:
    with locks.hold(str(tmp_path), "x"):
        began = time.monotonic()
        with pytest.raises(Busy), locks.hold(str(tmp_path), "x", wait_s=0.3):
            pass
        assert 0.3 <= time.monotonic() - began < 5


def test_who_waits_gets_it(tmp_path: Path) -> None:
    with locks.hold(str(tmp_path), "x"):
        got: list[bool] = []

        def wait() -> None:
            with locks.hold(str(tmp_path), "x", wait_s=20):
                got.append(True)

        waiting = threading.Thread(target=wait)
        waiting.start()
        time.sleep(0.1)
        assert got == []
    waiting.join(timeout=20)
    assert got == [True]


def test_an_error_inside_frees_it(tmp_path: Path) -> None:
    with pytest.raises(KeyError), locks.hold(str(tmp_path), "x"):
        raise KeyError
    assert is_free(tmp_path)


def test_what_an_earlier_holder_left_is_no_lock(tmp_path: Path) -> None:
    (tmp_path / "locks").mkdir()
    (tmp_path / "locks" / "x.lock").write_text("pid 1\n" * 50)
    with locks.hold(str(tmp_path), "x", wait_s=0.0) as lock:
        assert Path(lock.path).read_text() == f"pid {os.getpid()}\n"


def test_children_do_not_hold_it_unless_told(tmp_path: Path) -> None:
    with locks.hold(str(tmp_path), "x"):
        child = subprocess.Popen(["sleep", "60"], close_fds=False)
    assert is_free(tmp_path)
    child.kill()
    child.wait()


def test_a_child_with_the_descriptor_holds_it_after_its_parent_was_killed(tmp_path: Path) -> None:
    script = (
        "import subprocess, sys; from git_fleet.journal import locks\n"
        "with locks.hold(sys.argv[1], 'x') as lock:\n"
        "    child = subprocess.Popen(['sleep', '60'], pass_fds=[lock.fd])\n"
        "    print(child.pid, flush=True)\n"
        "    child.wait()"
    )
    argv = [sys.executable, "-c", script, str(tmp_path)]
    parent = subprocess.Popen(argv, cwd=kit.ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert not is_free(tmp_path)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert not is_free(tmp_path)
    os.kill(child, signal.SIGKILL)
    kit.wait_for(lambda: is_free(tmp_path))


def test_a_place_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x\n")
    with pytest.raises(Fatal, match=f"cannot write '{tmp_path}/file/locks/x.lock': Not a directory"):
        is_free(tmp_path / "file")


def test_every_base_has_a_lock_of_its_own() -> None:
    names = ["main", "Main", "a/b", "a-b", "../x", "a\u2028b", "\udcff", "x" * 300]
    found = {locks.base_lock(name) for name in names}
    assert len(found) == len(names)
    assert all("/" not in name and len(name) < 40 and name.isascii() for name in found)
