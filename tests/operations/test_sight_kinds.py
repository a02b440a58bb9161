"""Every kind of conflict, planted: the verdict and the paths are those of `git merge`, the kind is named."""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from kit import Repo, make_repo
from sights import branch, look, merges, pair

Change = Callable[[Repo], None] | Mapping[str, str | None]

TEXT = "".join(f"line {number}\n" for number in range(30))
FILES = {
    "file": TEXT,
    "other": "o\n" * 20,
    "dir/a": "a\n" * 20,
    "dir/b": "b\n" * 30,
    "run": "#!/bin/sh\n",
    "base": "1\n",
}


def edited(at: int, what: str) -> str:
    return TEXT.replace(f"line {at}\n", f"{what}\n")


def data(name: str, content: bytes) -> Change:
    return lambda repo: (repo.path / name).write_bytes(content) and None


def move(old: str, new: str) -> Change:
    def change(repo: Repo) -> None:
        (repo.path / new).parent.mkdir(parents=True, exist_ok=True)
        repo.git("mv", old, new)

    return change


def link(name: str, target: str) -> Change:
    def change(repo: Repo) -> None:
        (repo.path / name).unlink(missing_ok=True)
        os.symlink(target, repo.path / name)

    return change


def submodule(oid: str) -> Change:
    def change(repo: Repo) -> None:
        shutil.rmtree(repo.path / "sub", ignore_errors=True)
        nested = repo.path / "sub"
        subprocess.run(["git", "init", "-q", nested], check=True)
        repo.git("commit", "-q", "--allow-empty", "-m", oid, cwd=nested)

    return change


def executable(repo: Repo) -> None:
    (repo.path / "new").write_text("same\n")
    (repo.path / "new").chmod(0o755)


def split(repo: Repo) -> None:
    for old, new in (("dir/a", "p/a"), ("dir/b", "q/b")):
        (repo.path / new).parent.mkdir()
        repo.git("mv", old, new)


CONFLICTS: tuple[tuple[str, Change, Change, tuple[str, ...]], ...] = (
    ("content", {"file": edited(5, "A")}, {"file": edited(5, "B")}, ("content",)),
    ("add/add", {"new": "A\n"}, {"new": "B\n"}, ("add/add",)),
    ("modify/delete", {"file": None}, {"file": edited(5, "B")}, ("modify/delete",)),
    ("rename/rename", move("file", "left"), move("file", "right"), ("rename/rename",)),
    ("rename/delete", move("file", "left"), {"file": None}, ("rename/delete",)),
    ("rename/add", move("file", "left"), {"left": "B\n"}, ("add/add",)),
    ("directory rename", move("dir", "folder"), {"dir/c": "c\n"}, ("directory rename",)),
    ("directory split", split, {"dir/c": "c\n"}, ("directory rename",)),
    ("mode", executable, {"new": "same\n"}, ("mode",)),
    ("type", link("run", "file"), {"run": "#!/bin/bash\n"}, ("mode",)),
    ("links", link("new", "file"), link("new", "other"), ("add/add",)),
    ("binary", data("bin", b"a\0b"), data("bin", b"a\0c"), ("binary",)),
    ("file/directory", {"place": "A\n"}, {"place/below": "B\n"}, ("file/directory",)),
    ("submodule", submodule("left"), submodule("right"), ("submodule",)),
)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return make_repo(tmp_path / "app", FILES)


@pytest.mark.parametrize(("name", "one", "two", "kinds"), CONFLICTS, ids=[row[0] for row in CONFLICTS])
def test_a_conflict_of_each_kind(
    name: str, one: Change, two: Change, kinds: tuple[str, ...], repo: Repo, tmp_path: Path
) -> None:
    branch(repo, "one", one)
    branch(repo, "two", two)
    scratch = tmp_path / "scratch"
    found = pair(look(repo))
    assert found is not None
    assert (found.verdict, found.kinds, found.why) == ("conflict", kinds, None)
    repo.git("worktree", "add", "-q", "--detach", scratch)
    clean, paths = merges(repo, "one", "two", str(scratch))
    assert not clean
    real = sorted({path.removesuffix("~HEAD").removesuffix("~two") for path in paths})
    assert list(found.paths) == (real or list(found.paths))


