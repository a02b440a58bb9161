"""Is it worth running these tasks at the same time? With reasons."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from git_fleet.model.fleet import Outlook
from git_fleet.model.plan import Advice, Coupling, Hot, Overlap, Task, Verdict

SPLIT_S = 600.0
"""What it takes to write a plan, and to hand out the tasks."""
CONFLICT_S = 600.0
"""What it takes to resolve a conflict that was not foreseen; counted as often as it is to be expected."""
SUBSTANTIAL_S = 900.0
"""A task below this costs more to hand out and to review than it saves."""
MOST_AT_ONCE = 7
"""Beyond it, more branches make more coordination than progress."""
LEAST_SPEEDUP = 1.1

_MOST_OF_A_KIND = 4
_LIST_OF_CHANGES = re.compile(r"(?i)(.*/)?(changes|changelog|news|history|authors|contributors)(\.(md|rst|txt))?")


class _Given(NamedTuple):
    """All that the reasons are made of."""

    tasks: Sequence[Task]
    waves: Sequence[Sequence[str]]
    clashes: Sequence[Overlap]
    """Overlaps that no need excuses."""
    couplings: Sequence[Coupling]
    hot: Sequence[Hot]
    seconds: Mapping[str, float] | None
    """How long each task takes; None if nobody knows."""
    outlook: Outlook

    @property
    def labels(self) -> dict[str, str]:
        return {task.id: task.label for task in self.tasks}


class _Course(NamedTuple):
    """How the work goes, in seconds; in tasks where nobody knows how long they take."""

    path: tuple[str, ...]
    path_s: float
    work_s: float
    at_once: int
    serial_s: float
    """Splitting, conflicts, gates, reviewing."""
    speedup: float | None
    without_review: float | None


def advise(
    tasks: Sequence[Task],
    waves: Sequence[Sequence[str]],
    overlaps: Sequence[Overlap],
    couplings: Sequence[Coupling] = (),
    hot: Sequence[Hot] = (),
    outlook: Outlook = Outlook(),  # noqa: B008 - a value
) -> Advice:
    """The verdict, how wide the fleet gets, and how much faster it is than one task after the other.

    The speed-up follows Amdahl's law: what is split, reviewed, gated and resolved stays serial. Times are the estimates
    of the plan, for tasks without one the median of the others, or of the fleet's own past. Where there is neither,
    the speed-up counts each task alike and knows of no serial part; it is None where no task can run. What has landed
    is left out: the question is how to go on.
    """
    landed = outlook.snapshot.landings if outlook.snapshot else {}
    seconds = _seconds(tasks, outlook.spent_s)
    tasks = [_without(landed, task) for task in tasks if task.id not in landed]
    waves = [left for wave in waves if (left := [id for id in wave if id not in landed])]
    clashes = [one for one in overlaps if one.excused_by is None and landed.keys().isdisjoint(one.tasks)]
    couplings = [one for one in couplings if landed.keys().isdisjoint(one.tasks)]
    given = _Given(tasks, waves, clashes, couplings, hot, seconds, outlook)
    course = _course(given)
    known = given.seconds is not None
    return Advice(
        _verdict(given, course),
        max(map(len, waves), default=0),
        None if course.speedup is None else round(course.speedup, 1),
        _reasons(given, course),
        None if course.without_review is None else round(course.without_review, 1),
        course.path,
        course.path_s if known else None,
        course.serial_s if known else None,
    )


def _without(landed: Collection[str], task: Task) -> Task:
    return task._replace(needs=tuple(need for need in task.needs if need not in landed))


def _seconds(tasks: Sequence[Task], spent_s: Sequence[float]) -> dict[str, float] | None:
    known = [float(task.estimate_s) for task in tasks if task.estimate_s] or list(spent_s)
    if not known:
        return None
    from statistics import median  # 5 ms, which status does not have

    return {task.id: float(task.estimate_s or median(known)) for task in tasks}


def _course(given: _Given) -> _Course:
    width = max(map(len, given.waves), default=0)
    at_once = min(width, given.outlook.limit or width)
    cost = given.seconds or dict.fromkeys((task.id for task in given.tasks), 1.0)
    placed = [id for wave in given.waves for id in wave]
    path = _critical_path(given, cost)
    path_s, work_s = sum(cost[id] for id in path), sum(cost[id] for id in placed)
    if not placed:
        return _Course(path, path_s, work_s, at_once, 0.0, None, None)
    parallel_s = max(path_s, work_s / at_once)
    if given.seconds is None:
        return _Course(path, path_s, work_s, at_once, 0.0, work_s / parallel_s, None)
    gates_s = len(placed) * given.outlook.gate_s
    review_s = len(placed) * given.outlook.review_s
    extra_s = SPLIT_S + CONFLICT_S * sum(coupling.confidence for coupling in given.couplings)
    return _Course(
        path,
        path_s,
        work_s,
        at_once,
        extra_s + gates_s + review_s,
        (work_s + gates_s + review_s) / (parallel_s + extra_s + gates_s + review_s),
        (work_s + gates_s) / (parallel_s + extra_s + gates_s),
    )


def _critical_path(given: _Given, cost: Mapping[str, float]) -> tuple[str, ...]:
    """The longest chain of tasks that wait for each other: for what they need, or for a path that both own."""
    wave = _wave_of(given.waves)
    waits = {task.id: [need for need in task.needs if need in wave] for task in given.tasks}
    for (one, other), _, _ in given.clashes:
        if one in wave and other in wave:
            earlier, later = sorted((one, other), key=wave.__getitem__)
            waits[later].append(earlier)
    longest: dict[str, float] = {}
    before: dict[str, str | None] = {}
    for id in wave:
        before[id] = max(waits[id], key=longest.__getitem__, default=None)
        longest[id] = cost[id] + (longest[before[id] or ""] if before[id] else 0.0)
    here = max(longest, key=longest.__getitem__, default=None)
    path: list[str] = []
    while here is not None:
        path.append(here)
        here = before[here]
    return tuple(reversed(path))


def _verdict(given: _Given, course: _Course) -> Verdict:
    slow = course.without_review is not None and (course.speedup or 0.0) < LEAST_SPEEDUP
    if course.at_once <= 1 or slow:
        return Verdict.SEQUENTIAL
    placed = sum(map(len, given.waves))
    free = len(given.waves) == 1 and placed == len(given.tasks) and not given.clashes and not given.couplings
    return Verdict.PARALLEL if free else Verdict.MIXED


def _reasons(given: _Given, course: _Course) -> tuple[str, ...]:
    if not given.tasks:
        over = given.outlook.snapshot and given.outlook.snapshot.landings
        return ("all of it has landed" if over else "the plan has no task yet",)
    if len(given.tasks) == 1:
        return ("a single task needs no fleet",)
    binding = [*_few(_rings(given)), *_few(_shared(given)), *_few(_coupled(given)), *_few(_needed(given))]
    if not binding:
        unknown = sum(not task.owns for task in given.tasks)
        apart = f"; {unknown} of them own no path and may meet anywhere" if unknown else " and own different paths"
        binding = [f"{len(given.tasks)} tasks need nothing of each other{apart}"]
    return (*binding, *_few(_sizes(given)), *_reviewing(given, course), *_times(given, course))


def _few(reasons: Iterable[str]) -> list[str]:
    """Not more of a kind than anybody reads."""
    found = list(reasons)
    rest = len(found) - _MOST_OF_A_KIND
    return [*found[:_MOST_OF_A_KIND], *([f"and {rest} more of the kind"] if rest > 0 else [])]


def _rings(given: _Given) -> Iterator[str]:
    placed = _wave_of(given.waves)
    held_up = [task.id for task in given.tasks if task.id not in placed]
    if held_up:
        yield f"{_listed(held_up)}: never, because of a ring of needs"


def _shared(given: _Given) -> Iterator[str]:
    """Which to serialise, which to merge into one, which file to settle first, and which git can merge by itself."""
    labels, wave = given.labels, _wave_of(given.waves)
    owners: dict[str, dict[str, None]] = {}
    for tasks, paths, _ in given.clashes:
        for path in paths:
            owners.setdefault(path, {}).update(dict.fromkeys(tasks))
    settled = set()
    hot = {one.path for one in given.hot}
    for path, ids in owners.items():
        if _LIST_OF_CHANGES.fullmatch(path):
            yield f"{path}, owned by {_listed(list(ids))}: '{path} merge=union' in .gitattributes makes it harmless"
            settled.add(path)
        elif len(ids) > 2 or path in hot:
            yield f"{path}, owned by {_listed(list(ids))}: give it a task of its own, first, that they need"
            settled.add(path)
    for (one, other), paths, _ in given.clashes:
        rest = [path for path in paths if path not in settled]
        if not rest:
            continue
        both = f"{labels[one]} and {labels[other]}"
        first, last = sorted((one, other), key=lambda id: wave.get(id, 0))
        if given.seconds and max(given.seconds[one], given.seconds[other]) < SUBSTANTIAL_S:
            yield f"{both} both own {_listed(rest)} and are small: make them one task"
        else:
            yield f"{both} both own {_listed(rest)}: {last} after {first}, or one of them alone"


def _coupled(given: _Given) -> Iterator[str]:
    labels = given.labels
    for (one, other), paths, support, confidence in given.couplings:
        yield (
            f"{labels[one]} and {labels[other]}: {paths[0]} and {paths[1]} change together "
            f"({support} commits, {confidence:.0%}): one after the other, or one task"
        )


def _needed(given: _Given) -> Iterator[str]:
    for task in given.tasks:
        if task.needs:
            yield f"{task.label} waits for the landing of {_listed(task.needs)}"


def _sizes(given: _Given) -> Iterator[str]:
    small = [task.id for task in given.tasks if task.estimate_s and task.estimate_s < SUBSTANTIAL_S]
    if small:
        yield f"{_listed(small)}: less than {_lasting(SUBSTANTIAL_S)} of work; coarser tasks cost less to hand out"
    width = max(map(len, given.waves), default=0)
    limit = given.outlook.limit
    if limit and width > limit:
        yield f"{width} could run at once, fleet.limit lets {limit}"
    elif width > MOST_AT_ONCE:
        yield f"{width} at once: past {MOST_AT_ONCE}, keeping them apart costs more than it saves; set fleet.limit"


def _reviewing(given: _Given, course: _Course) -> Iterator[str]:
    review_s = given.outlook.review_s
    if not given.seconds or not review_s:
        return
    from statistics import median

    keeps_up = max(1, int(median(given.seconds.values()) // review_s))
    if course.at_once > keeps_up:
        each = _lasting(review_s)
        yield f"one person reviews {keeps_up} of them in the time that one takes ({each} each), not {course.at_once}"


def _times(given: _Given, course: _Course) -> Iterator[str]:
    if len(course.path) > 1:
        times = f": {_lasting(course.path_s)} of {_lasting(course.work_s)} of work" if given.seconds else ""
        if len(course.path) > 2 or given.seconds:
            yield f"the longest chain is {' → '.join(_shortened(course.path))}{times}"
    if given.seconds and course.speedup is not None:
        yield (
            f"{_lasting(course.serial_s)} stay serial: splitting, reviewing, gates, conflicts; "
            f"{course.speedup:.1f} times as fast with reviews, {course.without_review or 0.0:.1f} without"
        )
        if course.at_once > 1 and course.speedup < LEAST_SPEEDUP:
            yield "what stays serial eats up what is gained: one task after the other is as fast, and simpler"


def _wave_of(waves: Sequence[Sequence[str]]) -> dict[str, int]:
    return {id: number for number, wave in enumerate(waves) for id in wave}


def _shortened(path: Sequence[str]) -> Sequence[str]:
    return path if len(path) <= 6 else (*path[:3], "…", *path[-2:])


def _lasting(seconds: float) -> str:
    minutes = round(seconds / 60)
    hours, rest = divmod(minutes, 60)
    return f"{minutes}m" if not hours else f"{hours}h {rest}m" if rest else f"{hours}h"


def _listed(items: Sequence[str]) -> str:
    return ", ".join(items[:3]) + (f" and {len(items) - 3} more" if len(items) > 3 else "")
