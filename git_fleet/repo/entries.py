"""Reading a repository without git: administrative entries, locks, references. What git stumbles over, we must not."""

import os
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress

from git_fleet.model.care import HEAD_IN_A_TABLE, BadRef, Entry, Half, LockFile
from git_fleet.model.fleet import Repository
from git_fleet.repo import git, process, worktrees
from git_fleet.repo.git import private_dir
from git_fleet.repo.location import git_program

_STATES = (
    ("rebase", "rebase-merge", ("head-name", "onto", "orig-head")),
    ("rebase", "rebase-apply", ("head-name", "onto", "orig-head")),
    ("cherry-pick", "sequencer", ("abort-safety", "todo")),
)
"""Where git keeps the state of an operation, and what has to be there for --abort."""
_OID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def read_all(repository: Repository) -> tuple[Entry, ...]:
    """Every administrative entry, by name."""
    home = f"{repository.common_dir}/worktrees"
    names = [name for name in _listed(home) if os.path.isdir(f"{home}/{name}")]
    read = [_read(repository, f"{home}/{name}", name) for name in names]
    around = {os.path.dirname(one.folder) for one in read if one.folder}
    claimed = _claims({*around, os.path.dirname(repository.main), os.path.dirname(os.path.dirname(home))})
    return tuple(_with_claims(one, claimed) for one in read)


def _read(repository: Repository, place: str, name: str) -> Entry:
    gitdir = text(f"{place}/gitdir")
    folder = _folder(place, gitdir)
    there = folder is not None and os.path.isdir(folder)
    link = private_dir(folder) if folder and there else None
    commondir = text(f"{place}/commondir")
    entry = Entry(
        name=name,
        place=place,
        commondir=commondir,
        gitdir=gitdir,
        head=head(place),
        index_bytes=os.path.getsize(f"{place}/index") if os.path.isfile(f"{place}/index") else None,
        locked=text(f"{place}/locked"),
        folder=folder,
        folder_there=there,
        parent_there=folder is not None and os.path.isdir(os.path.dirname(folder)),
        link=os.path.realpath(link) if link else None,
        link_there=link is not None and os.path.isdir(link),
        last_commit=_last_commit(f"{place}/logs/HEAD"),
        in_tables=os.path.isdir(f"{place}/reftable"),
        astray=_astray(repository, place, commondir),
    )
    return entry._replace(
        unreadable_index=index_error(place, repository.object_format)
        if there and entry.commondir and entry.head and entry.astray is None
        else None
    )


def _astray(repository: Repository, place: str, commondir: str | None) -> str | None:
    said = (commondir or "").removesuffix("\n")
    if not said or "\0" in said:
        return None
    led = os.path.realpath(os.path.join(place, said))
    return None if led == os.path.realpath(repository.common_dir) else led


def half_written(repository: Repository) -> dict[str, str]:
    """Entries that git takes for none, since they do not say where their folder is: branch (full) to entry."""
    home = f"{repository.common_dir}/worktrees"
    places = [
        f"{home}/{name}" for name in _listed(home) if _folder(f"{home}/{name}", text(f"{home}/{name}/gitdir")) is None
    ]
    heads = ((place, text(f"{place}/HEAD") or "") for place in places)
    return {head.removeprefix("ref: ").strip(): place for place, head in heads if head.startswith("ref: ")}


