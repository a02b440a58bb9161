"""The merge-order script lands what land would land, wherever there is a shell and git."""

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import kit
import pytest

from git_fleet.model.fleet import Base
from git_fleet.model.landing import Action, Author, Step, Told, merge_message
from git_fleet.model.settings import Gate
from git_fleet.output.script import Way, script

SHELLS = pytest.mark.parametrize("shell", ["dash", "bash"])
HOSTILE = (
    "feature/42-count",
    "a'b",
    "$(touch${IFS}PWNED)",
    "`touch${IFS}PWNED`",
    "a;touch${IFS}PWNED",
    "%s%n",
    "#x",
    "x|y>z&",
    '"q"!!',
    "rtl\u202ex",
    "csi\x9b2J",
    "bytes\udcff",
)
SEED = {"base.txt": "1\n", "cli.py": "a\nb\nc\n"}


def base_of(repo, branch: str = "main") -> Base:
    return Base(branch, repo.oid(branch), repo.oid(f"{branch}^{{tree}}"))


def branch(repo, id_: str, name: str, files: dict[str, str], action: Action = Action.LAND) -> Step:
    repo.branch(name, files)
    tip = repo.oid(f"refs/heads/{name}")
    return Step(id_, name, tip, action, "next in the plan", conflicts=("cli.py",) if action is Action.STOP else ())


def certificate(repo, base: Base, steps: Sequence[Step]) -> str:
    """The tree that merging the tips in order makes."""
    commit, tree = base.commit, base.tree
    for step in steps:
        tree = repo.git("merge-tree", "--write-tree", commit, step.tip)
        commit = repo.git("commit-tree", "-p", commit, "-p", step.tip, "-m", "x", tree)
    return tree


def play(repo, text: str, shell: str = "dash") -> subprocess.CompletedProcess[bytes]:
    """Pipe the script into a shell, as one would after `land --script`."""
    data = text.encode("utf-8", "surrogateescape")
    return subprocess.run([shell], input=data, cwd=repo.path, capture_output=True, check=False)


def written(base: Base, steps: Sequence[Step], tree: str | None, *commands: str) -> str:
    return script(base, steps, [Gate("gate", command) for command in commands], tree, version="0.1.0")


@pytest.fixture
def repo(make_repo: Callable, tmp_path: Path):
    return make_repo(tmp_path / "tasks-app", SEED)


@SHELLS
def test_it_lands_hostile_names_in_order_and_a_second_time_nothing(repo, shell: str) -> None:
    base = base_of(repo)
    steps = [branch(repo, str(i), name, {f"{i}.txt": "x\n"}) for i, name in enumerate(HOSTILE)]
    gate = 'test "$FLEET_BASE" = main && test -z "$(cat)"'
    text = written(base, steps, certificate(repo, base, steps), gate) + "# not for the gate to read\n" * 5000
    done = play(repo, text, shell)
    assert done.returncode == 0, done.stderr
    assert done.stderr.endswith(b"all landed\n")
    assert not any(char in done.stderr.decode() for char in "\x9b\u202e")
    assert not (repo.path / "PWNED").exists()
    landed = repo.git("rev-list", "--first-parent", "--reverse", f"{base.commit}..main").split()
    assert [repo.git("rev-parse", f"{commit}^2") for commit in landed] == [step.tip for step in steps]
    for commit, step in zip(landed, steps, strict=True):
        # Git takes bytes of a message that are no UTF-8 for Latin-1.
        message = merge_message(step.branch, step.id, "main").replace("\udcff", "\xff")
        assert repo.git("log", "-1", "--format=%B", commit) == message
        assert repo.git("log", "-1", "--format=%(trailers:key=Fleet-Task,valueonly)", commit).strip() == step.id
    again = play(repo, text, shell)
    assert again.returncode == 0
    assert again.stderr.count(b"has landed already") == len(steps)
    assert repo.oid("main") == landed[-1]


