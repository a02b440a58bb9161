"""Which lines of work does `check` look at, and who strayed? The looking itself is done in `sight.py`."""

import os
from collections.abc import Iterable, Mapping, Sequence

from git_fleet.analysis import ownership
from git_fleet.analysis import state as states
from git_fleet.model.check import Check, Line, Strayed
from git_fleet.model.errors import Refused, Usage
from git_fleet.model.fleet import PairVerdict, Snapshot, State, Worktree
from git_fleet.model.landing import Candidate
from git_fleet.model.plan import PlanView, Task
from git_fleet.model.sight import Sight, Tip
from git_fleet.operations import sight as sights
from git_fleet.operations import survey
from git_fleet.operations.context import Context
from git_fleet.operations.naming import find
from git_fleet.plan import names
from git_fleet.repo import git

_HEADS = "refs/heads/"
_OVER = (State.LANDED, State.DROPPED)


def of_fleet(
    context: Context,
    view: PlanView,
    asked: Sequence[str],
    *,
    committed: bool = False,
    hunks: bool = False,
    remember: bool = True,
) -> Check:
    """Every task in flight and every worktree that no task names; of one that is `asked` for, its part alone; of
    several, only those. Raises Refused or Fatal for one that is not there."""
    snapshot, _ = survey.look(context)
    standings = states.standings(context.plan, snapshot, view.overlaps)
    tasks = [task for task in context.plan.tasks if task.ref in snapshot.branches]
    live = [task for task in tasks if standings[task.id].state not in _OVER]
    lines = [_of_task(task, snapshot, standings[task.id].worktree) for task in live]
    lines += _unplanned(context, {standing.worktree for standing in standings.values()}, {task.id for task in tasks})
    chosen = _chosen(context, lines, asked)
    kept = [line for line in lines if line.id in chosen] if len(chosen) > 1 else lines
    joints = {id for joint in view.joints for id in joint.tasks[:1]}
    wishes = {task.id: Candidate(task.id, task.needs, task.priority, joint=task.id in joints) for task in live}
    sight = _look(context, kept, wishes, committed=committed, hunks=hunks, remember=remember)
    told = _with_drift(kept, sight, {task.id: task for task in live})
    answer = Check(context.base, context.repository.main, context.plan.source, told, sight, committed)
    return _part(answer, *chosen) if len(chosen) == 1 else answer


def of_refs(context: Context, patterns: Sequence[str], *, committed: bool = False, hunks: bool = False) -> Check:
    """Any branches: those that match a pattern as in git-for-each-ref(1), taken below `refs/heads/` unless it begins
    with `refs/`, and below `refs/remotes/` where no local branch matches."""
    found: dict[str, str] = {}
    notes = []
    for pattern in patterns:
        matching = _matching(context, pattern)
        if not matching:
            notes.append(f"no branch matches '{pattern}'")
        found |= matching
    where = {tree.branch: tree for tree in context.worktrees if tree.branch and not tree.prunable}
    lines = []
    for ref, commit in found.items():
        id = ref.removeprefix(_HEADS)
        tree = where.get(ref)
        lines.append(Line(id, "", Tip(id, ref, commit, tree.path if tree else None)))
    sight = _look(context, lines, {}, committed=committed, hunks=hunks)
    return Check(context.base, context.repository.main, None, tuple(lines), sight, committed, tuple(notes))


def _matching(context: Context, pattern: str) -> dict[str, str]:
    """Commit by full ref name; the base and the remotes' HEADs are no lines of work."""
    if not pattern:
        raise Usage("--refs needs a pattern such as 'pr/*'")
    places = ("",) if pattern.startswith("refs/") else (_HEADS, "refs/remotes/")
    for place in places:
        found = git.branches(context.repository, (f"{place}{pattern}",))
        commits = {ref: branch.tip for ref, branch in found.items() if ref != context.base.ref}
        commits = {ref: tip for ref, tip in commits.items() if not _is_remote_head(ref)}
        if commits:
            return commits
    return {}


def _is_remote_head(ref: str) -> bool:
    return ref.startswith("refs/remotes/") and ref.endswith("/HEAD")


