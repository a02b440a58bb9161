"""A plan file's bytes: read in one go without ever blocking, written by rename."""

import os
import stat

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
    folder, name = os.path.split(target)
    beside = os.path.join(folder, f".{name}.{os.getpid()}.new")
    try:
        mode = stat.S_IMODE(os.stat(target).st_mode)
        file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(file, "wb") as new:
                new.write(data)
                new.flush()
                os.fchmod(file, mode)
                os.fsync(file)
            if expected is not None and read(path) != expected:
                raise Busy(f"'{shown(path)}' was changed meanwhile: nothing was written", ["try again"])
            os.replace(beside, target)
        except BaseException:
            os.unlink(beside)
            raise
        _sync_folder(folder)
    except OSError as error:
        raise Fatal(f"cannot write '{shown(path)}': {error.strerror}") from error


def _sync_folder(folder: str) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
