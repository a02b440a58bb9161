"""Both sides of a conflict, side by side."""

from collections.abc import Sequence

from git_fleet.model.sight import Hunk
from git_fleet.output import words
from git_fleet.output.escape import cut, safe, width
from git_fleet.output.style import BOLD, Style, ellipsis, paint

_UNLIMITED = 120
_LEAST = 12
_MOST = 20
"""Lines of one side that are shown."""
_NO_FILE = "(no such file)"
_NO_TEXT = "(not text)"


def side_by_side(hunks: Sequence[Hunk], left: str, right: str, style: Style) -> str:
    """Every hunk below its place, the two sides below their names, each cut to half of the terminal."""
    return "\n".join(_one(hunk, left, right, style) for hunk in hunks)


def _one(hunk: Hunk, left: str, right: str, style: Style) -> str:
    room = max(((style.limit or _UNLIMITED) - 7) // 2, _LEAST)
    ours, theirs = _lines(hunk.ours, hunk), _lines(hunk.theirs, hunk)
    longest = max(len(ours), len(theirs))
    rest = longest - _MOST
    rows = [(safe(left), safe(right))]
    for at in range(min(longest, _MOST)):
        rows.append((ours[at] if at < len(ours) else "", theirs[at] if at < len(theirs) else ""))
    place = safe(hunk.path) + (f", line {hunk.line}" if hunk.line else "")
    drawn = [f"    {_row(row, room, style, head=at == 0)}".rstrip() for at, row in enumerate(rows)]
    more = [f"    {ellipsis(style)} {words.count(rest, 'more line')}"] if rest > 0 else []
    return "\n".join([f"  {place}:", *drawn, *more])


def _row(row: tuple[str, str], room: int, style: Style, *, head: bool) -> str:
    left, right = (cut(text, room, ellipsis(style)) for text in row)
    tone = BOLD if head else ""
    return f"{paint(left, tone, style)}{' ' * (room - width(left))} | {paint(right, tone, style)}"


def _lines(text: str | None, hunk: Hunk) -> list[str]:
    """Safe lines, tabs as four blanks."""
    if text is None:
        return [_NO_FILE]
    if hunk.line is None and not hunk.ours and not hunk.theirs:
        return [_NO_TEXT]
    return [safe(line.expandtabs(4)) for line in text.removesuffix("\n").split("\n")] if text else []
