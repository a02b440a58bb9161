"""Tables fit the terminal, say what they hide, and stay aligned."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_fleet.output.escape import width
from git_fleet.output.style import WARM, Style
from git_fleet.output.table import Cell, Column, render

COLUMNS = (
    Column("id"),
    Column("title", drop=2, least=6),
    Column("wave", "right", drop=3),
    Column("branch", drop=1, least=8),
)
ROWS = (
    ("42", "count the open tasks", "1", "feature/42-count"),
    ("43", "docs", "12", "feature/43-docs"),
)


def test_piped_text_is_never_cut() -> None:
    assert render(COLUMNS, ROWS, Style()) == (
        "id  title                 wave  branch\n"
        "42  count the open tasks     1  feature/42-count\n"
        "43  docs                    12  feature/43-docs",
        0,
    )


@pytest.mark.parametrize(
    ("columns", "text", "hidden"),
    [
        (60, "id  title                 wave  branch\n42  count the open tasks     1  feature/42-count", 0),
        (40, "id  title           wave  branch\n42  count the ope…     1  feature/42-co…", 0),
        (20, "id  title       wave\n42  count the…     1", 1),
        (12, "id  wave\n42     1", 2),
        (4, "id\n42", 3),
        (1, "id\n42", 3),
    ],
)
def test_narrow_terminals(columns: int, text: str, hidden: int) -> None:
    assert render(COLUMNS, ROWS[:1], Style(width=columns)) == (text, hidden)


def test_the_ascii_twin() -> None:
    assert render(COLUMNS, ROWS[:1], Style(width=20, ascii=True)).text == "id  title       wave\n42  count t...     1"


def test_wide_shows_all_whatever_the_terminal() -> None:
    assert render(COLUMNS, ROWS, Style(width=20, wide=True)) == render(COLUMNS, ROWS, Style())


def test_a_column_with_nothing_to_say_is_no_hidden_one() -> None:
    rows = (("42", "", "", "x"),)
    assert render(COLUMNS, rows, Style(width=20)) == ("id  branch\n42  x", 0)


def test_no_rows_no_table() -> None:
    assert render(COLUMNS, (), Style()) == ("", 0)


def test_hostile_cells_are_escaped_and_wide_ones_aligned() -> None:
    rows = (("計画", "a\x1b[2Jb\nc", "1", "x"), ("42", "e\u0301", "2", "y"), ("\u0301", "z", "3", "007"))
    assert render(COLUMNS, rows, Style()).text == (
        "id    title         wave  branch\n"
        "計画  a\\x1b[2Jb\\nc     1  x\n"
        "42    e\u0301                2  y\n"
        "      z                3  007"
    )


def test_colour_changes_nothing_but_colour() -> None:
    rows = [("42", Cell("stuck", WARM), "1", "x")]
    plain, painted = render(COLUMNS, rows, Style()).text, render(COLUMNS, rows, Style(color=True)).text
    assert "\033[33mstuck\033[m" in painted
    assert "\033" not in plain
    for code in ("\033[33m", "\033[1m", "\033[m"):
        painted = painted.replace(code, "")
    assert painted == plain


cells = st.lists(st.tuples(*[st.text(max_size=30)] * 4), max_size=4)


@given(cells, st.integers(-3, 200), st.booleans())
def test_never_a_crash_and_never_too_wide_where_it_can_be_helped(
    rows: list[tuple[str, str, str, str]], columns: int, ascii: bool
) -> None:
    flexible = (Column("id", least=4), *COLUMNS[1:])
    table = render(flexible, rows, Style(width=columns, ascii=ascii))
    assert table.text.count("\n") == len(rows)
    if columns > 0:
        assert all(width(line) <= columns for line in table.text.splitlines())


def test_tabulate_is_loaded_by_tables_alone() -> None:
    from subprocess import run

    code = (
        "import sys; from git_fleet.output import plan, status, land, log, script, sentences; "
        "sys.exit('tabulate' in sys.modules)"
    )
    assert run([sys.executable, "-c", code], cwd=__file__.partition("/tests/")[0], check=False).returncode == 0
