"""Who reads what since when, and what waits for somebody to read it. Pure functions over the events of reviews."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from git_fleet.model.fleet import Mark, State
from git_fleet.model.review import Event

ENOUGH = 3
"""Reviews of the past before they say more than `fleet.review`."""
PAUSE_S = 2 * 3600.0
"""A longer stretch in which nothing was heard is a pause: neither work nor reading."""
_ANSWERED = frozenset((State.APPROVED, State.REJECTED))
_OTHERWISE = frozenset((State.RUNNING, State.STUCK, State.LANDED, State.DROPPED))


def waits(state: State, mark: Mark | None, tip: str) -> bool:
    """Does a branch with commits wait for review? What was answered at another tip has to be read again."""
    if state in _OTHERWISE:
        return False
    return not (mark and mark.state in _ANSWERED and mark.tip == tip)


def began(events: Iterable[Event], task: str, tip: str, who: str) -> float | None:
    """When he began to read this tip; None where he has not, or where it was answered since."""
    since = None
    for event in events:
        if (event.task, event.tip) == (task, tip):
            if event.answer is not None:
                since = None
            elif event.who == who and since is None:
                since = event.at_s
    return since


def last_shown(events: Sequence[Event], task: str, who: str) -> str | None:
    """The tip at which he was shown this task last."""
    return next((one.tip for one in reversed(events) if (one.task, one.who) == (task, who) and not one.answer), None)


def in_hand(events: Sequence[Event], who: str, tasks: Collection[str]) -> str | None:
    """Of these tasks the one that he was shown last and that nobody has answered since; None without one."""
    answered: set[str] = set()
    for event in reversed(events):
        if event.answer is not None:
            answered.add(event.task)
        elif event.who == who and event.task in tasks and event.task not in answered:
            return event.task
    return None


def lasted(events: Iterable[Event]) -> dict[str, list[tuple[float, float]]]:
    """By task: (when it began, when it was answered) of each review of which both are known."""
    found: dict[str, list[tuple[float, float]]] = {}
    for event in events:
        if event.answer is not None and event.began_s is not None and event.at_s >= event.began_s:
            found.setdefault(event.task, []).append((event.began_s, event.at_s))
    return found


def likely(found: Mapping[str, Sequence[tuple[float, float]]], setting_s: float) -> tuple[float, int]:
    """How long one review takes, and of how many of the past that is the median; (the setting, 0) where those are few.

    What took longer than a pause lay on somebody's desk.
    """
    known = sorted(end - start for spans in found.values() for start, end in spans if end - start <= PAUSE_S)
    if len(known) < ENOUGH:
        return setting_s, 0
    middle = len(known) // 2
    return (known[middle] + known[-middle - 1]) / 2, len(known)
