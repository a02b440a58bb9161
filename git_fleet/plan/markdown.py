"""The plan as a table of a Markdown file: read whole, written cell by cell, every other byte as it was."""

import re
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from git_fleet.model.errors import PlanError, Refused
from git_fleet.model.plan import Row
from git_fleet.plan import cells, files
from git_fleet.plan.names import nothing, split_title
from git_fleet.plan.rows import Cell, Line, Table, TableRow, lines, tables

_MOST_ROWS = 20_000
_MOST_LINES = 200_000
_MOST_CELL = 64 * 1024

_FIELDS = MappingProxyType(
    {
        "title": ("title", "description"),
        "branch": ("branch",),
        "worktree": ("worktree", "folder"),
        "owns": ("files owned", "files", "owns"),
        "needs": ("depends on", "depends", "needs", "dependencies"),
        "status": ("status", "state"),
        "agent": ("agent", "owner"),
        "prompt": ("prompt",),
        "checklist": ("checklist",),
        "estimate": ("estimate", "estimated time"),
        "priority": ("priority",),
    }
)
# In this order: of `#` and `Task` in one header, `#` is the id and `Task` the title.
_ID_NAMES = ("id", "#", "issue", "task")
_SHAPE = ("branch", "owns", "needs")
_CODE_FIELDS = ("branch", "worktree", "owns", "prompt", "checklist")

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_CONFLICT = re.compile(r"^(?:<{7}|>{7})(?= |\r?$)", re.M)

_HEADINGS = MappingProxyType(
    {
        "id": "Issue",
        "branch": "Branch",
        "worktree": "Worktree",
        "owns": "Files owned",
        "needs": "Depends on",
        "status": "Status",
        "agent": "Agent",
        "prompt": "Prompt",
        "checklist": "Checklist",
        "estimate": "Estimate",
        "priority": "Priority",
    }
)
_ALWAYS = ("id", "branch", "worktree", "owns", "needs", "status")
_EXPLANATION = """\
<!--
One row a task. Code spans are values, text in parentheses is a note, a dash means nothing.

Issue        the task's id, and a few words: #42 count
Branch       its branch; a dash: made from the setting fleet.branch
Worktree     its folder, a bare name being a sibling of this repository; a dash: made from fleet.worktree
Files owned  what it may change, as gitignore-style patterns from the top: `src/count/`, `docs/**/*.md`
Depends on   the tasks that have to land first: #41, #42
Status       kept current by git fleet, which changes nothing else in this file

These may be added: Title, Agent, Prompt, Checklist, Estimate, Priority. See what follows from the plan: git fleet plan
-->
"""


class _Document(NamedTuple):
    """A plan file that has been read: its text without the byte order mark, and the one table that is a plan."""

    shown: str
    mark: str
    text: str
    table: Table
    columns: dict[str, int]


def read(path: str) -> tuple[Row, ...]:
    """The tasks of the one table with an id column and a column for branch, files or dependencies.

    Raises PlanError, naming file and line, for a file that is no plan or cannot be trusted to show what it says.
    """
    document = _document(path, files.read(path))
    return tuple(row for row, _ in _rows(document))


def set_status(path: str, statuses: Mapping[str, str]) -> bool:
    """Replace the text of the Status cell of tasks by id, and not one other byte; False without a Status column.

    Raises Refused when a task's row is gone, PlanError as `read` does.
    """
    document = _document(path, files.read(path))
    column = document.columns.get("status")
    if column is None:
        return False
    found = {row.id: table_row for row, table_row in _rows(document) if row.id in statuses}
    gone = [id for id in statuses if id not in found]
    if gone:
        raise Refused(f"{document.shown} has no row for {', '.join(gone)} any more: no status was written")
    edits = [_status_edit(found[id], column, status) for id, status in statuses.items()]
    text = document.text
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    if text != document.text:
        files.write(path, (document.mark + text).encode())
    return True


def append(path: str, row: Row) -> None:
    """Add a row below the last one, written as the others are.

    Raises Refused when the table has no column for something that the row says, PlanError as `read` does.
    """
    document = _document(path, files.read(path))
    table = document.table
    last = table.body[-1] if table.body else table.delimiter.line
    ending = last.ending or table.header.line.ending
    new = ending + _written_row(document, row)
    text = document.text[: last.end] + new + document.text[last.end :]
    data = (document.mark + text).encode()
    written = tuple(one for one, _ in _rows(_document(path, data)))[-1:]
    said = row._replace(line=None, status=None)
    if [one._replace(line=None, status=None) for one in written] != [said]:
        raise Refused(
            f"{document.shown}: the table cannot hold what task {row.id} says: {_lost(said, written)}",
            [f"add the column to {document.shown}, or write the row by hand"],
        )
    files.write(path, data)


