"""Many at once, let go at the same moment: what is promised of concurrency, measured. SAFETY E 56–70."""

import contextlib
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import kit
import pytest
import rooms
from kit import Repo

from git_fleet.journal import database
from git_fleet.model.journal import OperationState
from safety import SEEDS
from safety.trial import Programs, Run, Tally, judge

MANY = 50
LANDERS = 20


@contextlib.contextmanager
def beside(*argv: str, cwd: Path) -> Iterator[None]:
    """A program that runs again and again meanwhile; what it says of its failures is its own business."""
    enough = cwd.parent / f"enough-{argv[1]}"
    script = 'until test -e "$0"; do "$@" >/dev/null 2>&1; sleep 0.02; done'
    running = subprocess.Popen(["sh", "-c", script, enough, *argv], cwd=cwd)
    try:
        yield
    finally:
        enough.touch()  # not killed: git would leave its locks
        running.wait(timeout=60)
        enough.unlink()


class Watcher:
    """`git fleet status` in a loop beside everything: it never fails."""

    def __init__(self, repo: Repo) -> None:
        script = (
            "import json, subprocess, time\n"
            "failed = []\n"
            "while True:\n"
            "    done = subprocess.run(['git', 'fleet', 'status', '--json'], capture_output=True, text=True)\n"
            "    told = done.returncode or json.loads(done.stdout)['schema'] != 'git-fleet.status.v1'\n"
            "    time.sleep(0.1)\n"
            "    print('failed: ' + done.stderr.replace('\\n', ' ') if told else 'fine', flush=True)\n"
        )
        self._running = subprocess.Popen(
            [sys.executable, "-c", script], cwd=repo.path, stdout=subprocess.PIPE, text=True, start_new_session=True
        )

    def ended(self) -> list[str]:
        """What it said of each look; there was at least one."""
        assert self._running.stdout is not None
        first = self._running.stdout.readline()
        os.killpg(self._running.pid, 9)
        said = [line for line in (first, *self._running.stdout.read().splitlines(True)) if line.endswith("\n")]
        self._running.wait()
        return said


def fleet(folder: Path, tasks: Sequence[str], *, worked: bool = False) -> Repo:
    """Many tasks; with `worked`, each branch has a commit, in no worktree."""
    repo = rooms.fleet(folder, dict.fromkeys(tasks))
    for task in tasks if worked else ():
        repo.branch(task, {task: f"{task}\n"})
    return repo


def names(number: int) -> list[str]:
    return [f"t{index}" for index in range(number)]


def ended(done: Sequence[kit.Completed], *codes: int) -> list[str]:
    """What those said that ended otherwise."""
    return [f"exit {one.status}: {one.err}" for one in done if one.status not in codes]


def test_fifty_adds_all_succeed(tmp_path: Path, programs: Programs, tally: Tally) -> None:
    """And `status` beside them never fails; plain git makes worktrees and packs refs meanwhile."""
    tasks = names(MANY)
    repo = fleet(tmp_path, tasks)
    before = kit.picture(repo)
    watcher = Watcher(repo)
    with beside("git", "pack-refs", "--all", cwd=repo.path):
        done = programs.run(repo, [Run(("add", task)) for task in tasks])
    looks = watcher.ended()
    assert ended(done, 0) == [] and [look for look in looks if look != "fine\n"] == []
    assert judge(tally, "50 adds", repo, before)
    assert {Path(tree.path).name: tree.branch for tree in repo.worktrees()[1:]} == {
        task: f"refs/heads/{task}" for task in tasks
    }
    assert {(rooms.tree(repo, task) / "file").read_text() for task in tasks} == {rooms.LONG}
    with database.opened(str(repo.common_dir() / "fleet")) as journal:
        assert [(one.kind, one.state) for one in journal.operations()] == [("add", OperationState.DONE)] * MANY


def test_fifty_adds_of_one_task_make_it_once(tmp_path: Path, programs: Programs, tally: Tally) -> None:
    repo = fleet(tmp_path, ["one"])
    before = kit.picture(repo)
    done = programs.run(repo, [Run(("add", "one"))] * MANY)
    assert ended(done, 0) == [] and judge(tally, "50 adds of one", repo, before)
    assert [tree.branch for tree in repo.worktrees()[1:]] == ["refs/heads/one"]
    assert rooms.operations(repo) == [("add", "done")]


