"""Who conflicts with the base, and who with whom: real merges, of those only that could.

Each branch is first merged with the base and becomes one make-believe commit on it, so that a branch's age counts
against the base and never against a sibling. Where two branches share commits that the base lacks, that would hide
their history: they are merged as they would land, one after the other, in both orders.
"""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from git_fleet.analysis.ancestry import Ancestry
from git_fleet.analysis.candidates import CandidatePair, candidates
from git_fleet.journal.memo import Key, Row
from git_fleet.model.fleet import Base, Branch, Pair, PairVerdict, Radar, Repository
from git_fleet.model.sight import BASE
from git_fleet.operations.verdicts import Judge
from git_fleet.repo import drivers, merging

NOTHING = Radar({}, {}, {}, {}, ())
BATCH = 4096
"""Pairs that are merged before the next ones are thought of."""


class Side(NamedTuple):
    """A line of work: the tip that the family knows, and what is really merged: that, or uncommitted work on it."""

    tip: str
    head: str
    tree: str


class Scan(NamedTuple):
    """What was seen, and how many pairs were compared for it, of which so many were remembered."""

    radar: Radar
    compared: int
    remembered: int


def look(repository: Repository, base: Base, tips: Mapping[str, Branch], family: Ancestry) -> Radar:
    """Merge each tip with the base and each candidate pair with each other; nothing is left behind in the repository.

    `tips` are by the key that the answer uses, each with commits that the base lacks; `family` knows them all.
    """
    with merging.quarantine(repository, base.commit) as place:
        return look_in(place, base, tips, family)


def look_in(place: merging.Quarantine, base: Base, tips: Mapping[str, Branch], family: Ancestry) -> Radar:
    """The same in a quarantine that is there already; what was merged stays in it."""
    if not tips:
        return NOTHING
    sides = {key: Side(branch.tip, branch.tip, branch.tree) for key, branch in tips.items()}
    return scan(Judge(place, drivers.rules(place.repository)), base, sides, family).radar


def scan(
    judge: Judge, base: Base, sides: Mapping[str, Side], family: Ancestry, unknown: Mapping[str, str] | None = None
) -> Scan:
    """The same in a quarantine that is there already, for sides that may hold uncommitted work.

    `unknown` has those of which nothing can be said, with the reason.
    """
    doubts = dict(unknown or {})
    one = _Look(judge, base, {key: side for key, side in sides.items() if key not in doubts}, family, {}, set())
    one.merge_with_base()
    clean = {key: row for key, row in one.rows.items() if row.verdict == PairVerdict.CLEAN}
    conflicts = {key: row for key, row in one.rows.items() if row.verdict == PairVerdict.CONFLICT}
    doubts |= {key: row.why for key, row in one.rows.items() if row.why}
    asked = candidates({key: row.changes for key, row in clean.items()})
    pairs: list[Pair] = []
    remembered = 0
    while batch := list(islice(asked, BATCH)):
        found, again = one.merge_pairs(batch)
        pairs += found
        remembered += again
    judge.keep()
    radar = Radar(
        base_conflicts={key: row.paths for key, row in conflicts.items()},
        merged={key: row.tree for key, row in clean.items()},
        changes={key: row.changes for key, row in clean.items()},
        lines={key: row.lines for key, row in clean.items()},
        pairs=tuple(pairs),
        base_kinds={key: row.kinds for key, row in conflicts.items()},
        unknown={key: doubts[key] for key in sides if key in doubts},
    )
    return Scan(radar, len(pairs), remembered)