CLEAN: tuple[tuple[str, Change, Change], ...] = (
    ("far apart", {"file": edited(3, "A")}, {"file": edited(25, "B")}),
    ("other files", {"file": edited(3, "A")}, {"other": "x\n"}),
    ("the same change", {"file": edited(3, "A")}, {"file": edited(3, "A")}),
    ("case only", {"Name": "A\n"}, {"name": "B\n"}),
    ("both delete", {"file": None}, {"file": None}),
)


@pytest.mark.parametrize(("name", "one", "two"), CLEAN, ids=[row[0] for row in CLEAN])
def test_clean_pairs(name: str, one: Change, two: Change, repo: Repo) -> None:
    branch(repo, "one", one)
    branch(repo, "two", two)
    seen = look(repo)
    found = pair(seen)
    assert found is None or (found.verdict, found.kinds) == ("clean", ())
    assert (seen.stops, [step.action for step in seen.order]) == (0, ["land", "land"])
    assert not repo.git("count-objects", "-v").startswith("count: 0") and repo.git("fsck", "--unreachable") == ""


def test_union_merges_what_text_would_not(repo: Repo) -> None:
    repo.commit("attributes", {".gitattributes": "file merge=union\n"})
    branch(repo, "one", {"file": edited(5, "A")})
    branch(repo, "two", {"file": edited(5, "B")})
    found = pair(look(repo))
    assert found is not None and found.verdict == "clean"


@pytest.mark.parametrize("config", [{}, {"merge.ours.driver": "no-such-program %A"}, {"merge.ours.name": "ours"}])
def test_a_driver_that_is_not_installed_is_never_clean(config: dict[str, str], repo: Repo) -> None:
    repo.commit("attributes", {".gitattributes": "file merge=ours\n"})
    repo.config(config)
    branch(repo, "one", {"file": edited(3, "A")})
    branch(repo, "two", {"file": edited(25, "B")})
    found = pair(look(repo))
    assert found is not None and found.verdict == "unknown"
    assert found.why is not None and "ours" in found.why


def test_a_driver_that_is_installed_decides_and_is_not_remembered(repo: Repo) -> None:
    repo.commit("attributes", {".gitattributes": "file merge=ours\n"})
    repo.config({"merge.ours.driver": "true"})
    branch(repo, "one", {"file": edited(5, "A")})
    branch(repo, "two", {"file": edited(5, "B")})
    for _ in range(2):
        seen = look(repo, remember=True)
        found = pair(seen)
        assert found is not None and (found.verdict, seen.remembered) == ("clean", 0)


def test_a_conflict_elsewhere_is_certain_whatever_the_driver(repo: Repo) -> None:
    repo.commit("attributes", {".gitattributes": "other merge=mine\n"})
    branch(repo, "one", {"file": edited(5, "A"), "other": "A\n" + "o\n" * 20})
    branch(repo, "two", {"file": edited(5, "B"), "other": "o\n" * 20 + "B\n"})
    found = pair(look(repo))
    assert found is not None and (found.verdict, found.paths) == ("conflict", ("file",))


def test_conflicts_with_the_base_are_blamed_on_no_sibling(repo: Repo) -> None:
    branch(repo, "one", {"file": edited(5, "A"), "extra": "1\n"})
    branch(repo, "two", {"file": edited(25, "B")})
    repo.commit("base moves", {"file": edited(5, "BASE")})
    seen = look(repo)
    assert seen.radar.base_conflicts == {"one": ("file",)}
    assert seen.radar.base_kinds == {"one": ("content",)}
    assert seen.radar.pairs == ()
    assert seen.changed == {"one": ("extra", "file"), "two": ("file",)}
    assert [(step.id, step.action) for step in seen.order] == [("two", "land"), ("one", "stop")]
    assert (seen.pairs_total, seen.compared, seen.stops, seen.behind) == (1, 0, 1, {"one": 1, "two": 1})


