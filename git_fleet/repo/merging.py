"""Merges that leave no trace: git's own three-way merge, every new object in a quarantine outside the repository.

`git merge-tree --stdin` does a batch in one process (git 2.39); it does not flush between answers, so batches go in and
no dialogue. Attributes are those of the base, as in a checkout of it.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import NamedTuple

from git_fleet.model.errors import Fatal
from git_fleet.model.fleet import Change, Lines, Repository
from git_fleet.model.sight import Notice, Stage
from git_fleet.repo import git, process
from git_fleet.repo.location import refuse_too_old

MEMORY = "/dev/shm"
"""Making thousands of small files there takes a tenth of the time that most disks take."""
MEMORY_WANTED = 512 << 20
AT_ONCE = 64
"""Fewer merges are not worth a second process."""

_MERGE_TREE = ("merge-tree", "--stdin", "-z", "--messages")
_QUICK = ("-c", "core.looseCompression=0", "-c", "core.fsync=none", "-c", "merge.conflictStyle=merge")
_OFFLINE = MappingProxyType({"GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none"})
"""No question goes to the network for what a partial clone lacks; git before 2.45 knows only the latter."""


class Merge(NamedTuple):
    """A merge of two commits: its tree (with conflict markers where it is not clean) and the conflicting paths.

    `why` says why git could not tell; such a merge is not clean. `stages` are the index entries of the conflicting
    paths, `notices` what git remarked.
    """

    clean: bool
    tree: str
    paths: tuple[str, ...] = ()
    why: str | None = None
    stages: tuple[Stage, ...] = ()
    notices: tuple[Notice, ...] = ()


class Quarantine(NamedTuple):
    """A place for objects that nobody needs to keep. Use the functions of this module with it."""

    repository: Repository
    folder: str
    env: dict[str, str]
    base: str


@contextmanager
def quarantine(
    repository: Repository, base: str, *, offline: bool = False, heavy: bool = False
) -> Iterator[Quarantine]:
    """A quarantine with the attributes of the commit `base`; gone, with all that was made in it, at the end.

    `offline` keeps git from fetching what a partial clone lacks. `heavy`: too much is to be made for memory.
    """
    import shutil
    import tempfile

    memory = None if heavy else _roomy_memory()
    folder = tempfile.mkdtemp(prefix=f"git-fleet-{os.getpid()}-", dir=memory or _usual_folder())
    if memory:
        _sweep(memory)
    try:
        os.mkdir(f"{folder}/objects")
        env = {
            "GIT_DIR": repository.common_dir,
            "GIT_WORK_TREE": f"{folder}/tree",
            "GIT_INDEX_FILE": f"{folder}/index",
            "GIT_OBJECT_DIRECTORY": f"{folder}/objects",
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": quoted(f"{repository.common_dir}/objects"),
            **(_OFFLINE if offline else {}),
        }
        yield Quarantine(repository, folder, env, base)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _usual_folder() -> str:
    """Where temporary files go. Raises Fatal where that would be the current folder, Python's last resort: it is
    somebody's worktree."""
    import tempfile

    named = [os.environ[name] for name in ("TMPDIR", "TEMP", "TMP") if os.environ.get(name)]
    try:
        folder = tempfile.gettempdir()
    except OSError:
        folder = ""
    if folder not in [os.path.abspath(place) for place in (*named, "/tmp", "/var/tmp", "/usr/tmp")]:
        raise Fatal("no folder for temporary files can be written to", ["name one that can: TMPDIR=<folder>"])
    return folder


def _roomy_memory() -> str | None:
    """A folder in memory with room enough; None (the usual temporary folder) where there is none, or one was chosen."""
    if "TMPDIR" in os.environ:
        return None
    try:
        there = os.statvfs(MEMORY)
    except OSError:
        return None
    return MEMORY if there.f_bavail * there.f_frsize > MEMORY_WANTED and os.access(MEMORY, os.W_OK) else None


def _sweep(memory: str) -> None:
    """Free the memory that a killed process of ours has left there, if that was an hour ago."""
    import re
    import shutil
    import time

    for name in os.listdir(memory):
        folder, match = f"{memory}/{name}", re.fullmatch(r"git-fleet-(\d+)-\w+", name)
        try:
            if match and os.lstat(folder).st_mtime < time.time() - 3600:
                os.kill(int(match[1]), 0)
        except ProcessLookupError:
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue


