"""`git fleet run`: an agent for each task, in its worktree, in the background."""

import click

from git_fleet import front
from git_fleet.model.errors import Exit, Refused


class _Dashes(click.Command):
    """Keeps what comes after `--` apart: with click it would come after the tasks like one of them."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        at = args.index("--") if "--" in args else len(args)
        ctx.meta["git_fleet.words"] = tuple(args[at + 1 :])
        return super().parse_args(ctx, args[:at])


@click.command("run", cls=_Dashes, options_metavar="[<options>]")
@click.argument("tasks", nargs=-1, metavar="[<task>…] [-- <command>]")
@front.dry_option
@front.plan_option
@front.common
@click.pass_context
def command(ctx: click.Context, tasks: tuple[str, ...], dry_run: bool, plan_file: str | None) -> int:
    """Start the agent of each task in its worktree, in the background; without <task>, of that in whose worktree you
    are. The command is what comes after --, else that of the agent in your git configuration.

    When it ends, the task is marked as done, or as stuck. Exits with 3 when one was refused; the others are started.
    """
    from git_fleet.operations import agents, outlook
    from git_fleet.operations import context as contexts
    from git_fleet.operations.naming import find, find_here
    from git_fleet.output.escape import safe

    context = contexts.find(plan_file)
    view = outlook.view(context)
    contexts.refuse_broken_plan(view)
    wanted = [find(context.plan, name) for name in tasks] or [find_here(context.plan, None, "git fleet run")]
    code, say = Exit.DONE, front.listener()
    for task in dict.fromkeys(wanted):
        try:
            start = agents.prepare(context, view, task, ctx.meta["git_fleet.words"])
            if dry_run:
                front.answer(f"would start {safe(task.id)} in '{safe(start.worktree)}': {safe(start.command)}")
                continue
            front.answer(f"started {safe(task.id)}: process {agents.run(context, start, say)}")
        except Refused as error:
            front.complain(safe(error.message))
            front.hint(error.hints)
            code = Exit.REFUSED
    return code
