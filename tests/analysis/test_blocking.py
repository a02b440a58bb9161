"""Uncommitted paths against the paths that a merge touches."""

import pytest

from git_fleet.analysis.blocking import blocking


@pytest.mark.parametrize(
    ("dirt", "touched", "expected"),
    [
        ([], ["a"], ()),
        (["a"], [], ()),
        (["b", "a", "b", "c"], ["a", "b"], ("a", "b")),
        (["a"], ["a/b/c"], ("a",)),
        (["a/b/c"], ["a"], ("a/b/c",)),
        (["a/b"], ["a/c", "a/bc", "b"], ()),
        (["build/"], ["build/deep/x", "builds"], ("build/",)),
        (["build/"], ["build"], ("build/",)),
        (["a/build/"], ["a"], ("a/build/",)),
        (["build/"], ["builder/x", "other/build/x"], ()),
    ],
)
def test_blocking(dirt: list[str], touched: list[str], expected: tuple[str, ...]) -> None:
    assert blocking(dirt, touched) == expected
