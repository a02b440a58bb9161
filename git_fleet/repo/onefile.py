"""One file in many branches and worktrees: who changed it? A handful of processes, however many branches."""

import os
import re
import stat
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from git_fleet.model.fleet import Repository
from git_fleet.repo import git, merging, process
from git_fleet.repo.git import ENVIRONMENT, PINNED
from git_fleet.repo.location import git_program

_FOUND = re.compile(r"([0-9a-f]{40,64}) (blob|tree|commit) (\d+)")


class Version(NamedTuple):
    """The file as one branch has it. `blob` is the committed one, None where there is none.

    `changed`: by its commits since it left the base, or uncommitted in its worktree `top`; `dirty`: the latter.
    """

    ref: str
    blob: str | None
    top: str | None
    changed: bool = False
    dirty: bool = False


def versions(repository: Repository, base: str, places: Mapping[str, str | None], path: str) -> dict[str, Version]:
    """The version of each branch that exists, by full ref; `places` has the worktree of each, None for none.

    `base`: a commit; `path`: relative to the top of the tree.
    """
    refs = list(places)
    blobs = _blobs(repository, [base, *refs], path)
    there = dict(zip(refs, blobs[1:], strict=True))
    forks = _forks(repository, base, [ref for ref, blob in there.items() if blob != blobs[0]])
    old = dict(zip(forks, _blobs(repository, list(forks.values()), path), strict=True)) if forks else {}
    found = {
        ref: Version(ref, blob, places[ref], changed=blob != blobs[0] and blob != old.get(ref))
        for ref, blob in there.items()
    }
    for ref in _dirty(repository, [version for version in found.values() if version.top], path):
        found[ref] = found[ref]._replace(changed=True, dirty=True)
    return found


def same(one: Version, other: Version) -> bool:
    """Is it certain that both have the same bytes?"""
    return one.blob == other.blob and not one.dirty and not other.dirty


def _blobs(repository: Repository, commits: Sequence[str], path: str) -> list[str | None]:
    """The object at `path` in each commit (a ref or an id), one process; None where there is none."""
    asked = "".join(f"{commit}:{path}\0" for commit in commits)
    told = git.answer(repository, "cat-file", "--batch-check", "-z", stdin=asked)
    lines = iter(told.split("\n"))
    found: list[str | None] = []
    for _ in commits:
        match = _FOUND.fullmatch(next(lines, ""))
        found.append(match[1] if match else None)
        for _ in range(0 if match else path.count("\n")):
            next(lines, "")  # what is missing is named, line breaks and all
    return found


def _forks(repository: Repository, base: str, refs: Sequence[str]) -> dict[str, str]:
    """Where each branch left the base, one process; a branch that is not there, or shares nothing, is left out."""
    known = git.refs(repository, *refs) if refs else {}
    asked = [ref for ref in refs if ref in known]
    if not asked:
        return {}
    listed = git.answer(repository, "rev-parse", *(f"{base}...{known[ref]}" for ref in asked)).split()
    found: dict[str, str] = {}
    words = iter(listed)
    word = next(words, "")
    for ref in asked:
        next(words)  # `word` is one tip, this the other; then the merge bases, each after a `^`
        word = next(words, "")
        while word.startswith("^"):
            found.setdefault(ref, word[1:])
            word = next(words, "")
    return found


def _dirty(repository: Repository, versions: Sequence[Version], path: str) -> list[str]:
    """Refs of those whose worktree has the file otherwise than its last commit has it.

    Equal bytes are equal; whatever else looks different is asked of git, which knows of filters and sparse trees.
    """
    plain: list[Version] = []
    doubtful: list[Version] = []
    for version in versions:
        try:
            mode = os.lstat(f"{version.top}/{path}").st_mode
        except OSError:
            doubtful += [version] if version.blob else []
            continue
        (plain if stat.S_ISREG(mode) and version.blob else doubtful).append(version)
    if plain:
        files = [f"{version.top}/{path}" for version in plain]
        hashed = git.ask(repository, "hash-object", "--no-filters", "--", *files)
        oids = hashed.stdout.split() if hashed.status == 0 else [""] * len(plain)
        doubtful += [version for version, oid in zip(plain, oids, strict=True) if oid != version.blob]
    jobs = [_status_of(version.top or "", path) for version in doubtful]
    told = process.run_many(jobs, at_once=os.cpu_count() or 2)
    return [version.ref for version, result in zip(doubtful, told, strict=True) if result.stdout]


