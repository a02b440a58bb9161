"""Repositories of every kind: in each, each command answers and does what it does in an ordinary one.

Each kind has the same history, so one story with the same answers is played in all of them. Kinds that no command can
work in are refused in one line, and nothing is changed.
"""

import contextlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import kinds
import kit
import pytest
from kinds import LONG, Kind, Site
from kit import Completed
from warm import Warm

TASKS = ("1", "2", "3", "4")
OWNS = {"1": "one/", "2": "two/", "3": "three/", "4": "four/"}
AHEAD = {"1": 1, "2": 1, "3": 2}


class Teller:
    """Plays the story in one repository. Readers must write nothing, and no call may end in a traceback."""

    def __init__(self, warm: Warm, site: Site) -> None:
        self.site, self._warm = site, warm
        self.expected = ""
        self.landed = ""

    def fleet(self, *args: str, check: int = 0, cwd: Path | None = None) -> Completed:
        reads = kit.is_reader(args)
        guard = kit.frozen(self.site.repo, but_memory="check" in args) if reads else contextlib.nullcontext()
        with guard:
            done = self._warm.run(*args, cwd=cwd or self.site.here, env=kit.environment(self.site.env))
        said = f"git fleet {' '.join(args)}: exit {done.status}\n--- stdout\n{done.out}\n--- stderr\n{done.err}"
        assert "Traceback" not in done.err, said
        assert done.status == check, said
        return done

    def oid(self, name: str) -> str:
        return self.site.git("rev-parse", "--verify", name)

    def commit(self, task: str, files: dict[str, str]) -> None:
        top = self.site.tree(task)
        self.site.repo.write(files, top)
        self.site.git("add", "-A", cwd=top)
        self.site.git("commit", "-q", "-m", f"{task}: work", cwd=top)

    def merged(self, *branches: str) -> str:
        """The tree that plain git makes of the base and these branches, one merge after the other."""
        at = self.oid("refs/heads/main")
        for branch in branches:
            tip = self.oid(f"refs/heads/{branch}")
            tree = self.site.git("merge-tree", "--write-tree", at, tip)
            at = self.site.git("commit-tree", "-p", at, "-p", tip, "-m", "x", tree)
        return self.oid(f"{at}^{{tree}}")


# ------------------------------------------------------------------------------------------------------------ the story


def init(story: Teller) -> None:
    assert "would" in (said := story.fleet("init", "--dry-run")).out + said.err
    story.fleet("init")
    # As git says it: `git fleet init` explains itself in the configuration, and that is all it did.
    assert story.fleet("status", "--json").json["tasks"] == []
    config = {"fleet.branch": "{id}", "fleet.worktree": "../{id}"}
    if story.site.repo.path == story.site.trees:  # the repository lies below the folder of its worktrees
        config["fleet.worktree"] = "{id}"
    for key, value in config.items():
        story.site.git("config", key, value)
    for task in TASKS:
        story.site.git("config", f"fleet.{task}.title", f"task {task}")
        story.site.git("config", f"fleet.{task}.owns", OWNS[task])
    story.site.git("config", "fleet.4.needs", "1")


def plan(story: Teller) -> None:
    seen = story.fleet("plan", "--json").json
    assert [(task["id"], task["branch"], task["worktree"]) for task in seen["tasks"]] == [
        (task, task, str(story.site.tree(task))) for task in TASKS
    ]
    assert (seen["waves"], seen["problems"]) == ([["1", "2", "3"], ["4"]], [])


def add(story: Teller) -> None:
    site = story.site
    base = story.oid("refs/heads/main")
    story.fleet("add", "--dry-run", "1")
    assert not site.tree("1").exists()
    story.fleet("add", "1", "2", "3")
    for task in ("1", "2", "3"):
        assert site.git("symbolic-ref", "HEAD", cwd=site.tree(task)) == f"refs/heads/{task}"
        assert story.oid(f"refs/heads/{task}") == base
        assert site.git("status", "--porcelain", "-uall", cwd=site.tree(task)) == ""
        assert (site.tree(task) / "three/deep").read_text() == LONG
        assert (site.tree(task) / "three/deep").read_bytes().count(b"\r") == (20 if _crlf(site) else 0)
    assert "exists" in (said := story.fleet("add", "1")).out + said.err


