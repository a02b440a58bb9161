"""Landings that were killed or failed: what had landed is written down, what had not is taken away. Nothing of it is a
guess: the base moved or it did not, since it moves in one step.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from git_fleet.journal import database, locks
from git_fleet.model.errors import BrokenOff, Busy, FleetError
from git_fleet.model.events import Listener, Recovered
from git_fleet.model.fleet import Base, Landing
from git_fleet.model.journal import ChangeKind, Operation, OperationState
from git_fleet.operations import advance, lanes, push, recover, running, stops
from git_fleet.operations.context import Context
from git_fleet.repo import git, pids


def landings(context: Context, journal: database.Journal, say: Listener) -> None:
    """Put right the killed landings on this base, whose lock the caller holds."""
    for operation in recover.interrupted(context.repository, journal, ["land"]):
        detail = json.loads(operation.detail)
        if detail.get("onto") != context.base.branch:
            continue
        arrived = put_right(context, journal, operation, "killed", say)
        if arrived is None:
            say(Recovered(f"'{operation.summary}' had been killed; its conflict still waits in '{detail['lane']}'"))
            continue
        what = f"it had landed {', '.join(arrived)}" if arrived else "nothing had landed"
        what += ", and was not pushed: git fleet land --push" if arrived and push.is_owed(operation) else ""
        say(Recovered(f"'{operation.summary}' (operation {operation.id}) had been killed: {what}"))


def put_right(
    context: Context, journal: database.Journal, operation: Operation, why: str, say: Listener
) -> list[str] | None:
    """End a landing that got no further, as what it came to: the tasks that landed. None when its conflict waits."""
    detail = json.loads(operation.detail)
    _end_gates(context, operation, detail, say)
    for change in operation.changes[-1:] if why == "killed" else ():
        if change.kind is ChangeKind.REF:
            advance.settle(context.repository, change, say)
    landings = [Landing(*one) for one in detail.get("landing", ())]
    now = git.resolve(context.repository, context.base.ref) or ""
    arrived = [one for one in landings if git.is_ancestor(context.repository, one.commit, now)]
    stops.write_down(context, journal, operation.id, arrived, say)
    one = stops.read(operation)
    landed = one is not None and (
        git.is_ancestor(context.repository, one.step.tip, now)
        or any(there.task == one.step.id and there.tip == one.step.tip for there in arrived)
    )
    if one is not None and not landed and os.path.isdir(one.lane):
        journal.finish(operation.id, OperationState.STOPPED, one.step.id)
        return None
    if detail.get("lane"):
        lanes.put_away(context.repository, detail["lane"], operation.id, say)
    running.note(journal, operation.id, current=None)
    stops.close(context, journal, operation.id, why)
    return [one.task for one in arrived]


@contextmanager
def put_right_on_failure(context: Context, journal: database.Journal, number: int, say: Listener) -> Iterator[None]:
    """A landing that ends with an error is put right at once; where that fails too, the next command does it."""
    try:
        yield
    except BaseException as error:
        with suppress(FleetError, OSError):
            known = journal.operation(number)
            if known is not None and known.state is OperationState.RUNNING:
                why = "refused" if isinstance(error, FleetError) else "interrupted"
                put_right(context, journal, known, "killed" if isinstance(error, BrokenOff) else why, say)
        raise


def _end_gates(context: Context, operation: Operation, detail: dict[str, Any], say: Listener) -> None:
    """What a killed landing tested with: its gates end, its lanes go."""
    alone = [detail["gate"]] if detail.get("gate") else []  # as it was written down when there was one at a time
    noted = running.gates_of(context.repository, operation.id)
    ended = [pid for pid, known in (*alone, *noted) if pids.end_left(pid, known)]
    running.note_gates(context.repository, operation.id, [])
    if ended:
        which = "a gate" if len(ended) == 1 else f"{len(ended)} gates"
        was = "it was" if len(ended) == 1 else "they were"
        say(Recovered(f"{which} of '{operation.summary}' (operation {operation.id}) still ran: {was} ended"))
    for path in detail.get("lanes", ()):
        lanes.put_away(context.repository, path, operation.id, say)


def landings_anywhere(context: Context, journal: database.Journal, say: Listener) -> None:
    """The same on every base that nobody lands on right now. Not under the worktree lock: that one comes second."""
    repository = context.repository
    killed = recover.interrupted(repository, journal, ["land"])
    for branch in dict.fromkeys(json.loads(one.detail).get("onto") for one in killed):
        commit = git.resolve(repository, f"refs/heads/{branch}")
        if commit is None:  # no base, nothing to compare with: left as it is, and `doctor` names it
            continue
        there = context._replace(base=Base(branch, commit, git.tree_of(repository, commit)))
        try:
            with locks.hold(repository.fleet_dir, locks.base_lock(branch), wait_s=0.0):
                landings(there, journal, say)
        except Busy:
            continue
