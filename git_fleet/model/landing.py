"""Landing: steps with their reasons, and what came of them."""

from enum import StrEnum
from typing import NamedTuple

from git_fleet.model.fleet import Base


class Action(StrEnum):
    LAND = "land"
    STOP = "stop"
    PARK = "park"
    SKIP = "skip"


class Request(NamedTuple):
    """What to land and how, as it was typed; a landing that waits for a human goes on the same way."""

    names: tuple[str, ...] = ()
    """Tasks; none named: all that can."""
    gates: bool = True
    order: tuple[str, ...] = ()
    """Tasks in the order in which they are to land; those that are not here follow in ours."""
    only: tuple[str, ...] = ()
    """Gates by name, or commands, to run instead of all that are configured."""
    keep_going: bool = True
    """Go on with the others when a gate has thrown out a branch."""
    strategy: str = "merge"
    push: bool = False
    """Push the base when all is done."""


class Author(NamedTuple):
    """Who wrote a commit, and when: `<seconds> <zone>`."""

    name: str
    mail: str
    date: str


class Told(NamedTuple):
    """What the commit of a step says; of a rebased one, `picks` has each of its commits with its message."""

    message: str
    author: Author | None = None
    """None: whoever lands it."""
    picks: tuple[tuple[str, str], ...] = ()


class Candidate(NamedTuple):
    """A task as the landing order sees it: values only."""

    id: str
    needs: tuple[str, ...] = ()
    priority: int = 0
    size: int = 0
    """Changed paths: of two that are otherwise equal, the smaller diff lands later."""
    joint: bool = False
    base_conflict: bool = False
    stands_on: tuple[str, ...] = ()
    """Branches whose commits it has: they go first, each as a step of its own, unless they need this one."""


class OrderStep(NamedTuple):
    """One place in the landing order: what is expected to happen there, and why it stands there."""

    id: str
    action: Action
    reason: str


class OrderCost(NamedTuple):
    """What a given order is expected to cost a human, and what the best would: stops, and pairs that conflict."""

    stops: int
    fewest_stops: int
    conflicts: int
    fewest_conflicts: int


class Step(NamedTuple):
    """One task of a landing, simulated or done."""

    id: str
    branch: str
    tip: str
    action: Action
    reason: str
    tree: str | None = None
    commit: str | None = None
    conflicts: tuple[str, ...] = ()
    gate: str = "none"
    gate_s: float | None = None
    title: str = ""
    agent: str | None = None


class Ending(StrEnum):
    """How a landing ended."""

    DRY = "dry"
    LANDED = "landed"
    NOTHING = "nothing"
    STOPPED = "stopped"
    GATE_FAILED = "gate failed"
    BASE_RED = "base red"


NOT_TESTED = "not tested"
"""How the reason of a step begins that the landing did not come to."""


class Eviction(NamedTuple):
    """A branch that a gate threw out of a landing, and who is to blame: itself, or a partner that landed before it."""

    id: str
    gate: str
    reason: str
    partner: str | None = None
    log: str | None = None


class GateReport(NamedTuple):
    """What the gates of a landing did."""

    mode: str
    lanes: int
    runs: int = 0
    seconds: float = 0.0
    """Of all runs together."""
    saved_s: float = 0.0
    """By testing several trees at once, and by starting before it was known whether what comes before is green."""
    evicted: tuple[Eviction, ...] = ()
    disturbed: tuple[str, ...] = ()
    """Refs and worktrees that changed while gates ran, a sentence each."""


class Push(NamedTuple):
    """What became of a push: `pushed`, `rejected` or `unknown`, as the remote said afterwards; `why` in git's words."""

    remote: str
    ref: str
    commit: str
    state: str = "unknown"
    why: str = ""
    moved: bool = False
    """Has the remote commits that this one lacks?"""


class LandOutcome(NamedTuple):
    """What came of a landing. A conflict and a red gate are outcomes, not errors."""

    ending: Ending
    base: Base
    strategy: str
    steps: tuple[Step, ...]
    tree: str | None
    commit: str | None
    operation: int | None = None
    lane: str | None = None
    """The worktree in which a conflict waits."""
    log: str | None = None
    """The failed gate's output."""
    cost: OrderCost | None = None
    """Of an order that was given."""
    gates: GateReport | None = None
    push: Push | None = None
    earlier: tuple[str, ...] = ()
    """Tasks that the same landing had landed before it stopped, and whose branches are still there."""


class GateResult(NamedTuple):
    """`verdict`: `passed`, `failed` or `flaky`."""

    gate: str
    verdict: str
    seconds: float
    log: str | None = None
    why: str | None = None
    cached: bool = False


def merge_message(branch: str, task_id: str, base_branch: str, agent: str | None = None) -> str:
    """The whole message of a landing's merge commit, final newline included; short branch names go in."""
    into = "" if base_branch in ("main", "master") else f" into {base_branch}"
    by = f"Fleet-Agent: {agent}\n" if agent else ""
    return f"Merge branch '{branch}'{into}\n\nFleet-Task: {task_id}\n{by}"
