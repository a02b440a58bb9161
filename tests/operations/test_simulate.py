"""The certificate: what a dry run promises is what a landing does, tree by tree, and it leaves nothing behind."""

import contextlib
from pathlib import Path
from typing import Any

import pytest
import rooms
from kit import Repo, make_repo

from git_fleet.model.landing import Action, OrderStep
from git_fleet.operations import context as contexts
from git_fleet.operations import radar, simulate, survey
from git_fleet.repo import merging


def steps(repo: Repo, *args: str, check: int = 0) -> list[dict[str, Any]]:
    return repo.fleet("land", "--json", *args, check=check).json["steps"]  # type: ignore[no-any-return]


def trees(found: list[dict[str, Any]]) -> list[tuple[str, str, str | None]]:
    return [(step["id"], step["action"], step.get("tree")) for step in found]


def test_the_dry_run_promises_what_the_landing_does(tmp_path: Path) -> None:
    work: dict[str, Any] = {
        "a": {"file": rooms.LONG.replace("line 1\n", "a\n")},
        "b": {"file": rooms.LONG.replace("line 18\n", "b\n")},
        "c": {"file": rooms.LONG.replace("line 1\n", "c\n")},
        "d": {"d": "x\n"},
    }
    repo = rooms.fleet(tmp_path, work)
    before = rooms.objects(repo)
    promised = steps(repo, "--dry-run")
    assert rooms.objects(repo) == before
    done = steps(repo, check=4)
    assert trees(promised) == trees(done)
    landed = [tree for _, action, tree in trees(done) if action == "land"]
    assert repo.oid("main^{tree}") == landed[-1] and len(landed) == 3


def test_each_alone_merges_but_not_all_three(tmp_path: Path) -> None:
    """Renames of a folder and additions to it: no pair conflicts with the base; the fold knows the truth."""
    repo = rooms.fleet(tmp_path, {"a": {"file": "a\n"}, "b": {"file": "b\n"}, "c": {"file": "a\n"}})
    found = steps(repo, check=4)
    assert sorted(step["action"] for step in found) == ["land", "land", "stop"]
    assert next(step for step in found if step["action"] == "stop")["conflicts"] == ["file"]


def test_what_lands_is_tested_and_merged_in_the_same_order(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {name: {name: "x\n"} for name in "abc"})
    found = steps(repo)
    line = repo.git("log", "--first-parent", "--reverse", "--format=%T", "-3", "main").split()
    assert [step["tree"] for step in found] == line


def rewritten(first: int, end: int, by: str) -> str:
    """A hundred lines, some of them changed."""
    return "".join(f"{by if first <= number < end else ''} line {number} of many\n" for number in range(100))


def test_three_that_merge_pair_by_pair_but_not_together(tmp_path: Path) -> None:
    """One moves a file and changes a part, one changes another part: of both together git no longer says "moved"."""
    repo = make_repo(tmp_path / "app", {"file": rewritten(0, 0, "")})
    repo.branch("feature/1-move", {"file": None, "moved": rewritten(0, 40, "1")})
    repo.branch("feature/2-change", {"file": rewritten(50, 90, "2")})
    repo.branch("feature/3-touch", {"file": rewritten(95, 96, "3")})
    repo.fleet("init", "--from-branches", check=0)
    pairs = repo.fleet("check", "--json").json["pairs"]
    assert [pair for pair in pairs if pair["verdict"] == "conflict"] == []
    found = steps(repo, "--dry-run")
    assert [step["action"] for step in found].count("stop") == 1
    stop = next(step for step in found if step["action"] == "stop")
    assert stop["reason"] == "merges with each of the others alone, but not with all that land before it"
    assert trees(steps(repo, check=4))[:2] == trees(found)[:2]


def test_what_was_foretold_wrongly_is_asked_again(tmp_path: Path) -> None:
    """Without knowledge, with it, and with false knowledge the certificate is the same."""
    work: dict[str, Any] = {
        str(n): {f"d{n}/f": f"{n}\n", "file": rooms.LONG.replace(f"line {n}\n", "x\n")} for n in (1, 5, 9)
    }
    work |= {"20": {"file": rooms.LONG.replace("line 5\n", "y\n")}, "21": {"other": "z\n"}, "22": {"d22": "z\n"}}
    repo = rooms.fleet(tmp_path, work)
    with contextlib.chdir(repo.path):
        context = contexts.find()
    snapshot, family = survey.look(context)
    tips = {task.ref: snapshot.branches[task.ref] for task in context.plan.tasks}
    tasks = {task.id: task for task in context.plan.tasks}
    order = [OrderStep(id, Action.LAND, "") for id in tasks]
    with merging.quarantine(context.repository, context.base.commit) as place:
        sight = radar.look_in(place, context.base, tips, family)
        known = simulate.foreseen(sight)
        blind = known._replace(near={})
        wrong = known._replace(changes=dict.fromkeys(tips, known.changes["refs/heads/1"]), near={})
        folded = [simulate.fold(place, context.base, order, tasks, tips, each) for each in (None, known, blind, wrong)]
    assert folded[0] == folded[1] == folded[2] == folded[3]
    assert [(step.id, step.action) for step in folded[0]][-1] == ("20", Action.STOP)


