"""Test what a landing built, before the base moves."""

from collections.abc import Sequence

from git_fleet.model.landing import Ending, LandOutcome, Step
from git_fleet.operations import gate, lanes
from git_fleet.operations.prepare import outcome
from git_fleet.operations.run import Run
from git_fleet.repo import changing


def line(run: Run, built: Sequence[Step], rest: Sequence[Step]) -> list[Step] | LandOutcome:
    """The steps with what their gates said, or the outcome of the first red one: then nothing moves."""
    context, journal, operation, say = run.context, run.journal, run.operation, run.say
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


def resolved(run: Run, step: Step, lane: str) -> tuple[Step, LandOutcome | None]:
    """The step that was resolved in a lane, with what its gates said; the outcome when they say no."""
    context, journal, operation, say = run.context, run.journal, run.operation, run.say
    if not run.request.gates or not context.settings.gates:
        return step, None
    subject = gate.Subject(step.tree or "", lane, f"{step.id} {step.title}".strip(), step.id, step.title, step.branch)
    result = gate.run_all(context.repository, context.settings, journal, context.base, subject, operation, say)
    step = step._replace(gate=result.verdict, gate_s=round(result.seconds, 3))
    if result.verdict != "failed":
        return step, None
    red = outcome(Ending.GATE_FAILED, context, [step._replace(commit=None)], None)
    return step, red._replace(operation=operation, lane=lane, log=result.log)
