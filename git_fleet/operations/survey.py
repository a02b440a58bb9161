"""One look at the repository, and the plan joined with what was seen. Read-only: takes no lock, writes nothing."""

import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache

from git_fleet.analysis import ancestry, ownership
from git_fleet.analysis import state as states
from git_fleet.journal import database
from git_fleet.model.agent import Agent
from git_fleet.model.fleet import (
    Branch,
    Dirt,
    Fleet,
    Landing,
    Lines,
    Repository,
    Snapshot,
    State,
    TaskReport,
    Worktree,
)
from git_fleet.model.plan import PlanView, SourceKind, Task
from git_fleet.model.sight import Sight, Tip
from git_fleet.operations import landed
from git_fleet.operations import sight as sights
from git_fleet.operations.context import Context
from git_fleet.plan import names
from git_fleet.repo import git, lineage

HISTORY = 2000
"""First parents of the base that are searched for `Fleet-Task:` trailers of tasks whose branch is gone."""


def lane_path(repository: Repository, number: int = 1) -> str:
    """Where our scratch worktrees are: beside the main worktree, since test runners behave oddly inside `.git`."""
    parent = os.path.dirname(repository.main.rstrip("/"))
    return f"{parent}/{repository.name}-lane-{number}"


def is_lane(repository: Repository, tree: Worktree) -> bool:
    """Is this one of our scratch worktrees?"""
    prefix = lane_path(repository).removesuffix("1")
    return tree.branch is None and re.fullmatch(re.escape(prefix) + r"\d+", tree.path) is not None


def look(context: Context) -> tuple[Snapshot, ancestry.Ancestry]:
    """The refs, worktrees, distances and landings of this instant, and which branches are stacked."""
    repository, base = context.repository, context.base
    found = git.branches(repository, ("refs/heads/", git.ORIGINS))
    heads = {ref: branch for ref, branch in found.items() if ref.startswith("refs/heads/") and ref != base.ref}
    origins = {
        f"refs/heads/{ref.removeprefix(git.ORIGINS)}": branch.tip
        for ref, branch in found.items()
        if ref.startswith(git.ORIGINS)
    }
    wanted = _wanted(context, heads)
    tips = {ref: heads[ref].tip for ref in wanted}
    commits = lineage.graph(repository, base.commit, list(dict.fromkeys(tips.values()))) if tips else []
    family = ancestry.distances(commits, base.commit, list(dict.fromkeys(tips.values())))
    snapshot = Snapshot(
        repository=repository,
        base=base,
        worktrees=context.worktrees,
        branches=heads,
        distances={ref: family.distances[tip] for ref, tip in tips.items()},
        origins=origins,
        landings={},
        marks=context.marks,
        agents=context.agents,
    )
    return snapshot._replace(landings=_landings(context, snapshot)), family


def _wanted(context: Context, heads: Mapping[str, Branch]) -> list[str]:
    """The branches that concern us: those of tasks and those checked out somewhere."""
    refs = [task.ref for task in context.plan.tasks] + [tree.branch or "" for tree in context.worktrees]
    return [ref for ref in dict.fromkeys(refs) if ref in heads]


def _landings(context: Context, snapshot: Snapshot) -> dict[str, Landing]:
    """Proof, by task id, that a task is in the base: ancestry first, then our journal, then trailers in the history."""
    proven: dict[str, Landing] = {}
    gone = [task for task in context.plan.tasks if task.ref not in snapshot.branches]
    inside = [
        task for task in context.plan.tasks if task.ref in snapshot.branches and not snapshot.distances[task.ref].ahead
    ]
    began = {task.ref: _origin(context, snapshot, task) for task in inside}
    moved = {task.ref for task in inside if not _still_there(snapshot, task, began)}
    asked = [task for task in inside if task.ref in moved or task.ref not in snapshot.origins]
    depth = max((snapshot.distances[task.ref].behind for task in asked), default=0) + 1
    line = set(git.first_parents(context.repository, context.base.commit, depth)) if asked else set()
    for task in asked:
        tip = snapshot.branches[task.ref].tip
        beside = tip not in line  # merged: on a side line of the base's history
        if beside or (task.ref in moved and _worked_on(context, task, tip)):
            proven[task.id] = Landing(task.id, tip, context.base.commit)
    if gone:
        proven.update(_recorded_landings(context, gone))
    return proven | _landed_otherwise(context, snapshot)


