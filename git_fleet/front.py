"""What every command shares: its common options, and how it speaks."""

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click

from git_fleet.model.events import AgentsAtWork, AtWork, Event, Gating, Listener, NotCreated, NotSetUp, Progress
from git_fleet.output.style import Style

if TYPE_CHECKING:
    from git_fleet.operations.context import Context

_MANY = 1_000

Function = TypeVar("Function", bound=Callable[..., Any])


def common(function: Function) -> Function:
    """-q, -v and --color, on every command; they stay in the click context, where `style` and `listener` find them."""
    for decorate in (
        click.option(
            "--color",
            type=click.Choice(["always", "never", "auto"]),
            expose_value=False,
            callback=_note,
            help="Colour the answer: when it goes to a terminal (auto), always or never.",
        ),
        click.option("-v", "--verbose", is_flag=True, expose_value=False, callback=_note, help="Say more."),
        click.option(
            "-q",
            "--quiet",
            is_flag=True,
            expose_value=False,
            callback=_note,
            help="Say nothing but the answer and errors.",
        ),
    ):
        function = decorate(function)
    return function


plan_option = click.option("--plan", "plan_file", metavar="<file>", help="Read the plan from this file.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
wide_option = click.option("--wide", is_flag=True, help="Show every column, whatever the terminal's width.")
dry_option = click.option("-n", "--dry-run", is_flag=True, help="Say what would be done, and do nothing.")


def _note(context: click.Context, parameter: click.Parameter, value: object) -> None:
    context.meta[f"git_fleet.{parameter.name}"] = value


def _meta(name: str) -> Any:
    return click.get_current_context().meta.get(f"git_fleet.{name}")


def style(configured: str = "auto", *, wide: bool = False) -> Style:
    """How to write for the reader of standard output."""
    terminal = sys.stdout.isatty()
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    return Style(
        width=_width(sys.stdout) if terminal else None,
        color=_color(configured, terminal=terminal or "GIT_PAGER_IN_USE" in os.environ),
        ascii=encoding != "utf8",
        wide=wide,
        verbose=bool(_meta("verbose")),
    )


def error_width() -> int | None:
    """Columns of the terminal that standard error goes to; None where it goes elsewhere."""
    return _width(sys.stderr) if sys.stderr.isatty() else None


def _width(stream: TextIO) -> int:
    told = os.environ.get("COLUMNS", "")
    if told.isdecimal() and int(told) > 0:
        return int(told)
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except OSError:
        return 80


def _color(configured: str, *, terminal: bool) -> bool:
    """`--color`, then NO_COLOR, then git's configuration, then whether anybody sees it."""
    wish = _meta("color")
    if wish in ("always", "never"):
        return bool(wish == "always")
    if os.environ.get("NO_COLOR"):
        return False
    if configured in ("always", "never", "false"):
        return configured == "always"
    return terminal and os.environ.get("TERM") != "dumb"


def listener() -> Listener:
    """Says events on standard error: progress on a terminal only, nothing with -q."""
    if _meta("quiet"):
        return _only_failures
    verbose = bool(_meta("verbose"))
    live = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    at_the_bottom: list[str] = []
    """The lines that stand at the bottom of the terminal, one for each lane or agent."""

    def say(event: Event) -> None:
        if isinstance(event, AtWork | AgentsAtWork):
            if live:
                _redraw(at_the_bottom, _at_work(event))
            return
        if isinstance(event, Progress):
            if live:
                end = "\n" if event.done == event.total else ""
                click.echo(f"\r{event.what}: {event.done}/{event.total}\033[K{end}", nl=False, err=True)
            return
        if isinstance(event, Gating) and (live or not verbose):
            return
        from git_fleet.output import sentences

        line = sentences.event(event)
        under = list(at_the_bottom)
        _redraw(at_the_bottom, [])
        if line is not None:
            failed = isinstance(event, NotCreated | NotSetUp)
            click.echo(f"error: {line}" if failed else line, err=True)
        _redraw(at_the_bottom, under)
        if isinstance(event, NotCreated):
            for more in sentences.hints(event.hints, error_width()):
                click.echo(more, err=True)

    return say


def _redraw(drawn: list[str], lines: list[str]) -> None:
    """Put `lines` in the place of those that stand there, and remember them."""
    if lines or drawn:
        up = f"\033[{len(drawn)}A\r\033[J" if drawn else ""
        drawn[:] = lines
        click.echo(up + "".join(f"{line}\n" for line in lines), nl=False, err=True)


def _at_work(event: AtWork | AgentsAtWork) -> list[str]:
    """A line for each lane or agent, in one row of the terminal."""
    import time

    from git_fleet.output import sentences
    from git_fleet.output.escape import cut

    def zone(began: float) -> str:
        return time.strftime("%H:%M:%S", time.localtime(began))

    now = time.time()
    told = sentences.lanes(event, now, zone) if isinstance(event, AtWork) else sentences.agents(event, now, zone)
    return [cut(line, _width(sys.stderr) - 1, "...") for line in told]


def _only_failures(event: Event) -> None:
    from git_fleet.output import sentences

    if isinstance(event, NotCreated | NotSetUp):
        click.echo(f"error: {sentences.event(event)}", err=True)


def verbose() -> bool:
    """Was -v given?"""
    return bool(_meta("verbose"))


def on_terminal() -> bool:
    """Does somebody look at standard output?"""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def redraw(text: str, footer: str, over: str) -> str:
    """Draw a frame over the one before, in one write; returns the frame as drawn."""
    from git_fleet.output import frame as frames

    columns, height = _width(sys.stdout), os.get_terminal_size(sys.stdout.fileno()).lines or 24
    frame = frames.fitted(text, footer, columns=columns, height=height)
    if frame != over:
        click.echo(frames.drawn(frame, over, columns), nl=False)
    return frame


def note(line: str) -> None:
    """What is worth knowing, on standard error; not with -q."""
    if not _meta("quiet"):
        click.echo(f"note: {line}", err=True)


def answer(text: str) -> None:
    """The answer goes to standard output, coloured or not as its style has said already; no answer, no line."""
    if text:
        click.echo(text, nl=not text.endswith("\n"), color=True)


def answer_raw(text: str) -> None:
    """Names for programs, as they are, one a line; on a terminal, what that would obey is made visible."""
    if sys.stdout.isatty():
        from git_fleet.output.escape import safe

        text = "\n".join(safe(line) for line in text.split("\n"))
    answer(text)


def pour(parts: Iterable[bytes]) -> None:
    """What some program has said, as it is, at once; on a terminal line by line, with what that would obey visible."""
    if not sys.stdout.isatty():
        for part in parts:
            sys.stdout.buffer.write(part)
            sys.stdout.buffer.flush()
        return
    left = b""
    for part in parts:
        *lines, left = (left + part).split(b"\n")
        for line in lines:
            _visible(line)
    if left:
        _visible(left)


def _visible(line: bytes) -> None:
    from git_fleet.output.escape import safe

    click.echo("\t".join(safe(part) for part in line.decode("utf-8", "surrogateescape").split("\t")))


def answer_utf8(text: str) -> None:
    """The same for formats that are UTF-8 whatever the terminal is."""
    click.echo(f"{text}\n".encode(), nl=False)


def answer_json(document: dict[str, object]) -> None:
    """One JSON object; bytes that are no text come out as escapes. A large one is on one line: that is much quicker."""
    import json

    large = any(len(part) > _MANY for part in document.values() if isinstance(part, list))
    click.echo(json.dumps(document, indent=None if large else 2, ensure_ascii=True))


def hint(lines: Sequence[str], *, wanted: bool = True) -> None:
    """What to type next goes to standard error."""
    if wanted and not _meta("quiet") and lines:
        from git_fleet.output import sentences

        for line in sentences.hints(lines, error_width()):
            click.echo(line, err=True)


def complain(line: str) -> None:
    """What was not done, although it was no error."""
    click.echo(f"error: {line}", err=True)


def say_what_changed(context: "Context") -> None:
    """Whoever can write here can have his commands run by a landing. It only informs, like `doctor`."""
    from git_fleet.output import sentences
    from git_fleet.repo import trust

    changed = trust.changed(context.repository)
    if changed:
        note(sentences.trust(changed))
        hint(["git fleet doctor; if it was you: git fleet doctor --repair"], wanted=context.settings.hints)
