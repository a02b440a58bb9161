"""Uncommitted work as a tree, through a copy of the index: nothing of the user's is touched.

The copy lies in a quarantine, and so do the objects. Files go through git's own filters, as `git add` would have it.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from git_fleet.model.fleet import Dirt
from git_fleet.repo import process
from git_fleet.repo.git import ENVIRONMENT, PINNED, private_dir
from git_fleet.repo.location import git_program
from git_fleet.repo.merging import Quarantine

MANY = 200
"""Above that, git looks at the whole worktree instead of at single paths."""
HEAVY = 64 << 20
"""Bytes of uncommitted files that still go into a quarantine in memory."""

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


class _Copy(NamedTuple):
    """A worktree with the copy of its index, named in `env`; `paths` are to be added to it."""

    top: str
    env: tuple[tuple[str, str], ...]
    paths: tuple[str, ...]
    list_file: str


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
        for size in _sizes(top, seen):
            left -= size
            if left < 0:
                return True
    return False


def _sizes(top: str, seen: Dirt) -> Iterator[int]:
    for path in (*seen.unstaged, *seen.untracked):
        whole = os.path.join(top, path)
        if not path.endswith("/"):
            yield _size(whole)
            continue
        for folder, _, files in os.walk(whole):
            yield from (_size(os.path.join(folder, file)) for file in files)


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
    paths = tuple(dict.fromkeys((*seen.unstaged, *(path for path in seen.untracked if not _is_repository(top, path)))))
    return _Copy(top, tuple(env.items()), paths, f"{index}.paths")


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
    if copy.paths:
        result = _run(copy, _add(copy))
        if result.status:  # a path may be gone by now: once more, then, and whatever is there
            result = _run(copy, _ADD)
        if result.status:
            return copy.top, Live(None, _reason(result))
    result = _run(copy, ("write-tree", "--missing-ok"))
    return copy.top, Live(None, _reason(result)) if result.status else Live(result.stdout.strip())


def _run(copy: _Copy, args: Sequence[str]) -> process.Result:
    return process.run((git_program(), *PINNED, *_SETTINGS, *args), cwd=copy.top, env=dict(copy.env))


def _reason(result: process.Result) -> str:
    said = [line for line in result.stderr.splitlines() if line.strip()]
    return f"git: {said[-1].removeprefix('fatal: ').removeprefix('error: ')}" if said else "git add failed"
