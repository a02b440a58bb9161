"""Locks: `flock` on files that are never unlinked.

A lock is held as long as any process has the descriptor open: git children that write inherit it, so that a killed
parent does not free the lock while its child still works. Nothing is ever broken by age or pid.
"""

import errno
import fcntl
import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from git_fleet.model.errors import Busy, Fatal

WAIT_S = 30.0


class Lock(NamedTuple):
    """A held lock; children that write get `fd` to inherit."""

    path: str
    fd: int


@contextmanager
def hold(fleet_dir: str, name: str, *, wait_s: float = WAIT_S) -> Iterator[Lock]:
    """Hold the lock `name`. Waits up to `wait_s` seconds, then raises Busy with what the holder wrote about itself."""
    folder = f"{fleet_dir}/locks"
    path = f"{folder}/{name}.lock"
    try:
        os.makedirs(folder, exist_ok=True)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise Fatal(f"cannot write '{path}': {error.strerror}") from error
    try:
        _wait(fd, path, time.monotonic() + wait_s)
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"pid {os.getpid()}\n".encode(), 0)
        yield Lock(path, fd)
    finally:
        os.close(fd)


def _wait(fd: int, path: str, deadline: float) -> None:
    pause = 0.005
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise Fatal(f"cannot lock '{path}': {error.strerror}") from error
        if time.monotonic() > deadline:
            holder = os.pread(fd, 100, 0).decode("ascii", "replace").strip()
            raise Busy(
                f"another git fleet is at work here ({holder or 'holder unknown'}): '{path}' is locked",
                ["wait for it to end, then try again"],
            )
        time.sleep(pause * (0.5 + random.random()))
        pause = min(pause * 2, 0.25)


def base_lock(branch: str) -> str:
    """The name of the lock of one base; any branch name becomes a plain file name, two never the same."""
    import hashlib

    digest = hashlib.sha256(branch.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return f"base-{digest}"
