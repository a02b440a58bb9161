"""The plan in git's configuration: one `[fleet "<id>"]` section a task."""

import fcntl
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import NamedTuple

from git_fleet.model.errors import Busy, Fatal, GitError, Refused
from git_fleet.model.fleet import Repository
from git_fleet.model.plan import Row
from git_fleet.model.settings import Settings
from git_fleet.plan import files
from git_fleet.plan.names import need_words, nothing
from git_fleet.repo import git

_SINGLE = ("title", "branch", "worktree", "status", "agent", "prompt", "checklist", "estimate", "priority")
KEYS = (*_SINGLE, "owns", "needs")
"""What a section may say of a task."""
_FEW = 8
"""So many keys git may write one by one."""
_EXPLANATION = """\
# git fleet: one section a task, such as
#   [fleet "42"]
#       title = count
#       owns = src/count/       (repeatable: gitignore-style patterns, from the top of the tree)
#       needs = 41              (repeatable: what has to land first)
#       branch = feature/42-count
#       worktree = ../app-42-count
#       estimate = 45m
#       priority = 10
# Branch and worktree come from fleet.branch and fleet.worktree where they are missing. See: git fleet plan
"""


def rows(settings: Settings) -> tuple[Row, ...]:
    """The tasks of the configuration, in its order. Of a key that does not repeat, the last value counts."""
    return tuple(_row(id, entries) for id, entries in settings.rows)


def append(repository: Repository, row: Row) -> None:
    """Write a new section. Raises Refused where there is one with this id, Fatal for a value git cannot hold."""
    append_all(repository, (row,))


def append_all(repository: Repository, rows: Sequence[Row]) -> None:
    """Write new sections, all or none, in one go: git reads them back before they count. Raises as `append` does."""
    taken = {key.rpartition(".")[0] for key, _ in git.config_file_entries(repository, "fleet")}
    double = next((row.id for row in rows if f"fleet.{row.id}" in taken), None)
    if double is not None:
        hints = [f"git config --get-regexp '^fleet\\.{double}\\.'"]
        raise Refused(f"the configuration has a task {double} already", hints)
    new = [(f"fleet.{row.id}.{key}", text) for row in rows for key, texts in _entries(row) for text in texts]
    _refuse_breaks(new)
    with _rewriting(repository) as copy:
        before = git.config_file_entries(repository, "", copy)
        with open(copy, "r+b") as file:
            text = file.read()
            file.write(b"" if text.endswith(b"\n") or not text else b"\n")
            file.write(document(rows).encode("utf-8", "surrogateescape"))
        if git.config_file_entries(repository, "", copy) != [*before, *new]:
            raise Fatal("git would read the new sections otherwise than they are meant: nothing was written")


def _refuse_breaks(entries: Iterable[tuple[str, str]]) -> None:
    bad = next((key for key, text in entries if any(char in key + text for char in "\r\n\0")), None)
    if bad is not None:
        raise Fatal(f"a value of {bad!a} holds a line break or NUL: not written")


def set_status(repository: Repository, statuses: Mapping[str, str]) -> None:
    """Write the status of tasks by id. Raises as `write` does."""
    values = {f"fleet.{id}.status": (status,) for id, status in statuses.items()}
    _refuse_breaks((key, text) for key, texts in values.items() for text in texts)
    with _rewriting(repository) as copy:
        if len(statuses) < _FEW or not _written_at_once(repository, copy, statuses):
            for key, texts in values.items():
                git.config_file_set(repository, copy, key, texts)


def _written_at_once(repository: Repository, copy: str, statuses: Mapping[str, str]) -> bool:
    """Many statuses without a git for each: written as git writes them, and kept if git reads what is meant.

    A file that holds sections otherwise (on one line with a key, twice, in another file) stays as it was.
    """
    before = git.config_file_entries(repository, "", copy)
    with open(copy, "rb") as file:
        old = file.read()
    text = old.decode("utf-8", "surrogateescape")
    heads = {
        f"[fleet {_quoted(id)}]": status if status.isalnum() else _quoted(status) for id, status in statuses.items()
    }
    lines: list[str] = []
    said = None
    for line in text.splitlines(keepends=True):
        if line.startswith("["):
            said = heads.get(line.strip())
        elif said is not None and line.partition("=")[0].strip().lower() == "status":
            continue
        lines.append(line)
        if line.startswith("[") and said is not None:
            lines.append(f"\tstatus = {said}\n")
    with open(copy, "wb") as file:
        file.write("".join(lines).encode("utf-8", "surrogateescape"))
    meant = {f"fleet.{id}.status": status for id, status in statuses.items()}
    others = [entry for entry in before if entry[0] not in meant]
    with suppress(GitError):
        if sorted(git.config_file_entries(repository, "", copy)) == sorted([*others, *meant.items()]):
            return True
    with open(copy, "wb") as file:
        file.write(old)
    return False


class Trace(NamedTuple):
    """What a rewriting of the configuration file replaced: enough to take it back to the byte, comments and all, while
    nobody else has written there."""

    digest: str
    """Of the whole file afterwards."""
    start: int
    """So many bytes at the beginning stayed; `end`: at the end."""
    end: int
    text: str
    """What was between them."""


def _trace(before: bytes, after: bytes) -> Trace:
    start = _same(before, after)
    end = _same(before[start:][::-1], after[start:][::-1])
    return Trace(_digest(after), start, end, before[start : len(before) - end].decode("utf-8", "surrogateescape"))


