"""The landing order with the fewest stops.

Whatever the order, each conflicting pair is paid for once; what the order decides is how many branches must stop.
Those that land without a stop conflict with nobody who lands, and bring all that they need: the most of them are a
largest independent set of the conflict graph, closed under needs. Needs are folded into the graph first (see
`_Graph`), so that one search for independent sets does for both.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from git_fleet.analysis.bits import bits, mask_of
from git_fleet.analysis.independent import largest
from git_fleet.model.landing import Action, Candidate, OrderStep


class _Graph(NamedTuple):
    """The candidates by their places in the plan; each set of places is an int with a bit for each."""

    nodes: tuple[Candidate, ...]
    needs: tuple[tuple[int, ...], ...]
    """Only those among the candidates; others have landed already."""
    conflicts: tuple[int, ...]
    excluded: tuple[int, ...]
    """Those that cannot land with this one: it, or something it needs, conflicts with them, or something they need."""
    after: tuple[tuple[int, ...], ...]
    """Those that must wait for this one if both land: they need it, or only this order merges."""
    ordered: tuple[tuple[int, int], ...]
    """The pairs (first, then) of which only that order merges."""
    circular: int
    """Those whose needs go in a circle, or lead to one."""
    able: int
    """Those that could land, alone with what they need."""


def order(
    candidates: Sequence[Candidate],
    conflicts: Mapping[str, Collection[str]],
    before: Collection[tuple[str, str]] = (),
) -> tuple[OrderStep, ...]:
    """Steps for all candidates: those that land, then those that stop, then those parked for want of what they need.

    `candidates` are in plan order, ids unique; needs that are not among them count as landed. `conflicts` names for an
    id those that it does not merge with (one direction is enough). `before` has pairs that merge only if the first
    lands before the second; where needs forbid that order, the pair is a conflict.

    As many as possible land; among equals those with the higher sum of priorities, then more joints, then those that
    stand earlier in the plan. That is exact for up to 40 tasks connected by conflicts, and a good guess above.
    """
    graph = _graph(tuple(candidates), conflicts, before)
    landing = largest(graph.able, graph.excluded, [(node.priority, node.joint) for node in graph.nodes])
    actions = dict.fromkeys(_sequence(graph.after, bits(landing), lambda at: _rank(graph.nodes[at])), Action.LAND)
    rest = [at for at in range(len(graph.nodes)) if not landing >> at & 1]
    parked = [at for at in rest if any(not landing >> need & 1 for need in graph.needs[at])]
    stops = sorted(set(rest).difference(parked), key=lambda at: (graph.nodes[at].base_conflict, at))
    actions |= dict.fromkeys(stops, Action.STOP)
    actions |= dict.fromkeys((*_sequence(graph.after, parked), *parked), Action.PARK)
    say = {Action.LAND: _why_land, Action.STOP: _why_stop, Action.PARK: _why_park}
    return tuple(
        OrderStep(graph.nodes[at].id, action, say[action](graph, landing, at)) for at, action in actions.items()
    )


def _rank(node: Candidate) -> tuple[int, bool, int]:
    """Of those that could land next, the first. The larger diff: so that the smaller one is the one to adapt."""
    return -node.priority, not node.joint, -node.size


def _graph(
    nodes: tuple[Candidate, ...], conflicts: Mapping[str, Collection[str]], before: Collection[tuple[str, str]]
) -> _Graph:
    place = {node.id: at for at, node in enumerate(nodes)}
    needs = tuple(tuple(dict.fromkeys(place[need] for need in node.needs if need in place)) for node in nodes)
    after: list[list[int]] = [[] for _ in nodes]
    for at, needed in enumerate(needs):
        for need in needed:
            after[need].append(at)
    by_needs = _sequence(after, range(len(nodes)))
    edges = {(place[one], place[two]) for one in conflicts for two in conflicts[one] if {one, two} <= place.keys()}
    ordered = []
    for first, then in sorted((place[one], place[two]) for one, two in set(before) if {one, two} <= place.keys()):
        if first in _reach(after, then):
            edges.add((first, then))
        else:
            after[first].append(then)
            ordered.append((first, then))
    against = [0] * len(nodes)
    for one, two in edges:
        if one != two:
            against[one] |= 1 << two
            against[two] |= 1 << one
    excluded = _excluded(needs, against, by_needs)
    return _Graph(
        nodes,
        needs,
        tuple(against),
        excluded,
        tuple(map(tuple, after)),
        tuple(ordered),
        circular=(1 << len(nodes)) - 1 & ~mask_of(by_needs),
        able=_able(nodes, needs, excluded, by_needs),
    )


def _excluded(needs: Sequence[Sequence[int]], against: Sequence[int], by_needs: Sequence[int]) -> tuple[int, ...]:
    """Conflicts, inherited by all that need a party to them. `by_needs`: places, what is needed first."""
    below = [1 << at for at in range(len(needs))]
    for at in reversed(by_needs):
        for need in needs[at]:
            below[need] |= below[at]
    excluded = [0] * len(needs)
    for at in by_needs:
        for foe in bits(against[at]):
            excluded[at] |= below[foe]
        for need in needs[at]:
            excluded[at] |= excluded[need]
    return tuple(excluded)


def _able(
    nodes: Sequence[Candidate], needs: Sequence[Sequence[int]], excluded: Sequence[int], by_needs: Sequence[int]
) -> int:
    able = 0
    for at in by_needs:
        fit = not nodes[at].base_conflict and not excluded[at] >> at & 1
        if fit and all(able >> need & 1 for need in needs[at]):
            able |= 1 << at
    return able


def _reach(after: Sequence[Sequence[int]], start: int) -> set[int]:
    reached, edge = {start}, [start]
    while edge:
        fresh = set(after[edge.pop()]) - reached
        reached |= fresh
        edge += fresh
    return reached


def _sequence(
    after: Sequence[Sequence[int]], among: Iterable[int], rank: Callable[[int], tuple[object, ...]] = lambda at: ()
) -> tuple[int, ...]:
    """The places in an order in which none comes before one that it is `after`; then by `rank`, then by place.

    Those in a circle, and what comes after it, are left out.
    """
    members = set(among)
    missing = dict.fromkeys(members, 0)
    for at in members:
        for later in after[at]:
            if later in members:
                missing[later] += 1
    ready = [(rank(at), at) for at in members if not missing[at]]
    heapify(ready)
    found = []
    while ready:
        _, at = heappop(ready)
        found.append(at)
        for later in after[at]:
            if later in members:
                missing[later] -= 1
                if not missing[later]:
                    heappush(ready, (rank(later), later))
    return tuple(found)


def _why_land(graph: _Graph, landing: int, at: int) -> str:
    parts = []
    if graph.needs[at]:
        parts.append(f"after {_names(graph, graph.needs[at])}, which it needs")
    if firsts := [first for first, then in graph.ordered if then == at and landing >> first & 1]:
        parts.append(f"after {_names(graph, firsts)}: only this order merges")
    if thens := [then for first, then in graph.ordered if first == at and landing >> then & 1]:
        parts.append(f"before {_names(graph, thens)}: only this order merges")
    if foes := tuple(bits(graph.conflicts[at])):
        parts.append(f"before {_names(graph, foes)}: they conflict, {_why_first(graph, landing, at)}")
    alone = "what it needs has landed" if graph.nodes[at].needs else "needs nothing"
    return "; ".join(parts) or f"{alone}, conflicts with nobody"


def _why_first(graph: _Graph, landing: int, at: int) -> str:
    """What decides between this one, which lands, and those it conflicts with, which do not."""
    this = graph.nodes[at]
    reasons = set()
    for foe in bits(graph.conflicts[at] & graph.able):
        other = graph.nodes[foe]
        if graph.excluded[foe] & landing != 1 << at or any(not landing >> need & 1 for need in graph.needs[foe]):
            reasons.add("the fewest stop this way")
        elif this.priority != other.priority:
            reasons.add(f"{this.id} has the higher priority")
        elif this.joint != other.joint:
            reasons.add(f"{this.id} is the joint")
        else:
            reasons.add(f"{this.id} stands earlier in the plan")
    if not reasons:
        return "and they cannot land now"
    return reasons.pop() if len(reasons) == 1 else "the fewest stop this way"


def _why_stop(graph: _Graph, landing: int, at: int) -> str:
    if graph.nodes[at].base_conflict:
        return "conflicts with the base"
    foes = tuple(bits(graph.conflicts[at] & landing))
    return f"conflicts with {_names(graph, foes)}, which {'lands' if len(foes) == 1 else 'land'} first"


def _why_park(graph: _Graph, landing: int, at: int) -> str:
    if graph.circular >> at & 1:
        need = next(need for need in graph.needs[at] if graph.circular >> need & 1)
        return f"waits for {graph.nodes[need].id}: needs go in a circle"
    waiting = [need for need in graph.needs[at] if not landing >> need & 1]
    stop = next((need for need in waiting if all(landing >> above & 1 for above in graph.needs[need])), None)
    if stop is None:
        return f"waits for {graph.nodes[waiting[0]].id}, which waits too"
    return f"waits for {graph.nodes[stop].id}, which stops"


def _names(graph: _Graph, places: Sequence[int]) -> str:
    """`42`, `42 and 43`, `42, 43 and 3 more`."""
    names = [graph.nodes[at].id for at in places]
    if len(names) > 3:
        names[2:] = [f"{len(names) - 2} more"]
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)
