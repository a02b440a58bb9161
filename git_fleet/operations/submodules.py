"""Submodules that are checked out in a worktree: one that holds nothing of its own goes along with it, and comes back.

git keeps their repositories in the worktree's administrative entry. In the trash the links between the two lead nowhere
until both are back; so whoever looks names both.
"""

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from git_fleet.analysis import disposable, removal
from git_fleet.model.fleet import Repository
from git_fleet.model.settings import Settings
from git_fleet.repo import git, looking


class Place(NamedTuple):
    """A worktree, of the repository itself or of a submodule: its folder now and as it was named when git made its
    links, its git directory, and what to call a path in it."""

    here: str
    path: str
    git_dir: str
    prefix: str = ""


class Seen(NamedTuple):
    """Submodules that may go along, what can be made again in them, and every reason against the others, in words."""

    clean: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


def look(repository: Repository, settings: Settings, place: Place, nested: Sequence[str]) -> Seen:
    """`nested`: the folders in it that are repositories of their own. Submodules in submodules are looked into, too.

    Raises FleetError where git cannot say.
    """
    links = looking.gitlinks(repository, place.here, place.git_dir)
    seen = Seen(reasons=tuple(_without_repository(place, links, nested)))
    for folder in nested:
        name = os.path.relpath(folder, place.here)
        git_dir = git.private_dir(folder, f"{place.path}/{name}")
        if name not in links or git_dir is None or not git_dir.startswith(f"{place.git_dir}/modules/"):
            seen = seen._replace(reasons=(*seen.reasons, f"a repository is in it: {folder}"))
            continue
        inner = Place(folder, f"{place.path}/{name}", git_dir, f"{place.prefix}{name}/")
        seen = Seen(
            *(mine + more for mine, more in zip(seen, _one(repository, settings, inner, links[name]), strict=True))
        )
    return seen


def _without_repository(place: Place, links: dict[str, str], nested: Sequence[str]) -> Iterator[str]:
    """git looks into no folder of a submodule that has no repository, whatever lies there."""
    for name in links:
        folder = f"{place.here}/{name}"
        if folder not in nested and os.path.isdir(folder) and os.listdir(folder):
            yield f"its submodule '{place.prefix}{name}' has files, but no repository"


def _one(repository: Repository, settings: Settings, place: Place, recorded: str) -> Seen:
    """A submodule, and those in it; `unpushed` asks for the commits of all of them."""
    name = place.prefix.removesuffix("/")
    whole = looking.whole(repository, place.here, place.git_dir, submodules=False)
    if whole is None:
        return Seen(reasons=(f"git cannot say what is in its submodule '{name}'",))
    dirt = whole.dirt
    work, again = disposable.split(dirt.ignored, settings.disposable, looking.caches(place.here, dirt.ignored))
    held = removal.of_dirt(dirt._replace(ignored=work))
    reasons = [f"in its submodule '{name}': {what}" for what in held]
    if looking.head(place.git_dir) != recorded:
        reasons.append(f"its submodule '{name}' is at another commit than the one recorded")
    if os.path.isdir(f"{place.git_dir}/worktrees"):
        reasons.append(f"its submodule '{name}' has worktrees of its own")
    inner = look(repository, settings, place, whole.nested)
    return Seen(
        (*(() if reasons else (name,)), *inner.clean),
        (*(f"{place.prefix}{path}" for path in again), *inner.again),
        (*reasons, *inner.reasons),
    )


def unpushed(git_dir: str) -> list[str]:
    """Repositories of submodules in an administrative entry, checked out or not, with commits that nobody else has."""
    modules = looking.nested_git_dirs(f"{git_dir}/modules")
    return [os.path.relpath(one, f"{git_dir}/modules") for one in modules if looking.has_unpushed(one)]
