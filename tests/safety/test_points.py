"""Every deed, stopped at every step: killed, failing, standing still while another runs; then typed again.

SAFETY F 71–80. In CI every other kind of step of each command, with FLEET_TORTURE all steps of all deeds.
"""

import itertools
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kit import Completed

from safety import SHARE, TORTURE
from safety.deeds import DEEDS, FAMILIES, Deed
from safety.trial import TRACEBACK, Programs, Run, Tally, World, difference, judge

ERRORS = ("ENOSPC", "EIO", "EROFS", "EMFILE")
IDLE = re.compile(r"mkdir |write .*/locks/|write .*/logs/\d")
"""Steps that come out the same however often they are done: left to torture."""
OTHERS = (("status", "--json"), ("land",), ("clean",), ("undo",), ("add", "--all"))
"""What somebody else types, besides the same, while a deed stands still."""
ENDS = (0, 1, 3, 4, 5, 75, 128)

parts = pytest.mark.parametrize("part", DEEDS if TORTURE else FAMILIES)
"""In CI a command, whose kinds of steps are disturbed once; else each deed by itself, so that they are spread out."""


class Stage:
    """A deed's world, its steps, and how everything looks when nobody disturbs it."""

    def __init__(self, folder: Path, programs: Programs, name: str) -> None:
        self.deed: Deed = DEEDS[name]
        self.programs = programs
        self.name = name
        self.world = World(folder / name, self.deed.build)
        record = folder / f"{name}.steps"
        done = programs.one(self.world.again(), *self.deed.args, fault={"record": str(record)})
        assert done.status == self.deed.code, done
        self.steps = [re.sub(r"\.\d+\.new", ".new", step) for step in record.read_text().splitlines()]
        self.expected = self.world.repo.snapshot()

    def chosen(self, seen: set[str], every: int = 1) -> list[int]:
        """Steps to disturb: in CI one in `every` of those that were not `seen` in this command yet."""
        if TORTURE:
            return list(range(len(self.steps)))[SHARE]
        new = [at for at, step in enumerate(self.steps) if not IDLE.match(step) and step not in seen]
        first = [at for at in new if self.steps.index(self.steps[at]) == at]
        seen.update(self.steps)
        return first[every // 2 :: every]

    def disturbed(self, tally: Tally, at: int, do: str, then_kill_at: int | None = None) -> bool:
        """One trial: disturb, disturb what puts right too if told so, put right, judge. Was all of that disturbed?"""
        where = f"{self.name}: {do} at {at} ({self.steps[at]})"
        repo = self.world.again()
        said = [self.programs.one(repo, *self.deed.args, fault={"at": at, "do": do})]
        tally.points()
        if then_kill_at is not None:
            where += f", then kill at {then_kill_at}"
            said.append(self.programs.one(repo, *self.deed.args, fault={"at": then_kill_at, "do": "kill"}))
            if said[-1].status != -9:
                return False
            tally.points()
        self._put_right(tally, where, said)
        return True

    def delayed(self, tally: Tally, at: int, other: tuple[str, ...]) -> None:
        """One trial: while the deed stands still at a step, another run begins, which ends or waits for it."""
        where = f"{self.name}: delay at {at} ({self.steps[at]}), meanwhile {' '.join(other)}"
        repo = self.world.again()
        tally.points()
        said = self.programs.run(repo, [Run(self.deed.args, {"at": at, "do": "delay"}), Run(other)])
        told = [f"exit {one.status}: {one.err.strip()}" for one in said]
        if any(one.status not in ENDS for one in said):
            tally.say("wrong", where, "\n    ".join(told))
        self._put_right(tally, where, said, alone=other == self.deed.args or other in OTHERS[:1])

    def _put_right(self, tally: Tally, where: str, said: list[Completed], *, alone: bool = True) -> None:
        """Type it again, and judge; `alone`: nobody did anything else, so all is as if nothing had been disturbed."""
        repo = self.world.repo
        said = [*said, self.programs.one(repo, *self.deed.args)]
        if said[-1].status not in (0, self.deed.code) and self.deed.again:
            said.append(self.programs.one(repo, *self.deed.again))
        told = "\n".join(f"    exit {one.status}: {one.err.strip()}" for one in said)
        if any(TRACEBACK in one.err for one in said):
            tally.say("wrong", where, f"a traceback\n{told}")
        elif judge(tally, where, repo, self.world.before):
            # The deed is done then, and what the plan says of it is a note.
            lags = "status was not written" in told
            found = difference(repo.snapshot(), self.expected, but_status=lags) if alone else []
            if found:
                tally.say("wrong", where, f"{'; '.join(found)}\n{told}")
        else:
            tally.found[-1] += f"\n{told}"


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Programs], Iterator[Stage]]:
    """The stages of a part, each built once for all tests that this process is given."""
    built: dict[str, Stage] = {}
    folder = tmp_path_factory.mktemp("stages")

    def of(part: str, programs: Programs) -> Iterator[Stage]:
        for name in [part] if TORTURE else FAMILIES[part]:
            stage = built.get(name) or built.setdefault(name, Stage(folder, programs, name))
            stage.programs = programs
            yield stage

    return of


Stages = Callable[[str, Programs], Iterator[Stage]]


@parts
def test_killed(part: str, stages: Stages, programs: Programs, tally: Tally) -> None:
    seen: set[str] = set()
    for stage in stages(part, programs):
        for at in stage.chosen(seen, every=2):
            stage.disturbed(tally, at, "kill")


@parts
def test_an_error(part: str, stages: Stages, programs: Programs, tally: Tally) -> None:
    """What failed for want of room or right says so, and works when there is some."""
    seen: set[str] = set()
    for stage in stages(part, programs):
        for at in stage.chosen(seen, every=6):
            stage.disturbed(tally, at, ERRORS[at % len(ERRORS)])


@parts
def test_killed_and_killed_again(part: str, stages: Stages, programs: Programs, tally: Tally) -> None:
    """The run that puts right is killed as well: at each of its steps, in CI at one drawn by a seed."""
    seen: set[str] = set()
    draw = random.Random(part)
    for stage in stages(part, programs):
        for at in stage.chosen(seen, every=12):
            for again in itertools.count() if TORTURE else [draw.randrange(len(stage.steps))]:
                if not stage.disturbed(tally, at, "kill", then_kill_at=again):
                    break


@parts
def test_delayed(part: str, stages: Stages, programs: Programs, tally: Tally) -> None:
    """Somebody else begins while it stands still: the same once more, a look, or whatever else may be typed."""
    seen: set[str] = set()
    draw = random.Random(part)
    for stage in stages(part, programs):
        others = (stage.deed.args, *OTHERS)
        for at in stage.chosen(seen, every=12):
            for other in others if TORTURE else [draw.choice(others)]:
                stage.delayed(tally, at, other)
