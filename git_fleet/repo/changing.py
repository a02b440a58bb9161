"""git's command line, told to change things: refs by compare-and-swap, commits, checkouts, lanes.

Here the user's configuration counts (signing, hooks, identity); only what must be durable or quiet is pinned. Children
that write inherit the descriptor of the lock that they write under.
"""

import os
import shlex
import time
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from git_fleet.model.errors import BrokenOff, Busy, Fatal, GitError, LockedOut, Moved, Refused, ending
from git_fleet.model.fleet import Repository
from git_fleet.repo import git, process
from git_fleet.repo.location import git_program, version

DURABLE = ("-c", "core.fsync=objects,reference")
"""git does not sync refs by default: a landing could vanish at power loss."""
_WRITES_REFLOGS = (2, 51)
_TABLES = "reftable/tables.list"
"""The one file that every change of a reftable replaces."""
_HERE = ("--git-dir=.git", "--work-tree=.")
"""In the child's own folder: one that lost its `.git` must not be taken for a part of what is around it."""
_SWITCH = ("read-tree", "-m", "-u", "--no-recurse-submodules")
"""From one tree to another, in index and files. What is checked out in a submodule is its user's, as for merge."""


class RefUpdate(NamedTuple):
    """Move `ref` from `old` to `new`; None is absent."""

    ref: str
    old: str | None
    new: str | None


_tell = partial(git.ask, pinned=DURABLE)


def _must(result: process.Result, *args: str) -> str:
    if result.status:
        raise GitError(args, result.status, result.stderr)
    return result.stdout


def update_refs(
    repository: Repository, updates: Sequence[RefUpdate], message: str, inherit: Sequence[int] = ()
) -> None:
    """Move all refs or none, each only from the value it is believed to have. Raises Moved when one has another.

    One that is symbolic is changed itself: what it names is another's.
    """
    if not updates:
        return
    zero = "0" * (64 if repository.object_format == "sha256" else 40)
    lines = []
    for ref, old, new in updates:
        lines.append(f"delete {ref} {old or zero}" if new is None else f"update {ref} {new} {old or zero}")
    args = ("update-ref", "--no-deref", "-m", message, "--stdin")
    result = _tell(repository, *args, stdin="".join(f"{line}\n" for line in lines), inherit=inherit)
    if result.status == 0:
        return
    now = git.refs(repository, *(update.ref for update in updates))
    for ref, old, _ in updates:
        if now.get(ref) != old:
            raise Moved(
                f"'{ref}' moved meanwhile: it is at {now.get(ref, 'nothing')}, not at {old or 'nothing'}", ["try again"]
            )
    names = ("packed-refs", *(ref for ref, _, _ in updates))
    _refuse_locked([f"{repository.common_dir}/{name}.lock" for name in (*names, _TABLES)])
    raise GitError(args, result.status, result.stderr)


def _refuse_locked(locks: Sequence[str], busy: type[Busy] = Busy) -> None:
    """Raises `busy` where a lock of git's is in the way, by file and age; that age is no reason to break it."""
    for lock in locks:
        try:
            age = max(0, round(time.time() - os.lstat(lock).st_mtime))
        except OSError:
            continue
        raise busy(
            f"'{lock}' is in the way, {age} s old: a git is at work there, or was killed",
            ["try again when it has ended", f"where no git runs any more: rm {shlex.quote(lock)}"],
        )


def look_there(top: str) -> str:
    """The hint for whoever has to see for himself."""
    return f"look there: git -C {shlex.quote(top)} status"


def _refuse_killed(top: str, result: process.Result) -> None:
    if result.status < 0:
        what = f"git was {ending(result.status)} while it changed files in '{top}'"
        raise BrokenOff(what, ["git fleet doctor   # finds what it left"])


def _refuse_broken_off(top: str, result: process.Result) -> None:
    """What a merge finds in the way before it begins ends with 1; not so with reset."""
    if result.status > 1:
        said = " ".join(result.stderr.split())
        raise BrokenOff(f"git could not move the checkout '{top}': {said}", [look_there(top)])


