"""Worktree administration, through libgit2 (pygit2): register a worktree, move one to the trash, bring one back.

All of it happens under the worktree lock: registering races in every git and in libgit2. Files are filled in outside
the lock, by git (`changing.fill`), which honours filters and sparse checkouts.
"""

import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

from git_fleet.model.care import COMMONDIR
from git_fleet.model.errors import Fatal, Refused
from git_fleet.model.fleet import Repository
from git_fleet.repo import changing, git, links, objects, slots, trash

_TEMPORARY = "refs/heads/fleet-new-worktree"
_NOT_LIBGIT2S = r"^(extensions\.|core\.sparsecheckout|index\.sparse|worktree\.userelativepaths)"
_EMPTY = "refs/fleet/empty"
"""A commit without files; kept, so that it is made once and never dangles."""


def create(
    repository: Repository, path: str, branch: str, inherit: Sequence[int] = (), avoid: Sequence[str] = ()
) -> int:
    """Register a worktree on an existing branch; its folder holds nothing but `.git` yet.

    `avoid`: names that its entry does not get (where libgit2 makes it).

    Returns a descriptor of the folder, by which it is to be filled: its path may be made to lead elsewhere at any time.
    Raises Fatal; Refused, with nothing left, where that has happened already.
    """
    parent, name = os.path.split(path)
    os.makedirs(parent, exist_ok=True)
    holder = _without_links(parent)
    try:
        entry = _registered(repository, path, branch, inherit, avoid)
        try:
            if not _is_of(entry, path):
                raise FileNotFoundError(path)
            return _opened(holder, name, entry)
        except OSError:
            _forget(entry, path)
            raise Refused(f"'{parent}' was replaced while the worktree was made there", ["try again"]) from None
    finally:
        os.close(holder)


def _is_of(entry: str, path: str) -> bool:
    """Does an entry say that its worktree is at this path?"""
    link = (links.said(f"{entry}/gitdir") or "").removesuffix("\n")
    return os.path.normpath(os.path.join(entry, link)) == f"{path}/.git"


def _without_links(folder: str) -> int:
    """A descriptor of a folder, reached part by part and over no link. Raises Refused."""
    flags = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    here = os.open("/", flags)
    for part in folder.split("/"):
        above = here
        try:
            here = os.open(part or ".", flags, dir_fd=above)
        except OSError:
            where = os.path.realpath(folder)
            raise Refused(f"'{folder}' leads elsewhere, to '{where}'", ["look for a link on the way"]) from None
        finally:
            os.close(above)
    return here


