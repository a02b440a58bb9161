"""Candidate pairs, against git's own verdicts: a pair that conflicts must never be missed."""

import os
import signal
import subprocess
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

from git_fleet.analysis.candidates import candidates
from git_fleet.model.fleet import Change

FILE, EXECUTABLE, LINK, SUBMODULE, ABSENT = "100644", "100755", "120000", "160000", "000000"
Entry = tuple[str, str]
"""(mode, text)."""
Tree = dict[str, Entry]


# --- with values -----------------------------------------------------------------------------------------------------


def add(path: str, new: str = "n", mode: str = FILE) -> Change:
    return Change(path, ABSENT, mode, "0", new)


def edit(path: str, new: str = "n", mode: str = FILE) -> Change:
    return Change(path, mode, mode, "o", new)


def drop(path: str) -> Change:
    return Change(path, FILE, ABSENT, "o", "0")


def pairs(*sides: list[Change]) -> list[tuple[str, str, tuple[str, ...]]]:
    return list(candidates(dict(zip("abcdefgh", sides, strict=False))))


def test_nobody_and_nothing() -> None:
    assert pairs() == []
    assert pairs([edit("x")]) == []
    assert pairs([edit("x")], [], [edit("y")]) == []


def test_shared_paths_in_the_order_of_the_keys() -> None:
    changes = {
        "z": [edit("p", "1"), edit("q", "1")],
        "a": [edit("q", "2")],
        "m": [edit("r"), edit("q", "3"), edit("p", "3")],
    }
    assert list(candidates(changes)) == [("z", "a", ("q",)), ("z", "m", ("p", "q")), ("a", "m", ("q",))]


def test_the_same_change_on_both_sides_needs_no_merge() -> None:
    assert pairs([edit("p", "1")], [edit("p", "1")]) == []
    assert pairs([drop("p")], [drop("p")]) == []
    assert pairs([edit("p", "1"), edit("q", "1")], [edit("p", "1"), edit("q", "2")]) == [("a", "b", ("p", "q"))]


def test_the_same_text_with_another_mode_differs() -> None:
    assert pairs([edit("p", "1")], [edit("p", "1", EXECUTABLE)]) == [("a", "b", ("p",))]


def test_a_file_that_both_remove_may_be_renamed_by_one() -> None:
    assert pairs([drop("p"), add("q")], [drop("p")]) == [("a", "b", ("p",))]
    assert pairs([drop("p"), add("q")], [drop("p"), add("r")]) == [("a", "b", ("p",))]
    assert pairs([drop("p"), add("q")], [drop("p"), add("q")]) == []


def test_guard_file_against_directory() -> None:
    assert pairs([add("a/b/c")], [add("a/b")], [add("a")], [add("a/bc")]) == [
        ("a", "b", ()),
        ("a", "c", ()),
        ("b", "c", ()),
        ("c", "d", ()),
    ]


def test_guard_renamed_directory() -> None:
    moved = [drop("old/sub/f"), add("new/sub/f")]
    assert pairs(moved, [add("old/g")]) == [("a", "b", ())]
    assert pairs(moved, [add("old/sub/deep/g")]) == [("a", "b", ())]
    assert pairs([add("old/sub/g")], moved) == [("a", "b", ())]
    assert pairs(moved, [add("older/g")], [edit("old/g")], [add("g")]) == []


def test_guard_renamed_directory_not_where_something_was_left_or_nothing_went_elsewhere() -> None:
    assert pairs([drop("old/f"), add("new/f"), edit("old/stays")], [add("old/g")]) == []
    assert pairs([drop("old/f")], [add("old/g")]) == []
    assert pairs([drop("old/sub/f"), add("old/f")], [add("old/g")], [add("old/sub/g")]) == [("a", "c", ())]


