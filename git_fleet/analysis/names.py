"""Which names are safe: ids of tasks, names of branches. Stricter than git where git's laxness bites later."""

import re
import unicodedata

from git_fleet.model.portable import unportable

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_GIT_FORBIDS = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//")
_OBJECT_ID = re.compile(r"[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64}")
_INVISIBLE = frozenset(("Cc", "Cf", "Zl", "Zp"))
_MOST_BYTES = 200
_MOST_IN_ALL = 1_000
"""git keeps a branch in a file, with a log and a lock beside it, and a path has room for 4,096."""


def bad_id(id: str) -> str | None:
    """Why this is no id of a task; None if it is one."""
    if not id:
        return "the row has no id"
    if not _ID.fullmatch(id):
        return f"'{id}' is no id: at most 64 letters, digits and '.', '_', '-', the first a letter or digit"
    return None


def bad_branch(name: str) -> str | None:
    """Why no branch is given this short name; None if one may be.

    All that `git check-ref-format refs/heads/<name>` refuses, and names that git takes but that mislead it or people
    later: options, object ids, `HEAD`, `@`, `refs/…`, what cannot be seen, what some file systems cannot hold, parts
    too long for a lock file beside them.
    """
    if not name:
        return "it is empty"
    forbidden = _GIT_FORBIDS.search(name)
    if forbidden:
        return f"it holds {forbidden[0]!a}"
    if name.startswith("/") or name.endswith(("/", ".")):
        return "it starts or ends with a slash, or ends with a dot"
    for part in name.split("/"):
        if part.startswith(".") or part.endswith(".lock"):
            return f"'{part}' starts with a dot or ends with '.lock'"
        if len(part.encode("utf-8", "surrogateescape")) > _MOST_BYTES:
            return f"a part of it is longer than {_MOST_BYTES} bytes"
        why = unportable(part)
        if why:
            return why
    if len(name.encode("utf-8", "surrogateescape")) > _MOST_IN_ALL:
        return f"it is longer than {_MOST_IN_ALL:,} bytes"
    if name.startswith("-"):
        return "it starts with '-', like an option"
    if name in ("HEAD", "@"):
        return f"'{name}' is git's own name"
    if name.startswith("refs/"):
        return "it starts with 'refs/': give the short name"
    if _OBJECT_ID.fullmatch(name):
        return "it looks like an object id"
    hidden = next((char for char in name if unicodedata.category(char) in _INVISIBLE), None)
    return f"it holds the invisible character U+{ord(hidden):04X}" if hidden else None
