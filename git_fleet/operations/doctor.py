"""`doctor`: look at all that can be wrong, also where `git worktree list` fails; mend what is safe, if asked to."""

import json
import os
from collections.abc import Sequence
from contextlib import ExitStack

from git_fleet.analysis import diagnosis
from git_fleet.journal import database, locks, marks
from git_fleet.model.agent import Agent
from git_fleet.model.care import Finding, Observed, Repair
from git_fleet.model.errors import FleetError
from git_fleet.model.events import Listener, Note, Recovered
from git_fleet.model.fleet import Repository, State
from git_fleet.model.journal import ChangeKind, OperationState, RecordedChange
from git_fleet.operations import agents, recover, revert, running, work
from git_fleet.operations import context as contexts
from git_fleet.plan import config
from git_fleet.repo import around, entries, git, links, settings, trust, worktrees

KIND = "doctor"


def look(repository: Repository) -> list[Finding]:
    """Everything that is wrong, the worst first, and what is worth knowing; read-only."""
    return diagnosis.findings(_observed(repository))


def _observed(repository: Repository) -> Observed:
    interrupted, waiting = _operations(repository)
    read = entries.read_all(repository)
    return Observed(
        common_dir=repository.common_dir,
        bare_flipped=_is_flipped(repository),
        entries=read,
        orphans=entries.orphans(repository, read),
        main_head=None if _is_bare(repository) else entries.head(repository.common_dir),
        main=repository.main,
        main_index=entries.index_error(repository.common_dir, repository.object_format),
        list_fails=_list_error(repository),
        halves=entries.halves(repository),
        locks=entries.lock_files(repository),
        bad_refs=entries.bad_refs(repository),
        interrupted=interrupted,
        waiting=waiting,
        journal=database.examine(repository.fleet_dir),
        agents=_dead_agents(repository),
        trust=trust.changed(repository),
        settings=_settings_error(repository),
        stashes=tuple((one.name, one.branch or "(no branch)") for one in around.stashes(repository)),
    )


def _is_bare(repository: Repository) -> bool:
    """Has it no main worktree? Also asked in a linked one."""
    return repository.bare or git.config_get_all(repository, "core.bare")[-1:] == ["true"]


def _operations(repository: Repository) -> tuple[tuple[tuple[int, str], ...], tuple[tuple[int, str], ...]]:
    """(interrupted, waiting) operations of ours: (number, summary) each."""
    try:
        with database.opened_to_read(repository.fleet_dir) as journal:
            stopped = journal.operations(states=[OperationState.STOPPED]) if journal else ()
            killed_ones = recover.dead(repository, journal, (*recover.WORKTREE_KINDS, "land")) if journal else []
    except FleetError:  # a damaged journal, which is a finding of its own
        return (), ()
    return tuple((one.id, one.summary) for one in killed_ones), tuple((one.id, one.summary) for one in stopped)


def _dead_agents(repository: Repository) -> tuple[Agent, ...]:
    """Agents of tasks that are said to be running, whose process is gone."""
    try:
        with database.opened_to_read(repository.fleet_dir) as journal:
            last = contexts.last_agents(repository, journal) if journal else {}
            said = marks.latest(journal) if journal else {}
    except FleetError:  # a damaged journal, which is a finding of its own
        return ()
    running_ones = (one for id, one in last.items() if id in said and said[id].state is State.RUNNING)
    return tuple(one for one in running_ones if one.ended_s is None and not one.alive)


def _is_flipped(repository: Repository) -> bool:
    """A bare repository has an index only where somebody uses it with --work-tree, and is not called `.git` then."""
    told = git.ask(repository, "config", "--local", "--type=bool", "--get", "core.bare").stdout.strip()
    folder = os.path.basename(repository.common_dir)
    return told == "true" and folder == ".git" and os.path.exists(f"{repository.common_dir}/index")


def _list_error(repository: Repository) -> str | None:
    told = git.ask(repository, "worktree", "list", "--porcelain", "-z")
    return told.stderr.strip().split("\n")[0].removeprefix("fatal: ") if told.status else None


def _settings_error(repository: Repository) -> str | None:
    try:
        settings.load(repository)
    except FleetError as error:
        return error.message
    return None


