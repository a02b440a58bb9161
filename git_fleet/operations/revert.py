"""Put back what an operation changed, piece by piece in reverse: for `undo`, and after a kill or a failure.

A piece is put back only if it is where the operation left it; whoever moved it since keeps what he has.
"""

import json
import os
from collections.abc import Callable, Sequence
from typing import NamedTuple

from git_fleet.journal import locks
from git_fleet.model.errors import PlanError
from git_fleet.model.events import Listener
from git_fleet.model.fleet import Repository
from git_fleet.model.journal import ChangeKind, RecordedChange
from git_fleet.operations import advance, running
from git_fleet.operations.context import PLAN
from git_fleet.plan import config, files
from git_fleet.repo import changing, git, links, slots, worktrees

PLAN_KINDS = (ChangeKind.FILE, ChangeKind.CONFIG)


def is_done(repository: Repository, change: RecordedChange) -> bool | None:
    """Is the piece as the operation wanted it (True), as it was before (False), or something else (None)?"""
    if change.kind is ChangeKind.REF:
        now = git.refs(repository, change.name).get(change.name)
        return True if now == change.after else False if now == change.before else None
    if change.kind in PLAN_KINDS:
        words = _plan_now(repository, change)
        return True if words == change.after else False if words == change.before else None
    there = os.path.lexists(change.name)
    if change.kind is ChangeKind.ENTRY:
        return _entry_is_done(change, there=there)
    if change.before is None:
        # What is no worktree of ours by now was not made by the operation, or got no further than an empty folder.
        is_one = there and worktrees.is_registered(repository, change.name)
        return True if is_one else None if there and not worktrees.is_husk(change.name) else False
    if "trashed" not in json.loads(change.before):
        return not there
    trashed = _trashed(change.before)
    if there:
        return None if os.path.lexists(trashed.folder) else False
    # Folder first, entry second: between the two it can still be taken back.
    return os.path.lexists(trashed.entry) if os.path.lexists(trashed.folder) else None


def _entry_is_done(change: RecordedChange, *, there: bool) -> bool | None:
    trashed = os.path.lexists(place_of_entry(change))
    if there == trashed:
        return None
    return trashed if change.after is None else there


def place_of_entry(change: RecordedChange) -> str:
    """Where in the trash an administrative entry goes, or is."""
    place = json.loads(change.before or change.after or "{}")["trash"]
    assert isinstance(place, str)
    return place


def moved_since(repository: Repository, changes: Sequence[RecordedChange]) -> list[str]:
    """The pieces that are no longer where the operation left them, in words."""
    moved = [f"{_what(change)} {_where(repository, change)}" for change in changes if not is_done(repository, change)]
    gone = [_trashed(change.before) for change in changes if change.kind is ChangeKind.WORKTREE and change.before]
    taken = [one for one in gone if os.path.lexists(one.entry) and worktrees.entry_exists(repository, one.entry_name)]
    return moved + [f"another worktree was registered under the name of '{one.path}'" for one in taken]


def _what(change: RecordedChange) -> str:
    return f"'{change.name.removeprefix('refs/heads/')}'"


def _where(repository: Repository, change: RecordedChange) -> str:
    """What became of a piece that is no longer as the operation left it."""
    note = change.before or "{}" if change.kind is ChangeKind.WORKTREE else "{}"
    if "trashed" not in json.loads(note) or os.path.lexists(change.name) or os.path.lexists(_trashed(note).folder):
        return "is no longer where it was left"
    then, _, entry = _trashed(note).entry.rpartition("/fleet/trash/")
    now = f"{repository.fleet_dir}/trash/{entry}"
    if then != repository.common_dir and os.path.lexists(now):
        place = now.removesuffix("-entry")
        return f"is in the trash at '{place}', but its repository, then '{then}', was moved: it has to be there again"
    return "is no longer in the trash, which was emptied"


