"""Which task is meant by what was typed."""

import os

from git_fleet.model.errors import Fatal, Usage
from git_fleet.model.plan import Plan, Task


def find(plan: Plan, name: str) -> Task:
    """The task with this id, `#id`, `id-slug`, branch, or a path inside its worktree. Raises Fatal."""
    for task in plan.tasks:
        if is_named(task, name):
            return task
    path = os.path.realpath(name)
    for task in plan.tasks:
        if path == task.worktree or path.startswith(f"{task.worktree}/"):
            return task
    known = ", ".join(task.id for task in plan.tasks[:12]) + (", …" if len(plan.tasks) > 12 else "")
    begin = ["git fleet init", "git fleet init --from-branches <pattern>   # a task for each branch that is there"]
    raise Fatal(f"no task '{name}'", [f"the plan has: {known}"] if known else begin)


def find_here(plan: Plan, name: str | None, command: str) -> Task:
    """The task with this name; without one, that in whose worktree we are. Raises Fatal, Usage."""
    found = here(plan) if name is None else find(plan, name)
    if found is None:
        raise Usage("which task? this is no task's worktree", [f"name it: {command} <task>"])
    return found


def here(plan: Plan) -> Task | None:
    """The task in whose worktree we are."""
    place = os.path.realpath(os.getcwd())
    inside = (task for task in plan.tasks if place == task.worktree or place.startswith(f"{task.worktree}/"))
    return next(inside, None)


def is_named(task: Task, name: str) -> bool:
    """Is this the task's id, `#id`, `id-slug` or branch?"""
    return name.removeprefix("#") in (task.id, f"{task.id}-{task.slug}") or name in (task.branch, task.ref)