def _opened(holder: int, name: str, entry: str) -> int:
    """The folder `name` of an open folder, if it is the worktree with this entry. Raises OSError."""
    folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=holder)
    try:
        link = os.open(".git", os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        with open(link, encoding="utf-8", errors="surrogateescape") as file:
            if os.path.basename(file.read().removesuffix("\n").rstrip("/")) != os.path.basename(entry):
                raise FileNotFoundError(name)
    except OSError:
        os.close(folder)
        raise
    return folder


def _registered(repository: Repository, path: str, branch: str, inherit: Sequence[int], avoid: Sequence[str]) -> str:
    """Register it, and say where its administrative entry is.

    libgit2 checks files out while it registers, which would take long under the lock; so it registers a temporary
    branch with an empty tree, and HEAD is then set to the real one.
    """
    if not _libgit2_opens(repository):
        changing.add_worktree(repository, path, branch, inherit)
        return os.path.normpath(git.private_dir(path) or "")
    import pygit2

    opened = pygit2.Repository(repository.common_dir)
    if _TEMPORARY in opened.references:  # only a killed run of ours leaves it, and we hold its lock
        forget_temporary(repository, inherit)
    if _EMPTY not in opened.references:
        _make_empty(repository, inherit)
    sys.audit("git_fleet.worktree", "temporary branch")
    temporary = opened.references.create(_TEMPORARY, opened.references[_EMPTY].target)
    name = _free_name(repository, os.path.basename(path), avoid)
    entry = f"{repository.common_dir}/worktrees/{name}"
    try:
        sys.audit("git_fleet.worktree", "add")
        _patiently(lambda: opened.add_worktree(name, path, temporary))
        _lead_home(entry)
        # The log tells of the temporary branch alone, the index is of the empty tree: git writes both as it fills in.
        # The index goes first: a worktree that has one and is on its branch is whole, to whom finds it after a kill.
        _unlink(f"{entry}/index")
        sys.audit("git_fleet.worktree", "set HEAD")
        _patiently(lambda: pygit2.Repository(entry).set_head(f"refs/heads/{branch}"))
        _unlink(f"{entry}/logs/HEAD")
        return entry
    except (pygit2.GitError, ValueError, OSError) as error:
        _forget(entry, path)
        raise Fatal(f"the worktree '{path}' could not be made: {error}") from error
    finally:
        forget_temporary(repository, inherit)


def _patiently(deed: Callable[[], object]) -> None:
    """libgit2 looks whether any entry has the branch, and takes one that another git just writes for a yes."""
    import pygit2

    for pause in (0.02, 0.05, 0.1, 0.2, None):
        try:
            deed()
            return
        except (pygit2.GitError, ValueError):
            if pause is None:
                raise
            time.sleep(pause)


def _lead_home(entry: str) -> None:
    """libgit2 writes where the repository is now, which is another one, or none, once this one is moved or copied."""
    with open(f"{entry}/commondir{links.DRAFT}", "w", encoding="ascii") as file:
        file.write(COMMONDIR)
    os.rename(f"{entry}/commondir{links.DRAFT}", f"{entry}/commondir")


def _make_empty(repository: Repository, inherit: Sequence[int]) -> None:
    nobody = "git fleet <git-fleet@invalid> 0 +0000"
    tree = objects.object_id(repository, "tree", b"")
    text = f"tree {tree}\nauthor {nobody}\ncommitter {nobody}\n\nempty\n".encode()
    commit = objects.put(repository, [("tree", b""), ("commit", text)], _EMPTY)
    changing.update_refs(repository, [changing.RefUpdate(_EMPTY, None, commit)], "fleet", inherit)
    objects.release(repository, _EMPTY)


def forget_temporary(repository: Repository, inherit: Sequence[int] = ()) -> None:
    """Delete the temporary branch, which a killed `create` leaves, too; the caller holds the worktree lock.

    git waits where somebody packs refs meanwhile (core.packedRefsTimeout), libgit2 does not.
    """
    left = git.refs(repository, _TEMPORARY).get(_TEMPORARY)
    if left is not None:
        changing.update_refs(repository, [changing.RefUpdate(_TEMPORARY, left, None)], "fleet", inherit)


def _unlink(path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)


def _forget(entry: str, path: str) -> None:
    """Take a half-made worktree away: its entry, which nobody else can have made meanwhile, and an empty folder."""
    import shutil

    if os.path.normpath(git.private_dir(path) or "") == entry:
        with suppress(OSError):  # the path may lead elsewhere by now
            os.unlink(f"{path}/.git")
    shutil.rmtree(entry, ignore_errors=True)
    for folder in (path, os.path.dirname(entry)):
        with suppress(OSError):
            os.rmdir(folder)


def _libgit2_opens(repository: Repository) -> bool:
    """sha256, reftable and partial clones are git's alone (libgit2 1.9)."""
    if repository.object_format != "sha1":
        return False
    extensions = {key for key, _ in git.config_entries(repository, _NOT_LIBGIT2S)}
    return not extensions - {"extensions.worktreeconfig", "extensions.preciousobjects"}


def _free_name(repository: Repository, wanted: str, avoid: Sequence[str]) -> str:
    """A name for the administrative entry, made unique as git does it."""
    taken = f"{repository.common_dir}/worktrees"
    names = (wanted, *(f"{wanted}{number}" for number in range(1, 10_000)))
    return next(name for name in names if name not in avoid and not os.path.lexists(f"{taken}/{name}"))


class Trashed(NamedTuple):
    """A worktree in the trash: where it was, where its folder is now, and its administrative entry."""

    path: str
    folder: str
    entry: str
    entry_name: str


def trash_place(repository: Repository, path: str, operation: int, number: int) -> Trashed:
    """Where the worktree `path` would go: a trash on its own device, so that going there is one rename.

    What lies there already is passed over: numbers go on from `number`. Raises Refused where there is no such place,
    or where the entry is not one of this repository's.
    """
    private = git.private_dir(path)
    if private is None or os.path.realpath(private) != os.path.realpath(lost_entry(repository, path) or ""):
        raise Refused(f"'{path}/.git' names the entry of another worktree, or none: '{private}'", ["git fleet doctor"])
    parent = os.path.dirname(path)
    device = os.stat(path, follow_symlinks=False).st_dev
    candidates = (f"{repository.fleet_dir}/trash", f"{parent}/.git-fleet-trash")
    for place, anchor in zip(candidates, (repository.common_dir, parent), strict=True):
        if os.stat(anchor).st_dev == device:
            entries = f"{repository.fleet_dir}/trash/{operation}"
            while os.path.lexists(f"{place}/{operation}/{number}") or os.path.lexists(f"{entries}/{number}-entry"):
                number += 1
            name = os.path.basename(os.path.realpath(private))
            return Trashed(path, f"{place}/{operation}/{number}", f"{entries}/{number}-entry", name)
    raise Refused(
        f"'{path}' is a mount point of its own: it cannot be moved to a trash in one step", ["unmount it first"]
    )


def is_registered(repository: Repository, path: str) -> bool:
    """Does a folder say that it is a worktree of this repository?"""
    private = git.private_dir(path)
    return private is not None and os.path.realpath(private).startswith(f"{repository.common_dir}/worktrees/")


def is_husk(path: str) -> bool:
    """Is it what is left where the maker of a worktree is killed early: a folder with nothing, or an empty `.git`?"""
    with suppress(OSError):
        return os.listdir(path) == [] or (os.listdir(path) == [".git"] and os.path.getsize(f"{path}/.git") == 0)
    return False


def remove_husk(path: str) -> None:
    """Remove such a folder; anything else stays."""
    if is_husk(path):
        with suppress(OSError):
            _unlink(f"{path}/.git")
            os.rmdir(path)


def move_folder_to_trash(trashed: Trashed) -> None:
    """Rename the folder into the trash; the entry stays, so that git can still look at it there."""
    os.makedirs(os.path.dirname(trashed.folder), exist_ok=True)
    private = git.private_dir(trashed.path)
    link = links.said(f"{trashed.path}/.git")
    if private and link and not os.path.isabs(link.removeprefix("gitdir: ")):  # it would lead nowhere from there
        _link(trashed, trashed.path, os.path.abspath(private))
    _rename(trashed.path, trashed.folder)


def move_folder_back(trashed: Trashed) -> None:
    """The reverse of `move_folder_to_trash`."""
    if os.path.lexists(trashed.path):
        raise Refused(f"'{trashed.path}' exists: what is in the trash at '{trashed.folder}' cannot go back there")
    os.makedirs(os.path.dirname(trashed.path), exist_ok=True)
    _rename(trashed.folder, trashed.path)
    private = git.private_dir(trashed.path)
    with suppress(OSError), open(f"{private}/gitdir", encoding="utf-8", errors="surrogateescape") as file:
        if private is not None and not os.path.isabs(file.read()):
            _link(trashed, trashed.path, os.path.relpath(private, trashed.path))
    trash.leave(trashed.folder)


def _link(trashed: Trashed, top: str, private: str) -> None:
    """Make the `.git` of a worktree say where its private directory is, in one step; nothing if it says so already."""
    said = f"gitdir: {private}\n".encode("utf-8", "surrogateescape")
    with open(f"{top}/.git", "rb") as file:
        if file.read() == said:
            return
    new = f"{trashed.folder}.link"
    with open(new, "wb") as file:
        file.write(said)
    os.replace(new, f"{top}/.git")


def move_entry_to_trash(repository: Repository, trashed: Trashed) -> None:
    """Take the administrative entry (index, HEAD and its reflog) along: git forgets the worktree."""
    os.makedirs(os.path.dirname(trashed.entry), exist_ok=True)
    _rename(f"{repository.common_dir}/worktrees/{trashed.entry_name}", trashed.entry)
    with suppress(OSError):
        os.rmdir(f"{repository.common_dir}/worktrees")  # as git does with the last one


def move_entry_back(repository: Repository, trashed: Trashed) -> None:
    """The reverse of `move_entry_to_trash`. Raises Refused when its name is taken, or it is in another's trash."""
    if os.path.dirname(os.path.dirname(trashed.entry)) != f"{repository.fleet_dir}/trash":
        raise Refused(f"'{trashed.entry}' is not in the trash of this repository: was it copied?", ["undo it there"])
    home = f"{repository.common_dir}/worktrees"
    target = f"{home}/{trashed.entry_name}"
    if os.path.lexists(target):
        raise Refused(f"another worktree is registered as '{trashed.entry_name}' by now")
    os.makedirs(home, exist_ok=True)
    slots.renew(repository, trashed.entry)  # before anybody sees it: another may have its slot by now
    _lead_home(trashed.entry)
    _rename(trashed.entry, target)
    trash.leave(trashed.entry)


def lost_entry(repository: Repository, path: str) -> str | None:
    """The administrative entry of the worktree that should be at `path`, whether anything is there or not."""
    home = f"{repository.common_dir}/worktrees"
    for name in sorted(os.listdir(home) if os.path.isdir(home) else ()):
        link = (links.said(f"{home}/{name}/gitdir") or "").removesuffix("\n")
        if os.path.normpath(os.path.join(home, name, link)) == f"{path}/.git":
            return f"{home}/{name}"
    return None


def move_lost_entry_to_trash(repository: Repository, path: str, operation: int, number: int) -> list[str]:
    """Take the administrative entry of a worktree whose folder is gone along: its index may hold staged work.

    The name of the entry, if there is one.
    """
    entry = lost_entry(repository, path)
    if entry is None:
        return []
    move_entry(entry, f"{repository.fleet_dir}/trash/{operation}/{number}-entry")
    return [os.path.basename(entry)]


def remove_lost_entry(repository: Repository, path: str) -> None:
    """Delete the administrative entry of a worktree that held nobody's work and is gone, also one half made."""
    import shutil

    entry = lost_entry(repository, path)
    if entry is not None:
        shutil.rmtree(entry, ignore_errors=True)
        with suppress(OSError):
            os.rmdir(os.path.dirname(entry))


def move_entry(entry: str, place: str) -> None:
    """Move an administrative entry into the trash, or back. Raises Refused where something is in the way."""
    if os.path.lexists(place):
        raise Refused(f"'{place}' exists: '{entry}' cannot go there")
    os.makedirs(os.path.dirname(place), exist_ok=True)
    _rename(entry, place)
    with suppress(OSError):
        os.rmdir(os.path.dirname(entry))  # as git does with the last one


def remove_scratch(path: str) -> None:
    """Remove a folder of nobody's, also where folders in it may not be written; what will not go stays."""
    import shutil

    with suppress(OSError):
        for folder, _, _ in os.walk(path):
            os.chmod(folder, 0o700)
    shutil.rmtree(path, ignore_errors=True)


def entry_exists(repository: Repository, name: str) -> bool:
    """Is there an administrative entry of that name?"""
    return os.path.isdir(f"{repository.common_dir}/worktrees/{name}")


def _rename(old: str, new: str) -> None:
    try:
        os.rename(old, new)
    except OSError as error:
        raise Refused(f"'{old}' could not be moved to '{new}': {error.strerror}") from error