def document(rows: Sequence[Row], title: str = "Plan") -> str:
    """The text of a new plan file with these tasks, explained by a comment."""
    fields = [field for field in _HEADINGS if field in _ALWAYS or any(getattr(row, field) for row in rows)]
    table = [
        [_HEADINGS[field] for field in fields],
        *([_written(field, row, titled=False, sharp=_is_number(row.id)) for field in fields] for row in rows),
    ]
    widths = [max(3, *(len(line[at]) for line in table)) for at in range(len(fields))]
    printed = [_line([cell.ljust(width) for cell, width in zip(line, widths, strict=True)]) for line in table]
    printed.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join([f"# {cells.written_text(title)}", "", _EXPLANATION, *printed, ""])


def row_of_title(text: str) -> Row:
    """The row of a task typed on the spot: `45 retry uploads` is 45 "retry uploads"."""
    id, title = split_title(text)
    return Row(id=id, title=title)


# ------------------------------------------------------------------------------------------------------------- reading


def _document(path: str, data: bytes) -> _Document:
    shown = files.shown(path)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        line, column = _place(before)
        raise PlanError(f"column {column}: byte 0x{data[error.start]:02X} is not UTF-8", shown, line) from None
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    text = text.removeprefix(mark)
    _check_text(text, shown)
    found = [(table, columns) for table in tables(text) if (columns := _columns(table.header))]
    if not found:
        wanted = "a table with an id column (Issue, Task, ID or #) and a column Branch, Files owned or Depends on"
        raise PlanError(f"no plan here: {wanted} is missing", shown, 1)
    table, columns = found[0]
    if len(found) > 1:
        second, first = found[1][0].header.line.number, table.header.line.number
        raise PlanError(f"a second plan table; the first is in line {first}, and one file holds one", shown, second)
    _check_table(table, shown)
    return _Document(shown, mark, text, table, columns)


def _check_text(text: str, shown: str) -> None:
    if text.count("\n") + text.count("\r") > _MOST_LINES:
        raise PlanError(f"more than {_MOST_LINES:,} lines", shown, _MOST_LINES + 1)
    control = _CONTROL.search(text)
    if control:
        line, column = _place(text[: control.start()])
        raise PlanError(f"column {column}: control character {_code_point(control[0])}", shown, line)
    conflict = _CONFLICT.search(text)
    if conflict:
        line, _ = _place(text[: conflict.start()])
        raise PlanError("conflict markers: a merge of this file is unfinished", shown, line)


def _check_table(table: Table, shown: str) -> None:
    if len(table.body) > _MOST_ROWS:
        raise PlanError(f"more than {_MOST_ROWS:,} rows", shown, table.body[_MOST_ROWS].number)
    for line in (table.header.line, table.delimiter.line, *table.body):
        _check_visible(line, shown)


def _check_visible(line: Line, shown: str) -> None:
    """What a reader cannot see, or sees elsewhere than it stands, has no place in a plan."""
    if line.text.isascii():
        return
    import unicodedata

    for column, char in enumerate(line.text, 1):
        if char > "\x7f" and unicodedata.category(char) in ("Cf", "Zl", "Zp"):
            raise PlanError(f"column {column}: invisible character {_code_point(char)}", shown, line.number)


def _columns(header: TableRow) -> dict[str, int] | None:
    """Field -> index of its column; None if this is no plan."""
    names = [(cells.plain(cell.value) or "").casefold() for cell in header.cells]
    columns = {
        field: next(at for at, name in enumerate(names) if name in synonyms)
        for field, synonyms in _FIELDS.items()
        if not {*names}.isdisjoint(synonyms)
    }
    ids = [names.index(name) for name in _ID_NAMES if name in names]
    if not ids or not any(field in columns for field in _SHAPE):
        return None
    columns["id"] = ids[0]
    if len(ids) > 1:
        columns.setdefault("title", ids[-1])
    return columns


def _rows(document: _Document) -> Iterator[tuple[Row, TableRow]]:
    for table_row in document.table.rows():
        for cell in table_row.cells:
            if len(cell.raw) > _MOST_CELL:
                raise PlanError(f"a cell of more than {_MOST_CELL // 1024} KiB", document.shown, table_row.line.number)
        row = _row(table_row, document.columns)
        if any(part for part in row[:-1]):
            yield row, table_row


