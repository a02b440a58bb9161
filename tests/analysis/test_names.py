"""Branch names against git itself."""

import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from git_fleet.analysis.names import bad_branch, bad_id

PARTS = st.text(st.sampled_from("ab.-/@{~^:?*[\\ \x01\x7f\té\u202e") | st.characters(codec="utf-8"), max_size=6)
NAMES = st.lists(PARTS | st.sampled_from([".lock", "..", "@{", "//", "HEAD", "@", "refs/", "a" * 40]), max_size=3).map(
    "".join
)


def git_takes(name: str) -> bool:
    ref = f"refs/heads/{name}".encode("utf-8", "surrogateescape")
    return subprocess.run(["git", "check-ref-format", ref], check=False).returncode == 0


CORPUS = (
    "feature/42-count",
    "a.b",
    "a/.b",
    ".a",
    "a.lock",
    "a.lock/b",
    "a.",
    "a./b",
    "a..b",
    "/a",
    "a/",
    "a//b",
    "@a",
    "a@{b",
    "a@",
    "a b",
    "a\tb",
    "é",
    "a{b",
    "",
    "日本/語",
    "a;rm -rf",
    "$(x)",
    "a'b",
    'a"b',
    "CON",
)


ELSEWHERE = ("a./b", "CON")
"""What git takes, and Windows does not."""


@pytest.mark.parametrize("name", CORPUS)
def test_the_corpus(name: str) -> None:
    assert (bad_branch(name) is None) == (git_takes(name) and name not in ELSEWHERE)


@settings(deadline=None, max_examples=60)
@given(NAMES.filter(lambda name: "\0" not in name))
@example("a\udcffb")
def test_what_we_take_git_takes(name: str) -> None:
    if bad_branch(name) is None:
        assert git_takes(name)


@settings(deadline=None, max_examples=60)
@given(st.text("ab.-/@{~^:?*[\\ x", min_size=1, max_size=8).filter(lambda name: name != "@" and name[:1] != "-"))
def test_what_we_refuse_git_refuses_but_for_policy(name: str) -> None:
    assert (bad_branch(name) is None) == git_takes(name)


@pytest.mark.parametrize(
    "name",
    [
        "-x",
        "--force",
        "HEAD",
        "@",
        "refs/heads/x",
        "a" * 40,
        "0123456789abcdefABCDEF" + "0" * 42,
        "a\u202eb",
        "a\u200bb",
        "a\x9bb",
        "\ufeffa",
        "x" * 201,
        "a/" + "é" * 101,
    ],
)
def test_what_git_takes_and_we_do_not(name: str) -> None:
    assert git_takes(name)
    assert bad_branch(name)


@pytest.mark.parametrize("id", ["42", "JIRA-7", "a.b_c", "A" * 64])
def test_ids(id: str) -> None:
    assert bad_id(id) is None


@pytest.mark.parametrize("id", ["", "-1", ".a", "a b", "a/b", "é", "A" * 65, "a\n", "../x", "#4"])
def test_bad_ids(id: str) -> None:
    assert bad_id(id)