@SHELLS
def test_a_conflict_stops_and_is_resolved_as_the_hints_say(repo, shell: str) -> None:
    base = base_of(repo)
    lands = [
        branch(repo, "42", "count", {"cli.py": "a\ncount\nc\n"}),
        branch(repo, "43", "docs", {"README.md": "docs\n"}),
    ]
    stop = branch(repo, "44", "clear", {"cli.py": "a\nclear\nc\n"}, Action.STOP)
    text = written(base, [*lands, stop], certificate(repo, base, lands), "true")
    (repo.path / "land.sh").write_text(text)
    stopped = subprocess.run([shell, "land.sh"], cwd=repo.path, capture_output=True, text=True, check=False)
    assert stopped.returncode == 4
    assert "44 clear is expected to conflict in: cli.py\n" in stopped.stderr
    assert repo.git("log", "-2", "--format=%s", "--first-parent").split("\n") == [
        "Merge branch 'docs'",
        "Merge branch 'count'",
    ]
    assert "<<<<<<<" in repo.read("cli.py")
    waiting = play(repo, text, shell)
    assert (waiting.returncode, waiting.stderr) == (3, b"error: a merge waits here: git commit or git merge --abort\n")
    repo.write({"cli.py": "a\ncount\nclear\nc\n"})
    repo.git("add", "cli.py")
    hint = "git commit --no-edit --cleanup=strip"
    assert f"hint: then {hint}, and run this script again\n" in stopped.stderr
    repo.git(*hint.split()[1:])
    assert repo.git("log", "-1", "--format=%B") == merge_message("clear", "44", "main")
    assert play(repo, text, shell).returncode == 0
    assert (repo.show("cli.py"), repo.show("README.md")) == ("a\ncount\nclear\nc\n", "docs\n")
    assert repo.git("status", "--porcelain") == "?? land.sh"


@SHELLS
def test_it_runs_in_a_plain_clone(repo, shell: str, tmp_path: Path) -> None:
    """There the branches are those of the remote."""
    base, step = count_step(repo)
    text = written(base, [step], certificate(repo, base, [step]))
    repo.git("clone", "-q", str(repo.path), str(tmp_path / "clone"))
    clone = kit.adopt(tmp_path / "clone")
    done = play(clone, text, shell)
    assert (done.returncode, clone.show("cli.py")) == (0, "a\ncount\nc\n"), done.stderr


def test_a_branch_that_moved_at_the_remote_is_refused(repo, tmp_path: Path) -> None:
    base, step = count_step(repo)
    text = written(base, [step], None)
    repo.branch("count", {"more": "x\n"}, start="count")
    repo.git("clone", "-q", str(repo.path), str(tmp_path / "clone"))
    done = play(kit.adopt(tmp_path / "clone"), text)
    assert done.returncode == 3 and f"git branch <branch> {step.tip}".encode() in done.stderr


def count_step(repo) -> tuple[Base, Step]:
    return base_of(repo), branch(repo, "42", "count", {"cli.py": "a\ncount\nc\n"})


def commit_on_base(repo) -> None:
    repo.commit("somebody else", {"other.txt": "x\n"})


def move_tip(repo) -> None:
    repo.git("update-ref", "refs/heads/count", repo.oid("main"), repo.oid("count"))
    commit = repo.git("commit-tree", "-p", "count", "-m", "more", "count^{tree}")
    repo.git("update-ref", "refs/heads/count", commit)


@pytest.mark.parametrize(
    ("surprise", "said"),
    [
        (commit_on_base, "main moved on from"),
        (move_tip, "42 count: the branch moved from"),
        (lambda repo: repo.git("branch", "-qD", "count"), "42 count: the branch is gone"),
        (lambda repo: repo.write({"cli.py": "dirty\n"}), "uncommitted changes here"),
        (lambda repo: repo.git("switch", "-qc", "elsewhere"), "main is not the branch checked out here"),
        (lambda repo: repo.git("checkout", "-q", "--detach"), "main is not the branch checked out here"),
        (lambda repo: repo.git("reset", "-q", "--hard", "HEAD~1"), "main no longer contains"),
    ],
)
def test_it_refuses_what_moved_and_changes_nothing(repo, surprise: Callable, said: str) -> None:
    repo.commit("second", {"second.txt": "x\n"})
    base, step = count_step(repo)
    surprise(repo)
    before = (repo.snapshot(), repo.read("cli.py"))
    done = play(repo, written(base, [step], None, "touch ran"))
    assert (done.returncode, said in done.stderr.decode()) == (3, True), done.stderr
    assert (repo.snapshot(), repo.read("cli.py")) == before


def test_a_tip_that_was_landed_may_be_gone(repo) -> None:
    base, step = count_step(repo)
    docs = branch(repo, "43", "docs", {"README.md": "docs\n"})
    assert play(repo, written(base, [step], None)).returncode == 0
    repo.git("branch", "-qd", "count")
    text = written(base, [step, docs], certificate(repo, base, [step, docs]))
    assert play(repo, text).returncode == 0
    assert repo.show("README.md") == "docs\n"


