"""The Status cells that fleet itself wrote into a plan file are nobody's work: they step aside while the base moves."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import NamedTuple

from git_fleet.model.errors import BrokenOff, FleetError
from git_fleet.model.fleet import Worktree
from git_fleet.model.plan import SourceKind
from git_fleet.operations import advance
from git_fleet.operations.context import Context
from git_fleet.plan import files, markdown
from git_fleet.repo import compare, git, looking

_SAME = "x" * 200
"""Wider than any cell's padding, so that two tables that differ in Status alone come out equal."""


class Own(NamedTuple):
    """A plan file that differs from what is committed in Status cells alone, and what those say."""

    path: str
    name: str
    """Relative to the top of its worktree."""
    says: dict[str, str]
    now: bytes
    committed: bytes
    """As a checkout would write it."""


def own(context: Context, tree: Worktree | None, touched: Sequence[str]) -> Own | None:
    """The plan file in this checkout, where a move that touches these paths would meet only Status cells. Read-only."""
    path = context.plan.source.path
    if tree is None or path is None or context.plan.source.kind is not SourceKind.MARKDOWN:
        return None
    name = os.path.relpath(path, tree.path)
    if name not in touched or os.path.islink(path):
        return None
    dirt = looking.dirt([tree.path])[tree.path]
    if dirt is None or name not in dirt.unstaged or name in (*dirt.staged, *dirt.unmerged):
        return None
    committed = git.ask(context.repository, "cat-file", "--filters", f"HEAD:{name}", cwd=tree.path)
    if committed.status:
        return None
    with tempfile.TemporaryDirectory(prefix="git-fleet-") as folder, suppress(FleetError):
        then_is, now_is = committed.stdout.encode("utf-8", "surrogateescape"), files.read(path)
        then, now = f"{folder}/then.md", f"{folder}/now.md"
        for copy, data in ((then, then_is), (now, now_is)):
            with open(copy, "wb") as file:
                file.write(data)
        before = {row.id: row.status for row in markdown.read(then)}
        after = {row.id: row.status for row in markdown.read(now)}
        for copy in (then, now):
            markdown.set_status(copy, dict.fromkeys(before, _SAME))
        if files.read(then) == files.read(now):
            says = {id: status or "" for id, status in after.items() if status != before.get(id)}
            return Own(path, name, says, now_is, then_is)
    return None


def refuse_if_in_the_way(
    context: Context,
    tree: Worktree | None,
    touched: Sequence[str],
    submodules: compare.Submodules = compare.NO_SUBMODULES,
) -> None:
    """Raises Refused as `advance.refuse_if_in_the_way`, but not for such cells."""
    mine = own(context, tree, touched)
    advance.refuse_if_in_the_way(context.repository, tree, touched, mine.name if mine else None, submodules)


@contextmanager
def aside(context: Context, tree: Worktree | None, touched: Sequence[str]) -> Iterator[None]:
    """Set such cells aside, and write them again into what is there then. A kill in between costs only them: git's own
    checkout could leave half of the file.

    So does a git that broke off: the file may be in the middle of its move then, and whoever puts that back must find
    nothing else in it.
    """
    mine = own(context, tree, touched)
    if mine is None or tree is None:
        yield
        return
    files.write(mine.path, mine.committed, expected=mine.now)
    try:
        yield
    except BrokenOff:
        raise
    except BaseException:
        _say_again(mine)
        raise
    _say_again(mine)


def _say_again(mine: Own) -> None:
    with suppress(FleetError):
        there = {row.id for row in markdown.read(mine.path)}
        markdown.set_status(mine.path, {id: status for id, status in mine.says.items() if id in there})
