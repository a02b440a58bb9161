"""One gate, once: a command of the user's that must succeed on a merged tree.

A gate that cannot start, hangs, is killed or runs no test (125) has failed. A pass is remembered for the tree, the
command and the environment; a failure for one landing only, since its cause may lie outside the tree.
"""

import os
import re
from collections.abc import Callable
from types import MappingProxyType
from typing import NamedTuple

from git_fleet.model.errors import Usage
from git_fleet.model.fleet import Repository
from git_fleet.model.landing import GateResult, Request
from git_fleet.model.settings import Gate, Settings
from git_fleet.operations import environment as environments
from git_fleet.operations.context import Context
from git_fleet.repo import process

NO_TEST = 125
_CANNOT_START = frozenset((126, 127))
_HOPELESS = MappingProxyType({NO_TEST: "it ran no test", **dict.fromkeys(_CANNOT_START, "it could not start")})
_OF_THE_SESSION = re.compile(
    r"(FLEET_|GIT_|SSH_|TMUX|XDG_SESSION|DBUS_|VSCODE_|WINDOWID$|DISPLAY$|WAYLAND_DISPLAY$|TERM|COLORTERM$|COLUMNS$"
    r"|LINES$|PWD$|OLDPWD$|SHLVL$|_$|INVOCATION_ID$|JOURNAL_STREAM$|STY$|PS[0-9]$|LS_COLORS$|EDITOR$|VISUAL$|PAGER$)"
)
"""Variables that differ from one terminal to the next and say nothing of how a test comes out."""


class Subject(NamedTuple):
    """What is tested: a commit and its tree, and the task that it would land (None: the base itself)."""

    tree: str
    commit: str
    what: str
    task: str | None = None
    title: str = ""
    branch: str = ""


def chosen(settings: Settings, request: Request) -> tuple[Gate, ...]:
    """The gates of a landing: the configured ones, those picked by name, or the commands typed instead of them.

    Raises Usage for a word that is neither a gate nor a program.
    """
    if not request.gates:
        return ()
    if not request.only:
        return settings.gates
    found: list[Gate] = []
    for wanted in request.only:
        named = [gate for gate in settings.gates if gate.name == wanted]
        if not named and re.fullmatch(r"[\w.-]+", wanted) and not process.which(wanted):
            names = ", ".join(dict.fromkeys(gate.name for gate in settings.gates)) or "none"
            raise Usage(f"'{wanted}' is neither a gate nor a program", [f"gates that are configured: {names}"])
        found += named or [Gate(wanted, wanted)]
    return tuple(dict.fromkeys(found))


def environment_digest() -> str:
    """What of our environment may decide how a test comes out, as a short text."""
    import hashlib

    kept = sorted((name, value) for name, value in os.environ.items() if not _OF_THE_SESSION.match(name))
    machine = os.uname()
    text = "\0".join(f"{name}={value}" for name, value in (*kept, ("", machine.sysname), ("", machine.machine)))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def log_path(repository: Repository, operation: int, number: int, subject: Subject, gate: Gate) -> str:
    """Where what it says is kept; no two runs share a log. Raises OSError."""
    folder = f"{repository.fleet_dir}/logs"
    os.makedirs(folder, exist_ok=True)
    return f"{folder}/{operation}-{number}-{plain(subject.task or 'base')}-{plain(gate.name)}.log"


def once(
    settings: Settings,
    gate: Gate,
    *,
    lane: str,
    env: dict[str, str],
    log: str,
    started: Callable[[int], bool],
    stop: int,
) -> GateResult:
    """Run it in the lane. `started` and `stop` as in `run_watched`."""
    watched = process.run_watched(
        gate.command, cwd=lane, env=env, log=log, timeout_s=settings.gate_timeout_s, started=started, stop=stop
    )
    hopeless = _HOPELESS.get(watched.status)
    why = watched.why or (f"exit status {watched.status}" if watched.status else None)
    if hopeless and not watched.why:
        why = f"{hopeless} ({why})"
    return GateResult(gate.name, "failed" if why else "passed", watched.seconds, log, why)


def is_hopeless(result: GateResult) -> bool:
    """Would the same come out again for certain?"""
    return bool(result.why) and str(result.why).startswith((*_HOPELESS.values(), "cannot start"))


def environment(context: Context, subject: Subject, lane: str, number: int, slot: int) -> dict[str, str]:
    """What a gate is told; `number` is the lane's in this landing, `slot` is its own among all worktrees."""
    task = environments.of(context, lane, slot, id=subject.task or "", title=subject.title, branch=subject.branch)
    return {**task, "FLEET_LANE": str(number), "FLEET_LANDING": "1"}


def last_lines(log: str | None, count: int = 10) -> list[str]:
    """The end of what a gate said, to show; nothing where it cannot be read."""
    try:
        with open(log or os.devnull, "rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 10_000))
            text = file.read().decode("utf-8", "surrogateescape")
    except OSError:
        return []
    return text.rstrip("\n").split("\n")[-count:] if text.strip() else []


def plain(name: str) -> str:
    """A part of a file name that is safe on any file system."""
    return "".join(char if (char.isalnum() and char.isascii()) or char in "._-" else "-" for char in name)[:60]
