"""One sentence for every event and error, in git's style: no capital, no full stop."""

from collections.abc import Callable, Iterable

from git_fleet.model.errors import FleetError
from git_fleet.model.events import (
    AgentEnded,
    AgentsAtWork,
    AgentStarted,
    AtWork,
    Copied,
    Created,
    Event,
    Evicted,
    Gated,
    Gating,
    Landed,
    NotCreated,
    Note,
    NotRemoved,
    NotSetUp,
    Progress,
    Recovered,
    Removed,
    Removing,
)
from git_fleet.output import words
from git_fleet.output.escape import safe
from git_fleet.output.escape import width as columns

_COMMENT = "   # "
_COMMANDS = ("git ", "cd ")


def event(event: Event) -> str | None:
    """The sentence; None for progress and for what lanes and agents do, which are meters and no sentences."""
    match event:
        case Created(task, branch, worktree, existed, dry):
            verb = "would create" if dry else "created"
            did = f"{safe(task)} exists as planned:" if existed else f"{verb} {safe(task)}:"
            return f"{did} branch '{safe(branch)}' in '{safe(worktree)}'"
        case Copied(task, files, left_out, dry):
            did = f"{'would copy' if dry else 'copied'} {words.count(files, 'ignored file')} into {safe(task)}"
            rest = words.listed(f"{path} ({why})" for path, why in left_out)
            return f"{did}, but not: {rest}" if rest else did
        case NotCreated(task, why, _):
            return f"{safe(task)} was not created: {safe(why)}"
        case NotSetUp(task, why, log):
            return f"{safe(task)} is there, but was not set up: {safe(why)}{f', log: {safe(log)}' if log else ''}"
        case Gating(what, gate):
            return f"{safe(gate)} runs on {safe(what)}"
        case Gated():
            return _gated(event)
        case AgentStarted(task, pid):
            return f"started the agent of {safe(task)}: process {pid}"
        case AgentEnded(task, state, why):
            return f"the agent of {safe(task)} has ended: {state}{f' ({safe(why)})' if why else ''}"
        case Evicted(task, why):
            return f"{safe(task)} does not land: {safe(why)}"
        case Landed(task, branch, commit):
            return f"landed {safe(task)}: branch '{safe(branch)}' as {words.short(commit)}"
        case Removing(tasks, operation):
            return f"removing {words.listed(tasks, 10)}; to bring them back: git fleet undo {operation}"
        case Removed(task, worktree, branch, disposable):
            gone = [f"{kind} '{safe(name)}'" for kind, name in (("worktree", worktree), ("branch", branch)) if name]
            along = f", with {words.listed(disposable)}" if disposable else ""
            return f"removed {safe(task)}: {' and '.join(gone)}{along}"
        case NotRemoved(task, why):
            return f"{safe(task)} was put back: {safe(why)}"
        case Recovered(what):
            return safe(what)
        case Note(text):
            return safe(text)
        case Progress() | AtWork() | AgentsAtWork():
            return None


def lanes(event: AtWork, now: float, zone: Callable[[float], str]) -> list[str]:
    """A line a lane: what it tests, since when (`zone` makes a time of day of seconds since 1970), of how many."""
    told = []
    for lane, what, gate, began, place, total in event.lanes:
        of = f", {place} of {total}" if place and total else ""
        since = f"since {zone(began)} ({words.age(now - began)})"
        told.append(f"lane {lane}: {safe(gate)} runs on {safe(what)}{of}, {since}")
    return told


def agents(event: AgentsAtWork, now: float, zone: Callable[[float], str]) -> list[str]:
    """A line an agent: its task, since when, and what it said last."""
    return [
        f"{safe(task)} runs since {zone(began)} ({words.age(now - began)}){f': {safe(said)}' if said else ''}"
        for task, began, said in event.agents
    ]


def error(error: FleetError, width: int | None = None) -> list[str]:
    """`fatal: …` or `error: …` on one line, whatever names are in it, then the hints."""
    return [f"{error.label}: {safe(error.message)}", *hints(error.hints, width)]


def trust(changed: Iterable[tuple[str, str]]) -> str:
    """Of (what can run commands or copy files here, `new`, `changed` or `gone`) since that was known last."""
    told = words.listed(f"{name} ({what})" for name, what in changed)
    return f"what can run commands or copy files here has changed since git fleet knew it last: {told}"


def hints(hints: Iterable[str], width: int | None = None) -> list[str]:
    """`hint: …`, folded where it is wider than `width` columns."""
    room = (width or 0) - len("hint: ")
    return [f"hint: {part}" for hint in hints for part in _folded(safe(hint), room if width else 0)]


def _folded(line: str, room: int) -> list[str]:
    """The line in parts of at most `room` columns (0: any), but a command in one, so that it can be copied."""
    if not room or columns(line) <= room:
        return [line]
    command, mark, comment = line.partition(_COMMENT)
    if mark:
        return [*_folded(command, room), *_in_words(f"# {comment}", room)]
    said, mark, command = line.partition(": ")
    if mark and command.startswith(_COMMANDS):
        return [*_in_words(f"{said}:", room), f"  {command}"]
    return [line] if line.startswith(_COMMANDS) else _in_words(line, room)


def _in_words(text: str, room: int) -> list[str]:
    from textwrap import wrap

    return wrap(text, max(room, 20), subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _gated(event: Gated) -> str:
    verdict = "passed on a second try" if event.verdict == "flaky" else event.verdict
    time = " (known from before)" if event.cached else f" in {words.lasted(event.seconds)}"
    why = f": {safe(event.why)}" if event.why else ""
    log = f", log: {safe(event.log)}" if event.log and event.verdict == "flaky" else ""
    return f"{safe(event.gate)} {verdict} on {safe(event.what)}{time}{why}{log}"
