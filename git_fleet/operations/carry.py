"""Carry a landing out: build, test in a lane, move the base once, write it down.

The base is never red and never half-moved: all that lands is built and tested beside it.
"""

from collections.abc import Sequence

from git_fleet.model.events import Landed
from git_fleet.model.fleet import Landing
from git_fleet.model.journal import ChangeKind, RecordedChange
from git_fleet.model.landing import Action, LandOutcome, Step
from git_fleet.operations import advance, build, gating, running, statuses, stops, verify
from git_fleet.operations.context import Context
from git_fleet.operations.prepare import Prepared
from git_fleet.operations.run import Run
from git_fleet.repo import git


def carry_out(run: Run, prepared: Prepared) -> LandOutcome:
    """Build, test, move the base once, write it down, lay out the first conflict. An operation of `land` is running."""
    context, operation = run.context, run.operation
    repository = context.repository
    landing = [step for step in prepared.steps if step.action is Action.LAND]
    rest = [step for step in prepared.steps if step.action is not Action.LAND]
    landing = build.commits(run, landing, prepared.place, prepared.start)
    running.keep(repository, operation, _pinned(context, landing, rest))
    if landing:
        tested = gating.line(run, prepared, landing, rest)
        if isinstance(tested, LandOutcome):
            stops.close(context, run.journal, operation, str(tested.ending))
            return tested
        landing, rest, gates = tested
        if landing:
            move_base(run, landing)
        log = gates.evicted[0].log if gates and gates.evicted else None
        return stops.lay_out_or_finish(run, landing, rest)._replace(gates=gates, log=log)
    return stops.lay_out_or_finish(run, landing, rest)


def _pinned(context: Context, landing: Sequence[Step], rest: Sequence[Step]) -> list[str]:
    """The commits to pin: each ref is a write to the disk, so none that is part of another's history is named."""
    inside = landing if context.settings.strategy in ("merge", "ff") else ()
    tips = [step.tip for step in (*landing, *rest) if step.action in (Action.LAND, Action.STOP) and step not in inside]
    return [context.base.commit, *tips, *(step.commit for step in landing[-1:] if step.commit)]


def move_base(run: Run, built: Sequence[Step]) -> None:
    """One compare-and-swap for all that was built; then the landings and the plan's Status cells are written down."""
    context, journal, operation = run.context, run.journal, run.operation
    repository, base = context.repository, context.base
    new = built[-1].commit
    assert new is not None
    running.keep(repository, operation, [new])
    landings = [Landing(step.id, step.tip, step.commit or new) for step in built]
    running.note(journal, operation, landing=[list(one) for one in landings])
    journal.intend(operation, [RecordedChange(ChangeKind.REF, base.ref, base.commit, new)])
    names = ", ".join(step.id for step in built)
    tree = advance.holder(git.worktrees(repository), base.ref)
    with statuses.aside(context, tree, git.changed_paths(repository, base.commit, new)):
        advance.move(repository, base.ref, base.commit, new, f"fleet land: {names}", [run.lock.fd])
    stops.write_down(context, journal, operation, landings, run.say)
    for step in built:
        run.say(Landed(step.id, step.branch, step.commit or new))
    verify.after(context, built)
