"""Patterns that meet, against brute force with the matching library; overlaps, joints, drift."""

import itertools
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_fleet.analysis import globs, ownership, witness
from git_fleet.model.plan import Joint, Overlap, Task

NAMES = ("a", "b", "ab", "ba", "aab", "c.a")
TREE = [
    "/".join(parts)
    for depth in (1, 2, 3)
    for parts in itertools.product(NAMES if depth < 3 else NAMES[:3], repeat=depth)
]
SEGMENTS = st.one_of(
    st.sampled_from(["**", "*", "[!a]", "[^b]"]),
    st.lists(st.sampled_from(["a", "b", "*", "?", "[ab]", "[a-b]", "c.", "\\a", "**"]), min_size=1, max_size=3).map(
        "".join
    ),
)
PATTERNS = st.builds(
    lambda parts, tail: "/".join(parts) + tail,
    st.lists(SEGMENTS, min_size=1, max_size=3),
    st.sampled_from(["", "", "/", "/**"]),
)
OWNED = st.lists(st.builds(lambda mark, one: mark + one, st.sampled_from(["", "", "!"]), PATTERNS), max_size=4)


def matched(owns: Sequence[str]) -> set[str]:
    """The paths of the tree that are owned."""
    if not owns:
        return set()
    return set(TREE) - set(ownership.drift(owns, TREE))


def task(id: str, *owns: str, needs: tuple[str, ...] = ()) -> Task:
    return Task(id, "", "", f"b{id}", f"/w/{id}", owns=owns, needs=needs)


def patterns_meet(a: str, b: str) -> bool:
    return globs.meet(globs.parse(a), globs.parse(b))


@given(PATTERNS, PATTERNS)
def test_patterns_with_a_path_in_common_are_never_called_disjoint(a: str, b: str) -> None:
    if matched([a]) & matched([b]):
        assert patterns_meet(a, b)
        assert patterns_meet(b, a)


@given(PATTERNS, PATTERNS)
def test_a_pattern_that_covers_another_matches_all_that_it_does(a: str, b: str) -> None:
    if globs.covers(globs.parse(a), globs.parse(b)):
        assert matched([a]) >= matched([b])


@given(OWNED, OWNED)
def test_tasks_with_a_path_in_common_always_overlap(one: list[str], other: list[str]) -> None:
    found = ownership.overlaps([task("1", *one), task("2", *other)])
    if matched(one) & matched(other):
        assert [overlap.tasks for overlap in found] == [("1", "2")]
    for overlap in found:
        assert overlap.paths


@pytest.mark.parametrize(
    ("a", "b", "meet"),
    [
        ("cli.py", "cli.py", True),
        ("cli.py", "cli.pyc", False),
        ("cli.py", "sub/cli.py", False),
        ("**/cli.py", "sub/cli.py", True),
        ("**/cli.py", "sub/cli.js", True),
        ("src", "src/a.py", True),
        ("src/", "src/a/b.py", True),
        ("src/", "src2/", False),
        ("src/**", "src", True),
        ("src/*.py", "src/a.js", False),
        ("src/*.py", "src/*_test.py", True),
        ("src/*.py", "src/sub/a.py", False),
        ("docs/**/*.md", "docs/a/b/c.md", True),
        ("docs/**/*.md", "docs/x.md", True),
        ("docs/**/*.md", "src/x.md", False),
        ("a/**/b", "a/b", True),
        ("**/a/*", "b/**/c", True),
        ("[ab].py", "[cd].py", False),
        ("[a-m]x", "[!a-k]x", True),
        ("[!a]", "a", False),
        ("?.py", "ab.py", False),
        ("a\\*", "ab", False),
        ("a\\*", "a*", True),
        ("./src/x", "src//x", True),
        ("a*b*c", "abxc", True),
        ("a*b*c", "acb", False),
    ],
)
def test_patterns_meet(a: str, b: str, meet: bool) -> None:
    assert patterns_meet(a, b) is meet
    assert patterns_meet(b, a) is meet


def test_called_shared_without_a_path_in_common_is_rare() -> None:
    literal = [
        "a",
        "b",
        "a/",
        "a/b",
        "a/*",
        "*/b",
        "a/**",
        "**/b",
        "a*",
        "*a",
        "?b",
        "[ab]",
        "a/b/a",
        "*/*/a",
        "**/a/b",
    ]
    pairs = list(itertools.combinations(literal, 2))
    wrong = [pair for pair in pairs if patterns_meet(*pair) and not matched(pair[:1]) & matched(pair[1:])]
    assert len(wrong) * 100 <= len(pairs)


