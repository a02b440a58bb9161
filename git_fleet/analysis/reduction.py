"""The fewest needs that say the same: what is needed anyway, through another need, goes without saying."""

from collections.abc import Sequence

from git_fleet.analysis.waves import closure, waves
from git_fleet.model.plan import Task


def reduction(tasks: Sequence[Task]) -> dict[str, tuple[str, ...]]:
    """Id -> the needs that no other need of the task implies, in the order of the plan's row.

    Unknown needs and a task's need of itself are left out. There is one reduction only where there is no ring: a task
    in a ring of needs, and all that need it, keep what they say.
    """
    needs: dict[str, dict[str, None]] = {task.id: {} for task in tasks}
    for task in tasks:
        needs[task.id].update((need, None) for need in task.needs if need in needs and need != task.id)
    free = {id for wave in waves(tasks, ()) for id in wave}
    closed = closure(tasks)
    found = {}
    for id, wanted in needs.items():
        implied = 0
        if id in free:
            for need in wanted:
                implied |= closed.masks[need]
        found[id] = tuple(need for need in wanted if not implied >> closed.positions[need] & 1)
    return found
