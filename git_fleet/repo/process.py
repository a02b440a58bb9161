"""The only door to other programs.

Inherited variables that tell git which repository to use are removed before any child starts: in a linked worktree,
aliases and hooks export GIT_DIR, and GIT_DIR beats `git -C` (githooks(5)); a tool that walks between worktrees would
then work on the wrong one.
"""

import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, NoReturn, TypeVar, cast

from git_fleet.model.errors import Fatal
from git_fleet.repo import logs, pids

T = TypeVar("T")

LOCATION_VARIABLES = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_NAMESPACE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_QUARANTINE_PATH",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
)
"""`git rev-parse --local-env-vars` less the configuration variables, and what that list forgets."""

MANNER_VARIABLES = (
    "GIT_ATTR_SOURCE",
    "GIT_GLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
    "GIT_LITERAL_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_REFLOG_ACTION",
)
"""How git is to take its arguments, or what it is doing, in the eyes of whoever called us; not in ours."""

CONFIG_VARIABLES = ("GIT_CONFIG_COUNT", "GIT_CONFIG_PARAMETERS")
"""What `git -c` becomes. Git children keep it, since the user typed it for this command; all others lose it."""

TASK_VARIABLES = tuple(
    f"FLEET_{what}" for what in ("TASK", "TITLE", "BRANCH", "BASE", "WORKTREE", "SLOT", "PORT", "PROMPT_FILE")
)
"""What tells the user's programs whose work they do: whoever called us may do another's."""

