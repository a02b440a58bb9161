"""The plan as a picture sees it: tasks by wave, and the lines between them."""

from enum import StrEnum
from typing import NamedTuple

from git_fleet.model.fleet import State


class EdgeKind(StrEnum):
    NEEDS = "needs"
    OVERLAP = "overlap"


class Node(NamedTuple):
    """A task. `wave` counts from 1; None for a task that a ring of needs holds up."""

    id: str
    title: str
    wave: int | None
    state: State


class Edge(NamedTuple):
    """Runs with the time: of needs, `end` needs `start`; of overlaps, `start` comes first, and `paths` are shared."""

    start: str
    end: str
    kind: EdgeKind
    paths: tuple[str, ...] = ()


class Graph(NamedTuple):
    """Nodes in plan order, each id once; the ends of every edge are among them."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    @property
    def columns(self) -> tuple[tuple[Node, ...], ...]:
        """The nodes by wave, from left to right; what has no wave comes last."""
        last = max((node.wave or 0 for node in self.nodes), default=0) + 1
        columns: list[list[Node]] = [[] for _ in range(last)]
        for node in self.nodes:
            columns[(node.wave or last) - 1].append(node)
        return tuple(tuple(column) for column in columns if column)
