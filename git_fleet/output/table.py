"""Tables for people: escaped, aligned, cut to the terminal."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from git_fleet.output.escape import cut, safe, width
from git_fleet.output.style import BOLD, Style, ellipsis, paint

GAP = 2


class Column(NamedTuple):
    """`drop`: 1 goes first when room is short, 0 stays always. `least`: may be cut to this width, 0 never."""

    header: str
    align: str = "left"
    drop: int = 0
    least: int = 0


class Cell(NamedTuple):
    """Text with a tone of `style.py`."""

    text: str
    tone: str = ""


class Table(NamedTuple):
    """Lines without a final newline, and how many columns were left out for want of room."""

    text: str
    hidden: int


def render(columns: Sequence[Column], rows: Sequence[Sequence[str | Cell]], style: Style) -> Table:
    """Lay the rows out below the headers, in at most `style.limit` columns where that can be done.

    A droppable column that has nothing to say in any row is left out and not counted as hidden. No rows, no table.
    """
    cells = [[_escaped(cell) for cell in row] for row in rows]
    if not cells:
        return Table("", 0)
    speaking = [i for i, column in enumerate(columns) if not column.drop or any(row[i].text for row in cells)]
    natural = {i: max(width(columns[i].header), *(width(row[i].text) for row in cells)) for i in speaking}
    shown = _kept(columns, natural, style.limit)
    room = _fitted(columns, shown, style.limit)
    head = [Cell(column.header, BOLD) for column in columns]
    lines = [[Cell(cut(row[i].text, room[i], ellipsis(style)), row[i].tone) for i in room] for row in (head, *cells)]
    return Table(_laid_out(lines, [columns[i].align for i in room], style), len(speaking) - len(shown))


def _escaped(cell: str | Cell) -> Cell:
    return cell._replace(text=safe(cell.text)) if isinstance(cell, Cell) else Cell(safe(cell))


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)


def _kept(columns: Sequence[Column], natural: dict[int, int], limit: int | None) -> dict[int, int]:
    """The columns that stay, with their natural widths: those that can be cut count with their least width.

    Where a wide one had to go, a narrow one that went before it may stay.
    """
    if limit is None:
        return natural
    least = {i: min(size, columns[i].least or size) for i, size in natural.items()}
    kept = [i for i in natural if not columns[i].drop]
    for i in sorted((i for i in natural if columns[i].drop), key=lambda i: (-columns[i].drop, i)):
        if _total([least[one] for one in (*kept, i)]) <= limit:
            kept.append(i)
    return {i: natural[i] for i in sorted(kept)}


def _fitted(columns: Sequence[Column], natural: dict[int, int], limit: int | None) -> dict[int, int]:
    """Widths that fit: the widest column that can be cut gives way first, down to one sign if it must."""
    if limit is None:
        return natural
    room = {i: min(size, limit) if columns[i].least else size for i, size in natural.items()}
    while _total([*room.values()]) > limit:
        widest = max((i for i in room if columns[i].least), key=room.__getitem__, default=None)
        if widest is None or room[widest] <= 1:
            break
        room[widest] -= 1
    return room


def _laid_out(lines: Sequence[Sequence[Cell]], align: Sequence[str], style: Style) -> str:
    """tabulate counts characters, not columns: it lays out stand-ins as long as the cells are wide.

    The header goes in as a row: as a header it would be padded by two.
    """
    from re import sub

    from tabulate import tabulate

    blank = [["x" * width(cell.text) for cell in line] for line in lines]
    plain = tabulate(blank, tablefmt="plain", colalign=align, disable_numparse=True)
    painted: Iterator[str] = (paint(cell.text, cell.tone, style) for line in lines for cell in line if width(cell.text))
    return "\n".join(line.rstrip() for line in sub("x+", lambda _: next(painted), plain).split("\n"))
