"""`git fleet path`: where a task's worktree is."""

import os

import click

from git_fleet import front
from git_fleet.model.errors import Exit


@click.command("path")
@click.argument("task", required=False, metavar="[<task>]")
@front.plan_option
@front.common
def command(task: str | None, plan_file: str | None) -> int:
    """Print the absolute path of a task's worktree: cd "$(git fleet path 42)".

    Without <task>, of the task in whose worktree you are. Exits with 1 when its folder is gone.
    """
    from git_fleet.operations import context as contexts
    from git_fleet.operations.naming import find

    context = contexts.with_plan(contexts.find_without_plan(), plan_file)
    found = find(context.plan, task or os.getcwd())
    front.answer_raw(found.worktree)
    if os.path.isdir(found.worktree) or all(tree.path != found.worktree for tree in context.worktrees):
        return Exit.DONE
    front.complain(f"the folder of {found.id} is gone")
    front.hint([f"git fleet add {found.id}"])
    return Exit.NO