def refuse_locked_index(top: str) -> None:
    """Raises Busy where a lock of git's on the index of a worktree is in the way."""
    _refuse_locked([f"{git.private_dir(top)}/index.lock"])


def refuse_locked_checkout(repository: Repository, top: str, ref: str, busy: type[Busy] = Busy) -> None:
    """Raises `busy` where a lock of git's is in the way of moving what is checked out in a worktree.

    To be asked before: git takes that of the files first and meets the others when it has written them.
    """
    private = git.private_dir(top)
    locks = [f"{private}/{name}.lock" for name in ("index", "HEAD", "ORIG_HEAD", _TABLES)]
    _refuse_locked([*locks, *(f"{repository.common_dir}/{name}.lock" for name in (ref, _TABLES))], busy)


def fast_forward(
    top: str, repository: Repository, ref: str, commit: str, action: str, inherit: Sequence[int] = ()
) -> None:
    """Move `ref`, which is checked out in `top`, and its files, to a descendant; refused if it would touch work."""
    refuse_locked_checkout(repository, top, ref)
    args = ("merge", "--ff-only", "--no-autostash", "--no-overwrite-ignore", "--no-stat", "--quiet", commit)
    result = _tell(repository, *args, cwd=top, env={"GIT_REFLOG_ACTION": action}, inherit=inherit)
    if result.status:
        _refuse_killed(top, result)
        refuse_locked_checkout(repository, top, ref, LockedOut)
        _refuse_broken_off(top, result)
        said = " ".join(result.stderr.split())
        raise Refused(f"git would not move the checkout '{top}': {said}", [look_there(top)])


def move_back(
    top: str, repository: Repository, ref: str, old: str, new: str, action: str, inherit: Sequence[int] = ()
) -> None:
    """Move what is checked out in `top` (a branch, or HEAD where there is none) from `old` to any commit, with its
    files; refused if local changes would be hit. What is staged elsewhere stays so, which `reset --keep` forgets.
    """
    refuse_locked_checkout(repository, top, ref)
    _tell(repository, "update-index", "-q", "--refresh", cwd=top, inherit=inherit)  # a time alone is no change
    result = _tell(repository, *_SWITCH, old, new, cwd=top, inherit=inherit)
    if result.status == 0:
        result = _tell(repository, "update-ref", "-m", action, ref, new, old, cwd=top, inherit=inherit)
        if result.status and git.ask(repository, "rev-parse", "--verify", ref, cwd=top).stdout.strip() == old:
            _tell(repository, *_SWITCH, new, old, cwd=top, inherit=inherit)
    if result.status:
        _refuse_killed(top, result)
        refuse_locked_checkout(repository, top, ref, LockedOut)
        said = " ".join(result.stderr.split())
        raise Refused(f"git would not move the checkout '{top}' back: {said}", [look_there(top)])


def fill(top: str, folder: int, inherit: Sequence[int] = ()) -> process.Job:
    """The job that writes the files of HEAD into a new, empty worktree, as `git worktree add` does.

    `folder` is its descriptor: it goes there, wherever its path leads by then (by its path where there is no /proc).
    git takes the path of where it is, and goes there once more. Who swaps a folder for a link in that very moment gets
    files of HEAD there; `--merge` overwrites none that is there, which `--hard` would.
    """
    args = ("-c", "checkout.workers=0", "reset", "--merge", "--quiet", "--no-recurse-submodules")
    there = f"/proc/self/fd/{folder}"
    cwd = there if os.path.isdir(there) else top
    return process.Job((git_program(), *_HERE, *args), cwd, tuple(git.ENVIRONMENT.items()), tuple(inherit))


def refresh(top: str) -> process.Job:
    """The job that notes the files' times in a worktree's index, so that later looks need not read the files."""
    return process.Job((git_program(), *_HERE, "update-index", "-q", "--refresh"), top, tuple(git.ENVIRONMENT.items()))


def run_post_checkout(repository: Repository, top: str, commit: str) -> None:
    """What `git worktree add` does at the end: the user's hook. Its failure does not undo the checkout, as in git."""
    zero = "0" * len(commit)
    _tell(repository, "hook", "run", "--ignore-missing", "post-checkout", "--", zero, commit, "1", cwd=top)


