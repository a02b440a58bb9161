"""Ignored files: what can be made again, and what is somebody's work."""

import pytest

from git_fleet.analysis.disposable import split
from git_fleet.model.settings import DISPOSABLE


@pytest.mark.parametrize(
    "path", ["node_modules/", "web/node_modules/", "node_modules", "a/__pycache__/", "a/b.pyc", ".venv/", "x.egg-info/"]
)
def test_the_defaults_go(path: str) -> None:
    assert split((path,), DISPOSABLE) == ((), (path,))


@pytest.mark.parametrize(
    "path", [".env", "local.db", "build/", "dist/", "target/", "notes.txt", "my_node_modules/", "data/"]
)
def test_whatever_may_be_somebodys_only_copy_stays(path: str) -> None:
    assert split((path,), DISPOSABLE) == ((path,), ())


def test_the_last_pattern_decides() -> None:
    paths = ("node_modules/", "build/", "build/keep/", ".env")
    patterns = (*DISPOSABLE, "/build/", "!node_modules")
    assert split(paths, patterns) == (("node_modules/", ".env"), ("build/", "build/keep/"))


def test_what_says_that_it_is_a_cache_goes() -> None:
    assert split(("target/", "other/"), (), {"target/"}) == (("other/",), ("target/",))
