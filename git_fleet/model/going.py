"""Going through a plan to its end: what is done next, and what stands when nothing more can be done."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from git_fleet.model.errors import Exit
from git_fleet.model.fleet import Base, State
from git_fleet.model.plan import Task


class Deed(StrEnum):
    ADD = "add"
    START = "start"
    WAIT = "wait"
    LAND = "land"
    END = "end"


class Held(NamedTuple):
    """Why a task cannot go on as it is, and what to type; `red`: a gate has thrown it out."""

    why: str
    hints: tuple[str, ...] = ()
    red: bool = False


class Left(NamedTuple):
    """A task that has not landed, and why."""

    task: Task
    state: State
    held: Held


class Turn(NamedTuple):
    """What to do next with these tasks; at the end, what is left. Afterwards one looks again."""

    deed: Deed
    tasks: tuple[str, ...] = ()
    left: tuple[Left, ...] = ()


class Going(NamedTuple):
    """How far it came. Of a dry run, `turn` is the first that would be done, else the last, which is the end."""

    base: Base
    tasks: tuple[Task, ...]
    """All that were meant, in plan order."""
    states: Mapping[str, State]
    turn: Turn
    landed: tuple[str, ...] = ()
    """By this run."""
    waves: tuple[tuple[str, ...], ...] = ()
    """Of what has not landed."""

    @property
    def code(self) -> Exit:
        """What the process that comes to this end tells: a gate that threw somebody out weighs most."""
        if self.turn.deed is not Deed.END or not self.turn.left:
            return Exit.DONE
        return Exit.GATE if any(one.held.red for one in self.turn.left) else Exit.STOPPED
