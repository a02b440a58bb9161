"""Stops `git fleet`, or one of the gits that it runs, at a chosen system call: by strace, where that is installed.

strace counts the calls of each process by itself, and a Python that starts opens hundreds of files. So a place is named
by its call, the file that the call is about, and how often one process did that to it.
"""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import kit
import pytest
from kit import Repo

ON_FILES = ("write", "pwrite64", "ftruncate", "fsync", "fdatasync", "flock")
"""Calls that name a file by an open descriptor."""
ON_PATHS = (
    *("rename", "renameat", "renameat2", "unlink", "unlinkat", "rmdir"),
    *("open", "openat", "creat", "mkdir", "mkdirat", "link", "linkat", "symlink", "symlinkat"),
)
_ON_MORE = (
    "truncate",
    "chmod",
    "fchmod",
    "fchmodat",
    "utime",
    "utimensat",
    "setxattr",
    "lsetxattr",
    "mknod",
    "mknodat",
)
_AT = re.compile(r'(?:AT_FDCWD|\d+)<(?P<folder>[^>]*)>, "(?P<name>(?:[^"\\]|\\.)*)"')
_TOUCHED = re.compile(r"/objects/([0-9a-f]{2}|pack)/[^/]+$")
"""git sets the time of an object that is there whenever it computes it again."""
_CALL = re.compile(r"(?P<pid>\d+) +(?P<name>\w+)\((?P<args>.*)")
_RANDOM = re.compile(r"tmp_[a-z]+_\w{6}|[./-]\d{2,}(\.|-|$)")
"""Names that are others in each run: such a file has its turn when it is linked to what it is for."""
_LONGEST_S = 120

IN_CI = os.environ.get("CI") == "true"  # read before the tests are sealed
needs_strace = pytest.mark.skipif(not shutil.which("strace") and not IN_CI, reason="strace is not installed")


class Place(NamedTuple):
    """The `nth` time (from 1) that a process does `call` to `path`."""

    who: str
    """`git fleet`, or a git that it runs."""
    call: str
    path: str
    nth: int

    def within(self, folder: Path) -> str:
        return f"{self.call} of {self.path.removeprefix(f'{folder}/')} by {self.who}, number {self.nth}"


def record(repo: Repo, args: tuple[str, ...], log: Path) -> tuple[kit.Completed, list[Place]]:
    """Run to the end, undisturbed; every place where it writes below the repository's parent folder, in order.

    But for a remote called `hub` there: what becomes of that is its owner's business.
    """
    calls = ",".join((*ON_FILES, *ON_PATHS, "execve"))
    done = _run(repo, args, log, "--seccomp-bpf", "-y", "-s", "60", "-e", f"trace={calls}")
    top = str(repo.path.parent)
    places = _places(log.read_text(errors="replace"), top)
    return done, [place for place in places if not place.path.startswith(f"{top}/hub/")]


def inject(repo: Repo, args: tuple[str, ...], log: Path, place: Place, do: str) -> tuple[kit.Completed, bool]:
    """Run with `signal=KILL` or `error=<name>` at a place; also: did it come there?"""
    quick = ("--seccomp-bpf",) if do.startswith("error=") else ()  # signals are not delivered with it
    fault = f"inject={place.call}:{do}:when={place.nth}"
    done = _run(repo, args, log, *quick, "-e", f"trace={place.call}", "-e", fault, "-P", place.path)
    told = log.read_text(errors="replace")
    return done, "(INJECTED)" in told or "killed by SIGKILL" in told


def writes(repo: Repo, args: Sequence[str], log: Path) -> tuple[kit.Completed, list[Place]]:
    """Run to the end; every call of it, and of the gits that it runs, that changed anything there."""
    calls = (*(call for call in ON_FILES if call != "flock"), *ON_PATHS, *_ON_MORE, "execve")
    done = _run(repo, args, log, "--seccomp-bpf", "-y", "-s", "200", "-e", f"trace={','.join(calls)}")
    return done, list(_changes(log.read_text(errors="replace"), str(repo.path.parent)))


def _changes(log: str, top: str) -> Iterator[Place]:
    names: dict[str, str] = {}
    for line in log.split("\n"):
        match = _CALL.match(line)
        if match is None or re.search(r"\) += -1 E", line):
            continue
        pid, call, args = match["pid"], match["name"], match["args"]
        if call == "execve":
            names[pid] = _program(args)
        for path in _changed(call, args):
            is_here = path.startswith(f"{top}/") or not path.startswith("/")
            if is_here and not (call.startswith("utime") and _TOUCHED.search(path)):
                yield Place(names.get(pid, "git fleet"), call, path, 1)


def _changed(call: str, args: str) -> list[str]:
    """The files that a call is about, wherever it names them from; nothing for what only reads."""
    if call == "execve" or (call in ("open", "openat") and not re.search(r"O_WRONLY|O_RDWR|O_CREAT", args)):
        return []
    if call in (*ON_FILES, "fchmod"):
        return re.findall(r"^\d+<(/[^>]*)>", args)
    relative = [os.path.join(match["folder"], match["name"]) for match in _AT.finditer(args)]
    return relative or re.findall(r'"((?:[^"\\]|\\.)*)"', args)


def _run(repo: Repo, args: Sequence[str], log: Path, *options: str) -> kit.Completed:
    repo.changed_by_fleet = True
    done = subprocess.run(
        [
            "strace",
            "-f",
            "--quiet=attach,personality,path-resolution",
            "-o",
            str(log),
            *options,
            sys.executable,
            "-P",
            "-m",
            "git_fleet",
            *args,
        ],
        cwd=repo.path,
        env={**os.environ, "PYTHONPATH": str(kit.ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=_LONGEST_S,
    )
    return kit.Completed(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


def _places(log: str, top: str) -> Iterator[Place]:
    names: dict[str, str] = {}
    counts: Counter[tuple[str, str, str]] = Counter()
    for line in log.split("\n"):
        match = _CALL.match(line)
        if match is None:
            continue
        pid, call, args = match["pid"], match["name"], match["args"]
        if call == "execve":
            names[pid] = _program(args)
            continue
        path = _written(call, args)
        if path is None or not path.startswith(f"{top}/") or _RANDOM.search(path.removeprefix(top)):
            continue
        counts[pid, call, path] += 1
        if " = -1 E" not in args:  # what fails anyhow changes nothing
            yield Place(names.get(pid, "git fleet"), call, path, counts[pid, call, path])


def _written(call: str, args: str) -> str | None:
    """The file that a call is about: of two the new one, of a rename the old one. None for what only reads."""
    if call in ON_FILES:
        named = re.match(r"\d+<(/[^>]*)>", args)
        return named[1] if named else None
    if call in ("open", "openat") and not re.search(r"O_WRONLY|O_RDWR|O_CREAT", args):
        return None
    paths = re.findall(r'"((?:[^"\\]|\\.)*)"', args)
    return paths[0 if call == "rename" else -1] if paths else None


def _program(args: str) -> str:
    words = re.findall(r'"((?:[^"\\]|\\.)*)"', args)[1:]
    if not words or os.path.basename(words[0]) != "git":
        return "git fleet" if "git_fleet" in words else " ".join(words[:1])
    rest = iter(words[1:])
    for word in rest:
        if word in ("-c", "-C"):
            next(rest, None)
        elif not word.startswith("-"):
            return f"git {word}"
    return "git"
