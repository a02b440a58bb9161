"""May this be said of a task now? A pure function; a refusal is a value with the reason and the way out."""

from typing import NamedTuple

from git_fleet.analysis.state import Standing
from git_fleet.model.fleet import Mark, State
from git_fleet.model.plan import Task


class Refusal(NamedTuple):
    why: str
    hints: tuple[str, ...]


def refusal(task: Task, state: State, standing: Standing, before: Mark | None, *, there: bool) -> Refusal | None:
    """Why `state` makes no sense for a task whose branch is `there` or not; None where it does.

    `before` is what was said last, `standing` what the plan and the repository say without it.
    """
    if standing.state is State.LANDED:
        return Refusal(f"{task.id} has landed already", (f"git fleet remove {task.id}   # clears its worktree",))
    if state is State.DROPPED:
        return None
    if standing.state is State.DROPPED:
        return Refusal(f"the plan says that {task.id} is dropped", (f"git fleet plan set {task.id} status active",))
    taken_up_again = state is State.RUNNING and before is not None and before.state is State.DROPPED
    if there or taken_up_again:
        return None
    return Refusal(f"{task.id} has no branch yet: '{task.branch}'", (f"git fleet add {task.id}",))
