"""`git fleet check` through the real program: what conflicts with whom, uncommitted work included, and who strayed."""

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from importlib import resources
from itertools import combinations
from pathlib import Path
from typing import Any

import jsonschema
import kit
import lab
import pexpect
import pyte
import pytest
from kit import Repo

FLEETS = Path(os.environ.get("FLEETS") or kit.ROOT.parent / "shared" / "fleets")
TEXT = "".join(f"line {number}\n" for number in range(1, 21))


def check(repo: Repo, *args: str, status: int, cwd: Path | None = None) -> Any:
    """The JSON answer, which conforms to the published schema."""
    found = repo.fleet("check", "--json", *args, check=status, cwd=cwd).json
    schema = json.loads(resources.files("git_fleet.output").joinpath("schemas/check.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(found)
    return found


def tasks(found: Any) -> dict[str, Any]:
    return {task["id"]: task for task in found["tasks"]}


def verdicts(found: Any) -> dict[tuple[str, str], tuple[str, list[str], list[str]]]:
    """(verdict, paths, kinds) of the pairs that could conflict."""
    return {tuple(pair["tasks"]): (pair["verdict"], pair["paths"], pair["kinds"]) for pair in found["pairs"]}


@pytest.fixture
def six(tmp_path: Path) -> Repo:
    """Six worktrees and no plan: two in each other's way, one behind the base, one with unsaved work, two at peace."""
    repo = kit.make_repo(tmp_path / "app", {"a.txt": TEXT, "b.txt": TEXT, "c.txt": TEXT})
    edits = {
        "one": {"a.txt": TEXT.replace("line 3\n", "one\n")},
        "two": {"a.txt": TEXT.replace("line 3\n", "two\n")},
        "late": {"b.txt": TEXT.replace("line 9\n", "late\n")},
        "live": {},
        "far": {"a.txt": TEXT.replace("line 17\n", "far\n")},
        "new": {"new.txt": "new\n"},
    }
    for name, files in edits.items():
        repo.branch(name, files)
        repo.git("worktree", "add", "-q", tmp_path / name, name)
    repo.commit("goes on", {"b.txt": TEXT.replace("line 9\n", "base\n")})
    repo.write({"c.txt": TEXT.replace("line 5\n", "live\n"), "new.txt": "other\n"}, tmp_path / "live")
    return repo


def test_a_newcomer_with_six_worktrees(six: Repo) -> None:
    done = six.fleet("check", check=1)
    assert re.sub(r"at [0-9a-f]{7},", "at 1234567,", done.out).splitlines() == [
        "main at 1234567, no plan: the branches of the linked worktrees",
        "",
        "      main  far  live  new  one",
        "far   .",
        "live  .     .",
        "new   .     .    x",
        "one   .     .    .     .",
        "two   .     .    .     .    x",
        "late  x",
        ". merges  x conflicts",
        "",
        "with a sibling:",
        "  live and new conflict in new.txt (add/add)",
        "  one and two conflict in a.txt (content)",
        "",
        "behind the base:",
        "  late conflicts with main in b.txt (content), 1 commit behind",
        f"    to resolve it: git -C {six.path.parent}/late merge main",
        "",
        *done.out.partition("\n\nlanding order")[2].join(["landing order", ""]).splitlines(),
    ]
    assert "landing order, 3 stops:" in done.out
    assert done.out.splitlines()[-1] == (
        "6 branches, 10 pairs, 4 that could conflict: 2 conflicts with a sibling, 1 with the base, 0 drifting"
    )
    assert done.err.splitlines()[0] == "hint: to see both sides of each conflict: git fleet check -v"


def test_its_json(six: Repo) -> None:
    found = check(six, status=1)
    assert found["base"] == {"branch": "main", "commit": six.oid("main")}
    assert {id: (task["dirty"], task["base_conflict"]) for id, task in tasks(found).items()} == {
        "far": (False, []),
        "late": (False, ["b.txt"]),
        "live": (True, []),
        "new": (False, []),
        "one": (False, []),
        "two": (False, []),
    }
    assert {(task["ref"], task["tip"]) for task in found["tasks"]} == {
        (f"refs/heads/{id}", six.oid(id)) for id in tasks(found)
    }
    assert verdicts(found) == {
        ("far", "one"): ("clean", ["a.txt"], []),
        ("far", "two"): ("clean", ["a.txt"], []),
        ("live", "new"): ("conflict", ["new.txt"], ["add/add"]),
        ("one", "two"): ("conflict", ["a.txt"], ["content"]),
    }
    assert {key: found["summary"][key] for key in ("tasks", "pairs", "compared", "conflicts")} == {
        "tasks": 6,
        "pairs": 10,
        "compared": 4,
        "conflicts": 2,
    }
    assert set(found["order"]) == set(tasks(found))
    assert len(found["stops"]) == 3 and "late" in found["stops"]


def test_committed_leaves_uncommitted_work_out(six: Repo) -> None:
    found = check(six, "--committed", status=1)
    assert not any(task["dirty"] for task in found["tasks"])
    assert ("live", "new") not in verdicts(found)
    assert "; committed work only" in six.fleet("check", "--committed", check=1).out


def test_staged_and_ignored_work(six: Repo) -> None:
    live = six.path.parent / "live"
    six.write({"new.txt": None, ".gitignore": "*.log\n", "x.log": "ignored\n"}, live)
    six.write({"x.log": "another\n"}, six.path.parent / "new")
    six.git("add", ".gitignore", cwd=live)
    index = (six.path / ".git/worktrees/live/index").read_bytes()
    found = check(six, "live", status=0)
    assert verdicts(found) == {}
    assert tasks(found)["live"]["dirty"]
    assert (six.path / ".git/worktrees/live/index").read_bytes() == index
    assert six.git("stash", "list") == ""


def test_only_the_database_is_written(six: Repo) -> None:
    def own(folder: str) -> set[str]:
        return {path for path in kit.listing(six.common_dir()) if path.startswith(folder)}

    before = kit.listing(six.common_dir())
    six.fleet("check", check=1)
    new = set(kit.listing(six.common_dir())) - set(before)
    assert new <= own(f"{six.common_dir()}/fleet"), new
    assert check(six, status=1)["summary"]["remembered"] == 4
    again = kit.listing(six.common_dir())
    assert check(six, status=1)["summary"]["remembered"] == 4
    assert kit.listing(six.common_dir()) == again


def test_one_is_checked_against_all_and_several_against_each_other(six: Repo) -> None:
    one = check(six, "one", status=1)
    assert set(verdicts(one)) == {("far", "one"), ("one", "two")}
    assert list(tasks(one)) == ["far", "one", "two"]
    few = check(six, "one", "far", "late", status=1)
    assert list(tasks(few)) == ["far", "late", "one"]
    assert set(verdicts(few)) == {("far", "one")}
    assert verdicts(check(six, "one", "new", status=0)) == {}
    assert check(six, "far", status=0)["stops"] == []
    missing = six.fleet("check", "nothing", check=128)
    assert "no task 'nothing'" in missing.err


def test_onto_another_base(six: Repo) -> None:
    found = check(six, "--onto", "one", status=1)
    assert found["base"]["branch"] == "one"
    assert "one" not in tasks(found)
    assert tasks(found)["two"]["base_conflict"] == ["a.txt"]
    assert tasks(found)["late"]["base_conflict"] == []
    assert "nowhere" in six.fleet("check", "--onto", "nowhere", check=128).err


def test_both_sides_with_verbose(six: Repo) -> None:
    said = six.fleet("check", "-v", check=1).out
    assert re.search(r"^  a\.txt, line \d+:\n    one +\| two\n(    .*\n)*?    one +\| two$", said, re.M), said
    assert re.search(r"^  b\.txt, line \d+:\n    main +\| late\n(    .*\n)*?    base +\| late$", said, re.M), said
    assert "far and one both change a.txt, and merge" in said


def test_any_branches_by_pattern(six: Repo) -> None:
    six.git("update-ref", "refs/remotes/origin/one", "one")
    six.git("update-ref", "refs/remotes/origin/two", "two")
    six.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/one")
    six.config({"fleet.base": "main"})
    assert list(tasks(check(six, "--refs", "o*", "--refs", "refs/heads/two", status=1))) == ["one", "two"]
    remote = check(six, "--refs", "origin/*", status=1)
    assert list(tasks(remote)) == ["refs/remotes/origin/one", "refs/remotes/origin/two"]
    assert tasks(remote)["refs/remotes/origin/one"]["ref"] == "refs/remotes/origin/one"
    assert list(verdicts(remote).values()) == [("conflict", ["a.txt"], ["content"])]
    assert "main" not in tasks(check(six, "--refs", "*", status=1))
    assert tasks(check(six, "--refs", "live", status=0))["live"]["dirty"]
    six.fleet("check", "--refs", "one", "two", check=129)


def test_nothing_to_check(tmp_path: Path) -> None:
    repo = kit.make_repo(tmp_path / "app", {"a": "a\n"})
    done = repo.fleet("check", check=0)
    assert done.out.splitlines()[2:] == ["nothing to check: no branch but the base is checked out in a worktree"]
    assert done.err == "hint: for branches without a worktree: git fleet check --refs '*'\n"
    assert check(repo, status=0)["tasks"] == []
    none = repo.fleet("check", "--refs", "pr/*", check=0)
    assert none.out.splitlines()[2:] == [
        "nothing to check: no branch but the base",
        "",
        "note: no branch matches 'pr/*'",
    ]


def test_drift_and_a_plan(tmp_path: Path) -> None:
    repo = lab.with_config(tmp_path)
    repo.fleet("add", "42", "43", check=0)
    lab.edit(repo, "43")
    assert check(repo, status=0)["pairs"] == []
    repo.write({"cli.py": lab.CLI + "# 43 was here\n", "odd.py": "nobody's\n"}, lab.worktree(repo, "43"))
    found = check(repo, status=1)
    assert tasks(found)["43"]["drift"] == ["cli.py", "odd.py"]
    assert tasks(found)["43"]["drift_owners"] == {"cli.py": ["42"], "odd.py": []}
    assert list(tasks(found)) == ["42", "43"]
    said = repo.fleet("check", check=1)
    assert "drift:\n  43 docs changed cli.py, owned by 42\n  43 docs changed odd.py, which nobody owns\n" in said.out
    assert "hint: to see who owns what: git fleet plan\n" in said.err
    assert check(repo, "42", status=0)["summary"]["drift"] == 0
    refused = repo.fleet("check", "44", check=3)
    assert refused.err.splitlines() == [
        "error: 44 has no branch in flight: there is nothing to check",
        "hint: git fleet add 44",
    ]


def test_needs_decide_the_order(tmp_path: Path) -> None:
    repo = lab.with_config(tmp_path)
    repo.config({"fleet.42.needs": "44"})
    repo.fleet("add", "--all", "--allow-overlap", oracle=False)
    for task in ("43", "44"):
        lab.work(repo, task)
    repo.git("worktree", "add", "-q", "-b", lab.branch("42"), lab.worktree(repo, "42"))
    lab.work(repo, "42")
    found = check(repo, status=1)
    assert (found["order"][-1], found["stops"]) == ("42", ["42"])


def test_what_has_landed_is_left_out(tmp_path: Path) -> None:
    repo = lab.with_config(tmp_path)
    repo.fleet("add", "--all", "--allow-overlap", check=0)
    for task in lab.TITLES:
        lab.work(repo, task)
    assert verdicts(check(repo, status=1)) == {("42", "44"): ("conflict", ["cli.py"], ["content"])}
    repo.fleet("land", "42", "43", "--no-gate", check=0)
    found = check(repo, status=1)
    assert list(tasks(found)) == ["44"]
    assert tasks(found)["44"]["base_conflict"] == ["cli.py"]


def test_a_worktree_in_the_middle_of_a_merge(six: Repo) -> None:
    two = six.path.parent / "two"
    subprocess.run(["git", "merge", "-q", "one"], cwd=two, check=False, capture_output=True)
    assert "note: two is in the middle of a merge\n" in six.fleet("check", check=1).out
    assert tasks(check(six, status=1))["two"]["operation"] == "merge"


def test_a_detached_worktree(six: Repo) -> None:
    six.git("checkout", "-q", "--detach", cwd=six.path.parent / "one")
    found = tasks(check(six, status=1))
    assert (found["one"]["ref"], found["one"]["tip"]) == (None, six.oid("one"))


def test_names_are_escaped(six: Repo) -> None:
    for name in ("one", "two"):
        six.commit("odd", {"odd\x1b[31m.txt": name}, cwd=six.path.parent / name)
    said = six.fleet("check", "--color=always", "-v", check=1).out
    assert "odd\\x1b[31m.txt" in said and "odd\x1b" not in said


def plant(repo: Repo, name: str, *commands: str) -> None:
    """A branch whose one commit is made by shell commands."""
    tree = repo.path.parent / name
    repo.git("worktree", "add", "-q", "-b", name, tree)
    subprocess.run(["sh", "-ec", "\n".join(commands)], cwd=tree, check=True)
    repo.git("add", "-A", cwd=tree)
    repo.git("commit", "-q", "-m", name, cwd=tree)


def _without_side(path: str) -> str:
    """git moves a file that is in a directory's way aside to `p~one`."""
    return path.removesuffix("~one")


LONG = "seq 1 40 | sed s/^7$/{}/ >{}"
SUBMODULE = "git update-index --add --cacheinfo 160000,{},sub && mkdir -p sub"
PLANTED = {
    "content": ([LONG.format("one", "a")], [LONG.format("two", "a")], ["a"]),
    "add/add": (["echo one >new"], ["echo two >new"], ["new"]),
    "modify/delete": ([LONG.format("one", "a")], ["rm a"], ["a"]),
    "rename/delete": (["mv a moved"], ["rm a"], ["moved"]),
    "rename/rename": (["mv a one"], ["mv a two"], ["a", "one", "two"]),
    "binary": (["printf '\\0one' >bin"], ["printf '\\0two' >bin"], ["bin"]),
    "file/directory": (["echo x >p"], ["mkdir p", "echo y >p/q"], ["p"]),
    "submodule": ([SUBMODULE.format("1" * 40)], [SUBMODULE.format("2" * 40)], ["sub"]),
}


@pytest.mark.parametrize("kind", PLANTED)
def test_planted_conflicts_of_every_kind(kind: str, tmp_path: Path) -> None:
    repo = kit.make_repo(tmp_path / "app", {"a": "".join(f"{number}\n" for number in range(1, 41)), "z": "z\n"})
    subprocess.run(["sh", "-ec", "printf '\\0base' >bin; git add bin; git commit -qm bin"], cwd=repo.path, check=True)
    one, two, paths = PLANTED[kind]
    plant(repo, "one", *one)
    plant(repo, "two", *two)
    plant(repo, "three", "echo apart >apart")
    found = verdicts(check(repo, "--committed", status=1))
    verdict, where, kinds = found.pop(("one", "two"))
    assert found == {}
    merged = subprocess.run(
        ["git", "merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", "one", "two"],
        cwd=repo.path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert merged.returncode == 1
    assert (verdict, where) == (
        "conflict",
        sorted(_without_side(path) for path in merged.stdout.split("\0")[1:] if path),
    )
    assert where == paths
    assert kind in kinds


@pytest.mark.parametrize("bundle", ["flask", "pre-commit"])
def test_real_pull_requests(bundle: str, tmp_path: Path) -> None:
    """Every verdict and every path equal git's own."""
    if not (FLEETS / f"{bundle}.bundle").is_file():
        pytest.skip(f"{FLEETS}/{bundle}.bundle is not here; FLEETS names the folder of the bundles")
    repo = kit.adopt(tmp_path / bundle)
    subprocess.run(["git", "clone", "-q", "-b", "main", FLEETS / f"{bundle}.bundle", repo.path], check=True)
    repo.git("fetch", "-q", "origin", "refs/heads/pr/*:refs/heads/pr/*")
    truth = json.loads((FLEETS / f"{bundle}.truth.json").read_text())
    found = check(repo, "--refs", "pr/*", status=1)
    assert {task["id"]: task["tip"] for task in found["tasks"]} == truth["branches"]
    assert {task["id"]: task["base_conflict"] for task in found["tasks"] if task["base_conflict"]} == {
        branch: sorted(paths) for branch, paths in truth["base_conflicts"].items()
    }
    said = verdicts(found)
    merging = [branch for branch in truth["branches"] if branch not in truth["base_conflicts"]]
    for one, other in combinations(merging, 2):
        true = truth["pairs"][f"{one} {other}"]
        verdict, paths, _ = said.pop((one, other), ("clean", [], []))
        assert verdict == true["verdict"], (one, other)
        assert verdict == "clean" or paths == sorted(true["paths"]), (one, other)
    assert said == {}
    assert found["summary"]["pairs"] == truth["pairs_total"]
    assert found["summary"]["conflicts"] == truth["conflicts"]
    assert len(found["stops"]) == truth["min_stops"] + len(truth["base_conflicts"])


# ---------------------------------------------------------------------------------------------------------------- watch


class Screen:
    """A terminal of 100 columns in which somebody watches."""

    def __init__(self, repo: Repo, *args: str, height: int = 40) -> None:
        self.screen = pyte.HistoryScreen(100, height, history=1000)
        self._stream = pyte.Stream(self.screen)
        env = {**os.environ, "TERM": "xterm", "COLUMNS": ""}
        self.child = pexpect.spawn(
            "git-fleet", ["check", *args], cwd=str(repo.path), env=env, dimensions=(height, 100), encoding="utf-8"
        )

    def lines(self) -> list[str]:
        return [line.rstrip() for line in self.screen.display]

    def wait(self, text: str) -> None:
        end = time.monotonic() + 30
        while not any(text in line for line in self.lines()):
            assert time.monotonic() < end, f"no {text!r}:\n" + "\n".join(filter(None, self.lines()))
            self.feed()

    def feed(self) -> None:
        try:
            self._stream.feed(self.child.read_nonblocking(65536, timeout=0.2))
        except (pexpect.TIMEOUT, pexpect.EOF):
            time.sleep(0.02)


@pytest.fixture
def watch(six: Repo) -> Iterator[Screen]:
    screen = Screen(six, "--watch=0.5")
    yield screen
    screen.child.close(force=True)


def test_watching(six: Repo, watch: Screen) -> None:
    watch.wait("one and two conflict")
    watch.wait("watching for")
    six.write({"a.txt": TEXT}, six.path.parent / "two")  # uncommitted
    watch.wait("1 conflict with a sibling")
    assert not any("one and two" in line for line in watch.lines())
    six.commit("back", {"a.txt": TEXT.replace("line 3\n", "two\n")}, cwd=six.path.parent / "two")
    watch.wait("one and two conflict")
    watch.wait("watching for 3s")
    assert sum("watching for" in line for line in watch.lines()) == 1
    assert sum(line.startswith("main at ") for line in watch.lines()) == 1
    assert not watch.screen.history.top
    watch.child.sendintr()
    for _ in range(20):
        watch.feed()
    watch.child.wait()
    assert watch.child.exitstatus == 130
    assert any("one and two conflict" in line for line in watch.lines())
    assert any("watching for" in line for line in watch.lines())


def test_a_small_terminal(six: Repo) -> None:
    watch = Screen(six, "--watch=0.3", height=10)
    watch.wait("more lines: run it without --watch)")
    watch.wait("watching for 2s")
    assert sum(line.startswith("main at ") for line in watch.lines()) == 1
    assert not watch.screen.history.top
    watch.child.close(force=True)


@pytest.mark.parametrize("args", [("--watch",), ("--watch=soon",), ("--watch=0",), ("--watch", "--json")])
def test_watching_needs_a_terminal_and_a_number(six: Repo, args: tuple[str, ...]) -> None:
    assert six.fleet("check", *args, check=129).err.startswith("error: ")
