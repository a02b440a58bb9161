"""Test what a landing built, before the base moves: the base first, then each prefix or the tip, as `gateMode` says.

What a gate throws out goes, with all that needs it; the others are folded again and go on. Only a tree that was tested
green, as it lands, lands.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from git_fleet.analysis import bisection
from git_fleet.model.events import Evicted, Note
from git_fleet.model.landing import NOT_TESTED, Action, Ending, Eviction, GateReport, LandOutcome, Step
from git_fleet.operations import blame, disturbance, gate, running, trials
from git_fleet.operations.gate import Subject
from git_fleet.operations.prepare import Prepared, outcome
from git_fleet.operations.run import Run


class Tested(NamedTuple):
    """What may land, what does not, and what the gates did."""

    landing: list[Step]
    rest: list[Step]
    report: GateReport | None
    """None where no gate was asked."""


def line(run: Run, prepared: Prepared, built: Sequence[Step], rest: Sequence[Step]) -> Tested | LandOutcome:
    """The steps with what their gates said, the rest with what they threw out; an outcome when the base is red."""
    context = run.context
    chosen = gate.chosen(context.settings, run.request)
    report = GateReport(context.settings.gate_mode, context.settings.gate_jobs)
    if not chosen or not built:
        return Tested(list(built), list(rest), None)
    before = disturbance.look(context.repository)
    with trials.opened(run, chosen, context.settings.gate_jobs) as at_work:
        found = _search(run, at_work, prepared, list(built), list(rest))
    disturbed = disturbance.between(before, disturbance.look(context.repository)) if at_work.runs else ()
    for what in disturbed:
        run.say(Note(f"while gates ran: {what}"))
    report = report._replace(
        runs=at_work.runs,
        seconds=round(at_work.seconds, 3),
        saved_s=round(at_work.saved_s, 3),
        evicted=found.report.evicted if isinstance(found, Tested) and found.report else (),
        disturbed=disturbed,
    )
    return found._replace(report=report) if isinstance(found, Tested) else found._replace(gates=report)


def _search(
    run: Run, at_work: trials.Trials, prepared: Prepared, built: list[Step], rest: list[Step]
) -> Tested | LandOutcome:
    base = run.context.base
    about_base = Subject(base.tree, base.commit, base.branch)
    tip_only = run.context.settings.gate_mode == "tip"
    evicted: list[Eviction] = []
    careful = not tip_only  # the search for a culprit asks about other trees anyway: they confirm what is red
    while True:
        subjects = [about_base, *map(blame.subject_of, built)]
        place = _first_red(at_work, subjects, tip_only=tip_only)
        if place is None:
            break
        sure = place == 0 or careful
        if sure and at_work.again(subjects[place]).verdict != "failed":
            continue
        if place == 0:
            return _base_red(run, at_work, subjects, built, rest)
        eviction = blame.find(run, at_work, prepared, built, place - 1, sure=sure)
        if eviction is None:  # where one tree is flaky, others may be
            careful = True
            at_work.forget_failures()
            continue
        run.say(Evicted(eviction.id, eviction.reason))
        evicted.append(eviction)
        if not run.request.keep_going:
            built, rest = _stopped(built, rest, place - 1, eviction)
            break
        built, rest = blame.without(run, prepared, built, rest, eviction)
        running.keep(run.context.repository, run.operation, [step.commit for step in built[-1:] if step.commit])
    landing = [_with_verdict(at_work, step) for step in built]
    return Tested(landing, rest, GateReport("", 0, evicted=tuple(evicted)))


def _first_red(at_work: trials.Trials, subjects: Sequence[Subject], *, tip_only: bool) -> int | None:
    """The lowest red position, all below it green; None when what lands is green."""
    count = len(subjects)
    known = at_work.search(subjects, partial(_tip if tip_only else _each, at_work, count))
    found = bisection.interval(count, known)
    return found[1] if found else None


def _each(at_work: trials.Trials, count: int, known: Mapping[int, bool], running: Collection[int]) -> Sequence[int]:
    return bisection.prefixes(count, known, bisection.window(at_work.width, at_work.history))


def _tip(at_work: trials.Trials, count: int, known: Mapping[int, bool], running: Collection[int]) -> Sequence[int]:
    return bisection.probes(count, known, running, at_work.width)


def _base_red(
    run: Run, at_work: trials.Trials, subjects: Sequence[Subject], built: Sequence[Step], rest: Sequence[Step]
) -> LandOutcome:
    red = at_work.known(subjects[0])
    steps = [step._replace(gate="none", commit=None) for step in built]
    end = outcome(Ending.BASE_RED, run.context, (*steps, *rest), None)
    return end._replace(operation=run.operation, log=red.log if red else None)


def _stopped(built: Sequence[Step], rest: Sequence[Step], at: int, eviction: Eviction) -> tuple[list[Step], list[Step]]:
    """What is green lands; the culprit and what comes after it does not."""
    out = built[at]._replace(action=Action.PARK, reason=eviction.reason, gate="failed", commit=None)
    later = [
        step._replace(action=Action.PARK, reason=f"{NOT_TESTED}: the landing stopped at {eviction.id}", commit=None)
        for step in built[at + 1 :]
    ]
    return list(built[:at]), [out, *later, *rest]


def _with_verdict(at_work: trials.Trials, step: Step) -> Step:
    result = at_work.known(blame.subject_of(step))
    return step._replace(gate=result.verdict, gate_s=round(result.seconds, 3)) if result else step


def resolved(run: Run, step: Step, lane: str) -> tuple[Step, LandOutcome | None]:
    """The step that was resolved in a lane, with what its gates said there; the outcome when they say no."""
    context = run.context
    chosen = gate.chosen(context.settings, run.request)
    if not chosen:
        return step, None
    with trials.opened(run, chosen, 1, lane) as at_work:
        subject = blame.subject_of(step)
        result = at_work.test(subject)
        if result.verdict == "failed":
            result = at_work.again(subject)
    step = step._replace(gate=result.verdict, gate_s=round(result.seconds, 3))
    if result.verdict != "failed":
        return step, None
    red = outcome(Ending.GATE_FAILED, context, [step._replace(commit=None)], None)
    return step, red._replace(operation=run.operation, lane=lane, log=result.log)
