"""`git fleet check --hook`: what an agent may write in its worktree, and the hooks in `examples/` that ask so."""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import kit
import lab
import pytest
from kit import Repo

EXAMPLES = kit.ROOT / "examples"


@pytest.fixture
def fleet(tmp_path: Path) -> Repo:
    """The lab with all three at work; 42 and 44 share cli.py."""
    repo = lab.with_config(tmp_path)
    repo.fleet("add", "--all", "--allow-overlap", check=0)
    return repo


def ask(repo: Repo, where: Path, *files: str, status: int) -> str:
    """What the hook says on standard error; it says nothing on standard output."""
    done = repo.fleet("check", "--hook", *files, cwd=where, check=status)
    assert done.out == ""
    assert (status == 0) is (done.err == "")
    return done.err


def test_a_file_of_another_task_in_flight(fleet: Repo) -> None:
    mine = lab.worktree(fleet, "42")
    said = "error: 'README.md' is owned by 43 docs, which is in flight\n"
    assert ask(fleet, mine, "README.md", status=2) == said
    assert ask(fleet, mine, str(mine / "README.md"), status=2) == said
    assert ask(fleet, mine, "CHANGELOG.md", status=2).startswith("error: 'CHANGELOG.md' is owned by 43 docs")
    assert ask(fleet, mine, "cli.py", "test.sh", "README.md", status=2) == said
    (mine / "below").mkdir()
    assert ask(fleet, mine / "below", "../README.md", status=2) == said


def test_what_nobody_else_wants_may_be_written(fleet: Repo, tmp_path: Path) -> None:
    mine = lab.worktree(fleet, "42")
    for free in ("cli.py", "test.sh", "new/deep/file.py", "odd\nname", str(tmp_path / "outside"), "/etc/hosts", ".git"):
        assert ask(fleet, mine, free, status=0) == ""


def test_a_task_that_has_not_begun_or_has_landed_blocks_nobody(tmp_path: Path) -> None:
    repo = lab.with_config(tmp_path)
    repo.fleet("add", "42", check=0)
    assert ask(repo, lab.worktree(repo, "42"), "README.md", status=0) == ""
    repo.fleet("add", "43", check=0)
    lab.work(repo, "43")
    ask(repo, lab.worktree(repo, "42"), "README.md", status=2)
    repo.fleet("land", "43", "--no-gate", check=0)
    assert ask(repo, lab.worktree(repo, "42"), "README.md", status=0) == ""


@pytest.mark.parametrize("committed", [True, False])
def test_who_changes_a_shared_file_first_has_it(fleet: Repo, *, committed: bool) -> None:
    (lab.work if committed else lab.edit)(fleet, "44")
    assert ask(fleet, lab.worktree(fleet, "44"), "cli.py", status=0) == ""
    assert ask(fleet, lab.worktree(fleet, "42"), "cli.py", status=2) == (
        "error: 'cli.py' was changed by 44 clear, which has not landed: a change of it here would meet that one\n"
    )
    assert ask(fleet, lab.worktree(fleet, "42"), "test.sh", status=0) == ""


@pytest.mark.parametrize("mine_committed", [True, False])
@pytest.mark.parametrize("committed", [True, False])
def test_where_both_have_changed_it_the_merge_decides(fleet: Repo, *, committed: bool, mine_committed: bool) -> None:
    (lab.work if committed else lab.edit)(fleet, "44")
    mine = lab.worktree(fleet, "42")
    text = (mine / "cli.py").read_text()
    fleet.write({"cli.py": f"# elsewhere\n{text}"}, mine)
    if mine_committed:
        fleet.commit("mine", cwd=mine)
    assert ask(fleet, mine, "cli.py", status=0) == ""
    lab.edit(fleet, "42")
    if mine_committed:
        fleet.commit("mine too", cwd=mine)
    for tree, other in ((mine, "44 clear"), (lab.worktree(fleet, "44"), "42 count")):
        said = ask(fleet, tree, "cli.py", status=2)
        assert said == f"error: 'cli.py' was changed by {other} in the same place: the two do not merge\n"


def test_the_owner_is_not_kept_out_by_a_trespasser(fleet: Repo) -> None:
    fleet.write({"README.md": "mine now\n"}, lab.worktree(fleet, "42"))
    docs = lab.worktree(fleet, "43")
    assert ask(fleet, docs, "README.md", status=0) == ""
    fleet.write({"README.md": "no, mine\n"}, docs)
    assert "was changed by 42 count in the same place" in ask(fleet, docs, "README.md", status=2)