def add_worktree(repository: Repository, path: str, branch: str, inherit: Sequence[int] = ()) -> None:
    """git's own way to register a worktree without files, for repositories that libgit2 cannot open."""
    args = ("worktree", "add", "--no-checkout", "--quiet", "--", path, branch)
    _must(_tell(repository, *args, inherit=inherit), *args)


def add_lane(repository: Repository, path: str, commit: str, inherit: Sequence[int] = ()) -> None:
    """A scratch worktree, detached at a commit."""
    args = ("worktree", "add", "--detach", "--quiet", "--", path, commit)
    _must(_tell(repository, "-c", "checkout.workers=0", *args, inherit=inherit), *args)


def set_lane(repository: Repository, path: str, commit: str) -> None:
    """Bring a lane to a commit; ignored files stay, so that the next build is warm, all else is as in the commit.

    Never by moving a branch: somebody may have checked one out there.
    """
    for args in (("checkout", "--detach", "--force", "--quiet", commit), ("clean", "-ffdq")):
        _must(_tell(repository, *args, cwd=path), *args)


def remove_lane(repository: Repository, path: str, inherit: Sequence[int] = ()) -> None:
    """Remove a lane that holds nobody's work."""
    _tell(repository, "worktree", "remove", "--force", "--force", "--", path, inherit=inherit)


def start_merge(repository: Repository, lane: str, branch: str) -> bool:
    """Begin a merge in a lane with git's own markers, the other side named by its branch; True when it was clean.

    rerere may fill in what it remembers, but never stages it unseen.
    """
    args = (
        "-c",
        "rerere.autoUpdate=false",
        "merge",
        "--no-ff",
        "--no-commit",
        "--no-autostash",
        "--quiet",
        "--",
        branch,
    )
    result = _tell(repository, *args, cwd=lane)
    if result.status > 1:
        raise GitError(args, result.status, result.stderr)
    return result.status == 0


def pick(repository: Repository, lane: str, commits: Sequence[str]) -> None:
    """Cherry-pick in a lane, up to the first conflict; what becomes empty is left out, rerere stages nothing unseen."""
    _picked(repository, lane, ("cherry-pick", "--allow-empty", *commits))


def go_on_picking(repository: Repository, lane: str) -> None:
    """Commit what is staged of a cherry-pick in a lane, and pick on. Raises Refused in the words of a hook."""
    same = _tell(repository, "diff", "--cached", "--quiet", "HEAD", cwd=lane).status == 0
    _picked(repository, lane, ("cherry-pick", "--skip" if same else "--continue"))


def is_picking(lane: str) -> bool:
    """Has a cherry-pick stopped there?"""
    return git.own_names(git.private_dir(lane) or "", "CHERRY_PICK_HEAD") != []


def _picked(repository: Repository, lane: str, args: Sequence[str]) -> None:
    quiet = {"GIT_EDITOR": ":", "FLEET_LANDING": "1"}
    result = _tell(repository, "-c", "rerere.autoUpdate=false", *args, cwd=lane, env=quiet)
    while result.status and is_picking(lane):
        if _tell(repository, "diff", "--quiet", "HEAD", cwd=lane).status:
            if not git.answer(repository, "ls-files", "--unmerged", cwd=lane):
                said = result.stderr.strip() or result.stdout.strip()
                raise Refused(
                    f"what is resolved in '{lane}' could not be committed: {said}", ["git fleet land --continue"]
                )
            return
        result = _tell(repository, "cherry-pick", "--skip", cwd=lane, env=quiet)
    _must(result, *args)


def merge_in(repository: Repository, top: str, other: str, message: str, inherit: Sequence[int] = ()) -> str | None:
    """Merge into the branch of somebody's worktree, as he would; None, or why git did not finish.

    A conflict stays there for him; rerere may fill in what it remembers, but stages nothing unseen.
    """
    options = ("--no-autostash", "--no-overwrite-ignore", "--no-stat", "--quiet", "-m", message)
    return _as_author(repository, top, ("merge", *options, "--", other), inherit)


