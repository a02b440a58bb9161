"""A plan and all that thought makes of it."""

from git_fleet.analysis import ownership, waves
from git_fleet.analysis.advice import advise
from git_fleet.analysis.problems import problems
from git_fleet.analysis.state import is_dropped
from git_fleet.model.plan import Plan, PlanView


def view(plan: Plan) -> PlanView:
    """Problems, waves, overlaps, joints and advice of a plan, from its own text alone.

    What was dropped is in nobody's way: it has no wave and overlaps nothing.
    """
    tasks = tuple(task for task in plan.tasks if not is_dropped(task))
    found = problems(plan)
    overlaps = ownership.overlaps(tasks)
    ordered = waves.waves(tasks, overlaps)
    joints = ownership.joints(tasks, overlaps)
    return PlanView(plan, ordered, overlaps, joints, found, advise(tasks, ordered, overlaps))
