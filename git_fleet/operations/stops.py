"""A landing that stopped for a human, as the journal keeps it: its lane, what is being merged there, what is left."""

import json
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

from git_fleet.journal import database
from git_fleet.model.errors import Refused, Stopped
from git_fleet.model.events import Listener, Note
from git_fleet.model.fleet import Base, Landing, Repository
from git_fleet.model.journal import ChangeKind, Operation, OperationState, RecordedChange
from git_fleet.model.landing import Action, Ending, LandOutcome, Request, Step
from git_fleet.operations import build, lanes, replay, running
from git_fleet.operations.context import Context, is_base, write_status
from git_fleet.operations.prepare import outcome
from git_fleet.operations.run import Run
from git_fleet.repo import changing, git, looking, merging, objects
from git_fleet.repo.objects import Made


class Waiting(NamedTuple):
    """A conflict that waits in a lane: of the branch at `tip`, merged onto `line`, which is where the base was."""

    operation: int
    onto: str
    request: Request
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
    said: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in detail["request"].items()
    }
    request = Request(**{key: value for key, value in said.items() if key in Request._fields})
    return Waiting(operation.id, detail["onto"], request, detail["line"], detail["lane"], step, rest)


def waiting(journal: database.Journal, onto: str) -> Waiting | None:
    """The conflict that waits on this base."""
    found = (read(operation) for operation in journal.operations(states=[OperationState.STOPPED]))
    return next((one for one in found if one and one.onto == onto), None)


def still_waiting(one: Waiting) -> Stopped:
    """The error for whoever begins something else meanwhile."""
    return Stopped(
        f"a landing waits for you: task {one.step.id} conflicts in {', '.join(one.step.conflicts)}",
        [
            f"resolve it in '{one.lane}', git add, then: git fleet land --continue",
            f"or hand it back to its branch: git fleet sync {one.step.id}; or put it behind the others: --park",
            "or leave it out: git fleet land --skip; or end the landing: git fleet land --abort",
        ],
    )


def lay_out_or_finish(run: Run, landed: Sequence[Step], rest: Sequence[Step]) -> LandOutcome:
    """Put the first conflict into a lane, for a human; without one the landing is done."""
    context, journal, operation = run.context, run.journal, run.operation
    repository, base = context.repository, context.base
    line = landed[-1].commit if landed else base.commit
    assert line is not None
    steps = (*landed, *rest)
    stop = next((step for step in rest if step.action is Action.STOP), None)
    red = [step for step in rest if step.gate == "failed"]
    if stop is None:
        close(context, journal, operation, "gate failed" if red else "")
        end = outcome(Ending.GATE_FAILED if red else Ending.LANDED, context, steps, line if landed or not red else None)
        return end._replace(operation=operation)
    waits = (Action.STOP, Action.PARK)
    later = [step.id for step in rest if step is not stop and step.action in waits and step not in red]
    lane = lanes.open_at(repository, journal, operation, line, run.say)
    if context.settings.strategy == "rebase":
        replay.start(repository, journal, lane, stop, line)
    else:
        _start_merge(repository, lane, stop)
    running.note(journal, operation, line=line, current=stop._asdict(), rest=later)  # what waits is whole
    replayed = looking.replayed(repository, lane)
    if replayed:
        run.say(Note(f"rerere has filled in an earlier resolution, look before you add: {', '.join(replayed)}"))
    _settle(context, journal, operation)
    journal.finish(operation, OperationState.STOPPED, stop.id)
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
    """What has landed: in the journal and, where it is the fleet's own base, in the plan's Status cells."""
    journal.record_landings(operation, landings)
    if landings and is_base(context, context.base.branch):
        planned = {task.id for task in context.plan.tasks}
        write_status(context, {landing.task: "landed" for landing in landings if landing.task in planned}, say)


def close(context: Context, journal: database.Journal, operation: int, why: str = "") -> bool:
    """End a landing as what it was: done if the base moved, else failed. Was anything landed?

    The summary then says what landed and, with `why`, what became of the rest.
    """
    done = _settle(context, journal, operation)
    known = journal.operation(operation)
    landed = [landing.task for landing in journal.landings_of(operation)] if done else []
    meant = known.summary.removeprefix("land ").split(", ") if known else []
    rest = [id for id in meant if id not in landed]
    if known is not None and rest and (landed or why):
        told = ([f"land {', '.join(landed)}"] if landed else []) + [f"{why or 'not landed'}: {', '.join(rest)}"]
        journal.describe(operation, summary="; ".join(told) if landed else f"{known.summary}; {why}")
    journal.finish(operation, OperationState.DONE if done else OperationState.FAILED)
    return done


