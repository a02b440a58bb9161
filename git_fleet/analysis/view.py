"""A plan and all that thought makes of it."""

from collections.abc import Collection

from git_fleet.analysis import coupling, ownership, reality, waves
from git_fleet.analysis.advice import advise
from git_fleet.analysis.problems import problems
from git_fleet.analysis.state import is_dropped
from git_fleet.model.fleet import Outlook
from git_fleet.model.plan import Coupling, Hot, Overlap, Plan, PlanView


def view(plan: Plan, outlook: Outlook | None = None) -> PlanView:
    """Problems, waves, overlaps, joints and advice of a plan: from its own text, and from `outlook` where somebody
    has looked beyond it. What was dropped is in nobody's way: it has no wave and overlaps nothing.
    """
    seen = outlook or Outlook()
    tasks = tuple(task for task in plan.tasks if not is_dropped(task))
    claims = None if seen.files is None else ownership.claims(tasks, seen.files)
    overlaps = ownership.overlaps(tasks, claims)
    ordered = waves.waves(tasks, overlaps)
    joints = ownership.joints(tasks, overlaps)
    overlaps = _excused(overlaps, seen.snapshot.landings if seen.snapshot else {})  # a task's wave stays what it was
    couplings: tuple[Coupling, ...] | None = None
    hot: tuple[Hot, ...] = ()
    if claims is not None and seen.history is not None:
        couplings = coupling.couplings(tasks, claims, seen.history, overlaps)
        hot = coupling.hot(claims, seen.history, seen.conflicts)
    found = problems(plan, reality.problems(plan, claims or {}, seen))
    advice = advise(tasks, ordered, overlaps, couplings or (), hot, seen)
    return PlanView(plan, ordered, overlaps, joints, found, advice, couplings, hot)


def _excused(overlaps: tuple[Overlap, ...], landed: Collection[str]) -> tuple[Overlap, ...]:
    """Whose work has landed is in nobody's way any more."""
    return tuple(
        one._replace(excused_by=f"{over} has landed")
        if one.excused_by is None and (over := next((id for id in one.tasks if id in landed), None))
        else one
        for one in overlaps
    )
