"""Pipe tables of a Markdown text, with the position of every cell, so that one cell can change and no other byte.

The grammar is that of GitHub's tables: a header line, a delimiter line with as many cells, then rows until a blank
line or the start of another block; outer pipes are optional, `\\|` is a pipe inside a cell, also in a code span. A
table in a code block, an HTML comment, a `<pre>` or a block quote is none. Positions count characters of the text.
"""

import itertools
import re
from collections.abc import Iterator
from typing import NamedTuple

MOST_COLUMNS = 500

_PIPE = re.compile(r"(?<!\\)\|")
_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|\Z)")
_DELIMITER = re.compile(r"\|?+[ \t]*+:?-++:?[ \t]*+(?:\|[ \t]*+:?-++:?[ \t]*+)*+\|?")
_OTHER_BLOCK = re.compile(
    r"(?:`{3,}[^`]*|~{3}.*|>.*|<[A-Za-z/!?].*|\#{1,6}(?:[ \t].*)?|(?:[-*+]|\d{1,9}[.)])(?:[ \t].*)?"
    r"|(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})\Z"
)
_FENCE = re.compile(r"(?P<list>(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*)(?P<marks>`{3,}(?=[^`]*\Z)|~{3,})")
_RAW_HTML = (
    (re.compile(r"<!--"), re.compile(r"-->")),
    (
        re.compile(r"<(?:pre|script|style|textarea)(?=[\s>]|\Z)", re.I),
        re.compile(r"</(?:pre|script|style|textarea)>", re.I),
    ),
)
_MOST_INDENT = 3


class Line(NamedTuple):
    """A line of the text: where it starts, what it says, and how it ends (`""` at the end of the text)."""

    number: int
    start: int
    text: str
    ending: str

    @property
    def end(self) -> int:
        """Where the line's text ends; its ending follows."""
        return self.start + len(self.text)


class Cell(NamedTuple):
    """What stands between two pipes: `text[start:end]`, blanks and backslashes included."""

    start: int
    end: int
    raw: str

    @property
    def value(self) -> str:
        """The cell's Markdown: trimmed, `\\|` read as a pipe."""
        return self.raw.strip().replace("\\|", "|")


class TableRow(NamedTuple):
    """One line of a table. There may be fewer or more cells than the header has."""

    line: Line
    cells: tuple[Cell, ...]
    closed: bool
    """Ends with a pipe."""


class Table(NamedTuple):
    """`delimiter` is the line of dashes below the header; `body` the lines of the rows."""

    header: TableRow
    delimiter: TableRow
    body: tuple[Line, ...]

    def rows(self) -> Iterator[TableRow]:
        """The rows, cut into cells one by one; cells that the header does not have are left out."""
        return (split(line, len(self.header.cells)) for line in self.body)


def lines(text: str) -> Iterator[Line]:
    """The lines of a text, whatever they end with: LF, CRLF, CR, or nothing."""
    for number, match in enumerate(_LINE.finditer(text), 1):
        if match[0] or match.start() == 0:
            yield Line(number, match.start(), match[1], match[2])


def tables(text: str) -> Iterator[Table]:
    """Every pipe table of the text, in order."""
    all_lines = tuple(lines(text))
    at = 0
    while at < len(all_lines):
        past = _past_block(all_lines, at)
        if past is not None:
            at = past
            continue
        table = _table(all_lines, at)
        if table is not None:
            yield table
        at += 2 + len(table.body) if table else 1


def split(line: Line, most: int = MOST_COLUMNS) -> TableRow:
    """At most `most` cells of one line: split at pipes that no backslash escapes, outer pipes dropped."""
    text = line.text
    begin = len(text) - len(text.lstrip())
    end = len(text.rstrip())
    pipes = [match.start() for match in itertools.islice(_PIPE.finditer(text, begin, end), most + 2)]
    edges = [*([] if pipes[:1] == [begin] else [begin - 1]), *pipes]
    closed = text[:end].endswith("|") and not text[:end].endswith("\\|")
    if not closed:
        edges.append(end)
    cells = tuple(
        Cell(line.start + left + 1, line.start + right, text[left + 1 : right])
        for left, right in itertools.pairwise(edges)
    )
    return TableRow(line, cells[:most], closed)


def refilled(cell: Cell, text: str) -> str:
    """The cell with another text, as wide as it was where that is possible."""
    bare = cell.raw.strip()
    if not bare:
        return f" {text} ".ljust(len(cell.raw)) if cell.raw[1:] else f" {text} "
    lead, _, trail = cell.raw.partition(bare)
    room = len(bare) + len(trail) - len(trail[:1])
    return lead + text.ljust(room) + trail[:1]


def _table(all_lines: tuple[Line, ...], at: int) -> Table | None:
    if at + 1 >= len(all_lines):
        return None
    head, dashes = all_lines[at], all_lines[at + 1]
    if (
        not 0 < head.text.count("|") <= MOST_COLUMNS
        or _indent(head.text) > _MOST_INDENT
        or not _is_delimiter(dashes.text)
    ):
        return None
    header, delimiter = split(head), split(dashes)
    if not header.cells or len(header.cells) != len(delimiter.cells):
        return None
    past = at + 2
    while past < len(all_lines) and _is_row(all_lines[past].text):
        past += 1
    return Table(header, delimiter, all_lines[at + 2 : past])


def _is_row(text: str) -> bool:
    bare = text.strip()
    return bool(bare) and _indent(text) <= _MOST_INDENT and not _OTHER_BLOCK.match(bare)


def _is_delimiter(text: str) -> bool:
    bare = text.strip()
    # A dash and a blank would be a list.
    return (
        len(bare) > 1
        and _indent(text) <= _MOST_INDENT
        and not (bare[0] == "-" and bare[1] in " \t")
        and _DELIMITER.fullmatch(bare) is not None
    )


def _past_block(all_lines: tuple[Line, ...], at: int) -> int | None:
    """The index after the fenced code, raw HTML or quoted line that starts here; None if none does."""
    text = all_lines[at].text
    bare = text.lstrip(" \t")
    if _indent(text) > _MOST_INDENT:
        return None
    if bare.startswith(">"):
        return at + 1
    for opening, closing in _RAW_HTML:
        if opening.match(bare):
            return next((n + 1 for n in range(at, len(all_lines)) if closing.search(all_lines[n].text)), len(all_lines))
    fence = _FENCE.match(bare)
    return _past_fence(all_lines, at, fence) if fence else None


def _past_fence(all_lines: tuple[Line, ...], at: int, fence: re.Match[str]) -> int:
    """Where the code ends: after its closing fence, or where the list item that holds it ends."""
    marks = fence["marks"]
    inside = _indent(all_lines[at].text) + len(fence["list"]) if fence["list"] else 0
    closing = re.compile(rf"{re.escape(marks[0])}{{{len(marks)},}}[ \t]*")
    for number in range(at + 1, len(all_lines)):
        text = all_lines[number].text
        if text.strip() and _indent(text) < inside:
            return number
        if _indent(text) - inside <= _MOST_INDENT and closing.fullmatch(text.lstrip(" \t")):
            return number + 1
    return len(all_lines)


def _indent(text: str) -> int:
    """Columns of blanks at the start; a tab goes to the next multiple of four."""
    column = 0
    for char in text:
        if char == " ":
            column += 1
        elif char == "\t":
            column += 4 - column % 4
        else:
            break
    return column