def test_a_red_base_is_told_before_anything_lands(repo) -> None:
    base, step = count_step(repo)
    done = play(repo, written(base, [step], None, "true", "exit 7"))
    assert done.returncode == 5
    assert done.stderr == b"gate runs on main\ngate runs on main\nerror: gate failed on main\n"
    assert repo.oid("main") == base.commit


def test_a_red_gate_stops_and_the_hint_takes_the_merge_back(repo) -> None:
    base, step = count_step(repo)
    docs = branch(repo, "43", "docs", {"README.md": "docs\n"})
    text = written(base, [docs, step], None, '! grep -q count cli.py && test "${FLEET_TASK-43}" = 43')
    done = play(repo, text)
    assert done.returncode == 5
    said = done.stderr.decode().splitlines()
    hint = f"git reset --keep {repo.git('rev-parse', 'main~1')}"
    assert said[-2:] == ["error: gate failed on 42 count", f"hint: to take this merge back: {hint}"]
    assert play(repo, text).returncode == 5, "a red base is not passed over the second time"
    repo.git(*hint.split()[1:])
    assert repo.git("rev-list", "--first-parent", "--count", f"{base.commit}..main") == "1"
    assert repo.show("cli.py") == SEED["cli.py"]


def test_another_tree_than_certified_is_an_error(repo) -> None:
    base, step = count_step(repo)
    done = play(repo, written(base, [step], base.tree))
    assert done.returncode == 1
    assert done.stderr.decode() == f"error: the tree is {repo.oid('main^{tree}')}, and should be {base.tree}\n"


def test_a_merge_that_git_refuses_is_no_conflict(repo) -> None:
    base, step = count_step(repo)
    blocked = branch(repo, "43", "docs", {"README.md": "docs\n"})
    repo.write({"README.md": "mine, not committed\n"})
    done = play(repo, written(base, [step, blocked], None))
    assert done.returncode == 1
    assert done.stderr.decode().endswith("error: git could not merge 43 docs\n")
    assert repo.read("README.md") == "mine, not committed\n"


def test_it_runs_from_a_subfolder_of_a_linked_worktree_and_on_another_base(repo, tmp_path: Path) -> None:
    step = branch(repo, "42", "count", {"cli.py": "a\ncount\nc\n"})
    repo.git("branch", "dev's")
    repo.git("worktree", "add", "-q", tmp_path / "linked", "dev's")
    (tmp_path / "linked" / "sub").mkdir()
    base = base_of(repo, "dev's")
    text = written(base, [step], certificate(repo, base, [step]), "test -f cli.py")
    done = subprocess.run(
        ["sh"], input=text, text=True, cwd=tmp_path / "linked" / "sub", capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert repo.git("log", "-1", "--format=%s", "dev's") == "Merge branch 'count' into dev's"
    assert repo.oid("main") == base.commit


@pytest.mark.skipif(
    not any(os.access(f"{d}/shellcheck", os.X_OK) for d in os.defpath.split(":")), reason="no shellcheck"
)
@pytest.mark.parametrize("many", [0, 1, 2, 3])
@pytest.mark.parametrize("commands", [(), ("make test",), ("exit $((1-1))", "it's\n'two' \"lines\"")])
@pytest.mark.parametrize("strategy", ["merge", "squash", "rebase", "ff"])
def test_shellcheck_has_nothing_to_say(tmp_path: Path, many: int, commands: tuple[str, ...], strategy: str) -> None:
    if strategy != "merge" and (many == 0 or len(commands) == 1):
        pytest.skip("as when merging")
    names = [name for name in HOSTILE if "\udcff" not in name][:8]
    steps = [
        Step(str(i), name, f"{i:040x}", action, "why\nnot", title="ti'tle $x", conflicts=("a'b\x1b", "c"))
        for i, (name, action) in enumerate(zip(names, [*Action] * 2, strict=True))
    ]
    chosen = {0: [], 1: steps[:1], 2: steps[1:2], 3: steps}[many]
    path = tmp_path / "land.sh"
    told = {
        step.id: Told("It's\n\n$one\n", Author("O'N", "x@y", "1 +0000"), (("4" * 40, "a`b`\n"),)) for step in chosen
    }
    gates = [Gate("gate", command) for command in commands]
    tree = "3" * 40 if many else None
    way = Way(strategy, told, ("5" * 40,))
    path.write_text(script(Base("dev's", "1" * 40, "2" * 40), chosen, gates, tree, version="0.1.0", way=way))
    done = subprocess.run(["shellcheck", path], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("", 0)
    assert all(subprocess.run([shell, "-n", path], check=False).returncode == 0 for shell in ("dash", "bash"))
