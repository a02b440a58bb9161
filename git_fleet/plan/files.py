"""A plan file's bytes: read in one go without ever blocking, written by rename."""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from git_fleet.model.errors import Busy, Fatal, PlanError

_MOST_BYTES = 16 * 1024 * 1024


def shown(path: str) -> str:
    """The path as messages name it: from the current directory where that is shorter."""
    try:
        near = os.path.relpath(path)
    except OSError:
        return path
    return path if near.startswith("..") else near


def read(path: str) -> bytes:
    """The whole file. Raises PlanError for one that is missing, unreadable, too large, or no regular file."""
    try:
        # Opening a FIFO would wait for its writer.
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        raise PlanError(f"cannot read the plan: {error.strerror}", shown(path)) from error
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise PlanError("no regular file", shown(path))
        with open(file, "rb", closefd=False) as opened:
            data = opened.read(_MOST_BYTES + 1)
    finally:
        os.close(file)
    if len(data) > _MOST_BYTES:
        raise PlanError(f"larger than {_MOST_BYTES // 1024**2} MiB", shown(path))
    return data


def write(path: str, data: bytes, expected: bytes | None = None) -> None:
    """Replace the file in one step, its mode kept; a link stays and what it names is replaced. Raises Fatal.

    With `expected`, only a file that still holds these bytes; raises Busy otherwise.
    """
    target = os.path.realpath(path)
    try:
        mode = stat.S_IMODE(os.stat(target).st_mode)
        with draft(target) as (beside, file):
            fill(file, data, mode)
            if expected is not None and read(path) != expected:
                raise Busy(f"'{shown(path)}' was changed meanwhile: nothing was written", ["try again"])
            os.replace(beside, target)
        sync_folder(target)
    except OSError as error:
        raise Fatal(f"cannot write '{shown(path)}': {error.strerror}") from error


@contextmanager
def draft(target: str) -> Iterator[tuple[str, int]]:
    """A file beside `target` for what is to replace it, its path and descriptor; ours alone, gone when it is not used.

    The name is always the same, so that what a killed run left is used again instead of lying about. Raises OSError,
    and Busy while another process has it.
    """
    folder, name = os.path.split(target)
    beside = os.path.join(folder, f".{name}.fleet-new")
    file = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(f"somebody else is writing '{shown(target)}'", ["try again"]) from None
        if not _is(beside, file):
            raise Busy(f"'{shown(target)}' was written meanwhile", ["try again"])
        try:
            yield beside, file
        finally:
            if _is(beside, file):
                os.unlink(beside)
    finally:
        os.close(file)


def _is(path: str, file: int) -> bool:
    try:
        return os.path.samestat(os.stat(path, follow_symlinks=False), os.fstat(file))
    except FileNotFoundError:
        return False


def fill(file: int, data: bytes, mode: int) -> None:
    """Make this the whole of an open file, on the disk."""
    os.ftruncate(file, 0)
    with open(file, "wb", closefd=False) as new:
        new.write(data)
    os.fchmod(file, mode)
    os.fsync(file)


def sync_folder(path: str) -> None:
    """A new name in the folder of `path` is on the disk, too."""
    handle = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
