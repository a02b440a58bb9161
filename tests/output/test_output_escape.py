"""Nothing that a terminal would obey or hide gets through."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_fleet.output.escape import cut, safe, width

# Characters from everywhere, with the dangerous ones much more often than chance would have them.
HOSTILE = st.sampled_from(
    "\0\x07\b\t\n\r\x1b\x7f\x80\x9b\x9d\xad\u061c\u115f\u200b\u200d\u200e\u2028\u2029\u202e\u2066\u3164\ufe0f\ufeff"
)
ANY = st.text(st.one_of(HOSTILE, st.characters(codec=None), st.sampled_from("\ud800\udc80\udcff\U000e0041\U000e0100")))


@given(ANY)
def test_what_comes_out_is_visible_on_one_line_and_utf8(text: str) -> None:
    shown = safe(text)
    categories = {unicodedata.category(char) for char in shown}
    assert not categories & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert not set(shown) & set("\u115f\u3164\ufe0f\u034f\uffa0")
    assert len(shown.splitlines()) <= 1
    shown.encode("utf-8")
    assert safe(shown) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("feature/42-count", "feature/42-count"),
        ("naïve 計画 ñ", "naïve 計画 ñ"),
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\x9bb", "a\\u009bb"),
        ("a\nb\tc\rd", "a\\nb\\tc\\rd"),
        ("bytes \udcff\udc80", "bytes \\xff\\x80"),
        ("lone \ud800", "lone \\ud800"),
        ("exe\u202egnp", "exe\\u202egnp"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
    ],
)
def test_how_it_is_written(text: str, shown: str) -> None:
    assert safe(text) == shown


@pytest.mark.parametrize(("text", "columns"), [("abc", 3), ("計画", 4), ("e\u0301", 1), ("ｗ", 2), ("", 0), ("한", 2)])
def test_columns(text: str, columns: int) -> None:
    assert width(text) == columns


@given(ANY.map(safe), st.integers(-1, 30), st.sampled_from(["…", "..."]))
def test_a_cut_fits_and_keeps_the_beginning(text: str, columns: int, ellipsis: str) -> None:
    short = cut(text, columns, ellipsis)
    if width(text) <= columns:
        assert short == text
    else:
        assert width(short) <= max(columns, 0)
        assert text.startswith(short.removesuffix(ellipsis)) or short in ellipsis