def test_criss_cross_is_as_git_merges_it(repo: Repo, tmp_path: Path) -> None:
    branch(repo, "one", {"file": edited(5, "A")})
    branch(repo, "side", {"file": edited(25, "B")})
    repo.git("merge", "-q", "--no-edit", "side")
    repo.git("checkout", "-q", "one")
    repo.git("merge", "-q", "--no-edit", "side")
    repo.git("merge", "-q", "--no-edit", "main~1")
    repo.commit("on", {"file": edited(5, "A").replace("line 25\n", "C\n")})
    repo.git("checkout", "-q", "main")
    repo.git("branch", "-qD", "side")
    repo.commit("on", {"file": edited(25, "D")})
    scratch = tmp_path / "scratch"
    repo.git("worktree", "add", "-q", "--detach", scratch)
    clean, paths = merges(repo, "main", "one", str(scratch))
    seen = look(repo)
    assert (not clean, paths) == ("one" in seen.radar.base_conflicts, list(seen.radar.base_conflicts.get("one", ())))


def test_stacked_branches_merge_with_their_real_history(repo: Repo) -> None:
    branch(repo, "one", {"file": edited(5, "A")})
    branch(repo, "two", {"file": edited(5, "B")}, start="one")
    found = pair(look(repo))
    assert found is not None and (found.verdict, found.first) == ("clean", None)


@pytest.mark.parametrize(("first", "then"), [("one", "two"), ("two", "one")])
def test_where_only_one_order_merges_the_pair_is_clean_in_that(first: str, then: str, tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "app", {"f": "a\nb\nc\nd\n"})
    repo.branch("shared", {"f": "b\nb\nc\nd\n"})
    repo.branch(first, {"f": "b\nc\nd\n"}, start="shared")
    repo.branch(then, {"f": "b\na\nb\nc\nd\n"}, start="shared")
    repo.git("branch", "-qD", "shared")
    repo.commit("on", {"f": "a\nb\nb\nc\nd\n"})
    scratch = tmp_path / "scratch"
    repo.git("worktree", "add", "-q", "--detach", scratch)
    landed = {}
    for name in (first, then):
        assert merges(repo, "main", name, str(scratch))[0]
        landed[name] = repo.git("rev-parse", "HEAD", cwd=scratch)
    assert merges(repo, landed[first], then, str(scratch))[0]
    assert not merges(repo, landed[then], first, str(scratch))[0]
    for seen in (look(repo, remember=True), look(repo)):
        found = pair(seen)
        assert found is not None and (found.verdict, found.first) == ("clean", first)
        assert [(step.id, step.action) for step in seen.order] == [(first, "land"), (then, "land")]


def test_both_sides_of_a_conflict_are_shown(repo: Repo) -> None:
    branch(repo, "one", {"file": edited(5, "A"), "other": None})
    branch(repo, "two", {"file": edited(5, "B"), "other": "o\n"})
    hunks = look(repo, hunks=True).hunks["one", "two"]
    assert [(hunk.path, hunk.line, hunk.ours, hunk.theirs) for hunk in hunks] == [
        ("file", 6, "A\n", "B\n"),
        ("other", None, None, "o\n"),
    ]


def test_a_shallow_clone_says_what_it_does_not_know(repo: Repo, tmp_path: Path) -> None:
    for number in range(3):
        repo.commit(f"more {number}", {"base": f"{number}\n"})
    branch(repo, "one", {"file": edited(5, "A")}, start="main~3")
    repo.commit("last", {"base": "9\n"})
    clone = tmp_path / "clone"
    url = f"file://{repo.path}"
    subprocess.run(["git", "clone", "-q", "--depth=1", "--no-single-branch", url, clone], check=True)
    shallow = Repo(clone)
    shallow.git("branch", "-q", "one", "origin/one")
    seen = look(shallow)
    assert seen.radar.unknown.keys() == {"one"} and "shallow" in seen.radar.unknown["one"]
    assert seen.radar.merged == {} and seen.stops == 1


def test_a_partial_clone_says_what_is_missing(repo: Repo, tmp_path: Path) -> None:
    repo.config({"uploadpack.allowFilter": "true"})
    branch(repo, "one", {"file": edited(5, "A")})
    branch(repo, "two", {"file": edited(25, "B")})
    clone = tmp_path / "clone"
    url = f"file://{repo.path}"
    subprocess.run(["git", "clone", "-q", "--filter=blob:none", "--no-checkout", url, clone], check=True)
    partial = Repo(clone)
    for name in ("one", "two"):
        partial.git("branch", "-q", name, f"origin/{name}")
    before = partial.git("count-objects", "-v")
    found = pair(look(partial))
    assert found is not None and found.verdict == "unknown" and found.why
    assert partial.git("count-objects", "-v") == before