def test_what_a_sibling_deleted_added_or_renamed(fleet: Repo) -> None:
    theirs, mine = lab.worktree(fleet, "44"), lab.worktree(fleet, "42")
    fleet.commit("gone", {"test.sh": None}, cwd=theirs)
    assert "'test.sh' was changed by 44 clear" in ask(fleet, mine, "test.sh", status=2)
    fleet.write({"new.py": "theirs\n", "wild*.py": "theirs\n"}, theirs)
    assert "'new.py' was changed by 44 clear" in ask(fleet, mine, "new.py", status=2)
    assert ask(fleet, mine, "wildest.py", status=0) == ""
    fleet.write({"new.py": "mine\n"}, mine)
    assert "do not merge" in ask(fleet, mine, "new.py", status=2)
    fleet.write({"new.py": "theirs\n"}, mine)
    assert ask(fleet, mine, "new.py", status=0) == ""


def test_a_base_that_moved_on_is_nobody_s_change(fleet: Repo) -> None:
    fleet.commit("base goes on", {"test.sh": "true\n"})
    assert ask(fleet, lab.worktree(fleet, "42"), "test.sh", status=0) == ""


def test_what_git_takes_for_unchanged_is_unchanged(fleet: Repo) -> None:
    """Other bytes on disk than in the commit, by a filter."""
    fleet.commit("line ends", {".gitattributes": "*.txt text eol=crlf\n", "a.txt": "one\ntwo\n"})
    for task in ("42", "44"):
        fleet.git("merge", "-q", "main", cwd=lab.worktree(fleet, task))
    assert b"\r\n" in (lab.worktree(fleet, "44") / "a.txt").read_bytes()
    assert ask(fleet, lab.worktree(fleet, "42"), "a.txt", status=0) == ""
    for task, text in (("42", "0\none\ntwo\n"), ("44", "one\ntwo\n3\n")):
        fleet.write({"a.txt": text.replace("\n", "\r\n")}, lab.worktree(fleet, task))
    assert ask(fleet, lab.worktree(fleet, "42"), "a.txt", status=0) == ""


def test_a_sibling_s_worktree_is_not_ours(fleet: Repo) -> None:
    other = lab.worktree(fleet, "43")
    said = ask(fleet, lab.worktree(fleet, "42"), "../tasks-app-43-docs/anything", status=2)
    assert said == f"error: '{other}/anything' is in the worktree of 43 docs\n"
    link = lab.worktree(fleet, "42") / "link"
    link.symlink_to(other / "README.md")
    assert "is in the worktree of 43 docs" in ask(fleet, lab.worktree(fleet, "42"), "link", status=2)


def test_outside_a_task_s_worktree_nothing_is_blocked(fleet: Repo) -> None:
    assert ask(fleet, fleet.path, "README.md", status=0) == ""
    noted = fleet.fleet("check", "--hook", "README.md", "-v", check=0)
    assert noted.err == "note: not in a task's worktree: nothing is blocked here\n"


def test_without_a_plan(tmp_path: Path) -> None:
    repo = lab.with_worktrees(tmp_path)
    assert ask(repo, lab.worktree(repo, "42"), "cli.py", status=0) == ""
    lab.edit(repo, "44")
    assert "was changed by 44 clear" in ask(repo, lab.worktree(repo, "42"), "cli.py", status=2)


def test_names_are_escaped(fleet: Repo) -> None:
    fleet.write({"a\x1b[31m": "x\n"}, lab.worktree(fleet, "44"))
    said = ask(fleet, lab.worktree(fleet, "42"), "a\x1b[31m", status=2)
    assert "\\x1b[31m" in said and "\x1b" not in said


@pytest.mark.parametrize("other", [("--json",), ("--refs", "x"), ("--watch",), ("--committed",), ("--onto", "main")])
def test_it_stands_alone(fleet: Repo, other: tuple[str, ...]) -> None:
    fleet.fleet("check", "--hook", "cli.py", *other, check=129)


