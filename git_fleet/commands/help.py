"""`git fleet help`: the man page, found wherever the program was installed."""

import re
from types import MappingProxyType

import click

from git_fleet import front
from git_fleet.model.errors import Usage
from git_fleet.repo import process, shipped

_GUIDES = MappingProxyType({"plan-guide": "gitfleet-plan", "tutorial": "gitfleet-tutorial"})
_RENDERERS = (("mandoc", "-T", "utf8"), ("nroff", "-man"))


@click.command("help")
@click.argument("topic", required=False, metavar="[<command>|plan-guide|tutorial]")
@front.common
@click.pass_context
def command(context: click.Context, topic: str | None) -> None:
    """Show the manual page of git fleet, or a guide."""
    root = context.find_root()
    commands = _commands(root)
    guide = _GUIDES.get(topic or "")
    if topic and not guide and topic not in commands:
        raise Usage(f"no help for '{topic}'", [f"topics: {', '.join((*commands, *_GUIDES))}"])
    if guide:
        show("7", guide)
    else:
        show("1", "git-fleet")
    front.answer(_last_resort(root, topic).get_help(root))


def show(section: str, page: str) -> None:
    """Become the reader of a manual page, or print it; returns only where the page is nowhere to be found."""
    man = process.which("man")
    if man and process.run((man, "-w", section, page), cwd="/").status == 0:
        # git honours man.viewer; it cannot be told a section.
        process.replace(("git", "help", "-m", page) if section == "1" else (man, section, page))
    path = shipped.find(f"man/man{section}", f"{page}.{section}", "man")
    if path is None:
        return
    if man:
        process.replace((man, path))
    text = _plain(path)
    if text:
        front.answer(text)
        click.get_current_context().exit()


def _plain(path: str) -> str | None:
    """A manual page as plain text, or None where no formatter is installed."""
    renderer = next((words for words in _RENDERERS if process.which(words[0])), None)
    if renderer is None:
        return None
    done = process.run((*renderer, path), cwd="/")
    without_overstrike = re.sub(".\b", "", done.stdout)
    return re.sub("\033\\[[0-9;]*m", "", without_overstrike) if done.status == 0 else None


def _commands(root: click.Context) -> list[str]:
    return root.command.list_commands(root) if isinstance(root.command, click.Group) else []


def _last_resort(root: click.Context, topic: str | None) -> click.Command:
    """The command whose options are shown where no manual page can be."""
    found = root.command.get_command(root, topic) if topic and isinstance(root.command, click.Group) else None
    return found or root.command
