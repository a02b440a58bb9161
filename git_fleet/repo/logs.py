"""Logs of commands that may write without end: the beginning and the end are kept, what lies between is left out."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

MOST_FILES = 500
MOST_BYTES = 256 << 20


class Log:
    """A log file of at most `cap` bytes: the first half as it comes, then the last."""

    def __init__(self, fd: int, cap: int) -> None:
        self._fd = fd
        self._half = cap // 2
        self._room = self._half
        self._end = bytearray()
        self._left_out = 0

    def write(self, data: bytes) -> None:
        """Take what was said. A disk without room loses it: the log is no reason to fail."""
        if self._room:
            with suppress(OSError):
                os.write(self._fd, data[: self._room])
            data, self._room = data[self._room :], max(0, self._room - len(data))
        self._end += data
        if len(self._end) > 2 * self._half:
            self._forget()

    def _forget(self) -> None:
        over = max(0, len(self._end) - self._half)
        del self._end[:over]
        self._left_out += over

    def finish(self) -> None:
        """Write the end."""
        self._forget()
        if self._left_out:
            self._end[:0] = f"\n[{self._left_out} bytes left out]\n".encode()
        with suppress(OSError):
            os.write(self._fd, self._end)


@contextmanager
def opened(path: str, cap: int) -> Iterator[Log]:
    """A new log at `path`. Raises OSError where none can be made."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
    log = Log(fd, cap)
    try:
        yield log
    finally:
        log.finish()
        os.close(fd)


def prune(folder: str) -> None:
    """Remove the oldest logs beyond `MOST_FILES` or `MOST_BYTES`; somebody else may do the same."""
    with suppress(OSError):
        files = [(entry.stat(), entry.path) for entry in os.scandir(folder) if entry.is_file(follow_symlinks=False)]
        files.sort(key=lambda one: one[0].st_mtime, reverse=True)
        size = 0
        for number, (there, path) in enumerate(files, 1):
            size += there.st_size
            if number > MOST_FILES or size > MOST_BYTES:
                os.unlink(path)
