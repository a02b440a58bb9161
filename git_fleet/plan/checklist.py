"""A task's checklist: `- [ ]` and `- [x]` items of a Markdown file, as they stand in the task's own worktree."""

import os
import re
from collections.abc import Mapping
from typing import NamedTuple

from git_fleet.model.errors import PlanError
from git_fleet.model.fleet import Repository, Worktree
from git_fleet.model.plan import Progress, Task
from git_fleet.plan import cells, files
from git_fleet.plan.legible import unfit
from git_fleet.plan.rows import lines

_MOST_BYTES = 1024 * 1024
_MOST_PATHS = 1000
_ITEM = re.compile(r"[ \t]*(?:>[ \t]*)?(?:[-*+]|\d{1,9}[.)])[ \t]+\[(?P<mark>[ xX])\][ \t]+(?P<text>\S.*)")
_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})")
_PATH = re.compile(
    r"(?!-)(?:[\w.@+*?-]+/)*(?:[\w.@+*?-]*[\w*]\.[A-Za-z][\w]*|[\w.@+*?-]+/)|(?:[\w.@+*?-]+/)+[\w.@+*?-]+"
)


class Checklist(NamedTuple):
    """How far it is, and the paths that its items name."""

    progress: Progress
    paths: tuple[str, ...]


def with_checklist(task: Task, repository: Repository, by_branch: Mapping[str, Worktree]) -> Task:
    """The task with its progress and, where it owns nothing, the paths that the items name.

    A checklist that is not there, or not to be trusted, leaves the task as it was: progress unknown.
    """
    if task.checklist is None:
        return task
    tree = by_branch.get(task.ref)
    places = [tree.path if tree else task.worktree, repository.main]
    found = next((found for place in places if (found := _read(place, task.checklist))), None)
    if found is None:
        return task
    return task._replace(progress=found.progress, owns=task.owns or found.paths)


def parsed(text: str) -> Checklist:
    """The items of a text; what stands in fenced code is none."""
    done = total = 0
    paths: dict[str, None] = {}
    fence = ""
    for line in lines(text):
        mark = _FENCE.match(line.text)
        if mark and (not fence or mark[1].startswith(fence)):
            fence = "" if fence else mark[1]
            continue
        item = None if fence else _ITEM.fullmatch(line.text)
        if item is None:
            continue
        total += 1
        done += item["mark"] != " "
        paths |= dict.fromkeys(_paths(item["text"]))
    return Checklist(Progress(done, total), tuple(paths)[:_MOST_PATHS])


def _paths(item: str) -> list[str]:
    """The code spans of an item that look like paths; without a code span, its words that do."""
    cell = cells.parse(item)
    words = [cell.held[number] for number in cell.codes] or [word.strip(".,;:") for word in cell.text.split()]
    return [word for word in words if looks_like_path(word)]


def looks_like_path(word: str) -> bool:
    """`cli.py`, `src/auth/`, `docs/*.md`; no option, no address, nothing that leaves the tree or is hard to see."""
    inside = not word.startswith(("/", "~")) and ".." not in word.split("/") and ".git" not in word.split("/")
    return inside and unfit(word) is None and _PATH.fullmatch(word) is not None


def inside(place: str, name: str) -> str | None:
    """The path of `name` below a folder; None where it leads out of it, or into a git directory."""
    path = os.path.normpath(os.path.join(place, name))
    root = os.path.realpath(place)
    if os.path.isabs(name) or not os.path.realpath(path).startswith(f"{root}/") or ".git" in name.split("/"):
        return None
    return path


def _read(place: str, name: str) -> Checklist | None:
    """The checklist `name` below a worktree; None where there is none that is a plain file inside it."""
    path = inside(place, name)
    if path is None:
        return None
    try:
        data = files.read(path)
    except PlanError:
        return None
    return parsed(data.decode("utf-8", "replace")) if len(data) <= _MOST_BYTES else None