def _row(table_row: TableRow, columns: Mapping[str, int]) -> Row:
    said = {field: table_row.cells[at].value if at < len(table_row.cells) else "" for field, at in columns.items()}
    id, title = split_title(cells.plain(said["id"]) or "")
    return Row(
        id=id,
        title=cells.plain(said.get("title", ""), notes=False) or title,
        branch=cells.value(said.get("branch", "")),
        worktree=cells.value(said.get("worktree", "")),
        owns=cells.patterns(said.get("owns", "")),
        needs=cells.needs(said.get("needs", "")),
        status=nothing(said.get("status")),
        agent=cells.value(said.get("agent", "")),
        prompt=cells.value(said.get("prompt", "")),
        checklist=cells.value(said.get("checklist", "")),
        estimate=cells.value(said.get("estimate", "")),
        priority=cells.value(said.get("priority", "")),
        line=table_row.line.number,
    )


def _place(before: str) -> tuple[int, int]:
    """Line and column, from 1, of what follows this text."""
    last = list(lines(before + "."))[-1]
    return last.number, len(last.text)


def _code_point(char: str) -> str:
    return f"U+{ord(char):04X}"


# ------------------------------------------------------------------------------------------------------------- writing


def _status_edit(row: TableRow, column: int, status: str) -> tuple[int, int, str]:
    """(start, end, new text) that makes the Status cell say this; cells that the row lacks are added."""
    text = " ".join(status.split()).replace("|", "\\|")
    if column < len(row.cells):
        cell = row.cells[column]
        return cell.start, cell.end, _refilled(cell, text)
    end = row.line.start + len(row.line.text.rstrip())
    missing = column - len(row.cells)
    return end, end, " |" * missing + f" {text} |" if row.closed else " |" * missing + f" | {text}"


def _refilled(cell: Cell, text: str) -> str:
    """The cell with another text, as wide as it was where that is possible."""
    bare = cell.raw.strip()
    if not bare:
        return f" {text} ".ljust(len(cell.raw)) if cell.raw[1:] else f" {text} "
    lead, _, trail = cell.raw.partition(bare)
    room = len(bare) + len(trail) - len(trail[:1])
    return lead + text.ljust(room) + trail[:1]


def _written_row(document: _Document, row: Row) -> str:
    """The row as a line in the style of the table: outer pipes, indent, widths, `#`."""
    table = document.table
    model = list(table.rows())[-1] if table.body else table.header
    at_field = {at: field for field, at in document.columns.items()}
    sharp = "#" in model.cells[document.columns["id"]].raw if table.body else _is_number(row.id)
    filled = []
    for at, dashes in enumerate(table.delimiter.cells):
        field = at_field.get(at)
        text = _written(field, row, titled="title" in document.columns, sharp=sharp) if field else ""
        filled.append(text.ljust(len(dashes.raw) - 2))
    text = model.line.text
    line = _line(filled)
    if not text.lstrip().startswith("|"):
        line = line[2:]
    if not model.closed:
        line = line.removesuffix("|").rstrip()
    return text[: len(text) - len(text.lstrip())] + line


def _written(field: str, row: Row, *, titled: bool, sharp: bool) -> str:
    if field == "id":
        title = "" if titled or row.title is None else f" {cells.written_text(row.title)}"
        # Without a digit, only `#` tells an id from the first word of a title.
        mark = "#" if sharp or (title and not _has_digit(row.id)) else ""
        return f"{mark}{row.id}{title}"
    if field == "title":
        return cells.written_text(row.title, notes=False)
    if field == "needs":
        return ", ".join(f"#{need}" if sharp else need for need in row.needs) or "—"
    if field == "owns":
        return cells.written_code(*row.owns)
    text = getattr(row, field)
    return cells.written_code(text or "") if field in _CODE_FIELDS else cells.written_text(text)


def _line(filled: Sequence[str]) -> str:
    return "| " + " | ".join(filled) + " |"


def _lost(said: Row, written: Sequence[Row]) -> str:
    kept = written[0] if written else Row("")
    return ", ".join(field for field in (*_FIELDS, "id") if getattr(said, field) != getattr(kept, field))


def _is_number(id: str) -> bool:
    return id.isdecimal()


def _has_digit(id: str) -> bool:
    return any(char.isdigit() for char in id)
