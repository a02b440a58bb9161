"""Runs `git fleet` over and over in forks of one warm interpreter, and stops it at a chosen step of its way.

A script: reads one JSON list of runs a line, starts them (see `play`), and answers with their exit statuses.
Steps are seen by an audit hook (PEP 578): every child, rename, lock and written file passes one by itself, and what
SQLite and libgit2 do is announced by the program. So there is nothing in it that could be switched on by accident.
"""

import contextlib
import errno
import json
import os
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, NamedTuple

LONGEST_S = 300
"""As long as on a machine that has much else to do."""
MEANWHILE_S = 1.0
"""Who has not ended after that, while another stands still, waits for it."""
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
ON_PATHS = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "shutil.rmtree")
ASKS = [
    "cat-file",
    "check-attr",
    "check-ignore",
    "diff",
    "diff-index",
    "diff-tree",
    "for-each-ref",
    "log",
    "ls-files",
    "ls-tree",
    "merge-base",
    "merge-file",
    "merge-tree",
    "name-rev",
    "rev-list",
    "rev-parse",
    "show",
    "show-ref",
    "status",
    "symbolic-ref",
    "var",
    "version",
    "worktree-list",
]
"""git commands after which the disk is as before: a kill there is the same as one after the step before."""


class Fault(NamedTuple):
    """What happens at the step number `at` (from 0): `kill`, `delay` (see `play`), or the name of an error."""

    at: int | None = None
    do: str = ""
    record: str | None = None
    """A file that gets the name of each step."""
    only_writes: bool = True


def step_of(event: str, args: tuple[Any, ...], root: str) -> tuple[str, bool] | None:
    """The name of a step and whether it writes; None for what is none, or happens outside `root`."""
    if event == "subprocess.Popen":
        return _spawned([os.fsdecode(word) for word in args[1]])
    if event in ("git_fleet.journal", "git_fleet.worktree"):
        return f"{event.removeprefix('git_fleet.')}: {args[0]}", True
    if event == "fcntl.flock":
        return "lock", False
    if event in ON_PATHS and isinstance(args[0], str | bytes):
        name = os.fsdecode(args[0])
        return (f"{event.partition('.')[2]} {_short(name, root)}", True) if name.startswith(root) else None
    if event == "open" and isinstance(args[0], str) and isinstance(args[2], int) and args[2] & WRITES:
        return (f"write {_short(args[0], root)}", True) if args[0].startswith(root) else None
    return None


def _spawned(argv: list[str]) -> tuple[str, bool]:
    if os.path.basename(argv[0]) != "git":
        return f"spawn {os.path.basename(argv[0])}", True
    words = iter(argv[1:])
    for word in words:
        if word in ("-c", "-C"):
            next(words)
        elif not word.startswith("-"):
            rest = list(words)
            asks = word in ASKS or f"{word}-{rest[0] if rest else ''}" in ASKS
            asks = asks or (word == "config" and any(one.startswith(("--get", "--list")) for one in rest))
            return f"spawn git {word}", not asks
    return "spawn git", False


def _short(path: str, root: str) -> str:
    return path.removeprefix(root).lstrip("/")


