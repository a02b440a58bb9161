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
    from git_fleet.output.escape import safe

    context = contexts.find()
    if dry_run:
        found = undo.would(context, operation)
        redone, what = undo.meaning(found)
        front.answer(f"would redo: {safe(what)}" if redone else f"would undo {found.id}: {safe(what)}")
        return
    found = undo.undo(context, operation, front.listener())
    redone, what = undo.meaning(found)
    if not redone:
        front.answer(f"undone {found.id}: {safe(what)}")
        return
    front.answer(f"redone: {safe(what)}")
    further = undo.further_back(context.repository, found)
    if further and operation is None:
        both = " && ".join(f"git fleet undo {one.id}" for one in further)
        front.hint(
            [f"to go further back instead: {both}   # {safe(further[-1].summary)}"], wanted=context.settings.hints
        )
