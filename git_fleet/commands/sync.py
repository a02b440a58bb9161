"""`git fleet sync`: the base comes into task branches, in their own worktrees."""

import click

from git_fleet import front
from git_fleet.model.errors import Exit


@click.command("sync")
@click.argument("tasks", nargs=-1, metavar="[<task>…]")
@click.option("--rebase", is_flag=True, help="Rebase the branches onto the base instead of merging it into them.")
@front.dry_option
@front.json_option
@front.plan_option
@front.common
def command(tasks: tuple[str, ...], rebase: bool, dry_run: bool, as_json: bool, plan_file: str | None) -> int:
    """Bring the base into task branches, each in its own worktree, for its own author to resolve what conflicts.

    Without <task>, all at work in a worktree and behind. A conflict waits in the branch's worktree, where git merge
    (rebase) --continue and --abort go on; exits with 4 then. Uncommitted work is refused.
    """
    from git_fleet.operations import context as contexts
    from git_fleet.operations import outlook, sync
    from git_fleet.output import sync as speech

    context = contexts.find(plan_file)
    view = outlook.view(context)
    contexts.refuse_broken_plan(view)
    if dry_run:
        operation, found = None, sync.would(context, view, tasks, rebase=rebase)
    else:
        operation, found = sync.sync(context, view, tasks, front.listener(), rebase=rebase)
    rows = [
        speech.Row(
            *(one.task.id, str(one.fate), one.before, one.after, one.paths, one.why, one.worktree),
            branch=one.task.branch,
            hints=one.hints,
        )
        for one in found
    ]
    if as_json:
        front.answer_json(speech.document(context.base, rows, operation))
    else:
        front.answer(speech.text(rows, context.base.branch, dry=dry_run))
    for line in speech.errors(rows):
        front.complain(line)
    front.hint(speech.hints(rows, rebase=rebase, dry=dry_run))
    if not dry_run and any(one.fate is sync.Fate.CONFLICT for one in found):
        return Exit.STOPPED
    refused = [one for one in found if one.fate is sync.Fate.REFUSED]
    if not refused:
        return Exit.DONE
    return Exit.BUSY if all(one.busy for one in refused) else Exit.REFUSED
