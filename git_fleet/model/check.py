"""What `check` answers: the radar's sight of the chosen lines of work, and who strayed outside the files he owns."""

from typing import NamedTuple

from git_fleet.model.fleet import Base, PairVerdict
from git_fleet.model.plan import Source
from git_fleet.model.sight import Sight, Tip


class Strayed(NamedTuple):
    """A path that a task changed and does not own; `owners` are the ids of the tasks that do."""

    path: str
    owners: tuple[str, ...] = ()


class Line(NamedTuple):
    """One line of work: a task, a worktree that no task names, or any ref."""

    id: str
    title: str
    tip: Tip
    drift: tuple[Strayed, ...] = ()

    @property
    def label(self) -> str:
        """How people are told of it: `42 count`."""
        return f"{self.id} {self.title}" if self.title and self.title != self.id else self.id


class Check(NamedTuple):
    """One look. The keys of `sight` are the lines' ids; `source` is None where refs were named."""

    base: Base
    main: str
    """Top of the main worktree: paths are shown from there."""
    source: Source | None
    lines: tuple[Line, ...]
    sight: Sight
    committed: bool = False
    notes: tuple[str, ...] = ()
    asked: str | None = None
    """The one line that was asked about; the others are there because they could be in its way."""

    @property
    def strayed(self) -> tuple[Line, ...]:
        """Those of the lines that were asked about and drift."""
        return tuple(line for line in self.lines if line.drift and self.asked in (None, line.id))

    @property
    def well(self) -> bool:
        """Nothing conflicts, nobody strayed, and nothing is unknown."""
        radar = self.sight.radar
        troubled = any(pair.verdict is not PairVerdict.CLEAN for pair in radar.pairs)
        return not (troubled or radar.base_conflicts or radar.unknown or self.strayed)
