"""The landing order with the fewest stops.

Whatever the order, each conflicting pair is paid for once; what the order decides is how many branches must stop.
Those that land without a stop conflict with nobody who lands, and bring all that they need: the most of them are a
largest independent set of the conflict graph, closed under needs. Needs are folded into the graph first (see
`_Graph`), so that one search for independent sets does for both.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush
from types import MappingProxyType
from typing import NamedTuple

from git_fleet.analysis.bits import bits, mask_of
from git_fleet.analysis.independent import largest
from git_fleet.model.landing import Action, Candidate, OrderCost, OrderStep


class _Graph(NamedTuple):
    """The candidates by their places in the plan; each set of places is an int with a bit for each."""

    nodes: tuple[Candidate, ...]
    needs: tuple[tuple[int, ...], ...]
    """Only those among the candidates; others have landed already."""
    conflicts: tuple[int, ...]
    excluded: tuple[int, ...]
    """Those that cannot land with this one: it, or something it needs, conflicts with them, or something they need."""
    after: tuple[tuple[int, ...], ...]
    """Those that must wait for this one if both land: they need it, stand on it, or only this order merges."""
    ordered: tuple[tuple[int, int], ...]
    """The pairs (first, then) of which only that order merges."""
    circular: int
    """Those whose needs go in a circle, or lead to one."""
    able: int
    """Those that could land, alone with what they need."""
    shared: Mapping[frozenset[str], Sequence[str]]
    """Where two of them conflict, as far as that is known."""
    given: bool = False
    """Did somebody else decide on the order?"""


def order(
    candidates: Sequence[Candidate],
    conflicts: Mapping[str, Collection[str]],
    before: Collection[tuple[str, str]] = (),
    shared: Mapping[frozenset[str], Sequence[str]] = MappingProxyType({}),
) -> tuple[OrderStep, ...]:
    """Steps for all candidates: those that land, then those that stop, then those parked for want of what they need.

    `candidates` are in plan order, ids unique; needs that are not among them count as landed. `conflicts` names for an
    id those that it does not merge with (one direction is enough). `before` has pairs that merge only if the first
    lands before the second; where needs forbid that order, the pair is a conflict.
    `shared` has the paths in which two conflict, for the reasons.

    As many as possible land; among equals those with the higher sum of priorities, then more joints, then those that
    stand earlier in the plan. That is exact for up to 40 tasks connected by conflicts, and a good guess above.
    """
    graph = _graph(tuple(candidates), conflicts, before, shared)
    landing = largest(graph.able, graph.excluded, [(node.priority, node.joint) for node in graph.nodes])
    actions = dict.fromkeys(_sequence(graph.after, bits(landing), lambda at: _rank(graph.nodes[at])), Action.LAND)
    rest = [at for at in range(len(graph.nodes)) if not landing >> at & 1]
    parked = [at for at in rest if any(not landing >> need & 1 for need in graph.needs[at])]
    stops = sorted(set(rest).difference(parked), key=lambda at: (graph.nodes[at].base_conflict, at))
    actions |= dict.fromkeys(stops, Action.STOP)
    actions |= dict.fromkeys((*_sequence(graph.after, parked), *parked), Action.PARK)
    return _steps(graph, landing, actions)


def given(
    candidates: Sequence[Candidate],
    conflicts: Mapping[str, Collection[str]],
    before: Collection[tuple[str, str]],
    wanted: Sequence[str],
    shared: Mapping[frozenset[str], Sequence[str]] = MappingProxyType({}),
) -> tuple[tuple[OrderStep, ...], OrderCost]:
    """Steps in the order `wanted`, and what that costs. Candidates that are not in it follow in ours; what one needs
    that is not in it comes before it. `broken_need` must have found nothing; else as `order`."""
    best = order(candidates, conflicts, before)
    graph = _graph(tuple(candidates), conflicts, before, shared)._replace(given=True)
    place = {node.id: at for at, node in enumerate(graph.nodes)}
    actions: dict[int, Action] = {}
    landing = 0
    for at in _as_wanted(graph, [*(place[id] for id in wanted if id in place), *(place[step.id] for step in best)]):
        too_late = any(one == at and landing >> then & 1 for one, then in graph.ordered)
        if any(not landing >> need & 1 for need in graph.needs[at]):
            actions[at] = Action.PARK
        elif graph.nodes[at].base_conflict or too_late or graph.conflicts[at] & landing:
            actions[at] = Action.STOP
        else:
            actions[at] = Action.LAND
            landing |= 1 << at
    expected = {place[step.id]: step.action for step in best}
    (stops, pairs), (fewest, least) = _cost(graph, actions), _cost(graph, expected)
    return _steps(graph, landing, actions), OrderCost(stops, fewest, pairs, least)


def broken_need(candidates: Sequence[Candidate], wanted: Sequence[str]) -> tuple[str, str] | None:
    """(task, need) where an order has a task before one that it needs, directly or further down; None: nowhere."""
    needs = {node.id: node.needs for node in candidates}
    for number, id in enumerate(wanted):
        below = set(needs.get(id, ()))
        edge = list(below)
        while edge:
            fresh = set(needs.get(edge.pop(), ())) - below
            below |= fresh
            edge += fresh
        late = next((other for other in wanted[number + 1 :] if other in below), None)
        if late is not None:
            return id, late
    return None


def _as_wanted(graph: _Graph, wanted: Sequence[int]) -> tuple[int, ...]:
    """All places: `wanted` in its order, which names each, but what one needs before it; circles last."""
    turn = {at: number for number, at in reversed([*enumerate(wanted)])}
    after: list[list[int]] = [[] for _ in graph.nodes]
    for at, needed in enumerate(graph.needs):
        for need in needed:
            after[need].append(at)
    for at in reversed(_sequence(after, range(len(graph.nodes)))):
        for need in graph.needs[at]:
            turn[need] = min(turn[need], turn[at])
    sequence = _sequence(after, range(len(graph.nodes)), lambda at: (turn[at],))
    return tuple(dict.fromkeys((*sequence, *wanted)))


def _cost(graph: _Graph, actions: Mapping[int, Action]) -> tuple[int, int]:
    """(stops, pairs in conflict) of a sequence: each pair is paid for once, by whoever comes later."""
    taking_part = [at for at, action in actions.items() if action is not Action.PARK]
    turn = {at: number for number, at in enumerate(taking_part)}
    members = mask_of(taking_part)
    pairs = sum((graph.conflicts[at] & members).bit_count() for at in taking_part) // 2
    reversed_ = sum(turn[first] > turn[then] for first, then in graph.ordered if first in turn and then in turn)
    stops = sum(action is Action.STOP for action in actions.values())
    return stops, pairs + reversed_


def _steps(graph: _Graph, landing: int, actions: Mapping[int, Action]) -> tuple[OrderStep, ...]:
    say = {Action.LAND: _why_land, Action.STOP: _why_stop, Action.PARK: _why_park}
    return tuple(
        OrderStep(graph.nodes[at].id, action, say[action](graph, landing, at)) for at, action in actions.items()
    )


def _rank(node: Candidate) -> tuple[int, bool, int]:
    """Of those that could land next, the first. The larger diff: so that the smaller one is the one to adapt."""
    return -node.priority, not node.joint, -node.size


def _graph(
    nodes: tuple[Candidate, ...],
    conflicts: Mapping[str, Collection[str]],
    before: Collection[tuple[str, str]],
    shared: Mapping[frozenset[str], Sequence[str]],
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
    for at, node in enumerate(nodes):
        for under in (place[id] for id in node.stands_on if id in place):
            if at not in after[under] and under not in _reach(after, at):
                after[under].append(at)
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
        shared=shared,
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
    on = _stands_on(graph, landing, at)
    if on and not {*on} & {*graph.needs[at]}:
        parts.append(f"after {_names(graph, on)}, on which it stands")
    if firsts := [first for first, then in graph.ordered if then == at and landing >> first & 1]:
        parts.append(f"after {_names(graph, firsts)}: only this order merges")
    if thens := [then for first, then in graph.ordered if first == at and landing >> then & 1]:
        parts.append(f"before {_names(graph, thens)}: only this order merges")
    if foes := tuple(bits(graph.conflicts[at])):
        parts.append(f"before {_names(graph, foes)}: {_how(graph, at, foes)}, {_why_first(graph, landing, at)}")
    alone = "what it needs has landed" if graph.nodes[at].needs else "needs nothing"
    return "; ".join(parts) or f"{alone}, conflicts with nobody"


def _stands_on(graph: _Graph, landing: int, at: int) -> list[int]:
    """The places that land, too, on which this one stands."""
    wanted = graph.nodes[at].stands_on
    return [under for under in bits(landing) if graph.nodes[under].id in wanted] if wanted else []


def _why_first(graph: _Graph, landing: int, at: int) -> str:
    """What decides between this one, which lands, and those it conflicts with, which do not."""
    if graph.given:
        return "in the order given"
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
            reasons.add(f"{this.id} stands earlier")
    if not reasons:
        return "and they cannot land now"
    return reasons.pop() if len(reasons) == 1 else "the fewest stop this way"


def _why_stop(graph: _Graph, landing: int, at: int) -> str:
    if graph.nodes[at].base_conflict:
        return "conflicts with the base"
    foes = tuple(bits(graph.conflicts[at] & landing))
    if not foes:
        late = [then for first, then in graph.ordered if first == at and landing >> then & 1]
        return f"merges only before {_names(graph, late)}, and the order given has it after"
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


def _how(graph: _Graph, at: int, foes: Sequence[int]) -> str:
    """`both change cli.py`; without the paths where there would be many."""
    pairs = [graph.shared.get(frozenset((graph.nodes[at].id, graph.nodes[foe].id)), ()) for foe in foes]
    paths = sorted({path for some in pairs for path in some})
    if not all(pairs) or not 0 < len(paths) < 4:
        return "they conflict"
    return f"{'both' if len(foes) == 1 else 'all'} change {_joined(paths)}"


def _joined(words: Sequence[str]) -> str:
    return " and ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)


def _names(graph: _Graph, places: Sequence[int]) -> str:
    """`42`, `42 and 43`, `42, 43 and 3 more`."""
    names = [graph.nodes[at].id for at in places]
    if len(names) > 3:
        names[2:] = [f"{len(names) - 2} more"]
    return _joined(names)
