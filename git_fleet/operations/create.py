"""`add`: branch and worktree for each task, all or nothing for each.

Registering happens under the worktree lock, one after the other; files are filled in outside it, side by side.
"""

import json
import os
import shlex
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import NamedTuple

from git_fleet.analysis import admission
from git_fleet.analysis import state as states
from git_fleet.journal import database, locks, marks
from git_fleet.model.errors import Fatal, FleetError, Usage, ending
from git_fleet.model.events import Copied, Created, Listener, NotCreated, Note, NotSetUp, Progress
from git_fleet.model.fleet import Snapshot, State, Worktree
from git_fleet.model.journal import ChangeKind, OperationState, RecordedChange
from git_fleet.model.plan import Plan, PlanView, Row, Severity, Source, SourceKind, Task
from git_fleet.operations import furnish, landed, revert, running, setup, survey, work
from git_fleet.operations.context import PLAN, Context, write_status
from git_fleet.operations.naming import find, is_named
from git_fleet.plan import markdown, names, source
from git_fleet.repo import changing, entries, git, location, looking, process, slots, worktrees

LARGE_INDEX = 100_000
"""Bytes of an index (about a thousand files) above which a second look is worth its wait."""


class Outcome(NamedTuple):
    """What `add` did: ids."""

    created: tuple[str, ...]
    existed: tuple[str, ...]
    refused: tuple[str, ...]
    operation: int | None = None
    paths: tuple[str, ...] = ()
    """Worktrees of those that are there now."""
    not_set_up: tuple[NotSetUp, ...] = ()


class Selection(NamedTuple):
    """Which tasks: by name, and the three sweeping ways."""

    names: tuple[str, ...] = ()
    ready: bool = False
    wave: int | None = None
    all: bool = False


class Request(NamedTuple):
    """What `add` is asked for. `new_row`: the task that was typed on the spot."""

    selection: Selection
    allow_overlap: bool = False
    new_row: Row | None = None


def choose(plan: Plan, view: PlanView, standings: dict[str, states.Standing], selection: Selection) -> list[Task]:
    """The tasks meant, in plan order. Sweeping ways leave out what has landed or was dropped. Raises Fatal."""
    wanted = {find(plan, name).id for name in selection.names}
    over = {id for id, standing in standings.items() if standing.state in (State.LANDED, State.DROPPED)}
    if selection.ready:
        waiting = (State.READY, State.PLANNED, State.MISSING)
        wanted |= {id for id, standing in standings.items() if standing.state in waiting}
    if selection.wave is not None:
        if not 1 <= selection.wave <= len(view.waves):
            raise Fatal(f"there is no wave {selection.wave}: the plan has {len(view.waves)}", ["git fleet plan"])
        wanted |= set(view.waves[selection.wave - 1]) - over
    if selection.all:
        wanted |= {task.id for task in plan.tasks} - over
    return [task for task in plan.tasks if task.id in wanted]


def typed(context: Context, words: Sequence[str], owns: Sequence[str], needs: Sequence[str]) -> Row | None:
    """The row for a new task typed on the spot (`45 retry uploads`), None where the words name known tasks."""
    unknown = [
        word for word in words if " " in word.strip() and not any(is_named(task, word) for task in context.plan.tasks)
    ]
    if len(words) > 1 and unknown:
        raise Usage("one new task at a time", [f"git fleet add {shlex.quote(word)}" for word in unknown])
    if len(words) != 1 or any(is_named(task, words[0]) for task in context.plan.tasks):
        return None
    row = markdown.row_of_title(words[0])
    if " " not in words[0].strip() and not owns:
        return None
    if row.title == " ".join(words[0].split()):
        row = row._replace(id=_new_id(context.plan, row.title))
    source.refuse_row(context.plan, row)
    return row._replace(owns=tuple(owns), needs=tuple(need.removeprefix("#") for need in needs))


def _new_id(plan: Plan, title: str) -> str:
    """An id for a title alone: the next number where all ids are numbers, else its slug, made unique."""
    taken = [task.id for task in plan.tasks]
    slug = names.slugify(title)
    if not slug or (taken and all(id.isdecimal() for id in taken)):
        return str(1 + max((int(id) for id in taken if id.isdecimal()), default=0))
    return names.free(slug, {id.casefold() for id in taken})