def _landed_otherwise(context: Context, snapshot: Snapshot) -> dict[str, Landing]:
    """Branches that were squashed or rebased onto the base as they are now: their own commits are not in it."""
    outside = {
        task.id: snapshot.branches[task.ref].tip
        for task in context.plan.tasks
        if task.ref in snapshot.branches and snapshot.distances[task.ref].ahead and snapshot.distances[task.ref].behind
    }
    if not outside:
        return {}
    with database.opened_to_read(context.repository.fleet_dir) as journal:
        recorded = [one for one in (journal.landings() if journal else ()) if outside.get(one.task) == one.tip]
    there = lineage.contained(context.repository, context.base.commit, [one.commit for one in recorded])
    return {one.task: one for one in recorded if one.commit in there}


def _origin(context: Context, snapshot: Snapshot, task: Task) -> str | None:
    """Where a branch began: recorded by `add`, else the oldest entry of its reflog."""
    recorded = snapshot.origins.get(task.ref)
    return recorded or git.oldest_reflog_entry(context.repository, task.ref)


def _still_there(snapshot: Snapshot, task: Task, began: Mapping[str, str | None]) -> bool:
    """Is a branch where it began? Then it has no commits, and a branch without commits has not landed."""
    return began[task.ref] in (None, snapshot.branches[task.ref].tip)


def _worked_on(context: Context, task: Task, tip: str) -> bool:
    """Is work of a branch in the base, on whose own line it stands? It may only have caught up with it."""
    repository, base = context.repository, context.base.commit
    own = git.own_commits(repository, task.ref)
    return tip in own or any(git.is_ancestor(repository, commit, base) for commit in own)


def _recorded_landings(context: Context, tasks: Sequence[Task]) -> dict[str, Landing]:
    repository, base = context.repository, context.base
    ids = {task.id for task in tasks}
    with database.opened_to_read(repository.fleet_dir) as journal:
        recorded = [landing for landing in (journal.landings() if journal else ()) if landing.task in ids]
    found = {
        landing.task: landing
        for landing in recorded
        if landing.commit == base.commit or git.is_ancestor(repository, landing.commit, base.commit)
    }
    if ids - found.keys():
        for commit, tip, task in git.task_trailers(repository, base.commit, HISTORY):
            if task in ids:
                found.setdefault(task, Landing(task, tip, commit))
    return found


def fleet(context: Context, view: PlanView, dirt_soon: Callable[[], dict[str, Dirt | None]]) -> Fleet:
    """The whole picture: states, distances, real conflicts, drift, and the dirt that is being looked for meanwhile."""
    snapshot, family = look(context)
    standings = _standings(context, view, snapshot)
    extra = unplanned(context, standings)
    tips = _radar_tips(context, snapshot, standings, extra)
    looked = cache(dirt_soon)
    seen = sights.look(context, tips, dirt_soon=looked, family=family)
    dirt = looked()
    merged = seen.radar.merged
    snapshot = landed.with_proven(snapshot, [t for t in context.plan.tasks if merged.get(t.ref) == context.base.tree])
    standings = _standings(context, view, snapshot)
    with database.opened_to_read(context.repository.fleet_dir) as journal:
        gates = journal.gates_by_task() if journal else {}
    waves = {id: number for number, wave in enumerate(view.waves, 1) for id in wave}
    tasks = {task.id: task for task in (*context.plan.tasks, *(task for task, _ in extra))}
    keys = {task.ref: task.id for task in reversed(tasks.values())}
    reports = []
    for id, task in tasks.items():
        standing = standings.get(id) or states.Standing(State.ACTIVE, dict(extra)[task])
        report = _report(task, standing, snapshot, seen, keys, dirt)
        report = report._replace(wave=waves.get(id), gate=gates.get(id, "none"))
        reports.append(_with_quiet(report, snapshot.agents.get(id), context.settings.quiet_after_s))
    planned = len(context.plan.tasks)
    return Fleet(
        plan=context.plan,
        snapshot=snapshot,
        reports=tuple(reports[:planned]),
        unplanned=tuple(reports[planned:]),
        base_dirt=_base_dirt(context, dirt),
    )


def _with_quiet(report: TaskReport, agent: Agent | None, after_s: float) -> TaskReport:
    """Of an agent that runs: since when it has neither said nor changed anything, where that is long."""
    if agent is None or not agent.alive or report.state is not State.RUNNING:
        return report
    paths = [agent.log, *(os.path.join(agent.worktree, path) for path in (report.dirt.paths if report.dirt else ()))]
    times = [os.lstat(path).st_mtime for path in paths if os.path.lexists(path)]
    times += [agent.began_s, report.branch.committed_s if report.branch else 0]
    quiet = states.quiet(time.time() - max(times), after_s)
    return report._replace(reason="; ".join(filter(None, (report.reason, quiet))) or None)


