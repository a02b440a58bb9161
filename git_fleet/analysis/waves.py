"""Waves: which tasks can run at the same time, and rings of needs in which none can start."""

import contextlib
import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

from git_fleet.model.plan import Overlap, Task


class Closure(NamedTuple):
    """Who needs whom, directly or not: bit n of `masks[id]` stands for the n-th task."""

    positions: Mapping[str, int]
    masks: Mapping[str, int]

    def needs(self, id: str, other: str) -> bool:
        """Does `id` need `other`, directly or through others?"""
        return bool(self.masks[id] >> self.positions[other] & 1)


def waves(tasks: Sequence[Task], overlaps: Iterable[Overlap]) -> tuple[tuple[str, ...], ...]:
    """Ids by wave, in plan order: a task comes after all it needs, and no two that own the same path share a wave.

    Of two that overlap, the one that stands first in the plan goes first, unless needs say otherwise. Unknown needs
    count for nothing; a task in a ring of needs, and all that need it, have no wave.
    """
    positions = _positions(tasks)
    meets: dict[str, list[str]] = {}
    for overlap in overlaps:
        one, other = overlap.tasks
        meets.setdefault(one, []).append(other)
        meets.setdefault(other, []).append(one)
    needs = _known_needs(tasks)
    found: dict[str, int] = {}
    for id in _in_order(needs, positions):
        least = 1 + max((found[need] for need in needs[id]), default=0)
        taken = {found[other] for other in meets.get(id, ()) if other in found}
        while least in taken:
            least += 1
        found[id] = least
    by_wave: list[list[str]] = [[] for _ in range(max(found.values(), default=0))]
    for id in sorted(found, key=positions.__getitem__):
        by_wave[found[id] - 1].append(id)
    return tuple(map(tuple, by_wave))


def closure(tasks: Sequence[Task]) -> Closure:
    """All needs, the needs of needs included. What a ring of needs holds up knows only its direct needs."""
    positions = _positions(tasks)
    needs = _known_needs(tasks)
    masks: dict[str, int] = {}
    for id in (*_in_order(needs, positions), *positions):
        if id not in masks:
            masks[id] = 0
            for need in needs[id]:
                masks[id] |= masks.get(need, 0) | 1 << positions[need]
    return Closure(positions, masks)


def chain(tasks: Mapping[str, Task], closed: Closure, id: str, other: str) -> tuple[str, ...]:
    """Ids from one task to another that it needs, each needing the next; empty where it does not need it."""
    if not closed.needs(id, other):
        return ()
    found = dict.fromkeys([id])
    here = id
    while other not in tasks[here].needs:
        steps = (need for need in tasks[here].needs if need in tasks and need not in found)
        # Only a ring of needs, an error of its own, leads nowhere.
        here = next((need for need in steps if closed.needs(need, other)), "")
        if not here:
            return id, other
        found[here] = None
    return *found, other


def cycles(tasks: Sequence[Task]) -> tuple[tuple[str, ...], ...]:
    """A shortest ring for every knot of tasks that need each other: each id needs the next, the last needs the first.

    A task that needs itself is no ring.
    """
    needs = {id: [need for need in wanted if need != id] for id, wanted in _known_needs(tasks).items()}
    positions = _positions(tasks)
    knots = [sorted(knot, key=positions.__getitem__) for knot in _knots(needs) if len(knot) > 1]
    return tuple(_ring(knot, needs) for knot in sorted(knots, key=lambda knot: positions[knot[0]]))


def _positions(tasks: Iterable[Task]) -> dict[str, int]:
    """Id -> place in the plan; of a doubled id, the first counts."""
    positions: dict[str, int] = {}
    for task in tasks:
        positions.setdefault(task.id, len(positions))
    return positions


def _known_needs(tasks: Sequence[Task]) -> dict[str, list[str]]:
    needs: dict[str, list[str]] = {task.id: [] for task in tasks}
    for task in tasks:
        needs[task.id] += [need for need in task.needs if need in needs]
    return needs


def _in_order(needs: Mapping[str, Sequence[str]], positions: Mapping[str, int]) -> Iterator[str]:
    """Ids, each after all it needs, otherwise in plan order; rings and what needs them are left out."""
    sorter = TopologicalSorter(needs)
    # After a CycleError the sorter still gives all that no ring holds up.
    with contextlib.suppress(CycleError):
        sorter.prepare()
    ready: list[tuple[int, str]] = []
    while sorter.is_active():
        for id in sorter.get_ready():
            heapq.heappush(ready, (positions[id], id))
        if not ready:
            return
        _, id = heapq.heappop(ready)
        yield id
        sorter.done(id)


def _knots(needs: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """Strongly connected tasks: walk the needs, then against them from what was finished last."""
    needed_by: dict[str, list[str]] = {id: [] for id in needs}
    for id, wanted in needs.items():
        for need in wanted:
            needed_by[need].append(id)
    seen: set[str] = set()
    for root in reversed(list(_finished(needs))):
        knot = list(_reached(root, needed_by, seen))
        if knot:
            yield knot


def _finished(needs: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Ids, each when all that is reached from it is done; with a stack of our own: plans may be ten thousand deep."""
    seen: set[str] = set()
    for root in needs:
        work = [] if root in seen else [(root, iter(needs[root]))]
        seen.add(root)
        while work:
            id, rest = work[-1]
            deeper = next((need for need in rest if need not in seen), None)
            if deeper is None:
                yield id
                work.pop()
            else:
                seen.add(deeper)
                work.append((deeper, iter(needs[deeper])))


def _reached(root: str, edges: Mapping[str, Sequence[str]], seen: set[str]) -> Iterator[str]:
    """What is reached from here and was not seen yet."""
    work = [root]
    while work:
        id = work.pop()
        if id not in seen:
            seen.add(id)
            yield id
            work += edges[id]


def _ring(knot: Sequence[str], needs: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The shortest ring through the first of the knot."""
    start = knot[0]
    inside = set(knot)
    came_from: dict[str, str] = {}
    front = [start]
    while start not in came_from:
        steps = [(id, need) for id in front for need in needs[id] if need in inside]
        front = []
        for id, need in steps:
            if need not in came_from:
                came_from[need] = id
                front.append(need)
    ring = [came_from[start]]
    while ring[-1] != start:
        ring.append(came_from[ring[-1]])
    return tuple(reversed(ring))
