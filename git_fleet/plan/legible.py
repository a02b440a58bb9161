"""The text of a plan file: UTF-8 that shows what it says, or a PlanError with line and column."""

import re

from git_fleet.model.errors import PlanError
from git_fleet.plan.rows import Line, lines

_MOST_LINES = 200_000

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_CONFLICT = re.compile(r"^(?:<{7}|>{7})(?= |\r?$)", re.M)
_INVISIBLE = frozenset(("Cf", "Zl", "Zp"))


def decoded(data: bytes, shown: str) -> tuple[str, str]:
    """(byte order mark or nothing, the text). Raises PlanError for what is no text, or is in the middle of a merge."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line, column = place(data[: error.start].decode("utf-8"))
        raise PlanError(f"column {column}: byte 0x{data[error.start]:02X} is not UTF-8", shown, line) from None
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    text = text.removeprefix(mark)
    _check(text, shown)
    return mark, text


def _check(text: str, shown: str) -> None:
    if text.count("\n") + text.count("\r") > _MOST_LINES:
        raise PlanError(f"more than {_MOST_LINES:,} lines", shown, _MOST_LINES + 1)
    control = _CONTROL.search(text)
    if control:
        line, column = place(text[: control.start()])
        raise PlanError(f"column {column}: control character {_code_point(control[0])}", shown, line)
    conflict = _CONFLICT.search(text)
    if conflict:
        line, _ = place(text[: conflict.start()])
        raise PlanError("conflict markers: a merge of this file is unfinished", shown, line)


def check_visible(line: Line, shown: str) -> None:
    """What a reader cannot see, or sees elsewhere than it stands, has no place in a plan. Raises PlanError."""
    if line.text.isascii():
        return
    import unicodedata

    for column, char in enumerate(line.text, 1):
        if char > "\x7f" and unicodedata.category(char) in _INVISIBLE:
            raise PlanError(f"column {column}: invisible character {_code_point(char)}", shown, line.number)


def unfit(value: str) -> str | None:
    """Why a value can stand in no plan file: what of it nobody would see; None if it can."""
    if value.isascii() and value.isprintable():
        return None
    import unicodedata

    for char in value:
        if _CONTROL.match(char) or char in "\t\r\n":
            return f"a control character {_code_point(char)}"
        category = unicodedata.category(char)
        if category in _INVISIBLE:
            return f"an invisible character {_code_point(char)}"
        if category == "Cs":
            return "bytes that are not UTF-8"
    return None


def place(before: str) -> tuple[int, int]:
    """Line and column, from 1, of what follows this text."""
    last = list(lines(before + "."))[-1]
    return last.number, len(last.text)


def _code_point(char: str) -> str:
    return f"U+{ord(char):04X}"
