"""The colours of a state in pictures; its word stands beside them, so nothing is said by colour alone."""

from types import MappingProxyType
from typing import NamedTuple

from git_fleet.model.fleet import State
from git_fleet.output.style import COOL, DIM, WARM


class Ink(NamedTuple):
    """Of a box: its ground, its border and what is written on it, as `#rrggbb`."""

    fill: str
    line: str
    text: str


class Look(NamedTuple):
    """`name` is a word for style sheets; `tone` is for terminals, see `style.py`."""

    name: str
    tone: str
    light: Ink
    dark: Ink


_WAITING = Look("waiting", COOL, Ink("#f1f3f5", "#868e96", "#343a40"), Ink("#2b3035", "#868e96", "#e9ecef"))
_READY = Look("ready", COOL, Ink("#e3efff", "#1c6fd1", "#0b2e5c"), Ink("#12304f", "#6ea8fe", "#dbeaff"))
_BEGUN = Look("begun", "", Ink("#dff5f1", "#0f8a7d", "#07413b"), Ink("#0f3a36", "#4fd1c0", "#d5f7f2"))
_DONE = Look("finished", COOL, Ink("#f0e9ff", "#7a4fd0", "#3a1f73"), Ink("#33245c", "#b794f6", "#eee4ff"))
_CALLING = Look("calling", WARM, Ink("#ffe9e0", "#d9480f", "#6b2408"), Ink("#4a2314", "#ff922b", "#ffe3d0"))
_LANDED = Look("landed", DIM, Ink("#e4f6e7", "#2f9e44", "#12401b"), Ink("#173c1f", "#69db7c", "#d8f5dc"))
_DROPPED = Look("dropped", DIM, Ink("#f8f9fa", "#ced4da", "#5c636a"), Ink("#212529", "#495057", "#adb5bd"))
_LOOKS = MappingProxyType(
    {
        State.PLANNED: _WAITING,
        State.BLOCKED: _WAITING,
        State.READY: _READY,
        State.ACTIVE: _BEGUN,
        State.RUNNING: _BEGUN,
        State.STUCK: _CALLING,
        State.DONE: _DONE,
        State.APPROVED: _DONE,
        State.REJECTED: _CALLING,
        State.LANDED: _LANDED,
        State.DROPPED: _DROPPED,
        State.MISSING: _CALLING,
    }
)


def look(state: State) -> Look:
    """How a task in this state looks."""
    return _LOOKS[state]
