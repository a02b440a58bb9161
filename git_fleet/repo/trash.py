"""What lies in the trash, and its deletion: the only place where something of a worktree is deleted for good."""

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple

from git_fleet.model.fleet import Repository
from git_fleet.repo import around, looking
from git_fleet.repo.git import private_dir

BESIDE = ".git-fleet-trash"
"""The trash beside a worktree that is on another device than the git directory."""
_DOOMED = "purged"
"""In a trash: what is being deleted. `undo` never looks there, so a purge that is killed leaves no half of anything."""


class Item(NamedTuple):
    """One worktree in the trash: its folder, its administrative entry, or both; and where it was, if that is known."""

    operation: int
    number: int
    folder: str | None
    entry: str | None
    path: str | None

    @property
    def place(self) -> str:
        """Where it is: the folder, or the entry if there is nothing else."""
        return self.folder or self.entry or ""


def items(repository: Repository, parents: Iterable[str]) -> list[Item]:
    """All of this repository's; `parents` are folders in which worktrees are or were."""
    own = f"{repository.fleet_dir}/trash"
    found: dict[tuple[int, int], Item] = {}
    for trash in (own, *(f"{parent}/{BESIDE}" for parent in dict.fromkeys(parents))):
        for operation, name in _numbered(trash):
            place, number = f"{trash}/{operation}/{name}", int(name.removesuffix("-entry"))
            if trash != own and not _is_ours(repository, place):
                continue
            item = found.get((operation, number)) or Item(operation, number, None, None, None)
            if name.endswith("-entry"):
                found[operation, number] = item._replace(entry=place, path=_path_of(place))
            else:
                found[operation, number] = item._replace(folder=place)
    return list(found.values())


def _numbered(trash: str) -> Iterator[tuple[int, str]]:
    for operation in _listed(trash):
        for name in _listed(f"{trash}/{operation}") if operation.isdigit() else ():
            if name.removesuffix("-entry").isdigit():
                yield int(operation), name


def _listed(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _is_ours(repository: Repository, folder: str) -> bool:
    """The trash beside a worktree may be shared with other repositories."""
    return (private_dir(folder) or "").startswith(f"{repository.common_dir}/worktrees/")


def _path_of(entry: str) -> str | None:
    try:
        with open(f"{entry}/gitdir", encoding="utf-8", errors="surrogateescape") as file:
            link = file.read().removesuffix("\n")
    except OSError:
        return None
    return link.removesuffix("/.git") if os.path.isabs(link) else None


def why_kept(repository: Repository, item: Item) -> str | None:
    """Why it must not be deleted, if anything in it is nowhere else, or nobody can tell. Links are not followed."""
    seen = looking.below(item.folder) if item.folder else looking.Below()
    closed = [*seen.unreadable, *(looking.below(item.entry).unreadable if item.entry else ())]
    if closed:
        return f"cannot be read: {closed[0]}; chmod u+rwx it, look, then purge again"
    nested = [*_strangers(item, item.folder, seen), *_bare(repository, item, item.folder, seen)] if item.folder else ()
    if nested:
        return f"a repository is in it: {nested[0]}"
    unpushed = [one for one in looking.nested_git_dirs(f"{item.entry}/modules") if looking.has_unpushed(one)]
    if item.entry and unpushed:
        return f"a submodule has commits that are on no remote: {unpushed[0]}"
    mounts = around.mounts_in(item.place)
    return f"something is mounted in it: {mounts[0]}" if mounts else None


def _strangers(item: Item, top: str, seen: looking.Below) -> Iterator[str]:
    """Repositories among what was seen but submodules, whose repositories lie in the entry."""
    for place in seen.repositories:
        if _is_submodule(item, top, place):
            yield from _strangers(item, top, looking.below(place))
        else:
            yield place


def _bare(repository: Repository, item: Item, top: str, seen: looking.Below) -> Iterator[str]:
    """Bare repositories among what was seen, but those that are committed as files, as tests have them."""
    heads = {f"{os.path.relpath(place, top)}/HEAD": place for place in seen.bare}
    committed = looking.tracked(repository, f"{item.entry}/index", top, list(heads))
    yield from (place for head, place in heads.items() if head not in committed)


def _is_submodule(item: Item, folder: str, place: str) -> bool:
    if item.path is None or os.path.isdir(f"{place}/.git"):
        return False
    modules = f"{private_dir(folder)}/modules/"
    git_dir = private_dir(place, item.path + place.removeprefix(folder)) or ""
    return git_dir.startswith(modules) and os.path.isdir(f"{item.entry}/modules/{git_dir.removeprefix(modules)}")


def size(item: Item) -> int:
    """Bytes of all files in it, as far as one may look."""
    total = 0
    for place in (item.folder, item.entry):
        for folder, _, names in os.walk(place) if place else ():
            for name in names:
                with suppress(OSError):
                    total += os.lstat(os.path.join(folder, name)).st_size
    return total


def delete(repository: Repository, item: Item) -> str | None:
    """Delete it for good; None, or what could not be deleted and why."""
    why = None
    for place in filter(None, (item.folder, item.entry)):
        try:
            doomed = take_out(repository, place)
        except OSError as error:
            why = why or f"'{place}' cannot be moved: {error.strerror}"
            continue
        why = why or _delete_tree(doomed)
        leave(doomed)
        leave(place)
    return why


def leave(place: str) -> None:
    """Take away the folders of a trash in which nothing is left, after what was at `place`."""
    operation = os.path.dirname(place)
    _remove_empty(operation, os.path.dirname(operation))


def take_out(repository: Repository, place: str) -> str:
    """The first step of a deletion: where it is now. Raises OSError."""
    trash, operation, name = place.rsplit("/", 2)
    doomed = f"{trash}/{_DOOMED}/{operation}-{name}-{_mark(repository)}"
    os.makedirs(os.path.dirname(doomed), exist_ok=True)
    os.rename(place, doomed)
    return doomed


def finish(repository: Repository, parents: Iterable[str]) -> None:
    """Delete what a purge that was killed had begun with."""
    for trash in (f"{repository.fleet_dir}/trash", *(f"{parent}/{BESIDE}" for parent in dict.fromkeys(parents))):
        for name in _listed(f"{trash}/{_DOOMED}"):
            if name.endswith(_mark(repository)):
                _delete_tree(f"{trash}/{_DOOMED}/{name}")
        _remove_empty(f"{trash}/{_DOOMED}", trash)


def _mark(repository: Repository) -> str:
    """What tells our doomed folders from those of another repository in a trash that both use."""
    import hashlib

    return hashlib.sha256(repository.common_dir.encode("utf-8", "surrogateescape")).hexdigest()[:12]


def _remove_empty(*folders: str) -> None:
    for folder in folders:
        with suppress(OSError):
            os.rmdir(folder)


def _delete_tree(place: str) -> str | None:
    """Delete a folder, also what was made read-only in it; the first failure in words."""
    import shutil

    failures: list[str] = []

    def failed(remove: Callable[[str], object], path: str, error: tuple[type, BaseException, object]) -> None:
        folder = os.path.dirname(path)
        try:
            if remove not in (os.unlink, os.rmdir):  # nobody could look into it: whatever it holds stays
                raise error[1]
            os.chmod(folder, os.lstat(folder).st_mode | stat.S_IRWXU)
            remove(path)
        except OSError as again:
            failures.append(f"'{path}' cannot be deleted: {again.strerror}")

    shutil.rmtree(place, onerror=failed)
    return failures[0] if failures else None