def odd_fleet(tmp_path: Path) -> Repo:
    """A branch for each thing that merges are known to be odd about; all but one merge."""
    long = {name: f"{name}\n" * 30 for name in ("one", "two", "dir/a", "dir/b")}
    repo = make_repo(
        tmp_path / "app", {**long, "run": "#!/bin/sh\n", "link": "to\n", "Case": "case\n", "file": rooms.LONG}
    )
    repo.config({"fleet.branch": "{id}", "fleet.worktree": "../{id}"})
    top = tmp_path / "scratch"
    repo.git("worktree", "add", "-q", "--detach", top, "main")

    def branch(name: str, files: dict[str, str | None], start: str = "main") -> None:
        repo.git("checkout", "-q", "-B", name, start, cwd=top)
        repo.commit(name, files, top)

    branch("dir-renamed", {"dir/a": None, "dir/b": None, "new/a": long["dir/a"], "new/b": long["dir/b"]})
    branch("into-dir", {"dir/c": "c\n" * 9})
    branch("renamed", {"one": None, "uno": long["one"]})
    branch("renamed-alike", {"one": None, "uno": long["one"]})
    branch("add-add-alike", {"same": "same\n"})
    branch("add-add-alike-2", {"same": "same\n"})
    branch("binary", {"image": "\0\1\2"})
    branch("case", {"case": "case\n"})
    repo.git("checkout", "-q", "-B", "mode", "main", cwd=top)
    (top / "run").chmod(0o755)
    repo.commit("mode", None, top)
    repo.git("checkout", "-q", "-B", "symlink", "main", cwd=top)
    (top / "link").unlink()
    (top / "link").symlink_to("run")
    repo.commit("symlink", None, top)
    repo.git("checkout", "-q", "-B", "submodule", "main", cwd=top)
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{repo.oid('main')},sub", cwd=top)
    repo.git("commit", "-q", "-m", "submodule", cwd=top)
    repo.git("checkout", "-q", "--detach", "main", cwd=top)
    branch("cross-1", {"file": rooms.LONG.replace("line 1\n", "x\n")})
    branch("cross-2", {"file": rooms.LONG.replace("line 18\n", "y\n")})
    for one, other in (("cross-1", "cross-2"), ("cross-2", "cross-1^")):
        repo.git("checkout", "-q", one, cwd=top)
        repo.git("merge", "-q", "--no-edit", other, cwd=top)
    repo.git("checkout", "-q", "--detach", "main", cwd=top)
    names = repo.git("for-each-ref", "--format=%(refname:short)", "refs/heads/").split("\n")
    repo.config({f"fleet.{name}.title": name for name in names if name != "main"})
    return repo


def test_what_merges_are_odd_about_lands_as_git_merges_it(tmp_path: Path) -> None:
    repo = odd_fleet(tmp_path)
    promised = steps(repo, "--dry-run")
    landing = [step for step in promised if step["action"] == "land"]
    assert [step["id"] for step in promised if step not in landing] == ["into-dir"]  # git asks where to put that file
    top = tmp_path / "scratch"
    for step in landing:
        repo.git("merge", "-q", "--no-ff", "--no-edit", step["tip"], cwd=top)
        assert step["tree"] == repo.git("rev-parse", "HEAD^{tree}", cwd=top), step["id"]
    assert rooms.status_of("git", "merge", "-q", "--no-edit", "into-dir", cwd=top) == 1
    assert trees(steps(repo, check=4)) == trees(promised)
    assert repo.oid("main^{tree}") == landing[-1]["tree"] and repo.git("status", "--porcelain") == ""
    assert "sub" in repo.git("ls-tree", "--name-only", "main").split()


def test_two_hundred_branches(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "app", {"file": rooms.LONG})
    person = "A U Thor <author@example.com> 1767323045 +0000"
    text = "".join(
        f"commit refs/heads/t/{n}\ncommitter {person}\ndata 1\nx\nfrom refs/heads/main^0\n"
        f"M 644 inline d{n % 7}/f{n}\ndata 2\nx\n"
        for n in range(200)
    )
    repo.git("fast-import", "--quiet", stdin=text + "\n")
    repo.fleet("init", "--from-branches", "t/*", check=0)
    done = repo.fleet("land", "--json", check=0).json
    assert len(done["result"]["landed"]) == 200
    assert len(repo.git("ls-tree", "-r", "--name-only", "main").split("\n")) == 201
    assert repo.git("rev-list", "--first-parent", "--count", "main") == "201"


@pytest.mark.parametrize("what", ["commits", "rebases", "deletes", "removes its worktree"])
def test_what_a_branch_s_author_does_during_the_landing(tmp_path: Path, what: str) -> None:
    """What was pinned lands, and nothing else; what came later is still there to land."""
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}, "b": {"b": "x\n"}})
    tips = {name: repo.oid(name) for name in "ab"}
    top = rooms.tree(repo, "b")
    does = {
        "commits": f"git -C '{top}' commit -q --allow-empty -m later",
        "rebases": f"git -C '{top}' commit -q --amend -m again",
        "deletes": f"git -C '{repo.path}' worktree remove '{top}' && git -C '{repo.path}' branch -q -D b",
        "removes its worktree": f"git -C '{repo.path}' worktree remove '{top}'",
    }[what]
    repo.config({"fleet.gate": f"test -e '{tmp_path}/once' || {{ touch '{tmp_path}/once'; {does}; }}"})
    repo.fleet("land", check=0, oracle=False)
    assert repo.git("log", "--merges", "--format=%P", "main").split("\n")[0].split()[1] == tips["b"]
    assert repo.oid("main~1^2") == tips["a"]
    if what == "commits":
        assert rooms.states(repo)["b"] == "active" and repo.oid("b") != tips["b"]
