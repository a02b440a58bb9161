"""Who is to blame for a red tree: the branch itself, or it and one that landed before it; and who goes with it."""

from collections.abc import Sequence

from git_fleet.analysis import bisection
from git_fleet.model.fleet import Base
from git_fleet.model.landing import Action, Eviction, OrderStep, Step
from git_fleet.operations import build, running, simulate
from git_fleet.operations.gate import Subject
from git_fleet.operations.prepare import Prepared
from git_fleet.operations.run import Run
from git_fleet.operations.trials import Trials
from git_fleet.repo import git, objects
from git_fleet.repo.objects import Made


def find(run: Run, trials: Trials, prepared: Prepared, line: Sequence[Step], at: int, *, sure: bool) -> Eviction | None:
    """Why the tree of `line[at]` is red, while the one before it is green; None when it is flaky after all.

    `sure`: it was red more than once. Else one of the other questions must come out red as well, or the same tree once
    more, before anybody is blamed.
    """
    step, told = line[at], trials.known(subject_of(line[at]))
    assert told is not None
    needed = _needed(prepared, line[:at], step)
    alone = _together(run, prepared, run.context.base, [*needed, step], f"{step.id} alone")
    if alone is None or alone.tree == step.tree:
        green_alone = False
    else:
        green_alone = trials.test(alone).verdict != "failed"
        sure = sure or not green_alone
    partner, together = None, False
    if green_alone:
        partner = _partner(run, trials, prepared, line, at, needed)
        if partner is not None:
            both = [one for one in line[:at] if one in (*needed, *_needed(prepared, line[:at], partner), partner)]
            pair = _together(run, prepared, run.context.base, [*both, step], f"{partner.id} and {step.id} alone")
            together = pair is not None and trials.test(pair).verdict == "failed"
            sure = sure or together
    if not sure and trials.again(subject_of(step)).verdict != "failed":
        return None
    gate, base = told.gate, run.context.base.branch
    if not green_alone:
        why = f"{step.id} alone is red on {base}: {gate}" if alone else f"red from {step.id} on: {gate}"
    elif partner and together:
        why = f"{partner.id} and {step.id} are green alone and red together: {gate}"
    elif partner:
        why = f"{step.id} is green alone and red after {partner.id} and what lands before that: {gate}"
    else:
        why = f"{step.id} is green alone and red after those that land before it: {gate}"
    return Eviction(step.id, gate, why, partner.id if partner and together else None, told.log)


def subject_of(step: Step) -> Subject:
    """A place in the line, as what is to be tested."""
    assert step.commit is not None and step.tree is not None
    what = f"{step.id} {step.title}".strip() if step.title != step.id else step.id
    return Subject(step.tree, step.commit, what, step.id, step.title, step.branch)


def _needed(prepared: Prepared, before: Sequence[Step], step: Step) -> list[Step]:
    """What of the line before it a branch cannot do without, in order."""
    wanted: set[str] = set()
    waiting = [step.id]
    while waiting:
        needs = prepared.tasks[waiting.pop()].needs
        waiting += [need for need in needs if need in prepared.tasks and need not in wanted]
        wanted.update(needs)
    return [one for one in before if one.id in wanted]


def _partner(
    run: Run, trials: Trials, prepared: Prepared, line: Sequence[Step], at: int, needed: Sequence[Step]
) -> Step | None:
    """The branch with which that at `at` is red: the first whose arrival in the line makes it so; None where git cannot
    merge what would have to be asked. By bisection: with none before it it is green, with all of them it is red.
    """
    step, count = line[at], at + 1
    known = {0: True, at: False}
    while wanted := bisection.probes(count, known, (), 1):
        place = wanted[0]
        before = line[:place]
        there = Base(run.context.base.branch, before[-1].commit or "", before[-1].tree or "")
        missing = [one for one in needed if one not in before]
        found = _together(run, prepared, there, [*missing, step], f"{step.id} on {before[-1].id}", before)
        if found is None:
            return None
        known[place] = trials.test(found).verdict != "failed"
    _, first = bisection.interval(count, known) or (0, at)
    return line[first - 1]