def test_twenty_landings_land_each_branch_once(tmp_path: Path, programs: Programs, tally: Tally) -> None:
    """Somebody commits to the base and packs meanwhile: who loses against him says so, and is done again."""
    tasks = names(LANDERS)
    repo = fleet(tmp_path, tasks, worked=True)
    before = kit.picture(repo)
    watcher = Watcher(repo)
    with beside("git", "gc", "--quiet", cwd=repo.path):
        todo = [Run(("land", task)) for task in tasks]
        for _ in range(5):
            done = programs.run(repo, todo)
            assert ended(done, 0, 75) == []
            todo = [run for run, one in zip(todo, done, strict=True) if one.status == 75]
            if not todo:
                break
    assert [look for look in watcher.ended() if look != "fine\n"] == []
    assert todo == [] and judge(tally, "20 landings", repo, before)
    landed = repo.git("log", "--first-parent", "--format=%(trailers:key=Fleet-Task,valueonly)", "main").split()
    assert sorted(landed) == sorted(tasks)
    assert {path.name for path in repo.path.iterdir()} >= set(tasks)


def test_twenty_runs_start_one_agent(tmp_path: Path, programs: Programs) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}})
    done = programs.run(repo, [Run(("run", "a", "--", "echo here >>began; sleep 60"))] * LANDERS)
    began = [one for one in done if one.status == 0]
    others = [one.err for one in done if "an agent runs in its worktree" in one.err]
    assert (len(began), len(others)) == (1, LANDERS - 1), ended(done, 0, 3)
    where = rooms.tree(repo, "a") / "began"
    for _ in range(600):
        if where.exists() and where.read_text():
            break
        time.sleep(0.1)
    assert programs.one(repo, "stop", "a").status == 0
    assert where.read_text() == "here\n"


def test_two_thousand_notes_from_twenty_processes_are_all_there(tmp_path: Path) -> None:
    with database.opened(str(tmp_path)) as journal:
        numbers = [journal.begin("land", "x") for _ in range(20)]
    script = (
        "import sys; from git_fleet.journal import database; from git_fleet.model.fleet import Landing\n"
        "with database.opened(sys.argv[1]) as journal:\n"
        "    for n in range(100): journal.record_landings(int(sys.argv[2]), [Landing(f'{sys.argv[2]}-{n}', 'a', 'b')])"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", script, str(tmp_path), str(number)], cwd=kit.ROOT) for number in numbers
    ]
    assert [writer.wait(timeout=300) for writer in writers] == [0] * 20
    with database.opened_to_read(str(tmp_path)) as read:
        assert read is not None
        assert sorted(one.task for one in read.landings()) == sorted(f"{a}-{b}" for a in numbers for b in range(100))


DICE = (
    ("add", "{task}"),
    ("add", "{task}"),
    ("land", "{task}"),
    ("land",),
    ("remove", "{task}"),
    ("undo",),
    ("mark", "done", "{task}"),
    ("status", "--json"),
    ("check", "--json"),
    ("log",),
    ("land", "--dry-run"),
    ("land", "--skip"),
    ("plan", "set", "{task}", "priority", "3"),
)
MAY = (0, 1, 3, 4, 75, 128, 141)
FOREIGN = (
    ("git", "gc", "--quiet"),
    ("git", "commit", "-q", "--allow-empty", "-m", "by hand"),
    ("git", "worktree", "prune"),
)


@pytest.mark.parametrize("seed", SEEDS)
def test_anything_at_once(seed: int, tmp_path: Path, programs: Programs, tally: Tally) -> None:
    """Random commands, some killed, with gc and a committer among them: nothing is lost, and all works afterwards."""
    dice = random.Random(seed)
    tasks = names(8)
    repo = fleet(tmp_path, tasks[4:], worked=True)
    repo.config({f"fleet.{task}.title": task for task in tasks[:4]})
    for task in tasks[4:6]:
        repo.git("worktree", "add", "-q", f"../{task}", task)
        repo.write({"draft": f"{seed}\n", "file": "edited\n"}, rooms.tree(repo, task))
    before = kit.picture(repo)
    for number in range(2):
        runs = []
        for _ in range(MANY // 2):
            words = tuple(word.format(task=dice.choice(tasks)) for word in dice.choice(DICE))
            fault = {"at": dice.randrange(25), "do": "kill"} if dice.random() < 0.2 else None
            tally.points(1 if fault else 0)
            runs.append(Run(words, fault))
        with contextlib.ExitStack() as stack:
            for argv in FOREIGN:
                stack.enter_context(beside(*argv, cwd=repo.path))
            done = programs.run(repo, runs)
        wrong = [(run.args, one) for run, one in zip(runs, done, strict=True) if one.status not in (*MAY, -9)]
        assert wrong == [], f"seed {seed}, round {number}"
        assert not any("Traceback" in one.err for one in done), [one.err for one in done if "Traceback" in one.err]
    settle(repo, programs)
    assert judge(tally, f"seed {seed}", repo, before), tally.found


def settle(repo: Repo, programs: Programs) -> None:
    """The commands after all the kills: what is left is put right, or a conflict waits for somebody."""
    for words in (("land",), ("add", "t0"), ("land",)):
        programs.one(repo, *words)
    with database.opened(str(repo.common_dir() / "fleet")) as journal:
        assert journal.operations(states=[OperationState.RUNNING]) == ()
