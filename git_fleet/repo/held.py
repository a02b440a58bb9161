"""What a worktree's administrative entry keeps alive, and which of its names hold what nothing else does.

git takes for reachable what HEAD, the private references, the reflogs and the index of every entry name. In the trash
an entry does not count any more. So whoever moves one there pins all of that before; and back in its place it has no
holes, of which any `git gc` would die.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from git_fleet.model.fleet import Repository
from git_fleet.repo.git import OFFLINE, ask

PRIVATE = ("refs/worktree/", "refs/bisect/", "refs/rewritten/")
_OID = re.compile(r"(?<![0-9a-f])[0-9a-f]{40}(?:[0-9a-f]{24})?(?![0-9a-f])")


class Held(NamedTuple):
    """Objects that are in the repository, by kind: commits and tags, trees, blobs."""

    commits: tuple[str, ...] = ()
    trees: tuple[str, ...] = ()
    blobs: tuple[str, ...] = ()


def by(repository: Repository, git_dir: str) -> Held:
    """All that a private git directory names: in HEAD and its like, private references, every reflog, the states of
    operations, and in its index what is staged, unmerged, or how a conflict was before it was resolved."""
    named = [*_in_files(git_dir), *_in_tables(repository, git_dir), *_in_index(repository, git_dir)]
    asked = "".join(f"{oid}\n" for oid in dict.fromkeys(named))
    listed = ask(repository, "cat-file", "--batch-check=%(objecttype) %(objectname)", stdin=asked, env=OFFLINE).stdout
    found: dict[str, list[str]] = {"commit": [], "tag": [], "tree": [], "blob": []}
    for kind, _, oid in (line.partition(" ") for line in listed.split("\n")[:-1]):
        if kind in found:  # else it is missing: "<oid> missing"
            found[kind].append(oid)
    return Held((*found["commit"], *found["tag"]), tuple(found["tree"]), tuple(found["blob"]))


def _in_files(git_dir: str) -> Iterator[str]:
    """Every object id that its files name. Submodules keep theirs alive themselves."""
    for folder, names, files in os.walk(git_dir):
        names[:] = [name for name in names if name not in ("modules", "reftable")]
        for name in files:
            path = f"{folder}/{name}"
            is_index = folder == git_dir and name.startswith(("index", "sharedindex."))
            if os.path.isfile(path) and not is_index:
                with open(path, encoding="utf-8", errors="surrogateescape") as file:
                    yield from _OID.findall(file.read())


def _in_tables(repository: Repository, git_dir: str) -> Iterator[str]:
    """The same of a reftable, which git alone reads."""
    if not os.path.isdir(f"{git_dir}/reftable"):
        return
    here = {"GIT_DIR": git_dir}
    args = ("for-each-ref", "--include-root-refs", "--format=%(objectname) %(refname)")
    listed = ask(repository, *args, cwd=git_dir, env=here).stdout
    for oid, _, ref in (line.partition(" ") for line in listed.split("\n")):
        if ref.startswith(PRIVATE) or (ref and not ref.startswith("refs/")):
            yield oid
            logged = ask(repository, "log", "--walk-reflogs", "--format=%H", ref, "--", cwd=git_dir, env=here)
            yield from logged.stdout.split()


def _in_index(repository: Repository, git_dir: str) -> Iterator[str]:
    if not os.path.isfile(f"{git_dir}/index"):
        return
    here = {"GIT_DIR": git_dir}
    odd = ask(repository, "ls-files", "-z", "--unmerged", "--resolve-undo", cwd=git_dir, env=here).stdout
    yield from (entry.split(" ", 2)[1] for entry in odd.split("\0")[:-1])
    args = ("diff-index", "--cached", "--raw", "--no-abbrev", "--no-renames", "-z", "HEAD", "--")
    for field in ask(repository, *args, cwd=git_dir, env=here).stdout.split("\0"):
        if field.startswith(":"):
            yield field.split(" ")[3]


def private_refs(repository: Repository, git_dir: str) -> dict[str, str]:
    """The private references of a worktree: object ids by full name. Without one it takes no process."""
    if not os.path.isdir(f"{git_dir}/reftable") and not any(files for _, _, files in os.walk(f"{git_dir}/refs")):
        return {}
    args = ("for-each-ref", "--format=%(objectname) %(refname)", *PRIVATE)
    listed = ask(repository, *args, cwd=git_dir, env={"GIT_DIR": git_dir}).stdout
    return {ref: oid for oid, _, ref in (line.partition(" ") for line in listed.split("\n")[:-1])}


def unkept(repository: Repository, names: Mapping[str, str], tips: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Those of the names (and what they hold) that hold what is in none of these commits, and on no branch or tag."""
    return tuple((name, oid) for name, oid in names.items() if not _is_kept(repository, oid, tips))


def _is_kept(repository: Repository, oid: str, tips: Sequence[str]) -> bool:
    there = ("--not", *tips, "--branches", "--tags", "--remotes", "--")
    left = ask(repository, "rev-list", "--max-count=1", f"{oid}^{{commit}}", *there, env=OFFLINE)
    return left.status == 0 and not left.stdout
