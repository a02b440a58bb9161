"""`git fleet plan` against the repository: history, branches, worktrees, status cells; and it writes nothing."""

import contextlib
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import kit
import lab
import rooms
from kit import Repo


def problems(repo: Repo, code: int = 1) -> list[tuple[str, tuple[str, ...]]]:
    return [(one["code"], tuple(one["tasks"])) for one in repo.fleet("plan", "--json", check=code).json["problems"]]


def messages(repo: Repo) -> list[str]:
    plan: Any = repo.fleet("plan", "--json").json
    return [one["message"] for one in plan["problems"]]


def test_the_lab_is_as_planned_all_the_way(tmp_path: Path) -> None:
    repo = lab.with_markdown(tmp_path)
    assert problems(repo) == []
    repo.fleet("add", "42", "43", check=0)
    assert problems(repo) == []
    lab.work(repo, "42")
    lab.work(repo, "43")
    assert problems(repo) == []
    repo.fleet("land", check=0)
    assert problems(repo, code=0) == []
    told = repo.fleet("plan", check=0).out
    assert "42 and 44 share cli.py, but 42 has landed\n" in told and "a single task needs no fleet" in told


def test_a_status_cell_that_lies(tmp_path: Path) -> None:
    repo = lab.with_markdown(tmp_path)
    text = repo.read("PLAN.md")
    lines = [
        line.replace("queued", word)
        for line, word in zip(text.splitlines()[4:7], ("active", "landed", "done"), strict=True)
    ]
    repo.write({"PLAN.md": "\n".join([*text.splitlines()[:4], *lines, ""])})
    assert problems(repo) == [("missing-branch", ("42",)), ("stale-status", ("43",)), ("missing-branch", ("44",))]
    shown = repo.fleet("plan", check=1).out
    assert "PLAN.md:5: warning: 42: the plan says 'active', but there is no branch 'feature/42-count'" in shown


def test_a_worktree_that_moved_or_is_on_another_branch(tmp_path: Path) -> None:
    repo = lab.with_config(tmp_path)
    repo.fleet("add", "42", "43", check=0)
    repo.git("worktree", "move", lab.worktree(repo, "42"), tmp_path / "elsewhere")
    repo.git("switch", "-q", "-c", "other", cwd=lab.worktree(repo, "43"))
    assert messages(repo) == [
        f"42: its branch is checked out in '{tmp_path}/elsewhere', not in '{lab.worktree(repo, '42')}' as planned",
        f"43: its worktree '{lab.worktree(repo, '43')}' is on branch 'other', not on 'feature/43-docs'",
    ]
    repo.git("branch", "-D", "-q", "feature/43-docs")
    assert problems(repo)[1:] == [("worktree-branch", ("43",)), ("missing-branch", ("43",))]


def test_drift_and_paths_that_match_nothing(tmp_path: Path) -> None:
    repo = lab.with_config(tmp_path)
    repo.config({"fleet.44.owns": "scr/clear.py"})
    repo.fleet("add", "42", check=0)
    lab.work(repo, "42")
    repo.commit("more", {"README.md": "x\n", "setup.py": "x\n", "tests/a b.py": "x\n"}, cwd=lab.worktree(repo, "42"))
    repo.commit("the base goes on", {"other.txt": "x\n"})
    repo.git("merge", "-q", "main", cwd=lab.worktree(repo, "42"))
    assert messages(repo) == [
        "44: owned path 'scr/clear.py' matches no file, and there is no folder for a new one",
        "42: its branch changed README.md, which 43 owns",
        "42: its branch changed setup.py, tests/a b.py, which nobody owns",
    ]


def test_warnings_alone_are_no_failure(tmp_path: Path) -> None:
    repo = lab.make(tmp_path)
    repo.config({"fleet.42.owns": "cli.py", "fleet.42.status": "landed", "fleet.43.title": "docs"})
    assert problems(repo, code=0) == [("owns-nothing", ("43",)), ("stale-status", ("42",))]


def test_history_tells_what_belongs_together(tmp_path: Path) -> None:
    repo = lab.with_config(tmp_path)
    for number in range(12):
        repo.commit(f"both {number}", {"cli.py": f"{lab.CLI}# {number}\n", "README.md": f"{number}\n"})
    plan = repo.fleet("plan", "--json", check=1).json
    assert plan["couplings"] == [
        {"tasks": ["42", "43"], "paths": ["cli.py", "README.md"], "support": 13, "confidence": 1.0},
        {"tasks": ["43", "44"], "paths": ["README.md", "cli.py"], "support": 13, "confidence": 1.0},
    ]
    assert plan["hot"] == [
        {"path": "README.md", "share": 1.0, "conflicts": 0.0, "tasks": ["43"]},
        {"path": "cli.py", "share": 1.0, "conflicts": 0.0, "tasks": ["42", "44"]},
    ]
    assert repo.fleet("plan", "--json", "--history", "4", check=1).json["couplings"] == []
    assert repo.fleet("plan", "--json", "--history=0", check=1).json["couplings"] is None
    assert repo.fleet("plan", "--history", "-1").status == 129


