"""Who conflicts with the base, and who with whom: real merges, of those only that could.

Each branch is first merged with the base and becomes one make-believe commit on it, so that a branch's age counts
against the base and never against a sibling. Where two branches share commits that the base lacks, that would hide
their history: they are merged as they would land, one after the other, in both orders.
"""

from collections.abc import Mapping, Sequence

from git_fleet.analysis.ancestry import Ancestry
from git_fleet.analysis.candidates import candidates
from git_fleet.model.fleet import Base, Branch, Change, Pair, PairVerdict, Radar, Repository
from git_fleet.repo import merging

NOTHING = Radar({}, {}, {}, {}, ())


def look(repository: Repository, base: Base, tips: Mapping[str, Branch], family: Ancestry) -> Radar:
    """Merge each tip with the base and each candidate pair with each other; nothing is left behind in the repository.

    `tips` are by the key that the answer uses, each with commits that the base lacks; `family` knows them all.
    """
    if not tips:
        return NOTHING
    with merging.quarantine(repository, base.commit) as place:
        merged, conflicts = _with_base(place, base, tips, family)
        found = merging.changes(place, base.tree, list(merged.values()))
        changes = {key: rows for key, (rows, _) in zip(merged, found, strict=True)}
        lines = {key: count for key, (_, count) in zip(merged, found, strict=True)}
        return Radar(conflicts, merged, changes, lines, _pairs(place, base, tips, family, merged, changes))


def _with_base(
    place: merging.Quarantine, base: Base, tips: Mapping[str, Branch], family: Ancestry
) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """(key -> tree of the merge, key -> conflicting paths). What lacks nothing of the base is its own merge."""
    behind = [key for key, branch in tips.items() if family.distances[branch.tip].behind]
    merges = merging.merges(place, [(base.commit, tips[key].tip) for key in behind])
    trees = dict(zip(behind, merges, strict=True))
    merged, conflicts = {}, {}
    for key, branch in tips.items():
        merge = trees.get(key)
        if merge is None or merge.clean:
            merged[key] = merge.tree if merge else branch.tree
        else:
            conflicts[key] = merge.paths or ((merge.why,) if merge.why else ())
    return merged, conflicts


def _pairs(
    place: merging.Quarantine,
    base: Base,
    tips: Mapping[str, Branch],
    family: Ancestry,
    merged: Mapping[str, str],
    changes: Mapping[str, Sequence[Change]],
) -> tuple[Pair, ...]:
    asked = list(candidates(changes))
    stacked = [family.share(tips[one].tip, tips[other].tip) for one, other, _ in asked]
    involved = list(dict.fromkeys(key for one, other, _ in asked for key in (one, other)))
    flat = dict(zip(involved, merging.commits(place, [(merged[key], (base.commit,)) for key in involved]), strict=True))
    piled = involved if any(stacked) else []
    landed = merging.commits(place, [(merged[key], (base.commit, tips[key].tip)) for key in piled])
    real = dict(zip(piled, landed, strict=True))
    merges: list[tuple[str, str]] = []
    for (one, other, _), together in zip(asked, stacked, strict=True):
        if together:
            merges += [(real[one], tips[other].tip), (real[other], tips[one].tip)]
        else:
            merges.append((flat[one], flat[other]))
    answers = iter(merging.merges(place, merges))
    return tuple(
        _stacked_pair((one, other), shared, next(answers), next(answers))
        if together
        else _pair((one, other), shared, next(answers))
        for (one, other, shared), together in zip(asked, stacked, strict=True)
    )


def _pair(keys: tuple[str, str], shared: tuple[str, ...], merge: merging.Merge) -> Pair:
    verdict = PairVerdict.CLEAN if merge.clean else PairVerdict.UNKNOWN if merge.why else PairVerdict.CONFLICT
    return Pair(keys, verdict, merge.paths or shared)


def _stacked_pair(
    keys: tuple[str, str], shared: tuple[str, ...], in_order: merging.Merge, reverse: merging.Merge
) -> Pair:
    if not in_order.clean and not reverse.clean:
        return Pair(keys, PairVerdict.CONFLICT, in_order.paths or shared)
    first = None if in_order.clean and reverse.clean else keys[0] if in_order.clean else keys[1]
    return Pair(keys, PairVerdict.CLEAN, shared, first)
