"""`git fleet remove`: worktree and branch of landed tasks."""

import click

from git_fleet import front
from git_fleet.model.errors import Exit


@click.command("remove")
@click.argument("tasks", nargs=-1, required=True, metavar="<task>…")
@front.dry_option
@front.json_option
@front.plan_option
@front.common
def command(tasks: tuple[str, ...], dry_run: bool, as_json: bool, plan_file: str | None) -> int:
    """Move worktrees of landed tasks to the trash and delete their branches; git fleet undo brings them back.

    Refuses modified, untracked and ignored files, commits that have not landed, locked worktrees and the one you stand
    in; then nothing is removed.
    """
    from git_fleet.operations import context as contexts
    from git_fleet.operations import outlook, remove
    from git_fleet.output import clean as speech

    context = contexts.find(plan_file)
    view = outlook.view(context)
    if dry_run:
        operation, judged = None, remove.judge(context, view, tasks)
    else:
        operation, judged = remove.remove(context, view, tasks, front.listener())
    if as_json:
        front.answer_json(speech.document(context.base, judged, operation, command="remove"))
    elif dry_run:
        front.answer(speech.lines(judged))
    remove.refuse(judged)
    return Exit.DONE
