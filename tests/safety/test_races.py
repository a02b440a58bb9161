"""Many at once, let go at the same moment: what is promised of concurrency, measured. SAFETY E 56–70."""

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import kit
import pytest
import rooms
from kit import Repo

from git_fleet.journal import database
from git_fleet.model.journal import OperationState
from git_fleet.repo import slots
from safety import SEEDS, syscalls
from safety.crowd import COMMIT, FORGET, GC, PACK, PRUNE, WORKTREES, WatchedReader, Watcher, beside, locks_about
from safety.trial import TRACEBACK, Programs, Run, Tally, judge

MANY = 50
LANDERS = 20
WATCHED = bool(shutil.which("strace"))


def fleet(folder: Path, tasks: Sequence[str], *, worked: bool = False) -> Repo:
    """Many tasks; with `worked`, each branch has a commit, in no worktree."""
    repo = rooms.fleet(folder, dict.fromkeys(tasks))
    for task in tasks if worked else ():
        repo.branch(task, {task: f"{task}\n"})
    return repo


def names(number: int) -> list[str]:
    return [f"t{index}" for index in range(number)]


def ended(done: Sequence[kit.Completed], *codes: int) -> list[str]:
    """What those said that ended otherwise, or with a traceback."""
    return [f"exit {one.status}: {one.err}" for one in done if one.status not in codes or TRACEBACK in one.err]


def test_fifty_adds_all_succeed(tmp_path: Path, programs: Programs, tally: Tally) -> None:
    """And `status` beside them never fails; plain git makes worktrees and packs refs meanwhile."""
    tasks = names(MANY)
    repo = fleet(tmp_path, tasks)
    before = kit.picture(repo)
    watcher = Watcher(repo)
    with beside(repo, tally, PACK, WORKTREES):
        done = programs.run(repo, [Run(("add", task)) for task in tasks])
    assert (ended(done, 0), watcher.ended()) == ([], [])
    assert judge(tally, "50 adds", repo, before)
    made = {Path(tree.path).name: tree.branch for tree in repo.worktrees()[1:] if "/other-" not in tree.path}
    assert made == {task: f"refs/heads/{task}" for task in tasks}
    assert {(rooms.tree(repo, task) / "file").read_text() for task in tasks} == {rooms.LONG}
    given = [slots.of(rooms.of(repo), str(rooms.tree(repo, task))) for task in tasks]
    assert {*given} == {*range(1, MANY + 1)}
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
    """Whatever a gc prunes meanwhile that no ref holds; who loses a race says so, and is done again."""
    tasks = names(LANDERS)
    repo = fleet(tmp_path, tasks, worked=True)
    before = kit.picture(repo)
    watcher = Watcher(repo)
    with beside(repo, tally, PRUNE):
        todo = [Run(("land", task)) for task in tasks]
        for _ in range(5):
            done = programs.run(repo, todo)
            assert ended(done, 0, 75) == []
            todo = [run for run, one in zip(todo, done, strict=True) if one.status == 75]
            if not todo:
                break
    assert watcher.ended() == []
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
ENDS = (0, 1, 3, 4, 75, 141)
"""With what a command may end among all these; with -9 when it was killed."""
NOT_NOW = ("waits for anybody", "has no branch yet", "no task", "nothing to undo", "no operation")
"""What may be fatal: of the dice's words some make no sense at the time."""
READERS = (("status", "--json"), ("plan", "--json"), ("log", "--json"), ("land", "--dry-run"))


def odd(run: Run, done: kit.Completed) -> str | None:
    """What a run should not have come to, with all that is needed to understand it."""
    fatal = done.status == 128 and any(words in done.err for words in NOT_NOW)
    killed = done.status == -9 and run.fault is not None
    if (done.status in ENDS or fatal or killed) and TRACEBACK not in done.err:
        return None
    return f"git fleet {' '.join(run.args)} (fault: {run.fault}): exit {done.status}\n{done.err}"


@pytest.mark.parametrize("seed", SEEDS)
def test_anything_at_once(seed: int, tmp_path: Path, programs: Programs, tally: Tally) -> None:
    """Random commands, some killed, among plain gits of all kinds and locks that come and go: nothing is lost,
    all works afterwards, and who only reads neither fails nor writes."""
    dice = random.Random(seed)
    tasks = names(8)
    repo = fleet(tmp_path, tasks[4:], worked=True)
    repo.config({f"fleet.{task}.title": task for task in tasks[:4]})
    for task in tasks[4:6]:
        repo.git("worktree", "add", "-q", f"../{task}", task)
        repo.write({"draft": f"{seed}\n", "file": "edited\n"}, rooms.tree(repo, task))
    before = kit.picture(repo)
    for number in range(2):
        runs = [drawn(dice, tasks) for _ in range(MANY // 2)]
        tally.points(sum(run.fault is not None for run in runs))
        with beside(repo, tally, GC, COMMIT, FORGET, WORKTREES), locks_about(repo, tally, seed):
            reader = WatchedReader(repo, tally, *READERS) if WATCHED else None
            done = programs.run(repo, runs)
            told = reader.ended() if reader else []
        found = [words for run, one in zip(runs, done, strict=True) if (words := odd(run, one))]
        assert found + told == [], f"seed {seed}, round {number}:\n" + "\n".join(found + told)
    settle(repo, programs)
    assert judge(tally, f"seed {seed}", repo, before), tally.found


def drawn(dice: random.Random, tasks: Sequence[str]) -> Run:
    """A command; one in four is killed at a step of its way."""
    words = tuple(word.format(task=dice.choice(tasks)) for word in dice.choice(DICE))
    return Run(words, {"at": dice.randrange(25), "do": "kill"} if dice.random() < 1 / 4 else None)


def settle(repo: Repo, programs: Programs) -> None:
    """The commands after all the kills: what is left is put right, or a conflict waits for somebody."""
    said = [programs.one(repo, *words) for words in (("land",), ("add", "t0"), ("land",))]
    with database.opened(str(repo.common_dir() / "fleet")) as journal:
        assert journal.operations(states=[OperationState.RUNNING]) == (), said


@syscalls.needs_strace
def test_a_reader_that_writes_is_seen(tmp_path: Path, tally: Tally) -> None:
    """Where git would like to write times into an index, and among writers; what these write is not taken for his."""
    repo = rooms.fleet(tmp_path, {"a": {"file": "a\n"}, "b": {"file": "b\n"}})
    with beside(repo, tally, COMMIT):
        for tree in (repo.path, rooms.tree(repo, "a")):
            os.utime(tree / "file", (1_700_000_000, 1_700_000_000))
        quiet = WatchedReader(repo, tally, *READERS)
        assert quiet.ended() == []
    loud = WatchedReader(repo, tally, ("plan", "set", "a", "priority", "3"))
    assert {path for what in loud.ended() for path in ("app/.git/config.lock", "fleet/fleet.db") if path in what}
