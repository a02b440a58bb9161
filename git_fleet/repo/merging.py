"""Merges that leave no trace: git's own three-way merge, every new object in a quarantine outside the repository.

`git merge-tree --stdin` does a batch in one process (git 2.38); it does not flush between answers, so batches go in and
no dialogue. Attributes are those of the base, as in a checkout of it.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from git_fleet.model.errors import Fatal, GitError
from git_fleet.model.fleet import Change, Lines, Repository
from git_fleet.repo import git


class Merge(NamedTuple):
    """A merge of two commits: its tree (with conflict markers where it is not clean) and the conflicting paths.

    `why` says why git could not tell; such a merge is not clean.
    """

    clean: bool
    tree: str
    paths: tuple[str, ...] = ()
    why: str | None = None


class Quarantine(NamedTuple):
    """A place for objects that nobody needs to keep. Use the functions of this module with it."""

    repository: Repository
    folder: str
    env: dict[str, str]


@contextmanager
def quarantine(repository: Repository, base: str) -> Iterator[Quarantine]:
    """A quarantine with the attributes of the commit `base`; gone, with all that was made in it, at the end."""
    import shutil
    import tempfile

    folder = tempfile.mkdtemp(prefix="git-fleet-")
    try:
        for name in ("objects", "tree"):
            os.mkdir(f"{folder}/{name}")
        env = {
            "GIT_DIR": repository.common_dir,
            "GIT_WORK_TREE": f"{folder}/tree",
            "GIT_INDEX_FILE": f"{folder}/index",
            "GIT_OBJECT_DIRECTORY": f"{folder}/objects",
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": _quoted(f"{repository.common_dir}/objects"),
        }
        place = Quarantine(repository, folder, env)
        _lay_out_attributes(place, base)
        yield place
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def for_real(place: Quarantine) -> Quarantine:
    """The same attributes, but objects go into the repository: for merges that are to land."""
    kept = {key: value for key, value in place.env.items() if "OBJECT_DIRECTOR" not in key}
    return place._replace(env=kept)


def _quoted(path: str) -> str:
    """A path for GIT_ALTERNATE_OBJECT_DIRECTORIES, where `:` separates and a leading quote starts a C string."""
    if ":" not in path and not path.startswith('"'):
        return path
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _ask(place: Quarantine, *args: str, stdin: str = "") -> str:
    return git.answer(place.repository, *args, cwd=f"{place.folder}/tree", stdin=stdin, env=place.env)


def _lay_out_attributes(place: Quarantine, base: str) -> None:
    """The base's `.gitattributes` files as a checkout has them: they decide about drivers and line ends."""
    listing = _ask(place, "ls-tree", "-r", "-z", "--name-only", base)
    if ".gitattributes" not in listing:
        return
    for path in listing.split("\0"):
        if path == ".gitattributes" or path.endswith("/.gitattributes"):
            target = f"{place.folder}/tree/{path}"
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
                file.write(_ask(place, "cat-file", "blob", f"{base}:{path}"))


def merges(place: Quarantine, pairs: Sequence[tuple[str, str]]) -> list[Merge]:
    """Merge each (ours, theirs) pair of commits in one process, in order. Raises GitError or Fatal.

    A merge that git dies of (assertions in merge-ort.c of git 2.39) or refuses (no common history) takes the answers
    of its whole batch along: the batch is halved until that one is alone.
    """
    if not pairs:
        return []
    asked = "".join(f"{ours} {theirs}\n" for ours, theirs in pairs)
    args = ("merge-tree", "--stdin", "-z", "--name-only", "--no-messages")
    result = git.ask(place.repository, *args, cwd=f"{place.folder}/tree", stdin=asked, env=place.env)
    if result.status and len(pairs) > 1:
        half = len(pairs) // 2
        return merges(place, pairs[:half]) + merges(place, pairs[half:])
    if result.status < 0 or result.status == 134:
        return [Merge(False, "", why="git crashed on this merge")]
    if result.status:
        related = git.ask(place.repository, "merge-base", *pairs[0], cwd=f"{place.folder}/tree", env=place.env)
        if related.status == 1:
            return [Merge(False, "", why="no common history")]
        raise GitError(args, result.status, result.stderr)
    found = list(_read_merges(result.stdout))
    if len(found) != len(pairs):
        raise Fatal(f"git merge-tree answered {len(found)} of {len(pairs)} merges")
    return [_with_plain_paths(one, *pair) for one, pair in zip(found, pairs, strict=True)]


