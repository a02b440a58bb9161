"""CASES.md is complete and true: every number is there once, and every test that it names exists."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from kit import ROOT

CASES = Path(__file__).with_name("CASES.md")


class Case(NamedTuple):
    """A row of the table."""

    number: int
    what: str
    does: str
    tests: tuple[str, ...]
    without: str
    """What stands in the place of tests."""


def cases() -> Iterator[Case]:
    for line in CASES.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)]
        if len(cells) == 6 and cells[1].isdecimal():
            found = tuple(re.findall(r"`([^`]+\.py::[^`]+)`", cells[4]))
            yield Case(int(cells[1]), cells[2], cells[3], found, cells[4] if not found else "")


def functions(path: str) -> set[str]:
    tree = ast.parse((ROOT / "tests" / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_all_numbers_in_their_order() -> None:
    assert [case.number for case in cases()] == list(range(1, 126))


def test_every_case_says_what_it_is_and_what_the_program_does() -> None:
    assert [case.number for case in cases() if len(case.what) < 8 or len(case.does) < 5] == []


def test_every_test_exists() -> None:
    named = {name for case in cases() for name in case.tests}
    missing = []
    for name in sorted(named):
        path, _, function = name.partition("::")
        if not (ROOT / "tests" / path).is_file() or function not in functions(path):
            missing.append(name)
    assert missing == []


def test_who_has_no_test_says_why() -> None:
    """Only what does not exist yet, or cannot exist here, goes without."""
    reasons = ("no such feature: ", "not here: ")
    assert [case.number for case in cases() if not case.tests and not case.without.startswith(reasons)] == []


def test_tests_that_bear_a_number_are_in_the_row_of_that_number() -> None:
    named = {case.number: set(case.tests) for case in cases()}
    for path in ("plan/test_hostile.py", "safety/test_catalogue.py"):
        for function in sorted(functions(path)):
            numbered = re.match(r"test_case_(\d+)_", function)
            if numbered:
                assert f"{path}::{function}" in named[int(numbered[1])], function
