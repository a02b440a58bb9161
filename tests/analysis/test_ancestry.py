"""Ahead, behind and shared history, against plain reachability and against git."""

import os
import subprocess
from itertools import combinations
from pathlib import Path
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from git_fleet.analysis.ancestry import distances
from git_fleet.model.fleet import Distance

Commits = list[tuple[str, tuple[str, ...]]]


def test_two_branches_and_a_stack() -> None:
    commits: Commits = [
        ("top", ("low",)),
        ("low", ("fork",)),
        ("side", ("fork",)),
        ("base", ("older",)),
        ("older", ("fork",)),
    ]
    ancestry = distances(commits, "base", ["low", "side", "top", "base", "older", "fork", "low"])
    assert ancestry.distances == {
        "low": Distance(1, 2),
        "side": Distance(1, 2),
        "top": Distance(2, 2),
        "base": Distance(0, 0),
        "older": Distance(0, 1),
        "fork": Distance(0, 2),
    }
    assert ancestry.shares == {("low", "top")}
    assert ancestry.peers == {"low": {"top"}, "top": {"low"}}
    assert ancestry.below == {"top": {"low"}}
    assert ancestry.stands_on({"1": "top", "2": "low", "3": "side", "4": "base"}) == {"1": ("2",)}
    assert ancestry.share("top", "low") and ancestry.share("low", "low")
    assert not ancestry.share("low", "side") and not ancestry.share("base", "base")


def test_nothing() -> None:
    ancestry = distances([], "base", [])
    assert ancestry.distances == {} and ancestry.shares == frozenset()
    assert distances([], "base", ["base"]).distances == {"base": Distance(0, 0)}


def test_unrelated_histories() -> None:
    commits: Commits = [("mine", ("root",)), ("root", ()), ("base", ())]
    assert distances(commits, "base", ["mine"]).distances == {"mine": Distance(2, 1)}


def reachable(parents: dict[str, tuple[str, ...]], start: str) -> set[str]:
    found, edge = {start}, [start]
    while edge:
        fresh = [parent for parent in parents[edge.pop()] if parent not in found]
        found.update(fresh)
        edge += fresh
    return found


@settings(derandomize=True, deadline=None, database=None)
@given(st.integers(1, 40), st.integers(0, 12), st.integers(0, 2**32))
def test_like_reachability(size: int, count: int, seed: int) -> None:
    dice = Random(seed)
    names = [f"c{n}" for n in range(size)]
    parents = {
        name: tuple(dict.fromkeys(dice.choices(names[max(0, n - 8) : n], k=dice.choice((0, 1, 1, 1, 2, 3)))))
        if n
        else ()
        for n, name in enumerate(names)
    }
    base, *tips = dice.choices(names, k=count + 1)
    reach = {name: reachable(parents, name) for name in names}
    everywhere = set.intersection(*(reach[tip] for tip in (base, *tips)))
    left_out = everywhere if dice.random() < 0.7 else set()
    listed = [name for name in reversed(names) if name not in left_out]
    ancestry = distances(((name, parents[name]) for name in listed), base, tips)
    assert ancestry.distances == {
        tip: Distance(len(reach[tip] - reach[base]), len(reach[base] - reach[tip])) for tip in tips
    }
    assert ancestry.shares == {
        (one, other) for one, other in combinations(dict.fromkeys(tips), 2) if reach[one] & reach[other] - reach[base]
    }


def test_like_git(tmp_path: Path) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    env |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "LC_ALL": "C"}

    def git(*arguments: str, stdin: str = "") -> list[str]:
        done = subprocess.run(
            ["git", *arguments], cwd=tmp_path, env=env, input=stdin, capture_output=True, text=True, check=True
        )
        return done.stdout.splitlines()

    dice = Random(3)
    lines = []
    for mark in range(1, 121):
        lines.append(f"commit refs/heads/b{mark}\nmark :{mark}\ncommitter t <t@example.invalid> {mark} +0000\ndata 0")
        older = (
            dict.fromkeys(dice.choices(range(max(1, mark - 10), mark), k=dice.choice((1, 1, 2)))) if mark > 1 else {}
        )
        lines += [f"{word} :{parent}" for word, parent in zip(("from", "merge"), older, strict=False)]
    git("init", "-q", "--bare", ".")
    git("fast-import", "--quiet", stdin="\n".join(lines) + "\n")
    tips = git("for-each-ref", "--format=%(objectname)", "refs/heads/b*[05]")
    base = git("rev-parse", "refs/heads/b110")[0]
    common = git("merge-base", "--all", "--octopus", base, *tips)
    listing = git("rev-list", "--topo-order", "--parents", base, *tips, "--not", *common)
    commits = [(row[0], tuple(row[1:])) for row in map(str.split, listing)]
    expected = {
        tip: Distance(*map(int, git("rev-list", "--left-right", "--count", f"{tip}...{base}")[0].split()))
        for tip in tips
    }
    ancestry = distances(commits, base, tips)
    assert ancestry.distances == expected
    assert len(set(expected.values())) > 10
    assert ancestry.shares == {
        (one, other)
        for one, other in combinations(tips, 2)
        if {*git("rev-list", one, f"^{base}")} & {*git("rev-list", other, f"^{base}")}
    }
