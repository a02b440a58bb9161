"""What has landed already, also where it was squashed or rebased elsewhere: the proof, or nothing. Read-only."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from git_fleet.analysis import ancestry
from git_fleet.analysis.proof import Own, Proof, There, merged, prove
from git_fleet.model.errors import GitError
from git_fleet.model.fleet import Landing, Repository, Snapshot
from git_fleet.model.plan import Task
from git_fleet.repo import compare, drivers, git, lineage, merging, patches

FARTHEST = 2000
"""Commits of the base since a branch left it, and commits of a branch, that are looked at. What is beyond is unknown,
and unknown is not landed."""
MOST_PATHS = 1000
"""Changes of more paths are not looked for in parts of a commit."""


class _Branch(NamedTuple):
    tip: str
    start: str
    """Where it left the base."""
    own: tuple[str, ...]
    since: tuple[str, ...]
    """Commits that the base has got meanwhile, newest first."""
    linear: bool
    paths: frozenset[str] = frozenset()
    """What it changes."""


def of_tasks(snapshot: Snapshot, tasks: Iterable[Task]) -> dict[str, Proof]:
    """By task id: the proof for each branch that has landed although the base lacks commits of it."""
    tips = {
        task.ref: snapshot.branches[task.ref].tip
        for task in tasks
        if (distance := snapshot.distances.get(task.ref))
        and distance.ahead
        and distance.behind  # a base that got nothing meanwhile has got no branch
    }
    found = proofs(snapshot.repository, snapshot.base.commit, tips)
    return {task.id: proof for task in tasks if (proof := found.get(task.ref))}


def with_proven(snapshot: Snapshot, tasks: Iterable[Task]) -> Snapshot:
    """The same, knowing also which of these tasks were squashed or rebased onto the base by somebody else."""
    there = {task.id: task for task in tasks if task.id not in snapshot.landings}
    proven = of_tasks(snapshot, there.values())
    tips = {id: snapshot.branches[there[id].ref].tip for id in proven}
    landings = {id: Landing(id, tips[id], proof.commit) for id, proof in proven.items()}
    return snapshot._replace(landings=snapshot.landings | landings)


def proofs(repository: Repository, base: str, tips: Mapping[str, str]) -> dict[str, Proof | None]:
    """By full ref name: the proof that the branch at this tip is in the commit `base`; None without one.

    A branch without commits of its own has nothing that could have landed. A handful of processes for all.
    """
    found: dict[str, Proof | None] = dict.fromkeys(tips)
    if not tips:
        return found
    heads = list(dict.fromkeys(tips.values()))
    graph = lineage.graph(repository, base, heads)
    own, since = ancestry.own_commits(graph, base, heads), ancestry.lacked(graph, base, heads)
    inside = {ref: tip for ref, tip in tips.items() if not own[tip]}
    found |= _of_ancestors(repository, base, inside)
    parents = dict(graph)
    outside = {tip: own[tip] for tip in tips.values() if own[tip] and since[tip]}
    starts = _starts(repository, base, outside, parents)
    branches = [
        _Branch(tip, start, own[tip], since[tip][:FARTHEST], all(len(parents[commit]) == 1 for commit in own[tip]))
        for tip, start in starts.items()
    ]
    try:
        by_tip = _by_content(repository, base, branches, parents) if branches else {}
    except GitError:  # objects are missing, as in a partial clone: unknown
        return found
    return found | {ref: by_tip.get(tip) for ref, tip in tips.items() if ref not in inside}


def _of_ancestors(repository: Repository, base: str, tips: Mapping[str, str]) -> dict[str, Proof]:
    """Tips in the base's history: beside its own line somebody merged them, on it the reflog must know of work."""
    if not tips:
        return {}
    line = set(git.first_parents(repository, base, FARTHEST))
    began = git.refs(repository, git.ORIGINS)
    return {
        ref: merged(tip)
        for ref, tip in tips.items()
        if began.get(f"{git.ORIGINS}{ref.removeprefix('refs/heads/')}") != tip
        and ((tip not in line and len(line) < FARTHEST) or tip in git.own_commits(repository, ref))
    }


def _starts(
    repository: Repository,
    base: str,
    own: Mapping[str, Sequence[str]],
    parents: Mapping[str, Sequence[str]],
) -> dict[str, str]:
    """Where each tip left the base. Where all its commits stand on one commit of the base, that is it."""
    found: dict[str, str] = {}
    several = []
    for tip, commits in own.items():
        mine = set(commits)
        below = {parent for commit in commits for parent in parents[commit] if parent not in mine}
        if len(below) == 1:
            found[tip] = below.pop()
        elif below:
            several.append(tip)
    asked = git.merge_bases(repository, base, several)
    return found | {tip: start for tip, start in zip(several, asked, strict=True) if start}


