"""Ignored files of one worktree copied into another: chosen by git, written by descriptors, never over anything.

No part of a path is followed where it is a link, on either side: nothing is read from or written to anywhere else,
whatever a branch has put in its tree.
"""

import errno
import itertools
import os
import stat
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress

from git_fleet.model.errors import GitError
from git_fleet.model.fleet import Repository
from git_fleet.repo import git, looking

INCLUDE = ".worktreeinclude"
"""At the top of a worktree: patterns of ignored files to copy. It names files, never commands."""
MOST_COMPARED = 64 << 20
"""Bytes; what is larger is not read only to know whether it is a copy."""
_MOST_PATTERNS = 1 << 20
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_SKIPPED = frozenset(
    (
        errno.EACCES,
        errno.EEXIST,
        errno.EISDIR,
        errno.ELOOP,
        errno.ENAMETOOLONG,
        errno.ENOENT,
        errno.ENOTDIR,
        errno.EPERM,
    )
)
"""What is said of one file alone; any other error, as of a full disk, ends the copying."""

LeftOut = tuple[str, str]
"""(path, why)"""


def patterns(top: str, configured: Sequence[str]) -> str:
    """The lines of a worktree's INCLUDE and the configured patterns, of which the last that matches decides.

    Empty where nothing is wanted. Raises OSError where INCLUDE is there and cannot be read.
    """
    lines = [*_included(f"{top}/{INCLUDE}").rstrip("\n").split("\n"), *configured]
    return "".join(f"{line}\n" for line in lines if line.strip() and line[0] != "#")


