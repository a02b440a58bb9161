"""An operation from its first intent to its end: numbered, journalled, known to be alive, pinned."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import NamedTuple

from git_fleet.journal import database, locks
from git_fleet.model.errors import Refused
from git_fleet.model.events import Listener, Note
from git_fleet.model.fleet import Repository
from git_fleet.model.journal import Operation, RecordedChange
from git_fleet.repo import changing, git, held, objects, process, trust

KEEP = "refs/fleet/keep/"
"""`refs/fleet/keep/<operation>/<n>` holds on to objects that an operation needs until it is forgotten."""

WORKTREES = "worktrees"
"""The lock for worktree administration."""


def refuse_inside_a_commit(repository: Repository) -> None:
    """Raises Refused in a hook of `git commit`: git holds the index, and branches must not move under its commit.

    An index outside this repository is somebody's own affair.
    """
    index = process.index_of_a_commit()
    if index and index.startswith(f"{os.path.realpath(repository.common_dir)}/"):
        raise Refused("nothing was done: a git commit is under way here, and this runs in one of its hooks")


def tells(say: Listener) -> Callable[[str], None]:
    """For `locks.hold`: tells whoever has to wait for whom he waits."""
    return lambda holder: say(Note(f"waits for another git fleet ({holder})"))


@contextmanager
def begun(
    repository: Repository,
    journal: database.Journal,
    kind: str,
    summary: str,
    changes: Sequence[RecordedChange] = (),
    detail: str = "{}",
) -> Iterator[tuple[int, locks.Lock]]:
    """A new operation's number, and the lock that shows it to be alive while the block, or a child with it, lasts."""
    trust.remember_first(repository)
    number = journal.begin(kind, summary, changes, detail, at_least=above_kept(repository))
    with alive(repository, number) as lock:
        yield number, lock


@contextmanager
def alive(repository: Repository, number: int) -> Iterator[locks.Lock]:
    """Show others that somebody works on this operation. At its end its objects are left to the refs that it made."""
    name = f"operation-{number}"
    with locks.hold(repository.fleet_dir, name) as lock:  # others have it only while they look whether it is held
        try:
            yield lock
        finally:
            objects.release(repository, holder(number))
        with suppress(OSError):  # numbers are never used twice: whoever finds it gone reads the journal again
            os.unlink(f"{repository.fleet_dir}/locks/{name}.lock")


def is_alive(repository: Repository, number: int) -> bool:
    """Does a process work on this operation right now?"""
    return locks.is_held(repository.fleet_dir, f"operation-{number}")


def holder(number: int) -> str:
    """For `objects.keep`: what an operation brings into the repository is its own until it ends."""
    return f"operation {number}"


def note(journal: database.Journal, operation: int, **facts: object) -> None:
    """Add to an operation's detail, which is JSON."""
    known = journal.operation(operation)
    detail = {**json.loads(known.detail), **facts} if known else facts
    journal.describe(operation, detail=json.dumps(detail))


def note_gates(repository: Repository, operation: int, gates: Sequence[tuple[int, str | None]]) -> None:
    """Write down the processes (number, identity) that are an operation's gates by now, for whoever finds it killed.

    In a file of its own that is not synced: after a power loss no gate runs, and each is noted before it begins.
    """
    path = _gates_file(repository, operation)
    if not gates:
        with suppress(OSError):
            os.unlink(path)
        return
    with open(f"{path}.new", "w", encoding="ascii") as file:
        json.dump(gates, file)
    os.rename(f"{path}.new", path)


def gates_of(repository: Repository, operation: int) -> list[tuple[int, str | None]]:
    """What `note_gates` wrote last; nothing where it cannot be read."""
    try:
        with open(_gates_file(repository, operation), encoding="ascii") as file:
            return [(int(pid), known) for pid, known in json.load(file)]
    except (OSError, ValueError, TypeError):
        return []


class GateTime(NamedTuple):
    """Gates of a landing from the first to the last: when they began (since 1970), how long that took on the clock, how
    long all of them together, and what was saved by running them side by side. In seconds."""

    began_s: float
    lasted_s: float
    all_s: float
    saved_s: float


def gate_times(operation: Operation) -> tuple[GateTime, ...]:
    """What `land` wrote down of its gates, each time that it ran some."""
    return tuple(GateTime(*one) for one in json.loads(operation.detail).get("gate_times", ()))


def _gates_file(repository: Repository, operation: int) -> str:
    return f"{repository.fleet_dir}/locks/operation-{operation}.gates"


def above_kept(repository: Repository) -> int:
    """Numbers go on where kept refs end, also when the journal was deleted."""
    numbers = [ref.removeprefix(KEEP).split("/")[0] for ref in git.refs(repository, KEEP)]
    return max((int(number) for number in numbers if number.isdigit()), default=0) + 1


def keep(repository: Repository, operation: int, commits: Sequence[str]) -> None:
    """Pin commits before they are needed, so that no gc takes them."""
    present = git.refs(repository, f"{KEEP}{operation}/").values()
    wanted = [commit for commit in dict.fromkeys(commits) if commit not in present]
    updates = [
        changing.RefUpdate(f"{KEEP}{operation}/{number}", None, commit)
        for number, commit in enumerate(wanted, len(present))
    ]
    changing.update_refs(repository, updates, "fleet: keep")


def keep_held(repository: Repository, operation: int, git_dir: str) -> None:
    """Pin all that an administrative entry keeps alive, before it goes where git does not look.

    What is no commit is pinned by a tree that has it: one reference for all.
    """
    found = held.by(repository, git_dir)
    entries = sorted([*((oid, b"100644") for oid in found.blobs), *((oid, b"40000") for oid in found.trees)])
    tree = b"".join(b"%s %s\0%s" % (mode, oid.encode(), bytes.fromhex(oid)) for oid, mode in entries)
    name = f"what {git_dir} holds"
    made = [objects.put(repository, [("tree", tree)], name)] if entries else []
    keep(repository, operation, [*found.commits, *made])
    objects.release(repository, name)