def _settle(context: Context, journal: database.Journal, operation: int) -> bool:
    """Keep, of all intended moves of the base, the one move that they came to (more where others moved it between)."""
    repository, ref = context.repository, context.base.ref
    now = git.resolve(repository, ref)
    known = journal.operation(operation)
    moves = [
        change
        for change in (known.changes if known else ())
        if now and change.before and change.after and git.is_ancestor(repository, change.after, now)
    ]
    net: list[RecordedChange] = []
    for move in moves:
        joined = bool(net) and net[-1].after == move.before  # else somebody else moved it in between: his stays his
        before = net.pop().before if joined else move.before
        net.append(RecordedChange(ChangeKind.REF, ref, before, move.after))
    journal.rewrite(operation, net)
    return bool(net)


def resolved(context: Context, journal: database.Journal, one: Waiting) -> Step:
    """The merge that was resolved in the lane, committed there. Raises Refused with what is missing.

    Where the base moved meanwhile, it may have been merged in there too.
    """
    repository, base, lane = context.repository, context.base, one.lane
    give_up = ["git fleet land --abort, then git fleet land"]
    if not os.path.isdir(lane):
        raise Refused(f"the lane '{lane}' is gone", give_up)
    dirt = looking.dirt([lane])[lane]
    if dirt is None:
        raise Refused(f"git cannot read the lane '{lane}'", give_up)
    if dirt.unmerged or dirt.unstaged:
        which = ", ".join(dirt.unmerged or dirt.unstaged)
        raise Refused(f"not resolved and added yet in '{lane}': {which}", ["resolve, then git add, then continue"])
    marked = looking.with_conflict_markers(repository, lane, one.step.conflicts, (one.line, one.step.tip))
    if marked:
        raise Refused(f"conflict markers are left in '{lane}': {', '.join(marked)}", ["edit, git add, then continue"])
    if context.settings.strategy == "rebase":
        return replay.resolved(context, journal, one.operation, lane, one.step, one.line)
    message = build.message_of_merge(context, one.step)
    head, *parents = looking.commit_and_parents(repository, lane)
    merging = looking.merge_head(lane)
    if (head == one.line and merging == one.step.tip) or (head != one.line and merging == base.commit):
        changing.commit_lane(repository, lane, message, amend=False)
    elif not _holds_merge(repository, one, base, head, parents):
        raise Refused(f"'{lane}' no longer holds the merge of {one.step.id}", give_up)
    elif dirt.staged:
        changing.commit_lane(repository, lane, message, amend=True)
    commit = looking.commit_and_parents(repository, lane)[0]
    reason = "resolved by hand"
    return one.step._replace(action=Action.LAND, reason=reason, commit=commit, tree=git.tree_of(repository, commit))


def _holds_merge(repository: Repository, one: Waiting, base: Base, head: str, parents: Sequence[str]) -> bool:
    """Is this commit the merge of the branch: onto where the base was or is, or with the base merged in as well?"""
    if parents in ([one.line, one.step.tip], [base.commit, one.step.tip]):
        return True
    return base.commit in parents and git.is_ancestor(repository, one.step.tip, head)


def onto_moved_base(context: Context, journal: database.Journal, one: Waiting, step: Step) -> Step:
    """The resolved merge, made again on the base as it is now; the lane goes along. The step as it is where it did not
    move. Raises Refused or Stopped when the resolution does not fit any more: then the lane stays as it is.
    """
    repository, base, lane = context.repository, context.base, one.lane
    assert step.commit is not None
    if context.settings.strategy == "rebase":  # it was made on the base as it is
        return step
    if looking.commit_and_parents(repository, lane)[1:] == [base.commit, step.tip]:
        return step
    if not git.is_ancestor(repository, one.line, base.commit):
        raise Refused(
            f"'{base.branch}' no longer contains {one.line}, on which the conflict was resolved",
            [f"git fleet land --abort ends the landing and keeps the resolution {step.commit}"],
        )
    tree, message = step.tree, build.message_of_merge(context, step)
    with merging.quarantine(repository, base.commit) as place:
        if not git.is_ancestor(repository, base.commit, step.commit):
            merge = merging.merge(place, base.commit, step.commit)
            if not merge.clean:
                raise _no_longer_fits(base, step, lane, merge)
            tree = merge.tree
        assert tree is not None
        wanted = Made(tree, (base.commit, step.tip), message)
        [commit] = objects.commits(place, [wanted], sign=context.settings.sign)
        objects.keep(place, [commit], [base.commit, step.tip], running.holder(one.operation))
    running.keep(repository, one.operation, [step.commit, commit])
    changing.move_back(lane, repository, "HEAD", step.commit, commit, "fleet land: the base moved")
    running.note(journal, one.operation, line=base.commit)
    return step._replace(commit=commit, tree=tree, reason="resolved by hand, then the base moved")


def _no_longer_fits(base: Base, step: Step, lane: str, merge: merging.Merge) -> Stopped:
    return Stopped(
        f"'{base.branch}' moved while the conflict waited, and the resolution of {step.id} conflicts with"
        f" what came: {', '.join(merge.paths) or merge.why}",
        [
            f"merge it in: cd '{lane}' && git merge {base.branch}",
            "resolve, git add, then: git fleet land --continue",
        ],
    )
