"""Uncommitted work as a tree, through a copy of the index: nothing of the user's is touched.

The copy lies in a quarantine, and so do the objects. Files go through git's own filters, as `git add` would have it.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from git_fleet.model.errors import Fatal
from git_fleet.model.fleet import Dirt
from git_fleet.repo import process
from git_fleet.repo.git import ENVIRONMENT, PINNED, private_dir
from git_fleet.repo.location import git_program
from git_fleet.repo.merging import Quarantine

MANY = 200
"""Above that, git looks at the whole worktree instead of at single paths."""
HEAVY = 64 << 20
"""Bytes of uncommitted files that still go into a quarantine in memory."""
BIG = HEAVY
"""Bytes of one untracked file above which its content is not read: what counts then is that it is there."""

_SETTINGS = (
    *("-c", "core.splitIndex=false", "-c", "core.fsmonitor=false", "-c", "core.untrackedCache=false"),
    *("-c", "core.preloadIndex=false", "-c", "core.hooksPath=/dev/null", "-c", "core.safecrlf=false"),
    *("-c", "core.looseCompression=0", "-c", "core.fsync=none", "-c", "advice.addEmbeddedRepo=false"),
    *("-c", "index.skipHash=true"),  # from git 2.40 on
)
_ADD = ("add", "--all", "--sparse")


class Live(NamedTuple):
    """A worktree's state as a tree, or why there is none."""

    tree: str | None
    why: str | None = None
    unread: tuple[str, ...] = ()
    """Untracked files too big to be read: a stand-in is in their place, which differs from any other file there."""


class _Copy(NamedTuple):
    """A worktree with the copy of its index, named in `env`; `paths` are to be added to it."""

    top: str
    env: tuple[tuple[str, str], ...]
    paths: tuple[str, ...]
    list_file: str
    big: tuple[str, ...] = ()


def trees(place: Quarantine, dirt: Mapping[str, Dirt]) -> dict[str, Live]:
    """The tree that committing all of each worktree's work would make, by worktree; what is ignored is left out."""
    copies, found = [], {}
    for number, (top, seen) in enumerate(dirt.items()):
        try:
            copies.append(_copy(place, top, seen, number))
        except OSError as error:
            found[top] = Live(None, f"its index cannot be read: {error.strerror}")
    at_once = min(len(copies), os.cpu_count() or 2)
    parts = [copies[first::at_once] for first in range(at_once)]
    for some in process.side_by_side([lambda part=part: [_tree(copy) for copy in part] for part in parts]):  # type: ignore[misc]
        found |= some
    return found


def heavy(dirt: Mapping[str, Dirt]) -> bool:
    """Is it more than should be copied into memory?"""
    left = HEAVY
    for top, seen in dirt.items():
        untracked = (size for _, size in _files(top, seen.untracked) if size <= BIG)
        for size in (*(_size(os.path.join(top, path)) for path in seen.unstaged), *untracked):
            left -= size
            if left < 0:
                return True
    return False


def _files(top: str, paths: Sequence[str]) -> Iterator[tuple[str, int]]:
    """All files of these paths, of which some are folders, with their sizes."""
    for path in paths:
        whole = os.path.join(top, path)
        if not path.endswith("/"):
            yield path, _size(whole)
            continue
        for folder, _, files in os.walk(whole):
            for file in files:
                yield os.path.relpath(os.path.join(folder, file), top), _size(os.path.join(folder, file))


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0


def _copy(place: Quarantine, top: str, seen: Dirt, number: int) -> _Copy:
    """The index is copied with its time, which tells git what of it may be stale."""
    import shutil

    private, index = private_dir(top) or "", f"{place.folder}/index-{number}"
    if os.path.exists(f"{private}/index"):
        shutil.copy2(f"{private}/index", index)
    env = {**ENVIRONMENT, **place.env, "GIT_DIR": private, "GIT_WORK_TREE": top, "GIT_INDEX_FILE": index}
    untracked = [path for path in seen.untracked if not _is_repository(top, path)]
    big = tuple(path for path, size in _files(top, untracked) if size > BIG)
    paths = tuple(path for path in dict.fromkeys((*seen.unstaged, *untracked)) if path not in big)
    return _Copy(top, tuple(env.items()), paths, f"{index}.paths", big)


def _is_repository(top: str, path: str) -> bool:
    """Somebody else's files: a repository or worktree inside this one."""
    return path.endswith("/") and os.path.lexists(os.path.join(top, path, ".git"))


def _add(copy: _Copy) -> tuple[str, ...]:
    if len(copy.paths) > MANY:
        return _ADD
    with open(copy.list_file, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        file.write("\0".join(copy.paths))
    return (*_ADD, f"--pathspec-from-file={copy.list_file}", "--pathspec-file-nul")


def _tree(copy: _Copy) -> tuple[str, Live]:
    try:
        return copy.top, _live(copy)
    except (OSError, Fatal):
        if os.path.isdir(copy.top):
            raise
        return copy.top, Live(None, "its folder is gone")


def _live(copy: _Copy) -> Live:
    if copy.paths:
        without = _without_big(copy)
        result = _run(copy, (*without, *_add(copy)))
        if result.status:  # a path may be gone by now: once more, then, and whatever is there
            result = _run(copy, (*without, *_ADD))
        if result.status:
            return Live(None, _reason(result))
    unread = _stand_in(copy)
    result = _run(copy, ("write-tree", "--missing-ok"))
    return Live(None, _reason(result)) if result.status else Live(result.stdout.strip(), None, unread)


def _without_big(copy: _Copy) -> tuple[str, ...]:
    """Has `git add` pass over the big files: the user's own ignore file, and these with it."""
    if not copy.big:
        return ()
    known = process.run((git_program(), *PINNED, "config", "--type=path", "--get", "core.excludesFile"), cwd=copy.top)
    home = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    theirs, ours = known.stdout.rstrip("\n") or f"{home}/git/ignore", f"{copy.list_file}.ignored"
    with open(ours, "wb") as file:
        with suppress(OSError), open(theirs, "rb") as users:
            file.write(users.read() + b"\n")
        for path in copy.big:
            literal = "".join(f"\\{char}" if char in "\\*?[ " else char for char in path)
            file.write(os.fsencode(f"/{literal}\n"))
    return ("-c", f"core.excludesFile={ours}")


def _stand_in(copy: _Copy) -> tuple[str, ...]:
    """Names of big files in the copy of the index, each with a content of its own; those that are not ignored."""
    listed = ("ls-files", "--others", "--exclude-standard", "-z", "--", *copy.big)
    found = tuple(path for path in _run(copy, listed).stdout.split("\0") if path) if copy.big else ()
    for path in found:
        named = f"{copy.top}/{path}: {_size(os.path.join(copy.top, path))} bytes\n"
        blob = _run(copy, ("hash-object", "-w", "--stdin"), named).stdout.strip()
        _run(copy, ("update-index", "--add", "-z", "--index-info"), f"100644 {blob}\t{path}\0")
    return found


def _run(copy: _Copy, args: Sequence[str], stdin: str | None = None) -> process.Result:
    return process.run((git_program(), *PINNED, *_SETTINGS, *args), cwd=copy.top, env=dict(copy.env), stdin=stdin)


def _reason(result: process.Result) -> str:
    said = [line for line in result.stderr.splitlines() if line.strip()]
    return f"git: {said[-1].removeprefix('fatal: ').removeprefix('error: ')}" if said else "git add failed"
