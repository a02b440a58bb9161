"""Was parallel worth it? Pure, over what is known of the past; what is not known stays unknown.

One rule for all: a stretch of more than `PAUSE_S` in which nothing happened is a pause and counts nowhere, neither as
work, reading or resolving nor on the clock that these are compared with.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from git_fleet.analysis.advice import LEAST_SPEEDUP
from git_fleet.analysis.reviewing import PAUSE_S
from git_fleet.model.journal import OperationState
from git_fleet.model.score import Gates, Past, Range, Score, Source, Span, TaskScore, Worth

MEASURABLE_S = 60.0
"""What was over sooner says nothing about parallel work."""


def stops(phases: Iterable[tuple[int, str, str | None, float]]) -> dict[str, list[Span]]:
    """Task -> when a landing waited for its conflict to be resolved, each time that somebody went on.

    `phases` are (operation, state, task, moment), oldest first.
    """
    since: dict[int, tuple[str, float]] = {}
    found: dict[str, list[Span]] = {}
    for operation, state, task, at_s in phases:
        began = since.pop(operation, None)
        if began is not None:
            found.setdefault(began[0], []).append((began[1], at_s))
        if state == OperationState.STOPPED and task is not None:
            since[operation] = task, at_s
    return found


def score(past: Sequence[Past], gates: Sequence[Gates] = (), left: int = 0) -> Score:
    """What came of these tasks, all of which have landed. `left`: so many of the plan have not."""
    began = {one.id: _began(one) for one in past}
    kept = [_kept(one, began[one.id]) for one in past]
    done = {one.id: _done(one) for one in kept}
    clock = _Clock(kept, began, gates)
    least = _of_one_person(kept, began)
    tasks = tuple(_task(one, began[one.id], done[one.id], clock, least.get(one.id, 0.0)) for one in kept)
    first = min(_if_all_known(began.values()), default=None)
    last = max(_if_all_known(one.landed_s for one in kept), default=None)
    whole = None if first is None or last is None else clock.between(first, last)
    found = Score(
        tasks,
        first,
        last,
        whole,
        _one_by_one(tasks),
        _sum_of_known([one.review_s for one in tasks]),
        _sum_of_known([one.conflict_s for one in tasks]),
        sum(one.lasted_s for one in gates) if gates else _sum_of_known([one.gate_s for one in tasks]),
        sum(one.saved_s for one in gates),
        _at_once(tasks),
        Worth.UNKNOWN,
        "",
        left,
    )
    worth, why = _worth(found)
    return found._replace(worth=worth, why=why)


def _one_by_one(tasks: Sequence[TaskScore]) -> Range:
    most = _if_all_known(one.work_s.most for one in tasks)
    return Range(sum(one.work_s.least for one in tasks), sum(most) if len(most) == len(tasks) else None)


def _began(one: Past) -> float | None:
    """When its worktree was made, else with its first commit."""
    return min((commit.at_s for commit in one.commits), default=None) if one.added_s is None else one.added_s


def _kept(one: Past, began: float | None) -> Past:
    """Without what lies outside its time: commits that are older, a branch of the same name in an earlier life."""
    first = float("-inf") if began is None else began
    last = float("inf") if one.landed_s is None else one.landed_s
    return one._replace(
        commits=tuple(sorted(commit for commit in one.commits if first <= commit.at_s <= last)),
        done_s=one.done_s if one.done_s is not None and first <= one.done_s <= last else None,
        agents=tuple((a, b if b is None else min(b, last)) for a, b in one.agents if first <= a <= last),
        reviews=tuple((a, b) for a, b in one.reviews if first <= a <= b <= last),
        stops=tuple((a, b) for a, b in one.stops if first <= a <= b <= last),
    )


def _done(one: Past) -> float | None:
    """When the last work on it ended, as far as anything of that was seen."""
    ends = [end for _, end in one.agents if end is not None]
    said = [one.done_s] if one.done_s is not None else []
    return max((*ends, *said, *(commit.at_s for commit in one.commits)), default=None)


class _Clock:
    """Tells how long anything went on between two moments. Agents and gates go on by themselves: no pause for them."""

    def __init__(self, past: Sequence[Past], began: Mapping[str, float | None], gates: Sequence[Gates]) -> None:
        self._running = [(a, b) for one in past for a, b in one.agents if b is not None]
        self._running += [(one.began_s, one.began_s + one.lasted_s) for one in gates]
        moments = [moment for span in self._running for moment in span]
        for one in past:
            moments += [moment for moment in (began[one.id], one.done_s, one.landed_s) if moment is not None]
            moments += [moment for span in (*one.reviews, *one.stops) for moment in span]
            moments += [commit.at_s for commit in one.commits] + [start for start, _ in one.agents]
        self._moments = sorted(set(moments))

    def between(self, first: float, last: float) -> float:
        """Seconds, less the pauses."""
        inside = [first, *(moment for moment in self._moments if first < moment < last), max(first, last)]
        return sum(
            b - a
            for a, b in pairwise(inside)
            if b - a <= PAUSE_S or any(start <= a and b <= end for start, end in self._running)
        )


def _of_one_person(past: Sequence[Past], began: Mapping[str, float | None]) -> dict[str, float]:
    """By task: its work as far as commits show it, if everybody does one thing at a time.

    The time before a commit is counted from the last one of the same author, whatever the task.
    """
    everybody = sorted((commit, one.id) for one in past for commit in one.commits if not _by_agent(one))
    last_of: dict[str, float] = {}
    last_in = {id: moment for id, moment in began.items() if moment is not None}
    found: dict[str, float] = {}
    for commit, id in everybody:
        since = max(last_of.get(commit.who, float("-inf")), last_in.get(id, float("-inf")))
        last_of[commit.who] = last_in[id] = commit.at_s
        found[id] = found.get(id, 0.0) + _unless_pause(since, commit.at_s)
    return found


def _by_agent(one: Past) -> bool:
    """Is all known that its agents did?"""
    return bool(one.agents) and all(end is not None for _, end in one.agents)


def _unless_pause(first: float, last: float) -> float:
    return last - first if 0 <= last - first <= PAUSE_S else 0.0


def _task(one: Past, began: float | None, done: float | None, clock: _Clock, least_s: float) -> TaskScore:
    work, source = _work(one, began, done, clock, least_s)
    return TaskScore(
        one.id,
        one.title,
        began,
        done,
        one.landed_s,
        work,
        source,
        _spans(one.reviews),
        None if one.landed_s is None or done is None else one.landed_s - done,
        _spans(one.stops) if one.stops else 0.0,
        one.gate_s,
    )


def _work(
    one: Past, began: float | None, done: float | None, clock: _Clock, least_s: float
) -> tuple[Range, Source | None]:
    """Its agents' time, else what its commits show, else the estimate: of that no more than the time that there was."""
    if _by_agent(one):
        ran = _union([(start, end) for start, end in one.agents if end is not None])
        return Range(ran, ran), Source.AGENT
    moments = [*([one.added_s] if one.added_s is not None else []), *(commit.at_s for commit in one.commits)]
    shown = sum(_unless_pause(a, b) for a, b in pairwise(moments))
    if one.commits and shown:
        return Range(min(least_s, shown), shown), Source.COMMITS
    if one.estimate_s:
        there = 0.0 if began is None or done is None else clock.between(began, done)
        return Range(min(one.estimate_s, there), one.estimate_s), Source.ESTIMATE
    return Range(0.0, None), None


