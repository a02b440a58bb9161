"""The plan for Graphviz."""

from collections.abc import Iterator
from itertools import pairwise

from git_fleet.model.graph import Edge, EdgeKind, Graph, Node
from git_fleet.output import words
from git_fleet.output.escape import safe
from git_fleet.output.palette import look


def text(graph: Graph) -> str:
    """A digraph: a cluster for each wave, needs as arrows, overlaps as dashed lines."""
    names = {node.id: f"t{number}" for number, node in enumerate(graph.nodes, 1)}
    lines = [
        "digraph fleet {",
        "  graph [rankdir=LR, newrank=true, nodesep=0.2, ranksep=0.8, fontname=sans, charset=utf8];",
        '  node [shape=box, style="rounded,filled", fontname=sans, fontsize=11];',
        '  edge [color="#868e96", fontname=sans, fontsize=9];',
    ]
    for number, nodes in enumerate(graph.columns, 1):
        lines.append(f"  subgraph cluster_{number} {{")
        lines.append(f'    label="{words.wave(nodes[0].wave)}"; style=dotted; color="#adb5bd"; rank=same;')
        lines += [f"    {names[node.id]} [{_node(node)}];" for node in nodes]
        lines.append("  }")
    lines += [f"  {names[edge.start]} -> {names[edge.end]}{_edge(edge)};" for edge in graph.edges]
    return "\n".join([*lines, *_side_by_side(graph, names), "}"])


def escaped(label: str) -> str:
    """`label` for between double quotes; Graphviz reads entities there, and escapes such as `\\N`."""
    return safe(label).replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')


def _node(node: Node) -> str:
    ink = look(node.state).light
    label = f"{escaped(words.label(node.id, node.title))}\\n{node.state}"
    return f'label="{label}", fillcolor="{ink.fill}", color="{ink.line}", fontcolor="{ink.text}"'


def _edge(edge: Edge) -> str:
    if edge.kind is EdgeKind.NEEDS:
        return ""
    label = escaped(words.listed(edge.paths, 2))
    return f' [dir=none, style=dashed, color="#d9480f", fontcolor="#d9480f", label="{label}"]'


def _side_by_side(graph: Graph, names: dict[str, str]) -> Iterator[str]:
    """Whatever the lines pull at, each wave stands right of the one before."""
    for left, right in pairwise(graph.columns):
        yield f"  {names[left[0].id]} -> {names[right[0].id]} [style=invis, weight=0];"
