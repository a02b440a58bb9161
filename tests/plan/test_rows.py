"""The table lexer against a Markdown parser that knows GitHub's tables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from git_fleet.plan.rows import lines, tables

# Containers and HTML blocks are documented deviations: they have their own tests below.
DOCUMENTS = (
    "| a | b |\n|---|---|\n| 1 | 2 |\n",
    "a | b\n--|--\n1 | 2\n3\n",
    "text\n| a | b |\n|:-:|--:|\n| 1 | 2 | 3 |\n| 4 |\n\n| no | row |\n",
    "| a |\n|---|\n| 1 |\n# heading\n| 2 |\n",
    "| a |\n|---|\n| 1 |\n> quote | x\n",
    "| a |\n|---|\n| 1 |\n- list | x\n",
    "| a |\n|---|\n| 1 |\n1. list | x\n",
    "| a |\n|---|\n| 1 |\n***\n| 2 |\n",
    "| a |\n|---|\n| 1 |\n```\n| 2 |\n```\n",
    "| a |\n|---|\n| 1 |\n    | code |\n",
    "   | a | b |\n  |---|---|\n | 1 | 2 |\n",
    "    | a | b |\n    |---|---|\n    | 1 | 2 |\n",
    "\t| a | b |\n\t|---|---|\n",
    "| a | b |\n|---|\n| 1 | 2 |\n",
    "| a | b |\n| - | - |\n| `x\\|y` | \\| |\n| \\\\| | z |\n",
    "| a | b |\n- | -\n",
    "| a | b |\n|-|-|\n|||\n|1|\n||2|\n",
    "```\n| a | b |\n|---|---|\n```\n| c | d |\n|---|---|\n| 1 | 2 |\n",
    "~~~~ x\n```\n| a | b |\n|---|---|\n~~~\n~~~~\n| c | d |\n|---|---|\n",
    "``` a`b\n| a | b |\n|---|---|\n",
    "<!-- \n| a | b |\n|---|---|\n-->\n| c | d |\n|---|---|\n| 1 | 2 |\n",
    "<!-- one --> x\n| c | d |\n|---|---|\n",
    "<pre>\n\n| a | b |\n|---|---|\n</pre>\n| c | d |\n|---|---|\n",
    "# | Task\n--- | ---\n1 | x\n",
    "| a | b |\r\n|---|---|\r\n| 1 | 2 |\r\n",
    "| a | b |\r|---|---|\r| 1 | 2 |",
    "| a | b |\n|---|---|\n\u00a0| 1 | 2 |\u00a0\n",
    "|\n|-|\n",
    "| a || b |\n|---|---|---|\n| 1 || 2 |\n",
    "| a ||\n|---||\n",
)


def ours(text: str) -> list[list[list[str]]]:
    found = []
    for table in tables(text):
        width = len(table.header.cells)
        rows = [[cell.value for cell in row.cells] for row in (table.header, *table.rows())]
        found.append([row + [""] * (width - len(row)) for row in rows])
    return found


def theirs(text: str) -> list[list[list[str]]]:
    found: list[list[list[str]]] = []
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type == "inline" and found and token.level and token.map and found[-1] and token.level >= 4:
            found[-1][-1].append(token.content)
    return found


def opens_a_list(line: str) -> bool:
    """A container of its own, in which a Markdown parser starts again."""
    return f"{line.strip()} ".startswith("- ")


@pytest.mark.parametrize("text", DOCUMENTS)
def test_a_document_has_the_tables_that_a_markdown_parser_sees(text: str) -> None:
    assert ours(text) == theirs(text)


@given(st.lists(st.text("ab|\\` -:", max_size=12), max_size=4))
def test_cells_are_split_as_a_markdown_parser_splits_them(body: list[str]) -> None:
    text = "\n".join(["| h | i | j |", "|---|---|---|", *(line for line in body if not opens_a_list(line))])
    assert ours(text) == theirs(text)


@given(st.lists(st.text("ab|\\-: ", max_size=8), max_size=5))
def test_tables_are_found_where_a_markdown_parser_finds_them(body: list[str]) -> None:
    text = "\n".join(line for line in body if not opens_a_list(line))
    if not any(line.startswith("    ") for line in text.split("\n")):
        assert ours(text) == theirs(text)


@given(st.text("a|\\ \n\r", max_size=40))
def test_positions_are_those_of_the_text(noise: str) -> None:
    text = f"| h | i |\n|---|---|\n{noise}"
    assert "".join(line.text + line.ending for line in lines(text)) == text
    for table in tables(text):
        for row in table.rows():
            assert text[row.line.start : row.line.end] == row.line.text
            for cell in row.cells:
                assert text[cell.start : cell.end] == cell.raw


@pytest.mark.parametrize(
    "text",
    [
        "> | a | b |\n> |---|---|\n",
        "- x\n\n  ```\n  | a | b |\n  |---|---|\n  ```\n",
        "1. ```\n   | a | b |\n   |---|---|\n   ```\n",
        "<script>\n| a | b |\n|---|---|\n",
    ],
)
def test_a_table_that_is_quoted_or_code_is_none(text: str) -> None:
    assert ours(text) == []


def test_code_in_a_list_ends_with_its_item() -> None:
    assert ours("- ```\n  | a |\n  |---|\n\n| c |\n|---|\n") == [[["c"]]]


def test_a_million_blanks_take_no_time() -> None:
    blanks = " " * 1_000_000
    assert ours(f"| a |\n-{blanks}x\n|---{blanks}|\n") == []
