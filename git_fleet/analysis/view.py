"""A plan and all that thought makes of it."""

from git_fleet.analysis import ownership, waves
from git_fleet.analysis.advice import advise
from git_fleet.analysis.problems import problems
from git_fleet.model.plan import Plan, PlanView


def view(plan: Plan) -> PlanView:
    """Problems, waves, overlaps, joints and advice of a plan, from its own text alone."""
    tasks = plan.tasks
    found = problems(plan)
    overlaps = ownership.overlaps(tasks)
    ordered = waves.waves(tasks, overlaps)
    joints = ownership.joints(tasks, overlaps)
    return PlanView(plan, ordered, overlaps, joints, found, advise(tasks, ordered, overlaps))
