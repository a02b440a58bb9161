"""The plan in git's configuration: one `[fleet "<id>"]` section a task."""

import os
import re
from collections.abc import Mapping

from git_fleet.model.errors import Busy, Fatal, Refused
from git_fleet.model.fleet import Repository
from git_fleet.model.plan import Row
from git_fleet.model.settings import Settings
from git_fleet.plan.names import nothing
from git_fleet.repo import git

_SINGLE = ("title", "branch", "worktree", "status", "agent", "prompt", "checklist", "estimate", "priority")
_EXPLANATION = """\
# git fleet: one section a task, such as
#   [fleet "42"]
#       title = count
#       owns = src/count/       (repeatable: gitignore-style patterns, from the top of the tree)
#       needs = 41              (repeatable: what has to land first)
#       branch = feature/42-count
#       worktree = ../app-42-count
#       estimate = 45m
#       priority = 10
# Branch and worktree come from fleet.branch and fleet.worktree where they are missing. See: git fleet plan
"""


def rows(settings: Settings) -> tuple[Row, ...]:
    """The tasks of the configuration, in its order. Of a key that does not repeat, the last value counts."""
    return tuple(_row(id, entries) for id, entries in settings.rows)


def append(repository: Repository, row: Row) -> None:
    """Write a new section. Raises Refused where there is one with this id, Fatal for a value git cannot hold."""
    id = row.id
    values = {key: text for key in _SINGLE if (text := getattr(row, key)) is not None}
    values.setdefault("title", id)
    if any(git.config_get_all(repository, f"fleet.{id}.{key}") for key in (*_SINGLE, "owns", "needs")):
        raise Refused(f"the configuration has a task {id} already", [f"git config --get-regexp '^fleet\\.{id}\\.'"])
    for key, text in values.items():
        git.config_set(repository, f"fleet.{id}.{key}", (text,))
    for key, several in (("owns", row.owns), ("needs", row.needs)):
        if several:
            git.config_set(repository, f"fleet.{id}.{key}", several)


def set_status(repository: Repository, statuses: Mapping[str, str]) -> None:
    """Write the status of tasks by id."""
    for id, status in statuses.items():
        git.config_set(repository, f"fleet.{id}.status", (status,))


def explain(repository: Repository) -> None:
    """Say once, as a comment in the repository's configuration, how a task is written down.

    `git config` writes no comments, so this takes git's own lock on the file. Raises Busy while somebody else holds it.
    """
    path = os.path.realpath(os.path.join(repository.common_dir, "config"))
    try:
        lock = os.open(f"{path}.lock", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    except FileExistsError:
        raise Busy(f"'{path}.lock' exists: somebody else is writing the configuration") from None
    except OSError as error:
        raise Fatal(f"cannot write '{path}': {error.strerror}") from error
    try:
        with open(path, "rb") as config, os.fdopen(lock, "wb") as new:
            text = config.read()
            os.fchmod(new.fileno(), os.fstat(config.fileno()).st_mode & 0o7777)
            new.write(text + (b"" if text.endswith(b"\n") or not text else b"\n") + _EXPLANATION.encode())
            new.flush()
            os.fsync(new.fileno())
        if _EXPLANATION.encode() in text:
            os.unlink(f"{path}.lock")
        else:
            os.rename(f"{path}.lock", path)
    except BaseException:
        os.unlink(f"{path}.lock")
        raise


def _row(id: str, entries: tuple[tuple[str, str], ...]) -> Row:
    last = {key: nothing(value) for key, value in entries}
    owns = [value.strip() for key, value in entries if key == "owns" and nothing(value) is not None]
    needs = [need.removeprefix("#") for key, value in entries if key == "needs" for need in re.split(r"[,;\s]+", value)]
    return Row(
        id=id,
        owns=tuple(dict.fromkeys(owns)),
        needs=tuple(dict.fromkeys(need for need in needs if nothing(need) is not None)),
        **{key: last.get(key) for key in _SINGLE},  # type: ignore[arg-type]
    )