def command_for(row: Row) -> str:
    """What to type for this new task; until it is made, no plan knows its id."""
    both = f"{row.id} {row.title}" if row.title else row.id
    said = both if markdown.row_of_title(both)[:2] == row[:2] else row.title or row.id
    more = [f" --owns {shlex.quote(path)}" for path in row.owns] + [f" --needs {shlex.quote(id)}" for id in row.needs]
    return f"git fleet add {shlex.quote(said)}{''.join(more)}"


def with_row(context: Context, row: Row) -> Context:
    """The plan as it would be with a task typed on the spot; it is written down only once its worktree is there.

    Raises Fatal for an id that is taken.
    """
    taken = next((task for task in context.plan.tasks if task.id.casefold() == row.id.casefold()), None)
    if taken is not None:
        raise Fatal(f"task {taken.id} exists: '{taken.label}'", [f"git fleet add {taken.id}", "or give another id"])
    task, problems = names.complete(row, context.settings, context.repository, own_config=True)
    plan = context.plan
    return context._replace(plan=plan._replace(tasks=(*plan.tasks, task), problems=(*plan.problems, *problems)))


def refuse_bad_row(before: PlanView, after: PlanView) -> None:
    """Raises Fatal for what is wrong with the new row alone."""
    wrong = [one for one in after.problems if one.severity is Severity.ERROR and one not in before.problems]
    if wrong:
        hints = [*(one.message for one in wrong[1:]), "git fleet help plan-guide   # says what a task may own and need"]
        raise Fatal(wrong[0].message, hints)


def judge(
    context: Context, view: PlanView, request: Request
) -> tuple[dict[str, states.Standing], tuple[admission.Admission, ...]]:
    """What would be made, what is there, what is refused. Read-only."""
    snapshot, _ = survey.look(context)
    needed = {need for task in context.plan.tasks for need in task.needs}
    snapshot = landed.with_proven(snapshot, [task for task in context.plan.tasks if task.id in needed])
    standings = states.standings(context.plan, snapshot, view.overlaps)
    tasks = choose(context.plan, view, standings, request.selection)
    commands = {request.new_row.id: command_for(request.new_row)} if request.new_row else {}
    seen = bearing(context, snapshot, standings, tasks)._replace(commands=commands)
    limit = context.settings.limit
    return standings, admission.admit(tasks, seen, view.overlaps, limit=limit, allow_overlap=request.allow_overlap)


def bearing(
    context: Context, snapshot: Snapshot, standings: dict[str, states.Standing], tasks: Sequence[Task]
) -> admission.Seen:
    """What bears on whether these tasks may be started. Read-only."""
    lost = {tree.path for tree in snapshot.worktrees if _is_lost(tree)}
    beside = [tree.path for tree in snapshot.worktrees]
    return admission.Seen(
        standings=standings,
        branches=frozenset(snapshot.branches) | {context.base.ref},
        checked_out={tree.branch: tree.path for tree in snapshot.worktrees if tree.branch},
        occupied=frozenset(task.worktree for task in tasks if os.path.lexists(task.worktree)),
        lost=lost,
        foreign={tree.path: tree.foreign for tree in snapshot.worktrees if tree.foreign},
        moved={path: place for path in lost if (place := entries.moved_to(context.repository, path, beside))},
        older=survey.older_branches(context, snapshot, standings),
    )


def dry_run(context: Context, view: PlanView, request: Request, say: Listener) -> Outcome:
    """What `add` would do; read-only."""
    _, answers = judge(context, view, request)
    for answer in answers:
        task = answer.task
        if answer.why is not None:
            say(NotCreated(task.id, answer.why, answer.hints))
        else:
            say(Created(task.id, task.branch, task.worktree, existed=answer.exists, dry=True))
    there = [answer.task for answer in answers if answer.why is None]
    _tell_more(context, answers, say)
    return Outcome((), (), tuple(a.task.id for a in answers if a.why), None, tuple(task.worktree for task in there))


def _tell_more(context: Context, answers: Sequence[admission.Admission], say: Listener) -> None:
    """What new worktrees would get, and what would be run there."""
    new = [answer.task for answer in answers if answer.create]
    copied = furnish.wanted(context) if new else []
    for task in new if copied else ():
        say(Copied(task.id, len(copied), dry=True))
    due = [*setup.due(context, [answer.task for answer in answers if answer.exists]), *new]
    if due and context.settings.setup:
        say(Note(f"would set up {', '.join(task.id for task in due)}: {'; '.join(context.settings.setup)}"))


