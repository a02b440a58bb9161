"""The plan as a table of a Markdown file: read whole, written cell by cell, every other byte as it was."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from git_fleet.model.errors import PlanError, Refused
from git_fleet.model.plan import Row
from git_fleet.plan import cells, files
from git_fleet.plan.legible import check_visible, decoded, unfit
from git_fleet.plan.names import nothing, split_title
from git_fleet.plan.rows import Table, TableRow, refilled, tables
from git_fleet.plan.sheet import COMMAND_WORDS, Sheet, command_ignored

_MOST_ROWS = 20_000
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
_MANY = ("owns", "needs")
_CODE_FIELDS = ("branch", "worktree", "owns", "prompt", "checklist")

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
    return sheet(path).rows


def sheet(path: str, data: bytes | None = None) -> Sheet:
    """The same, and what is left aside: columns that look like commands, and those that mean nothing here.

    Of these bytes instead of the file's, where they are given.
    """
    document = _document(path, files.read(path) if data is None else data)
    known = {*document.columns.values()}
    header = document.table.header
    others = {at: cells.plain(cell.value) or "" for at, cell in enumerate(header.cells) if at not in known}
    refused = [name for name in others.values() if name.casefold() in COMMAND_WORDS]
    return Sheet(
        rows=tuple(row for row, _ in _rows(document)),
        problems=tuple(command_ignored("column", name, header.line.number) for name in refused),
        others=tuple(f"column {name}" for name in others.values() if name),
    )


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
    edits = [_cell_edit(found[id], column, _raw(status)) for id, status in statuses.items()]
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
    data = files.read(path)
    files.write(path, with_row(path, data, row), expected=data)


def with_row(path: str, data: bytes, row: Row) -> bytes:
    """The file with a row more. Raises as `append` does."""
    document = _document(path, data)
    table = document.table
    last = table.body[-1] if table.body else table.delimiter.line
    ending = last.ending or table.header.line.ending
    new = ending + _written_row(document, row)
    changed = (document.mark + document.text[: last.end] + new + document.text[last.end :]).encode()
    written = tuple(one for one, _ in _rows(_document(path, changed)))[-1:]
    said = row._replace(line=None, status=None)
    if [one._replace(line=None, status=None) for one in written] != [said]:
        raise Refused(
            f"{document.shown}: the table cannot hold what task {row.id} says: {_lost(said, written)}",
            [f"add the column to {document.shown}, or write the row by hand"],
        )
    return changed


def with_value(path: str, data: bytes, id: str, field: str, values: Sequence[str]) -> bytes:
    """The file with one cell of one row changed and no other byte; no values: the cell says that there is nothing.

    Raises Refused when the table has no such column or row, or cannot hold the value; PlanError as `read` does.
    """
    document = _document(path, data)
    row, table_row = _only(document, id)
    new_value: dict[str, Any] = {field: tuple(values) if field in _MANY else next(iter(values), None)}
    wanted = row._replace(**new_value)
    why = next((why for value in values if (why := unfit(value))), None)
    if why:
        raise Refused(f"{document.shown}: {id}: {field} holds {why}: nothing was changed")
    column, text = _new_cell(document, wanted, table_row, field)
    start, end, new = _cell_edit(table_row, column, text)
    changed = (document.mark + document.text[:start] + new + document.text[end:]).encode()
    before = [one for one, _ in _rows(document)]
    after = [one for one, _ in _rows(_document(path, changed))]
    if after != [wanted if one.line == row.line else one for one in before]:
        said = ", ".join(values)
        raise Refused(
            f"{document.shown}:{row.line}: a cell of the table cannot hold {field} '{said}': nothing was changed"
        )
    return changed


def without(path: str, data: bytes, id: str) -> bytes:
    """The file without the line of one row. Raises Refused when there is no such row, PlanError as `read` does."""
    document = _document(path, data)
    row, table_row = _only(document, id)
    line, text = table_row.line, document.text
    changed = (document.mark + text[: line.start] + text[line.end + len(line.ending) :]).encode()
    kept = [one._replace(line=None) for one, _ in _rows(document) if one.line != row.line]
    if [one._replace(line=None) for one, _ in _rows(_document(path, changed))] != kept:
        raise Refused(f"{document.shown}:{row.line}: the table would read differently without this line")
    return changed


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


def rows_of(text: str) -> tuple[Row, ...]:
    """The rows of a text that `document` made, without their lines."""
    return tuple(row._replace(line=None) for row, _ in _rows(_document("PLAN.md", text.encode())))


def row_of_title(text: str) -> Row:
    """The row of a task typed on the spot: `45 retry uploads` is 45 "retry uploads"."""
    id, title = split_title(text)
    return Row(id=id, title=title)


# ------------------------------------------------------------------------------------------------------------- reading


def _document(path: str, data: bytes) -> _Document:
    shown = files.shown(path)
    mark, whole = decoded(data, shown)
    found = [(table, columns) for table in tables(whole) if (columns := _columns(table.header))]
    if not found:
        wanted = "a table with an id column (Issue, Task, ID or #) and a column Branch, Files owned or Depends on"
        raise PlanError(f"no plan here: {wanted} is missing", shown, 1)
    table, columns = found[0]
    if len(found) > 1:
        second, first = found[1][0].header.line.number, table.header.line.number
        raise PlanError(f"a second plan table; the first is in line {first}, and one file holds one", shown, second)
    _check_table(table, shown)
    return _Document(shown, mark, whole, table, columns)


def _check_table(table: Table, shown: str) -> None:
    if len(table.body) > _MOST_ROWS:
        raise PlanError(f"more than {_MOST_ROWS:,} rows", shown, table.body[_MOST_ROWS].number)
    for line in (table.header.line, table.delimiter.line, *table.body):
        check_visible(line, shown)


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


# ------------------------------------------------------------------------------------------------------------- writing


def _only(document: _Document, id: str) -> tuple[Row, TableRow]:
    """The row with this id. Raises Refused where there is none, or more than one."""
    found = [(row, table_row) for row, table_row in _rows(document) if row.id == id]
    if len(found) == 1:
        return found[0]
    if not found:
        raise Refused(f"{document.shown} has no row for {id} any more: nothing was changed")
    places = ", ".join(str(row.line) for row, _ in found)
    raise Refused(f"{document.shown}: lines {places} are all task {id}: which is meant?", ["correct the ids by hand"])


def _new_cell(document: _Document, row: Row, table_row: TableRow, field: str) -> tuple[int, str]:
    """The column that holds a field of this row, and what its cell has to say."""
    columns = document.columns
    column = columns.get(field)
    if field == "title" and column is None:
        column = columns["id"]
        cell = table_row.cells[column].value if column < len(table_row.cells) else ""
        if cells.plain(cell) != cell:
            where = f"{document.shown}:{row.line}"
            raise Refused(
                f"{where}: the id cell is more than an id and a title: nothing was changed", ["edit it by hand"]
            )
        return column, _written("id", row, titled=False, sharp=cell.startswith("#"))
    if column is None:
        heading = _HEADINGS.get(field, field.capitalize())
        raise Refused(
            f"{document.shown}: the table has no column for {field}: nothing was changed",
            [f"add a column '{heading}' to {document.shown}, then again"],
        )
    table = document.table
    ids = [one.cells[columns["id"]].raw for one in table.rows() if columns["id"] < len(one.cells)]
    return column, _written(field, row, titled=True, sharp=any("#" in id for id in ids))


def _raw(status: str) -> str:
    return " ".join(status.split()).replace("|", "\\|")


def _cell_edit(row: TableRow, column: int, text: str) -> tuple[int, int, str]:
    """(start, end, new text) that makes the cell say this; cells that the row lacks are added."""
    if column < len(row.cells):
        cell = row.cells[column]
        return cell.start, cell.end, refilled(cell, text)
    end = row.line.start + len(row.line.text.rstrip())
    missing = column - len(row.cells)
    return end, end, " |" * missing + f" {text} |" if row.closed else " |" * missing + f" | {text}"


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
    if field == "status":
        return _raw(text or "—")
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
