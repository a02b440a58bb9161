"""`git fleet plan`: the tasks, what can run together, and what is wrong."""

from collections.abc import Collection, Sequence

from git_fleet.model.fleet import State
from git_fleet.model.plan import Advice, Coupling, Hot, Overlap, PlanView, Problem, Severity, Task, Verdict
from git_fleet.output import words
from git_fleet.output.escape import safe
from git_fleet.output.style import BOLD, WARM, Style, paint
from git_fleet.output.table import Column, render

SCHEMA = "git-fleet.plan.v1"

_MOST_LINES = 10
_MOST_ALIKE = 3

_COLUMNS = (
    Column("id", least=12),
    Column("title", drop=5, least=16),
    Column("wave", "right", drop=6),
    Column("branch", drop=3, least=20),
    Column("owns", drop=4, least=16),
    Column("needs", drop=7, least=8),
    Column("status", drop=2),
    Column("agent", drop=1),
    Column("progress", "right", drop=3),
)
_STARTABLE = frozenset((State.READY, State.MISSING))
_STILL = frozenset((State.PLANNED, State.BLOCKED, State.LANDED, State.DROPPED))


def text(view: PlanView, style: Style, *, here: str | None = None) -> str:
    """The screen, without a final newline. The plan's file is named relative to the directory `here`."""
    table = render(_COLUMNS, _rows(view), style)
    blocks = (
        [_heading(view, here)],
        table.text.splitlines(),
        [f"wave {number}: {', '.join(map(safe, wave))}" for number, wave in enumerate(view.waves, 1)],
        [*_overlaps(view.overlaps, style), *_joints(view), *_couplings(view)],
        [_problem(problem, view, here, style) for problem in _told(view.problems)],
        [*_advice(view.advice, view.plan.tasks), *filter(None, [words.hidden(table.hidden)])],
    )
    return "\n\n".join("\n".join(lines) for lines in blocks if lines)


def hints(view: PlanView, states: Collection[State]) -> tuple[str, ...]:
    """What to type next; `states` are those that tasks are in, as far as somebody has looked."""
    if not view.plan.tasks:
        return ("to start a plan: git fleet init",)
    if any(problem.severity is Severity.ERROR for problem in view.problems):
        return ("correct the plan, then: git fleet plan",)
    if _STARTABLE & set(states):
        return ("to create branch and worktree of every task that can start: git fleet add --ready",)
    return ("to see where they stand: git fleet status",) if set(states) - _STILL else ()


def document(view: PlanView) -> dict[str, object]:
    """The promised object of `plan --json`. Couplings are null where nobody has looked for them."""
    waves = _wave_numbers(view)
    return {
        "schema": SCHEMA,
        "source": {"kind": str(view.plan.source.kind), "path": view.plan.source.path},
        "tasks": [_task(task, waves.get(task.id)) for task in view.plan.tasks],
        "waves": [list(wave) for wave in view.waves],
        "overlaps": [
            {"tasks": list(overlap.tasks), "paths": list(overlap.paths), "excused_by": overlap.excused_by}
            for overlap in view.overlaps
        ],
        "joints": [{"path": joint.path, "tasks": list(joint.tasks)} for joint in view.joints],
        "couplings": None if view.couplings is None else [_coupling_object(one) for one in view.couplings],
        "hot": [
            {"path": one.path, "share": one.share, "conflicts": one.conflicts, "tasks": list(one.tasks)}
            for one in view.hot
        ],
        "problems": [_problem_object(problem) for problem in view.problems],
        "advice": {
            "verdict": str(view.advice.verdict),
            "width": view.advice.width,
            "speedup": view.advice.speedup,
            "reasons": list(view.advice.reasons),
            "speedup_without_review": view.advice.speedup_without_review,
            "critical_path": list(view.advice.critical_path),
            "critical_path_s": view.advice.critical_path_s,
            "serial_s": view.advice.serial_s,
        },
    }


def _wave_numbers(view: PlanView) -> dict[str, int]:
    return {id_: number for number, wave in enumerate(view.waves, 1) for id_ in wave}


def _rows(view: PlanView) -> list[list[str]]:
    waves = _wave_numbers(view)
    return [
        [
            task.id,
            words.title(task.id, task.title),
            str(waves.get(task.id, "")),
            task.branch,
            ", ".join(task.owns),
            ", ".join(task.needs),
            task.status or "",
            task.agent or "",
            words.progress(task.progress),
        ]
        for task in view.plan.tasks
    ]