def add(context: Context, view: PlanView, request: Request, say: Listener) -> Outcome:
    """Make what may be made, say what may not. Raises Busy when the lock is not to be had."""
    repository = context.repository
    copied = furnish.wanted(context)
    with work.journal_of(context, say) as journal, ExitStack() as until_filled:
        with work.locked(context, journal, say) as (context, _, lock, _):
            location.note_main(repository)
            standings, answers = judge(context, view, request)
            wanted = [answer for answer in answers if answer.create]
            operation, alive, registered = None, None, []
            if wanted and request.new_row is not None:
                with locks.hold(repository.fleet_dir, PLAN, waits=running.tells(say)):
                    # first: a plan that cannot hold it refuses
                    source.append(context.plan, repository, request.new_row)
                context = _begun_in_config(context, request.new_row, say)
            if wanted:
                intents = [change for answer in wanted for change in _intents(context, answer, more=bool(copied))]
                summary = f"add {', '.join(answer.task.id for answer in wanted)}"
                begun = running.begun(repository, journal, "add", summary, intents)
                operation, alive = until_filled.enter_context(begun)
                _forget_marks(context, journal, wanted)
                registered = [(answer, _register(context, answer, operation, lock, say)) for answer in wanted]
        made = _fill(context, registered, copied, operation, alive, say)
        if operation is not None:
            journal.rewrite(operation, [change for answer in made for change in _intents(context, answer)])
            journal.finish(operation, OperationState.DONE if made else OperationState.FAILED)
            if request.new_row is not None and not made:
                id = request.new_row.id
                again = f"git fleet add {id} tries again, git fleet plan drop {id} drops it"
                say(Note(f"{id} is in the plan by now: {again}"))
    busy = {id for id, one in standings.items() if one.state in states.IN_FLIGHT and one.worktree}
    flying = len(busy.union(answer.task.id for answer in made))
    outcome = _tell(context, answers, [answer.task.id for answer in made], operation, flying, say)
    there = [answer.task for answer in answers if answer.task.id in (*outcome.created, *outcome.existed)]
    return outcome._replace(not_set_up=tuple(setup.run(context, there, say)))


def _begun_in_config(context: Context, row: Row, say: Listener) -> Context:
    """Where there was no plan, the row has started one, and is all that is in it."""
    if context.plan.source.kind is not SourceKind.WORKTREES:
        return context
    others = [task for task in context.plan.tasks if task.id != row.id]
    if others:
        which = ", ".join(task.id for task in others)
        how = f"git config fleet.{shlex.quote(others[0].id)}.branch {shlex.quote(others[0].branch)}"
        say(Note(f"a plan begins in the git configuration; not in it, unless you say so: {which} ({how})"))
    tasks = tuple(task for task in context.plan.tasks if task.id == row.id)
    return context._replace(plan=Plan(Source(SourceKind.CONFIG), tasks))


def _intents(context: Context, answer: admission.Admission, *, more: bool = False) -> list[RecordedChange]:
    """What becomes of an admission; with `more`, all its files from git do not make it whole yet."""
    task, commit = answer.task, context.base.commit
    origin = f"{git.ORIGINS}{task.branch}"
    refs = (
        [RecordedChange(ChangeKind.REF, ref, None, commit) for ref in (task.ref, origin)] if answer.new_branch else []
    )
    made = json.dumps({"branch": task.ref, **({"more": True} if more else {})})
    return [*refs, RecordedChange(ChangeKind.WORKTREE, task.worktree, None, made)]


def _forget_marks(context: Context, journal: database.Journal, wanted: Sequence[admission.Admission]) -> None:
    """What was said of an earlier branch says nothing of the new one."""
    for answer in wanted:
        before = context.marks.get(answer.task.id)
        if answer.new_branch and before and before.state is not State.ACTIVE:
            marks.record(journal, before._replace(state=State.ACTIVE, why=None, at_s=time.time(), tip=None))


def _register(
    context: Context, answer: admission.Admission, operation: int, lock: locks.Lock, say: Listener
) -> int | None:
    """Branch and worktree without files; a descriptor of its folder. None, with nothing left of it, if that failed."""
    repository, task = context.repository, answer.task
    commit = context.base.commit
    try:
        forgotten = _forget_lost(context, task, operation)
        if answer.new_branch:
            new = [changing.RefUpdate(ref, None, commit) for ref in (task.ref, f"{git.ORIGINS}{task.branch}")]
            changing.update_refs(repository, new, f"branch: Created from {context.base.branch}", [lock.fd])
        folder = worktrees.create(repository, task.worktree, task.branch, [lock.fd], forgotten)
        try:
            slots.take(repository, task.worktree)
            setup.note_due(context, task.worktree)
        except (FleetError, OSError):
            os.close(folder)
            raise
        return folder
    except (FleetError, OSError) as error:
        revert.take_back(repository, _intents(context, answer), operation, lock, say)
        say(NotCreated(task.id, str(error), error.hints if isinstance(error, FleetError) else ()))
        return None


