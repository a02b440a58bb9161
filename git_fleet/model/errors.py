"""The error family. The kind of an error decides the exit code; the front door alone catches and exits.

Outcomes (a conflict, a red gate, a dry run) are values, not errors: see `landing.py`.
"""

from collections.abc import Sequence
from enum import IntEnum


class Exit(IntEnum):
    """What a process that ends tells the one who called it."""

    DONE = 0
    NO = 1
    BLOCK = 2
    REFUSED = 3
    STOPPED = 4
    GATE = 5
    BUSY = 75
    FATAL = 128
    USAGE = 129
    INTERRUPTED = 130
    PIPE = 141


def ending(status: int) -> str:
    """How a child ended that said nothing, in words."""
    return f"killed by signal {-status}" if status < 0 else f"exit status {status}"


class FleetError(Exception):
    """Something was not done. `hints` are the next things to type or to know, one sentence or command each."""

    code = Exit.FATAL
    label = "fatal"

    def __init__(self, message: str, hints: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hints = tuple(hints)


class Fatal(FleetError):
    """Cannot go on: no repository, a plan that cannot be read, an unsupported repository."""


class PlanError(Fatal):
    """A plan that cannot be read: `<file>:<line>: <what>`."""

    def __init__(self, what: str, file: str | None = None, line: int | None = None, hints: Sequence[str] = ()) -> None:
        place = "".join(f"{part}:" for part in (file, line) if part is not None)
        super().__init__(f"{place} {what}" if place else what, hints)
        self.file = file
        self.line = line


class GitError(Fatal):
    """A git command failed where it should not have."""

    def __init__(self, args: Sequence[str], status: int, stderr: str) -> None:
        self.argv = tuple(args)
        self.status = status
        self.stderr = stderr
        said = stderr.strip().splitlines()
        super().__init__(f"git {' '.join(args[:3])}: {said[0] if said else ending(status)}")


class Refused(FleetError):
    """Would risk work or break a rule; nothing was changed."""

    code = Exit.REFUSED
    label = "error"


class BrokenOff(Refused):
    """A git that was changing something was killed, or could not go on: something may be half done."""


class Stopped(FleetError):
    """A conflict waits for a human; until it is resolved or given up, nothing else lands."""

    code = Exit.STOPPED
    label = "error"


class Busy(FleetError):
    """Somebody else holds a lock, or won a race; safe to try again."""

    code = Exit.BUSY
    label = "error"


class LockedOut(Busy, BrokenOff):
    """A lock came in the way of a git that was changing something: try again when what is half done is put back."""


class Moved(Busy):
    """A ref is not where it was when the work on it began: nothing was moved."""


class Usage(FleetError):
    """The words on the command line are wrong."""

    code = Exit.USAGE
    label = "error"
