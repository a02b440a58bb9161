"""Every deed, and each git that it runs, killed or refused at single system calls; then typed again. SAFETY F 71–80.

Finer than `test_points.py`: in the middle of what SQLite, libgit2 and git write, where nobody cleans up after himself.
What is in the way then is told by `git fleet doctor`, and nothing but what it tells to type is typed here. In CI a few
places of each deed, drawn by a seed; with FLEET_TORTURE all of them.
"""

import os
import random
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from kit import Completed, Repo

from safety import SHARE, TORTURE, syscalls
from safety.deeds import DEEDS, Deed
from safety.syscalls import Place, needs_strace
from safety.trial import TRACEBACK, Programs, Tally, World, difference, judge

DISTURBED = tuple(DEEDS) if TORTURE else ("add", "land", "remove", "undo-add", "undo-land", "undo-remove")
KILLS, ERRORS = 3, 2
"""So many places of each deed in CI."""
FAILS = ("ENOSPC", "EIO", "EROFS")
WAITS = re.compile(r"a (merge|rebase) is in progress in '(.+?)'\nhint: finish it there, or give it up")


class Stage:
    """A deed's world, the places where it writes, and how everything looks when nobody disturbs it."""

    def __init__(self, folder: Path, programs: Programs, name: str) -> None:
        self.deed: Deed = DEEDS[name]
        self.name, self.programs = name, programs
        self.world = World(folder / name, self.deed.build)
        self.log = folder / f"{name}.strace"
        done, places = syscalls.record(self.world.again(), self.deed.args, self.log)
        assert done.status == self.deed.code, done
        once = {(place.call, place.path, place.nth): place for place in reversed(places)}
        self.places = list(reversed(once.values()))
        self.expected = self.world.repo.snapshot()

    def chosen(self, number: int, kind: str) -> list[Place]:
        """In CI so many, half of them in gits: each with another call or by another program, as far as there are."""
        if TORTURE:
            return self.places[SHARE]
        draw = random.Random(f"{self.name} {kind}")
        drawn = draw.sample(self.places, len(self.places))
        sorts: dict[tuple[str, str], Place] = {}
        for place in drawn:
            sorts.setdefault((place.who, place.call), place)
        gits = [place for (who, _), place in sorts.items() if who != "git fleet"]
        ours = [place for (who, _), place in sorts.items() if who == "git fleet"]
        return [*gits[: number // 2], *ours[: number - number // 2]]

    def disturbed(self, tally: Tally, place: Place, do: str, *, twice: bool = False) -> None:
        """One trial: disturb, put right as the program says, judge. `twice`: the next run is disturbed there, too."""
        where = f"{self.name}: {do} at {place.within(self.world.folder)}"
        repo = self.world.again()
        first, struck = syscalls.inject(repo, self.deed.args, self.log, place, do)
        tally.points(int(struck))
        said = [("first", first)]
        if twice:
            where += ", twice"
            second, _ = syscalls.inject(repo, self.deed.args, self.log, place, do)
            said.append(("second", second))
        said += self._put_right(tally, where, repo)
        told = "\n".join(f"    {what}: exit {one.status}: {one.err.strip()}" for what, one in said)
        if not struck:
            tally.say("wrong", where, "it never came there")
        elif any(TRACEBACK in one.err for _, one in said):
            tally.say("wrong", where, f"a traceback\n{told}")
        elif judge(tally, where, repo, self.world.before):
            found = difference(repo.snapshot(), self.expected, but_status="status was not written" in told)
            if found:
                tally.say("wrong", where, f"{'; '.join(found)}\n{told}")
        else:
            tally.found[-1] += f"\n{told}"

    def _put_right(self, tally: Tally, where: str, repo: Repo) -> list[tuple[str, Completed]]:
        """Type it again; where that does not do, or git's locks are left, what `doctor` says, and it again."""
        said = [self._typed_again(repo)]
        left = locks(repo)
        if self._is_well(said[0][1]) and not left:
            return said
        told = said[0][1].err + said[0][1].out
        stuck = left and not self._is_well(said[0][1]) and not WAITS.search(told)
        stuck = stuck and bool(difference(repo.snapshot(), self.expected))
        if stuck and not any(lock in told for lock in left):
            tally.say("wrong", where, f"what is in the way is not named: {left}\n    {told.strip()}")
        found = self.programs.one(repo, "doctor", "--json")
        said.append(("doctor", found))
        for lock in left:
            if not obeyed(found, lock):
                tally.say("wrong", where, f"doctor does not say what to do about '{lock}'\n{found.out}")
        said.append(("doctor --repair", self.programs.one(repo, "doctor", "--repair")))
        said.append(self._typed_again(repo))
        if gave_up(repo, said[-1][1].err):
            said.append(self._typed_again(repo))
        return said

    def _typed_again(self, repo: Repo) -> tuple[str, Completed]:
        done = self.programs.one(repo, *self.deed.args)
        if self._is_well(done) or not self.deed.again:
            return "again", done
        return "then", self.programs.one(repo, *self.deed.again)

    def _is_well(self, done: Completed) -> bool:
        return done.status in (0, self.deed.code)


def locks(repo: Repo) -> list[str]:
    """git's locks that somebody left, but for those that go with the rebase that they are of; ours stay for ever."""
    common = repo.common_dir()
    found = [path for path in common.rglob("*.lock") if common / "fleet" not in path.parents]
    return [str(path) for path in found if path.parent.name != "rebase-merge"]


def obeyed(doctor: Completed, lock: str) -> bool:
    """Do what `doctor` says about a lock: `rm` it, since no git runs here."""
    hints = [hint for one in doctor.json["findings"] if one["path"] == lock for hint in one["hints"]]
    if not any(re.search(rf"\brm (-f )?{re.escape(shlex.quote(lock))}$", hint) for hint in hints):
        return False
    os.unlink(lock)
    return True


def gave_up(repo: Repo, told: str) -> bool:
    """Where a merge or rebase of git's own waits in a worktree that was not in the middle of one: give it up."""
    found = WAITS.search(told)
    if found is None:
        return False
    return subprocess.run(["git", found[1], "--abort"], cwd=found[2], capture_output=True).returncode == 0


@needs_strace
@pytest.mark.parametrize("name", DISTURBED)
def test_killed_and_refused(name: str, tmp_path: Path, programs: Programs, tally: Tally) -> None:
    stage = Stage(tmp_path, programs, name)
    for number, place in enumerate(stage.chosen(KILLS, "kill")):
        stage.disturbed(tally, place, "signal=KILL", twice=number % KILLS == 1)
    for number, place in enumerate(stage.chosen(ERRORS, "error")):
        stage.disturbed(tally, place, f"error={FAILS[number % len(FAILS)]}")