def _same(one: bytes, other: bytes) -> int:
    """How many bytes at their beginnings are the same."""
    pairs = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _digest(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()


def write(repository: Repository, values: Mapping[str, Sequence[str]]) -> Trace:
    """Make these all the values of keys in the repository's own file, in one step; none removes a key.

    A section of which nothing is left goes. Raises Busy while somebody else writes, Fatal for a value git cannot hold.
    """
    _refuse_breaks((key, text) for key, texts in values.items() for text in texts)
    with _rewriting(repository) as copy:
        before = _bytes(copy)
        for key, texts in values.items():
            git.config_file_set(repository, copy, key, texts)
        return _trace(before, _bytes(copy))


def restore(repository: Repository, trace: Trace) -> Trace | None:
    """Take a rewriting back to the byte, and how to do it again; None, with nothing written, if the file is another by
    now. Raises as `write` does."""
    with _rewriting(repository) as copy:
        now = _bytes(copy)
        if _digest(now) != trace.digest:
            return None
        text = trace.text.encode("utf-8", "surrogateescape")
        before = now[: trace.start] + text + now[len(now) - trace.end :]
        with open(copy, "wb") as file:
            file.write(before)
        return _trace(now, before)


def entries(repository: Repository, id: str) -> dict[str, list[str]]:
    """Every key of a task's section in the repository's own file, also those that mean nothing, with its values."""
    found: dict[str, list[str]] = {}
    for key, value in git.config_file_entries(repository, "fleet"):
        if key.rpartition(".")[0] == f"fleet.{id}":
            found.setdefault(key, []).append(value)
    return found


def document(rows: Sequence[Row]) -> str:
    """The text of sections with these tasks, as git writes and reads them."""
    out = []
    for row in rows:
        out.append(f"[fleet {_quoted(row.id)}]")
        out += [f"\t{key} = {_quoted(text)}" for key, texts in _entries(row) for text in texts]
    return "".join(f"{line}\n" for line in out)


def _entries(row: Row) -> list[tuple[str, Sequence[str]]]:
    """Keys and values of a row; one that says nothing gets its id for a title, or it would be none."""
    found: list[tuple[str, Sequence[str]]] = [
        (key, (text,)) for key in _SINGLE if (text := getattr(row, key)) is not None
    ]
    found += [(key, several) for key, several in (("owns", row.owns), ("needs", row.needs)) if several]
    return found if row.title or found else [("title", (row.id,))]


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def explain(repository: Repository) -> None:
    """Say once, as a comment in the repository's configuration, how a task is written down.

    `git config` writes no comments, so this takes git's own lock on the file. Raises Busy while somebody else holds it.
    """
    with _rewriting(repository) as copy, open(copy, "r+b") as file:
        text = file.read()
        if _EXPLANATION.encode() not in text:
            file.write((b"" if text.endswith(b"\n") or not text else b"\n") + _EXPLANATION.encode())


@contextmanager
def _rewriting(repository: Repository) -> Iterator[str]:
    """A copy of the repository's configuration file to change; it replaces the file in one step under git's own lock.

    Raises Busy, when somebody else writes or has written meanwhile, and Fatal.
    """
    import tempfile

    path = _file(repository)
    try:
        with tempfile.TemporaryDirectory(prefix="git-fleet-") as folder:
            copy = f"{folder}/config"
            before = _bytes(path)
            with open(copy, "wb") as file:
                file.write(before)
            yield copy
            after = _bytes(copy)
        if after != before:
            _replace(path, before, after)
    except OSError as error:
        raise Fatal(f"cannot write '{path}': {error.strerror}") from error


def _replace(path: str, before: bytes, after: bytes) -> None:
    """git's lock is another name of the draft: whoever finds it after a kill sees that it is ours (`unlock`)."""
    lock = f"{path}.lock"
    with files.draft(path) as (beside, draft):
        _unlock(path, beside)
        files.fill(draft, after, os.stat(path).st_mode & 0o7777)
        try:
            os.link(beside, lock)
        except FileExistsError:
            raise Busy(f"'{lock}' exists: somebody else is writing the configuration", ["try again"]) from None
        try:
            if _bytes(path) != before:
                raise Busy(f"'{path}' was changed meanwhile: nothing was written", ["try again"])
            os.rename(beside, path)
        finally:
            os.unlink(lock)
    files.sync_folder(path)


def unlock(repository: Repository) -> None:
    """Take git's lock on the configuration away where a killed run of ours has left it."""
    path = _file(repository)
    if os.path.lexists(f"{path}.lock"):
        with suppress(OSError, Busy), files.draft(path) as (beside, _):
            _unlock(path, beside)


def _unlock(path: str, beside: str) -> None:
    """git never has two names for one file: a lock that is our draft, or the file itself, was left by us."""
    lock = f"{path}.lock"
    with suppress(FileNotFoundError, BlockingIOError):
        found = os.lstat(lock)
        if os.path.samestat(found, os.lstat(beside)):
            os.unlink(lock)
        elif os.path.samestat(found, os.lstat(path)):
            with open(path, "rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # still held by who has just renamed its draft
                os.unlink(lock)


def _file(repository: Repository) -> str:
    return os.path.realpath(os.path.join(repository.common_dir, "config"))


def _bytes(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _row(id: str, entries: tuple[tuple[str, str], ...]) -> Row:
    last = {key: nothing(value) for key, value in entries}
    owns = [value.strip() for key, value in entries if key == "owns" and nothing(value) is not None]
    needs = [need for key, value in entries if key == "needs" for need in need_words(value)]
    return Row(
        id=id,
        owns=tuple(dict.fromkeys(owns)),
        needs=tuple(dict.fromkeys(needs)),
        **{key: last.get(key) for key in _SINGLE},  # type: ignore[arg-type]
    )
