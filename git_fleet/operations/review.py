"""`review`: the next branch in landing order, with all that its reader needs, and how long he reads.

Showing a task and answering are a row each in the journal, and wait for no lock but SQLite's own.
"""

import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from git_fleet.analysis import ownership, reviewing
from git_fleet.analysis import state as states
from git_fleet.journal import database, reviews
from git_fleet.model.check import Check
from git_fleet.model.errors import FleetError, Refused
from git_fleet.model.events import Listener, Note
from git_fleet.model.fleet import PairVerdict, Snapshot, State
from git_fleet.model.landing import Action, Request, Step
from git_fleet.model.plan import PlanView, Task
from git_fleet.model.review import Answer, Clash, Event, File, Page
from git_fleet.operations import check, gate, mark, naming, outlook
from git_fleet.operations.context import Context, with_marks
from git_fleet.operations.prepare import Prepared, prepare
from git_fleet.repo import looking, merging, reading


class Queue(NamedTuple):
    """What waits for review, in landing order, and what that was made of."""

    waiting: tuple[str, ...]
    steps: Mapping[str, Step]
    snapshot: Snapshot
    standings: Mapping[str, states.Standing]


def queue(context: Context, view: PlanView) -> Queue:
    """The tasks that have commits and no answer at their tip, as `land` would take them. Read-only."""
    with merging.quarantine(context.repository, context.base.commit) as place:
        prepared = prepare(context, view, Request(), place)
    standings = states.standings(context.plan, prepared.snapshot, view.overlaps)
    waiting = tuple(step.id for step in prepared.steps if _waits(context, prepared, step, standings[step.id].state))
    return Queue(waiting, {step.id: step for step in prepared.steps}, prepared.snapshot, standings)


def _waits(context: Context, prepared: Prepared, step: Step, state: State) -> bool:
    """What is skipped has nothing to land or has landed elsewhere; what was rejected may have moved since."""
    if step.action is Action.SKIP and state is not State.REJECTED:
        return False
    ahead = prepared.snapshot.distances[prepared.tasks[step.id].ref].ahead
    return bool(ahead) and reviewing.waits(state, context.marks.get(step.id), step.tip)


def look(context: Context, view: PlanView, name: str | None, *, remember: bool = True) -> Page | None:
    """What there is to read of a task, or of the first that waits; None where nothing does. Raises Refused, Fatal.

    `remember`: merges may be remembered in the journal.
    """
    seen = queue(context, view)
    tasks = {task.id: task for task in context.plan.tasks}
    if name is not None:
        task = naming.find(context.plan, name)
        _refuse_nothing_to_read(task, seen)
    elif seen.waiting:
        task = tasks[seen.waiting[0]]
    else:
        return None
    found = check.of_fleet(context, view, [task.id], committed=True, remember=remember)
    return _page(context, view, task, seen, found)


def _refuse_nothing_to_read(task: Task, seen: Queue) -> None:
    state = seen.standings[task.id].state
    distance = seen.snapshot.distances.get(task.ref)
    if state in (State.LANDED, State.DROPPED):
        raise Refused(f"nothing to review: {task.id} is {state}", ["git fleet status"])
    if distance is None:
        raise Refused(f"nothing to review: {task.id} has no branch yet: '{task.branch}'", [f"git fleet add {task.id}"])
    if not distance.ahead:
        raise Refused(f"nothing to review: '{task.branch}' has no commits that the base lacks", ["git fleet status"])


def _page(context: Context, view: PlanView, task: Task, seen: Queue, found: Check) -> Page:
    repository, base, standing = context.repository, context.base, seen.standings[task.id]
    tip, step = seen.snapshot.branches[task.ref].tip, seen.steps.get(task.id)
    commits = reading.subjects(repository, base.commit, tip)
    tips = {one.id: seen.snapshot.branches[one.ref].tip for one in _others(context, task, seen)}
    known = {commit for commit, _ in commits[:-1]}
    events = _events(context)
    likely_s, likely_from = reviewing.likely(reviewing.lasted(events), context.settings.review_s)
    verdict, seconds = _gate(context, step)
    top = standing.worktree.path if standing.worktree and standing.worktree.branch == task.ref else None
    dirt = looking.dirt([top])[top] if top else None
    agent = context.agents.get(task.id)
    return Page(
        base=base,
        id=task.id,
        title=task.title,
        branch=task.branch,
        tip=tip,
        state=standing.state,
        reason=standing.reason,
        place=step.reason if step and step.action is not Action.SKIP else None,
        commits=commits,
        files=_files(context, view, task, seen, found),
        clashes=_clashes(task.id, found),
        doubt=found.sight.radar.unknown.get(task.id),
        gate=verdict,
        gate_s=seconds,
        needs=tuple(need for need in task.needs if need in tips or need not in seen.standings),
        needed_by=tuple(one.id for one in _others(context, task, seen, begun=False) if task.id in one.needs),
        stands_on=tuple(id for id, other in tips.items() if other in known),
        uncommitted=len(dirt.paths) if dirt else 0,
        worktree=top,
        agent=mark.agent_of(context, task) if agent else task.agent,
        progress=task.progress,
        likely_s=likely_s,
        likely_from=likely_from,
        began_s=reviewing.began(events, task.id, tip, mark.person()),
        now_s=time.time(),
        waiting=seen.waiting,
    )