def text(path: str) -> str | None:
    """What a small file says; None where it is not to be read."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
            return file.read(65536)
    except OSError:
        return None


def head(git_dir: str) -> str | None:
    """What HEAD says there, as its file would. A reftable holds HEAD, too, and the file is a dummy: git is asked."""
    said = text(f"{git_dir}/HEAD")
    if said is None or said.strip() != HEAD_IN_A_TABLE:
        return said
    argv = (git_program(), *git.PINNED, f"--git-dir={git_dir}")
    branch = process.run([*argv, "symbolic-ref", "--quiet", "HEAD"], cwd=git_dir, env=git.ENVIRONMENT)
    if branch.status == 0:
        return f"ref: {branch.stdout}"
    commit = process.run([*argv, "rev-parse", "--verify", "--quiet", "HEAD"], cwd=git_dir, env=git.ENVIRONMENT)
    return commit.stdout or said


def _folder(place: str, gitdir: str | None) -> str | None:
    said = (gitdir or "").removesuffix("\n")
    if not said.endswith("/.git") or "\0" in said:
        return None
    folder = os.path.normpath(os.path.join(place, said.removesuffix("/.git")))
    return folder if "\n" not in said or os.path.isdir(folder) else None


def _last_commit(log: str) -> str | None:
    lines = (text(log) or "").split("\n")[:-1]
    words = lines[-1].split(" ", 2) if lines else []
    return words[1] if len(words) == 3 and _OID.fullmatch(words[1]) and words[1].strip("0") else None


def index_error(git_dir: str, object_format: str) -> str | None:
    """What is wrong with an index, of git's saying or by its checksum, which git itself does not look at."""
    import hashlib

    try:
        with open(f"{git_dir}/index", "rb") as file:
            data = file.read()
    except FileNotFoundError:
        return None  # as git makes a worktree with --no-checkout
    except OSError as error:
        return str(error.strerror)
    argv = (git_program(), *git.PINNED, f"--git-dir={git_dir}", "ls-files", "-s", "-z")
    told = process.run(argv, cwd=git_dir, env=git.ENVIRONMENT)
    if told.status:
        said = told.stderr.strip().split("\n")[0].removeprefix("fatal: ").removeprefix("error: ")
        return said or "git cannot read it"
    size = 32 if object_format == "sha256" else 20
    body, checksum = data[:-size], data[-size:]
    right = not any(checksum) or hashlib.new(object_format, body).digest() == checksum  # zeros: index.skipHash
    return None if right else "its checksum is wrong: it is cut off, or was written over"


def _claims(parents: Iterable[str]) -> list[tuple[str, str]]:
    """(git directory, folder) for each folder in these whose `.git` is a link to one."""
    found = []
    for parent in sorted(parents):
        for name in _listed(parent):
            folder = f"{parent}/{name}"
            if os.path.isfile(f"{folder}/.git"):
                link = private_dir(folder)
                found += [(os.path.realpath(link), folder)] if link else []
    return found


def _with_claims(entry: Entry, claimed: list[tuple[str, str]]) -> Entry:
    """Folders that name this entry; and, of a repository that was moved, those that name it where it was."""
    claims = _claiming(entry.place, entry.folder, claimed)
    return entry._replace(claims=claims, moved_along=any((entry.place, one) not in claimed for one in claims))


def _claiming(place: str, folder: str | None, claimed: list[tuple[str, str]]) -> tuple[str, ...]:
    others = [one for one in claimed if one[1] != folder]
    tail = f"/worktrees/{os.path.basename(place)}"
    own = [claim for link, claim in others if link == place]
    return tuple(own or [claim for link, claim in others if link.endswith(tail) and not os.path.exists(link)])


def is_of(repository: Repository, git_dir: str, path: str) -> bool:
    """Is this private git directory the entry of the worktree at `path`, and not what somebody put in its `.git`?"""
    place = os.path.realpath(git_dir)
    link = (text(f"{place}/gitdir") or "").removesuffix("\n")
    ours = os.path.dirname(place) == os.path.realpath(f"{repository.common_dir}/worktrees")
    return ours and os.path.normpath(os.path.join(place, link)) == f"{path}/.git"


def moved_to(repository: Repository, path: str, beside: Iterable[str]) -> str | None:
    """Where a worktree that is gone from `path` is by now, if its folder was moved to the side of one of `beside`."""
    place = worktrees.lost_entry(repository, path)
    if place is None:
        return None
    claimed = _claims({os.path.dirname(folder) for folder in (path, repository.main, *beside)})
    return next(iter(_claiming(place, path, claimed)), None)