def doctor(story: Teller) -> None:
    """Whatever the kind is, it is no illness."""
    story.fleet("doctor")


def path(story: Teller) -> None:
    assert os.path.samefile(story.fleet("path", "1").out.removesuffix("\n"), story.site.tree("1"))
    assert story.fleet("path", cwd=story.site.tree("2")).out == f"{story.site.tree('2')}\n"


def status(story: Teller) -> None:
    """Commits in three worktrees, in one of them work that is not committed, in another only what is ignored."""
    story.commit("1", {"file": LONG.replace("line 0\n", "one\n"), "one/new": "1\n"})
    story.commit("2", {"file": LONG.replace("line 0\n", "two\n")})
    story.commit("3", {"three/deep": LONG.replace("line 7\n", "three\n"), "\u00e9\n new": "3\n"})
    story.commit("3", {"away/far": LONG + "more\n"} if (story.site.tree("3") / "away").exists() else {"far": "x\n"})
    story.site.repo.write({"other": LONG + "edited\n", "untracked/a": "a\n", "a.log": "log\n"}, story.site.tree("2"))
    story.site.repo.write({"b.log": "log\n"}, story.site.tree("3"))
    seen = story.fleet("status", "--json").json
    assert seen["base"] == {"branch": "main", "commit": story.oid("refs/heads/main")}
    rows = {row["id"]: row for row in seen["tasks"]}
    assert [(id, row["state"], row["ahead"], row["behind"]) for id, row in rows.items() if id != "4"] == [
        (id, "active", ahead, 0) for id, ahead in AHEAD.items()
    ]
    assert rows["4"]["state"] == "blocked"
    dirt = {id: (row["staged"], row["unstaged"], row["untracked"]) for id, row in rows.items() if id != "4"}
    assert dirt == {"1": (0, 0, 0), "2": (0, 1, 1), "3": (0, 0, 0)}
    assert (rows["1"]["insertions"], rows["1"]["deletions"]) == (2, 1)
    assert [row["conflicts_with"] for row in rows.values()] == [["2"], ["1"], [], []]
    assert [row["base_conflict"] for row in rows.values()][:3] == [False] * 3
    assert all(story.oid(f"refs/heads/{id}") == rows[id]["tip"] for id in AHEAD)
    shown = story.fleet("status").out
    assert all(task in shown for task in TASKS)


def mark(story: Teller) -> None:
    """Said where the agent is, and of another; what is said last of a branch as it is holds."""
    story.fleet("mark", "done", cwd=story.site.tree("1"))
    story.fleet("mark", "stuck", "2", "-m", "so")
    story.fleet("mark", "running", "2")
    seen = {row["id"]: row["state"] for row in story.fleet("status", "--json").json["tasks"]}
    assert seen == {"1": "done", "2": "running", "3": "active", "4": "blocked"}


def go(story: Teller) -> None:
    """What is done lands first, then somebody is waited for."""
    assert story.fleet("go", "--dry-run", "--json").json["next"] == {"do": "land", "tasks": ["1"]}


def run(story: Teller) -> None:
    """An agent in a worktree: one at a time, and what it says is kept."""
    assert story.fleet("run", "1", "--", "git", "rev-parse", "--show-toplevel").out.startswith("started 1: process ")
    assert os.path.samefile(story.fleet("logs", "-f", "1").out.removesuffix("\n"), story.site.tree("1"))
    story.fleet("run", "1", "--", "sleep", "60")
    story.fleet("run", "1", "--", "true", check=3)
    story.fleet("stop", "1")
    story.fleet("mark", "running", "1")


def check(story: Teller) -> None:
    seen = story.fleet("check", "--json", check=1).json
    assert [(pair["tasks"], pair["verdict"], pair["paths"]) for pair in seen["pairs"]] == [
        (["1", "2"], "conflict", ["file"])
    ]
    assert {task["id"]: task["dirty"] for task in seen["tasks"] if task["id"] in TASKS} == {
        "1": False,
        "2": True,
        "3": False,
    }


