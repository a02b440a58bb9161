"""The door to other programs: what children inherit, what they leave, how a gate ends."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import kit
import pytest

from git_fleet.model.errors import Fatal
from git_fleet.repo import logs, process


def shell(script: str, cwd: Path, **extra: str) -> process.Job:
    return process.Job(("/bin/sh", "-c", script), str(cwd), tuple(extra.items()))


def watch(command: str, folder: Path, *, timeout_s: float = 20.0, log_cap: int = 1 << 20) -> process.Watched:
    return process.run_watched(
        command, cwd=str(folder), env={}, log=str(folder / "log"), timeout_s=timeout_s, log_cap=log_cap
    )


def alive(pid: int) -> bool:
    """Is there such a process, zombies aside?"""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_git_knows_no_variable_that_we_do_not(tmp_path: Path) -> None:
    listed = subprocess.run(["git", "rev-parse", "--local-env-vars"], capture_output=True, text=True, check=True)
    assert set(listed.stdout.split()) <= {*process.LOCATION_VARIABLES, *process.CONFIG_VARIABLES}


def test_children_do_not_hear_which_repository_we_were_called_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (*process.LOCATION_VARIABLES, *process.CONFIG_VARIABLES):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Hook")
    heard = process.environment({"GIT_WORK_TREE": "mine", "MORE": "y"})
    assert {name for name in process.LOCATION_VARIABLES if name in heard} == {"GIT_WORK_TREE"}
    assert (heard["GIT_WORK_TREE"], heard["MORE"]) == ("mine", "y")
    assert set(process.CONFIG_VARIABLES) <= set(heard)
    assert not set(process.CONFIG_VARIABLES) & set(process.environment(config=False))
    assert "GIT_AUTHOR_NAME" not in heard  # inside a hook it is the commit's, not the user's


def test_an_identity_of_the_user_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_AUTHOR_NAME", "User")
    assert process.environment()["GIT_AUTHOR_NAME"] == "User"


def test_run_hands_back_everything(tmp_path: Path) -> None:
    done = process.run(["/bin/sh", "-c", r"cat; printf '\377'; pwd >&2; exit 3"], cwd=str(tmp_path), stdin="in\udcfe")
    assert done == (3, "in\udcfe\udcff", f"{tmp_path}\n")
    assert process.run(["/bin/sh", "-c", "kill -9 $$"], cwd=str(tmp_path)).status == -9


@pytest.mark.parametrize(("program", "folder"), [("/nonexistent/program", "."), ("/bin/sh", "nonexistent")])
def test_what_cannot_run_is_named(tmp_path: Path, program: str, folder: str) -> None:
    with pytest.raises(Fatal, match=f"cannot run '{program}' in '{tmp_path / folder}': No such file"):
        process.run([program], cwd=str(tmp_path / folder))


def test_results_come_in_the_order_of_the_jobs(tmp_path: Path) -> None:
    jobs = [shell(f"sleep 0.{9 - 4 * number}; echo $N", tmp_path, N=str(number)) for number in range(3)]
    ended: list[int] = []
    results = process.run_many(jobs, at_once=3, done=ended.append)
    assert [result.stdout for result in results] == ["0\n", "1\n", "2\n"]
    assert ended == [1, 2, 3]


def test_no_more_run_at_once_than_asked_for(tmp_path: Path) -> None:
    script = "mkdir one || exit 1; sleep 0.05; rmdir one"
    assert [result.status for result in process.run_many([shell(script, tmp_path)] * 4, at_once=1)] == [0] * 4


def test_no_jobs_no_results() -> None:
    assert process.run_many([], at_once=2) == []


def test_a_job_that_cannot_start_is_raised_to_the_one_who_waits(tmp_path: Path) -> None:
    jobs = [shell("touch ran", tmp_path), process.Job(("/nonexistent",), str(tmp_path))]
    wait = process.start_many(jobs, at_once=1)
    with pytest.raises(Fatal, match="cannot run '/nonexistent'"):
        wait()
    assert (tmp_path / "ran").exists()


def test_started_jobs_go_on_while_nobody_waits(tmp_path: Path) -> None:
    wait = process.start_many([shell("touch ran", tmp_path)], at_once=1)
    end = time.monotonic() + 10
    while not (tmp_path / "ran").exists():
        assert time.monotonic() < end
        time.sleep(0.01)
    assert [result.status for result in wait()] == [0]
    assert threading.current_thread() is threading.main_thread()


def test_a_descriptor_is_inherited_where_asked_for(tmp_path: Path) -> None:
    with open(tmp_path / "held", "w") as held:
        script = f"test -e /proc/self/fd/{held.fileno()}"
        argv = ["/bin/sh", "-c", script]
        assert process.run(argv, cwd=str(tmp_path)).status == 1
        assert process.run(argv, cwd=str(tmp_path), inherit=[held.fileno()]).status == 0


# ------------------------------------------------------------------------------------------------------------- watched


def test_a_gate_writes_its_log_and_hands_back_its_status(tmp_path: Path) -> None:
    watched = watch("echo out; echo err >&2; read x || exit 7", tmp_path)
    assert (watched.status, watched.why) == (7, None)
    assert (tmp_path / "log").read_text() == "out\nerr\n"


def test_a_gate_that_hangs_is_killed_with_all_its_children(tmp_path: Path) -> None:
    began = time.monotonic()
    stubborn = f"{sys.executable} -c 'import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)'"
    watched = watch(f"trap '' TERM; {stubborn} & echo $! >grandchild; wait; sleep 60", tmp_path, timeout_s=0.4)
    assert watched.why == "timed out after 0.4 s" and watched.status < 0
    assert time.monotonic() - began < 5
    grandchild = int((tmp_path / "grandchild").read_text())
    end = time.monotonic() + 5
    while alive(grandchild):
        assert time.monotonic() < end, "it outlived its gate"
        time.sleep(0.02)


def test_what_a_gate_leaves_in_the_background_dies_with_it(tmp_path: Path) -> None:
    watched = watch("sleep 60 & echo $! >left", tmp_path)
    assert (watched.status, watched.why) == (0, None)
    time.sleep(0.1)
    assert not alive(int((tmp_path / "left").read_text()))


def test_the_log_of_a_gate_that_writes_without_end_is_capped(tmp_path: Path) -> None:
    """Its beginning and its end are kept; it may write as much as it likes, until its time is over."""
    watched = watch("echo begin; seq 300000; echo end", tmp_path, log_cap=1 << 16)
    assert (watched.status, watched.why) == (0, None)
    log = (tmp_path / "log").read_text()
    assert log.startswith("begin\n1\n2\n") and log.endswith("300000\nend\n") and "bytes left out]" in log
    assert len(log) < (1 << 16) + 100
    assert watch("yes", tmp_path, log_cap=1 << 20, timeout_s=0.5).why == "timed out after 0.5 s"
    assert (tmp_path / "log").stat().st_size < (1 << 20) + 100


def test_a_gate_that_closes_its_output_is_waited_for(tmp_path: Path) -> None:
    assert watch("exec >&- 2>&-; sleep 0.3; exit 7", tmp_path).status == 7


def test_a_gate_is_stopped_from_outside_with_all_its_children(tmp_path: Path) -> None:
    read, write = os.pipe()
    threading.Timer(0.3, lambda: os.write(write, b"x")).start()
    command = "sleep 60 & echo $! >grandchild; wait"
    watched = process.run_watched(
        command, cwd=str(tmp_path), env={}, log=str(tmp_path / "log"), timeout_s=20, stop=read
    )
    assert watched.why == "stopped" and watched.seconds < 5
    kit.wait_for(lambda: not alive(int((tmp_path / "grandchild").read_text())))


def test_a_gate_does_not_begin_before_its_number_is_known(tmp_path: Path) -> None:
    """Nor at all when whoever should write it down says no, or dies."""
    seen: list[tuple[int, bool]] = []

    def started(pid: int) -> bool:
        time.sleep(0.2)
        seen.append((pid, (tmp_path / "ran").exists()))
        return len(seen) < 2

    for _ in range(2):
        process.run_watched(
            "echo x >>ran", cwd=str(tmp_path), env={}, log=str(tmp_path / "log"), timeout_s=5, started=started
        )
    assert [ran for _, ran in seen] == [False, True] and (tmp_path / "ran").read_text() == "x\n"
    code = (
        "import os, sys; from git_fleet.repo import process\n"
        "process.run_watched('touch late', cwd=sys.argv[1], env={}, log=sys.argv[1] + '/log', timeout_s=5,"
        " started=lambda pid: os._exit(0))"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path], cwd=kit.ROOT, check=True)
    time.sleep(0.2)
    assert not (tmp_path / "late").exists()


def test_old_logs_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MOST_FILES", 2)
    for number in range(4):
        (tmp_path / f"{number}.log").write_text("x\n")
        os.utime(tmp_path / f"{number}.log", (number, number))
    logs.prune(str(tmp_path))
    logs.prune(str(tmp_path / "gone"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2.log", "3.log"]


def test_a_gate_that_is_killed_says_by_what(tmp_path: Path) -> None:
    assert watch("kill -11 $$", tmp_path).why == "killed by signal 11"


def test_a_gate_that_cannot_start(tmp_path: Path) -> None:
    log = str(tmp_path / "log")
    watched = process.run_watched("true", cwd=str(tmp_path / "gone"), env={}, log=log, timeout_s=5)
    assert (watched.status, watched.why) == (127, "cannot start: No such file or directory")


def test_a_gate_does_not_hear_the_configuration_of_our_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", "'fleet.base'='x'")
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    watch('echo "$GIT_DIR/$GIT_CONFIG_PARAMETERS"', tmp_path)
    assert (tmp_path / "log").read_text() == "/\n"


# --------------------------------------------------------------------------------------------------------------- which


def test_relative_entries_of_path_are_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("bad", "good", "folder/tool", "plain"):
        (tmp_path / folder).mkdir(parents=True)
    for place in ("tool", "bad/tool", "good/tool"):
        (tmp_path / place).write_text("#!/bin/sh\n")
        (tmp_path / place).chmod(0o755)
    (tmp_path / "plain" / "tool").write_text("not executable\n")
    entries = ("", ".", "bad", tmp_path / "folder", tmp_path / "plain", tmp_path / "good")
    monkeypatch.setenv("PATH", os.pathsep.join(map(str, entries)))
    assert process.which("tool") == str(tmp_path / "good" / "tool")
    assert process.which("nothing") is None


def test_a_program_that_we_become_ends_with_its_pipe() -> None:
    become = "from git_fleet.repo import process; process.replace(('sh', '-c', 'kill -PIPE $$; echo still here'))"
    done = subprocess.run([sys.executable, "-c", become], cwd=kit.ROOT, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (-signal.SIGPIPE, b"")
