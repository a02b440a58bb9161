"""Names that not every file system can hold as they are: a fleet's folders and branches should move with its people."""

import re

MOST_BYTES = 250
"""Of the 255 that file systems allow a name: git numbers the entries of worktrees that are named alike."""

_DEVICES = re.compile(r"(?:con|prn|aux|nul|com[1-9]|lpt[1-9])(?:\..*)?", re.I | re.S)
_SHORT = re.compile(r"[^~]{1,6}~[1-9][0-9]*(?:\.[^.]{0,3})?")


def is_device(name: str) -> bool:
    """Is this one part of a path a device on Windows, whatever its extension?"""
    return _DEVICES.fullmatch(name) is not None


def unportable(name: str) -> str | None:
    """Why one part of a path cannot be relied on everywhere; None if it can."""
    if is_device(name):
        return f"'{name}' is a device on Windows"
    if ":" in name:
        return f"'{name}' holds a colon"
    if name != name.rstrip(". "):
        return f"'{name}' ends with a dot or a blank, which Windows drops"
    if _SHORT.fullmatch(name):
        return f"'{name}' looks like the short name that Windows gives to another file"
    if len(name.encode("utf-8", "surrogateescape")) > MOST_BYTES:
        return f"a part of it is longer than {MOST_BYTES} bytes"
    return None