def _standings(context: Context, view: PlanView, snapshot: Snapshot) -> dict[str, states.Standing]:
    standings = states.standings(context.plan, snapshot, view.overlaps)
    for id, old in older_branches(context, snapshot, standings).items():
        why = f"'{old}' was made for it under another title: name that branch in the plan"
        standings[id] = standings[id]._replace(reason=why)
    return standings


def older_branches(context: Context, snapshot: Snapshot, standings: Mapping[str, states.Standing]) -> dict[str, str]:
    """Tasks of which nothing is there, but for a branch that `add` made for their id when the title was another: its
    short name, by task id. Only where the template names the branch: what the plan names itself is meant.
    """
    named = {task.ref for task in context.plan.tasks}
    ours = [snapshot.branches[ref].short for ref in snapshot.origins if ref in snapshot.branches and ref not in named]
    found = {}
    for task in context.plan.tasks:
        last = ((short, short.rpartition("/")[2]) for short in ours)
        old = next((short for short, name in last if name == task.id or name.startswith(f"{task.id}-")), None)
        nothing = task.ref not in snapshot.branches and standings[task.id].worktree is None
        if old is not None and nothing and names.is_from_template(task, context.settings, context.repository):
            found[task.id] = old
    return found


def unplanned(context: Context, standings: Mapping[str, states.Standing]) -> list[tuple[Task, Worktree]]:
    """A task-like row for each linked worktree that no task names. Lanes of ours are not work."""
    named = {standing.worktree.path for standing in standings.values() if standing.worktree}
    taken = set(standings)
    rows = []
    for tree in context.worktrees:
        if tree.main or tree.path in named or tree.branch == context.base.ref or is_lane(context.repository, tree):
            continue
        short = (tree.branch or "").removeprefix("refs/heads/")
        row = names.row_of_branch(short or os.path.basename(tree.path))
        id = next(name for name in (row.id, short or tree.path, tree.path) if name not in taken)
        taken.add(id)
        task = Task(id=id, title=row.title or "", slug="", branch=short, worktree=tree.path)
        rows.append((task, tree))
    return rows


def _radar_tips(
    context: Context,
    snapshot: Snapshot,
    standings: Mapping[str, states.Standing],
    extra: Sequence[tuple[Task, Worktree]],
) -> dict[str, Tip]:
    """The branches whose conflicts matter, by ref: begun and not landed. Their worktrees' uncommitted work counts."""
    over = (State.LANDED, State.DROPPED)
    tops = {task.ref: tree.path for task, tree in extra if tree.branch == task.ref}
    for task in context.plan.tasks:
        standing = standings[task.id]
        if standing.state not in over:
            tops[task.ref] = standing.worktree.path if standing.worktree else ""
    return {
        ref: Tip(ref, ref, snapshot.branches[ref].tip, top or None)
        for ref, top in tops.items()
        if ref in snapshot.distances
    }


def _report(
    task: Task,
    standing: states.Standing,
    snapshot: Snapshot,
    seen: Sight,
    keys: Mapping[str, str],
    dirt: Mapping[str, Dirt | None],
) -> TaskReport:
    ref, tree = task.ref, standing.worktree
    sight = seen.radar
    own_dirt = dirt.get(tree.path) if tree else None
    touched = (*seen.changed.get(ref, ()), *(own_dirt.paths if own_dirt else ()))
    conflicts = tuple(
        (keys[other], pair.paths)
        for pair in sight.pairs
        if pair.verdict != "clean" and ref in pair.keys
        for other in pair.keys
        if other != ref
    )
    return TaskReport(
        task=task,
        state=standing.state,
        wave=None,
        branch=snapshot.branches.get(ref),
        worktree=tree,
        distance=snapshot.distances.get(ref),
        dirt=own_dirt,
        lines=sight.lines.get(ref, Lines()) if ref in snapshot.distances else None,
        drift=ownership.drift(task.owns, touched) if standing.state is not State.LANDED else (),
        base_conflict=sight.base_conflicts.get(ref, ()),
        conflicts=conflicts,
        gate="none",
        reason=standing.reason,
        doubt=sight.unknown.get(ref),
        mark=snapshot.marks.get(task.id),
    )


def _base_dirt(context: Context, dirt: Mapping[str, Dirt | None]) -> Dirt | None:
    """Work where nobody should work. The plan's own Status cells are ours, not work."""
    at_base = next((tree for tree in context.worktrees if tree.branch == context.base.ref), None)
    found = dirt.get(at_base.path) if at_base else None
    if found is None or at_base is None:
        return None
    if context.plan.source.kind is SourceKind.MARKDOWN and context.plan.source.path:
        own = os.path.relpath(context.plan.source.path, at_base.path)
        return found._replace(
            unstaged=tuple(path for path in found.unstaged if path != own),
            untracked=tuple(path for path in found.untracked if path != own),
        )
    return found
