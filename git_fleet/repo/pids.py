"""Processes by their number, and what tells them from later ones of the same number."""

import fcntl
import gc
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

_DYING_S = 5.0
"""Nobody survives a kill, but one that waits for a disk may take its time."""


def end_group(pid: int) -> None:
    """Nothing that a watched command started outlives it: asked first, then killed."""
    try:
        os.killpg(pid, signal.SIGTERM)
        end = time.monotonic() + 0.3
        while time.monotonic() < end and identity(pid) is not None and not is_zombie(pid):
            time.sleep(0.01)
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def is_zombie(pid: int) -> bool:
    """Has it ended, and nobody has asked how?"""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] == b"Z"
    except (OSError, IndexError):
        return False


def identity(pid: int) -> str | None:
    """What tells a process from a later one of the same number: the boot and the time of its start; None: unknown."""
    try:
        with open("/proc/sys/kernel/random/boot_id", "rb") as file:
            boot = file.read().strip()
        with open(f"/proc/{pid}/stat", "rb") as file:
            ticks = file.read().rpartition(b")")[2].split()[19]
    except (OSError, IndexError):
        return None
    return f"{boot.decode()} {ticks.decode()}"


def end_left(pid: int, known: str | None) -> bool:
    """End the process group of a watched command that outlived us, if it is still that one. Was it?"""
    if known is None or identity(pid) != known:
        return False
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def is_alive(pid: int, known: str | None) -> bool:
    """Does that very process still run? Where the system tells no identity, a process of that number will do."""
    if known is not None:
        return identity(pid) == known and not is_zombie(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def end_group_of(pid: int, known: str, grace_s: float) -> bool:
    """End the process group that this very process leads: asked first, killed after the grace. Had it to be killed?

    Raises PermissionError.
    """
    for number, last_s in ((signal.SIGTERM, grace_s), (signal.SIGKILL, _DYING_S)):
        if is_alive(pid, known):
            with suppress(ProcessLookupError):
                os.killpg(pid, number)
        until = time.monotonic() + last_s
        while is_alive(pid, known) and time.monotonic() < until:
            time.sleep(0.02)
        if not is_alive(pid, known):
            return number == signal.SIGKILL
    return True


def detach(work: Callable[[int], None], home: str) -> int:
    """Do `work` in a process of its own that outlives us: in a session of its own, in the folder `home`, with nothing
    open that we have open. It gets a descriptor to report to us; the other end of that is what comes back.
    """
    ours, theirs = os.pipe()
    if os.fork():
        os.close(theirs)
        return ours
    _leave(work, home, theirs)


def _leave(work: Callable[[int], None], home: str, report: int) -> NoReturn:
    status = 1
    gc.freeze()  # our garbage, once collected here, would close descriptors whose numbers are others' by then
    try:
        report = fcntl.fcntl(report, fcntl.F_DUPFD_CLOEXEC, 3)  # somebody may have closed our standard input
        os.setsid()
        os.chdir(home)
        null = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        os.closerange(3, report)  # locks among them: they are not ours to hold
        os.closerange(report + 1, os.sysconf("SC_OPEN_MAX"))
        work(report)
        status = 0
    finally:
        os._exit(status)
