"""`git fleet logs`: what an agent has said."""

import click

from git_fleet import front


@click.command("logs")
@click.argument("task", required=False, metavar="[<task>]")
@click.option("-f", "--follow", is_flag=True, help="Go on with what it says from now on, until it ends.")
@front.plan_option
@front.common
def command(task: str | None, follow: bool, plan_file: str | None) -> None:
    """Print what the last agent of a task has said; without <task>, of that in whose worktree you are.

    Of very much, only the end is kept.
    """
    from git_fleet.operations import agents
    from git_fleet.operations import context as contexts
    from git_fleet.operations.naming import find_here

    context = contexts.find(plan_file)
    found = find_here(context.plan, task, "git fleet logs")
    front.pour(agents.log(context, found, follow=follow))
