"""What changed outside of an agent's worktree while it ran: branches, and worktrees in which no agent of ours was.

It is said, and blames nobody: a person may work there as well. Nothing is written, and nobody waits for it for long.
"""

import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NamedTuple, TypeVar

from git_fleet.journal import agents, database
from git_fleet.model.errors import FleetError
from git_fleet.model.fleet import Repository
from git_fleet.model.journal import ChangeKind, Operation
from git_fleet.operations import disturbance
from git_fleet.repo import git

T = TypeVar("T")

MOST_TREES = 10
WAIT_S = 10.0
_MOST_OPERATIONS = 200


class Before(NamedTuple):
    """How it was. `left_out`: worktrees that were not looked into."""

    state: disturbance.State
    at_s: float
    left_out: int


class _Ours(NamedTuple):
    """What agents and operations of ours may have changed since: worktrees, files, and what they made of refs."""

    worktrees: frozenset[str]
    files: frozenset[str]
    refs: Mapping[str, frozenset[str | None]]


def in_background(look: Callable[[], T]) -> Callable[[float], T | None]:
    """Call what comes back for the answer, with the seconds to wait for it; None where there is none by then."""
    found: list[T] = []

    def work() -> None:
        with suppress(FleetError, OSError, ValueError):
            found.append(look())

    thread = threading.Thread(target=work, daemon=True)
    thread.start()

    def answer(wait_s: float) -> T | None:
        thread.join(wait_s)
        return found[0] if found else None

    return answer


def look(repository: Repository, own: str) -> Before:
    """How it is now, but in the agent's own worktree and those in which another one runs. Raises FleetError."""
    now = time.time()
    busy = {own, *_ours(repository, now).worktrees}
    tops = [tree.path for tree in git.worktrees(repository) if not tree.bare and tree.path not in busy]
    return Before(disturbance.look(repository, tops[:MOST_TREES]), now, len(tops[MOST_TREES:]))


def since(repository: Repository, own: str, branch: str, before: Before) -> tuple[str, ...]:
    """A sentence for each branch and worktree but its own that changed since, and not by what is ours.

    Raises FleetError.
    """
    after = disturbance.look(repository, list(before.state.files))
    ours = _ours(repository, before.at_s)
    trees = {own, *ours.worktrees}
    theirs = {branch, *(state.heads[top] for state in (before.state, after) for top in trees if top in state.heads)}
    refs = [
        ref
        for ref, was in before.state.refs.items()
        if ref.startswith("refs/heads/") and ref not in theirs
        if not {was, after.refs.get(ref)} <= ours.refs.get(ref, frozenset())
    ]
    unknown = {top for top in after.heads if top not in after.files}
    tops = [top for top in before.state.files if top not in trees and top not in unknown]
    told = disturbance.between(*(_only(state, refs, tops, ours.files) for state in (before.state, after)))
    more = f"{before.left_out} more worktrees were not looked into"
    return (*told, more) if told and before.left_out else told


def _only(state: disturbance.State, refs: list[str], tops: list[str], but: frozenset[str]) -> disturbance.State:
    """That part of it, less the files `but`, and folders in which other worktrees are."""

    def counts(path: str) -> bool:
        return path not in but and not any(other.startswith(path) for other in state.heads)

    known = [top for top in tops if top in state.files]
    files = {
        top: {path: stamp for path, stamp in state.files[top].items() if counts(os.path.join(top, path))}
        for top in known
    }
    return disturbance.State(
        {ref: state.refs[ref] for ref in refs if ref in state.refs}, files, {top: state.heads[top] for top in known}
    )


def _ours(repository: Repository, since_s: float) -> _Ours:
    """By the journal, whatever was at work at that time or later."""
    with database.opened_to_read(repository.fleet_dir) as journal:
        known = journal.operations(_MOST_OPERATIONS) if journal else ()
        trees = agents.worktrees_since(journal, since_s) if journal else []
    done = [one for one in known if one.ended_s is None or one.ended_s >= since_s]
    changes = [change for one in done for change in one.changes]
    refs: dict[str, frozenset[str | None]] = {}
    for change in (change for change in changes if change.kind is ChangeKind.REF):
        refs[change.name] = refs.get(change.name, frozenset()) | {change.before, change.after}
    trees += [change.name for change in changes if change.kind is ChangeKind.WORKTREE]
    trees += [top for one in done for top in _synced(one)]
    # The plan's file is not in the journal when a status is written to it.
    plans = [os.path.join(repository.main, name) for name in git.config_get_all(repository, "fleet.plan")]
    files = [change.name for change in changes if change.kind is ChangeKind.FILE]
    return _Ours(frozenset(trees), frozenset((*files, *plans)), refs)


def _synced(operation: Operation) -> list[str]:
    """Worktrees in which git itself was at work for us, and may have left a conflict."""
    return [str(one["top"]) for one in json.loads(operation.detail).get("by_git", {}).values()]
