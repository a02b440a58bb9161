"""Looking into worktrees: uncommitted work, operations in progress, what else lies there. Nothing is written."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from git_fleet.model.errors import FleetError
from git_fleet.model.fleet import Dirt, Repository
from git_fleet.repo import process
from git_fleet.repo.git import ENVIRONMENT, OFFLINE, PINNED, answer, ask, own_names, private_dir
from git_fleet.repo.location import git_program

_OPERATIONS = (
    ("rebase-merge", "rebase"),
    ("rebase-apply", "rebase"),
    ("MERGE_HEAD", "merge"),
    ("CHERRY_PICK_HEAD", "cherry-pick"),
    ("REVERT_HEAD", "revert"),
    ("sequencer/todo", "cherry-pick"),  # of several commits, or a revert, where one was committed by hand
    ("BISECT_LOG", "bisect"),
)


def first_tracked(repository: Repository, top: str) -> list[str]:
    """A few of the paths that the index of the git directory itself names, were it for the folder `top`."""
    if not os.path.exists(f"{repository.common_dir}/index"):
        return []
    listed = ask(repository, f"--work-tree={top}", "ls-files", "-z", "--cached", cwd=top).stdout
    return listed.split("\0", 100)[:100][:-1]


def operation_in_progress(git_dir: str) -> str | None:
    """The unfinished operation of the worktree with this private git directory."""
    there = own_names(git_dir, *(name for name, _ in _OPERATIONS))
    return next((operation for name, operation in _OPERATIONS if name in there), None)


def index_bytes(top: str) -> int:
    """The size of a worktree's index, a measure of its number of files; 0 without one."""
    try:
        return os.path.getsize(f"{private_dir(top)}/index")
    except OSError:
        return 0


# One process a worktree, side by side: git honours fsmonitor, the untracked cache, sparse trees and filters, and costs
# less than libgit2 for large trees. Its own threads only get in each other's way then: preloadIndex off.
_STATUS = ("-c", "core.preloadIndex=false", "status", "--porcelain=v2", "-z", "--no-renames", "--no-ahead-behind")


def dirt(tops: Sequence[str], *, untracked: bool = True) -> dict[str, Dirt | None]:
    """Uncommitted work by worktree, or that in tracked files alone; None where git could not say."""
    return dirt_soon(tops, untracked=untracked)()


def dirt_soon(tops: Sequence[str], *, untracked: bool = True) -> Callable[[], dict[str, Dirt | None]]:
    """`dirt` in the background: call what comes back to wait for the answer."""
    wanted = {top: private for top in tops if (private := private_dir(top)) and os.path.isdir(private)}
    args = (*_STATUS, f"--untracked-files={'normal' if untracked else 'no'}")
    program, env = git_program(), tuple(ENVIRONMENT.items())
    # The directory is named: a worktree that lost its `.git` must not be taken for a part of the repository around it.
    jobs = [
        process.Job((program, *PINNED, f"--git-dir={private}", f"--work-tree={top}", *args), top, env)
        for top, private in wanted.items()
    ]
    wait = process.start_many(jobs, at_once=2 * (os.cpu_count() or 2))

    def answers() -> dict[str, Dirt | None]:
        found = dict(zip(wanted, wait(), strict=True))
        return {
            top: _dirt(found[top].stdout, wanted[top]) if top in found and found[top].status == 0 else None
            for top in tops
        }

    return answers


def _dirt(porcelain: str, git_dir: str | None) -> Dirt:
    """Reads `git status --porcelain=v2 -z --no-renames` (git-status(1), "Porcelain Format Version 2")."""
    staged: list[str] = []
    unstaged: list[str] = []
    others: dict[str, list[str]] = {"?": [], "!": [], "u": []}
    for record in porcelain.split("\0"):
        kind = record[:1]
        if kind == "1":
            fields = record.split(" ", 8)
            if fields[1][0] != ".":
                staged.append(fields[8])
            if fields[1][1] != ".":
                unstaged.append(fields[8])
        elif kind == "u":
            others["u"].append(record.split(" ", 10)[10])
        elif kind in ("?", "!"):
            others[kind].append(record[2:])
    operation = operation_in_progress(git_dir) if git_dir else None
    return Dirt(
        tuple(staged), tuple(unstaged), tuple(others["?"]), tuple(others["u"]), tuple(others["!"]), (), operation
    )


