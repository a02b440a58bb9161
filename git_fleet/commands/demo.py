"""`git fleet demo`: the whole job in a throw-away repository."""

import click

from git_fleet import front


@click.command("demo")
@click.option("--keep", is_flag=True, help="Leave the repository to play with, and say where it is.")
@click.argument("directory", required=False, metavar="[<directory>]")
@front.common
def command(keep: bool, directory: str | None) -> None:
    """Play the main job, from a plan to a green main, in a throw-away repository with scripted stand-ins for three
    agents. Every command is shown as a person types it, followed by what it really says.

    With <directory> (new or empty) the repository is made there and stays.
    """
    from git_fleet.operations.demo import play

    for line in play(directory, keep=keep):
        front.answer(line + "\n")
