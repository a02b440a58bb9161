"""Gates: commands of the user's that must succeed on a merged tree, run in a lane.

A gate that cannot start, hangs, is killed or runs no test (125) has failed. A tree that passed is not tested again.
"""

import os
from collections.abc import Callable
from typing import NamedTuple

from git_fleet.journal import database
from git_fleet.model.events import Gated, Gating, Listener
from git_fleet.model.fleet import Base, Repository
from git_fleet.model.landing import GateResult
from git_fleet.model.settings import Gate, Settings
from git_fleet.operations import running
from git_fleet.repo import process


class Subject(NamedTuple):
    """What is tested: a tree, checked out in `lane`, and the task that it would land (None: the base itself)."""

    tree: str
    lane: str
    what: str
    task: str | None = None
    title: str = ""
    branch: str = ""


def run_all(
    repository: Repository,
    settings: Settings,
    journal: database.Journal,
    base: Base,
    subject: Subject,
    operation: int,
    say: Listener,
) -> GateResult:
    """Run every gate, in order, up to the first that fails: its result, else `passed` or `flaky` for all of them."""
    seconds, flaky, cached = 0.0, False, True
    for gate in settings.gates:
        say(Gating(subject.what, gate.name))
        result = _run(repository, settings, journal, base, subject, gate, operation)
        say(Gated(subject.what, *result))
        seconds += result.seconds
        flaky, cached = flaky or result.verdict == "flaky", cached and result.cached
        if result.verdict == "failed":
            return result
    return GateResult("", "flaky" if flaky else "passed", seconds, cached=cached)


def _run(
    repository: Repository,
    settings: Settings,
    journal: database.Journal,
    base: Base,
    subject: Subject,
    gate: Gate,
    operation: int,
) -> GateResult:
    known = journal.gate_result(subject.tree, gate.command)
    if known and known.verdict != "failed":
        journal.record_gate(subject.tree, gate.command, known, subject.task)
        return GateResult(gate.name, known.verdict, known.seconds, known.log, cached=True)

    def started(pid: int) -> None:
        running.note(journal, operation, gate=[pid, process.identity(pid)])

    result = _attempts(repository, settings, base, subject, gate, operation, started)
    row = database.GateRow(result.verdict, result.seconds, result.log)
    journal.record_gate(subject.tree, gate.command, row, subject.task)
    return result


def _attempts(
    repository: Repository,
    settings: Settings,
    base: Base,
    subject: Subject,
    gate: Gate,
    operation: int,
    started: Callable[[int], None],
) -> GateResult:
    """Once, and again on the same tree if it fails; passing only then is recorded as flaky."""
    folder = f"{repository.fleet_dir}/logs"
    os.makedirs(folder, exist_ok=True)
    log = f"{folder}/{operation}-{_plain(subject.task or 'base')}-{_plain(gate.name)}.log"
    seconds = 0.0
    for attempt in range(settings.gate_retries + 1):
        watched = process.run_watched(
            gate.command,
            cwd=subject.lane,
            env=_environment(base, subject),
            log=log,
            timeout_s=settings.gate_timeout_s,
            started=started,
        )
        seconds += watched.seconds
        why = watched.why or (f"exit status {watched.status}" if watched.status else None)
        if why is None:
            return GateResult(gate.name, "flaky" if attempt else "passed", seconds, log)
    return GateResult(gate.name, "failed", seconds, log, why)


def _environment(base: Base, subject: Subject) -> dict[str, str]:
    return {
        "FLEET_TASK": subject.task or "",
        "FLEET_TITLE": subject.title,
        "FLEET_BRANCH": subject.branch,
        "FLEET_BASE": base.branch,
        "FLEET_WORKTREE": subject.lane,
        "FLEET_LANDING": "1",
    }


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


def _plain(name: str) -> str:
    """A part of a file name that is safe on any file system."""
    return "".join(char if (char.isalnum() and char.isascii()) or char in "._-" else "-" for char in name)[:60]
