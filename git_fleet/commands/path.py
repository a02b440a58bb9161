"""`git fleet path`: where a task's worktree is."""

import os

import click

from git_fleet import front


@click.command("path")
@click.argument("task", required=False, metavar="[<task>]")
@front.plan_option
@front.common
def command(task: str | None, plan_file: str | None) -> None:
    """Print the absolute path of a task's worktree: cd "$(git fleet path 42)".

    Without <task>, of the task in whose worktree you are.
    """
    from git_fleet.operations import context as contexts
    from git_fleet.operations.create import find

    front.answer(find(contexts.find(plan_file).plan, task or os.getcwd()).worktree)