def watch(fault: Fault, root: str) -> None:
    """Install the hook; there is no way to take one out, but this process is a fork that runs one command."""
    lock, count = threading.Lock(), 0

    def hook(event: str, args: tuple[Any, ...]) -> None:
        nonlocal count
        step = step_of(event, args, root)
        if step is None or (fault.only_writes and not step[1]):
            return
        with lock:
            here, count = count, count + 1
        if fault.record:
            told = os.open(fault.record, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.write(told, f"{step[0]}\n".encode("utf-8", "surrogateescape"))
            os.close(told)
        if here == fault.at:
            _act(fault.do, step[0])

    sys.addaudithook(hook)


def _act(what: str, step: str) -> None:
    if what == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif what == "delay":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif step.startswith("journal"):
        raise sqlite3.OperationalError("disk I/O error")
    else:
        number = getattr(errno, what)
        raise OSError(number, os.strerror(number))


def warm_up() -> None:
    """Load all that commands load while they run."""
    for name in ("pygit2", "tabulate", "sqlite3", "hashlib", "tempfile", "shutil", "json", "concurrent.futures"):
        import_module(name)
    from git_fleet import cli, start  # noqa: F401

    cli.tree()


def fork(job: dict[str, Any], go: int, others: list[int]) -> int:
    """Start one run, which waits until `go` ends; its process id."""
    pid = os.fork()
    if pid:
        return pid
    status = 70
    try:
        for fd in others:
            os.close(fd)
        status = _run(job, go)
    finally:
        os._exit(status)


def _run(job: dict[str, Any], go: int) -> int:
    os.setsid()
    signal.alarm(LONGEST_S)
    for number, path in ((0, os.devnull), (1, job["out"]), (2, job["err"])):
        fd = os.open(path, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(fd, number)
        os.close(fd)
    os.environ.clear()
    os.environ.update(job["env"])
    os.chdir(job["cwd"])
    sys.argv = ["git-fleet", *job["args"]]
    from git_fleet.start import main

    os.read(go, 1)
    os.close(go)
    if job["fault"]:
        watch(Fault(**job["fault"]), job["root"])
    return _code(main)


def _code(main: Callable[[], None]) -> int:
    try:
        main()
        code: object = 0
    except SystemExit as ended:
        code = ended.code
    except BaseException:
        import traceback

        traceback.print_exc()
        code = 1
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    return code if isinstance(code, int) else int(code is not None)


def wait_for_left(session: int) -> None:
    """Until the gits of one that was killed have ended, too: till then they hold locks, and write."""
    end = time.monotonic() + LONGEST_S
    while time.monotonic() < end and any(_session(name) == session for name in os.listdir("/proc") if name.isdigit()):
        time.sleep(0.02)


def _session(pid: str) -> int:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[3])
    except (OSError, IndexError):
        return 0


def begin(jobs: Sequence[dict[str, Any]]) -> list[int]:
    """Start runs at the same moment; their process ids."""
    go, at_once = os.pipe()
    pids = [fork(job, go, [at_once]) for job in jobs]
    os.close(go)
    os.close(at_once)
    return pids


def play(jobs: Sequence[dict[str, Any]]) -> list[int]:
    """All of them to their end; their exit statuses.

    They start together. Where the first is to delay, the others start when it stands still at its step, and it goes on
    when they have ended, or wait for it.
    """
    fault = jobs[0]["fault"]
    if not fault or fault.get("do") != "delay":
        return [ended(pid) for pid in begin(jobs)]
    [first] = begin(jobs[:1])
    status = os.waitpid(first, os.WUNTRACED)[1]
    others = dict.fromkeys(begin(jobs[1:]))
    if not os.WIFSTOPPED(status):
        return [os.waitstatus_to_exitcode(status), *(ended(pid) for pid in others)]
    until = time.monotonic() + MEANWHILE_S
    while None in others.values() and time.monotonic() < until:
        time.sleep(0.01)
        for pid in [pid for pid, code in others.items() if code is None]:
            over, status = os.waitpid(pid, os.WNOHANG)
            others[pid] = os.waitstatus_to_exitcode(status) if over else None
    os.kill(first, signal.SIGCONT)
    return [ended(first), *(ended(pid) if code is None else code for pid, code in others.items())]


def ended(pid: int) -> int:
    status = os.waitpid(pid, 0)[1]
    wait_for_left(pid)
    return os.waitstatus_to_exitcode(status)


def serve() -> None:
    """Until standard input ends."""
    warm_up()
    for line in sys.stdin:
        print(json.dumps(play(json.loads(line))), flush=True)


if __name__ == "__main__":
    serve()
