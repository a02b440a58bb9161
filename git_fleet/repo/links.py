"""Small files of a worktree's administration, and its `.git`: read whole, replaced in one step."""

import os
from contextlib import suppress

from git_fleet.model.errors import Refused

DRAFT = ".fleet-new"


def write(path: str, text: str, expected: str | None) -> None:
    """Replace a small file of a worktree's administration, or its `.git`, in one step. None: it is not there.

    Raises Refused when it does not say what is expected any more.
    """
    fresh = f"{path}{DRAFT}"
    try:
        file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        with os.fdopen(file, "w", encoding="utf-8", errors="surrogateescape", newline="") as new:
            new.write(text)
            new.flush()
            os.fsync(new.fileno())
        if said(path) != expected:
            raise Refused(f"'{path}' was changed meanwhile: nothing was written", ["git fleet doctor"])
        os.rename(fresh, path)
    except OSError as error:
        raise Refused(f"'{path}' cannot be written: {error.strerror}") from error
    finally:
        forget_draft(path)


def forget_draft(path: str) -> None:
    """What a killed `write` left beside the file."""
    with suppress(OSError):
        os.unlink(f"{path}{DRAFT}")


def said(path: str) -> str | None:
    """What it holds; None where it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
            return file.read()
    except OSError:
        return None
