"""One cell or one row of a Markdown plan changes, and not one other byte, whatever stands around it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_fleet.model.errors import Refused
from git_fleet.model.plan import Row
from git_fleet.plan import markdown

FIELDS = (
    "title",
    "branch",
    "worktree",
    "owns",
    "needs",
    "status",
    "agent",
    "prompt",
    "checklist",
    "estimate",
    "priority",
)
HEADERS = (
    "ID",
    "Title",
    "Branch",
    "Folder",
    "Files",
    "Needs",
    "Status",
    "Agent",
    "Prompt",
    "Checklist",
    "Estimate",
    "Priority",
    "X",
)
CELL = st.text("ab1 `\\*_()<>#,.;-—é漢/", max_size=8).map(lambda text: text.replace("\\", "\\\\"))
END = st.sampled_from(["\n", "\r\n", "\r"])
VALUE = st.text("ab1 `\\*_()[]<>#|,.;-é漢/", min_size=1, max_size=10).filter(
    lambda text: text == " ".join(text.split()) and text not in ("-", "none")
)


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, list[tuple[int, int]]]:
    """A plan with three rows, and where their lines are; anything may stand in the cells, before and after."""
    end = draw(END)
    dressed = draw(st.booleans())

    def line(cells: list[str]) -> str:
        text = "|".join(cells)
        return f"|{text}|" if dressed else text

    around = draw(st.sampled_from(["", "words", "<!-- | a | -->", "# Title", "- item"]))
    text = draw(st.sampled_from(["", "\ufeff"])) + around + end * 2 + line(list(HEADERS)) + end
    text += line([" --- "] * len(HEADERS)) + end
    places = []
    for number in range(1, 4):
        cells = [f" {number} ", *(f" {draw(CELL)} " for _ in HEADERS[1:])]
        if draw(st.booleans()):
            cells = cells[: draw(st.integers(2, len(cells)))]
        begin = len(text)
        text += line(cells)
        places.append((begin, len(text) + len(end)))
        text += end
    text = text.removesuffix(end) if draw(st.booleans()) and not around else text + end + around
    return text, places


def rows(data: bytes) -> tuple[Row, ...]:
    return markdown.sheet("PLAN.md", data).rows


@given(documents(), st.sampled_from(FIELDS), st.integers(1, 3), st.lists(VALUE, max_size=3, unique=True))
def test_one_cell_changes(found: tuple[str, list[tuple[int, int]]], field: str, id: int, values: list[str]) -> None:
    text, places = found
    data = text.encode()
    before = rows(data)
    if [row.id for row in before] != ["1", "2", "3"]:
        return
    values = values if field in ("owns", "needs") else values[:1]
    begin, end = places[id - 1]
    try:
        after = markdown.with_value("PLAN.md", data, str(id), field, values).decode()
    except Refused:
        return
    assert after[:begin] == text[:begin]
    assert after.endswith(text[end:])
    line, changed = text[begin:end], after[begin : len(after) - len(text[end:])]
    cells, now = (re.split(r"(?<!\\)\|", one) for one in (line, changed))
    assert sum(a != b for a, b in zip(cells, now, strict=False)) <= 1 + abs(len(now) - len(cells))
    value = tuple(values) if field in ("owns", "needs") else next(iter(values), None)
    assert rows(after.encode()) == tuple(row._replace(**{field: value}) if row.id == str(id) else row for row in before)


@given(documents(), st.integers(1, 3))
def test_one_line_goes(found: tuple[str, list[tuple[int, int]]], id: int) -> None:
    text, places = found
    data = text.encode()
    if [row.id for row in rows(data)] != ["1", "2", "3"]:
        return
    begin, end = places[id - 1]
    assert markdown.without("PLAN.md", data, str(id)).decode() == text[:begin] + text[end:]


TABLE = (
    b"| Issue | Branch | Files owned | Depends on |\r\n|---|---|---|---|\r\n"
    b"| #42 count | `b` | `cli.py` (note) | - |\r\n| #43 | | | #42 |"
)


@pytest.mark.parametrize(
    ("id", "field", "values", "line"),
    [
        ("42", "title", ("count all",), "| #42 count all | `b` | `cli.py` (note) | - |"),
        ("42", "title", (), "| #42       | `b` | `cli.py` (note) | - |"),
        ("42", "branch", (), "| #42 count | —   | `cli.py` (note) | - |"),
        ("42", "owns", ("a|b", "c`d"), "| #42 count | `b` | `a\\|b`, ``c`d`` | - |"),
        ("42", "needs", ("43", "7"), "| #42 count | `b` | `cli.py` (note) | #43, #7 |"),
    ],
)
def test_cells_in_the_style_of_the_table(id: str, field: str, values: tuple[str, ...], line: str) -> None:
    old = b"| #42 count | `b` | `cli.py` (note) | - |"
    assert markdown.with_value("PLAN.md", TABLE, id, field, values) == TABLE.replace(old, line.encode())


@pytest.mark.parametrize(
    ("data", "id", "field", "values", "message"),
    [
        (TABLE, "42", "agent", ("claude",), "the table has no column for agent"),
        (TABLE, "44", "branch", ("b",), "no row for 44 any more"),
        (TABLE, "42", "title", ("a\u202eb",), "title holds an invisible character"),
        (TABLE, "42", "title", ("a  b",), "cannot hold title 'a  b'"),
        (TABLE + b"\r\n| 42 |", "42", "branch", ("b",), "lines 3, 5 are all task 42"),
        (TABLE.replace(b"#42 count", b"[#42](x) count"), "42", "title", ("b",), "the id cell is more than an id"),
    ],
)
def test_what_cannot_be_held_is_refused(
    data: bytes, id: str, field: str, values: tuple[str, ...], message: str
) -> None:
    with pytest.raises(Refused, match=message):
        markdown.with_value("PLAN.md", data, id, field, values)
