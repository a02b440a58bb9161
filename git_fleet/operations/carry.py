"""Carry a landing out: build, test in a lane, move the base once, write it down.

The base is never red and never half-moved: all that lands is built and tested beside it.
"""

from collections.abc import Sequence

from git_fleet.journal import database, locks
from git_fleet.model.errors import Busy
from git_fleet.model.events import Landed, Listener
from git_fleet.model.fleet import Landing
from git_fleet.model.journal import ChangeKind, RecordedChange
from git_fleet.model.landing import Action, Ending, LandOutcome, Step, merge_message
from git_fleet.operations import advance, gate, lanes, running, statuses, stops
from git_fleet.operations.context import Context
from git_fleet.operations.prepare import Prepared, outcome
from git_fleet.repo import changing, git, merging


def carry_out(
    context: Context,
    journal: database.Journal,
    lock: locks.Lock,
    operation: int,
    prepared: Prepared,
    *,
    gates: bool,
    say: Listener,
) -> LandOutcome:
    """Build, test, move the base once, write it down, lay out the first conflict. An operation of `land` is running."""
    repository, base = context.repository, context.base
    running.keep(repository, operation, [base.commit, *(step.tip for step in prepared.steps)])
    landing = [step for step in prepared.steps if step.action is Action.LAND]
    rest = [step for step in prepared.steps if step.action is not Action.LAND]
    if landing:
        landing = _build(context, landing)
        running.keep(repository, operation, [step.commit for step in landing[-1:] if step.commit])
        touched = git.changed_paths(repository, base.tree, landing[-1].tree or base.tree)
        tree = advance.holder(context.worktrees, base.ref)
        mine = statuses.own(context, tree, touched)
        advance.refuse_if_in_the_way(repository, tree, touched, mine.name if mine else None)
        if gates and context.settings.gates:
            tested = _tested(context, journal, operation, landing, rest, say)
            if isinstance(tested, LandOutcome):
                stops.close(context, journal, operation, str(tested.ending))
                return tested
            landing = tested
        move_base(context, journal, lock, operation, landing, say)
    return stops.lay_out_or_finish(context, journal, operation, landing, rest, gates=gates)


def _build(context: Context, landing: Sequence[Step]) -> list[Step]:
    """The certificate's merges for real, as commits beside the base. Raises Busy when a tree comes out different."""
    repository, base = context.repository, context.base
    line, built = base.commit, []
    with merging.quarantine(repository, base.commit) as place:
        for step in landing:
            merge = merging.merge(merging.for_real(place), line, step.tip)
            if not merge.clean or merge.tree != step.tree:
                raise Busy(f"merging {step.id} did not come out as simulated", ["try again"])
            message = merge_message(step.branch, step.id, base.branch, step.agent)
            line = changing.commit_tree(repository, merge.tree, (line, step.tip), message, sign=context.settings.sign)
            built.append(step._replace(commit=line))
    return built


def _tested(
    context: Context,
    journal: database.Journal,
    operation: int,
    built: Sequence[Step],
    rest: Sequence[Step],
    say: Listener,
) -> list[Step] | LandOutcome:
    """The steps with what their gates said, or the outcome of the first red one: then nothing moves."""
    repository, base = context.repository, context.base
    tested: list[Step] = []
    last = [step._replace(gate="none") for step in built]
    with lanes.opened(repository, journal, operation, base.commit) as path:
        about_base = gate.Subject(base.tree, path, base.branch)
        result = gate.run_all(repository, context.settings, journal, base, about_base, operation, say)
        if result.verdict == "failed":
            return outcome(Ending.BASE_RED, context, (*last, *rest), None)._replace(operation=operation, log=result.log)
        for step in built:
            assert step.commit is not None and step.tree is not None
            changing.set_lane(repository, path, step.commit)
            subject = gate.Subject(step.tree, path, f"{step.id} {step.title}".strip(), step.id, step.title, step.branch)
            result = gate.run_all(repository, context.settings, journal, base, subject, operation, say)
            tested.append(step._replace(gate=result.verdict, gate_s=round(result.seconds, 3)))
            if result.verdict == "failed":
                steps = (*(s._replace(commit=None) for s in tested), *last[len(tested) :], *rest)
                return outcome(Ending.GATE_FAILED, context, steps, None)._replace(operation=operation, log=result.log)
    return tested


def move_base(
    context: Context,
    journal: database.Journal,
    lock: locks.Lock,
    operation: int,
    built: Sequence[Step],
    say: Listener,
) -> None:
    """One compare-and-swap for all that was built; then the landings and the plan's Status cells are written down."""
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
        advance.move(repository, base.ref, base.commit, new, f"fleet land: {names}", [lock.fd])
    stops.write_down(context, journal, operation, landings, say)
    for step in built:
        say(Landed(step.id, step.branch, step.commit or new))
