"""What a cell means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_fleet.plan import cells
from git_fleet.plan.rows import Line, split

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=30)


@pytest.mark.parametrize(
    ("cell", "owned"),
    [
        ("`cli.py` (dispatch + new fn)", ("cli.py",)),
        ("`README.md`, `CHANGELOG.md`", ("README.md", "CHANGELOG.md")),
        ("README.md, docs/my file.md; src/**<br>x.py<BR/>", ("README.md", "docs/my file.md", "src/**", "x.py")),
        ("`a.py` and `b.py`", ("a.py", "b.py")),
        ("`a.py`, b.py, tests", ("a.py", "b.py")),
        ("src/*.py, docs/*.md", ("src/*.py", "docs/*.md")),
        ("**/x.py, a/**", ("**/x.py", "a/**")),
        ("**cli.py**, __init__.py", ("cli.py", "__init__.py")),
        ("[cli.py](https://example.com/cli.py), [`x.py`](x.py)", ("x.py", "cli.py")),
        ("``a`b.py``", ("a`b.py",)),
        ("`(group)/page.ts` (see `other.py`)", ("(group)/page.ts",)),
        ("src/\\_\\_init\\_\\_.py (a (nested) note)", ("src/__init__.py",)),
        ("`a, b.py`", ("a, b.py",)),
        ("a.py, a.py", ("a.py",)),
        ("—", ()),
        ("none", ()),
        ("`—`", ()),
        ("(all of it)", ()),
        ("", ()),
    ],
)
def test_owned_paths(cell: str, owned: tuple[str, ...]) -> None:
    assert sorted(cells.patterns(cell)) == sorted(owned)


@pytest.mark.parametrize(
    ("cell", "needed"),
    [
        ("#41, #42", ("41", "42")),
        ("41 & 42 and #43;44<br>45 46", ("41", "42", "43", "44", "45", "46")),
        ("`feature/41-x`, #42", ("feature/41-x", "42")),
        ("after `41`", ("41",)),
        ("[#41](https://example.com/41) (merged)", ("41",)),
        ("candy", ("candy",)),
        ("n/a", ()),
        ("-", ()),
        ("–", ()),
    ],
)
def test_needs(cell: str, needed: tuple[str, ...]) -> None:
    assert sorted(cells.needs(cell)) == sorted(needed)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("**#42** count", "#42 count"),
        ("[#42](https://example.com/(x)) count", "#42 count"),
        ("[#42 count](url)", "#42 count"),
        ("snake_case and __dunder__", "snake_case and dunder"),
        ("2 * 3 * 4", "2 * 3 * 4"),
        ("`__init__`", "__init__"),
        ("None", None),
        (" N/A ", None),
    ],
)
def test_plain_text(cell: str, text: str | None) -> None:
    assert cells.plain(cell) == text


def test_one_value() -> None:
    assert cells.value("`feature/42-count` (new)") == "feature/42-count"
    assert cells.value("feature/42-count") == "feature/42-count"
    assert cells.value("—") is None


def through_a_row(markdown: str) -> str:
    row = split(Line(1, 0, f"| {markdown} |", ""))
    assert len(row.cells) == 1
    return row.cells[0].value


@given(TEXT)
def test_written_text_reads_as_it_was(text: str) -> None:
    said = " ".join(text.split())
    for notes in (True, False):
        read = cells.plain(through_a_row(cells.written_text(said, notes=notes)), notes=notes)
        assert read == cells.nothing(said)


@given(st.lists(TEXT.map(str.strip).filter(cells.nothing), unique=True, max_size=3))
def test_written_code_reads_as_it_was(values: list[str]) -> None:
    assert cells.patterns(through_a_row(cells.written_code(*values))) == tuple(values)