def test_the_lab() -> None:
    tasks = [task("42", "cli.py"), task("43", "README.md", "CHANGELOG.md"), task("44", "cli.py")]
    overlaps = ownership.overlaps(tasks)
    assert overlaps == (Overlap(("42", "44"), ("cli.py",), None),)
    assert ownership.joints(tasks, overlaps) == (Joint("cli.py", ("42", "44")),)


def test_overlaps_name_the_narrower_pattern_and_excuse_along_needs() -> None:
    tasks = [
        task("1", "src/", "docs/*.md"),
        task("2", "src/a.py", "docs/x*.md", needs=("1",)),
        task("3", "src/a.py", needs=("2",)),
        task("4", "src/**/a.py"),
        task("5", "/etc/passwd", "", "../x", needs=("9",)),
    ]
    overlaps = ownership.overlaps(tasks)
    assert overlaps == (
        Overlap(("1", "2"), ("src/a.py", "docs/x*.md"), "2 needs 1"),
        Overlap(("1", "3"), ("src/a.py",), "3 needs 2 needs 1"),
        Overlap(("1", "4"), ("src/**/a.py",), None),
        Overlap(("2", "3"), ("src/a.py",), "3 needs 2"),
        Overlap(("2", "4"), ("src/a.py",), None),
        Overlap(("3", "4"), ("src/a.py",), None),
    )
    assert ownership.joints(tasks, overlaps) == (
        Joint("src/a.py", ("1", "2", "3", "4")),
        Joint("docs/x*.md", ("1", "2")),
        Joint("src/**/a.py", ("1", "4")),
    )


def test_what_is_taken_out_is_not_shared() -> None:
    assert ownership.overlaps([task("1", "src/", "!src/gen/"), task("2", "src/gen/x.py")]) == ()
    assert ownership.overlaps([task("1", "!src/gen/", "src/"), task("2", "src/gen/x.py")]) != ()
    assert ownership.overlaps([task("1", "src/", "!src/gen/a*"), task("2", "src/gen/")]) != ()


@pytest.mark.parametrize(
    ("owns", "drifted"),
    [
        ((), ()),
        (("",), ()),
        (("src",), ("cli.py", "sub/cli.py", "#x")),
        (("cli.py",), ("src/a.py", "src/gen/x.py", "sub/cli.py", "#x")),
        (("**/cli.py", "src/*"), ("#x",)),
        (("**", "!src/gen/"), ("src/gen/x.py",)),
        (("./src/", "#x"), ("cli.py", "sub/cli.py")),
        (("[cs]*",), ("#x",)),
    ],
)
def test_drift(owns: tuple[str, ...], drifted: tuple[str, ...]) -> None:
    assert ownership.drift(owns, ["cli.py", "src/a.py", "src/gen/x.py", "sub/cli.py", "#x"]) == drifted


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        " ",
        "!",
        "/etc",
        "a/../b",
        "..",
        ".git/config",
        "a\\",
        "a\\/b",
        "[z-a]",
        "[[:alpha:]]",
        "[a",
        "a[b--c]",
        "[\\-?]",
    ],
)
def test_bad_patterns(pattern: str) -> None:
    assert ownership.bad_pattern(pattern)
    assert ownership.drift([pattern], ["x"]) == ()


@pytest.mark.parametrize("pattern", ["a", "!a", ".gitignore", "a\\*", "a\\[b", "[!a-z]x", "[]a]", "**", "a b", "ä/**"])
def test_good_patterns(pattern: str) -> None:
    assert ownership.bad_pattern(pattern) is None


@given(st.text("ab*?[]!^-\\/. #|&~", max_size=8))
def test_what_is_not_bad_can_be_matched(pattern: str) -> None:
    ownership.drift([pattern], ["a", "a/b"])
    ownership.overlaps([task("1", pattern), task("2", "a", "**/b")])


def test_ten_thousand_tasks_are_not_compared_in_pairs() -> None:
    tasks = [task(str(n), f"src/m{n // 2}/x.py", f"docs/{n}/") for n in range(10_000)]
    assert len(ownership.overlaps(tasks)) == 5_000


@given(st.lists(st.builds(lambda sign, pattern: sign + pattern, st.sampled_from(["", "", "!"]), PATTERNS), max_size=3))
def test_owning_one_path_is_not_drifting_there(patterns: list[str]) -> None:
    some = [pattern for pattern in patterns if ownership.bad_pattern(pattern) is None]
    drifted = set(ownership.drift(some, TREE)) if some else set(TREE)
    assert {path for path in TREE if not ownership.owns(some, path)} == drifted


FILES = ("README.md", "cli.py", "docs/a.md", "docs/b.md", "docs/b.txt", "src/a/x.py", "src/a/y.py", "src/gen/x.py")


def claimed(*owns: str) -> dict[str, list[str]]:
    found = ownership.claims([task("1", *owns)], FILES)["1"]
    return {pattern: list(paths) for pattern, paths in found.items()}