def quoted(path: str) -> str:
    """A path for GIT_ALTERNATE_OBJECT_DIRECTORIES, where `:` separates and a leading quote starts a C string."""
    if ":" not in path and not path.startswith('"'):
        return path
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"'


def top(place: Quarantine) -> str:
    """The quarantine's work tree: the base's `.gitattributes` as a checkout has them, laid out when first needed.

    They decide about drivers and line ends.
    """
    folder = f"{place.folder}/tree"
    if os.path.isdir(folder):
        return folder
    os.mkdir(folder)
    listing = git.answer(place.repository, "ls-tree", "-r", "-z", "--name-only", place.base, cwd=folder, env=place.env)
    for path in listing.split("\0") if ".gitattributes" in listing else ():
        if path == ".gitattributes" or path.endswith("/.gitattributes"):
            target = f"{folder}/{path}"
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
                file.write(answer(place, "cat-file", "blob", f"{place.base}:{path}"))
    return folder


def ask(place: Quarantine, *args: str, stdin: str = "") -> process.Result:
    """Run git in the quarantine and hand back whatever came."""
    return git.ask(place.repository, *args, cwd=top(place), stdin=stdin, env=place.env)


def answer(place: Quarantine, *args: str, stdin: str = "") -> str:
    """Standard output of a git command that must succeed, run in the quarantine. Raises GitError."""
    return git.answer(place.repository, *args, cwd=top(place), stdin=stdin, env=place.env)


