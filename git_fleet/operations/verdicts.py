"""From git's merges to verdicts: kinds of conflict, drivers that are missing, what is remembered, both sides' text."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from git_fleet.analysis import hunks as texts
from git_fleet.analysis import kinds
from git_fleet.journal import memo
from git_fleet.journal.memo import Key, Row
from git_fleet.model.fleet import PairVerdict, Repository
from git_fleet.model.sight import Hunk
from git_fleet.repo import drivers, merging
from git_fleet.repo.drivers import Rules
from git_fleet.repo.merging import Merge, Quarantine

Names = tuple[str, str]
"""The keys of two sides that were merged."""


class Memory(NamedTuple):
    """Where results are remembered, and under which rules they hold; written to only with `write`."""

    fleet_dir: str
    scope: str
    write: bool


class Judge:
    """Judges the merges of one look, in its quarantine; collects what is to be remembered and shown."""

    def __init__(
        self, place: Quarantine, rules: Rules, memory: Memory | None = None, *, with_hunks: bool = False
    ) -> None:
        self.place = place
        self._rules = rules
        self._memory = memory
        self._with_hunks = with_hunks
        self._fresh: dict[Key, Row] = {}
        self._conflicts: list[tuple[Names, Merge]] = []
        self._drivers: bool | None = None

    def recall(self, keys: Iterable[Key]) -> dict[Key, Row]:
        """Merges that were done before. A conflict that is to be shown has to be merged again."""
        if self._memory is None:
            return {}
        found = memo.recall(self._memory.fleet_dir, self._memory.scope, keys)
        if self._with_hunks:
            return {key: row for key, row in found.items() if row.verdict == PairVerdict.CLEAN}
        return found

    def remember(self, rows: Mapping[Key, Row]) -> None:
        """Keep these for later, when the look is over."""
        self._fresh.update(rows)

    def keep(self) -> None:
        """Write down what is to be remembered."""
        if self._memory and self._memory.write:
            memo.keep(self._memory.fleet_dir, self._memory.scope, self._fresh)

    def judge(self, merges: Sequence[tuple[Names, Merge]]) -> list[Row]:
        """A verdict for each merge."""
        told = self._drivers_of({path for _, merge in merges for path in _merged(merge)}) if merges else {}
        rows = [self._row(merge, told) for _, merge in merges]
        if self._with_hunks:
            self._conflicts += [pair for pair, row in zip(merges, rows, strict=True) if row.verdict == "conflict"]
        return rows

    def hunks(self) -> dict[Names, tuple[Hunk, ...]]:
        """Both sides of every conflict that was judged, where that is wanted."""
        asked = {name: None for _, merge in self._conflicts for name in texts.wanted(merge.tree, merge.stages)}
        found = dict(zip(asked, merging.blobs(self.place, list(asked)), strict=True))
        return {names: texts.hunks(merge.tree, merge.stages, found) for names, merge in self._conflicts}

    def _drivers_of(self, paths: set[str]) -> dict[str, str]:
        """path -> merge attribute; nothing where no file can have a driver of its own."""
        top = merging.top(self.place)
        if self._drivers is None:
            self._drivers = drivers.named_somewhere(self._rules, top)
        if not self._drivers:
            return {}
        return drivers.of_paths(self.place.repository, sorted(paths), top, self.place.env)

    def _row(self, merge: Merge, told: Mapping[str, str]) -> Row:
        if merge.why:
            return Row(PairVerdict.UNKNOWN, (), (), why=merge.why)
        top = merging.top(self.place) if told else ""
        merged = _merged(merge) if told else set()
        missing = {
            path: why for path in sorted(merged) if (why := drivers.why_not(self._rules, told.get(path, "text"), top))
        }
        if missing and missing.keys() >= set(merge.paths):
            path, why = next(iter(missing.items()))
            return Row(PairVerdict.UNKNOWN, tuple(missing), (), tree=merge.tree, why=f"{path}: {why}")
        verdict = PairVerdict.CLEAN if merge.clean else PairVerdict.CONFLICT
        lasting = not any(drivers.is_custom(self._rules, told.get(path, "text")) for path in merged)
        return Row(verdict, merge.paths, kinds.kinds(merge.stages, merge.notices), tree=merge.tree, lasting=lasting)


def _merged(merge: Merge) -> set[str]:
    """Paths of which git merged two versions."""
    return {path for notice in merge.notices if notice.type == kinds.MERGED for path in notice.paths}


def memory_of(repository: Repository, rules: Rules, *, write: bool) -> Memory:
    """The memory of a repository."""
    return Memory(repository.fleet_dir, drivers.scope(rules), write)