def _by_content(
    repository: Repository, base: str, branches: Sequence[_Branch], parents: Mapping[str, Sequence[str]]
) -> dict[str, Proof | None]:
    """By tip: what trees, merges and patch ids prove of branches with commits that the base lacks."""
    wanted = [commit for one in branches for commit in (one.tip, one.start, *_of_few(one), *one.since)]
    trees = git.trees_of(repository, [base, *wanted, *_parents_of(branches, parents)])
    branches = [one for one in branches if trees[one.tip] != trees[one.start]]  # else it changes nothing
    with merging.quarantine(repository, base, offline=True) as place:
        branches = _met(place, branches, trees)
        merges = merging.merges(place, [(base, one.tip) for one in branches])
        changes = _patches(place, branches, parents, trees)
        same = [one for one, merge in zip(branches, merges, strict=True) if merge.clean and merge.tree == trees[base]]
        adding_nothing = same and _by_git_alone(place, same, trees)
        found: dict[str, Proof | None] = {}
        for one in branches:
            own = changes.own(one)._replace(tree=trees[one.tip], adds_nothing=one in adding_nothing)
            since = [There(commit, trees[commit], changes.ids.get(commit)) for commit in one.since]
            proof = found[one.tip] = prove(own, base, since)
            if proof is not None and not own.adds_nothing:
                parts = _parts(place, one, changes, one.since[: one.since.index(proof.commit)])
                since = [there._replace(parts=tuple(parts.get(there.commit, ()))) for there in since]
                found[one.tip] = prove(own, base, since)
    return found


def _parts(place: merging.Quarantine, one: _Branch, changes: "_Changes", later: Sequence[str]) -> dict[str, list[str]]:
    """By later commit: the patch ids by which it takes changes of the branch back, while it changes other paths, too.

    Who gives a file another name takes nothing back.
    """
    found: dict[str, list[str]] = {}
    for commit in (changes.wholes[one.tip], *_of_few(one)):
        paths, back = changes.touched[commit], changes.ids.get(changes.backs[commit])
        more = [other for other in later if set(paths) < set(changes.touched[other])]
        told = patches.ids(place, more, paths) if back and len(paths) <= MOST_PATHS else {}
        for other, patch in told.items():
            if patch == back and patches.renamed(place, other).isdisjoint(paths):
                found.setdefault(other, []).append(patch)
    return found


def _met(place: merging.Quarantine, branches: Sequence[_Branch], trees: Mapping[str, str]) -> list[_Branch]:
    """Those of which the base has touched a path since: of all others nothing can have landed."""
    touched = patches.paths(place, list(dict.fromkeys(commit for one in branches for commit in one.since)))
    own = compare.between(place, [(trees[one.start], trees[one.tip]) for one in branches])
    changing = [one._replace(paths=frozenset(paths)) for one, paths in zip(branches, own, strict=True)]
    return [one for one in changing if any(not one.paths.isdisjoint(touched[commit]) for commit in one.since)]


def _by_git_alone(place: merging.Quarantine, branches: Sequence[_Branch], trees: Mapping[str, str]) -> list[_Branch]:
    """Those whose merge no driver of the user's has a part in: one may drop a side, which then was never there.

    What the base has got since under a new name may be what a branch changes under the old one.
    """
    rules = drivers.rules(place.repository)
    if not drivers.named_somewhere(rules, merging.top(place)):
        return list(branches)
    since = compare.between(place, [(trees[one.start], trees[place.base]) for one in branches])
    new = [{path for path, (old, _) in paths.items() if not old[1].strip("0")} for paths in since]
    asked = [path for one, more in zip(branches, new, strict=True) for path in (*one.paths, *more)]
    told = drivers.of_paths(place.repository, asked, merging.top(place), place.env)
    driven = {path for path, name in told.items() if drivers.is_custom(rules, name)}
    return [one for one, more in zip(branches, new, strict=True) if driven.isdisjoint(one.paths | more)]


def _of_few(one: _Branch) -> tuple[str, ...]:
    """Its commits, where each of them may be looked at: a merge is more than what it changes."""
    return one.own if one.linear and len(one.own) <= FARTHEST else ()


def _parents_of(branches: Sequence[_Branch], parents: Mapping[str, Sequence[str]]) -> list[str]:
    return [parents[commit][0] for one in branches for commit in _of_few(one)]


class _Changes(NamedTuple):
    """Patch ids and paths by commit; `backs` are make-believe commits that take a commit back, `wholes` a branch in
    one."""

    ids: Mapping[str, str]
    wholes: Mapping[str, str]
    backs: Mapping[str, str]
    touched: Mapping[str, tuple[str, ...]]

    def own(self, one: _Branch) -> Own:
        whole = self.wholes[one.tip]
        named = [(commit, self.ids.get(commit), self.ids.get(self.backs[commit])) for commit in (whole, *_of_few(one))]
        return Own(
            tree="",
            patches=tuple(patch for commit, patch, _ in named[1:] if patch),
            whole=self.ids.get(whole),
            takes_back=tuple((patch, back) for _, patch, back in named if patch and back),
        )


def _patches(
    place: merging.Quarantine,
    branches: Sequence[_Branch],
    parents: Mapping[str, Sequence[str]],
    trees: Mapping[str, str],
) -> _Changes:
    """Of all that could be the same change, the patch ids: what changes other paths is another change."""
    made = merging.commits(place, [(trees[one.tip], (one.start,)) for one in branches])
    wholes = {one.tip: whole for one, whole in zip(branches, made, strict=True)}
    single = list(dict.fromkeys(commit for one in branches for commit in _of_few(one)))
    reverses = [(trees[one.start], (wholes[one.tip],)) for one in branches]
    reverses += [(trees[parents[commit][0]], (commit,)) for commit in single]
    forward = [*wholes.values(), *single]
    backs = dict(zip(forward, merging.commits(place, reverses), strict=True))
    touched = patches.paths(place, [*forward, *dict.fromkeys(commit for one in branches for commit in one.since)])
    mine = {touched[commit] for commit in forward if touched[commit]}
    same = [commit for commit, paths in touched.items() if paths in mine and commit not in backs]
    return _Changes(patches.ids(place, [*forward, *backs.values(), *same]), wholes, backs, touched)
