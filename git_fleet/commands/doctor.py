"""`git fleet doctor`: what is wrong with a repository and its worktrees, and what may be done about it."""

import click

from git_fleet import front
from git_fleet.model.errors import Exit


@click.command("doctor")
@click.option("--repair", is_flag=True, help="Do what is safe; git fleet undo takes it back.")
@front.dry_option
@front.json_option
@front.common
def command(repair: bool, dry_run: bool, as_json: bool) -> int:
    """Find and explain what is broken, also where git itself fails: entries, locks, references, our own journal.

    Changes nothing without --repair. Ends with 1 when something is wrong.
    """
    from git_fleet.analysis import diagnosis
    from git_fleet.operations import doctor
    from git_fleet.output import doctor as speech
    from git_fleet.repo import location

    repository = location.locate()
    mend = repair and not dry_run
    operation, findings = doctor.repair(repository, front.listener()) if mend else (None, doctor.look(repository))
    if as_json:
        front.answer_json(speech.document(findings, operation))
    else:
        front.answer(speech.text(findings, front.style(), repaired=mend))
    if operation is not None:
        front.hint([f"git fleet undo {operation}   # takes the repair back"])
    return Exit.NO if any(diagnosis.is_wrong(one) for one in findings) else Exit.DONE