def _status_of(top: str, path: str) -> process.Job:
    private = git.private_dir(top) or ""
    args = ("status", "--porcelain=v2", "-z", "--no-renames", "--untracked-files=all", "--", path)
    argv = (git_program(), *PINNED, f"--git-dir={private}", f"--work-tree={top}", *args)
    return process.Job(argv, top, tuple(ENVIRONMENT.items()))


def conflict(repository: Repository, base: str, ours: Version, theirs: Version, path: str) -> bool:
    """Do the two branches, with this file as it now is in their worktrees, fail to merge at this file?

    The files alone are merged first, which is quick; only where they do not, the merge of the branches decides.
    """
    if _merge_alone(repository, ours, theirs, path):
        return False
    with merging.quarantine(repository, base) as place:
        merge = merging.merge(place, _commit(place, ours, path), _commit(place, theirs, path))
    gone = theirs.blob is None or ours.blob is None  # renamed: git names the conflict by the new path
    return not merge.clean and merge.why is None and (path in merge.paths or gone)


def _merge_alone(repository: Repository, ours: Version, theirs: Version, path: str) -> bool:
    """Do the two files as they lie in their worktrees merge, over the version where the branches parted?"""
    import tempfile

    files = [f"{version.top}/{path}" for version in (ours, theirs)]
    if not all(version.top and os.path.isfile(file) for version, file in zip((ours, theirs), files, strict=True)):
        return False
    fork = git.ask(repository, "merge-base", ours.ref, theirs.ref).stdout.strip()
    old = git.ask(repository, "cat-file", "blob", f"{fork}:{path}")
    if not fork or old.status:
        return False
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", errors="surrogateescape", newline="") as base:
        base.write(old.stdout)
        base.flush()
        merged = git.ask(repository, "merge-file", "--stdout", "--quiet", "--", files[0], base.name, files[1])
    return merged.status == 0


def _commit(place: merging.Quarantine, version: Version, path: str) -> str:
    """The branch's tip, or a make-believe commit on it with the worktree's file."""
    repository = place.repository
    tip = git.resolve(repository, version.ref) or version.ref
    if not version.dirty or version.top is None:
        return tip
    env = {**place.env, "GIT_INDEX_FILE": f"{place.folder}/one-file"}
    git.answer(repository, "read-tree", tip, env=env)
    full = f"{version.top}/{path}"
    if os.path.lexists(full):
        mode, oid = _written(place, version.top, full, path)
        git.answer(repository, "update-index", "--add", "--replace", "--cacheinfo", f"{mode},{oid},{path}", env=env)
    else:
        git.answer(repository, "update-index", "--force-remove", "--", path, env=env)
    tree = git.answer(repository, "write-tree", env=env).strip()
    return merging.commits(place, [(tree, (tip,))])[0]


def _written(place: merging.Quarantine, top: str, full: str, path: str) -> tuple[str, str]:
    """(mode, id) of a worktree's file, as `git add` would store it, in the quarantine."""
    env = {**place.env, "GIT_DIR": git.private_dir(top) or "", "GIT_WORK_TREE": top}
    if os.path.islink(full):
        target = os.readlink(full)
        return "120000", git.answer(place.repository, "hash-object", "-w", "--stdin", stdin=target, env=env).strip()
    mode = "100755" if os.access(full, os.X_OK) else "100644"
    stored = git.answer(place.repository, "hash-object", "-w", f"--path={path}", "--", full, cwd=top, env=env)
    return mode, stored.strip()
