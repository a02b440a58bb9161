"""Logs of commands that may write without end: the beginning and the end are kept, what lies between is left out."""

import os
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

MOST_FILES = 500
MOST_BYTES = 256 << 20
_TICK_S = 0.1
_TAIL = 4096


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


class Sink(Protocol):
    """Takes what a command says."""

    def write(self, data: bytes) -> None: ...


class Rolling:
    """A log of at most `cap` bytes in two files: when `path` holds half of that, it becomes `path.1`, and a new one
    begins. So what was said last is always on the disk, for whoever looks, and whatever becomes of us."""

    def __init__(self, path: str, cap: int) -> None:
        self._path, self._half = path, cap // 2
        self._fd, self._room = self._new(), cap // 2

    def _new(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)

    def write(self, data: bytes) -> None:
        """Take what was said. A disk without room loses it: the log is no reason to fail."""
        with suppress(OSError):
            if len(data) > self._room:
                os.rename(self._path, older(self._path))
                os.close(self._fd)
                self._fd, self._room = self._new(), self._half
            self._room -= len(data)
            os.write(self._fd, data)

    def finish(self) -> None:
        """Say no more."""
        with suppress(OSError):
            os.close(self._fd)


def append(path: str, text: str) -> None:
    """Add to a log that nobody writes any more; what cannot be written is left out."""
    with suppress(OSError), open(path, "a", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)


def older(path: str) -> str:
    """The first half of a rolling log, where there is more than one."""
    return f"{path}.1"


@contextmanager
def rolling(path: str, cap: int) -> Iterator[Rolling]:
    """A new rolling log at `path`. Raises OSError where none can be made."""
    log = Rolling(path, cap)
    try:
        yield log
    finally:
        log.finish()


def follow(path: str, more: Callable[[], bool]) -> Iterator[bytes]:
    """What a rolling log holds, and what comes to it as long as `more` says that more may come. Raises OSError."""
    with suppress(OSError), open(older(path), "rb") as file:
        yield file.read()
    rolled = True
    while rolled:
        rolled = yield from _to_its_end(path, more)


def _to_its_end(path: str, more: Callable[[], bool]) -> Generator[bytes, None, bool]:
    """The same of one file; was it put aside for a new one?"""
    with open(path, "rb") as file:
        while True:
            last = not more()  # asked before the look: what was said until then is there
            while data := file.read(1 << 16):
                yield data
            with suppress(OSError):
                if os.stat(path).st_ino != os.fstat(file.fileno()).st_ino:
                    if rest := file.read():
                        yield rest
                    return True
            if last:
                return False
            time.sleep(_TICK_S)


def last_line(path: str) -> str:
    """The last line that says anything, of the last few; nothing where there is none."""
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
            lines = file.read().decode("utf-8", "replace").replace("\r", "\n").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


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