def hook(story: Teller) -> None:
    refused = story.fleet("check", "--hook", "one/x", cwd=story.site.tree("2"), check=2)
    assert "owned by 1" in refused.err
    story.fleet("check", "--hook", "one/x", cwd=story.site.tree("1"))
    story.fleet("check", "--hook", "fresh", cwd=story.site.tree("2"))


def graph(story: Teller) -> None:
    drawn = story.fleet("graph", "--format=json").json
    assert {node["id"] for node in drawn["nodes"]} == set(TASKS)


def land(story: Teller) -> None:
    """The dry run promises plain git's tree, the script makes it, and so does the landing."""
    site, before = story.site, story.oid("refs/heads/main")
    story.expected = story.merged("1", "3")
    promised = story.fleet("land", "--dry-run", "--json", "1", "3").json
    assert promised["result"]["tree"] == story.expected
    script = story.fleet("land", "--script", "1", "3").out
    if site.checkout:
        _run_script(story, script)
        site.git("reset", "-q", "--hard", before, cwd=site.checkout)
    assert story.oid("refs/heads/main") == before
    if site.checkout:
        site.repo.write({"mine.log": "x\n", "mine": "y\n"}, site.checkout)
    done = story.fleet("land", "--json", "1", "3").json
    assert sorted(done["result"]["landed"]) == ["1", "3"]
    assert story.oid("refs/heads/main") == done["result"]["commit"]
    assert story.oid("refs/heads/main^{tree}") == story.expected
    if site.checkout:
        assert site.git("status", "--porcelain", "-uall", cwd=site.checkout).split("\n") == ["?? mine"]
        assert (site.checkout / "file").read_text().startswith("one\n")
    story.landed = done["result"]["commit"]


