"""Is it worth running these tasks at the same time? With reasons."""

from collections.abc import Sequence

from git_fleet.model.plan import Advice, Overlap, Task, Verdict

_MOST_REASONS = 5


def advise(tasks: Sequence[Task], waves: Sequence[Sequence[str]], overlaps: Sequence[Overlap]) -> Advice:
    """The verdict, how wide the fleet gets, and how much faster it is than one task after the other.

    The speed-up compares estimates where every task has one, else counts each task alike; it knows nothing yet of the
    time that splitting, reviewing and gating take. None where no task can run.
    """
    width = max(map(len, waves), default=0)
    clashes = [overlap for overlap in overlaps if overlap.excused_by is None]
    if width <= 1:
        verdict = Verdict.SEQUENTIAL
    else:
        verdict = Verdict.PARALLEL if len(waves) == 1 and not clashes else Verdict.MIXED
    return Advice(verdict, width, _speedup(tasks, waves), _reasons(tasks, waves, clashes))


def _speedup(tasks: Sequence[Task], waves: Sequence[Sequence[str]]) -> float | None:
    cost = {task.id: task.estimate_s for task in tasks}
    if not all(cost.values()):
        cost = dict.fromkeys(cost, 1)
    placed = [[cost[id] or 0 for id in wave] for wave in waves]
    slowest = sum(map(max, placed))
    return round(sum(map(sum, placed)) / slowest, 1) if slowest else None


def _reasons(tasks: Sequence[Task], waves: Sequence[Sequence[str]], clashes: Sequence[Overlap]) -> tuple[str, ...]:
    if not tasks:
        return ("the plan has no task yet",)
    labels = {task.id: task.label for task in tasks}
    reasons = [
        f"{labels[a]} and {labels[b]} both own {_listed(paths)}: one after the other, or give it to one of them"
        for (a, b), paths, _ in clashes
    ]
    reasons += [f"{task.label} waits for the landing of {_listed(task.needs)}" for task in tasks if task.needs]
    placed = {id for wave in waves for id in wave}
    held_up = [task.id for task in tasks if task.id not in placed]
    if held_up:
        reasons.append(f"{_listed(held_up)}: never, because of a ring of needs")
    if len(tasks) == 1:
        reasons.append("a single task needs no fleet")
    elif not reasons:
        reasons.append(f"{len(tasks)} tasks need nothing of each other and own different paths")
    rest = len(reasons) - _MOST_REASONS
    return (*reasons[:_MOST_REASONS], *([f"and {rest} more of the kind"] if rest > 0 else []))


def _listed(items: Sequence[str]) -> str:
    return ", ".join(items[:3]) + (f" and {len(items) - 3} more" if len(items) > 3 else "")