def _heading(view: PlanView, here: str | None) -> str:
    return f"{words.origin(view.plan.source, here)}, {words.count(len(view.plan.tasks), 'task')}"


def _overlaps(overlaps: tuple[Overlap, ...], style: Style) -> list[str]:
    return [_excused(overlap) if overlap.excused_by else paint(_overlap(overlap), WARM, style) for overlap in overlaps]


def _overlap(overlap: Overlap) -> str:
    earlier, later = map(safe, overlap.tasks)
    return f"{later} overlaps {earlier} on {words.listed(overlap.paths)}"


def _excused(overlap: Overlap) -> str:
    earlier, later = map(safe, overlap.tasks)
    return f"{earlier} and {later} share {words.listed(overlap.paths)}, but {safe(overlap.excused_by or '')}"


def _joints(view: PlanView) -> list[str]:
    return [f"joint {safe(joint.path)}: {', '.join(map(safe, joint.tasks))} build on it" for joint in view.joints]


def _couplings(view: PlanView) -> list[str]:
    """What history says: few lines, the surest first."""
    strong = sorted(view.couplings or (), key=lambda one: (-one.confidence, -one.support))
    lines = [
        f"coupled {safe(paths[0])} and {safe(paths[1])}: changed together in {support} commits, "
        f"{confidence:.0%} of those that changed the rarer ({safe(one)}, {safe(other)})"
        for (one, other), paths, support, confidence in strong[:_MOST_LINES]
    ]
    rest = len(strong) - _MOST_LINES
    more = [f"and {words.count(rest, 'coupling')} more"] if rest > 0 else []
    return [*lines, *more, *map(_hot, view.hot)]


def _hot(one: Hot) -> str:
    said = [f"{one.share:.0%} of past work changed it"] if one.share else []
    said += [f"it was in {one.conflicts:.0%} of past conflicts"] if one.conflicts else []
    return f"hot {safe(one.path)}: {', '.join(said)} ({words.listed(one.tasks)})"


def _told(problems: Sequence[Problem]) -> list[Problem]:
    """Many tasks that own nothing are one line, not a screenful."""
    bare = [problem for problem in problems if problem.code == "owns-nothing"]
    if len(bare) <= _MOST_ALIKE:
        return list(problems)
    ids = words.listed((id for problem in bare for id in problem.tasks), _MOST_LINES)
    said = f"{len(bare)} tasks own no path: overlaps and drift cannot be seen ({ids})"
    one = bare[0]._replace(message=said, line=None)
    return [*(problem for problem in problems if problem not in bare), one]


def _problem(problem: Problem, view: PlanView, here: str | None, style: Style) -> str:
    file = view.plan.source.path and words.below(view.plan.source.path, here)
    place = "".join(f"{part}:" for part in (file, problem.line) if part)
    severity = paint(f"{problem.severity}:", WARM if problem.severity is Severity.ERROR else BOLD, style)
    return " ".join(part for part in (place, severity, safe(problem.message)) if part)


def _advice(advice: Advice, tasks: Sequence[Task]) -> list[str]:
    """Where tasks do not say what they change, they may get in each other's way: then it is a bound."""
    about = "about" if all(task.owns for task in tasks) else "at most"
    faster = f", {about} {advice.speedup:.1f} times as fast" if advice.speedup else ""
    at_once = "" if advice.verdict is Verdict.SEQUENTIAL else f", {advice.width} at once"
    return [f"verdict: {advice.verdict}{at_once}{faster}", *(f"  {safe(reason)}" for reason in advice.reasons)]


def _task(task: Task, wave: int | None) -> dict[str, object]:
    return {
        "id": task.id,
        "title": task.title,
        "slug": task.slug,
        "branch": task.branch,
        "worktree": task.worktree,
        "owns": list(task.owns),
        "needs": list(task.needs),
        "wave": wave,
        "agent": task.agent,
        "estimate_s": task.estimate_s,
        "priority": task.priority,
        **({"progress": words.progress_object(task.progress)} if task.checklist else {}),
    }


def _coupling_object(coupling: Coupling) -> dict[str, object]:
    return {
        "tasks": list(coupling.tasks),
        "paths": list(coupling.paths),
        "support": coupling.support,
        "confidence": coupling.confidence,
    }


def _problem_object(problem: Problem) -> dict[str, object]:
    line = {} if problem.line is None else {"line": problem.line}
    return {
        "severity": str(problem.severity),
        "code": problem.code,
        "message": problem.message,
        "tasks": list(problem.tasks),
        **line,
    }
