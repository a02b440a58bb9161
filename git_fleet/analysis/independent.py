"""Largest independent sets: the most nodes of a graph of which no two are neighbours."""

from collections.abc import Iterator, Sequence

from git_fleet.analysis.bits import bits, mask_of

EXACT = 40
"""Nodes of a component up to which the search is exact: at worst 40 ms; 1 s at 60."""

Merit = tuple[int, bool]
"""(priority, joint): decides between sets of the same number of nodes, by the sum over the set."""


def largest(nodes: int, neighbours: Sequence[int], merits: Sequence[Merit]) -> int:
    """A largest independent subset of `nodes`; of several the one with the most merit, then with the first nodes.

    Sets are ints with a bit for each node; `neighbours[n]` are those of node n, symmetric. Exact for each component of
    up to EXACT nodes; a larger one loses its least connected nodes to the set until it falls into such components,
    and is improved by swaps in the end. What comes out is always maximal: no node can be added to it.
    """
    taken = guessed = 0
    pending = [nodes]
    while pending:
        for component in _components(pending.pop(), neighbours):
            if component.bit_count() <= EXACT:
                taken |= _exact(component, neighbours, merits)
                continue
            least = min(bits(component), key=lambda at: ((neighbours[at] & component).bit_count(), *_rank(merits, at)))
            taken |= 1 << least
            guessed |= component
            pending.append(component & ~(neighbours[least] | 1 << least))
    return _swapped(taken, guessed, neighbours, merits)


def _components(nodes: int, neighbours: Sequence[int]) -> Iterator[int]:
    while nodes:
        component = frontier = nodes & -nodes
        while frontier:
            reached = 0
            for at in bits(frontier):
                reached |= neighbours[at]
            frontier = reached & nodes & ~component
            component |= frontier
        nodes &= ~component
        yield component


def _exact(component: int, neighbours: Sequence[int], merits: Sequence[Merit]) -> int:
    """The search in numbers as small as the component."""
    places = tuple(bits(component))
    local = {place: at for at, place in enumerate(places)}
    near = tuple(mask_of(local[other] for other in bits(neighbours[place] & component)) for place in places)
    weights = _weights([merits[place] for place in places])
    _, chosen = _best((1 << len(places)) - 1, near, weights, {})
    return mask_of(places[at] for at in bits(chosen))


def _weights(merits: Sequence[Merit]) -> tuple[int, ...]:
    """One number for each node, whose sum compares sets by size, priority, joints, and then by their first nodes."""
    count = len(merits)
    step = 2 * (1 + sum(abs(priority) for priority, _ in merits))
    return tuple(
        (((step + priority) * (count + 1) + joint) << count) + (1 << count - 1 - at)
        for at, (priority, joint) in enumerate(merits)
    )


def _best(
    nodes: int, near: Sequence[int], weights: Sequence[int], known: dict[int, tuple[int, int]]
) -> tuple[int, int]:
    """(weight, set) of the heaviest independent subset: with or without the busiest node. Depth: two a node."""
    if nodes in known:
        return known[nodes]
    parts = tuple(_components(nodes, near))
    if len(parts) > 1:
        answers = [_best(part, near, weights, known) for part in parts]
        answer = sum(weight for weight, _ in answers), mask_of(at for _, chosen in answers for at in bits(chosen))
    elif nodes & nodes - 1 == 0:
        answer = (weights[nodes.bit_length() - 1], nodes) if nodes else (0, 0)
    else:
        busiest = max(bits(nodes), key=lambda at: (near[at] & nodes).bit_count())
        node = 1 << busiest
        weight, chosen = _best(nodes & ~(near[busiest] | node), near, weights, known)
        answer = max((weight + weights[busiest], chosen | node), _best(nodes & ~node, near, weights, known))
    known[nodes] = answer
    return answer


def _rank(merits: Sequence[Merit], at: int) -> tuple[int, bool, int]:
    """Sorts the node with the most merit first."""
    priority, joint = merits[at]
    return -priority, not joint, at


def _swapped(taken: int, nodes: int, neighbours: Sequence[int], merits: Sequence[Merit]) -> int:
    """Exchange a node for two, or for one of more merit, as long as that goes."""
    improved = True
    while improved:
        improved = False
        for node, rivals in _rivals(taken, nodes, neighbours).items():
            alone = [at for at in bits(rivals) if neighbours[at] & taken == 1 << node] if taken >> node & 1 else []
            if better := _better(node, sorted(alone, key=lambda at: _rank(merits, at)), neighbours, merits):
                taken = taken & ~(1 << node) | better
                improved = True
    return taken


def _rivals(taken: int, nodes: int, neighbours: Sequence[int]) -> dict[int, int]:
    """For each node that alone keeps others out: those others."""
    rivals: dict[int, int] = {}
    for at in bits(nodes & ~taken):
        against = neighbours[at] & taken
        if against and against & against - 1 == 0:
            node = against.bit_length() - 1
            rivals[node] = rivals.get(node, 0) | 1 << at
    return rivals


def _better(node: int, rivals: Sequence[int], neighbours: Sequence[int], merits: Sequence[Merit]) -> int:
    """Two or more independent `rivals`, else one with more merit than `node`, else nothing. Best rank comes first."""
    for at in rivals:
        chosen, barred = 1 << at, neighbours[at] | 1 << at
        for other in rivals:
            if not barred >> other & 1:
                chosen |= 1 << other
                barred |= neighbours[other] | 1 << other
        if chosen.bit_count() > 1:
            return chosen
    return 1 << rivals[0] if rivals and _rank(merits, rivals[0]) < _rank(merits, node) else 0