def test_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Printed, and compared with ten times the promise only: other tests run meanwhile."""
    repo = lab.make(tmp_path, {f"src/{number}.py": f"{number}\n" for number in range(500)})
    for number in range(20):
        tree = tmp_path / f"tree-{number}"
        repo.git("worktree", "add", "-q", "-b", f"topic/{number}", tree)
        repo.write({f"src/{number}.py": "changed\n"}, tree)
    took = []
    for _ in range(5):
        began = time.monotonic()
        repo.fleet("check", "--hook", "cli.py", cwd=tmp_path / "tree-0", check=0, oracle=False)
        took.append(time.monotonic() - began)
    with capsys.disabled():
        print(f"\ncheck --hook among 20 worktrees: {sorted(took)[2] * 1000:.0f} ms")
    assert sorted(took)[0] < 1.5


# ------------------------------------------------------------------------------------------------------------- examples


def run(*argv: str | Path, cwd: Path, stdin: str = "") -> kit.Completed:
    done = subprocess.run(
        [*map(str, argv)], cwd=cwd, input=stdin, capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    return kit.Completed(done.returncode, done.stdout, done.stderr)


def install(tree: Path) -> kit.Completed:
    return run("sh", EXAMPLES / "install-pre-commit", cwd=tree)


def test_the_agent_s_hook(fleet: Repo) -> None:
    settings = json.loads((EXAMPLES / "agent-settings.json").read_text())
    [hook] = settings["hooks"]["PreToolUse"][0]["hooks"]
    mine = lab.worktree(fleet, "42")

    def asked(**tool_input: str) -> kit.Completed:
        told = json.dumps({"hook_event_name": "PreToolUse", "tool_name": "Write", "tool_input": tool_input})
        return run("sh", "-c", f'PATH="{EXAMPLES}:$PATH" {hook["command"]}', cwd=mine, stdin=told)

    assert asked(file_path=str(mine / "README.md")) == (
        2,
        "",
        "error: 'README.md' is owned by 43 docs, which is in flight\n",
    )
    assert asked(file_path=str(mine / "cli.py"), content="x") == (0, "", "")
    assert asked(notebook_path=str(mine / "README.md")).status == 2
    assert asked(command="ls") == (0, "", "")
    assert run(EXAMPLES / "agent-write-hook", cwd=mine, stdin="no JSON").status == 0
    nowhere = json.dumps({"tool_input": {"file_path": "/etc/hosts"}})
    assert run(EXAMPLES / "agent-write-hook", cwd=Path("/"), stdin=nowhere).status == 0  # no repository: not blocked


def test_the_pre_commit_hook_of_one_worktree(fleet: Repo) -> None:
    mine, other = lab.worktree(fleet, "42"), lab.worktree(fleet, "44")
    installed = install(mine)
    assert installed.status == 0, installed.err
    before = fleet.oid("feature/42-count")
    fleet.write({"README.md": "not mine\n", "odd name\n.py": "x\n"}, mine)
    fleet.git("add", "-A", cwd=mine)
    refused = run("git", "commit", "-q", "-m", "stray", cwd=mine)
    assert refused.status == 1
    assert refused.err == (
        "error: 'README.md' is owned by 43 docs, which is in flight\n"
        "hint: to commit all the same: git commit --no-verify\n"
    )
    assert fleet.oid("feature/42-count") == before
    fleet.git("reset", "-q", "README.md", cwd=mine)
    fleet.git("checkout", "-q", "README.md", cwd=mine)
    assert run("git", "commit", "-q", "-m", "own", cwd=mine) == (0, "", "")
    assert fleet.oid("feature/42-count") != before
    fleet.write({"README.md": "not mine\n"}, other)
    fleet.commit("another worktree has no hook", cwd=other)
    lab.work(fleet, "44")
    lab.edit(fleet, "42")
    conflicting = run("git", "commit", "-q", "-a", "-m", "late", cwd=mine)
    assert (conflicting.status, "the two do not merge" in conflicting.err) == (1, True)
    assert run("git", "commit", "-q", "-a", "-m", "late", "--no-verify", cwd=mine).status == 0


def test_installing_never_replaces_a_hook(fleet: Repo) -> None:
    mine = lab.worktree(fleet, "42")
    hook = fleet.path / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\n")
    before = kit.listing(fleet.path / ".git")
    for why, undo in (("there is a hook", hook.unlink), ("core.hooksPath is set", lambda: None)):
        refused = install(mine)
        assert (refused.status, refused.out) == (3, "")
        assert refused.err.startswith(f"error: {why}") and refused.err.endswith("; nothing was changed\n")
        assert kit.listing(fleet.path / ".git") == before
        undo()
        fleet.git("config", "core.hooksPath", ".githooks")
        before = kit.listing(fleet.path / ".git")
    fleet.git("config", "--unset", "core.hooksPath")
    assert install(mine).status == 0
    assert install(mine).status == 3
    fleet.git("config", "--worktree", "--unset", "core.hooksPath", cwd=mine)
    assert "exists" in install(mine).err
    assert "not a linked worktree" in install(fleet.path).err


@pytest.mark.parametrize("name", ["agent-write-hook", "pre-commit", "install-pre-commit"])
def test_shellcheck_has_nothing_to_say(name: str) -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed")
    assert run("shellcheck", EXAMPLES / name, cwd=kit.ROOT) == (0, "", "")
    assert os.access(EXAMPLES / name, os.X_OK)
