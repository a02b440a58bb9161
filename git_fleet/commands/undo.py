"""`git fleet undo`: take an operation back."""

import click

from git_fleet import front


@click.command("undo")
@click.argument("operation", type=int, required=False, metavar="[<operation>]")
@front.dry_option
@front.common
def command(operation: int | None, dry_run: bool) -> None:
    """Take back the last operation, or the named one of git fleet log.

    Only what it touched, and only if nothing of that has moved since. An undo can be undone.
    """
    from git_fleet.operations import context as contexts
    from git_fleet.operations import undo

    context = contexts.find()
    if dry_run:
        found = undo.would(context, operation)
        front.answer(f"would undo {found.id}: {found.summary}")
        return
    found = undo.undo(context, operation, front.listener())
    front.answer(f"undone {found.id}: {found.summary}")
