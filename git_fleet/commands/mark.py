"""`git fleet mark`: what an agent or a person says of a task."""

import click

from git_fleet import front
from git_fleet.model.errors import Usage
from git_fleet.model.fleet import MARKS, State


@click.command("mark")
@click.argument("state", metavar=f"({'|'.join(MARKS)})")
@click.argument("task", required=False, metavar="[<task>]")
@click.option("-m", "--message", "why", metavar="<why>", help="Say why; git fleet status shows it.")
@front.dry_option
@front.plan_option
@front.common
def command(state: str, task: str | None, why: str | None, dry_run: bool, plan_file: str | None) -> None:
    """Say how it stands with a task; without <task>, with that in whose worktree you are.

    The next mark takes the place of the last. done and approved hold until the branch moves. What is running,
    stuck or rejected does not land with the others.
    """
    from git_fleet.operations import context as contexts
    from git_fleet.operations import mark
    from git_fleet.operations.naming import find_here
    from git_fleet.output.escape import safe

    if state not in MARKS:
        raise Usage(f"'{state}' is nothing to mark a task as", [f"one of {', '.join(MARKS)}"])
    context = contexts.with_plan(contexts.find_without_plan(), plan_file)
    found = find_here(context.plan, task, f"git fleet mark {state}")
    make = mark.would if dry_run else mark.mark
    made = make(context, found, State(state), why)
    front.answer(f"{'would mark' if dry_run else 'marked'} {safe(made.task)} as {made.state}")
