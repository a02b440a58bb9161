"""Ahead, behind, and shared history, of all branches at once from one listing of commits."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from git_fleet.analysis.bits import bits
from git_fleet.model.fleet import Distance


class Ancestry(NamedTuple):
    """How tips stand to the base and to each other. Keys are object ids; equal tips are one."""

    distances: dict[str, Distance]
    peers: dict[str, frozenset[str]]
    """For each tip in a stack: the other tips that have a commit with it that the base lacks."""
    below: dict[str, frozenset[str]]
    """For each tip that stands on others, which the base lacks: those."""

    def share(self, one: str, other: str) -> bool:
        """Have both tips a commit that the base lacks? A tip shares with itself whatever it is ahead by."""
        return self.distances[one].ahead > 0 if one == other else other in self.peers.get(one, ())

    def stands_on(self, tips: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
        """By key of a branch, for those that stand on others among these: their keys. `tips` are by key."""
        on = {key: self.below[tip] for key, tip in tips.items() if tip in self.below}
        return {key: tuple(other for other, tip in tips.items() if tip in under) for key, under in on.items()}

    @property
    def shares(self) -> frozenset[tuple[str, str]]:
        """All such pairs of different tips, each once, in the order in which the tips were given."""
        rank = {tip: place for place, tip in enumerate(self.distances)}
        return frozenset((one, other) for one in self.peers for other in self.peers[one] if rank[one] < rank[other])


def distances(commits: Iterable[tuple[str, tuple[str, ...]]], base: str, tips: Sequence[str]) -> Ancestry:
    """Ahead and behind of each tip, and which tips share commits that the base lacks.

    `commits` are (commit, parents), children before parents, as `git rev-list --topo-order --parents` lists everything
    that the base and the tips reach, except what all of them reach: that may, and for speed should, be left out.
    """
    names = tuple(dict.fromkeys(tips))
    common = [0] * len(names)
    ahead = [0] * len(names)
    peers = [0] * len(names)
    of_base = 0
    reached = list(_reach(commits, (*names, base)))
    for mask, count in Counter(mask for _, mask in reached).items():
        in_base = mask >> len(names)
        of_base += count * in_base
        mask &= (1 << len(names)) - 1
        for place in bits(mask):
            if in_base:
                common[place] += count
            else:
                ahead[place] += count
                peers[place] |= mask
    return Ancestry(
        {tip: Distance(ahead[place], of_base - common[place]) for place, tip in enumerate(names)},
        {
            tip: frozenset(names[other] for other in bits(others))
            for place, tip in enumerate(names)
            if (others := peers[place] & ~(1 << place))
        },
        _below(names, {commit: mask for commit, mask in reached if not mask >> len(names)}),
    )


def _below(names: Sequence[str], reached: Mapping[str, int]) -> dict[str, frozenset[str]]:
    """`reached` has for each commit that the base lacks the tips that reach it, as a bit mask of their places."""
    found: dict[str, set[str]] = {}
    for tip in names:
        for above in bits(reached.get(tip, 0)):
            if names[above] != tip:
                found.setdefault(names[above], set()).add(tip)
    return {tip: frozenset(others) for tip, others in found.items()}


def cut(
    commits: Iterable[tuple[str, tuple[str, ...]]], base: str, tips: Sequence[str], ends: Collection[str]
) -> frozenset[str]:
    """The tips of which not all is there that tells them from the base: some commit of it is one of `ends`.

    `ends` are commits whose parents are missing (a shallow clone); `commits` as for `distances`.
    """
    names = tuple(dict.fromkeys(tips))
    everyone = (1 << len(names)) - 1
    found = 0
    for commit, mask in _reach(commits, (*names, base)):
        if commit in ends:
            found |= everyone & ~mask if mask >> len(names) else mask
    return frozenset(names[place] for place in bits(found))


def own_commits(
    commits: Iterable[tuple[str, tuple[str, ...]]], base: str, tips: Iterable[str]
) -> dict[str, tuple[str, ...]]:
    """By tip: the commits that it has and the base lacks. `commits` as for `distances`."""
    heads = tuple(dict.fromkeys(tips))
    waiting = {base: 1}
    for place, tip in enumerate(heads, 1):
        waiting[tip] = waiting.get(tip, 0) | 1 << place
    found: dict[str, list[str]] = {tip: [] for tip in heads}
    for commit, above in commits:
        mask = waiting.pop(commit, 0)
        if not mask & 1:
            for place in bits(mask):
                found[heads[place - 1]].append(commit)
        for parent in above:
            waiting[parent] = waiting.get(parent, 0) | mask
    return {tip: tuple(own) for tip, own in found.items()}


def lacked(
    commits: Iterable[tuple[str, tuple[str, ...]]], base: str, tips: Iterable[str]
) -> dict[str, tuple[str, ...]]:
    """By tip: the commits that the base has and it lacks, children first. `commits` as for `distances`."""
    heads = tuple(dict.fromkeys(tips))
    found: dict[str, list[str]] = {tip: [] for tip in heads}
    everyone = (1 << len(heads)) - 1
    for commit, mask in _reach(commits, (*heads, base)):
        if mask >> len(heads):
            for place in bits(everyone & ~mask):
                found[heads[place]].append(commit)
    return {tip: tuple(lacks) for tip, lacks in found.items()}


def _reach(commits: Iterable[tuple[str, tuple[str, ...]]], heads: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Each commit, and by which heads it is reached."""
    waiting: dict[str, int] = {}
    for place, head in enumerate(heads):
        waiting[head] = waiting.get(head, 0) | 1 << place
    for commit, above in commits:
        mask = waiting.pop(commit, 0)
        yield commit, mask
        for parent in above:
            waiting[parent] = waiting.get(parent, 0) | mask
