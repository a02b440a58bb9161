"""Random edits of generated trees: every verdict is that of a real `git merge` in a scratch worktree.

Also the verdicts on the fleets of real pull requests, where their bundles are here.
"""

import importlib.util
import json
import os
import random
import subprocess
import time
from pathlib import Path
from types import ModuleType

import kit
import pytest
from kit import Repo, make_repo
from sights import look, merges

FLEETS = Path(os.environ.get("FLEETS") or kit.ROOT.parent / "shared" / "fleets")
SECONDS = 10
BRANCHES = 7


def content(chance: random.Random) -> str:
    return "".join(f"{chance.randrange(8)} {line}\n" for line in range(chance.randrange(4, 14)))


def edit(chance: random.Random, top: Path) -> None:
    """One random change of a worktree: lines, adding, deleting, moving files and folders, modes, links."""
    files = sorted(path for path in top.rglob("*") if ".git" not in path.parts and path.is_file())
    path = chance.choice(files) if files else top / "a" / "new"
    other = top / chance.choice(("a", "b", "a/c", "d")) / chance.choice(("x", "y", "z", "X"))
    what = chance.choice(
        ("lines", "lines", "lines", "lines", "add", "delete", "move", "folder", "mode", "link", "binary")
    )
    if what in ("add", "move", "link") and (other.exists() or any(above.is_file() for above in other.parents)):
        what = "lines"
    if not files or what == "add":
        if not any(above.is_file() for above in other.parents) and not other.exists():
            other.parent.mkdir(parents=True, exist_ok=True)
            other.write_text(content(chance))
        return
    if what == "lines" and not path.is_symlink():
        lines = path.read_bytes().split(b"\n")
        lines[chance.randrange(len(lines))] = b"edited %d" % chance.randrange(4)
        path.write_bytes(b"\n".join(lines))
    elif what == "delete":
        path.unlink()
    elif what == "move":
        other.parent.mkdir(parents=True, exist_ok=True)
        path.rename(other)
    elif what == "folder" and path.parent != top and not (top / "moved").exists():
        path.parent.rename(top / "moved")
    elif what == "mode" and not path.is_symlink():
        path.chmod(0o755)
    elif what == "link":
        path.unlink()
        path.symlink_to("elsewhere")
    elif what == "binary" and not path.is_symlink():
        path.write_bytes(b"\0%d" % chance.randrange(9))


def planted(folder: Path, seed: int) -> Repo:
    """A base that moves on, and branches from its beginning, with one or more random edits in each."""
    chance = random.Random(seed)
    names = ("a/x", "a/y", "b/x", "b/y", "a/c/z", "top")
    repo = make_repo(folder / f"app-{seed}", {name: content(chance) for name in names})
    for number in range(BRANCHES):
        repo.git("checkout", "-q", "-b", f"b{number}", "main")
        for _ in range(chance.randrange(1, 4)):
            edit(chance, repo.path)
        repo.commit(f"b{number}")
    repo.git("checkout", "-q", "main")
    if chance.random() < 0.5:
        edit(chance, repo.path)
        repo.commit("on")
    return repo


def normalised(repo: Repo, scratch: str, name: str) -> str | None:
    """The branch merged with the base, as one commit on it; None if that conflicts."""
    if not merges(repo, "main", name, scratch)[0]:
        return None
    tree = repo.git("rev-parse", "HEAD^{tree}", cwd=Path(scratch))
    return repo.git("commit-tree", tree, "-p", "main", "-m", "x")


def test_verdicts_on_random_fleets_are_those_of_git_merge(tmp_path: Path) -> None:
    until = time.monotonic() + SECONDS
    compared = conflicts = 0
    for seed in range(1000):
        repo = planted(tmp_path, seed)
        seen = look(repo)
        scratch = str(tmp_path / f"scratch-{seed}")
        repo.git("worktree", "add", "-q", "--detach", scratch)
        names = [f"b{number}" for number in range(BRANCHES)]
        commits = {name: normalised(repo, scratch, name) for name in names}
        assert set(seen.radar.base_conflicts) == {name for name, commit in commits.items() if commit is None}, seed
        found = {pair.keys: pair for pair in seen.radar.pairs}
        clean = [name for name in names if commits[name]]
        for place, one in enumerate(clean):
            for other in clean[place + 1 :]:
                said = found.get((one, other))
                agrees, paths = merges(repo, str(commits[one]), str(commits[other]), scratch)
                assert (said is None or said.verdict == "clean") == agrees, (seed, one, other)
                if said and not agrees and paths:
                    assert {path.partition("~")[0] for path in paths} == set(said.paths), (seed, one, other)
                    assert said.kinds, (seed, one, other)
                compared += 1
                conflicts += not agrees
                if time.monotonic() > until and compared > 20 and conflicts:
                    return


@pytest.fixture
def truths() -> ModuleType:
    """`make_truth.py` of the fleets."""
    path = FLEETS / "make_truth.py"
    if not path.is_file():
        pytest.skip(f"{path} is not here; FLEETS names its folder")
    spec = importlib.util.spec_from_file_location("make_truth", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def agrees_with(repo: Repo, truth: dict[str, dict[str, object]]) -> None:
    """Every verdict, every path, and the number of stops."""
    seen = look(repo)
    assert {name: list(paths) for name, paths in seen.radar.base_conflicts.items()} == truth["base_conflicts"]
    said = {frozenset(pair.keys): pair for pair in seen.radar.pairs}
    for names, row in truth["pairs"].items():
        pair = said.get(frozenset(names.split()))
        verdict = pair.verdict.value if pair else "clean"
        paths = list(pair.paths) if pair and verdict == "conflict" else []
        assert isinstance(row, dict) and (verdict, paths) == (row["verdict"], row["paths"]), names
    assert seen.pairs_total == len(truth["branches"]) * (len(truth["branches"]) - 1) // 2
    assert seen.stops == len(truth["base_conflicts"]) + int(str(truth["min_stops"]))


@pytest.mark.parametrize("name", ["flask", "pre-commit"])
def test_verdicts_and_stops_on_real_fleets(name: str, tmp_path: Path) -> None:
    bundle = FLEETS / f"{name}.bundle"
    if not bundle.is_file():
        pytest.skip(f"{bundle} is not here; FLEETS names the folder of the bundles")
    repo = kit.adopt(tmp_path / name)
    subprocess.run(["git", "clone", "-q", "-b", "main", bundle, repo.path], check=True)
    repo.git("fetch", "-q", "origin", "refs/heads/pr/*:refs/heads/pr/*")
    agrees_with(repo, json.loads((FLEETS / f"{name}.truth.json").read_text()))


def test_verdicts_on_a_generated_fleet_are_the_truth_s(truths: ModuleType, tmp_path: Path) -> None:
    chance = random.Random(3)
    text = [f"line {line}\n" for line in range(40)]
    repo = make_repo(tmp_path / "app", {f"f{number}": "".join(text) for number in range(12)})
    for number in range(16):
        edits = {}
        for _ in range(3):
            lines = [*text]
            lines[chance.randrange(40)] = f"by {number}\n"
            edits[f"f{chance.randrange(12)}"] = "".join(lines)
        repo.branch(f"b{number}", edits)
    repo.commit("on", {"f0": "".join([*text[:10], "base\n", *text[11:]])})
    (tmp_path / "truth").mkdir()
    git = truths.Git(str(repo.path), "main", str(tmp_path / "truth"))
    agrees_with(repo, truths.truth(git, truths.fleet(git, ["refs/heads/b*"], "main")))