def _is_lost(tree: Worktree) -> bool:
    """Is its folder gone? One that is locked may be on a disk that is away."""
    return tree.prunable is not None and not os.path.lexists(tree.path)


def _forget_lost(context: Context, task: Task, operation: int) -> list[str]:
    """The entry of a worktree whose folder is gone goes to the trash, and what was checked out there is kept.

    The names of such entries: a folder that was only moved out of sight must not find another worktree's under its own.
    """
    repository, forgotten = context.repository, []
    for number, tree in enumerate(context.worktrees):
        if _is_lost(tree) and (tree.branch == task.ref or tree.path == task.worktree):
            running.keep(repository, operation, [tree.head] if tree.head else [])
            forgotten += worktrees.move_lost_entry_to_trash(repository, tree.path, operation, number)
    return forgotten


def _fill(
    context: Context,
    registered: Sequence[tuple[admission.Admission, int | None]],
    copied: Sequence[str],
    operation: int | None,
    alive: locks.Lock | None,
    say: Listener,
) -> list[admission.Admission]:
    """Write the files, side by side, and those to copy; those that came out whole. The others are taken back."""
    repository = context.repository
    at_once = os.cpu_count() or 2
    inherit = (alive.fd,) if alive else ()  # a killed parent does not stop its git children
    wanted = [(answer, folder) for answer, folder in registered if folder is not None]
    jobs = [changing.fill(answer.task.worktree, folder, inherit) for answer, folder in wanted]
    results = process.run_many(jobs, at_once=at_once, done=lambda n: say(Progress("filling worktrees", n, len(jobs))))
    made = []
    for (answer, folder), result in zip(wanted, results, strict=True):
        said = " ".join(result.stderr.split()) or f"git: {ending(result.status)}"
        why = f"its files could not be written: {said}" if result.status else None
        try:
            why = why or furnish.copy_into(context, answer.task, folder, copied, say)
        finally:
            os.close(folder)
        if why is None:
            made.append(answer)
            continue
        with locks.hold(repository.fleet_dir, running.WORKTREES, waits=running.tells(say)) as lock:
            revert.take_back(repository, _intents(context, answer), operation or 0, lock, say)
        say(NotCreated(answer.task.id, why))
    _leave_refreshed([answer.task.worktree for answer in made], at_once)
    for answer in made:
        commit = git.resolve(repository, answer.task.ref)
        changing.run_post_checkout(repository, answer.task.worktree, commit or context.base.commit)
    return made


def _leave_refreshed(tops: Sequence[str], at_once: int) -> None:
    """git rereads files that are as old as their index on every look; past the second, one refresh ends that."""
    large = [top for top in tops if looking.index_bytes(top) > LARGE_INDEX]
    if large:
        time.sleep(1.0 - time.time() % 1.0)
        process.run_many([changing.refresh(top) for top in large], at_once=at_once)


def _tell(
    context: Context,
    answers: Sequence[admission.Admission],
    made: Sequence[str],
    operation: int | None,
    flying: int,
    say: Listener,
) -> Outcome:
    existed = [answer.task.id for answer in answers if answer.exists]
    for answer in answers:
        task = answer.task
        if answer.exists or task.id in made:
            say(Created(task.id, task.branch, task.worktree, existed=answer.exists))
        elif answer.why is not None:
            say(NotCreated(task.id, answer.why, answer.hints))
    planned = {task.id for task in context.plan.tasks}
    write_status(context, {id: "active" for id in (*made, *existed) if id in planned}, say)
    if made and context.settings.limit is None and flying > admission.HINT_PAST:
        say(Note(f"{flying} tasks are at work: more than one person reviews well (fleet.limit sets a limit)"))
    refused = tuple(a.task.id for a in answers if not a.exists and a.task.id not in made)
    paths = tuple(answer.task.worktree for answer in answers if answer.task.id not in refused)
    return Outcome(tuple(made), tuple(existed), refused, operation, paths)