def _with_plain_paths(merge: Merge, ours: str, theirs: str) -> Merge:
    """A file where the other side has a folder is moved aside to `<path>~<commit>`: its own name says more."""
    plain = {path.removesuffix(f"~{ours}").removesuffix(f"~{theirs}") for path in merge.paths}
    return merge._replace(paths=tuple(sorted(plain)))


def _read_merges(listed: str) -> Iterator[Merge]:
    """Reads `merge-tree --stdin -z --name-only --no-messages`: status, tree, conflicting paths, an empty field."""
    fields = iter(listed.split("\0"))
    for status in fields:
        if not status:
            return
        tree = next(fields)
        yield Merge(status == "1", tree, tuple(sorted(iter(lambda: next(fields), ""))))


def merge(place: Quarantine, ours: str, theirs: str) -> Merge:
    """One merge."""
    return merges(place, [(ours, theirs)])[0]


def commits(place: Quarantine, wanted: Sequence[tuple[str, Sequence[str]]]) -> list[str]:
    """Make-believe commits for (tree, parents), all in one process; their ids, in order."""
    if not wanted:
        return []
    stamp = "git fleet <git-fleet@invalid> 0 +0000"
    paths = []
    for number, (tree, parents) in enumerate(wanted):
        paths.append(f"{place.folder}/commit-{number}")
        lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents), f"author {stamp}", f"committer {stamp}"]
        with open(paths[-1], "w", encoding="ascii") as file:
            file.write("\n".join(lines) + "\n\nx\n")
    return _ask(place, "hash-object", "-t", "commit", "-w", "--stdin-paths", stdin="\n".join(paths) + "\n").split()


def changes(place: Quarantine, old: str, trees: Sequence[str]) -> list[tuple[tuple[Change, ...], Lines]]:
    """What each tree changes in the tree `old`, without rename detection, and how many lines; one process for all."""
    wanted = [tree for tree in trees if tree != old]
    asked = "".join(f"{old} {tree}\n" for tree in dict.fromkeys(wanted))
    listed = _ask(
        place, "diff-tree", "--stdin", "-r", "-z", "--raw", "--numstat", "--no-renames", "--no-abbrev", stdin=asked
    )
    found = _read_changes(listed, old)
    return [found.get(tree, ((), Lines())) for tree in trees]


def _read_changes(listed: str, old: str) -> dict[str, tuple[tuple[Change, ...], Lines]]:
    """Reads `diff-tree --stdin -z --raw --numstat`: a header `<old> <new>\\n`, raw pairs, then numstat lines."""
    found: dict[str, tuple[tuple[Change, ...], Lines]] = {}
    rows: list[Change] = []
    plus = minus = 0
    fields = iter(listed.split("\0"))
    for field in fields:
        while field.startswith(f"{old} ") and "\n" in field:
            header, _, field = field.partition("\n")
            rows, plus, minus = [], 0, 0
            tree = header.split()[1]
            found[tree] = ((), Lines())
        if field.startswith(":"):
            old_mode, new_mode, old_oid, new_oid, _ = field[1:].split(" ")
            rows.append(Change(next(fields), old_mode, new_mode, old_oid, new_oid))
        elif field:
            added, deleted, _ = field.split("\t", 2)
            plus += int(added) if added != "-" else 0
            minus += int(deleted) if deleted != "-" else 0
        else:
            continue
        found[tree] = (tuple(rows), Lines(plus, minus))
    return found