def _others(context: Context, task: Task, seen: Queue, *, begun: bool = True) -> list[Task]:
    """The tasks that are still to land; those that have a branch, with `begun`."""
    over = (State.LANDED, State.DROPPED)
    left = [one for one in context.plan.tasks if one.id != task.id and seen.standings[one.id].state not in over]
    return [one for one in left if one.ref in seen.snapshot.branches] if begun else left


def _files(context: Context, view: PlanView, task: Task, seen: Queue, found: Check) -> tuple[File, ...]:
    """Joints first, for others build on them; then what the task owns, then what it does not."""
    changed = reading.changes(context.repository, context.base.commit, seen.snapshot.branches[task.ref].tip)
    paths = [one.path for one in changed]
    builders = _builders(context, view, task, seen, paths)
    strayed = {one.path: one.owners for line in found.lines if line.id == task.id for one in line.drift}
    files = [
        File(
            one.path,
            one.insertions,
            one.deletions,
            builders.get(one.path, ()),
            one.path in strayed,
            strayed.get(one.path, ()),
            one.before,
        )
        for one in changed
    ]
    return tuple(sorted(files, key=lambda one: (one.drift, not one.builders)))


def _builders(
    context: Context, view: PlanView, task: Task, seen: Queue, paths: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """Path -> the tasks still to land that build on it, too."""
    left = {one.id for one in _others(context, task, seen, begun=False)}
    found: dict[str, tuple[str, ...]] = {}
    for joint in view.joints:
        builders = tuple(id for id in joint.tasks if id in left)
        if task.id in joint.tasks and builders:
            beside = set(ownership.drift((joint.path,), paths))
            found |= {path: builders for path in paths if path not in beside}
    return found


def _clashes(id: str, found: Check) -> tuple[Clash, ...]:
    radar = found.sight.radar
    base = [Clash(None, radar.base_conflicts[id])] if id in radar.base_conflicts else []
    pairs = [pair for pair in radar.pairs if id in pair.keys and pair.verdict is PairVerdict.CONFLICT]
    return (*base, *(Clash(next(key for key in pair.keys if key != id), pair.paths) for pair in pairs))


def _gate(context: Context, step: Step | None) -> tuple[str | None, float | None]:
    """What all gates have said of the tree that the landing would make of it, and how long they took."""
    gates = context.settings.gates
    if not gates or step is None or step.tree is None:
        return None, None
    digest = gate.environment_digest()
    with database.opened_to_read(context.repository.fleet_dir) as journal:
        rows = [journal.gate_result(step.tree, one.command, digest) for one in gates] if journal else []
    verdicts = [row.verdict for row in rows if row]
    if "failed" in verdicts:
        return "failed", None
    if not verdicts or len(verdicts) < len(gates):
        return None, None
    return ("flaky" if "flaky" in verdicts else "passed"), sum(row.seconds for row in rows if row)


def _events(context: Context) -> tuple[Event, ...]:
    with database.opened_to_read(context.repository.fleet_dir) as journal:
        return reviews.events(journal) if journal else ()


def begin(context: Context, page: Page, say: Listener) -> Page:
    """Write down that it was shown, so that the time runs; where that cannot be, it is said, and not timed."""
    event = Event(page.id, page.tip, mark.person(), page.now_s)
    try:
        with database.opened(context.repository.fleet_dir) as journal:
            reviews.show(journal, event)
    except FleetError as error:
        say(Note(f"this review is not timed: {error.message}"))
        return page
    return page._replace(began_s=page.began_s or event.at_s)


def answer(context: Context, name: str | None, state: State, why: str | None, *, dry: bool = False) -> Answer:
    """Approve or reject: the mark, and how long it was read. Raises Refused where it moved since it was shown.

    `context` has the plan as it is written: without marks.
    """
    who, events = mark.person(), _events(context)
    task = _meant(context, name, events, who)
    made = mark.would(context, task, state, why)
    shown = reviewing.last_shown(events, task.id, who)
    if shown is not None and made.tip != shown:
        raise Refused(
            f"not marked as {state}: '{task.branch}' moved since you looked: {shown[:10]}..{(made.tip or '')[:10]}",
            [f"git fleet review {task.id}   # look again"],
        )
    tip = made.tip or ""
    event = Event(task.id, tip, who, made.at_s, str(state), reviewing.began(events, task.id, tip, who))
    if not dry:
        with database.opened(context.repository.fleet_dir) as journal:
            reviews.answer(journal, event, made)
    seconds = None if event.began_s is None else max(0.0, event.at_s - event.began_s)
    return Answer(task.id, task.title, tip, state, made.why, made.who, seconds)


def _meant(context: Context, name: str | None, events: Sequence[Event], who: str) -> Task:
    """The task that was named, else that in whose worktree we are, else the one that he was shown last.

    Raises Refused where the latter two differ: he may mean either.
    """
    if name is not None:
        return naming.find(context.plan, name)
    here = naming.here(context.plan)
    tasks = {task.id: task for task in context.plan.tasks}
    id = reviewing.in_hand(events, who, tasks)
    if here is not None and id not in (None, here.id):
        raise Refused(
            f"which task? {id} was shown to you, and this is the worktree of {here.id}",
            [f"name it: git fleet review --approve {id}   # or {here.id}"],
        )
    if here is not None:
        return here
    if id is not None:
        return tasks[id]
    context = with_marks(context)
    waiting = queue(context, outlook.view(context)).waiting
    hints = [f"name it: git fleet review --approve <task>   # {', '.join(waiting)}"] if waiting else []
    raise Refused("which task? none was shown to you that waits for an answer", [*hints, "git fleet review"])