_SUSPICIOUS = (
    *("-c", "core.fsmonitor=false", "-c", "core.untrackedCache=false"),
    *("-c", "core.trustctime=true", "-c", "core.checkStat=default", "-c", "core.ignoreCase=false"),
)
"""Believes no monitor, no cache, no time that anybody can set, and no name but its own."""
_EVERYTHING = (
    *_SUSPICIOUS,
    *_STATUS,
    *("--untracked-files=all", "--ignored=matching"),
)
"""An ignored folder is one path, whatever is in it."""


def holdings(top: str, git_dir: str | None = None, *, submodules: bool = True) -> Dirt | None:
    """All that would be missed if the folder were gone, ignored paths included; None: git cannot say.

    Without `submodules` git does not look into them, but still at which commit each is, if it finds its repository.
    """
    private = git_dir or private_dir(top)
    if private is None:
        return None
    into = f"--ignore-submodules={'none' if submodules else 'dirty'}"
    argv = (git_program(), *PINNED, f"--git-dir={private}", f"--work-tree={top}", *_EVERYTHING, into)
    told = process.run(argv, cwd=top, env=ENVIRONMENT)
    return _dirt(told.stdout, private) if told.status == 0 else None


class Whole(NamedTuple):
    """All that would be missed of a worktree, and the repositories in it."""

    dirt: Dirt
    nested: tuple[str, ...]


def whole(repository: Repository, top: str, git_dir: str, *, submodules: bool = True) -> Whole | None:
    """`holdings`, and what `git status` keeps quiet about: hidden edits, folders that cannot be read, repositories.

    None: git cannot say. Ignored folders are not looked into.
    """
    dirt = holdings(top, git_dir, submodules=submodules)
    if dirt is None:
        return None
    seen = below(top, [path for path in dirt.ignored if path.endswith("/")])
    try:
        hidden = hidden_edits(repository, top, git_dir)
    except FleetError:
        return None
    closed = tuple(os.path.relpath(folder, top) for folder in seen.unreadable)
    return Whole(dirt._replace(hidden=hidden, unreadable=closed), seen.repositories)


def untracked_where(repository: Repository, top: str, paths: Sequence[str]) -> list[str]:
    """What git does not track, ignored or not, at the paths, above or below them: what writing them would go over.

    Only these places are looked at, however much is ignored elsewhere.
    """
    tracked = set(answer(repository, "ls-files", "-z", cwd=top).split("\0"))
    met = {place for path in paths if path not in tracked and (place := _met(top, path)) and place not in tracked}
    folders = {place for place in met if _is_folder(os.path.join(top, place))}
    listed = ("ls-files", "-z", "--others", "--directory", "--no-empty-directory", "--")
    below = answer(repository, *listed, *sorted(folders), cwd=top).split("\0")[:-1] if folders else []
    return [*sorted(met - folders), *below]


def _met(top: str, path: str) -> str | None:
    """What is there at a path, or above it where that is no folder: its path; None where there is nothing."""
    parts = path.split("/")
    for end in range(1, len(parts) + 1):
        place = "/".join(parts[:end])
        if not os.path.lexists(os.path.join(top, place)):
            return None
        if not _is_folder(os.path.join(top, place)):
            return place
    return path


def is_filled(folder: str) -> bool:
    """Is anything in this folder?"""
    return _is_folder(folder) and bool(os.listdir(folder))


def _is_folder(path: str) -> bool:
    return os.path.isdir(path) and not os.path.islink(path)


def staged_without_folder(git_dir: str) -> Dirt | None:
    """What the index of a worktree whose folder is gone holds besides what is committed; None: git cannot say."""
    if not os.path.exists(f"{git_dir}/index"):
        return Dirt(operation=operation_in_progress(git_dir))
    argv = (git_program(), *PINNED, f"--git-dir={git_dir}", "diff-index", "--cached", "--name-only", "-z", "HEAD", "--")
    told = process.run(argv, cwd=git_dir, env=ENVIRONMENT)
    if told.status:
        return None
    return Dirt(staged=tuple(told.stdout.split("\0")[:-1]), operation=operation_in_progress(git_dir))


