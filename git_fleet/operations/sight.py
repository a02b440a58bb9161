"""One look at any lines of work, uncommitted work included: conflicts with the base and each other, order and stops."""

import os
from collections.abc import Callable, Mapping
from typing import NamedTuple

from git_fleet.analysis import ancestry
from git_fleet.analysis import order as orders
from git_fleet.analysis.ancestry import Ancestry
from git_fleet.model.fleet import Dirt, PairVerdict, Radar
from git_fleet.model.landing import Action, Candidate, OrderStep
from git_fleet.model.sight import Hunk, Sight, Tip
from git_fleet.operations import radar as radars
from git_fleet.operations.context import Context
from git_fleet.operations.radar import Scan, Side
from git_fleet.operations.verdicts import Judge, memory_of
from git_fleet.repo import drivers, git, lineage, live, looking, merging
from git_fleet.repo.merging import Quarantine

DirtSoon = Callable[[], Mapping[str, Dirt | None]]

_CUT = "the history ends before it left the base (shallow clone)"


class _Work(NamedTuple):
    """What lies in the worktrees: uncommitted work to count, by key; who is in the middle of something; remarks."""

    dirt: dict[str, Dirt]
    operations: dict[str, str]
    notes: list[str]
    unknown: dict[str, str]


def look(
    context: Context,
    tips: Mapping[str, Tip],
    *,
    wishes: Mapping[str, Candidate] | None = None,
    committed: bool = False,
    hunks: bool = False,
    remember: bool = False,
    memo: bool = True,
    dirt_soon: DirtSoon | None = None,
    family: Ancestry | None = None,
) -> Sight:
    """What would happen if these tips landed on `context.base`; nothing is left behind in the repository.

    `tips` are by key. `wishes` say by key what the landing order should heed (`needs`, by key, `priority`, `joint`).
    `committed` leaves uncommitted work out. `hunks` asks for both sides of every conflict. `remember` may write results
    into the journal; `memo` may read them from there. `dirt_soon` (looking.dirt_soon) and `family` are for who knows
    these already. Raises GitError or Fatal.
    """
    repository, base = context.repository, context.base
    family, unknown = _family(context, tips, family)
    rules = drivers.rules(repository)  # asked while the worktrees are still being looked into
    memory = memory_of(repository, rules, write=remember) if memo else None
    work = _work(context, tips, dirt_soon, committed=committed)
    unknown |= work.unknown
    ahead = {key: tip for key, tip in tips.items() if key in work.dirt or family.distances[tip.commit].ahead}
    if not ahead:
        return _sight(tips, Scan(radars.NOTHING, 0, 0), work, family, (), {}, {})
    dirt = {tips[key].worktree or "": seen for key, seen in work.dirt.items()}
    with merging.quarantine(repository, base.commit, offline=True, heavy=live.heavy(dirt)) as place:
        judge = Judge(place, rules, memory, with_hunks=hunks)
        sides, failed = _sides(context, place, ahead, family, work)
        doubts = {key: why for key, why in (unknown | failed).items() if key in sides}
        found = radars.scan(judge, base, sides, family, doubts)
        changed = _changed(context, place, found.radar, sides)
        order = _order(found.radar, {key: ahead[key] for key in sides}, family, wishes or {})
        return _sight(tips, found, work, family, order, changed, judge.hunks())


def _family(context: Context, tips: Mapping[str, Tip], known: Ancestry | None) -> tuple[Ancestry, dict[str, str]]:
    """How the tips stand to the base, and those of which too little history is there."""
    base, commits = context.base.commit, list(dict.fromkeys(tip.commit for tip in tips.values()))
    ends = git.cut_commits(context.repository)
    if known and not ends:
        return known, {}
    graph = lineage.graph(context.repository, base, commits) if commits else []
    cut = ancestry.cut(graph, base, commits, ends) if ends else ()
    unknown = {key: _CUT for key, tip in tips.items() if tip.commit in cut}
    return known or ancestry.distances(graph, base, commits), unknown


def _work(context: Context, tips: Mapping[str, Tip], dirt_soon: DirtSoon | None, *, committed: bool) -> _Work:
    tops = {key: tip.worktree for key, tip in tips.items() if tip.worktree and os.path.isdir(tip.worktree)}
    heads = {tree.path: tree.head for tree in context.worktrees}
    work = _Work({}, {}, [], {})
    if committed:
        found: Mapping[str, Dirt | None] = {top: _only_operation(top) for top in tops.values()}
    else:
        found = dirt_soon() if dirt_soon else {}
        missing = [top for top in tops.values() if top not in found]
        found = {**found, **(looking.dirt(missing) if missing else {})}
    for key, top in tops.items():
        seen = found[top]
        if seen is None:
            work.unknown[key] = f"git cannot look into its worktree '{top}'"
        elif seen.operation:
            work.operations[key] = seen.operation
            work.notes.append(f"{key} is in the middle of a {seen.operation}: compared by its last commit")
        elif seen.unmerged:
            work.unknown[key] = f"not resolved yet in its worktree: {', '.join(seen.unmerged[:3])}"
        elif seen.paths and heads.get(top, tips[key].commit) != tips[key].commit:
            work.notes.append(f"the worktree of {key} is somewhere else: uncommitted work there is not counted")
        elif seen.paths:
            work.dirt[key] = seen
    return work


