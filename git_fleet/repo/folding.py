"""Does a file system take two names for one? Told by names that are there already: a reader writes nothing."""

import os
import unicodedata
from collections.abc import Callable, Iterable

from git_fleet.model.fleet import Repository
from git_fleet.model.plan import Folding
from git_fleet.repo import git


def look(repository: Repository, folders: Iterable[str]) -> Folding:
    """What git found when the repository was made (`core.ignoreCase`, `core.precomposeUnicode`), and what shows now in
    the repository and in these folders, or what of them there is."""
    told = dict(git.config_entries(repository, r"^core\.(ignorecase|precomposeunicode)$"))
    places = dict.fromkeys((repository.common_dir, *map(_there, folders)))
    return Folding(
        case=_true(told.get("core.ignorecase")) or any(_folds(place, str.swapcase) for place in places),
        form=_true(told.get("core.precomposeunicode")) or any(_folds(place, _other_form) for place in places),
    )


def _true(value: str | None) -> bool:
    return (value or "").lower() in ("true", "yes", "on", "1")


def _there(folder: str) -> str:
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    return folder


def _other_form(name: str) -> str:
    composed = unicodedata.normalize("NFC", name)
    return unicodedata.normalize("NFD", name) if name == composed else composed


def _folds(folder: str, other: Callable[[str], str]) -> bool:
    """Is something in the folder there under its other name too, although it is listed under one alone?"""
    try:
        names = frozenset(os.listdir(folder))
    except OSError:
        return False
    name = next((name for name in sorted(names) if other(name) not in names), None)
    return name is not None and os.path.lexists(os.path.join(folder, other(name)))
