"""`git fleet clean`: worktrees and branches of all that has landed; with --purge, the trash."""

from typing import TYPE_CHECKING

import click

from git_fleet import front
from git_fleet.model.errors import Exit

if TYPE_CHECKING:
    from git_fleet.operations.context import Context


@click.command("clean")
@click.option("--purge", is_flag=True, help="Delete for good what is in the trash, and nothing else.")
@front.dry_option
@front.json_option
@front.plan_option
@front.common
def command(purge: bool, dry_run: bool, as_json: bool, plan_file: str | None) -> int:
    """Remove worktree and branch of everything that is proven landed, and entries whose folder was deleted.

    As careful as git fleet remove, and git fleet undo brings all of it back. What stays is listed with the reason.
    """
    from git_fleet.operations import context as contexts

    context = contexts.find(plan_file)
    return (
        _purge(context, dry_run=dry_run, as_json=as_json)
        if purge
        else _clean(context, dry_run=dry_run, as_json=as_json)
    )


def _clean(context: "Context", *, dry_run: bool, as_json: bool) -> int:
    from git_fleet.operations import clean
    from git_fleet.output import clean as speech

    operation, judged = (None, clean.judge(context)) if dry_run else clean.clean(context, front.listener())
    if as_json:
        front.answer_json(speech.document(context.base, judged, operation))
    else:
        front.answer(speech.text(judged, front.style(context.settings.color), context.repository.main))
    return Exit.DONE


def _purge(context: "Context", *, dry_run: bool, as_json: bool) -> int:
    import time

    from git_fleet.operations import purge
    from git_fleet.output import clean as speech

    operation, items = (None, purge.listed(context)) if dry_run else purge.purge(context, front.listener())
    if as_json:
        front.answer_json(speech.trash_document(items, operation))
    else:
        style = front.style(context.settings.color)
        front.answer(speech.trash_text(items, style, now_s=time.time(), deleted=not dry_run))
    kept = [item for item in items if item.kept]
    if not kept:
        return Exit.DONE
    front.complain(f"not deleted, for a reason: {len(kept)} of the trash; the first is '{kept[0].place}'")
    front.hint(["look there, and delete by hand what you can spare"])
    return Exit.REFUSED