def caches(top: str, folders: Sequence[str]) -> frozenset[str]:
    """Those of the folders (relative, with a slash at the end) that say of themselves that they are caches.

    That is the file of the Cache Directory Tagging Specification; cargo writes one into `target`, for example.
    """
    signature = b"Signature: 8a477f597d28d172789f06886806bc55"
    found = set()
    for folder in folders:
        try:
            with open(os.path.join(top, folder, "CACHEDIR.TAG"), "rb") as file:
                if folder.endswith("/") and file.read(len(signature)) == signature:
                    found.add(folder)
        except OSError:
            continue
    return frozenset(found)


def hidden_edits(repository: Repository, top: str, git_dir: str | None = None) -> tuple[str, ...]:
    """Paths whose edits `git status` does not show: assume-unchanged or skip-worktree entries that differ on disk."""
    private = git_dir or private_dir(top) or ""
    there = {"GIT_DIR": private, "GIT_WORK_TREE": top}
    listed = answer(repository, "ls-files", "-v", "-z", cwd=top, env=there).split("\0")
    flagged = [item[2:] for item in listed if item[:1].islower() or item[:1] == "S"]
    present = [path for path in flagged if os.path.lexists(os.path.join(top, path))]
    return _differing(repository, top, there, present) if present else ()


def _differing(repository: Repository, top: str, there: Mapping[str, str], paths: Sequence[str]) -> tuple[str, ...]:
    """Those of the paths whose files are not as in the index: git's own judgement, on a copy without the marks."""
    import shutil
    import tempfile

    with tempfile.TemporaryDirectory(prefix="git-fleet-") as folder:
        env = {**there, "GIT_INDEX_FILE": f"{folder}/index"}
        shutil.copy2(f"{there['GIT_DIR']}/index", env["GIT_INDEX_FILE"])  # its time tells git which entries to reread
        update = (*_SUSPICIOUS, "-c", "core.splitIndex=false", "update-index")
        for mark in ("--no-assume-unchanged", "--no-skip-worktree"):
            names = "".join(f"{path}\0" for path in paths)
            answer(repository, *update, mark, "-z", "--stdin", cwd=top, stdin=names, env=env)
        ask(repository, *update, "-q", "--refresh", cwd=top, env=env)
        args = (*_SUSPICIOUS, "diff-files", "--name-only", "-z")
        differ = set(answer(repository, *args, cwd=top, env=env).split("\0"))
    return tuple(path for path in paths if path in differ)


def commit_and_parents(repository: Repository, top: str | None, commit: str = "HEAD") -> list[str]:
    """A commit, HEAD of a worktree, and its parents."""
    return answer(repository, "rev-list", "--parents", "--max-count=1", commit, "--", cwd=top).split()


def merge_head(top: str) -> str | None:
    """The commit that is being merged in a worktree."""
    try:
        with open(f"{private_dir(top)}/MERGE_HEAD", encoding="ascii") as file:
            return file.readline().strip()
    except OSError:
        return None


def with_conflict_markers(
    repository: Repository, top: str, paths: Sequence[str], sides: Sequence[str] = ()
) -> list[str]:
    """Those of the staged paths that still hold lines of conflict markers: more of them than any of the commits `sides`
    has there, since a file may be about them."""
    staged = _marked_lines(repository, top, ("--cached",), paths)
    if not staged:
        return []
    known = [_marked_lines(repository, top, (side,), list(staged)) for side in sides]
    return [
        path
        for path, lines in staged.items()
        if any(
            count > max((side.get(path, {}).get(line, 0) for side in known), default=0) for line, count in lines.items()
        )
    ]


def _marked_lines(
    repository: Repository, top: str, where: Sequence[str], paths: Sequence[str]
) -> dict[str, dict[str, int]]:
    """path -> each line that looks like a conflict marker, and how often it is there."""
    if not paths:
        return {}
    pattern = r"^(<<<<<<<|\|\|\|\|\|\|\||>>>>>>>)( |$)"
    told = ask(repository, "grep", "-I", "--full-name", "-z", "-E", "-e", pattern, *where, "--", *paths, cwd=top).stdout
    found: dict[str, dict[str, int]] = {}
    while told:
        name, _, rest = told.partition("\0")
        line, _, told = rest.partition("\n")
        path = name if where[0].startswith("-") else name.removeprefix(f"{where[0]}:")
        lines = found.setdefault(path, {})
        lines[line] = lines.get(line, 0) + 1
    return found


