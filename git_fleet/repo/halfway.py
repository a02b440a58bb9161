"""A checkout that git was moving to another commit, or was merging in, when it was killed: files of both, one torn."""

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import NamedTuple

from git_fleet.model.errors import GitError
from git_fleet.model.fleet import Repository
from git_fleet.model.sight import Stage
from git_fleet.repo import changing, git, looking

_SUBMODULE = "160000"
_REBASE = "rebase-merge"
_NEEDED = ("head-name", "onto", "orig-head", "git-rebase-todo")
"""What git writes of a rebase before it begins, the list of what it has to do last."""


class _Piece(NamedTuple):
    """A path that the move was to change: `<mode> <object id>` before and after it, zeros where there is no file."""

    path: str
    old: str
    new: str


def entries(stages: Sequence[Stage]) -> dict[str, str]:
    """What a merge writes into the index where it conflicts: the entries of each path, for `put_back`."""
    found: dict[str, str] = {}
    for one in stages:
        _add(found, one.path, f"{one.mode} {one.oid} {one.number}")
    return found


def _add(found: dict[str, str], path: str, entry: str) -> None:
    found[path] = f"{found[path]}, {entry}" if path in found else entry


def put_back(
    repository: Repository,
    top: str,
    at: str,
    towards: str,
    inherit: Sequence[int] = (),
    conflicts: Mapping[str, str] = MappingProxyType({}),
) -> bool | None:
    """Make files and index what they are in the commit `at`. None: they are so already.

    `towards` is the commit or tree that git was going to; `conflicts` what it writes of them into the index there.
    False: something is of neither, so somebody's; nothing was touched then. Raises Busy where git's lock on the index
    is in the way.
    """
    pieces = _pieces(repository, at, towards, conflicts)
    staged = _staged(repository, top)
    now = {one.path: _file(repository, top, one, towards) for one in pieces}
    index = {one.path: staged.get(one.path, f"000000 {'0' * len(at)}") for one in pieces}
    if all(now[one.path] == index[one.path] == one.old for one in pieces):
        return None
    known = {one.path: (one.old, one.new, conflicts.get(one.path)) for one in pieces}
    if any(now[one.path] is None or index[one.path] not in known[one.path] for one in pieces):
        return False
    changing.refuse_locked_index(top)
    lines = "".join(f"{one.old}\t{one.path}\0" for one in pieces)
    git.answer(repository, "update-index", "-z", "--index-info", cwd=top, stdin=lines, inherit=inherit)
    for one in pieces:
        if _is_absent(one.old):
            _remove(top, one.path)
    there = "".join(f"{one.path}\0" for one in pieces if not _is_absent(one.old))
    args = ("checkout-index", "--force", "--index", "-z", "--stdin")
    git.answer(repository, *args, cwd=top, stdin=there, inherit=inherit)
    return True


def waits(top: str) -> bool:
    """Does a merge or a rebase of git's wait there for somebody to resolve it, all of it written?"""
    return bool(looking.merge_head(top)) or os.path.exists(f"{git.private_dir(top)}/{_REBASE}/stopped-sha")


def is_rebase_left(top: str) -> bool:
    """Is there a rebase that does not wait for anybody: one that was broken off, if it is not at work?"""
    return os.path.isdir(f"{git.private_dir(top)}/{_REBASE}") and not waits(top)


def forget(repository: Repository, top: str, inherit: Sequence[int] = ()) -> None:
    """What git had noted of a merge or a rebase that is put back, and that it had hardly begun.

    That is a MERGE_HEAD that names nothing, with which the next commit would be no merge, and a rebase of which not yet
    all is written. One that is written may be somebody's who has the list of commits in his editor.
    """
    private = git.private_dir(top) or ""
    if looking.merge_head(top) == "":
        os.unlink(f"{private}/MERGE_HEAD")
    if _never_began(private):
        changing.quit_rebase(repository, top, inherit)


def unwrite(repository: Repository, top: str, known: str) -> None:
    """Take away the files of a pick that a rebase was at, as far as its index knows nothing of them: they are in the
    way of its --abort. Each is in the commit `known`, it or its torn beginning. Raises Busy where git's lock is there.
    """
    changing.refuse_locked_index(top)
    head, staged = looking.commit_and_parents(repository, top)[0], _staged(repository, top)
    for one in _pieces(repository, head, known, {}):
        there = one.path not in staged and os.path.lexists(f"{top}/{one.path}")
        if there and _is_absent(one.old) and _file(repository, top, one, known) == one.new:
            _remove(top, one.path)


def _never_began(private: str) -> bool:
    place = f"{private}/{_REBASE}"
    return os.path.isdir(place) and not all(os.path.exists(f"{place}/{name}") for name in _NEEDED)


def _pieces(repository: Repository, at: str, towards: str, conflicts: Mapping[str, str]) -> list[_Piece]:
    listed = git.answer(repository, "diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-commit-id", at, towards)
    words = listed.split("\0")[:-1]
    found = []
    for told, path in zip(words[::2], words[1::2], strict=True):
        old_mode, new_mode, old, new, _ = told.removeprefix(":").split(" ")
        if _SUBMODULE not in (old_mode, new_mode):
            found.append(_Piece(path, f"{old_mode} {old}", f"{new_mode} {new}"))
    same = [path for path in conflicts if path not in {one.path for one in found}]
    return [*found, *(_Piece(path, entry, entry) for path, entry in _listed(repository, at, same))]


def _listed(repository: Repository, commit: str, paths: Sequence[str]) -> Iterator[tuple[str, str]]:
    """`<mode> <object id>` of each path, zeros where the commit has no such file."""
    listed = git.answer(repository, "ls-tree", "-z", "--full-tree", commit, "--", *paths) if paths else ""
    told = {path: about.split(" ") for about, _, path in (line.partition("\t") for line in listed.split("\0")[:-1])}
    for path in paths:
        mode, _, oid = told.get(path, ("000000", "", "0" * len(commit)))
        yield path, f"{mode} {oid}"


def _staged(repository: Repository, top: str) -> dict[str, str]:
    """Modes and object ids by path in the index, with their stages where it has a conflict."""
    found: dict[str, str] = {}
    for line in git.answer(repository, "ls-files", "-s", "-z", cwd=top).split("\0")[:-1]:
        told, _, path = line.partition("\t")
        _add(found, path, told.removesuffix(" 0"))
    return found


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
