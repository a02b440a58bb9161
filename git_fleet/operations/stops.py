"""A landing that stopped for a human, as the journal keeps it: its lane, what is being merged there, what is left."""

import json
import os
from collections.abc import Sequence
from typing import NamedTuple

from git_fleet.journal import database
from git_fleet.model.errors import Refused, Stopped
from git_fleet.model.events import Listener
from git_fleet.model.fleet import Landing, Repository
from git_fleet.model.journal import ChangeKind, Operation, OperationState, RecordedChange
from git_fleet.model.landing import Action, Ending, LandOutcome, Step, merge_message
from git_fleet.operations import lanes, running
from git_fleet.operations.context import Context, write_status
from git_fleet.operations.prepare import outcome
from git_fleet.repo import changing, git, looking


class Waiting(NamedTuple):
    """A conflict that waits in a lane: of the branch at `tip`, merged onto `line`, which is where the base was."""

    operation: int
    onto: str
    gates: bool
    line: str
    lane: str
    step: Step
    rest: tuple[str, ...]


def read(operation: Operation) -> Waiting | None:
    """The conflict that an operation waits with; None when it has none."""
    detail = json.loads(operation.detail)
    if not detail.get("current"):
        return None
    current = detail["current"]
    step = Step(**{**current, "action": Action(current["action"]), "conflicts": tuple(current["conflicts"])})
    rest = tuple(detail["rest"])
    return Waiting(operation.id, detail["onto"], detail["gates"], detail["line"], detail["lane"], step, rest)


def waiting(journal: database.Journal, onto: str) -> Waiting | None:
    """The conflict that waits on this base."""
    found = (read(operation) for operation in journal.operations(states=[OperationState.STOPPED]))
    return next((one for one in found if one and one.onto == onto), None)


def still_waiting(one: Waiting) -> Stopped:
    """The error for whoever begins something else meanwhile."""
    return Stopped(
        f"a landing waits for you: {one.step.id} conflicts in {', '.join(one.step.conflicts)}",
        [
            f"resolve it in '{one.lane}', git add, then: git fleet land --continue",
            "or leave it out: git fleet land --skip; or end the landing: git fleet land --abort",
        ],
    )


def lay_out_or_finish(
    context: Context,
    journal: database.Journal,
    operation: int,
    landed: Sequence[Step],
    rest: Sequence[Step],
    *,
    gates: bool,
) -> LandOutcome:
    """Put the first conflict into a lane, for a human; without one the landing is done."""
    repository, base = context.repository, context.base
    line = landed[-1].commit if landed else base.commit
    assert line is not None
    steps = (*landed, *rest)
    stop = next((step for step in rest if step.action is Action.STOP), None)
    if stop is None:
        close(context, journal, operation)
        return outcome(Ending.LANDED, context, steps, line)._replace(operation=operation)
    later = [step.id for step in rest if step is not stop and step.action in (Action.STOP, Action.PARK)]
    lane = lanes.open_at(repository, journal, operation, line)
    running.note(journal, operation, line=line, current=stop._asdict(), rest=later)
    _start_merge(repository, lane, stop)
    _settle(context, journal, operation)
    journal.finish(operation, OperationState.STOPPED)
    return outcome(Ending.STOPPED, context, steps, line if landed else None)._replace(operation=operation, lane=lane)


def _start_merge(repository: Repository, lane: str, stop: Step) -> None:
    """git's own markers, naming the side by its branch; by its id only where the name means something else by now."""
    changing.start_merge(repository, lane, stop.branch)
    if looking.merge_head(lane) != stop.tip:
        changing.set_lane(repository, lane, "HEAD")
        changing.start_merge(repository, lane, stop.tip)


def write_down(
    context: Context, journal: database.Journal, operation: int, landings: Sequence[Landing], say: Listener
) -> None:
    """What has landed: in the journal, and in the plan's Status cells."""
    journal.record_landings(operation, landings)
    write_status(context, dict.fromkeys((landing.task for landing in landings), "landed"), say)


def close(context: Context, journal: database.Journal, operation: int) -> bool:
    """End a landing as what it was: done if the base moved, else failed. Was anything landed?"""
    done = _settle(context, journal, operation)
    journal.finish(operation, OperationState.DONE if done else OperationState.FAILED)
    return done


def _settle(context: Context, journal: database.Journal, operation: int) -> bool:
    """Keep, of all intended moves of the base, the one move that they came to."""
    repository, ref = context.repository, context.base.ref
    now = git.resolve(repository, ref)
    known = journal.operation(operation)
    moves = [
        change
        for change in (known.changes if known else ())
        if now and change.before and change.after and git.is_ancestor(repository, change.after, now)
    ]
    net = [RecordedChange(ChangeKind.REF, ref, moves[0].before, moves[-1].after)] if moves else []
    journal.rewrite(operation, net)
    return bool(net)


def resolved(repository: Repository, one: Waiting, base_branch: str) -> Step:
    """The merge that was resolved in the lane, committed there. Raises Refused with what is missing."""
    lane = one.lane
    if not os.path.isdir(lane):
        raise Refused(f"the lane '{lane}' is gone", ["git fleet land --abort, then git fleet land"])
    dirt = looking.dirt([lane])[lane]
    if dirt is None:
        raise Refused(f"git cannot read the lane '{lane}'", ["git fleet land --abort, then git fleet land"])
    if dirt.unmerged or dirt.unstaged:
        which = ", ".join(dirt.unmerged or dirt.unstaged)
        raise Refused(f"not resolved and added yet in '{lane}': {which}", ["resolve, then git add, then continue"])
    marked = looking.with_conflict_markers(repository, lane, one.step.conflicts)
    if marked:
        raise Refused(f"conflict markers are left in '{lane}': {', '.join(marked)}", ["edit, git add, then continue"])
    message = merge_message(one.step.branch, one.step.id, base_branch, one.step.agent)
    head, *parents = looking.commit_and_parents(repository, lane)
    if head == one.line and looking.merge_head(lane) == one.step.tip:
        changing.commit_lane(repository, lane, message, amend=False)
    elif parents != [one.line, one.step.tip]:
        raise Refused(
            f"'{lane}' no longer holds the merge of {one.step.id}", ["git fleet land --abort, then git fleet land"]
        )
    elif dirt.staged:
        changing.commit_lane(repository, lane, message, amend=True)
    commit = looking.commit_and_parents(repository, lane)[0]
    reason = "resolved by hand"
    return one.step._replace(action=Action.LAND, reason=reason, commit=commit, tree=git.tree_of(repository, commit))