def _only_operation(top: str) -> Dirt:
    private = git.private_dir(top)
    return Dirt(operation=looking.operation_in_progress(private) if private else None)


def _sides(
    context: Context, place: Quarantine, tips: Mapping[str, Tip], family: Ancestry, work: _Work
) -> tuple[dict[str, Side], dict[str, str]]:
    """What to merge of each tip, with a make-believe commit of its uncommitted work; and why that cannot be said."""
    dirty = {key: tips[key].worktree or "" for key in work.dirt}
    seen = live.trees(place, {top: work.dirt[key] for key, top in dirty.items()})
    made = {key: tree for key, top in dirty.items() if (tree := seen[top].tree)}
    work.notes.extend(
        f"{key}: '{path}' is too big to be read while it is not committed: only its name counts"
        for key, top in dirty.items()
        for path in seen[top].unread
    )
    commits = merging.commits(place, [(tree, (tips[key].commit,)) for key, tree in made.items()])
    heads = dict(zip(made, commits, strict=True))
    failed = {key: f"uncommitted work cannot be read: {seen[top].why}" for key, top in dirty.items() if key not in made}
    as_is = [tip.commit for key, tip in tips.items() if key not in made and not family.distances[tip.commit].behind]
    trees = git.trees_of(context.repository, as_is)
    sides = {
        key: Side(tip.commit, heads.get(key, tip.commit), made.get(key) or trees.get(tip.commit, ""))
        for key, tip in tips.items()
    }
    return sides, failed


def _changed(
    context: Context, place: Quarantine, radar: Radar, sides: Mapping[str, Side]
) -> dict[str, tuple[str, ...]]:
    """The paths that each side changes; of those that do not merge with the base, since they left it."""
    others = [key for key in sides if key not in radar.changes]
    forks = dict(
        zip(
            others,
            git.merge_bases(context.repository, context.base.commit, [sides[key].tip for key in others]),
            strict=True,
        )
    )
    asked = {key: (fork, sides[key].head) for key, fork in forks.items() if fork}
    since = dict(zip(asked, merging.changed_since(place, list(asked.values())), strict=True))
    return {
        key: tuple(change.path for change in radar.changes[key]) if key in radar.changes else since.get(key, ())
        for key in sides
    }


def _order(
    radar: Radar, tips: Mapping[str, Tip], family: Ancestry, wishes: Mapping[str, Candidate]
) -> tuple[OrderStep, ...]:
    """The landing order. What nobody can tell has to stop, and says so."""
    conflicts: dict[str, set[str]] = {}
    for pair in radar.pairs:
        if pair.verdict is not PairVerdict.CLEAN:
            conflicts.setdefault(pair.keys[0], set()).add(pair.keys[1])
    shared = {frozenset(pair.keys): pair.paths for pair in radar.pairs}
    before = {(pair.first, key) for pair in radar.pairs if pair.first for key in pair.keys if key != pair.first}
    below = family.stands_on({key: tip.commit for key, tip in tips.items()})
    candidates = [
        wishes.get(key, Candidate(key))._replace(
            id=key,
            size=len(radar.changes.get(key, ())),
            base_conflict=key not in radar.merged,
            stands_on=below.get(key, ()),
        )
        for key in tips
    ]
    return tuple(
        step._replace(reason=f"not known: {radar.unknown[step.id]}")
        if step.action is Action.STOP and step.id in radar.unknown
        else step
        for step in orders.order(candidates, conflicts, before, shared)
    )


def _sight(
    tips: Mapping[str, Tip],
    scan: Scan,
    work: _Work,
    family: Ancestry,
    order: tuple[OrderStep, ...],
    changed: Mapping[str, tuple[str, ...]],
    hunks: Mapping[tuple[str, str], tuple[Hunk, ...]],
) -> Sight:
    return Sight(
        radar=scan.radar,
        changed={key: changed.get(key, ()) for key in tips},
        dirty=frozenset(work.dirt),
        operations=work.operations,
        behind={key: family.distances[tip.commit].behind for key, tip in tips.items()},
        lines=dict(scan.radar.lines),
        order=order,
        stops=sum(step.action is Action.STOP for step in order),
        notes=tuple(work.notes),
        compared=scan.compared,
        remembered=scan.remembered,
        pairs_total=len(tips) * (len(tips) - 1) // 2,
        hunks=hunks,
    )
