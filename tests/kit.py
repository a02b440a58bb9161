"""The test kit: real repositories in a line or two, the real program, and the oracle that no content is ever lost.

    repo = make_repo(tmp_path / "tasks-app", {"cli.py": "…"})
    repo.branch("feature/42-count", {"cli.py": "…"})
    done = repo.fleet("land", "--json", check=0)

`Repo.fleet` runs `git fleet …` as a user would. Around every call that may change something the content oracle takes a
picture and judges afterwards; around every reader (`status`, `--dry-run`, …) the git directory must stay as it was,
to the nanosecond. What the test itself edits between two calls is the test's business.
"""

import contextlib
import fnmatch
import hashlib
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
READERS = frozenset({"plan", "status", "log", "path", "help", "check", "completion", "--version", "graph", "score"})
READER_OPTIONS = frozenset({"-h", "--help", "--dry-run", "--script"})
DATE = "2026-01-02T03:04:05+00:00"


# ---------------------------------------------------------------------------------------------------------- the seal


def install_program(folder: Path) -> None:
    """Put a `git-fleet` into `folder` that runs this checkout; -P keeps a worktree's own modules off the path."""
    program = folder / "git-fleet"
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -P -m git_fleet "$@"\n')
    program.chmod(0o755)


def sealed_environment(home: Path, program: Path, inherited: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of a test: nothing of the machine but PATH and a temporary directory."""
    (home / ".gitconfig").write_text(
        "[user]\n\tname = A U Thor\n\temail = author@example.com\n"
        "[init]\n\tdefaultBranch = main\n[advice]\n\tdetachedHead = false\n[gc]\n\tauto = 0\n"
        "[maintenance]\n\tauto = false\n"
    )
    kept = {key: inherited[key] for key in ("PATH", "TMPDIR", "SYSTEMROOT", "LD_LIBRARY_PATH") if key in inherited}
    return {
        **kept,
        "PATH": f"{program}{os.pathsep}{kept.get('PATH', os.defpath)}",
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_DATA_HOME": str(home / ".local/share"),
        "XDG_STATE_HOME": str(home / ".local/state"),
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_DATE": DATE,
        "GIT_COMMITTER_DATE": DATE,
        "GIT_EDITOR": "false",
        "GIT_SEQUENCE_EDITOR": "false",
        "GIT_PAGER": "cat",
        "GIT_TERMINAL_PROMPT": "0",
        "EDITOR": "false",
        "VISUAL": "false",
        "PAGER": "cat",
        "TERM": "dumb",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONPYCACHEPREFIX": str(program / "bytecode"),  # else, where none may be written, each call compiles anew
    }


# -------------------------------------------------------------------------------------------------------- repositories


class Completed(NamedTuple):
    """What a finished program left."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON object on stdout."""
        return json.loads(self.out)


class Failed(AssertionError):
    """A program ended otherwise than the test says."""


class Entry(NamedTuple):
    """One entry of `git worktree list`."""

    path: str
    head: str | None
    branch: str | None


class Snapshot(NamedTuple):
    """All that a user could notice: refs (ours under refs/fleet/ left out), worktrees, files, configuration."""

    refs: dict[str, str]
    worktrees: dict[str, str | None]
    files: dict[str, str]
    config: str


class Repo:
    """A repository by the path of its main worktree."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self.changed_by_fleet = False
        self._hashes = Hashes()
        self._made_in_lanes: dict[str, str] = {}

    def __fspath__(self) -> str:
        return str(self.path)

    def git(self, *args: str | os.PathLike[str], cwd: Path | None = None, stdin: str | None = None) -> str:
        """Run git and return its stdout without the last newline; raises with its stderr."""
        argv = ["git", *(os.fspath(arg) for arg in args)]
        done = subprocess.run(
            argv,
            cwd=cwd or self.path,
            input=(stdin or "").encode("utf-8", "surrogateescape"),
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise Failed(f"{argv}: exit {done.returncode}\n{_text(done.stderr)}")
        return _text(done.stdout).removesuffix("\n")

    def write(self, files: Mapping[str, str | None], cwd: Path | None = None) -> None:
        """Write files of a worktree; None removes one."""
        for name, content in files.items():
            path = (cwd or self.path) / name
            if content is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, newline="")

    def commit(self, message: str, files: Mapping[str, str | None] | None = None, cwd: Path | None = None) -> str:
        """Write files, commit everything in the worktree, return the commit."""
        self.write(files or {}, cwd)
        self.git("add", "-A", cwd=cwd)
        self.git("commit", "-q", "--allow-empty", "-m", message, cwd=cwd)
        return self.git("rev-parse", "HEAD", cwd=cwd)

    def branch(self, name: str, files: Mapping[str, str | None] | None = None, start: str = "main") -> str:
        """Make a branch with one commit on top of `start`, touching no worktree; return the commit."""
        oid = self.git("rev-parse", "--verify", f"{start}^{{commit}}")
        person = "A U Thor <author@example.com> 1767323045 +0000"
        lines = [f"commit refs/heads/{name}", f"committer {person}", *_data(f"{name.rpartition('/')[2]}\n")]
        lines.append(f"from {oid}")
        for path, content in (files or {}).items():
            lines += [f"D {path}"] if content is None else [f"M 100644 inline {path}", *_data(content)]
        self.git("fast-import", "--quiet", stdin="\n".join([*lines, ""]))
        return self.git("rev-parse", f"refs/heads/{name}")

    def read(self, path: str | os.PathLike[str]) -> str:
        """A file of the main worktree (or an absolute path), every byte of its line ends kept."""
        return (self.path / path).read_bytes().decode("utf-8", "surrogateescape")

    def show(self, path: str, commit: str = "main") -> str:
        """A file as committed."""
        return self.git("show", f"{commit}:{path}") + "\n"

    def config(self, values: Mapping[str, str | Iterable[str]]) -> None:
        """Set keys of the repository's own configuration; an iterable adds one value each."""
        for key, value in values.items():
            for item in (value,) if isinstance(value, str) else value:
                self.git("config", "--add", key, item)

    def oid(self, name: str) -> str:
        return self.git("rev-parse", "--verify", name)

    def exists(self, ref: str) -> bool:
        """Is there such a branch (short name) or full ref?"""
        full = ref if ref.startswith("refs/") else f"refs/heads/{ref}"
        return bool(self.git("for-each-ref", "--format=%(refname)", full))

    def common_dir(self) -> Path:
        return Path(self.git("rev-parse", "--path-format=absolute", "--git-common-dir"))

    def worktrees(self) -> list[Entry]:
        """`git worktree list`, the main one first."""
        entries = []
        for block in self.git("worktree", "list", "--porcelain", "-z").split("\0\0"):
            words = dict(line.partition(" ")[::2] for line in block.strip("\0\n").split("\0") if line)
            if words:
                entries.append(Entry(words["worktree"], words.get("HEAD"), words.get("branch")))
        return entries

    def _places(self, trees: Iterable[Entry]) -> list[str]:
        """Where a user's contents lie: worktrees, and the repositories of submodules that were checked out in them."""
        return [*(tree.path for tree in trees), *map(str, self.common_dir().glob("worktrees/*/modules"))]

    def snapshot(self) -> Snapshot:
        refs = dict(
            line.split(" ")
            for line in self.git("for-each-ref", "--format=%(refname) %(objectname)").split("\n")
            if line
        )
        trees = self.worktrees()
        return Snapshot(
            refs={ref: oid for ref, oid in refs.items() if not ref.startswith("refs/fleet/")},
            worktrees={tree.path: tree.branch or tree.head for tree in trees},
            files={path: oid for place in self._places(trees) for path, oid in self._hashes.of(place).items()},
            config=self.git("config", "--local", "--list"),
        )

    # ------------------------------------------------------------------------------------------------------ the program

    def fleet(
        self,
        *args: str,
        cwd: Path | None = None,
        env: Mapping[str, str | None] | None = None,
        check: int | None = None,
        oracle: bool = True,
        stdin: str | None = None,
    ) -> Completed:
        """Run `git fleet …` in the main worktree (or `cwd`), judged by the oracle or the read-only guard.

        `check` is the exit code that it must have; `oracle=False` judges nothing (races, broken repositories).
        """
        return self.run("git", "fleet", *args, cwd=cwd, env=env, check=check, oracle=oracle, stdin=stdin)

    def run(
        self,
        *argv: str,
        cwd: Path | None = None,
        env: Mapping[str, str | None] | None = None,
        check: int | None = None,
        oracle: bool = True,
        stdin: str | None = None,
        reader: bool | None = None,
    ) -> Completed:
        """Any program that may call git fleet (an alias), judged alike; `reader` says what `argv` does not show."""
        reads = is_reader(argv[2:]) if reader is None else reader
        guard: contextlib.AbstractContextManager[object] = contextlib.nullcontext()
        if oracle:
            guard = frozen(self, but_memory="check" in argv[2:]) if reads else conserved(self)
        self.changed_by_fleet = self.changed_by_fleet or not reads
        with guard:
            done = subprocess.run(
                argv,
                cwd=cwd or self.path,
                env=environment(env),
                input=(stdin or "").encode(),
                capture_output=True,
                check=False,
                timeout=300,
            )
        result = Completed(done.returncode, _text(done.stdout), _text(done.stderr))
        if check is not None and result.status != check:
            said = f"--- stdout\n{result.out}\n--- stderr\n{result.err}"
            raise Failed(f"{' '.join(argv)}: exit {result.status}, not {check}\n{said}")
        if "Traceback (most recent call last)" in result.err:
            raise Failed(f"{' '.join(argv)}: a traceback\n{result.err}")
        return result

    def start(self, *args: str, cwd: Path | None = None, env: Mapping[str, str | None] | None = None) -> "Running":
        """Start `git fleet …` in a process group of its own, to be killed."""
        self.changed_by_fleet = True
        return Running(
            subprocess.Popen(
                ["git", "fleet", *args],
                cwd=cwd or self.path,
                env=environment(env),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        )

    def fsck(self) -> None:
        """Every object is there and whole."""
        done = subprocess.run(["git", "fsck", "--no-dangling"], cwd=self.path, capture_output=True, check=False)
        said = _text(done.stdout + done.stderr)
        assert done.returncode == 0 and not re.search(r"^(error|missing|broken)", said, re.M), said


class Running:
    """A program under way."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    def kill(self, number: int = signal.SIGKILL) -> int:
        """Send a signal to the whole group (not to what left it) and wait; returns the exit status."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)
        return self._process.wait(timeout=30)

    def wait(self) -> int:
        return self._process.wait(timeout=120)


_made: list[Repo] = []


def make_repo(path: Path, files: Mapping[str, str] | None = None, *options: str) -> Repo:
    """A new repository on `main` with one commit of `files` (none: no commit). `options` go to `git init`."""
    repo = adopt(path)
    path.mkdir(parents=True, exist_ok=True)
    repo.git("init", "-q", "-b", "main", *options)
    if files is not None:
        repo.commit("start", files)
    return repo


def adopt(path: Path) -> Repo:
    """A repository that is there already."""
    repo = Repo(path)
    _made.append(repo)
    return repo


def forget_repositories() -> list[Repo]:
    """All repositories since the last call; the fixture checks them after each test."""
    repos = list(_made)
    _made.clear()
    return repos


def environment(extra: Mapping[str, str | None] | None) -> dict[str, str]:
    """Ours, changed by `extra`; None removes a variable."""
    merged: dict[str, str | None] = {**os.environ, **(extra or {})}
    return {key: value for key, value in merged.items() if value is not None}


def wait_for(happened: Callable[[], bool], seconds: float = 20.0) -> None:
    """Until something has happened; fails when it does not."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def is_reader(args: Iterable[str]) -> bool:
    """Do these arguments of `git fleet` promise to write nothing?"""
    words = list(args)
    command = next((word for word in words if not word.startswith("-") or word == "--version"), None)
    if command == "doctor":
        return "--repair" not in words
    if command == "plan" and {"set", "drop", "--to"} & set(words):
        return False
    return command is None or command in READERS or bool(READER_OPTIONS & set(words))


def _data(text: str) -> list[str]:
    return [f"data {len(text.encode('utf-8', 'surrogateescape'))}", text]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


# --------------------------------------------------------------------------------------------------- the content oracle


class Hashes:
    """Blob ids of the files of a folder; a file whose size, time and inode are as before is not read again."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[int, int, int], str]] = {}

    def of(self, top: str | os.PathLike[str]) -> dict[str, str]:
        """Path to blob id for each file and link under `top`, whatever is called `.git` left out."""
        return {path: self._hash(path, status) for path, status in _files(os.fspath(top))}

    def _hash(self, path: str, status: os.stat_result) -> str:
        mark = (status.st_size, status.st_mtime_ns, status.st_ino)
        known = self._known.get(path)
        # Written within the clock's grain of our look: might be written again with the same time.
        if known and known[0] == mark and time.time_ns() - status.st_mtime_ns > 50_000_000:
            return known[1]
        if stat.S_ISLNK(status.st_mode):
            data = os.fsencode(os.readlink(path))
        else:
            with open(path, "rb") as file:
                data = file.read()
        oid = blob_id(data)
        self._known[path] = (mark, oid)
        return oid


def blob_id(data: bytes) -> str:
    """What git calls this content."""
    return hashlib.sha1(b"blob %d\0%b" % (len(data), data)).hexdigest()


def _files(top: str) -> Iterator[tuple[str, os.stat_result]]:
    folders = [top]
    while folders:
        try:
            entries = list(os.scandir(folders.pop()))
        except (FileNotFoundError, NotADirectoryError):
            continue
        for entry in entries:
            if entry.name == ".git":
                continue
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                folders.append(entry.path)
            elif stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode):
                yield entry.path, status


class Picture(NamedTuple):
    """What must not get lost: contents by path, staged contents, commits, and tables whose Status cell may change."""

    files: dict[str, str]
    staged: dict[str, str]
    commits: frozenset[str]
    """Reachable from a ref or a worktree's HEAD."""
    logged: frozenset[str]
    """Reachable from a reflog alone."""
    tables: dict[str, str]


class Lost(AssertionError):
    """The oracle's verdict."""


def picture(repo: Repo) -> Picture:
    """Everything worth keeping, now: files of every worktree, index entries, commits."""
    files: dict[str, str] = {}
    staged: dict[str, str] = {}
    trees = repo.worktrees()
    for place in repo._places(trees):
        files |= repo._hashes.of(place)
    for tree in trees:
        if not os.path.isdir(tree.path):
            continue
        for line in repo.git("ls-files", "-s", "-z", cwd=Path(tree.path)).split("\0"):
            mode, _, rest = line.partition(" ")
            if mode and mode != "160000":
                staged[f"{tree.path}: staged {rest.partition(chr(9))[2]}"] = rest[:40]
    own = {path for path, oid in repo._made_in_lanes.items() if files.get(path) == oid}
    commits = frozenset(repo.git("rev-list", "--all").split())
    return Picture(
        files={path: oid for path, oid in files.items() if path not in own},
        staged={name: oid for name, oid in staged.items() if not _in_lane(name)},
        commits=commits,
        logged=frozenset(repo.git("rev-list", "--all", "--reflog").split()) - commits,
        tables={path: _read(path) for path in files if path.endswith(".md")},
    )


def judge(repo: Repo, before: Picture) -> None:
    """Raise Lost if something of `before` is neither in a worktree, nor in a trash, nor reachable in the repository."""
    now = picture(repo)
    kept = set(now.files.values()) | set(now.staged.values()) | set(repo._made_in_lanes.values())
    for folder in _trashes(repo):
        kept |= set(repo._hashes.of(folder).values())
    missing = {
        name: oid
        for name, oid in (before.files | before.staged).items()
        if oid not in kept and not _only_status_differs(before.tables.get(name), name)
    }
    if missing:
        reachable = {line[:40] for line in repo.git("rev-list", "--objects", "--all").splitlines()}
        missing = {name: oid for name, oid in missing.items() if oid not in reachable}
    commits = (before.commits - now.commits) | (before.logged - now.commits - now.logged)
    if missing or commits:
        raise Lost(f"lost contents {sorted(missing)}, lost commits {sorted(commits)}")
    _remember_lanes(repo, before)


@contextlib.contextmanager
def conserved(repo: Repo) -> Iterator[None]:
    """Nothing gets lost inside."""
    before = picture(repo)
    yield
    judge(repo, before)


oracle = conserved


@contextlib.contextmanager
def frozen(repo: Repo, *, but_memory: bool = False) -> Iterator[None]:
    """Nothing is written under the common git directory inside, not even an index or a folder's time.

    `but_memory`: what is in our own `fleet/` there may change; that is where `check` remembers merges.

    Of objects only the times may change: git touches one that exists whenever it computes it again, in whatever store;
    and those of the shared part of a split index, which git touches whenever it reads it.
    """
    common = repo.common_dir()
    before = listing(common)
    yield
    after = listing(common)
    changed = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
    if but_memory:
        own = str(common / "fleet")
        changed = [path for path in changed if path not in (own, str(common)) and not path.startswith(f"{own}/")]
    if changed:
        raise Lost(f"a reader wrote {changed}")


def listing(top: str | os.PathLike[str]) -> dict[str, tuple[int, int]]:
    """Path to (size, time in ns) of everything under `top`, folders too; the time of an object is 0."""
    found: dict[str, tuple[int, int]] = {}
    for folder, _, names in os.walk(top):
        for path in (folder, *(os.path.join(folder, name) for name in names)):
            status = os.lstat(path)
            loose = re.search(r"/objects/[0-9a-f]{2}/[0-9a-f]+$|/objects/pack/[^/]+$|/sharedindex\.[0-9a-f]+$", path)
            found[path] = (0 if stat.S_ISDIR(status.st_mode) else status.st_size, 0 if loose else status.st_mtime_ns)
    return found


def _trashes(repo: Repo) -> list[str]:
    """`fleet/trash` of the repository, and folders called `…trash…` next to a worktree (same device)."""
    parents = {os.path.dirname(tree.path) for tree in repo.worktrees()} | {str(repo.path.parent)}
    beside = [
        os.path.join(parent, name)
        for parent in parents
        if os.path.isdir(parent)
        for name in os.listdir(parent)
        if fnmatch.fnmatch(name, "*trash*")
    ]
    return [str(repo.common_dir() / "fleet" / "trash"), *beside]


def _in_lane(path: str) -> bool:
    return re.search(r"-lane-\d+(/|:|$)", path) is not None


def _remember_lanes(repo: Repo, before: Picture) -> None:
    """What a call of the program (or its gate) made in a lane is not a human's work until somebody edits it."""
    lanes = {
        path: oid
        for tree in repo.worktrees()
        if _in_lane(tree.path)
        for path, oid in repo._hashes.of(tree.path).items()
    }
    repo._made_in_lanes = {path: oid for path, oid in lanes.items() if before.files.get(path) != oid}


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
        return file.read()


def _only_status_differs(old: str | None, path: str) -> bool:
    """The one permitted change of a file: Status cells of a plan, and rows added to it."""
    if old is None or not os.path.isfile(path):
        return False
    was, now = _without_status(old), iter(_without_status(_read(path)))
    return was is not None and all(line in now for line in was)


def _without_status(text: str) -> list[str]:
    """The lines of a file, Status cells of its tables left out."""
    lines, column = [], None
    for line in text.splitlines(keepends=True):
        cells = re.split(r"(?<!\\)\|", line)
        if len(cells) < 3:
            column = None
        elif column is None:
            names = [cell.strip().lower() for cell in cells]
            column = next((index for index, name in enumerate(names) if name in ("status", "state")), -1)
        if column is not None and 0 <= column < len(cells):
            del cells[column]
        lines.append("|".join(cells))
    return lines
