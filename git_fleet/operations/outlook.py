"""What bears on a plan besides its own text: files, history, branches, worktrees, and past tasks. Read-only."""

from collections.abc import Iterable, Mapping

from git_fleet.analysis import ancestry
from git_fleet.analysis import view as views
from git_fleet.journal import database
from git_fleet.model.errors import GitError
from git_fleet.model.fleet import Outlook, Snapshot
from git_fleet.model.journal import ChangeKind, Operation
from git_fleet.model.plan import Footprint, PlanView, SourceKind, Task
from git_fleet.operations import survey
from git_fleet.operations.context import Context
from git_fleet.repo import footprints, git, lineage, merging

HISTORY = 2000
"""Commits of the base that are looked at, unless somebody says otherwise."""
REMERGED = 300
"""Past merges that are done once more, to see who conflicted: half a millisecond each."""
LONGEST_S = 8 * 3600.0
"""A task that took longer than a working day was waiting for somebody, too: that says nothing about the work."""


def view(context: Context) -> PlanView:
    """The plan as every deed sees it: who overlaps whom is judged by the files that there are, as `plan` does it.

    The base's tree is read only where owned patterns meet.
    """
    found = views.view(context.plan)
    return views.view(context.plan, Outlook(files=_files(context))) if found.overlaps else found


def look(context: Context, depth: int = HISTORY) -> Outlook:
    """One look; `depth` commits of the base's history, none for 0. Without a written plan there is little to see."""
    settings, plan = context.settings, context.plan
    here = Outlook(limit=settings.limit, review_s=settings.review_s)
    if plan.source.kind is SourceKind.WORKTREES:
        return here
    snapshot, _ = survey.look(context)
    spent_s, gate_s, review_s = _experience(context, plan.tasks)
    return here._replace(
        files=_files(context),
        history=_history(context, depth),
        conflicts=_conflicts(context, min(depth, REMERGED)),
        snapshot=snapshot,
        changed=_changed(context, snapshot),
        spent_s=spent_s,
        gate_s=gate_s,
        review_s=review_s,
    )


def _files(context: Context) -> tuple[str, ...] | None:
    """The base's files; None where a partial clone does not have them."""
    try:
        return git.tree_paths(context.repository, context.base.tree)
    except GitError:
        return None


def _history(context: Context, depth: int) -> tuple[Footprint, ...] | None:
    """What the last commits of the base changed; None where nobody asked, or a partial clone does not have them."""
    if not depth:
        return None
    try:
        commits = footprints.history(context.repository, context.base.commit, depth)
        return tuple(footprints.footprints(context.repository, commits).values())
    except GitError:
        return None


def _conflicts(context: Context, most: int) -> tuple[tuple[str, ...], ...]:
    """The paths in which past merges conflicted: each is done once more, in a quarantine."""
    repository, base = context.repository, context.base.commit
    pairs = footprints.merges(repository, base, most) if most else []
    if not pairs:
        return ()
    with merging.quarantine(repository, base, offline=True) as place:
        return tuple(merge.paths for merge in merging.merges(place, pairs) if not (merge.clean or merge.why))


def _changed(context: Context, snapshot: Snapshot) -> dict[str, tuple[str, ...]]:
    """What each task's branch changed, all branches in one go."""
    repository, base = context.repository, context.base.commit
    refs = [task.ref for task in context.plan.tasks if task.ref in snapshot.distances]
    tips = {ref: snapshot.branches[ref].tip for ref in refs if snapshot.distances[ref].ahead}
    if not tips:
        return {}
    different = list(dict.fromkeys(tips.values()))
    own = ancestry.own_commits(lineage.graph(repository, base, different), base, different)
    wanted = list(dict.fromkeys(commit for commits in own.values() for commit in commits))
    try:
        found = footprints.footprints(repository, wanted)
    except GitError:
        return {}
    return {ref: _paths(own[tip], found) for ref, tip in tips.items()}


def _paths(commits: Iterable[str], found: Mapping[str, Footprint]) -> tuple[str, ...]:
    return tuple(sorted({path for commit in commits if commit in found for path in found[commit].paths}))


def _experience(context: Context, tasks: Iterable[Task]) -> tuple[tuple[float, ...], float, float]:
    """How long tasks that have landed took, from `add` to `land`; the gates on one merge; and one review."""
    from git_fleet.analysis import reviewing  # status does without
    from git_fleet.journal import reviews

    with database.opened_to_read(context.repository.fleet_dir) as journal:
        if journal is None:
            return (), 0.0, context.settings.review_s
        landed = dict(journal.landed_at())
        began = began_by_ref(journal.operations()) if landed else {}
        seconds = journal.gate_seconds()
        read = reviewing.lasted(reviews.events(journal))
    from statistics import median

    spent = [landed[task.id] - began[task.ref] for task in tasks if task.id in landed and task.ref in began]
    gates = len(context.settings.gates)
    gate_s = gates * median(seconds) if seconds else 0.0
    review_s, _ = reviewing.likely(read, context.settings.review_s)
    return tuple(one for one in spent if 60.0 <= one <= LONGEST_S), gate_s, review_s


def began_by_ref(operations: Iterable[Operation]) -> dict[str, float]:
    """When `add` made each branch, by full ref name; newest first go in."""
    return {
        change.name: operation.began_s
        for operation in operations
        if operation.kind == "add"
        for change in operation.changes
        if change.kind is ChangeKind.REF and change.before is None
    }