def replayed(repository: Repository, top: str) -> list[str]:
    """Conflicting paths that git's rerere has filled in with an earlier resolution; not staged."""
    wanted = ask(repository, "config", "--type=bool", "--get", "rerere.enabled").stdout.strip()
    if wanted == "false" or (not wanted and not os.path.isdir(f"{repository.common_dir}/rr-cache")):
        return []
    listed = answer(repository, "diff", "--name-only", "-z", "--diff-filter=U", cwd=top).split("\0")[:-1]
    left = set(answer(repository, "rerere", "remaining", cwd=top).split("\n")) if listed else set()
    return [path for path in dict.fromkeys(listed) if path not in left]


class Below(NamedTuple):
    """What a walk through a folder came by."""

    repositories: tuple[str, ...] = ()
    """Folders that are repositories or worktrees of their own; they are not looked into."""
    unreadable: tuple[str, ...] = ()
    """Folders that one may not look into; `git status` passes over them, too, and says that all is well."""
    bare: tuple[str, ...] = ()
    """Folders that look like bare repositories."""


def below(top: str, but: Sequence[str] = ()) -> Below:
    """Walk through all folders at and below `top`. Links are not followed.

    `but`: folders (relative, with a slash at the end) that are not looked into: they may be huge.
    """
    found: list[str] = []
    closed: list[str] = []
    bare: list[str] = []
    passed = {os.path.normpath(os.path.join(top, folder)) for folder in but}
    for folder, names, files in os.walk(top, onerror=lambda error: closed.append(str(error.filename))):
        names[:] = [name for name in names if not passed or os.path.join(folder, name) not in passed]
        if folder != top and (".git" in names or ".git" in files):
            found.append(folder)
            names.clear()
        elif ".git" in names:
            names.remove(".git")
        elif "HEAD" in files and "objects" in names and "refs" in names:
            bare.append(folder)
    return Below(tuple(found), tuple(closed), tuple(bare))


def tracked(repository: Repository, index: str, top: str, paths: Sequence[str]) -> set[str]:
    """Those of the paths (relative to the folder `top`) that an index file names; none where it cannot be read."""
    if not paths or not os.path.isfile(index):
        return set()
    env = {"GIT_DIR": repository.common_dir, "GIT_INDEX_FILE": index}
    told = ask(repository, f"--work-tree={top}", "ls-files", "-z", "--cached", "--", *paths, cwd=top, env=env)
    return set(told.stdout.split("\0")[:-1])


def gitlinks(repository: Repository, top: str, git_dir: str) -> dict[str, str]:
    """The submodules that the index of a worktree names: path and commit."""
    listed = answer(repository, "ls-files", "-s", "-z", cwd=top, env={"GIT_DIR": git_dir, "GIT_WORK_TREE": top})
    links = (entry.partition("\t") for entry in listed.split("\0") if entry.startswith("160000 "))
    return {path: about.split(" ")[1] for about, _, path in links}


def nested_git_dirs(folder: str) -> list[str]:
    """Git directories at or below a folder, such as `modules` of a git directory."""
    found = []
    for place, names, files in os.walk(folder):
        if "HEAD" in files and "objects" in names:
            found.append(place)
            names[:] = [name for name in names if name == "modules"]
    return found


def has_unpushed(git_dir: str) -> bool:
    """Has the repository commits that none of its remotes has? Yes, too, where git cannot say."""
    told = _alone(git_dir, "rev-list", "--max-count=1", "--all", "HEAD", "--not", "--remotes", "--")
    return told.status != 0 or bool(told.stdout)


def head(git_dir: str) -> str | None:
    """The commit that is checked out where a git directory belongs to."""
    told = _alone(git_dir, "rev-parse", "--verify", "--quiet", "HEAD")
    return told.stdout.strip() or None


def _alone(git_dir: str, *args: str) -> process.Result:
    """Ask a repository as such: git does nothing where the folder that it names is elsewhere by now."""
    argv = (git_program(), *PINNED, f"--git-dir={git_dir}", f"--work-tree={git_dir}")
    return process.run([*argv, *args], cwd=git_dir, env={**ENVIRONMENT, **OFFLINE})
