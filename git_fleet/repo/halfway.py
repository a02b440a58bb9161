"""A checkout that git was moving to another commit when it was killed: files of both, one of them torn."""

import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from git_fleet.model.errors import GitError
from git_fleet.model.fleet import Repository
from git_fleet.repo import changing, git

_SUBMODULE = "160000"


class _Piece(NamedTuple):
    """A path that the move was to change: `<mode> <object id>` before and after it, zeros where there is no file."""

    path: str
    old: str
    new: str


def put_back(repository: Repository, top: str, at: str, towards: str, inherit: Sequence[int] = ()) -> bool | None:
    """Make files and index what they are in `at`. None: they are so already.

    False: something is of neither commit, so somebody's; nothing was touched then. Raises Busy where git's lock on the
    index is in the way.
    """
    pieces = _pieces(repository, at, towards)
    staged = _staged(repository, top)
    now = {one.path: _file(repository, top, one, towards) for one in pieces}
    index = {one.path: staged.get(one.path, f"000000 {'0' * len(at)}") for one in pieces}
    if all(now[one.path] == index[one.path] == one.old for one in pieces):
        return None
    if any(now[one.path] is None or index[one.path] not in (one.old, one.new) for one in pieces):
        return False
    changing.refuse_locked_checkout(top)
    lines = "".join(f"{one.old}\t{one.path}\0" for one in pieces)
    git.answer(repository, "update-index", "-z", "--index-info", cwd=top, stdin=lines, inherit=inherit)
    for one in pieces:
        if _is_absent(one.old):
            _remove(top, one.path)
    there = "".join(f"{one.path}\0" for one in pieces if not _is_absent(one.old))
    args = ("checkout-index", "--force", "--index", "-z", "--stdin")
    git.answer(repository, *args, cwd=top, stdin=there, inherit=inherit)
    return True


def _pieces(repository: Repository, at: str, towards: str) -> list[_Piece]:
    listed = git.answer(repository, "diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-commit-id", at, towards)
    words = listed.split("\0")[:-1]
    found = []
    for told, path in zip(words[::2], words[1::2], strict=True):
        old_mode, new_mode, old, new, _ = told.removeprefix(":").split(" ")
        if _SUBMODULE not in (old_mode, new_mode):
            found.append(_Piece(path, f"{old_mode} {old}", f"{new_mode} {new}"))
    return found


def _staged(repository: Repository, top: str) -> dict[str, str]:
    """Modes and object ids by path in the index; nothing that makes sense for one with a conflict."""
    listed = git.answer(repository, "ls-files", "-s", "-z", cwd=top).split("\0")[:-1]
    entries = [line.partition("\t") for line in listed]
    return {path: told.removesuffix(" 0") if told.endswith(" 0") else "conflict" for told, _, path in entries}


def _file(repository: Repository, top: str, piece: _Piece, towards: str) -> str | None:
    """Which of the two a file is; the latter also where it was cut short, or is missing for a moment. None: neither."""
    place = f"{top}/{piece.path}"
    sides = (piece.old, piece.new)
    if not os.path.lexists(place):
        return piece.old if _is_absent(piece.old) else piece.new
    try:
        mode = os.lstat(place).st_mode
        if stat.S_ISLNK(mode):
            data = os.fsencode(os.readlink(place)).decode("utf-8", "surrogateescape")
            known = git.answer(repository, "hash-object", "--stdin", stdin=data).strip()
        else:
            known = git.answer(repository, "hash-object", "--", piece.path, cwd=top).strip()
            with open(place, "rb") as file:
                data = file.read().decode("utf-8", "surrogateescape")
    except (OSError, GitError):
        return None
    whole = f"{'120000' if stat.S_ISLNK(mode) else '100755' if mode & stat.S_IXUSR else '100644'} {known}"
    same = [whole] if whole in sides else [side for side in sides if side.endswith(known)]  # not all disks know modes
    if same:
        return same[0]
    shown = git.ask(repository, "cat-file", "--filters", f"{towards}:{piece.path}", cwd=top)
    return piece.new if not _is_absent(piece.new) and shown.status == 0 and shown.stdout.startswith(data) else None


def _is_absent(side: str) -> bool:
    return side.startswith("000000 ")


def _remove(top: str, path: str) -> None:
    """A file, and the folders that are empty without it, as git does it."""
    with suppress(OSError):
        os.unlink(f"{top}/{path}")
        while path := os.path.dirname(path):
            os.rmdir(f"{top}/{path}")
