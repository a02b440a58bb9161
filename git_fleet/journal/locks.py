"""Locks: `flock` on files that are never unlinked.

A lock is held as long as any process has the descriptor open: git children that write inherit it, so that a killed
parent does not free the lock while its child still works. Nothing is ever broken by age or pid.
"""

import errno
import fcntl
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from git_fleet.model.errors import Busy, Fatal

WAIT_S = 30.0
TELL_S = 1.0
"""Who waits longer wants to know for whom."""


class Lock(NamedTuple):
    """A held lock; children that write get `fd` to inherit."""

    path: str
    fd: int


@contextmanager
def hold(
    fleet_dir: str, name: str, *, wait_s: float = WAIT_S, waits: Callable[[str], None] | None = None
) -> Iterator[Lock]:
    """Hold the lock `name`. Waits up to `wait_s` seconds, then raises Busy with what the holder wrote about itself.

    `waits` is told who holds it, once, when it takes longer than a second.
    """
    folder = f"{fleet_dir}/locks"
    path = f"{folder}/{name}.lock"
    try:
        os.makedirs(folder, exist_ok=True)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise Fatal(f"cannot write '{path}': {error.strerror}") from error
    try:
        _wait(fd, path, wait_s, waits)
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"pid {os.getpid()}\n".encode(), 0)
        yield Lock(path, fd)
    finally:
        os.close(fd)


def _wait(fd: int, path: str, wait_s: float, waits: Callable[[str], None] | None) -> None:
    began, pause = time.monotonic(), 0.005
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise Fatal(
                    f"cannot lock '{path}': {error.strerror}",
                    ["nothing is changed without a lock: keep the repository on a file system that has flock(2)"],
                ) from error
        waited = time.monotonic() - began
        holder = os.pread(fd, 100, 0).decode("ascii", "replace").strip()
        if waits and waited > TELL_S:
            waits(holder or "holder unknown")
            waits = None
        if waited > wait_s:
            raise Busy(
                f"another git fleet is at work here ({holder or 'holder unknown'}): '{path}' is locked",
                ["wait for it to end, then try again"],
            )
        time.sleep(pause * (0.5 + random.random()))
        pause = min(pause * 2, 0.25)


def is_held(fleet_dir: str, name: str) -> bool:
    """Does anybody hold this lock right now? Yes, where locks do not work. Writes nothing."""
    try:
        fd = os.open(f"{fleet_dir}/locks/{name}.lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return False
    except OSError:
        return True
    finally:
        os.close(fd)


def holder(fleet_dir: str, name: str) -> int | None:
    """The process that says it holds a lock, if there is one of that number: to tell people, never to decide anything.

    Takes no lock and writes nothing.
    """
    try:
        with open(f"{fleet_dir}/locks/{name}.lock", encoding="ascii") as file:
            pid = int(file.read().removeprefix("pid "))
        os.kill(pid, 0)
    except PermissionError:
        return pid
    except (OSError, ValueError):
        return None
    return pid


def base_lock(branch: str) -> str:
    """The name of the lock of one base."""
    return _named("base", branch)


def agent_lock(worktree: str) -> str:
    """The name of the lock of whoever watches an agent in a worktree."""
    return _named("agent", worktree)


def setup_lock(worktree: str) -> str:
    """The name of the lock of whoever sets a worktree up."""
    return _named("setup", worktree)


def _named(kind: str, name: str) -> str:
    """Any name becomes a plain file name, two never the same."""
    import hashlib

    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return f"{kind}-{digest}"