def _run_script(story: Teller, script: str) -> None:
    data = script.encode("utf-8", "surrogateescape")
    env = kit.environment(story.site.env)
    done = subprocess.run(["sh", "-s"], input=data, cwd=story.site.checkout, env=env, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert story.oid("refs/heads/main^{tree}") == story.expected


def clean(story: Teller) -> None:
    """The verdicts alone: what landed may go, but not what holds files that nobody can make again."""
    verdicts = {row["branch"]: row["verdict"] for row in story.fleet("clean", "--dry-run", "--json").json["verdicts"]}
    assert (verdicts["1"], verdicts["2"], verdicts["3"]) == ("remove", "keep", "keep")


def sync(story: Teller) -> None:
    """A branch with work in its worktree is left; one that is behind gets the base."""
    assert "uncommitted work" in story.fleet("sync", "2", check=3).err
    story.fleet("add", "4")
    story.site.git("update-ref", "refs/heads/4", f"{story.landed}~1")
    story.site.git("reset", "-q", "--hard", cwd=story.site.tree("4"))
    story.fleet("sync", "4")
    assert story.site.git("merge-base", "--is-ancestor", story.landed, "refs/heads/4") == ""


def remove(story: Teller) -> None:
    """What landed goes to the trash, what was not landed or holds work stays."""
    site, tip = story.site, story.oid("refs/heads/3")
    assert "stays" in story.fleet("remove", "2", check=3).err
    os.unlink(site.tree("3") / "b.log")
    story.fleet("remove", "--dry-run", "1", "3")
    story.fleet("remove", "1", "3")
    assert not site.tree("1").exists() and not site.tree("3").exists()
    assert site.git("for-each-ref", "refs/heads/1", "refs/heads/3") == ""
    assert site.git("for-each-ref", "--contains", tip, "--format=x", "refs/fleet") != ""


def undo(story: Teller) -> None:
    site = story.site
    story.fleet("undo", "--dry-run")
    assert not site.tree("1").exists()
    story.fleet("undo")
    for task in ("1", "3"):
        assert site.git("symbolic-ref", "HEAD", cwd=site.tree(task)) == f"refs/heads/{task}"
        assert site.git("status", "--porcelain", "-uall", cwd=site.tree(task)) == ""
    numbers = [one["id"] for one in story.fleet("log", "--json").json["operations"] if one["kind"] == "land"]
    story.fleet("undo", str(numbers[0]))
    assert story.oid("refs/heads/main") == story.site.git("rev-parse", f"{story.landed}~2")
    if site.checkout:
        assert site.git("status", "--porcelain", "-uall", cwd=site.checkout).split("\n") == ["?? mine"]


def log(story: Teller) -> None:
    seen = story.fleet("log", "--json").json["operations"]
    assert [(one["kind"], one["state"]) for one in seen if one["kind"] != "init"] == [
        ("undo", "done"),
        ("undo", "done"),
        ("remove", "undone"),
        ("sync", "done"),
        ("add", "done"),
        ("land", "undone"),
        ("add", "done"),
    ]
    story.fleet("log")


STORY: tuple[Callable[[Teller], None], ...] = (
    init,
    plan,
    add,
    doctor,
    path,
    status,
    mark,
    go,
    run,
    check,
    hook,
    graph,
    land,
    clean,
    sync,
    remove,
    undo,
    log,
)


@pytest.mark.parametrize("kind", kinds.WORKING, ids=kinds.names(kinds.WORKING))
def test_works(warm: Warm, tmp_path: Path, kind: Kind, request: pytest.FixtureRequest) -> None:
    """Every command, one after the other; work that nobody committed is as it was at the end."""
    if kind in kinds.OF_A_NEWER_GIT:
        request.getfixturevalue("newer_git")
    site = kind(tmp_path)
    story = Teller(warm, site)
    for cell in STORY:
        try:
            cell(story)
        except BaseException as error:
            error.add_note(f"in the cell {kind.__name__} × {cell.__name__}")
            raise
    kept = {name: (site.tree("2") / name).read_text() for name in ("other", "untracked/a", "a.log")}
    assert kept == {"other": LONG + "edited\n", "untracked/a": "a\n", "a.log": "log\n"}
    assert not list(tmp_path.glob("PWNED*"))
    site.git("fsck", "--no-dangling", "--connectivity-only", cwd=site.repo.path)
    assert site.git("worktree", "list") != ""


def _crlf(site: Site) -> bool:
    return site.git("config", "core.autocrlf", check=False) == "true"


# ------------------------------------------------------------------------------------------------------------- refused

COMMANDS = (
    ("init",),
    ("init", "--dry-run"),
    ("plan",),
    ("graph",),
    ("add", "--all"),
    ("status",),
    ("mark", "done", "1"),
    ("run", "1", "--", "true"),
    ("stop",),
    ("logs", "1"),
    ("check",),
    ("review",),
    ("go",),
    ("go", "--dry-run"),
    ("land",),
    ("land", "--dry-run"),
    ("land", "--script"),
    ("remove", "1"),
    ("score",),
    ("undo",),
    ("path", "1"),
)
WITHOUT_A_BASE = (("log",), ("check", "--hook", "file"))
"""They ask nothing that needs a commit."""


@pytest.mark.parametrize("kind", kinds.REFUSED, ids=kinds.names(kinds.REFUSED))
def test_refused(warm: Warm, tmp_path: Path, kind: Callable[[Path], kinds.Refused]) -> None:
    """Every command ends with 128, says in one line why and in another what to type, and changes nothing at all."""
    site, said, hint = kind(tmp_path)
    before = _everything(tmp_path)
    gentle = kind in (kinds.no_commit_yet, kinds.a_base_whose_commit_is_gone, kinds.called_bare_with_files)
    for words in (*COMMANDS, *(() if gentle else WITHOUT_A_BASE)):
        done = warm.run(*words, cwd=site.here, env=kit.environment(site.env))
        lines = done.err.splitlines()
        assert (done.status, done.out) == (128, ""), (words, done)
        assert lines[0].startswith(f"fatal: {said}"), (words, done.err)
        assert lines[1:] and all(line.startswith("hint: ") for line in lines[1:]), (words, done.err)
        assert hint in done.err
    assert _everything(tmp_path) == before


def _everything(folder: Path) -> dict[str, object]:
    """Every file and folder below, with its content and time."""
    return {
        path: (kind, None if os.path.isdir(path) else Path(path).read_bytes())
        for path, kind in kit.listing(folder).items()
        if not os.path.islink(path)
    }


# ----------------------------------------------------------------------------------------------------- broken in places


@pytest.fixture
def story(warm: Warm, tmp_path: Path) -> Teller:
    """Three tasks with a commit and a worktree each."""
    told = Teller(warm, kinds.ordinary(tmp_path))
    for cell in (init, add):
        cell(told)
    for task in AHEAD:
        told.commit(task, {f"{task}.bin": f"{task}\n"})
    return told


def _states(story: Teller) -> dict[str, str]:
    return {row["id"]: row["state"] for row in story.fleet("status", "--json").json["tasks"]}


def test_a_filter_that_is_not_installed(story: Teller) -> None:
    """As where files are kept in LFS and its program is missing: what needs it is refused whole, all else works."""
    site = story.site
    site.repo.commit("attributes", {".gitattributes": "*.bin filter=lfs\n", "old.bin": "old\n"})
    site.repo.config({"filter.lfs.clean": "cat", "filter.lfs.smudge": "absent-program %f"})
    site.repo.config({"filter.lfs.required": "true"})
    before = site.repo.snapshot()
    for task in AHEAD:
        site.git("config", f"fleet.new{task}.title", "x")
    refused = story.fleet("add", "new1", "new2", check=3)
    for task in ("new1", "new2"):
        assert f"error: {task} was not created: its files could not be written: " in refused.err
        assert not site.tree(task).exists()
    assert "absent-program" in refused.err
    assert story.fleet("land", "--json", "1", check=3).out == ""
    now = site.repo.snapshot()
    assert (now.refs, now.worktrees, now.files) == (before.refs, before.worktrees, before.files)
    assert _states(story) == {**dict.fromkeys(AHEAD, "active"), "4": "blocked", **dict.fromkeys(_new(), "ready")}
    story.fleet("check", check=1)
    site.git("config", "filter.lfs.smudge", "cat")
    story.fleet("add", "new1")
    assert (site.tree("new1") / "old.bin").read_text() == "old\n"
    story.fleet("land", "1")


def _new() -> list[str]:
    return [f"new{task}" for task in AHEAD]


def test_signing_that_fails(story: Teller) -> None:
    """Nothing lands unsigned where the user wants it signed, and nothing half."""
    story.site.repo.config({"commit.gpgSign": "true", "gpg.program": "false"})
    before = story.site.repo.snapshot()
    refused = story.fleet("land", check=128)
    assert "fatal: a commit cannot be signed: " in refused.err and "git config commit.gpgSign false" in refused.err
    assert story.site.repo.snapshot() == before
    assert not list(story.site.trees.glob("*lane*"))
    story.fleet("land", "--dry-run")


def test_an_index_that_is_junk(story: Teller) -> None:
    """That worktree is unknown and stays; the others are seen, landed and removed as ever."""
    index = story.site.repo.path / ".git/worktrees/2/index"
    index.write_bytes(b"junk" + index.read_bytes()[4:])
    rows = {row["id"]: row for row in story.fleet("status", "--json").json["tasks"]}
    assert (rows["2"]["unstaged"], rows["1"]["unstaged"]) == (None, 0)
    assert "cannot be looked at" in story.fleet("land", "2", check=3).err
    story.fleet("land", "1", "3")
    assert "2 stays" in story.fleet("remove", "2", check=3).err
    story.fleet("remove", "1", "3")
    assert story.site.tree("2").is_dir()


def test_a_commit_that_is_gone(story: Teller) -> None:
    """A branch that cannot be read hides none of the others."""
    tip = story.oid("refs/heads/2")
    (story.site.repo.path / f".git/objects/{tip[:2]}/{tip[2:]}").unlink()
    assert _states(story) == {"1": "active", "2": "missing", "3": "active", "4": "blocked"}
    for words in (("plan",), ("graph",), ("log",), ("land", "--dry-run")):
        story.fleet(*words)
    story.fleet("check", check=1)
    assert "2 was not created" in story.fleet("add", "2", check=3).err
    story.fleet("land", "1", "3")
    assert "2 stays" in story.fleet("remove", "2", check=3).err
    story.fleet("remove", "1", "3")
    assert story.site.tree("2").is_dir()
    assert (story.site.repo.path / ".git/refs/heads/2").read_text() == f"{tip}\n"
