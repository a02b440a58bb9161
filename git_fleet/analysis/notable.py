"""What a branch brings that acts beyond its own files: said before it lands, for a person to look at."""

import posixpath
from collections.abc import Iterable, Mapping

from git_fleet.model.fleet import Change

LINK, SUBMODULE = "120000", "160000"


def brought(changes: Iterable[Change], targets: Mapping[str, str], plan: str | None) -> tuple[str, ...]:
    """In words. `targets`: what links lead to, by object id; `plan`: the path of the plan's own file."""
    return tuple(what for change in changes if (what := _what(change, targets, plan)))


def _what(change: Change, targets: Mapping[str, str], plan: str | None) -> str | None:
    path = change.path
    if change.new_mode == SUBMODULE != change.old_mode:
        return f"a submodule at '{path}'"
    if change.new_mode == LINK and leads_out(path, targets.get(change.new, "")):
        return f"a link '{path}' that leads out of the tree, to '{targets[change.new]}'"
    if path == plan:
        return f"another plan: '{path}'"
    if posixpath.basename(path) in (".gitmodules", ".gitattributes"):
        return f"a change of '{path}'"
    return None


def leads_out(path: str, target: str) -> bool:
    """Does a link at `path` lead to a place outside the tree it is in?"""
    end = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    return posixpath.isabs(end) or end.split("/")[0] == ".." or end.split("/")[0] == ".git"