class _Look(NamedTuple):
    """One look: its sides, each merged with the base in `rows`; those whose merged tree is at hand in `made`."""

    judge: Judge
    base: Base
    sides: Mapping[str, Side]
    family: Ancestry
    rows: dict[str, Row]
    made: set[str]

    def merge_with_base(self) -> None:
        """Fill `rows`. What lacks nothing of the base is its own merge."""
        keys = {key: self._base_key(key) for key in self.sides}
        known = self.judge.recall(keys.values())
        self.rows.update({key: known[at] for key, at in keys.items() if at in known})
        missing = [key for key in self.sides if key not in self.rows]
        fresh = self._merged_with_base(missing)
        clean = [key for key in missing if fresh[key].verdict == PairVerdict.CLEAN]
        changed = merging.changes(self.judge.place, self.base.tree, [fresh[key].tree for key in clean])
        for key, (changes, lines) in zip(clean, changed, strict=True):
            fresh[key] = fresh[key]._replace(changes=changes, lines=lines)
        self.judge.remember({keys[key]: row for key, row in fresh.items()})
        found = {key: fresh[key] if key in fresh else self.rows[key] for key in self.sides}
        self.rows.clear()
        self.rows.update(found)

    def _base_key(self, key: str) -> Key:
        return self.base.commit, self.sides[key].head, BASE

    def _merged_with_base(self, keys: Sequence[str]) -> dict[str, Row]:
        """Their merges, done now."""
        behind = [key for key in keys if self.family.distances[self.sides[key].tip].behind]
        merges = merging.merges(self.judge.place, [(self.base.commit, self.sides[key].head) for key in behind])
        judged = self.judge.judge([((BASE, key), merge) for key, merge in zip(behind, merges, strict=True)])
        rows = dict(zip(behind, judged, strict=True))
        self.made.update(keys)
        return {key: rows.get(key) or Row(PairVerdict.CLEAN, (), (), tree=self.sides[key].tree) for key in keys}

    def merge_pairs(self, asked: Sequence[CandidatePair]) -> tuple[list[Pair], int]:
        """A verdict for each candidate, and how many of them were remembered."""
        stacked = {(one, other): self._share(one, other) for one, other, _ in asked}
        keys = {pair: self._pair_key(*pair, stacked=together) for pair, together in stacked.items()}
        known = self.judge.recall(keys.values())
        fresh = self._merged_pairs({pair: stacked[pair] for pair in stacked if keys[pair] not in known})
        self.judge.remember({keys[pair]: row for pair, row in fresh.items()})
        rows = {pair: fresh.get(pair) or known[keys[pair]] for pair in stacked}
        return [_pair((one, other), shared, rows[one, other]) for one, other, shared in asked], len(asked) - len(fresh)

    def _share(self, one: str, other: str) -> bool:
        return self.family.share(self.sides[one].tip, self.sides[other].tip)

    def _pair_key(self, one: str, other: str, *, stacked: bool) -> Key:
        if stacked:
            return self.base.commit, self.sides[one].head, self.sides[other].head
        return self.base.tree, self.rows[one].tree, self.rows[other].tree

    def _merged_pairs(self, stacked: Mapping[tuple[str, str], bool]) -> dict[tuple[str, str], Row]:
        """The merges of these pairs, done now; True for those in a stack."""
        place, base = self.judge.place, self.base.commit
        involved = list(dict.fromkeys(key for pair in stacked for key in pair))
        self._merged_with_base([key for key in involved if key not in self.made])
        trees = {key: self.rows[key].tree for key in involved}
        flat = dict(zip(involved, merging.commits(place, [(trees[key], (base,)) for key in involved]), strict=True))
        piled = list(dict.fromkeys(key for pair, together in stacked.items() if together for key in pair))
        landed = merging.commits(place, [(trees[key], (base, self.sides[key].head)) for key in piled])
        real = dict(zip(piled, landed, strict=True))
        asked: list[tuple[str, str]] = []
        names: list[tuple[str, str]] = []
        for (one, other), together in stacked.items():
            if together:
                asked += [(real[one], self.sides[other].head), (real[other], self.sides[one].head)]
                names += [(one, other), (other, one)]
            else:
                asked.append((flat[one], flat[other]))
                names.append((one, other))
        rows = iter(self.judge.judge(list(zip(names, merging.merges(place, asked), strict=True))))
        return {
            pair: _both_orders(next(rows), next(rows)) if together else next(rows) for pair, together in stacked.items()
        }


def _both_orders(in_order: Row, reverse: Row) -> Row:
    """A stacked pair is clean if one of the orders is."""
    clean = [row.verdict == PairVerdict.CLEAN for row in (in_order, reverse)]
    if not any(clean):
        return reverse if reverse.why and not in_order.why else in_order
    first = 0 if all(clean) else 1 if clean[0] else 2
    return Row(PairVerdict.CLEAN, (), (), first=first, lasting=in_order.lasting and reverse.lasting)


def _pair(keys: tuple[str, str], shared: tuple[str, ...], row: Row) -> Pair:
    first = keys[row.first - 1] if row.first else None
    return Pair(keys, PairVerdict(row.verdict), row.paths or shared, first, row.kinds, row.why)
