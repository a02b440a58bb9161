"""Every line that safety hangs on is missed when it is gone: one test turns red for each."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import kit
import pytest

from safety import TORTURE

MUTANTS = {
    "the lock": (
        "journal/locks.py",
        "        _wait(fd, path, wait_s, waits)\n",
        "",
        "journal/test_locks.py::test_who_waits_gets_it",
    ),
    "the lock that children hold": (
        "repo/process.py",
        "pass_fds=tuple(inherit)",
        "pass_fds=()",
        "repo/test_process.py::test_a_descriptor_is_inherited_where_asked_for",
    ),
    "the old value": (
        "repo/changing.py",
        'f"update {ref} {new} {old or zero}"',
        'f"update {ref} {new}"',
        "repo/test_changing.py::test_a_lost_race_is_busy_and_nothing_moves",
    ),
    "the look after the rename": (
        "operations/remove.py",
        "            look_again(work.context, one, trashed)\n",
        "",
        "operations/test_remove.py::test_who_writes_between_the_look_and_the_rename_keeps_it",
    ),
    "the keep refs": (
        "operations/running.py",
        '    changing.update_refs(repository, updates, "fleet: keep")\n',
        "",
        "operations/test_remove.py::test_a_removed_task_is_gone_and_its_commits_are_kept",
    ),
    "the fsync": ("plan/files.py", "    os.fsync(file)\n", "", "safety/test_power.py"),
    "the fsync of the folder": (
        "plan/files.py",
        "        os.fsync(handle)\n",
        "        pass\n",
        "safety/test_power.py",
    ),
    "what was read is still there": (
        "plan/files.py",
        "if expected is not None and read(path) != expected:",
        "if False:",
        "plan/test_hostile.py::test_case_11_a_plan_that_changes_while_it_is_rewritten_is_left_alone",
    ),
    "the journal of a killed writer": (
        "journal/database.py",
        "copy = stack.enter_context(rescue.copied(path))",
        "copy = None",
        "journal/test_rescue.py::test_readers_see_the_last_committed_state_and_write_nothing",
    ),
    "the branch of a new worktree": (
        "operations/recover.py",
        ' and _head(repository, top) == note.get("branch")',
        "",
        "safety/test_points.py::test_killed[add]",
    ),
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mutants")
    for name in ("git_fleet", "tests"):
        shutil.copytree(kit.ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".hypothesis"))
    shutil.copy(kit.ROOT / "setup.cfg", folder)
    return folder


LONG = () if TORTURE else ("the branch of a new worktree",)


@pytest.mark.parametrize("line", [line for line in MUTANTS if line not in LONG])
def test_without(line: str, copy: Path) -> None:
    file, old, new, test = MUTANTS[line]
    path = copy / "git_fleet" / file
    whole = path.read_text()
    assert whole.count(old) == 1, f"{file} says it otherwise by now: {old!r}"
    path.write_text(whole.replace(old, new))
    try:
        argv = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", f"tests/{test}"]
        ended = subprocess.run(
            argv, cwd=copy, env={**os.environ, "PYTHONPATH": str(copy)}, capture_output=True, text=True
        )
    finally:
        path.write_text(whole)
    assert ended.returncode == 1, f"nothing misses {line}\n{ended.stdout[-2000:]}"
