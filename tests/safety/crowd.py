"""Who else is at work in a repository: plain gits that may fail, a maker of locks, and a reader that is watched."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence

from kit import Repo

from safety import syscalls
from safety.trial import Tally

GC = "git gc --quiet"
PRUNE = "git gc --quiet --prune=now; git prune --expire=now"
PACK = "git pack-refs --all"
COMMIT = "git commit -q --allow-empty -m 'by hand'"
FORGET = "git worktree prune"
WORKTREES = (
    'git worktree add -q -b "other-$n" "../other-$n"; git worktree remove "../other-$n"; git branch -q -D "other-$n"'
)

LOCKS = ("index", "HEAD", "config", "packed-refs", "refs/heads/main", "refs/heads/t4", "refs/fleet/trust")


@contextlib.contextmanager
def beside(repo: Repo, tally: Tally, *scripts: str) -> Iterator[None]:
    """Scripts that run again and again meanwhile; what they say of their failures is their own business."""
    enough = repo.path.parent / "enough"
    loop = 'n=0; until test -e "$0"; do n=$((n+1)); eval "$1" >/dev/null 2>&1; echo; sleep 0.02; done'
    running = [
        subprocess.Popen(["sh", "-c", loop, enough, script], cwd=repo.path, stdout=subprocess.PIPE)
        for script in scripts
    ]
    try:
        yield
    finally:
        enough.touch()  # not killed: git would leave its locks
        tally.add("turns of other gits", sum(one.communicate(timeout=300)[0].count(b"\n") for one in running))
        enough.unlink()


@contextlib.contextmanager
def locks_about(repo: Repo, tally: Tally, seed: int) -> Iterator[None]:
    """git's locks come and go, as where somebody's git is at work; one in eight stays for longer than git waits."""
    over = threading.Event()
    common, dice = repo.common_dir(), random.Random(seed)

    def work() -> None:
        while not over.wait(dice.random() / 20):
            path = common / f"{dice.choice(LOCKS)}.lock"
            try:
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
            except OSError:  # there is one, or no folder for it
                continue
            tally.add("locks of others", 1)
            over.wait(2.0 if dice.random() < 1 / 8 else dice.random() / 20)
            path.unlink()

    maker = threading.Thread(target=work)
    maker.start()
    try:
        yield
    finally:
        over.set()
        maker.join()


class Watcher:
    """`git fleet status` in a loop beside everything: it never fails."""

    def __init__(self, repo: Repo) -> None:
        script = (
            "import json, subprocess, time\n"
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
        """What it said of the looks that failed; there was at least one look."""
        assert self._running.stdout is not None
        first = self._running.stdout.readline()
        os.killpg(self._running.pid, signal.SIGKILL)
        said = [line for line in (first, *self._running.stdout.read().splitlines(True)) if line.endswith("\n")]
        self._running.wait()
        return [line for line in said if line != "fine\n"]


class WatchedReader:
    """One reader after the other beside everything, each system call of which, and of its gits, is looked at."""

    def __init__(self, repo: Repo, tally: Tally, *readers: Sequence[str]) -> None:
        self._repo, self._tally, self._readers = repo, tally, readers
        self._over = threading.Event()
        self._log = repo.path.parent / "reader.strace"
        self.wrote: list[str] = []
        self.failed: list[str] = []
        self.looks = 0
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def _work(self) -> None:
        while not (self.looks and self._over.is_set()):
            args = self._readers[self.looks % len(self._readers)]
            done, places = syscalls.writes(self._repo, args, self._log)
            self.looks += 1
            self.wrote += [f"{' '.join(args)}: {place.within(self._repo.path.parent)}" for place in places]
            answered = done.status in (0, 3, 4)  # a dry run says no as the deed would
            if not answered or (args[-1] == "--json" and not json.loads(done.out)["schema"]):
                self.failed.append(f"{' '.join(args)}: exit {done.status}: {done.err}")

    def ended(self) -> list[str]:
        """What was written, or said on failing; there was at least one look."""
        self._over.set()
        self._thread.join()
        self._tally.add("watched looks", self.looks)
        return self.wrote + self.failed