def _included(path: str) -> str:
    with suppress(FileNotFoundError):
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(fd, encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            return file.read(_MOST_PATTERNS) if stat.S_ISREG(os.fstat(fd).st_mode) else ""
    return ""


def chosen(repository: Repository, top: str, lines: str) -> list[str]:
    """The files of a worktree that match gitignore(5) patterns and that git ignores there; none that is tracked, none
    that somebody forgot to add, nothing of a repository inside. Raises GitError."""
    import tempfile

    with tempfile.NamedTemporaryFile("w", encoding="utf-8", errors="surrogateescape", prefix="git-fleet-") as file:
        file.write(lines)
        file.flush()
        listed = git.answer(repository, "ls-files", "-z", "--others", "--ignored", "-X", file.name, cwd=top)
    paths = [path for path in listed.split("\0")[:-1] if path[-1] != "/" and ".git" not in path.lower().split("/")]
    return sorted(ignored(repository, top, paths))


def ignored(repository: Repository, top: str, paths: Sequence[str]) -> set[str]:
    """Those of the paths that git ignores in a worktree, also where nothing is there; none beyond a link or in a
    submodule, about which git does not answer. Raises GitError."""
    modules = tuple(f"{path}/" for path in looking.gitlinks(repository, top, git.private_dir(top) or ""))
    folders = {os.path.dirname(path) for path in paths}
    straight = {
        folder
        for folder in folders
        if os.path.realpath(f"{top}/{folder}") == f"{top}/{folder}".rstrip("/") and not f"{folder}/".startswith(modules)
    }
    asked = "".join(f"./{path}\0" for path in paths if os.path.dirname(path) in straight)  # `:` alone would be magic
    if not asked:
        return set()
    args = ("check-ignore", "-z", "--stdin")
    told = git.ask(repository, *args, cwd=top, stdin=asked, pinned=())
    if told.status > 1:
        raise GitError(args, told.status, told.stderr)
    return {path.removeprefix("./") for path in told.stdout.split("\0")[:-1]}


def copy(source: str, target: int, paths: Sequence[str], done: Callable[[int], None]) -> list[LeftOut]:
    """Copy files, given by sorted paths below a folder, to the same paths below an open one: those that were left out.

    Nothing there is overwritten; modes and times are kept. Copies share blocks where the file system can do that.
    `done(n)` after the n-th. Raises OSError where no more can be written.
    """
    left: list[LeftOut] = []
    with ExitStack() as until_all:
        origin = _opened(until_all, source)
        for folder, inside in itertools.groupby(enumerate(paths, 1), lambda one: os.path.dirname(one[1])):
            with ExitStack() as opened:
                places: tuple[int, int] | None = None
                for number, path in inside:
                    try:
                        places = places or _go_into(opened, origin, target, folder)
                        why = _copy_one(*places, path)
                    except OSError as error:
                        if error.errno not in _SKIPPED:
                            raise
                        why = str(error.strerror).lower()
                    left += [(path, why)] if why else []
                    done(number)
    return left


def _opened(opened: ExitStack, name: str, above: int | None = None) -> int:
    fd = os.open(name, _FOLDER, dir_fd=above)
    opened.callback(os.close, fd)
    return fd


def _go_into(opened: ExitStack, origin: int, target: int, folder: str) -> tuple[int, int]:
    """Open a folder on both sides, made where it is not there on the other."""
    for part in folder.split("/") if folder else ():
        origin = _opened(opened, part, origin)
        try:
            os.mkdir(part, 0o700, dir_fd=target)
        except FileExistsError:
            target = _opened(opened, part, target)
        else:
            target = _opened(opened, part, target)
            os.fchmod(target, stat.S_IMODE(os.fstat(origin).st_mode) & 0o777 | stat.S_IRWXU)
    return origin, target


def _copy_one(origin: int, target: int, path: str) -> str | None:
    """Copy a file or a link from one open folder to another; why not, if it is nothing to copy."""
    name = os.path.basename(path)
    seen = os.lstat(name, dir_fd=origin)
    if stat.S_ISLNK(seen.st_mode):
        link = os.readlink(name, dir_fd=origin)
        if not _stays_inside(path, link):
            return "a link that leads out of the tree"
        os.symlink(link, name, dir_fd=target)
        return None
    if not stat.S_ISREG(seen.st_mode):
        return "no plain file"
    with ExitStack() as opened:
        old = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=origin)
        opened.callback(os.close, old)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        new = os.open(name, flags, 0o600, dir_fd=target)
        opened.callback(os.close, new)
        sys.audit("git_fleet.worktree", f"copy {path}")
        try:
            _copy_content(old, new)
        except OSError:
            os.unlink(name, dir_fd=target)  # half of a file would fill the disk, and look like somebody's work
            raise
        os.fchmod(new, stat.S_IMODE(seen.st_mode) & 0o777)
        os.utime(new, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    return None


def _stays_inside(path: str, link: str) -> bool:
    """Does a relative link at `path` lead to a place below the same top?"""
    first = os.path.normpath(os.path.join(os.path.dirname(path), link)).split("/")[0]
    return not os.path.isabs(link) and first not in ("..", ".git")


def _copy_content(old: int, new: int) -> None:
    with suppress(AttributeError, OSError):  # not on every system, nor between all file systems
        while os.copy_file_range(old, new, 1 << 30):
            pass
    while data := os.read(old, 1 << 20):
        while data:
            data = data[os.write(new, data) :]


def same(source: str, top: str, paths: Sequence[str]) -> tuple[str, ...]:
    """Those of the paths (folders with a slash at the end) below which all is, byte for byte, in `source` as well."""
    return tuple(path for path in paths if _is_same(source, top, path.rstrip("/")))


def _is_same(source: str, top: str, path: str) -> bool:
    one, other = f"{source}/{path}", f"{top}/{path}"
    if os.path.realpath(os.path.dirname(one)) != os.path.dirname(one):
        return False
    try:
        return _compared(one, other, MOST_COMPARED) is not None
    except OSError:
        return False


def _compared(one: str, other: str, room: int) -> int | None:
    """How many bytes of two files or trees are alike; None where they differ, or where that needs more than `room`."""
    mine, its = os.lstat(one), os.lstat(other)
    if stat.S_IFMT(mine.st_mode) != stat.S_IFMT(its.st_mode):
        return None
    if stat.S_ISLNK(its.st_mode):
        return 0 if os.readlink(one) == os.readlink(other) else None
    if stat.S_ISREG(its.st_mode):
        alike = mine.st_size == its.st_size <= room and _have_same_bytes(one, other)
        return its.st_size if alike else None
    if not stat.S_ISDIR(its.st_mode):
        return None
    read = 0
    for name in os.listdir(other):
        part = None if name == ".git" else _compared(f"{one}/{name}", f"{other}/{name}", room - read)
        if part is None:
            return None
        read += part
    return read


def _have_same_bytes(one: str, other: str) -> bool:
    with open(one, "rb") as mine, open(other, "rb") as its:
        while data := its.read(1 << 20):
            if mine.read(len(data)) != data:
                return False
        return not mine.read(1)