def intended(repository: Repository, changes: Sequence[RecordedChange], operation: int) -> list[RecordedChange]:
    """What `take_back` is going to do, with the places in the trash: a killed one can be put back."""
    found = []
    for number, change in enumerate(reversed(changes)):
        if change.kind is ChangeKind.WORKTREE and change.before is None and os.path.lexists(change.name):
            found.append(_gone(repository, changes, change, _place(repository, change, operation, number)))
        else:
            found.append(RecordedChange(change.kind, change.name, change.after, change.before))
    return found


def take_back(
    repository: Repository,
    changes: Sequence[RecordedChange],
    operation: int,
    lock: locks.Lock,
    say: Listener,
    look: Callable[[worktrees.Trashed], None] = lambda _: None,
) -> list[RecordedChange]:
    """Put back each piece that is as the operation wanted it, last first. The reverse changes, as they were done.

    `operation` is the number under which folders go to the trash. The worktree lock is held by the caller. `look` is
    called when a folder is in the trash and its entry is not yet: it may raise.
    """
    done = []
    for number, change in enumerate(reversed(changes)):
        if change.kind is ChangeKind.REF:
            back = _ref_back(repository, change, lock)
        elif change.kind in PLAN_KINDS:
            back = _plan_back(repository, change, say)
        elif change.kind is ChangeKind.ENTRY:
            back = _entry_back(repository, change)
        elif change.before is None:
            back = _worktree_away(repository, changes, change, _Away(operation, number, look))
        else:
            back = _worktree_back(repository, change)
        done += [back] if back else []
    return done


def _ref_back(repository: Repository, change: RecordedChange, lock: locks.Lock) -> RecordedChange | None:
    if not is_done(repository, change):
        return None
    if change.before and change.after:
        action = f"fleet undo: moving back to {change.before}"
        advance.move(repository, change.name, change.after, change.before, action, [lock.fd], back=True)
    else:
        update = changing.RefUpdate(change.name, change.after, change.before)
        changing.update_refs(repository, [update], "fleet undo", [lock.fd])
    return RecordedChange(ChangeKind.REF, change.name, change.after, change.before)


def _entry_back(repository: Repository, change: RecordedChange) -> RecordedChange | None:
    """An administrative entry of which nothing else was left goes back, or into the trash again."""
    if not is_done(repository, change):
        return None
    place = place_of_entry(change)
    if change.after is None and os.path.dirname(change.name) == f"{repository.common_dir}/worktrees":
        slots.renew(repository, place)
    worktrees.move_entry(*((place, change.name) if change.after is None else (change.name, place)))
    return RecordedChange(ChangeKind.ENTRY, change.name, change.after, change.before)


def removed_entry(entry: str, place: str) -> RecordedChange:
    """The record of an administrative entry that goes to the trash alone."""
    return RecordedChange(ChangeKind.ENTRY, entry, json.dumps({"trash": place}), None)


def _plan_now(repository: Repository, change: RecordedChange) -> str | None:
    """A recorded piece of the plan as it is now, in the words of the record."""
    if change.kind is ChangeKind.CONFIG:
        values = git.config_get_all(repository, change.name)
        return json.dumps(values) if values else None
    try:
        return files.read(change.name).decode("utf-8", "surrogateescape")
    except PlanError:
        return None


def _plan_back(repository: Repository, change: RecordedChange, say: Listener) -> RecordedChange | None:
    """The plan's file, or a key of the configuration, says again what it said."""
    with locks.hold(repository.fleet_dir, PLAN, waits=running.tells(say)):
        if change.kind is ChangeKind.FILE:
            links.forget_draft(change.name)
        if not is_done(repository, change):
            return None
        if change.kind is ChangeKind.CONFIG:
            config.write(repository, {change.name: json.loads(change.before or "[]")})
        elif change.before is None or not change.after:
            _file_back(change)
        else:
            before, after = (
                text.encode("utf-8", "surrogateescape") for text in (change.before or "", change.after or "")
            )
            files.write(change.name, before, expected=after)
    return RecordedChange(change.kind, change.name, change.after, change.before)


def _file_back(change: RecordedChange) -> None:
    """A file that was not there goes, one that was empty or missing comes again."""
    if change.before is None:
        os.unlink(change.name)
    else:
        links.write(change.name, change.before, expected=change.after)