def merges(place: Quarantine, pairs: Sequence[tuple[str, str]]) -> list[Merge]:
    """Merge each (ours, theirs) pair of commits, in order, in a process for each processor at most. Raises Fatal."""
    if not pairs:
        return []
    top(place)
    parts = min(os.cpu_count() or 1, max(1, len(pairs) // AT_ONCE))
    size = -(-len(pairs) // parts)
    chunks = [pairs[at : at + size] for at in range(0, len(pairs), size)]
    found = process.side_by_side([lambda chunk=chunk: _batch(place, chunk) for chunk in chunks])  # type: ignore[misc]
    return [merge for batch in found for merge in batch]


def _batch(place: Quarantine, pairs: Sequence[tuple[str, str]]) -> list[Merge]:
    """Merge each pair in one process.

    A merge that git dies of ends the batch: what follows is asked again. One that git crashes on (assertions in
    merge-ort.c of git 2.39) takes earlier answers along, too: what is left is halved until that one is alone.
    """
    merged: list[Merge] = []
    waiting = [list(pairs)]
    while waiting:
        batch = waiting.pop()
        result = ask(place, *_QUICK, *_MERGE_TREE, stdin="".join(f"{ours} {theirs}\n" for ours, theirs in batch))
        found = list(_read_merges(result.stdout))[: len(batch)]
        merged += (_under_real_names(merge, names) for merge, names in zip(found, batch, strict=False))
        rest = batch[len(found) :]
        if not rest:
            continue
        if not result.status:
            raise Fatal(f"git merge-tree answered {len(found)} of {len(batch)} merges")
        crashed = result.status < 0 or result.status == 134
        if crashed and len(rest) > 1:
            half = len(rest) // 2
            waiting += [rest[half:], rest[:half]]
        else:
            merged.append(
                Merge(False, "", why="git crashed on this merge" if crashed else _reason(place, rest[0], result))
            )
            waiting += [rest[1:]] if rest[1:] else []
    return merged


def _under_real_names(merge: Merge, commits: tuple[str, str]) -> Merge:
    """Where two things want one path, git moves one aside, to `<path>~<commit>`: both are conflicts of that path."""
    aside = [path for path in merge.paths if any(f"~{commit}" in path for commit in commits)]
    if not aside:
        return merge
    ours, theirs = commits
    return merge._replace(
        paths=tuple(sorted({path.partition(f"~{ours}")[0].partition(f"~{theirs}")[0] for path in merge.paths}))
    )


def _reason(place: Quarantine, pair: tuple[str, str], result: process.Result) -> str:
    refuse_too_old()
    if ask(place, "merge-base", *pair).status == 1:
        return "no common history"
    said = [line for line in result.stderr.splitlines() if line.strip()]
    return f"git: {said[-1].removeprefix('fatal: ').removeprefix('error: ')}" if said else "git could not merge"


def _read_merges(listed: str) -> Iterator[Merge]:
    """Reads `merge-tree --stdin -z --messages`. An answer that was cut short is left out.

    Status, tree, conflicting index entries, an empty field, remarks (how many paths, these, type, sentence), an empty
    field.
    """
    fields = iter(listed.split("\0"))
    try:
        while status := next(fields):
            tree = next(fields)
            stages = tuple(_stage(entry) for entry in iter(lambda: next(fields), ""))
            notices = []
            while (
                count := next(fields)
            ).isdigit():  # else it is empty, or advice on submodules: the end of this answer
                paths = tuple(next(fields) for _ in range(int(count)))
                notices.append(Notice(next(fields), paths))
                next(fields)
            yield Merge(
                status == "1", tree, tuple(sorted({stage.path for stage in stages})), None, stages, tuple(notices)
            )
    except (StopIteration, RuntimeError, ValueError):
        return


def _stage(entry: str) -> Stage:
    what, _, path = entry.partition("\t")
    mode, oid, number = what.split(" ")
    return Stage(path, int(number), mode, oid)


def merge(place: Quarantine, ours: str, theirs: str) -> Merge:
    """One merge."""
    return merges(place, [(ours, theirs)])[0]


def as_author(repository: Repository, top: str, other: str) -> Merge:
    """The merge of HEAD of a worktree with `other`, as `git merge` is about to write it there, with the very objects.

    Where git cannot say, its tree is empty.
    """
    told = git.ask(repository, *_MERGE_TREE, cwd=top, stdin=f"HEAD {other}\n")
    return next(_read_merges(told.stdout), Merge(False, "", why="git could not merge"))


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
    return answer(place, "hash-object", "-t", "commit", "-w", "--stdin-paths", stdin="\n".join(paths) + "\n").split()


def changes(place: Quarantine, old: str, trees: Sequence[str]) -> list[tuple[tuple[Change, ...], Lines]]:
    """What each tree changes in the tree `old`, without rename detection, and how many lines; one process for all."""
    wanted = [tree for tree in trees if tree != old]
    if not wanted:
        return [((), Lines()) for _ in trees]
    asked = "".join(f"{old} {tree}\n" for tree in dict.fromkeys(wanted))
    args = ("diff-tree", "--stdin", "-r", "-z", "--raw", "--no-renames", "--no-abbrev")
    listed = ask(place, *args, "--numstat", stdin=asked)
    # A partial clone has the trees, but not the files whose lines would be counted.
    found = _read_changes(answer(place, *args, stdin=asked) if listed.status else listed.stdout, old)
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


def changed_since(place: Quarantine, pairs: Sequence[tuple[str, str]]) -> list[tuple[str, ...]]:
    """For each (old commit, new commit) the paths that differ; nothing where git cannot say. One process for all."""
    if not pairs:
        return []
    asked = "".join(f"{new} {old}\n" for old, new in pairs)
    args = ("diff-tree", "--stdin", "-r", "-z", "--name-only", "--no-renames", "-m", "--always")
    listed = ask(place, *args, stdin=asked).stdout
    found: list[list[str]] = []
    waiting = iter([new for _, new in pairs])
    header = next(waiting, None)
    for field in listed.split("\0"):
        while header and field.startswith(header):
            field = field.removeprefix(header).lstrip("\n")
            found.append([])
            header = next(waiting, None)
        if field and found:
            found[-1].append(field)
    return [tuple(found[at]) if at < len(found) else () for at in range(len(pairs))]


def blobs(place: Quarantine, names: Sequence[str]) -> list[str | None]:
    """The contents of blobs by object name (`<tree>:<path>` too); None for what is none. One process for all."""
    found = contents(place, names, "blob")
    return [None if data is None else data.decode("utf-8", "surrogateescape") for data in found]


def contents(place: Quarantine, names: Sequence[str], kind: str) -> list[bytes | None]:
    """What the objects of this kind hold, by name; None for what is none. One process for all."""
    wanted = [name for name in names if "\n" not in name]
    asked = "".join(f"{name}\0" for name in wanted)
    listed = (
        answer(place, "cat-file", "-z", "--batch", stdin=asked).encode("utf-8", "surrogateescape") if wanted else b""
    )
    found: dict[str, bytes] = {}
    at = 0
    for name in wanted:
        end = listed.index(b"\n", at)
        words = listed[at:end].split(b" ")
        at = end + 1
        if words[-1].isdigit():
            data = listed[at : at + int(words[-1])]
            at += int(words[-1]) + 1
            if words[1] == kind.encode():
                found[name] = data
    return [found.get(name) for name in names]
