"""What is run in a new worktree before anybody works there: the user's own commands, side by side for several tasks.

That it is due is noted in the worktree's administrative entry before its files are there, and forgotten only when all
commands have succeeded: who failed or was killed is caught up with by the next `add` of the task.
"""

import json
import os
import queue
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

from git_fleet.journal import locks
from git_fleet.model.errors import Busy, FleetError
from git_fleet.model.events import Listener, Note, NotSetUp, Progress
from git_fleet.model.plan import Task
from git_fleet.operations import environment
from git_fleet.operations.context import Context
from git_fleet.operations.gate import plain
from git_fleet.repo import git, logs, pids, process

_DUE = "fleet-setup"


def note_due(context: Context, worktree: str) -> None:
    """Write down that a worktree, which nobody knows of yet, is to be set up. Raises OSError."""
    private = git.private_dir(worktree)
    if context.settings.setup and private is not None:
        with open(f"{private}/{_DUE}", "w", encoding="ascii"):
            pass


def due(context: Context, tasks: Sequence[Task]) -> list[Task]:
    """Those of the tasks whose worktrees are to be set up still."""
    return [task for task in tasks if context.settings.setup and _is_due(task.worktree)]


def _is_due(worktree: str) -> bool:
    return os.path.exists(f"{git.private_dir(worktree)}/{_DUE}")


def run(context: Context, tasks: Sequence[Task], say: Listener) -> list[NotSetUp]:
    """Set up what is due; those that failed. When a signal ends us, all that was started ends, and is due still."""
    waiting = due(context, tasks)
    if not waiting:
        return []
    logs.prune(_folder(context))
    say(Note(f"setting up {_ids(waiting, ', ')}: {'; '.join(context.settings.setup)}"))
    try:
        return _side_by_side(context, waiting, say)
    except BaseException:
        left = due(context, waiting)
        if left:
            say(Note(f"not set up: {_ids(left, ', ')}; to go on: git fleet add {_ids(left)}"))
        raise


def _ids(tasks: Sequence[Task], between: str = " ") -> str:
    return between.join(task.id for task in tasks)


def _side_by_side(context: Context, waiting: Sequence[Task], say: Listener) -> list[NotSetUp]:
    turns: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
    ended: queue.SimpleQueue[NotSetUp | Note | Exception | None] = queue.SimpleQueue()
    over = threading.Event()
    stop, stopper = os.pipe()

    def work() -> None:
        while (task := turns.get()) is not None and not over.is_set():
            try:
                ended.put(_one(context, task, stop))
            except Exception as error:  # handed to the one who waits
                ended.put(error)

    threads = [threading.Thread(target=work) for _ in waiting[: os.cpu_count() or 2]]
    for task in (*waiting, *(None for _ in threads)):
        turns.put(task)
    failed = []
    try:
        for thread in threads:
            thread.start()
        for number in range(1, len(waiting) + 1):
            found = ended.get()
            if isinstance(found, Exception):
                raise found
            say(Progress("setting up", number, len(waiting)))
            if found is not None:
                say(found)
            failed += [found] if isinstance(found, NotSetUp) else []
    finally:
        over.set()
        os.write(stopper, b"x")  # to what still runs, where something has ended us
        for thread in threads:
            thread.join()
        os.close(stop)
        os.close(stopper)
    return failed


def _one(context: Context, task: Task, stop: int) -> NotSetUp | Note | None:
    """Set a task's worktree up, in a thread; what went wrong, or that it is none of our business."""
    repository, here = context.repository, task.worktree
    try:
        with locks.hold(repository.fleet_dir, locks.setup_lock(here), wait_s=0.0):
            _end_left(here)
            slot = environment.slot(repository, here, lambda _: None)
            env = environment.of(context, here, slot, id=task.id, title=task.title, branch=task.branch)
            for number, command in enumerate(context.settings.setup if _is_due(here) else (), 1):
                failed = _command(context, task, command, env, number, stop)
                if failed is not None:
                    return failed
            if not os.path.isdir(here):
                return NotSetUp(task.id, f"a command took '{here}' away", None)
            with suppress(FileNotFoundError):
                os.unlink(f"{git.private_dir(here)}/{_DUE}")
    except Busy:
        return Note(f"{task.id} is being set up already")
    except FleetError as error:
        return NotSetUp(task.id, error.message, None)
    except OSError as error:
        return NotSetUp(task.id, f"{error.strerror}: '{error.filename}'", None)
    return None


def _end_left(worktree: str) -> None:
    """A command that outlived the one who had started it ends before it is started again."""
    with (
        suppress(OSError, ValueError, TypeError),
        open(f"{git.private_dir(worktree)}/{_DUE}", encoding="ascii") as file,
    ):
        pid, known = json.load(file)
        pids.end_left(pid, known)


def _command(
    context: Context, task: Task, command: str, env: dict[str, str], number: int, stop: int
) -> NotSetUp | None:
    stamp = f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    os.makedirs(_folder(context), exist_ok=True)
    log = f"{_folder(context)}/{plain(task.id)}-{stamp}-{number}.log"
    timeout_s = context.settings.gate_timeout_s

    def started(pid: int) -> bool:
        with open(f"{git.private_dir(task.worktree)}/{_DUE}", "w", encoding="ascii") as file:
            json.dump([pid, pids.identity(pid)], file)
        return True

    watched = process.run_watched(
        command, cwd=task.worktree, env=env, log=log, timeout_s=timeout_s, started=started, stop=stop
    )
    why = watched.why or (f"exit status {watched.status}" if watched.status else None)
    return NotSetUp(task.id, f"'{command}': {why}", log) if why else None


def _folder(context: Context) -> str:
    return f"{context.repository.fleet_dir}/logs/setup"
