"""Which side won a path, and what stands on what: values only."""

from git_fleet.analysis import dropped
from git_fleet.analysis.dropped import Entry


def blob(name: str) -> Entry:
    return ("100644", name)


def doubts(branch: tuple[str, str], line: str, result: str) -> list[bool]:
    """`own` of each doubt about one path."""
    step = {} if line == result else {"f": (blob(line), blob(result))}
    found = dropped.sides({"f": (blob(branch[0]), blob(branch[1]))}, step, {"f": blob(line)})
    return [doubt.own for doubt in dropped.doubts(found)]


def test_a_side_that_wins_is_doubtful() -> None:
    assert doubts(("0", "b"), "0", "b") == []
    assert doubts(("0", "b"), "l", "merged") == []
    assert doubts(("0", "b"), "b", "b") == []
    assert doubts(("0", "b"), "l", "l") == [True]
    assert doubts(("0", "b"), "0", "0") == [True]
    assert doubts(("0", "b"), "l", "b") == [False]


def test_a_path_that_the_line_lacks_was_renamed() -> None:
    assert list(dropped.sides({"f": (blob("0"), blob("b"))}, {}, {})) == []


def test_taken_away() -> None:
    step = {"f": (blob("0"), blob("1")), "new": (("000000", "0000"), blob("2"))}
    assert dropped.taken_away(step, {"f": blob("0")})
    assert not dropped.taken_away(step, {"f": blob("0"), "new": blob("2")})
    assert not dropped.taken_away(step, {"f": blob("3")})
    assert not dropped.taken_away({}, {})


def test_what_stands_on_what() -> None:
    parents = {"a2": ("a1",), "a1": ("base",), "b1": ("a1",), "m": ("b1", "base2")}
    seen: set[str] = set()
    assert dropped.below(parents, "a2", seen) == {"base"}
    assert dropped.below(parents, "m", seen) == {"a1", "base2"}
    assert dropped.below(parents, "a2", seen) == {"a2"}
