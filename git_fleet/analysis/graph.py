"""From the plan to its picture."""

from collections.abc import Iterator, Mapping

from git_fleet.analysis.reduction import reduction
from git_fleet.model.fleet import State
from git_fleet.model.graph import Edge, EdgeKind, Graph, Node
from git_fleet.model.plan import PlanView


def graph(view: PlanView, states: Mapping[str, State]) -> Graph:
    """Every task with its wave and state; the needs that are not implied by others, and the overlaps not excused."""
    waves = {id: number for number, wave in enumerate(view.waves, 1) for id in wave}
    first = {task.id: task for task in reversed(view.plan.tasks)}
    tasks = dict.fromkeys(task.id for task in view.plan.tasks)
    nodes = tuple(Node(id, first[id].title, waves.get(id), states[id]) for id in tasks)
    return Graph(nodes, (*_needs(view), *_overlaps(view, waves)))


def _needs(view: PlanView) -> Iterator[Edge]:
    for id, needs in reduction(view.plan.tasks).items():
        for need in needs:
            yield Edge(need, id, EdgeKind.NEEDS)


def _overlaps(view: PlanView, waves: Mapping[str, int]) -> Iterator[Edge]:
    last = len(view.waves) + 1
    for overlap in view.overlaps:
        if overlap.excused_by is None:
            # Of two without a wave, the one that stands first in the plan.
            one, other = sorted(overlap.tasks, key=lambda id: waves.get(id, last))
            yield Edge(one, other, EdgeKind.OVERLAP, overlap.paths)