def _look(
    context: Context,
    lines: Sequence[Line],
    wishes: Mapping[str, Candidate],
    *,
    committed: bool,
    hunks: bool,
    remember: bool = True,
) -> Sight:
    tips = {line.id: line.tip for line in lines}
    wanted = {id: wish for id, wish in wishes.items() if id in tips}
    sight = sights.look(context, tips, wishes=wanted, committed=committed, hunks=hunks, remember=remember)
    compared = len(tips) - len(_apart(sight))
    return sight._replace(pairs_total=compared * (compared - 1) // 2)


def _apart(sight: Sight) -> set[str]:
    """Those that take no part in pairs."""
    return {*sight.radar.base_conflicts, *sight.radar.unknown}


def _of_task(task: Task, snapshot: Snapshot, tree: Worktree | None) -> Line:
    """A worktree that is on something else at the moment says nothing about the task's branch."""
    own = tree.path if tree and tree.branch == task.ref and os.path.isdir(tree.path) else None
    return Line(task.id, task.title, Tip(task.id, task.ref, snapshot.branches[task.ref].tip, own))


def _unplanned(context: Context, named: Iterable[Worktree | None], taken: set[str]) -> list[Line]:
    """Linked worktrees that no task names; lanes of ours are not work, and a branch without commits has no tip."""
    known = {tree.path for tree in named if tree}
    found = []
    for tree in context.worktrees:
        apart = tree.main or tree.path in known or tree.branch == context.base.ref
        if apart or survey.is_lane(context.repository, tree) or not tree.head or not os.path.isdir(tree.path):
            continue
        short = (tree.branch or "").removeprefix(_HEADS)
        row = names.row_of_branch(short or os.path.basename(tree.path))
        id = next(name for name in (row.id, short or tree.path, tree.path) if name not in taken)
        taken.add(id)
        found.append(Line(id, row.title or "", Tip(id, tree.branch, tree.head, tree.path)))
    return found


def _chosen(context: Context, lines: Sequence[Line], asked: Sequence[str]) -> list[str]:
    """The ids that were asked for, in the order of the fleet. Raises Refused for a task that is not in flight."""
    by_name = {name: line.id for line in lines for name in (line.id, (line.tip.ref or "").removeprefix(_HEADS))}
    wanted = []
    for name in asked:
        id = by_name.get(name) or find(context.plan, name).id
        if id not in by_name.values():
            raise Refused(f"{id} has no branch in flight: there is nothing to check", [f"git fleet add {id}"])
        wanted.append(id)
    return [line.id for line in lines if line.id in wanted]


def _with_drift(lines: Sequence[Line], sight: Sight, tasks: Mapping[str, Task]) -> tuple[Line, ...]:
    return tuple(
        line._replace(drift=_drift(line.id, sight.changed.get(line.id, ()), tasks)) if line.id in tasks else line
        for line in lines
    )


def _drift(id: str, changed: Sequence[str], tasks: Mapping[str, Task]) -> tuple[Strayed, ...]:
    strayed = ownership.drift(tasks[id].owns, changed)
    if not strayed:
        return ()
    owners: dict[str, list[str]] = {path: [] for path in strayed}
    for other in tasks.values():
        if other.owns and other.id != id:
            foreign = set(ownership.drift(other.owns, strayed))
            for path in strayed:
                if path not in foreign:
                    owners[path].append(other.id)
    return tuple(Strayed(path, tuple(owners[path])) for path in strayed)


def _part(whole: Check, id: str) -> Check:
    """What concerns one line: itself, and those that could be in its way."""
    radar = whole.sight.radar
    pairs = tuple(pair for pair in radar.pairs if id in pair.keys)
    near = {id, *(key for pair in pairs for key in pair.keys)}
    lines = tuple(line for line in whole.lines if line.id in near)
    radar = radar._replace(
        pairs=pairs,
        base_conflicts={key: paths for key, paths in radar.base_conflicts.items() if key == id},
        unknown={key: why for key, why in radar.unknown.items() if key == id},
    )
    rivals = {id, *(key for pair in pairs if pair.verdict is not PairVerdict.CLEAN for key in pair.keys)}
    order = tuple(step for step in whole.sight.order if step.id in rivals)
    compared = len(pairs)
    sight = whole.sight._replace(
        radar=radar,
        order=order,
        compared=compared,
        remembered=min(compared, whole.sight.remembered),
        pairs_total=0 if id in _apart(whole.sight) else len(whole.lines) - len(_apart(whole.sight)) - 1,
        stops=sum(step.action == "stop" for step in order),
    )
    return whole._replace(lines=lines, sight=sight, asked=id)