def repair(repository: Repository, say: Listener) -> tuple[int | None, list[Finding]]:
    """Do what is safe: the operation's number, and what was repaired, then what is left or has only now come to light.

    First what is broken, then what was killed: putting that right needs a git that works. But a repair that was killed
    is taken back before, since it would be over this one otherwise.
    """
    running.refuse_inside_a_commit(repository)
    before = look(repository)
    for one in before:
        if one.repair is not None and one.repair.aside is not None:
            say(Note(f"kept as '{_move_aside(one.repair.aside)}'"))
    if any(one.repair.recover for one in before if one.repair) and _took_back(repository, say):
        before = look(repository)
    wanted = [one.repair for one in before if one.repair is not None]
    operation = None
    if any(one.files or one.entry or one.config for one in wanted):
        operation = _mend(repository, wanted, say)
    if any(one.recover for one in wanted):
        _recover(say)
    for agent in (one.agent for one in wanted if one.agent is not None):
        agents.gone(repository, agent)
    if any(one.trust for one in wanted):
        trust.remember(repository)
    after = look(repository)
    left = {_key(one) for one in after}
    return operation, [*(one._replace(repaired=True) for one in before if _key(one) not in left), *after]


def _took_back(repository: Repository, say: Listener) -> bool:
    """Was there a killed repair? It needs neither plan nor base, nor a git that works."""
    with (
        database.opened(repository.fleet_dir) as journal,
        locks.hold(repository.fleet_dir, running.WORKTREES, waits=running.tells(say)) as lock,
    ):
        killed_ones = recover.interrupted(repository, journal, [KIND])
        for one in killed_ones:
            revert.take_back(repository, one.changes, one.id, lock, say)
            journal.finish(one.id, OperationState.FAILED)
            say(Recovered(f"'{one.summary}' (operation {one.id}) had been killed: it is taken back, and done anew"))
    return bool(killed_ones)


def _key(finding: Finding) -> tuple[str, str]:
    return finding.code, finding.path or finding.what


def _move_aside(path: str) -> str:
    """Rename a damaged journal, with what SQLite keeps beside it, to a name that is free."""
    names = (f"{path}.damaged-{number}" for number in range(1, 10_000))
    place = next(name for name in names if not os.path.lexists(name))
    for end in ("-journal", ""):
        if os.path.lexists(f"{path}{end}"):
            os.rename(f"{path}{end}", f"{place}{end}")
    return place


def _mend(repository: Repository, wanted: Sequence[Repair], say: Listener) -> int:
    """Write files, move entries, set keys: as one operation that `undo` can take back."""
    with database.opened(repository.fleet_dir) as journal, ExitStack() as stack:
        lock = stack.enter_context(locks.hold(repository.fleet_dir, running.WORKTREES, waits=running.tells(say)))
        operation, _ = stack.enter_context(running.begun(repository, journal, KIND, "doctor --repair"))
        changes = [
            change for number, one in enumerate(wanted) for change in _changes(repository, one, operation, number)
        ]
        stack.enter_context(recover.put_back(repository, journal, operation, lock, say))
        journal.intend(operation, changes)
        for change in changes:
            _carry_out(repository, change, operation)
        journal.finish(operation, OperationState.DONE)
    return operation


def _changes(repository: Repository, one: Repair, operation: int, number: int) -> list[RecordedChange]:
    found = [RecordedChange(ChangeKind.FILE, path, entries.text(path), new) for path, new in one.files]
    if one.config is not None:
        key, value = one.config
        old = git.config_get_all(repository, key)
        found.append(RecordedChange(ChangeKind.CONFIG, key, json.dumps(old) if old else None, json.dumps([value])))
    if one.entry is not None:
        found.append(revert.removed_entry(one.entry, f"{repository.fleet_dir}/trash/{operation}/{number}-entry"))
    return found


def _carry_out(repository: Repository, change: RecordedChange, operation: int) -> None:
    if change.kind is ChangeKind.CONFIG:
        config.write(repository, {change.name: json.loads(change.after or "[]")})
    elif change.kind is ChangeKind.ENTRY:
        running.keep_held(repository, operation, change.name)
        worktrees.move_entry(change.name, revert.place_of_entry(change))
    else:
        links.write(change.name, change.after or "", expected=change.before)


def _recover(say: Listener) -> None:
    """What every command that changes something does first."""
    try:
        context = contexts.find()
    except FleetError as error:
        say(Note(f"what was killed was not put right: {error.message}"))
        return
    with work.begun(context, say):
        pass
