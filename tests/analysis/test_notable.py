"""What is said of a branch before it lands: only what acts beyond its own files."""

import pytest

from git_fleet.analysis.notable import brought, leads_out
from git_fleet.model.fleet import Change


@pytest.mark.parametrize(
    ("path", "target", "out"),
    [
        ("a", "b", False),
        ("a/b/c", "../../d", False),
        ("a/b/c", "../../../d", True),
        ("a", "..", True),
        ("a", "/etc", True),
        ("a/b", "../.git/hooks/x", True),
        ("a", "..b", False),
        ("a", "", False),
    ],
)
def test_where_a_link_leads(path: str, target: str, *, out: bool) -> None:
    assert leads_out(path, target) == out


def test_only_what_is_new_and_acts_beyond() -> None:
    changes = [
        Change("plain", "000000", "100644", "0", "1"),
        Change("lib", "000000", "160000", "0", "2"),
        Change("old-lib", "160000", "160000", "3", "4"),
        Change("link", "000000", "120000", "0", "5"),
        Change("near", "000000", "120000", "0", "6"),
        Change("gone", "120000", "000000", "5", "0"),
        Change("sub/.gitattributes", "100644", "100644", "7", "8"),
        Change("PLAN.md", "100644", "100644", "9", "a"),
    ]
    assert brought(changes, {"5": "/etc", "6": "plain"}, "PLAN.md") == (
        "a submodule at 'lib'",
        "a link 'link' that leads out of the tree, to '/etc'",
        "a change of 'sub/.gitattributes'",
        "another plan: 'PLAN.md'",
    )
    assert brought(changes[:1], {}, None) == ()
