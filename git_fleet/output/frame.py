"""A screen that is drawn over itself: every frame is one piece of text, and the last one stays."""

import re

from git_fleet.output.escape import width

_HOLD, _SHOW = "\033[?2026h", "\033[?2026l"
"""Terminals that know synchronized output show the frame at once; others ignore this."""
_PAINT = re.compile(r"\033\[[0-9;]*m")


def rows(text: str, columns: int) -> int:
    """Rows that `text` takes on a terminal, wrapped lines counted."""
    lines = text.split("\n") if text else []
    return sum(max(1, -(-width(_PAINT.sub("", line)) // max(columns, 1))) for line in lines)


def fitted(text: str, footer: str, *, columns: int, height: int) -> str:
    """As many lines as a terminal of this height has room for, the footer always."""
    room = height - 1 - rows(footer, columns)
    lines = text.split("\n")
    if rows(text, columns) <= room:
        return f"{text}\n{footer}"
    kept: list[str] = []
    for line in lines:
        if rows("\n".join([*kept, line]), columns) > room - 1:
            break
        kept.append(line)
    return "\n".join([*kept, f"({len(lines) - len(kept)} more lines: run it without --watch)", footer])


def drawn(frame: str, over: str, columns: int) -> str:
    """What to write to the terminal so that `frame` stands where `over`, the frame before, stands now."""
    up = rows(over, columns)
    start = f"\033[{up}A\r" if up else ""
    body = "".join(f"{line}\033[K\n" for line in frame.split("\n"))
    return f"{_HOLD}{start}{body}\033[J{_SHOW}"
