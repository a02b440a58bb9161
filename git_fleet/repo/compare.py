"""What differs between trees, what is at a path, and what a plain merge of one file gives; many at once."""

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from git_fleet.model.fleet import Repository
from git_fleet.repo import git, merging

Entry = tuple[str, str]
"""(mode, object id) of a path; what is not there has zeros."""
AT_ONCE = 500
_SUBMODULE = "160000"


def between(place: merging.Quarantine, pairs: Sequence[tuple[str, str]]) -> list[dict[str, tuple[Entry, Entry]]]:
    """For each (old tree, new tree) the paths that differ, with what was and what is there; one process for all."""
    asked = [pair for pair in dict.fromkeys(pairs) if pair[0] != pair[1]]
    args = ("diff-tree", "--stdin", "-r", "-z", "--raw", "--no-renames", "--no-abbrev")
    listed = merging.answer(place, *args, stdin="".join(f"{old} {new}\n" for old, new in asked)) if asked else ""
    found: dict[tuple[str, str], dict[str, tuple[Entry, Entry]]] = {pair: {} for pair in pairs}
    here: dict[str, tuple[Entry, Entry]] = {}
    fields = iter(listed.split("\0"))
    for field in fields:
        head, newline, rest = field.rpartition("\n")
        if newline:
            old, new = head.rpartition("\n")[2].split(" ")
            here = found[old, new]
        if rest.startswith(":"):
            old_mode, new_mode, old_oid, new_oid, _ = rest[1:].split(" ")
            here[next(fields)] = ((old_mode, old_oid), (new_mode, new_oid))
    return [found[pair] for pair in pairs]


def at(place: merging.Quarantine, tree: str, paths: Sequence[str]) -> dict[str, Entry]:
    """What a tree has at these paths; nothing for those that it lacks."""
    return {path: entry for first in range(0, len(paths), AT_ONCE) for path, entry in _at(place, tree, paths[first:])}


def _at(place: merging.Quarantine, tree: str, paths: Sequence[str]) -> Iterator[tuple[str, Entry]]:
    listed = merging.answer(place, "ls-tree", "-z", "--full-tree", tree, "--", *paths[:AT_ONCE])
    for row in listed.split("\0")[:-1]:
        what, _, path = row.partition("\t")
        mode, _, oid = what.split(" ")
        yield path, (mode, oid)


def merged(place: merging.Quarantine, ours: str, before: str, theirs: str) -> str | None:
    """The object id of git's own three-way merge of three blobs, whatever driver is configured; None for a conflict."""
    names = []
    for name, oid in (("ours", ours), ("before", before), ("theirs", theirs)):
        names.append(os.path.join(place.folder, name))
        with open(names[-1], "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            file.write(merging.answer(place, "cat-file", "blob", oid))
    done = merging.ask(place, "merge-file", "-p", "--quiet", *names)
    if done.status:
        return None
    return merging.answer(place, "hash-object", "--stdin", "--no-filters", stdin=done.stdout).strip()


class Submodules(NamedTuple):
    """Paths of submodules that differ between two commits: those that are submodules in both, and those in whose place
    comes a file, or a folder with files."""

    moved: frozenset[str]
    replaced: frozenset[str]


NO_SUBMODULES = Submodules(frozenset(), frozenset())


def changed_submodules(repository: Repository, old: str, new: str) -> Submodules:
    """Those that moving a checkout from one commit to another meets."""
    listed = git.answer(repository, "diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-commit-id", old, new)
    words = listed.split("\0")[:-1]
    modes = {path: told[1:].split(" ", 2)[:2] for told, path in zip(words[::2], words[1::2], strict=True)}
    were = [path for path, (before, _) in modes.items() if before == _SUBMODULE]
    moved = frozenset(path for path in were if modes[path][1] == _SUBMODULE)
    comes = [path for path, (_, after) in modes.items() if after.strip("0")] if were else []
    replaced = (one for one in were if one not in moved and any(f"{path}/".startswith(f"{one}/") for path in comes))
    return Submodules(moved, frozenset(replaced))
