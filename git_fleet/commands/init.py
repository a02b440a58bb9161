"""`git fleet init`: start a plan."""

import click

from git_fleet import front
from git_fleet.model.errors import Usage


@click.command("init")
@click.argument("patterns", nargs=-1, metavar="[<pattern>…]")
@click.option("--markdown", metavar="<file>", help="Write a Markdown table instead of git configuration.")
@click.option("--from-branches", is_flag=True, help="A task for each branch and worktree; patterns choose among them.")
@front.dry_option
@front.common
def command(patterns: tuple[str, ...], markdown: str | None, from_branches: bool, dry_run: bool) -> None:
    """Start a plan in .git/config, or in a Markdown file, with comments that explain it.

    In patterns, * stands for anything: 'pr/*'.
    """
    from git_fleet.operations import init

    if patterns and not from_branches:
        raise Usage("patterns choose branches: add --from-branches")
    started = init.start(markdown, patterns, from_branches=from_branches, dry_run=dry_run)
    front.answer(started.text)
    front.hint(started.hints)
