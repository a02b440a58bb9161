"""What the base's history says about a plan: which owned paths change together, and which files all work touches."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations

from git_fleet.analysis.ownership import Claims, excuse
from git_fleet.analysis.waves import Closure, closure
from git_fleet.model.plan import Coupling, Footprint, Hot, Overlap, Task

# Chosen with `python bench coupling`: learnt from the 2,000 commits before seven points in the history of each of two
# projects, judged by the 100 merges that followed. Of the pairs of files warned of, 92 % (flask) and 77 % (pre-commit)
# changed together there; of the changes of the rarer file, 71 % and 69 % came with the other.
LEAST_SUPPORT = 5
LEAST_CONFIDENCE = 0.6
LEAST_MUTUAL = 0.2
"""Share of the commits that changed the *commoner* path: below it, that one changes with everything."""
MOST_PATHS = 30
"""A commit that changes more paths (a rename, a reformatting) says nothing about any two of them."""
HOT_SHARE = 0.1
"""In both projects the files above it are those that open branches fight for: change log, version, central module."""
LEAST_HOT = 10
LEAST_CONFLICTS = 3
CONFLICT_SHARE = 0.2
"""Conflicts are rare: 26 in flask's last 300 merges, and two files are above this."""


def couplings(
    tasks: Sequence[Task], claims: Claims, history: Sequence[Footprint], overlaps: Sequence[Overlap]
) -> tuple[Coupling, ...]:
    """For each two tasks whose owned paths changed together often enough: the two paths that did so most surely.

    Tasks that overlap, and tasks of which one needs the other, are not named: that is known already. In plan order.
    """
    place = {task.id: at for at, task in reversed(list(enumerate(tasks)))}
    known = {overlap.tasks for overlap in overlaps}
    best: dict[tuple[str, str], Coupling] = {}
    for found in _strong(claims, history):
        one, other = found.tasks
        pair = (one, other) if place[one] < place[other] else (other, one)
        rival = best.get(pair)
        if pair in known or (rival and (rival.confidence, rival.support) >= (found.confidence, found.support)):
            continue
        paths = found.paths if pair == found.tasks else (found.paths[1], found.paths[0])
        best[pair] = found._replace(tasks=pair, paths=paths)
    by_id = {task.id: task for task in tasks}
    closed = closure(tasks) if best else Closure({}, {})
    free = [pair for pair in best if not excuse(by_id, closed, *pair)]
    return tuple(best[pair] for pair in sorted(free, key=lambda pair: (place[pair[0]], place[pair[1]])))


def hot(claims: Claims, history: Sequence[Footprint], conflicts: Sequence[Sequence[str]] = ()) -> tuple[Hot, ...]:
    """The owned files that most work touches, hottest first: by commits, by merges with both sides changing it, or by
    the past conflicts (the paths of each) that it was in.
    """
    shares: dict[str, float] = {}
    for merges in (False, True):
        kind = [commit.paths for commit in history if commit.merge is merges and commit.paths]
        for path, count in Counter(path for paths in kind for path in paths).items():
            if count >= LEAST_HOT and count >= HOT_SHARE * len(kind):
                shares[path] = max(shares.get(path, 0.0), round(count / len(kind), 2))
    counted = Counter(path for paths in conflicts for path in dict.fromkeys(paths))
    fights = {
        path: round(count / len(conflicts), 2)
        for path, count in counted.items()
        if count >= LEAST_CONFLICTS and count >= CONFLICT_SHARE * len(conflicts)
    }
    owners: dict[str, dict[str, None]] = {}
    for id, by_pattern in claims.items():
        for paths in by_pattern.values():
            for path in (shares.keys() | fights.keys()) & set(paths):
                owners.setdefault(path, {})[id] = None
    found = [Hot(path, shares.get(path, 0.0), tuple(ids), fights.get(path, 0.0)) for path, ids in owners.items()]
    return tuple(sorted(found, key=lambda one: (-max(one.share, one.conflicts), one.path)))


def _strong(claims: Claims, history: Sequence[Footprint]) -> Iterator[Coupling]:
    """Each pair of owned paths of different tasks that history changes together."""
    owners: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for id, by_pattern in claims.items():
        for pattern, paths in by_pattern.items():
            if paths:
                owners.setdefault((pattern, tuple(paths)), []).append(id)
    groups = list(owners)
    groups_of: dict[str, list[int]] = {}
    for number, (_, paths) in enumerate(groups):
        for path in paths:
            groups_of.setdefault(path, []).append(number)
    changed: Counter[int] = Counter()
    together: Counter[tuple[int, int]] = Counter()
    for commit in history:
        if not commit.merge and len(commit.paths) <= MOST_PATHS:
            touched = sorted({number for path in commit.paths for number in groups_of.get(path, ())})
            changed.update(touched)
            together.update(combinations(touched, 2))
    for (one, other), support in together.items():
        rarer, commoner = sorted((changed[one], changed[other]))
        if support >= max(LEAST_SUPPORT, LEAST_CONFIDENCE * rarer, LEAST_MUTUAL * commoner):
            paths = (groups[one][0], groups[other][0])
            for a in owners[groups[one]]:
                for b in owners[groups[other]]:
                    if a != b:
                        yield Coupling((a, b), paths, support, round(support / rarer, 2))
