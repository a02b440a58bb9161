"""`git fleet remove`: worktree and branch of landed tasks."""

import click

from git_fleet import front
from git_fleet.model.errors import Exit


@click.command("remove")
@click.argument("tasks", nargs=-1, required=True, metavar="<task>…")
@front.dry_option
@front.plan_option
@front.common
def command(tasks: tuple[str, ...], dry_run: bool, plan_file: str | None) -> int:
    """Move worktrees of landed tasks to the trash and delete their branches; git fleet undo brings them back.

    Refuses modified, untracked and ignored files, commits that have not landed, locked worktrees and the one you stand
    in; then nothing is removed.
    """
    from git_fleet.operations import context as contexts
    from git_fleet.operations import outlook, remove

    context = contexts.find(plan_file)
    view = outlook.view(context)
    if dry_run:
        judged = remove.judge(context, view, tasks)
        front.answer(
            "".join(f"{one.task.id}: {one.verdict.fate}: {', '.join(one.verdict.reasons)}\n" for one in judged)
        )
        return Exit.REFUSED if any(one.verdict.fate != "remove" for one in judged) else Exit.DONE
    remove.remove(context, view, tasks, front.listener())
    return Exit.DONE