def start_rebase(repository: Repository, top: str, other: str, message: str, inherit: Sequence[int] = ()) -> str | None:
    """Rebase the branch of somebody's worktree; None, or why git did not finish. Other branches stay where they are."""
    pinned = ("-c", "rebase.updateRefs=false", "-c", "rebase.backend=merge")
    return _as_author(repository, top, (*pinned, "rebase", "--no-autostash", "--quiet", other), inherit)


def quit_rebase(repository: Repository, top: str, inherit: Sequence[int] = ()) -> None:
    """git forgets that a rebase was under way; HEAD, index and files stay as they are."""
    _must(_tell(repository, "rebase", "--quit", cwd=top, inherit=inherit), "rebase", "--quit")


def _as_author(repository: Repository, top: str, args: Sequence[str], inherit: Sequence[int]) -> str | None:
    env = {"GIT_EDITOR": ":", "GIT_SEQUENCE_EDITOR": ":"}
    result = _tell(repository, "-c", "rerere.autoUpdate=false", *args, cwd=top, env=env, inherit=inherit)
    _refuse_killed(top, result)
    return None if result.status == 0 else " ".join((result.stderr or result.stdout).split()) or "git did not say why"


def commit_lane(repository: Repository, lane: str, message: str, *, amend: bool) -> None:
    """Commit what is staged in a lane, with the user's signing and commit hooks. Raises Refused, in their words."""
    args = ("commit", "--quiet", "--cleanup=verbatim", *(("--amend",) if amend else ()), "--allow-empty", "-F", "-")
    result = _tell(repository, *args, cwd=lane, stdin=message, env={"GIT_EDITOR": ":"})
    if result.status:
        said = result.stderr.strip() or result.stdout.strip()
        raise Refused(
            f"the merge in '{lane}' could not be committed: {said}",
            [f"put right what it names in '{lane}', git add, then: git fleet land --continue"],
        )


def restore_reflog(repository: Repository, ref: str, text: str) -> None:
    """Put a branch's saved reflog back. In a reftable git can do so from 2.51 on."""
    if _in_tables(repository):
        if version() >= _WRITES_REFLOGS:
            _write_reflog(repository, ref, text)
        return
    path = f"{repository.common_dir}/logs/{ref}"
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)  # it goes with the last log, and git may write none (bare)
        with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            file.write(text)
    except OSError as error:
        raise Fatal(f"cannot write '{path}': {error.strerror}") from error


def _write_reflog(repository: Repository, ref: str, text: str) -> None:
    git.ask(repository, "reflog", "expire", "--expire=all", "--expire-unreachable=all", ref)  # fails without a log
    for line in text.split("\n")[:-1]:
        told, _, message = line.partition("\t")
        old, new, who = told.split(" ", 2)
        name, _, rest = who.rpartition(" <")
        mail, _, date = rest.partition("> ")
        person = {"GIT_COMMITTER_NAME": name, "GIT_COMMITTER_EMAIL": mail, "GIT_COMMITTER_DATE": f"@{date}"}
        git.answer(repository, "reflog", "write", ref, old, new, message, env=person)


def read_reflog(repository: Repository, ref: str) -> str | None:
    """A branch's reflog as git keeps it in a file, old entries first; None where there is none."""
    if _in_tables(repository):
        return _table_reflog(repository, ref)
    try:
        with open(
            f"{repository.common_dir}/logs/{ref}", encoding="utf-8", errors="surrogateescape", newline=""
        ) as file:
            return file.read()
    except OSError:
        return None


def _table_reflog(repository: Repository, ref: str) -> str | None:
    form = "--format=%H%x00%gn <%ge>%x00%gd%x00%gs"
    told = git.ask(repository, "log", "--walk-reflogs", "--date=raw", form, ref, "--")
    lines = []
    old = "0" * (64 if repository.object_format == "sha256" else 40)
    for line in reversed(told.stdout.split("\n")[:-1] if told.status == 0 else ()):
        new, who, at, message = line.split("\0")
        lines.append(f"{old} {new} {who} {at.rpartition('@{')[2].removesuffix('}')}\t{message}\n")
        old = new
    return "".join(lines) or None


def _in_tables(repository: Repository) -> bool:
    return os.path.isdir(f"{repository.common_dir}/reftable")
