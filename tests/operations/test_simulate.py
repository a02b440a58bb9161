"""The certificate: what a dry run promises is what a landing does, tree by tree, and it leaves nothing behind."""

import contextlib
from pathlib import Path
from typing import Any

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
    before = rooms.loose_objects(repo)
    promised = steps(repo, "--dry-run")
    assert rooms.loose_objects(repo) == before
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
