"""Has anything moved? A fingerprint of refs, indexes and worktrees, from `stat` alone: cheap enough to ask often."""

import os
from collections.abc import Iterable, Iterator

from git_fleet.model.fleet import Repository

_SHARED = ("packed-refs", "HEAD", "config", "index", "MERGE_HEAD", "reftable")
_PRIVATE = ("HEAD", "index", "gitdir", "config.worktree", "reftable", "MERGE_HEAD", "rebase-merge", "rebase-apply")

Mark = tuple[str, int, int, int]


def take(repository: Repository) -> frozenset[Mark]:
    """A value that differs from an earlier one when a ref, an index or the list of worktrees has changed.

    Edits of files in a worktree do not show in it.
    """
    return of(_watched(repository.common_dir))


def of(paths: Iterable[str]) -> frozenset[Mark]:
    """The same of these files alone."""
    return frozenset(mark for path in paths if (mark := _mark(path)))


def _watched(common: str) -> Iterator[str]:
    yield from (f"{common}/{name}" for name in _SHARED)
    for folder, _, names in os.walk(f"{common}/refs"):
        if folder != f"{common}/refs/fleet" and not folder.startswith(f"{common}/refs/fleet/"):
            yield folder
            yield from (f"{folder}/{name}" for name in names)
    trees = f"{common}/worktrees"
    for name in os.listdir(trees) if os.path.isdir(trees) else ():
        yield from (f"{trees}/{name}/{file}" for file in _PRIVATE)


def _mark(path: str) -> Mark | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return path, found.st_mtime_ns, found.st_size, found.st_ino