def test_claims_are_the_files_that_exist() -> None:
    assert claimed("cli.py", "docs", "src/a/", "docs/*.md", "**/x.py", "new.py", "../x", "cli.py/") == {
        "cli.py": ["cli.py"],
        "docs": ["docs/a.md", "docs/b.md", "docs/b.txt"],
        "src/a/": ["src/a/x.py", "src/a/y.py"],
        "docs/*.md": ["docs/a.md", "docs/b.md"],
        "**/x.py": ["src/a/x.py", "src/gen/x.py"],
        "new.py": [],
        "cli.py/": [],
    }
    assert claimed("src", "!src/gen/") == {"src": ["src/a/x.py", "src/a/y.py"]}


@given(OWNED)
def test_claims_are_what_the_matching_library_says(owns: list[str]) -> None:
    files = sorted(TREE)
    found = ownership.claims([task("1", *owns)], files)["1"]
    assert {path for paths in found.values() for path in paths} == matched(owns)


def shared(one: tuple[str, ...], other: tuple[str, ...]) -> list[tuple[str, ...]]:
    tasks = [task("1", *one), task("2", *other)]
    return [overlap.paths for overlap in ownership.overlaps(tasks, ownership.claims(tasks, FILES))]


def test_an_overlap_names_real_files() -> None:
    assert shared(("docs/",), ("docs/*.md",)) == [("docs/a.md", "docs/b.md")]
    assert shared(("**/x.py", "cli.py"), ("src/a/", "cli.py")) == [("cli.py", "src/a/x.py")]
    assert shared(("docs/*.rst",), ("docs/c*",)) == [("docs/*.rst",)]  # a file that may come
    assert shared(("cli.py",), ("**/b",)) == []  # a file has nothing below it
    assert shared(("cli.py",), ("*.py", "!cli.py")) == []


def test_an_overlap_on_very_many_files_is_named_by_its_pattern() -> None:
    tasks = [task("1", "src/"), task("2", "src/")]
    files = [f"src/{n:03}" for n in range(101)]
    assert ownership.overlaps(tasks, ownership.claims(tasks, files))[0].paths == ("src/",)
    assert len(ownership.overlaps(tasks, ownership.claims(tasks, files[1:]))[0].paths) == 100


@pytest.mark.parametrize(
    ("a", "b", "out", "found"),
    [
        ("*/README.md", "src/*", ("src/*.md",), False),
        ("*/README.md", "src/*", ("src/*.py",), True),
        ("[ab]", "*", ("a", "b"), False),
        ("[abc]", "*", ("a", "b"), True),
        ("**/x", "src/**/x", ("src/*",), False),
        ("**/x", "src/**/x", ("src/*/",), True),  # src/x itself
        ("**/x", "src/**/x", ("src/*/*",), True),
        ("a*", "*b", ("ab", "a?*b"), False),
        ("?", "[!.]", ("[!/-~]", "[0-~]"), True),  # "/" is no name
        ("src/", "src/", ("src/**",), False),
        ("src", "src", ("src/",), True),
    ],
)
def test_a_path_that_is_not_taken_out(a: str, b: str, out: tuple[str, ...], found: bool) -> None:
    assert witness.exists(globs.parse(a), globs.parse(b), [globs.parse(one) for one in out]) is found


def test_called_shared_without_reason_is_rarer_than_one_in_a_hundred() -> None:
    """Against all paths of four names; what needs a longer path counts against us, too."""
    chance = random.Random(7)
    names = ("a", "b", "ab", "c", "cb", "ac")
    tree = ["/".join(parts) for depth in (1, 2, 3, 4) for parts in itertools.product(names, repeat=depth)]

    def pattern() -> str:
        parts = [chance.choice(("*", "a*", "*b", "?", "[ab]", "[!a]", "a", "b", "ab", "cb")) for _ in range(2)]
        kind = chance.random()
        parts[0:1] = ["**", parts[0]] if kind < 0.2 else [parts[0], "**"] if kind < 0.3 else parts[0:1]
        return "/".join(parts[: chance.choice((1, 2, 3))]) + chance.choice(("", "", "", "/", "/**"))

    def owned() -> tuple[str, ...]:
        more = [chance.choice(("", "", "!")) + pattern() for _ in range(chance.choice((0, 0, 1, 2, 3)))]
        return (pattern(), *more)

    tries, wrong = 1_000, 0
    for _ in range(tries):
        one, other = owned(), owned()
        said = bool(ownership.overlaps([task("1", *one), task("2", *other)]))
        true = len(set(ownership.drift(one, tree)) | set(ownership.drift(other, tree))) < len(tree)
        assert said or not true, (one, other)
        wrong += said and not true
    assert wrong * 100 < tries
