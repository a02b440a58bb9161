"""`git fleet init`: start a plan."""

import click

from git_fleet import front
from git_fleet.model.errors import Usage


@click.command("init")
@click.argument("patterns", nargs=-1, metavar="[<pattern>…]")
@click.option("--markdown", metavar="<file>", help="Write a Markdown table instead of git configuration.")
@click.option("--from", "file", metavar="<file>", help="The tasks of a plan in another form: YAML, Markdown.")
@click.option(
    "--from-issues", "issues", metavar="<file>|-", help="A task for each issue of what gh issue list --json prints."
)
@click.option("--from-branches", is_flag=True, help="A task for each branch and worktree; patterns choose among them.")
@front.dry_option
@front.common
def command(
    patterns: tuple[str, ...],
    markdown: str | None,
    file: str | None,
    issues: str | None,
    from_branches: bool,
    dry_run: bool,
) -> None:
    """Start a plan in .git/config, or in a Markdown file, with comments that explain it.

    In patterns, * stands for anything: 'pr/*'.
    """
    from git_fleet.model.events import Note
    from git_fleet.operations import init

    if patterns and not from_branches:
        raise Usage("patterns choose branches: add --from-branches")
    if sum((file is not None, issues is not None, from_branches)) > 1:
        raise Usage("--from, --from-issues and --from-branches are three beginnings: choose one")
    data = _read(issues) if issues is not None else b""
    shown = "standard input" if issues == "-" else issues
    started = init.start(markdown, init.Origin(from_branches, patterns, file, shown, data), dry_run=dry_run)
    front.answer(started.text)
    say = front.listener()
    for note in started.notes:
        say(Note(note))
    front.hint(started.hints)


def _read(name: str) -> bytes:
    """A list of issues, no more of it than is ever taken."""
    import os

    from git_fleet.plan import files
    from git_fleet.plan.issues import MOST_BYTES

    if name != "-":
        return files.read(os.path.abspath(name))
    with click.open_file("-", "rb") as stream:
        data: bytes = stream.read(MOST_BYTES + 1)
    return data
