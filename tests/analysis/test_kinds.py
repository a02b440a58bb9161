"""Kinds of conflict from git's remarks and index entries, and both sides' text from a merged file."""

import pytest

from git_fleet.analysis import hunks, kinds
from git_fleet.model.sight import Hunk, Notice, Stage

FILE, RUN, LINK, SUB = "100644", "100755", "120000", "160000"
CONTENT = "CONFLICT (contents)"


@pytest.mark.parametrize(
    ("stages", "types", "expected"),
    [
        ([(1, FILE, "1"), (2, FILE, "2"), (3, FILE, "3")], [CONTENT], ("content",)),
        ([(2, FILE, "2"), (3, FILE, "3")], ["Auto-merging", CONTENT], ("add/add",)),
        ([(1, FILE, "1"), (2, FILE, "2"), (3, FILE, "3")], ["CONFLICT (binary)", CONTENT], ("binary",)),
        ([(2, FILE, "2"), (3, RUN, "2")], [CONTENT], ("mode",)),
        ([(1, SUB, "1"), (2, SUB, "2"), (3, SUB, "3")], [CONTENT], ("submodule",)),
        ([(1, SUB, "1"), (2, SUB, "2"), (3, SUB, "3")], ["CONFLICT (submodule lacks merge base)"], ("submodule",)),
        ([(1, FILE, "1"), (3, FILE, "3")], ["CONFLICT (modify/delete)"], ("modify/delete",)),
        ([(1, FILE, "1"), (3, FILE, "3")], [], ("modify/delete",)),
        ([], ["CONFLICT(directory rename unclear split)"], ("directory rename",)),
        ([], ["CONFLICT (something new)"], ("something new",)),
        ([], ["Auto-merging"], ()),
    ],
)
def test_the_kind(stages: list[tuple[int, str, str]], types: list[str], expected: tuple[str, ...]) -> None:
    entries = [Stage("path", number, mode, oid) for number, mode, oid in stages]
    assert kinds.kinds(entries, [Notice(type, ("path",)) for type in types]) == expected


def test_regions_between_the_markers() -> None:
    merged = "top\n<<<<<<< one\nours\n||||||| base\nold\n=======\n>>>>>>> two\n"
    merged += "end\n<<<<<<< one\n=======\ntheirs\n>>>>>>> two\n"
    stages = [Stage("path", number, FILE, str(number)) for number in (1, 2, 3)]
    assert hunks.hunks("tree", stages, {"tree:path": merged}) == (
        Hunk("path", 2, "ours\n", ""),
        Hunk("path", 9, "", "theirs\n"),
    )


def test_whole_files_where_there_is_no_merged_one() -> None:
    stages = [
        Stage("gone", 1, FILE, "1"),
        Stage("gone", 3, FILE, "3"),
        Stage("bin", 2, FILE, "b"),
        Stage("bin", 3, FILE, "c"),
    ]
    texts = {"3": "theirs \udcff\n", "b": "\0", "c": "\0\0", "tree:bin": "\0"}
    assert hunks.hunks("tree", stages, texts) == (Hunk("bin", None, "", ""), Hunk("gone", None, None, "theirs �\n"))
