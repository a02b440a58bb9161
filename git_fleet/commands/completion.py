"""`git fleet completion`: the shell's completion file on stdout."""

from types import MappingProxyType

import click

from git_fleet import front
from git_fleet.model.errors import Fatal
from git_fleet.repo import shipped

_FILES = MappingProxyType(
    {
        "bash": ("bash-completion/completions", "git-fleet.bash"),
        "zsh": ("zsh/site-functions", "_git-fleet"),
        "fish": ("fish/vendor_completions.d", "git-fleet.fish"),
    }
)


@click.command("completion")
@click.argument("shell", type=click.Choice(list(_FILES)), metavar="bash|zsh|fish")
@front.common
def command(shell: str) -> None:
    """Print the completion file of a shell, to be evaluated or saved."""
    share, name = _FILES[shell]
    path = shipped.find(share, name, "completions")
    if path is None:
        raise Fatal(f"this installation has no completions for {shell}", ["install git fleet with pip or pipx"])
    with open(path, encoding="utf-8") as file:
        front.answer(file.read())
