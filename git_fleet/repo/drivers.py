"""What decides about a merge besides its sides: configuration, attributes, merge drivers."""

import os
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from git_fleet.model.fleet import Repository
from git_fleet.repo import git, process
from git_fleet.repo.location import version

_MATTERS = r"^(merge|diff|core|filter|extensions|submodule)\."
_BUILT_IN = frozenset(("text", "binary", "union", "set", "unset", "unspecified"))
_SHELL = frozenset("\"'\\$`|&;<>()*?[]#~=%{}!\n")


class Rules(NamedTuple):
    """The configuration that merges heed, by key, and the attributes outside the tree."""

    entries: dict[str, str]
    attributes: tuple[str, ...]
    """Texts of the repository's own and the user's attribute files."""


def rules(repository: Repository) -> Rules:
    """What is configured here."""
    entries = dict(git.config_entries(repository, _MATTERS))
    home = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    users = os.path.expanduser(entries.get("core.attributesfile") or f"{home}/git/attributes")
    texts = (_text(path) for path in (f"{repository.common_dir}/info/attributes", users, "/etc/gitattributes"))
    return Rules(entries, tuple(text for text in texts if text))


def _text(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except OSError:
        return None


def scope(found: Rules) -> str:
    """A digest of the rules and of git's version: merges of the same things come out the same under the same scope."""
    import hashlib

    parts = [".".join(map(str, version())), *map("\0".join, sorted(found.entries.items()))]
    return hashlib.sha256("\n\0".join((*parts, *found.attributes)).encode("utf-8", "surrogateescape")).hexdigest()


def named_somewhere(found: Rules, top: str) -> bool:
    """Can any path have a merge driver of its own? `top` is a folder with the attribute files of the tree."""
    if "merge.default" in found.entries or any("merge=" in text for text in found.attributes):
        return True
    texts = (_text(f"{folder}/.gitattributes") for folder, _, files in os.walk(top) if ".gitattributes" in files)
    return any("merge=" in text for text in texts if text)


def of_paths(repository: Repository, paths: Iterable[str], cwd: str, env: Mapping[str, str]) -> dict[str, str]:
    """The `merge` attribute of each path: `unspecified`, `set`, `unset` or the name of a driver."""
    asked = "".join(f"{path}\0" for path in dict.fromkeys(paths))
    if not asked:
        return {}
    fields = iter(
        git.answer(repository, "check-attr", "--stdin", "-z", "merge", cwd=cwd, stdin=asked, env=env).split("\0")
    )
    return {path: value for path, _, value in zip(fields, fields, fields, strict=False)}


def why_not(found: Rules, name: str, cwd: str) -> str | None:
    """Why the driver that an attribute names cannot do its work here; None if it can, or if it is git's own."""
    if name == "unspecified":
        name = found.entries.get("merge.default", name)
    if name in _BUILT_IN:
        return None
    command = found.entries.get(f"merge.{name}.driver")
    if command is None:
        return f"the merge driver '{name}' is not installed: merge.{name}.driver is not set"
    program = command.split(maxsplit=1)[0] if command.strip() else ""
    if not program or _SHELL.intersection(program):
        return None
    there = os.access(os.path.join(cwd, program), os.X_OK) if "/" in program else process.which(program)
    return None if there else f"the merge driver '{name}' is not installed: '{program}' is not there"


def is_custom(found: Rules, name: str) -> bool:
    """Is it a program outside git, whose answers are not to be remembered?"""
    return (found.entries.get("merge.default", name) if name == "unspecified" else name) not in _BUILT_IN
