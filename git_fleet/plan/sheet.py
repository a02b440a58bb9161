"""What was read from one source: its rows as they stand there, and what else it says."""

from typing import NamedTuple

from git_fleet.model.plan import Problem, Row, Severity

COMMAND_WORDS = frozenset(("run", "check", "hook", "hooks", "command", "cmd", "exec", "script", "setup", "gate"))
"""Columns and keys that could be taken for commands; a plan never carries one."""


class Sheet(NamedTuple):
    """Rows in order; `problems` only where something of the source is left aside."""

    rows: tuple[Row, ...]
    problems: tuple[Problem, ...] = ()
    title: str | None = None
    """What the whole plan is about."""
    strategy: str | None = None
    tests: tuple[str, ...] = ()
    """Names of gates that the plan wants to have run."""
    others: tuple[str, ...] = ()
    """What the source holds besides and git fleet has no use for: columns, keys."""


def warning(code: str, message: str, line: int | None = None, *tasks: str) -> Problem:
    """Something that the user should know and that stops nothing."""
    return Problem(Severity.WARNING, code, message, tasks, line)


def command_ignored(kind: str, name: str, line: int | None) -> Problem:
    """A column or key that looks like a command."""
    return warning("command-ignored", f"{kind} '{name}' is ignored: a plan never carries a command", line)