def _union(spans: Iterable[Span]) -> float:
    total, reached = 0.0, float("-inf")
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total


def _spans(spans: Sequence[Span]) -> float | None:
    """All that are no pause; None where none is left."""
    known = [end - start for start, end in spans if end - start <= PAUSE_S]
    return sum(known) if known else None


def _sum_of_known(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _if_all_known(values: Iterable[float | None]) -> list[float]:
    """The values; none where one is missing."""
    found = list(values)
    return [] if None in found else [one for one in found if one is not None]


def _at_once(tasks: Iterable[TaskScore]) -> int:
    """The most that were between beginning and done at one moment; who begins when another ends comes after him."""
    steps = [(moment, turn) for one in tasks for moment, turn in _turns(one)]
    busy, most = 0, 0
    for _, turn in sorted(steps):
        busy += turn
        most = max(most, busy)
    return most


def _turns(one: TaskScore) -> Iterator[tuple[float, int]]:
    if one.began_s is not None and one.done_s is not None and one.done_s > one.began_s:
        yield from ((one.began_s, 1), (one.done_s, -1))


def _worth(found: Score) -> tuple[Worth, str]:
    """The verdict, and of an unknown one the reason. No bound is ever stretched in favour of parallel work."""
    why = _too_little(found)
    speedup = found.speedup
    if why or speedup is None:
        return Worth.UNKNOWN, why
    if speedup.least >= LEAST_SPEEDUP:
        return Worth.PAID, ""
    if speedup.most is None:
        lacking = [one.id for one in found.tasks if one.source is None]
        return Worth.UNKNOWN, f"nobody knows how long {', '.join(lacking)} took"
    if speedup.most <= 1 / LEAST_SPEEDUP:
        return Worth.SEQUENTIAL, ""
    if speedup.least > 1 / LEAST_SPEEDUP and speedup.most < LEAST_SPEEDUP:
        return Worth.EVEN, ""
    return Worth.UNKNOWN, f"between {speedup.least:.1f} and {speedup.most:.1f} times as fast"


def _too_little(found: Score) -> str:
    if len(found.tasks) < 2:
        return "only one task has landed" if found.tasks else "no task has landed"
    for what, lacking in (
        ("began", [one.id for one in found.tasks if one.began_s is None]),
        ("landed", [one.id for one in found.tasks if one.landed_s is None]),
    ):
        if lacking:
            return f"nobody knows when {', '.join(lacking)} {what}"
    if (found.at_work_s or 0.0) < MEASURABLE_S:
        return "all of it was over within a minute"
    return ""
