"""`git fleet stop`: end agents."""

import click

from git_fleet import front
from git_fleet.model.errors import Exit, Refused


@click.command("stop")
@click.argument("tasks", nargs=-1, metavar="[<task>…]")
@front.dry_option
@front.plan_option
@front.common
def command(tasks: tuple[str, ...], dry_run: bool, plan_file: str | None) -> int:
    """End the agents of tasks, with all that they started: asked first, killed ten seconds later.

    Without <task>, of that in whose worktree you are; elsewhere, every agent that runs.
    """
    from git_fleet.model.errors import Usage
    from git_fleet.operations import agents
    from git_fleet.operations import context as contexts
    from git_fleet.operations.naming import find, find_here
    from git_fleet.output.escape import safe

    context = contexts.find(plan_file)
    try:
        ids = [find(context.plan, name).id for name in tasks] or [find_here(context.plan, None, "git fleet stop").id]
    except Usage:
        ids = [agent.task for agent in context.agents.values() if agent.alive]
    code = Exit.DONE
    for id in dict.fromkeys(ids):
        agent = context.agents.get(id)
        if agent is None or not agent.alive:
            front.note(f"no agent runs for {safe(id)}")
            continue
        if dry_run:
            front.answer(f"would stop {safe(id)}: process {agent.pid}")
            continue
        try:
            killed = agents.stop(context, agent)
            front.answer(f"stopped {safe(id)}: process {agent.pid}{', which had to be killed' if killed else ''}")
        except Refused as error:
            front.complain(safe(error.message))
            front.hint(error.hints)
            code = Exit.REFUSED
    if not ids:
        front.note("no agent runs")
    return code