class _Away(NamedTuple):
    """Where in the trash a worktree goes, and who looks at it there."""

    operation: int
    number: int
    look: Callable[[worktrees.Trashed], None]


def _worktree_away(
    repository: Repository, changes: Sequence[RecordedChange], change: RecordedChange, away: _Away
) -> RecordedChange | None:
    """A worktree that the operation made goes to the trash; one that was there before goes where it was."""
    worktrees.remove_husk(change.name)
    if not os.path.lexists(change.name):
        return _entry_away(repository, changes, change)
    if os.path.realpath(change.name) != change.name or not worktrees.is_registered(repository, change.name):
        return None  # what a link leads to, or what is no worktree, is not what the operation made
    trashed = _place(repository, change, away.operation, away.number)
    gone = _gone(repository, changes, change, trashed)
    worktrees.move_folder_to_trash(trashed)
    away.look(trashed)
    worktrees.move_entry_to_trash(repository, trashed)
    return gone


def _gone(
    repository: Repository, changes: Sequence[RecordedChange], change: RecordedChange, trashed: worktrees.Trashed
) -> RecordedChange:
    """The record of a worktree that goes; with the reflog of its branch where that goes along, which it does later."""
    branch = json.loads(change.after or "{}").get("branch")
    along = any(one.kind is ChangeKind.REF and one.name == branch and one.before is None for one in changes)
    return removed_worktree(trashed, branch, changing.read_reflog(repository, branch) if along else None)


def _entry_away(
    repository: Repository, changes: Sequence[RecordedChange], change: RecordedChange
) -> RecordedChange | None:
    """The same when the entry alone had come back from the trash: it follows its folder."""
    if change.after is None or "trashed" not in json.loads(change.after):
        return None
    trashed = _trashed(change.after)
    if os.path.lexists(trashed.entry) or not os.path.lexists(trashed.folder):
        return None
    if not worktrees.entry_exists(repository, trashed.entry_name):
        return None
    worktrees.move_entry_to_trash(repository, trashed)
    return _gone(repository, changes, change, trashed)


def _place(repository: Repository, change: RecordedChange, operation: int, number: int) -> worktrees.Trashed:
    """Where a worktree that an operation made goes: where in the trash it found it, if that is free, else anew."""
    if change.after is not None and "trashed" in json.loads(change.after):
        old = _trashed(change.after)
        if not os.path.lexists(old.folder) and not os.path.lexists(old.entry):
            return old
    return worktrees.trash_place(repository, change.name, operation, number)


def _worktree_back(repository: Repository, change: RecordedChange) -> RecordedChange | None:
    """A worktree that the operation removed comes back from the trash, with its index, HEAD and reflogs."""
    assert change.before is not None
    if "trashed" not in json.loads(change.before):
        return None
    trashed = _trashed(change.before)
    if os.path.lexists(trashed.entry):
        worktrees.move_entry_back(repository, trashed)
    if os.path.lexists(trashed.folder):
        worktrees.move_folder_back(trashed)
    note = json.loads(change.before)
    if note.get("reflog") and note.get("branch") in git.refs(repository, note["branch"]):
        now = changing.read_reflog(repository, note["branch"]) or ""
        if not now.startswith(note["reflog"]):  # else the branch had not gone, and may have got more since
            changing.restore_reflog(repository, note["branch"], note["reflog"])
    back = json.dumps({"branch": note.get("branch"), "trashed": note["trashed"]})
    return RecordedChange(ChangeKind.WORKTREE, change.name, None, back)


def removed_worktree(trashed: worktrees.Trashed, branch: str | None, reflog: str | None = None) -> RecordedChange:
    """The record of a worktree that went to the trash: all that bringing it back needs."""
    note = json.dumps({"trashed": list(trashed), "branch": branch, "reflog": reflog})
    return RecordedChange(ChangeKind.WORKTREE, trashed.path, note, None)


def _trashed(note: str) -> worktrees.Trashed:
    return worktrees.Trashed(*json.loads(note)["trashed"])