PERSON_VARIABLES = tuple(f"GIT_{who}_{what}" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL", "DATE"))


class Result(NamedTuple):
    """What a child left: exit status (negative: killed by that signal) and text (UTF-8, undecodable bytes escaped)."""

    status: int
    stdout: str
    stderr: str


class Job(NamedTuple):
    """One child of `run_many`."""

    argv: tuple[str, ...]
    cwd: str
    env: tuple[tuple[str, str], ...] = ()
    inherit: tuple[int, ...] = ()


def environment(extra: Mapping[str, str] | None = None, *, config: bool = True) -> dict[str, str]:
    """Our environment without what points at a repository, plus `extra`.

    `config`, for gits, keeps what `git -c` set; programs of the user's lose that, and are not told of another task.
    """
    ours = () if config else (*CONFIG_VARIABLES, *TASK_VARIABLES)
    persons = PERSON_VARIABLES if "GIT_INDEX_FILE" in os.environ else ()
    gone = {*LOCATION_VARIABLES, *MANNER_VARIABLES, *ours, *persons}
    env = {key: value for key, value in os.environ.items() if key not in gone}
    _forget_layout(env)
    env.update(extra or {})
    return env


def _forget_layout(env: dict[str, str]) -> None:
    """`git -c` may set anything, but not what says where a repository has its files: that is each repository's own."""
    told = env.get("GIT_CONFIG_PARAMETERS", "")
    if "core." in told.lower():
        import re

        words = re.findall(r"'(?:[^']|'\\['!]')*'(?:='(?:[^']|'\\['!]')*'|=)?", told)
        kept = [word for word in words if not re.match(r"'core\.(bare|worktree)['=]", word, re.IGNORECASE)]
        env["GIT_CONFIG_PARAMETERS"] = " ".join(kept)
    for key, value in env.items():
        if key.startswith("GIT_CONFIG_KEY_") and value.lower() in ("core.bare", "core.worktree"):
            env[key] = "fleetIgnored.key"


def index_of_a_commit() -> str | None:
    """The index that `git commit` commits, where one of its hooks has called us; links followed."""
    named = os.environ.get("GIT_INDEX_FILE")
    return os.path.realpath(named) if named else None


def which(name: str) -> str | None:
    """The absolute path of a program on PATH. Relative entries are skipped: they would run what lies in a worktree."""
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(folder, name)
        if os.path.isabs(folder) and os.access(path, os.X_OK) and not os.path.isdir(path):
            return path
    return None


def run(
    argv: Sequence[str],
    *,
    cwd: str,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
    inherit: Sequence[int] = (),
    config: bool = True,
) -> Result:
    """Run a child to its end. `env` is added to the scrubbed environment; `inherit` are descriptors that it keeps.

    Raises Fatal if the program or `cwd` is not there; a failing child is a Result. When a signal ends us meanwhile, the
    child is waited for: a git that is killed leaves its locks, and work half done.
    """
    try:
        child = subprocess.Popen(
            list(argv),
            cwd=cwd,
            env=environment(env, config=config),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=tuple(inherit),
        )
    except OSError as error:
        raise Fatal(f"cannot run '{argv[0]}' in '{cwd}': {error.strerror}") from error
    with child:
        try:
            out, err = child.communicate(b"" if stdin is None else stdin.encode("utf-8", "surrogateescape"))
        except BaseException:
            child.communicate()
            raise
    return Result(child.returncode, _text(out), _text(err))


def side_by_side(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Call all at once, each in a thread; their answers, in order. Raises what the first that failed has raised."""
    if len(calls) == 1:
        return [calls[0]()]
    found: list[tuple[T | None, Exception | None]] = [(None, None)] * len(calls)

    def work(place: int) -> None:
        try:
            found[place] = (calls[place](), None)
        except Exception as error:
            found[place] = (None, error)

    threads = [threading.Thread(target=work, args=(place,)) for place in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _, error in found:
        if error:
            raise error
    return [cast(T, answer) for answer, _ in found]


def run_many(jobs: Sequence[Job], *, at_once: int, done: Callable[[int], None] | None = None) -> list[Result]:
    """Run children side by side, `at_once` at a time; results in the order of `jobs`. `done(n)` after the n-th end."""
    return start_many(jobs, at_once=at_once, done=done)()


def start_many(
    jobs: Sequence[Job], *, at_once: int, done: Callable[[int], None] | None = None
) -> Callable[[], list[Result]]:
    """`run_many` in the background: call what comes back to wait for the results."""
    results: list[Result | Exception] = [Result(-1, "", "")] * len(jobs)
    turn = iter(range(len(jobs)))
    lock = threading.Lock()
    ended = 0

    def work() -> None:
        nonlocal ended
        while True:
            with lock:
                index = next(turn, None)
            if index is None:
                return
            results[index] = _caught(jobs[index])
            with lock:
                ended += 1
                if done:
                    done(ended)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(at_once, len(jobs)))]
    for thread in threads:
        thread.start()

    def wait() -> list[Result]:
        for thread in threads:
            thread.join()
        for result in results:
            if isinstance(result, Exception):
                raise result
        return [result for result in results if isinstance(result, Result)]

    return wait


def _caught(job: Job) -> Result | Exception:
    try:
        return run(job.argv, cwd=job.cwd, env=dict(job.env), inherit=job.inherit)
    except Exception as error:  # handed to the one who waits: a thread has nobody to raise to
        gone = not os.path.isdir(job.cwd)  # somebody has removed it since we heard of it
        return Result(128, "", f"'{job.cwd}' is gone\n") if gone else error


class Watched(NamedTuple):
    """How a watched command ended. `why` says what went wrong where the exit status alone does not."""

    status: int
    seconds: float
    why: str | None


_GATED = 'read -r _ || exit 126; exec /bin/sh -c "$1" </dev/null'
"""A command that begins when it is told to: should we die before its number is written down, it never does."""


def run_watched(
    command: str,
    *,
    cwd: str,
    env: Mapping[str, str],
    log: str,
    timeout_s: float,
    log_cap: int = 16 << 20,
    started: Callable[[int], bool] | None = None,
    stop: int | None = None,
    rolling: bool = False,
) -> Watched:
    """Run a shell command of the user's in a process group of its own, output to the file `log` (capped, bytes).

    Of too much output the beginning and the end are kept; with `rolling` the end alone, on the disk at once.

    `started` is told its number before it begins, and may say no; something to read at the descriptor `stop` ends it.
    The whole group dies with the command, with the time-out, and when we are interrupted.
    """
    began = time.monotonic()
    try:
        with (logs.rolling if rolling else logs.opened)(log, log_cap) as kept:
            child = subprocess.Popen(
                ["/bin/sh", "-c", _GATED, "sh", command],
                cwd=cwd,
                env=environment(env, config=False),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                bufsize=0,
            )
            try:
                if started and not started(child.pid):
                    return Watched(-signal.SIGKILL, 0.0, "not begun")
                why = _begin(child) or _follow(child, kept, timeout_s, stop)
            finally:
                pids.end_group(child.pid)
                child.wait()
                _drain(child, kept)
    except OSError as error:
        return Watched(127, 0.0, f"cannot start: {error.strerror}")
    seconds = time.monotonic() - began
    if why is None and child.returncode < 0:
        why = f"killed by signal {-child.returncode}"
    return Watched(child.returncode, seconds, why)


def _begin(child: "subprocess.Popen[bytes]") -> str | None:
    assert child.stdin is not None
    try:
        with child.stdin as told:
            told.write(b"\n")
    except BrokenPipeError:
        return "killed before it began"
    return None


def _follow(child: "subprocess.Popen[bytes]", kept: logs.Sink, timeout_s: float, stop: int | None) -> str | None:
    """Read what the child says until it ends. Why it had to be stopped, or None when it ended by itself."""
    assert child.stdout is not None
    deadline = time.monotonic() + timeout_s
    out = child.stdout.fileno()
    os.set_blocking(out, False)
    ends = _pidfd(child.pid)
    watched = [fd for fd in (out, ends, stop) if fd is not None]
    try:
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                return f"timed out after {timeout_s:g} s"
            # Without a descriptor for its end the child is asked: often while it says nothing.
            ready, _, _ = select.select(watched, (), (), left if ends is not None else min(left, 0.05))
            if stop in ready:
                return "stopped"
            if out in ready and not _read(out, kept):
                watched.remove(out)  # it closed its output, and may go on for long
            if ends in ready or (ends is None and child.poll() is not None):
                return None
    finally:
        if ends is not None:
            os.close(ends)


def _pidfd(pid: int) -> int | None:
    """A descriptor that can be read when the process has ended; None where the system has no such thing."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None


def _read(fd: int, kept: logs.Sink) -> bool:
    """Take what is there; False at its end."""
    try:
        data = os.read(fd, 1 << 16)
    except BlockingIOError:
        return True
    kept.write(data)
    return bool(data)


def _drain(child: "subprocess.Popen[bytes]", kept: logs.Sink) -> None:
    """The last words, as far as they are there already: somebody who left the group may hold the pipe for ever."""
    assert child.stdout is not None
    with child.stdout as out:
        os.set_blocking(out.fileno(), False)
        for _ in range(64):  # more than a pipe holds
            try:
                data = os.read(out.fileno(), 1 << 16)
            except BlockingIOError:
                return
            if not data:
                return
            kept.write(data)


def replace(argv: Sequence[str], *, env: Mapping[str, str] | None = None) -> NoReturn:
    """Become another program (a pager, man): its exit code is ours. A closed pipe ends it, as it does not us."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.execvpe(argv[0], list(argv), environment(env))


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
