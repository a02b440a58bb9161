"""`git fleet graph` as people use it."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import kit
import lab
import pytest

ENDINGS = (
    ("plan.txt", "wave 1 "),
    ("plan.mmd", "flowchart LR\n"),
    ("plan.MD", "```mermaid\nflowchart LR\n"),
    ("plan.dot", "digraph fleet {\n"),
    ("plan.gv", "digraph fleet {\n"),
    ("plan.json", '{\n  "schema": "git-fleet.graph.v1",\n'),
    ("plan.svg", '<svg xmlns="http://www.w3.org/2000/svg" '),
)


@pytest.mark.parametrize("make", [lab.with_config, lab.with_markdown])
def test_the_lab_as_text(make: Callable[[Path], kit.Repo], tmp_path: Path) -> None:
    shown = make(tmp_path).fleet("graph", check=0)
    assert shown == (
        0,
        "wave 1        wave 2\n"
        "┌──────────┐  ┌──────────────────────┐\n"
        "│ 42 count │  │ 44 clear             │\n"
        "│ ready    │  │ ready                │\n"
        "└──────────┘  │ overlaps 42 (cli.py) │\n"
        "┌──────────┐  └──────────────────────┘\n"
        "│ 43 docs  │\n"
        "│ ready    │\n"
        "└──────────┘\n",
        "",
    )


def test_states_are_those_of_the_repository(tmp_path: Path) -> None:
    """Not those that the plan's Status cells claim."""
    repo = lab.with_markdown(tmp_path)
    repo.fleet("add", "42", "43", check=0)
    lab.work(repo, "43")
    repo.fleet("land", "43", "--no-gate", check=0)
    nodes = repo.fleet("graph", "--format=json", check=0).json["nodes"]
    assert {node["id"]: node["state"] for node in nodes} == {"42": "active", "43": "landed", "44": "planned"}


def test_needs_are_reduced_and_overlaps_that_they_excuse_are_left_out(tmp_path: Path) -> None:
    repo = lab.make(tmp_path)
    for task, owns, needs in (("1", "a", ()), ("2", "a", ("1",)), ("3", "b", ("2", "1")), ("4", "b", ())):
        repo.config({f"fleet.{task}.title": f"t{task}", f"fleet.{task}.owns": owns, f"fleet.{task}.needs": needs})
    drawn = repo.fleet("graph", "--format=json", check=0).json
    assert [(node["id"], node["wave"]) for node in drawn["nodes"]] == [("1", 1), ("2", 2), ("3", 3), ("4", 1)]
    assert drawn["edges"] == [
        {"from": "1", "to": "2", "kind": "needs"},
        {"from": "2", "to": "3", "kind": "needs"},
        {"from": "4", "to": "3", "kind": "overlap", "paths": ["b"]},
    ]


def test_overlaps_are_those_of_the_plan(tmp_path: Path) -> None:
    """Real files where both own some."""
    repo = lab.make(tmp_path)
    repo.config({"fleet.1.owns": "*.py", "fleet.2.owns": "c*", "fleet.3.owns": "*.rs", "fleet.4.owns": "r*"})
    planned = repo.fleet("plan", "--json", check=1).json
    drawn = repo.fleet("graph", "--format=json", check=0).json
    assert [(sorted((edge["from"], edge["to"])), edge["paths"]) for edge in drawn["edges"]] == [
        (overlap["tasks"], overlap["paths"]) for overlap in planned["overlaps"]
    ]
    assert drawn["edges"][0]["paths"] == ["cli.py"]
    waves = [[node["id"] for node in drawn["nodes"] if node["wave"] == wave] for wave in (1, 2, 3, 4)]
    assert [wave for wave in waves if wave] == planned["waves"]


@pytest.mark.parametrize(("name", "start"), ENDINGS)
def test_the_name_of_the_file_says_the_format(name: str, start: str, tmp_path: Path) -> None:
    repo = lab.with_config(tmp_path)
    assert repo.fleet("graph", "-o", name, check=0) == (0, "", "")
    written = repo.read(name)
    assert written.startswith(start)
    assert written.endswith("\n") and not written.endswith("\n\n")
    form = {"txt": "ascii", "mmd": "mermaid", "gv": "dot"}.get(name[5:], name[5:])
    if form != "MD":
        assert repo.fleet("graph", f"--format={form}", check=0).out == written
        assert repo.fleet("graph", f"--format={form}", "-o", "-", check=0).out == written
    assert not [path for path in os.listdir(repo) if path.endswith(".new")]


def test_the_format_beats_the_name(tmp_path: Path) -> None:
    repo = lab.with_config(tmp_path)
    repo.fleet("graph", "--format=dot", "-o", "plan.svg", check=0)
    assert repo.read("plan.svg").startswith("digraph")


def test_a_name_that_says_nothing(tmp_path: Path) -> None:
    repo = lab.with_config(tmp_path)
    done = repo.fleet("graph", "-o", "plan.png", check=129)
    assert done.err == (
        "error: the name 'plan.png' does not say which format\nhint: name it: --format=ascii|mermaid|dot|json|svg\n"
    )
    assert not (repo.path / "plan.png").exists()
    assert "Invalid value" in repo.fleet("graph", "--format=png", check=129).err


