"""The front door: finds the command, and is the one place that catches errors and exits.

Commands load when they are called: each file of `commands/` has one `command`.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from types import FrameType, MappingProxyType

import click

from git_fleet import __version__
from git_fleet.model.errors import Exit, Fatal, FleetError

SUMMARIES = MappingProxyType(
    {
        "init": "Start a plan",
        "plan": "Show tasks, waves, overlaps and problems",
        "graph": "Draw the plan as text, SVG, Mermaid or DOT",
        "add": "Create branch and worktree for tasks",
        "run": "Start agents in the worktrees of tasks",
        "stop": "End agents that run",
        "logs": "Print what the agent of a task has said",
        "go": "Go through the plan wave by wave: add, run, wait, land",
        "mark": "Say of a task that it is done, stuck, approved, ...",
        "status": "Show every task and worktree, and what conflicts",
        "check": "Find real conflicts and drift, uncommitted work included",
        "review": "Show what to read before the next branch lands; approve or reject it",
        "land": "Merge what is done onto the base, tested, one after another",
        "sync": "Bring the base into task branches, in their worktrees",
        "remove": "Remove worktree and branch of landed tasks",
        "clean": "Remove all that has landed; --purge empties the trash",
        "score": "Say whether working in parallel was worth it",
        "undo": "Take back the last operation",
        "log": "List operations",
        "doctor": "Find what is broken; --repair mends what is safe",
        "path": "Print the path of a task's worktree",
        "demo": "Play the whole loop in a throw-away repository",
        "help": "Show a manual page",
        "completion": "Print the completions for a shell",
    }
)
"""Every command, in the order of the work, with its line in the list."""


class _Formatter(click.HelpFormatter):
    """git writes `usage:`."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, args, "usage: ")


class _Context(click.Context):
    formatter_class = _Formatter


class Front(click.Group):
    """A group that knows its commands' names and lines without loading them."""

    context_class = _Context

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(SUMMARIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in SUMMARIES:
            return None
        command = import_module(f"git_fleet.commands.{cmd_name}").command
        assert isinstance(command, click.Command)
        command.context_class = _Context
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name in SUMMARIES:
            return super().resolve_command(ctx, args)
        raise click.UsageError(f"'{name}' is not a git fleet command; see 'git fleet -h'{_meant(name)}", ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))


def _meant(name: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, SUMMARIES, n=1)
    return f"\n\nThe most similar command is\n\t{close[0]}" if close else ""


@click.group(
    cls=Front,
    context_settings={"help_option_names": ["-h"], "max_content_width": 100},
    options_metavar="[-h] [--help] [--version]",
    subcommand_metavar="<command> [<args>]",
)
def front() -> None:
    """Carry a set of branches from plan to landed."""


def tree() -> click.Group:
    """The whole command tree, every command loaded."""
    group = click.Group("git fleet", params=list(front.params), context_settings=front.context_settings)
    with click.Context(front) as context:
        for name in SUMMARIES:
            group.add_command(front.get_command(context, name) or click.Command(name))
    return group


class _Ended(BaseException):
    """A signal asks us to end; not KeyboardInterrupt, which click has a word for of its own."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def _end(number: int, frame: FrameType | None) -> None:
    """Tidy up on the way out: a gate must not outlive us, nor its lane. Once is enough: git hands on what the terminal
    has sent to us already."""
    for again in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(again, signal.SIG_IGN)
    raise _Ended(number)


def main(args: Sequence[str] | None = None, early: object = None) -> None:
    """Run a command line and exit with its code. `early` is what was begun before, for the command that wants it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, _end)
    sys.stdout.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]
    words = list(sys.argv[1:] if args is None else args)
    sys.exit(_run(words, early))


def _run(words: list[str], early: object) -> int:
    if "--help" in _before_dashes(words):
        words = ["help", *[word for word in words[:1] if word in SUMMARIES]]
    try:
        if words[:1] == ["--version"]:
            click.echo(f"git-fleet {__version__}")
            return Exit.DONE
        code = front.main(words, prog_name="git fleet", standalone_mode=False, obj=early)
        sys.stdout.flush()
        if _asked_for_usage(words):
            return Exit.USAGE
        return int(code or Exit.DONE)
    except FleetError as error:
        _say(error)
        return error.code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else error.format_message(), err=True)
        return Exit.USAGE
    except click.UsageError as error:
        _say_usage(error)
        return Exit.USAGE
    except (SystemExit, BrokenPipeError):  # click exits when nobody reads its output any more
        return _end_of_pipe()
    except OSError as error:
        return _fatal(error)
    except click.ClickException as error:
        click.echo(f"fatal: {error.format_message()}", err=True)
        return Exit.FATAL
    except _Ended as ended:
        return _say_ended(ended.number, words)
    except (KeyboardInterrupt, click.Abort):
        return _say_ended(signal.SIGINT, words)


def _end_of_pipe() -> int:
    """End as git does. Until here the signal is ignored: a child that did not read its input must not end us."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGPIPE)
    return Exit.PIPE


def _fatal(error: OSError) -> int:
    """A disk that is full, a file that may not be read: nothing more is written to where it failed."""
    place = f"'{error.filename}': " if error.filename else ""
    _say(Fatal(f"{place}{error.strerror or error}", ["make room or give the right to it, then try again"]))
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return Exit.FATAL


def _before_dashes(words: list[str]) -> list[str]:
    return words[: words.index("--")] if "--" in words else words


def _asked_for_usage(words: list[str]) -> bool:
    """git itself answers `-h` with its usage and 129."""
    return "-h" in _before_dashes(words)


def _say(error: FleetError) -> None:
    from git_fleet.front import error_width
    from git_fleet.output import sentences

    for line in sentences.error(error, error_width()):
        click.echo(line, err=True)


def _say_ended(number: int, words: list[str]) -> int:
    """Said, and for other signals than SIGINT also done: whoever waits for us sees which signal it was."""
    click.echo("error: interrupted" if number == signal.SIGINT else f"error: ended by signal {number}", err=True)
    if words[:1] == ["go"]:
        click.echo("hint: agents that run go on: git fleet stop ends them, git fleet go goes on from here", err=True)
    if words[:1] and words[0] in ("add", "land", "sync", "remove", "clean", "undo", "doctor"):
        click.echo("hint: how far it came: git fleet log", err=True)
    if number == signal.SIGINT:
        return Exit.INTERRUPTED
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    return 128 + number


def _say_usage(error: click.UsageError) -> None:
    from git_fleet.output.escape import safe

    first, *more = error.format_message().split("\n")
    click.echo(f"error: {safe(first)}", err=True)
    for line in more:
        name = line.lstrip("\t")
        click.echo(f"{line[: len(line) - len(name)]}{safe(name)}", err=True)
    if error.ctx is not None:
        click.echo(error.ctx.get_usage(), err=True)