def _listed(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def halves(repository: Repository) -> tuple[Half, ...]:
    """What is left of operations that had hardly begun, or all but ended, and is still so a moment later."""
    homes = [(repository.common_dir, repository.main)]
    for name in _listed(f"{repository.common_dir}/worktrees"):
        place = f"{repository.common_dir}/worktrees/{name}"
        homes.append((place, _folder(place, text(f"{place}/gitdir")) or place))
    found = [half for home in homes for half in _halves(*home)]
    if found:
        time.sleep(0.5)
    return tuple(half for half in found if half in _halves(os.path.dirname(half.place), half.folder))


def _halves(git_dir: str, folder: str) -> Iterator[Half]:
    for operation, name, needed in _STATES:
        place = f"{git_dir}/{name}"
        names = tuple(_listed(place))
        if not os.path.isdir(place) or (name == "rebase-apply" and "rebasing" not in names):  # else it is `git am`
            continue
        lacks = tuple(file for file in needed if not text(f"{place}/{file}"))
        if lacks:
            autostash = (text(f"{place}/autostash") or "").strip() or None
            yield Half(operation, place, folder, lacks, names, head(git_dir), autostash)
    if text(f"{git_dir}/MERGE_HEAD") == "":
        yield Half("merge", f"{git_dir}/MERGE_HEAD", folder, ("MERGE_HEAD",), (), head(git_dir))


def lock_files(repository: Repository) -> tuple[LockFile, ...]:
    """git's locks that are there, and still there a moment later; not ours, which are never deleted."""
    found = [path for path in _locks(repository.common_dir) if os.path.exists(path)]
    if found:
        time.sleep(0.5)
    made = [(path, os.stat(path).st_mtime) for path in found if os.path.exists(path)]
    holders = _holders([path for path, _ in made])
    now = time.time()
    return tuple(LockFile(path, max(0.0, now - at), tuple(holders.get(path, ()))) for path, at in made)


def _locks(common_dir: str) -> Iterator[str]:
    homes = [common_dir, *(f"{common_dir}/worktrees/{name}" for name in _listed(f"{common_dir}/worktrees"))]
    for home in (*homes, f"{common_dir}/objects/info", *(f"{home}/reftable" for home in homes)):
        yield from (f"{home}/{name}" for name in _listed(home) if name.endswith(".lock"))
    for home in (f"{common_dir}/refs", *(f"{home}/refs" for home in homes[1:])):
        for folder, _, names in os.walk(home):
            yield from (f"{folder}/{name}" for name in names if name.endswith(".lock"))


def _holders(paths: list[str]) -> dict[str, list[str]]:
    """`1234` of each process that has one of the files open, by file."""
    found: dict[str, list[str]] = {}
    for pid in _listed("/proc") if paths else ():
        for fd in _listed(f"/proc/{pid}/fd") if pid.isdigit() else ():
            with suppress(OSError):
                target = os.readlink(f"/proc/{pid}/fd/{fd}")
                if target in paths:
                    found.setdefault(target, []).append(pid)
    return found


def bad_refs(repository: Repository) -> tuple[BadRef, ...]:
    """References whose file makes no sense, and those whose object is not there. Nothing is fetched for it."""
    said: dict[str, str] = {}
    for folder, inner, names in os.walk(f"{repository.common_dir}/refs"):
        inner[:] = [name for name in inner if not name.startswith(".")]  # git passes over such names, too
        for name in names:
            path = f"{folder}/{name}"
            content = (text(path) or "").strip()
            ref = path.removeprefix(f"{repository.common_dir}/")
            if ref != "refs/heads" and not name.startswith(".") and not name.endswith(".lock") and not _is_ref(content):
                said[ref] = f"it says '{content[:80]}'" if content else "it is empty"
    named = git.ask(repository, "for-each-ref", "--format=%(objectname) %(refname)").stdout
    refs = [(oid, ref) for oid, _, ref in (line.partition(" ") for line in named.split("\n")[:-1])]
    logged = {ref: _last_commit(f"{repository.common_dir}/logs/{ref}") for ref in (*said, *(ref for _, ref in refs))}
    there = _present(repository, [*(oid for oid, _ in refs), *filter(None, logged.values())])
    said |= {ref: f"{oid} is missing" for oid, ref in refs if oid not in there}
    lasts = {ref: last if (last := logged.get(ref)) in there else _in_its_log(repository, ref) for ref in said}
    return tuple(BadRef(ref, what, lasts[ref]) for ref, what in said.items())


def _in_its_log(repository: Repository, ref: str) -> str | None:
    """The newest commit that a reference in a reftable named and that is there. `git log` dies of one that is not."""
    if not os.path.isdir(f"{repository.common_dir}/reftable"):
        return None
    asked = "".join(f"{ref}@{{{number}}}\n" for number in range(1, 100))
    told = git.ask(repository, "cat-file", "--batch-check=%(objectname)", stdin=asked, env=git.OFFLINE).stdout
    return next((line for line in told.split("\n") if _OID.fullmatch(line)), None)


def _is_ref(content: str) -> bool:
    return content.startswith("ref: ") or _OID.fullmatch(content) is not None


def _present(repository: Repository, oids: Iterable[str]) -> set[str]:
    asked = "".join(f"{oid}\n" for oid in dict.fromkeys(oids))
    told = git.ask(repository, "cat-file", "--batch-check=%(objectname)", stdin=asked, env=git.OFFLINE).stdout
    return {line for line in told.split("\n") if _OID.fullmatch(line)}
