"""`git fleet log`: what was done, newest first."""

import click

from git_fleet import front


@click.command("log")
@click.option("-n", "count", type=click.IntRange(min=1), default=20, metavar="<count>", help="At most so many.")
@front.json_option
@front.common
def command(count: int, as_json: bool) -> None:
    """List operations, newest first; their numbers are what git fleet undo takes."""
    import time

    from git_fleet.operations import undo
    from git_fleet.output import log as speech
    from git_fleet.repo import location, settings

    repository = location.locate()
    operations = undo.history(repository, count)
    if as_json:
        front.answer_json(speech.document(operations))
    else:
        style = front.style(settings.load(repository).color)
        front.answer(speech.text(operations, style, now_s=time.time()))