def test_guard_case() -> None:
    assert pairs([add("README")], [add("readme")]) == [("a", "b", ())]
    assert pairs([add("Docs/x")], [add("docs/y")], [add("docs/z")]) == [("a", "b", ()), ("a", "c", ())]
    assert pairs([add("Straße")], [add("STRASSE/x")]) == [("a", "b", ())]


def test_guard_submodule() -> None:
    module = edit("lib", "1", SUBMODULE)
    assert pairs([module], [edit(".gitmodules")], [edit("x")]) == [("a", "b", ())]
    assert pairs([Change("lib", SUBMODULE, ABSENT, "o", "0")], [add("vendor", "1", SUBMODULE)]) == [("a", "b", ())]


def test_guard_attributes() -> None:
    assert pairs([edit("d/.gitattributes")], [edit("d/e/x")], [edit("dx")], [edit("x")]) == [("a", "b", ())]
    assert pairs([edit("x")], [add(".gitattributes")], [edit("d/y")]) == [("a", "b", ()), ("b", "c", ())]


def test_it_does_not_hold_all_pairs() -> None:
    found = candidates({str(n): [edit("lock", str(n))] for n in range(3000)})
    assert next(found) == ("0", "1", ("lock",))


# --- with git --------------------------------------------------------------------------------------------------------


