"""`git fleet status`: every task and worktree in one table."""

import click

from git_fleet import front


@click.command("status")
@front.wide_option
@front.plan_option
@front.json_option
@front.common
def command(plan_file: str | None, as_json: bool, wide: bool) -> None:
    """Show state, distance to the base, uncommitted work, drift and real conflicts of every task and worktree.

    Takes no lock and writes nothing.
    """
    import shlex
    import time

    from git_fleet.operations import glance

    early = click.get_current_context().obj
    first = early if isinstance(early, glance.Glance) else glance.begin()
    from git_fleet.operations import context as contexts
    from git_fleet.operations import outlook, survey, underway
    from git_fleet.output import status as speech

    context = contexts.with_marks(contexts.with_plan(contexts.of(first.repository, first.worktrees), plan_file))
    fleet = survey.fleet(context, outlook.view(context), first.dirt)
    if as_json:
        front.answer_json(speech.document(fleet))
    else:
        landing = underway.landing(context.repository, context.base)
        style = front.style(context.settings.color, wide=wide)
        front.answer(speech.text(fleet, style, now_s=int(time.time()), landing=landing))
        if context.settings.base is None and context.base.branch not in ("main", "master"):
            name = shlex.quote(context.base.branch)
            why = "the base may change with the branch or remote that it was taken from; this settles it"
            front.hint([f"git config fleet.base {name}   # {why}"], wanted=context.settings.hints)