def test_overlaps_name_files_that_exist(tmp_path: Path) -> None:
    repo = lab.make(tmp_path, {"docs/a.md": "a\n", "docs/b.txt": "b\n"})
    repo.config(
        {"fleet.1.owns": "docs/", "fleet.2.owns": "**/*.md", "fleet.3.owns": "docs/new.md", "fleet.3.needs": "2"}
    )
    plan = repo.fleet("plan", "--json", check=1).json
    assert plan["overlaps"] == [
        {"tasks": ["1", "2"], "paths": ["docs/a.md"], "excused_by": None},
        {"tasks": ["1", "3"], "paths": ["docs/new.md"], "excused_by": None},
        {"tasks": ["2", "3"], "paths": ["docs/new.md"], "excused_by": "3 needs 2"},
    ]


def test_estimates_and_reviews_decide_whether_it_is_worth_it(tmp_path: Path) -> None:
    repo = lab.make(tmp_path)
    repo.config(
        {"fleet.1.owns": "cli.py", "fleet.2.owns": "README.md", "fleet.1.estimate": "40m", "fleet.2.estimate": "40m"}
    )
    advice = repo.fleet("plan", "--json", check=0).json["advice"]
    assert (advice["verdict"], advice["speedup"], advice["speedup_without_review"]) == ("parallel", 1.4, 1.6)
    assert (advice["critical_path"], advice["critical_path_s"], advice["serial_s"]) == (["1"], 2400.0, 2400.0)
    repo.config({"fleet.review": "4h"})
    assert repo.fleet("plan", "--json", check=0).json["advice"]["verdict"] == "sequential"


def test_what_is_planned_is_reckoned_with_by_what_was_done(tmp_path: Path) -> None:
    repo = lab.with_config(tmp_path)
    repo.fleet("add", "42", check=0)
    lab.work(repo, "42")
    repo.fleet("land", check=0)
    assert repo.fleet("plan", "--json", check=0).json["advice"]["critical_path_s"] is None  # seconds are no measure
    with contextlib.closing(sqlite3.connect(repo.common_dir() / "fleet" / "fleet.db")) as journal, journal:
        journal.execute("UPDATE operation SET began_s = began_s - 1800 WHERE kind = 'add'")
        journal.execute("UPDATE gate_result SET seconds = 60")
    advice = repo.fleet("plan", "--json", check=0).json["advice"]
    assert round(advice["critical_path_s"], -2) == 1800
    assert round(advice["serial_s"]) == 600 + 2 * (900 + 60)  # of what is left


def test_a_partial_clone_fetches_nothing(tmp_path: Path) -> None:
    origin = lab.with_config(tmp_path)
    origin.config({"uploadpack.allowFilter": "true"})
    commit = "commit refs/heads/main\ncommitter A <a@b.c> 1767323045 +0000\ndata 1\nx\n"
    start = "reset refs/heads/main\nfrom refs/heads/main^0\n"
    origin.git("fast-import", "--quiet", stdin=start + commit * 1_700)  # more ids than a pipe takes at once
    clone = kit.adopt(tmp_path / "partial")
    subprocess.run(
        ["git", "clone", "-q", "--filter=tree:0", "--no-checkout", f"file://{origin.path}", clone.path], check=True
    )
    clone.config({"fleet.1.owns": "cli.py", "fleet.2.owns": "README.md"})
    plan = clone.fleet("plan", "--json", check=0).json
    assert (plan["couplings"], plan["problems"]) == (None, [])


def test_what_past_merges_fought_for_is_hot(tmp_path: Path) -> None:
    """They are merged again: how they were resolved then does not matter."""
    repo = rooms.fleet(tmp_path, {"1": None})
    repo.config({"fleet.1.owns": "file"})
    for number in range(3):
        repo.branch(f"side-{number}", {"file": f"side {number}\n", f"new-{number}": "x\n"})
        repo.commit(f"main {number}", {"file": f"main {number}\n"})
        repo.git("merge", "-q", "-s", "ours", "--no-edit", f"side-{number}")
    found = repo.fleet("plan", "--json", check=0).json
    assert found["hot"] == [{"path": "file", "share": 0.0, "conflicts": 1.0, "tasks": ["1"]}]
    assert repo.fleet("plan", "--json", "--history=0", check=0).json["hot"] == []
    assert "hot file: it was in 100% of past conflicts (1)" in repo.fleet("plan", check=0).out