class Lab:
    """Builds many commits in one process, compares and merges them in one process each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        self.env |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "LC_ALL": "C"}
        self.git("init", "-q", "--bare", ".")

    def git(self, *arguments: str, stdin: str = "") -> str:
        argv = ["git", *arguments]
        return subprocess.run(
            argv, cwd=self.folder, env=self.env, input=stdin, capture_output=True, text=True, check=True
        ).stdout

    def commits(self, trees: list[tuple[int | None, Tree]]) -> list[str]:
        """Commits of whole trees; each may name an earlier one as its parent."""
        lines = []
        for mark, (parent, tree) in enumerate(trees, 1):
            lines.append(f"commit refs/c/{mark}\nmark :{mark}\ncommitter t <t@example.invalid> {mark} +0000\ndata 0")
            lines += [f"from :{parent + 1}"] if parent is not None else []
            lines.append("deleteall")
            for path, (mode, text) in tree.items():
                data = f"{text} {path}" if mode == SUBMODULE else f"inline {path}\ndata {len(text)}\n{text}"
                lines.append(f"M {mode} {data}")
        marks = self.folder / "marks"
        self.git("fast-import", "--quiet", "--force", f"--export-marks={marks}", stdin="\n".join(lines) + "\n")
        return [line.split()[1] for line in sorted(marks.read_text().splitlines(), key=lambda s: int(s[1:].split()[0]))]

    def changes(self, commits: list[str]) -> dict[str, list[Change]]:
        """What each commit changes in its parent."""
        listing = self.git(
            *("diff-tree", "--stdin", "-r", "-z", "--raw", "--no-renames", "--no-abbrev"),
            stdin="\n".join(commits) + "\n",
        )
        changes: dict[str, list[Change]] = {commit: [] for commit in commits}
        fields = iter(listing.split("\0"))
        commit = ""
        for field in fields:
            if field.startswith(":"):
                old_mode, new_mode, old, new, _ = field[1:].split()
                changes[commit].append(Change(next(fields), old_mode, new_mode, old, new))
            elif field:
                commit = field
        return changes

    def conflicts(self, pairs: list[tuple[str, str]], batch: int = 128) -> list[bool]:
        """Whether each pair does not merge. Some renames make git 2.39 abort: those do not merge either."""
        verdicts: list[bool] = []
        for start in range(0, len(pairs), batch):
            part = pairs[start : start + batch]
            argv = ["git", "merge-tree", "--stdin", "--name-only", "--no-messages"]
            asked = "".join(f"{one} {other}\n" for one, other in part)
            done = subprocess.run(argv, cwd=self.folder, env=self.env, input=asked, capture_output=True, text=True)
            if done.returncode == 0:
                verdicts += self._verdicts(done.stdout)
            else:
                assert done.returncode == -signal.SIGABRT, done.stderr
                verdicts += [True] if len(part) == 1 else self.conflicts(part, (len(part) + 1) // 2)
        assert len(verdicts) == len(pairs)
        return verdicts

    def _verdicts(self, answer: str) -> list[bool]:
        """Each answer is a status, a tree, the paths in conflict and an empty field."""
        verdicts = []
        fields = iter(answer.split("\0"))
        while status := next(fields):
            verdicts.append(status == "0")
            next(fields)
            while next(fields):
                pass
        return verdicts


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def text(seed: int, edits: int = 0) -> str:
    lines = [f"line {n} of text {seed}" for n in range(12)]
    for n in range(12):
        if edits >> n & 1:
            lines[n] += " edited"
    return "\n".join(lines) + "\n"


def entry(seed: int, edits: int = 0) -> Entry:
    return FILE, text(seed, edits)


class Case(NamedTuple):
    base: Tree
    one: Tree
    other: Tree


CASES = {
    "file against directory": Case({"x": entry(1)}, {"x": entry(1), "a": entry(2)}, {"x": entry(1), "a/b": entry(3)}),
    "renamed directory": Case(
        {"old/f": entry(1), "old/g": entry(2)},
        {"new/f": entry(1), "new/g": entry(2)},
        {"old/f": entry(1), "old/g": entry(2), "old/h": entry(3)},
    ),
    "renamed and removed": Case({"p": entry(1), "x": entry(2)}, {"q": entry(1), "x": entry(2)}, {"x": entry(2)}),
    "renamed twice": Case(
        {"p": entry(1), "x": entry(2)}, {"q": entry(1), "x": entry(2)}, {"r": entry(1), "x": entry(2)}
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_conflicts_without_a_path_that_both_change_differently(lab: Lab, name: str) -> None:
    case = CASES[name]
    _, one, other = lab.commits([(None, case.base), (0, case.one), (0, case.other)])
    changes = lab.changes([one, other])
    assert lab.conflicts([(one, other)]) == [True]
    assert not [row for row in changes[one] for twin in changes[other] if row.path == twin.path and row.new != twin.new]
    assert [pair[:2] for pair in candidates(changes)] == [(one, other)]


# --- with git, at random ---------------------------------------------------------------------------------------------

NAMES = ("a", "b", "c", "d")


def directories(tree: Tree) -> list[str]:
    return sorted({path[:at] for path in tree for at, letter in enumerate(path) if letter == "/"})


def some_path(dice: Random) -> str:
    return "/".join(dice.choices(NAMES, k=dice.choice((1, 2, 2, 3, 3, 4))))


def some_entry(dice: Random) -> Entry:
    kind = dice.random()
    if kind < 0.04:
        return LINK, f"to{dice.randrange(3)}"
    if kind < 0.07:
        return SUBMODULE, f"{dice.randrange(1, 4):040x}"
    return entry(dice.randrange(12))


def put(tree: Tree, path: str, what: Entry) -> None:
    """Writes a file as a person would: what stands in the way goes."""
    parts = path.split("/")
    for end in range(1, len(parts)):
        tree.pop("/".join(parts[:end]), None)
    for other in [other for other in tree if other.startswith(path + "/")]:
        del tree[other]
    tree[path] = what


def modified(dice: Random, what: Entry) -> Entry:
    mode, old = what
    if mode not in (FILE, EXECUTABLE):
        return some_entry(dice)
    lines = old.splitlines()
    at = dice.choice((0, 5, 6, 11)) % len(lines)
    lines[at] += f" {dice.randrange(3)}"
    return mode, "\n".join(lines) + "\n"


def edit_add(dice: Random, tree: Tree) -> None:
    put(tree, some_path(dice), some_entry(dice))


def edit_modify(dice: Random, tree: Tree) -> None:
    path = dice.choice(sorted(tree))
    tree[path] = modified(dice, tree[path])


def edit_delete(dice: Random, tree: Tree) -> None:
    del tree[dice.choice(sorted(tree))]


def edit_rename(dice: Random, tree: Tree) -> None:
    what = tree.pop(dice.choice(sorted(tree)))
    put(tree, some_path(dice), modified(dice, what) if dice.random() < 0.4 else what)


def edit_rename_directory(dice: Random, tree: Tree) -> None:
    if not (above := directories(tree)):
        return
    old, new = dice.choice(above), dice.choice((*above, some_path(dice)))
    moving = {path: tree.pop(path) for path in list(tree) if path.startswith(old + "/")}
    for path, what in moving.items():
        if dice.random() < 0.9:
            put(tree, new + path[len(old) :], what)


def edit_mode(dice: Random, tree: Tree) -> None:
    path = dice.choice(sorted(tree))
    mode, old = tree[path]
    tree[path] = ({FILE: EXECUTABLE, EXECUTABLE: FILE}.get(mode, mode), old)


def edit_to_directory(dice: Random, tree: Tree) -> None:
    path = dice.choice(sorted(tree))
    what = tree.pop(path)
    put(tree, f"{path}/{dice.choice(NAMES)}", what if dice.random() < 0.5 else some_entry(dice))


def edit_to_file(dice: Random, tree: Tree) -> None:
    if above := directories(tree):
        put(tree, dice.choice(above), some_entry(dice))


EDITS: tuple[Callable[[Random, Tree], None], ...] = (
    *(edit_add, edit_add, edit_modify, edit_modify, edit_delete, edit_rename, edit_rename),
    *(edit_rename_directory, edit_rename_directory, edit_mode, edit_to_directory, edit_to_file),
)


def branch(dice: Random, base: Tree) -> Tree:
    tree = dict(base)
    for _ in range(dice.choice((1, 1, 2, 2, 3, 5))):
        if tree:
            dice.choice(EDITS)(dice, tree)
    return tree


def some_base(dice: Random) -> Tree:
    tree: Tree = {}
    for _ in range(dice.choice((3, 6, 10, 16))):
        put(tree, some_path(dice), some_entry(dice))
    return tree


class Tally(NamedTuple):
    pairs: int
    conflicts: int
    candidates: int
    missed: list[tuple[Tree, Tree, Tree]]


def compare(lab: Lab, seed: int, bases: int, branches: int = 8) -> Tally:
    """Random branches of random bases: how often git sees a conflict, and which of them the candidates lack."""
    dice = Random(seed)
    trees: list[tuple[int | None, Tree]] = []
    groups: list[list[int]] = []
    for _ in range(bases):
        base = len(trees)
        trees.append((None, some_base(dice)))
        trees += [(base, branch(dice, trees[base][1])) for _ in range(branches)]
        groups.append(list(range(base + 1, len(trees))))
    commits = lab.commits(trees)
    changes = lab.changes([commit for commit, (parent, _) in zip(commits, trees, strict=True) if parent is not None])
    found = {
        (one, other)
        for group in groups
        for one, other, _ in candidates({commits[place]: changes[commits[place]] for place in group})
    }
    pairs = [pair for group in groups for pair in combinations(group, 2)]
    conflicts = lab.conflicts([(commits[one], commits[other]) for one, other in pairs])
    bad = [pair for pair, conflict in zip(pairs, conflicts, strict=True) if conflict]
    missed = [
        (trees[one - one % (branches + 1)][1], trees[one][1], trees[other][1])
        for one, other in bad
        if (commits[one], commits[other]) not in found
    ]
    return Tally(len(pairs), len(bad), len(found), missed)


def test_no_conflict_is_missed(lab: Lab) -> None:
    tally = compare(lab, seed=7, bases=120)
    assert tally.missed == []
    assert tally.pairs == 3360
    assert tally.conflicts > 500
    assert tally.candidates < 0.9 * tally.pairs