def test_a_file_is_replaced_in_one_step_and_keeps_its_mode(tmp_path: Path) -> None:
    repo = lab.with_config(tmp_path)
    old, link = repo.path / "old.svg", repo.path / "link.svg"
    old.write_text("old")
    old.chmod(0o640)
    link.symlink_to("old.svg")
    kept = old.open()
    repo.fleet("graph", "-o", "link.svg", check=0)
    assert link.is_symlink()
    assert old.read_text().startswith("<svg")
    assert stat.S_IMODE(old.stat().st_mode) == 0o640
    assert kept.read() == "old"
    kept.close()


def test_what_is_never_written_over(tmp_path: Path) -> None:
    """The plan itself, by whatever name; a git directory; what is no file."""
    repo = lab.with_markdown(tmp_path)
    (repo.path / "same.md").symlink_to("PLAN.md")
    (repo.path / "folder.svg").mkdir()
    (repo.path / "hooks").symlink_to(".git/hooks")
    for name, why in (
        ("PLAN.md", "is the plan"),
        ("same.md", "is the plan"),
        (".git/plan.svg", "is inside the git directory"),
        ("hooks/pre-commit", "is inside the git directory"),
        ("folder.svg", "is no regular file"),
        ("/dev/null", "is no regular file"),
    ):
        done = repo.fleet("graph", "--format=mermaid", "-o", name, check=3)
        assert done.err.startswith(f"error: '{name}' {why}: nothing was written\n")
    assert repo.read("PLAN.md") == lab.PLAN
    assert repo.fleet("graph", "-o", "nowhere/plan.svg", check=128).err == (
        "fatal: cannot write 'nowhere/plan.svg': No such file or directory\n"
    )


def test_another_plan(tmp_path: Path) -> None:
    repo = lab.with_markdown(tmp_path)
    (tmp_path / "other.md").write_text("| Task | Files owned |\n|-|-|\n| #7 seven | `x` |\n")
    assert "7 seven" in repo.fleet("graph", "--plan", "../other.md", check=0).out
    done = repo.fleet("graph", "--plan", "../other.md", "-o", "../other.md", check=3)
    assert "is the plan" in done.err


def test_a_broken_plan_is_drawn_as_far_as_it_goes(tmp_path: Path) -> None:
    repo = lab.make(tmp_path)
    for task, needs in (("a", "b"), ("b", "a"), ("c", "nobody")):
        repo.config({f"fleet.{task}.owns": task, f"fleet.{task}.needs": needs})
    shown = repo.fleet("graph", check=0)
    assert shown.out.splitlines()[0] == "wave 1     in a ring of needs"
    assert shown.err == "hint: the plan has errors: git fleet plan\n"
    assert repo.fleet("graph", "-q", check=0).err == ""


def test_without_a_plan_the_worktrees_are_drawn(tmp_path: Path) -> None:
    repo = lab.with_worktrees(tmp_path)
    assert [node["id"] for node in repo.fleet("graph", "--format=json", check=0).json["nodes"]] == ["42", "43", "44"]
    empty = kit.make_repo(tmp_path / "empty", {"a": "a\n"})
    assert empty.fleet("graph", check=0).out == "no tasks\n"
    assert ElementTree.fromstring(empty.fleet("graph", "--format=svg", check=0).out).tag.endswith("svg")


def test_hostile_titles_stay_text(tmp_path: Path) -> None:
    repo = lab.make(tmp_path)
    title = 'x"]; </text><script>1</script> \x1b[31m \u202e & é'
    repo.config({"fleet.7.title": title, "fleet.7.owns": "a", 'fleet.</svg> "8.owns': "b"})
    for form in ("ascii", "mermaid", "dot", "svg"):
        shown = repo.fleet("graph", f"--format={form}", check=0).out
        assert not {"\x1b", "\u202e"} & set(shown)
        assert ("<script>" in shown) is (form in ("ascii", "dot"))
    drawn = repo.fleet("graph", "--format=json", check=0).json
    assert drawn["nodes"][0]["title"] == title


def test_pictures_are_utf8_whatever_the_terminal_is(tmp_path: Path) -> None:
    repo = lab.make(tmp_path)
    repo.config({"fleet.7.title": "é", "fleet.7.owns": "a"})
    shown = repo.fleet("graph", "--format=svg", env={"PYTHONIOENCODING": "latin-1"}, check=0)
    assert ">é<" in shown.out
    plain = repo.fleet("graph", env={"PYTHONIOENCODING": "ascii"}, check=0)
    assert plain.out.splitlines()[1] == "+-------+"


def test_ten_thousand_tasks(tmp_path: Path) -> None:
    """Three needs each, of which one says it all."""
    repo = lab.make(tmp_path)
    rows = [
        f"| #{id} t | `m{id}/` | {', '.join(f'#{max(id - back, 1)}' for back in (1, 50, 99) if id > back) or '—'} |\n"
        for id in range(1, 10_001)
    ]
    (tmp_path / "big.md").write_text(f"| Task | Files owned | Depends on |\n|-|-|-|\n{''.join(rows)}")
    drawn: Any = json.loads(repo.fleet("graph", "--plan", "../big.md", "--format=json", check=0).out)
    assert len(drawn["nodes"]) == 10_000
    assert [(edge["from"], edge["to"]) for edge in drawn["edges"]] == [
        (str(id), str(id + 1)) for id in range(1, 10_000)
    ]
