"""Every deed, stopped at every step: killed, failing with an error; then typed again. SAFETY F 71–80.

In CI every other kind of step of each command, with FLEET_TORTURE all steps of all deeds.
"""

import random
import re
from pathlib import Path

import pytest

from safety import TORTURE
from safety.deeds import DEEDS, FAMILIES, Deed
from safety.trial import TRACEBACK, Programs, Tally, World, difference, judge

ERRORS = ("ENOSPC", "EIO", "EROFS", "EMFILE")
IDLE = re.compile(r"mkdir |write .*/locks/|write .*/logs/\d")
"""Steps that come out the same however often they are done: left to torture."""


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
            return list(range(len(self.steps)))
        new = [at for at, step in enumerate(self.steps) if not IDLE.match(step) and step not in seen]
        first = [at for at in new if self.steps.index(self.steps[at]) == at]
        seen.update(self.steps)
        return first[every // 2 :: every]

    def disturbed(self, tally: Tally, at: int, do: str, then_kill_at: int | None = None) -> None:
        """One trial: disturb, disturb what puts right too if told so, put right, judge."""
        where = f"{self.name}: {do} at {at} ({self.steps[at]})"
        repo = self.world.again()
        tally.points()
        said = [self.programs.one(repo, *self.deed.args, fault={"at": at, "do": do})]
        if then_kill_at is not None:
            where += f", then kill at {then_kill_at}"
            tally.points()
            said.append(self.programs.one(repo, *self.deed.args, fault={"at": then_kill_at, "do": "kill"}))
        said.append(self.programs.one(repo, *self.deed.args))
        if said[-1].status not in (0, self.deed.code) and self.deed.again:
            said.append(self.programs.one(repo, *self.deed.again))
        told = "\n".join(f"    exit {one.status}: {one.err.strip()}" for one in said)
        if any(TRACEBACK in one.err for one in said):
            tally.say("wrong", where, f"a traceback\n{told}")
        elif judge(tally, where, repo, self.world.before):
            # The deed is done then, and what the plan says of it is a note.
            lags = "status was not written" in told
            found = difference(repo.snapshot(), self.expected, but_status=lags)
            if found:
                tally.say("wrong", where, f"{'; '.join(found)}\n{told}")


@pytest.mark.parametrize("command", FAMILIES)
def test_killed(command: str, tmp_path: Path, programs: Programs, tally: Tally) -> None:
    seen: set[str] = set()
    for name in FAMILIES[command]:
        stage = Stage(tmp_path, programs, name)
        for at in stage.chosen(seen, every=2):
            stage.disturbed(tally, at, "kill")


@pytest.mark.parametrize("command", FAMILIES)
def test_an_error(command: str, tmp_path: Path, programs: Programs, tally: Tally) -> None:
    """What failed for want of room or right says so, and works when there is some."""
    seen: set[str] = set()
    for name in FAMILIES[command]:
        stage = Stage(tmp_path, programs, name)
        for at in stage.chosen(seen, every=6):
            stage.disturbed(tally, at, ERRORS[at % len(ERRORS)])


@pytest.mark.parametrize("command", FAMILIES)
def test_killed_and_killed_again(command: str, tmp_path: Path, programs: Programs, tally: Tally) -> None:
    """The run that puts right is killed as well: at any of its steps, in CI at one drawn by a seed."""
    seen: set[str] = set()
    draw = random.Random(command)
    for name in FAMILIES[command]:
        stage = Stage(tmp_path, programs, name)
        for at in stage.chosen(seen, every=12):
            for again in range(len(stage.steps)) if TORTURE else [draw.randrange(len(stage.steps))]:
                stage.disturbed(tally, at, "kill", then_kill_at=again)