def _together(
    run: Run, prepared: Prepared, base: Base, steps: Sequence[Step], what: str, before: Sequence[Step] = ()
) -> Subject | None:
    """Only these branches on a commit, in which those `before` have landed, as a commit that nobody keeps; None where
    git cannot merge them so.
    """
    order = [OrderStep(step.id, Action.LAND, "") for step in steps]
    known = (*prepared.start, *(step.tip for step in before))
    place, branches = prepared.place, prepared.snapshot.branches
    folded = simulate.fold(place, base, order, prepared.tasks, branches, start=known)
    if any(step.action is not Action.LAND for step in folded):
        return None
    last = folded[-1]
    commit = objects.lines(place, [Made(last.tree or "", (base.commit,), f"{what}\n")])
    objects.keep(place, commit, [base.commit], running.holder(run.operation))
    return Subject(last.tree or "", commit[0], what, last.id, last.title, last.branch)


def without(
    run: Run, prepared: Prepared, line: Sequence[Step], rest: Sequence[Step], eviction: Eviction
) -> tuple[list[Step], list[Step]]:
    """The line and the rest when a branch goes: what needs it, or was built upon it, is parked, what comes after it is
    folded and built anew, and what stopped because of it may land after all.
    """
    at = next(place for place, step in enumerate(line) if step.id == eviction.id)
    kept, base = list(line[:at]), run.context.base
    gone = _dependants(run, prepared, line[at])
    others = [step for step in (*line[at + 1 :], *rest) if step.action is not Action.SKIP and step.gate != "failed"]
    why = f"needs {eviction.id}, which a gate threw out"
    parked = [s._replace(action=Action.PARK, reason=why, commit=None) for s in others if s.id in gone]
    may = _may_land(prepared, kept, [step for step in others if step.id not in gone])
    order = [
        OrderStep(step.id, Action.STOP if step.action is Action.STOP else Action.LAND, step.reason)
        for step in others
        if step.id in may
    ]
    start = Base(base.branch, kept[-1].commit or "", kept[-1].tree or "") if kept else base
    known = (*prepared.start, *(step.tip for step in kept))
    tasks, branches, strategy = prepared.tasks, prepared.snapshot.branches, run.context.settings.strategy
    folded = simulate.fold(prepared.place, start, order, tasks, branches, strategy=strategy, start=known)
    landing = [step for step in folded if step.action is Action.LAND]
    built = build.commits(run._replace(context=run.context._replace(base=start)), landing, prepared.place, known)
    out = line[at]._replace(action=Action.PARK, reason=eviction.reason, gate="failed", commit=None)
    stopped = [step for step in folded if step.action is not Action.LAND]
    left = [step for step in rest if step.gate == "failed" or (step.id not in gone and step.id not in may)]
    return [*kept, *built], [*stopped, out, *parked, *left]


def _dependants(run: Run, prepared: Prepared, out: Step) -> set[str]:
    """The tasks that need it, directly or further down, and those whose branches hold its commits."""
    repository = run.context.repository
    holding = set(git.refs_containing(repository, out.tip, "refs/heads/"))
    gone = {task.id for task in prepared.tasks.values() if task.ref in holding and task.id != out.id}
    while True:
        more = {
            task.id
            for task in prepared.tasks.values()
            if task.id not in gone and task.id != out.id and any(need == out.id or need in gone for need in task.needs)
        }
        if not more:
            return gone
        gone |= more


def _may_land(prepared: Prepared, kept: Sequence[Step], others: Sequence[Step]) -> set[str]:
    """Those of the others that are worth another try: all but the parked ones whose needs do not land here."""
    landed = {*prepared.snapshot.landings, *(step.id for step in kept)}
    may = {step.id for step in others if step.action in (Action.LAND, Action.STOP)}
    while True:
        needs = {step.id: prepared.tasks[step.id].needs for step in others if step.id not in may}
        more = {id for id, wanted in needs.items() if wanted and landed | may >= set(wanted)}
        if not more:
            return may
        may |= more
