"""The plan for Mermaid, as forges draw it.

No direction is given to the subgraphs: Mermaid ignores it where a node has a line to the outside, and needs none,
since every task of a wave has a line from the wave before.
"""

from git_fleet.model.graph import Edge, EdgeKind, Graph
from git_fleet.output import words
from git_fleet.output.escape import safe
from git_fleet.output.palette import look

_MOST_EDGES, _MOST_SIGNS = 500, 50_000
# Signs of Mermaid's own encoding of entities: text that holds them would be taken for one.
_MERMAIDS_OWN = frozenset("ﬂ°¶ß")


def text(graph: Graph) -> str:
    """A flowchart: a subgraph for each wave, needs as arrows, overlaps as dotted lines."""
    names = {node.id: f"t{number}" for number, node in enumerate(graph.nodes, 1)}
    lines = ["flowchart LR"]
    for number, nodes in enumerate(graph.columns, 1):
        lines.append(f'  subgraph w{number}["{words.wave(nodes[0].wave)}"]')
        for node in nodes:
            label = f"{escaped(words.label(node.id, node.title))}<br/>{node.state}"
            lines.append(f'    {names[node.id]}["{label}"]:::{look(node.state).name}')
        lines.append("  end")
    lines += [f"  {names[edge.start]} {_line(edge)} {names[edge.end]}" for edge in graph.edges]
    for one in dict.fromkeys(look(node.state) for node in graph.nodes):
        ink = one.light
        lines.append(f"  classDef {one.name} fill:{ink.fill},stroke:{ink.line},color:{ink.text}")
    return "\n".join(lines)


def fenced(graph: Graph) -> str:
    """The same as a code block of Markdown."""
    return f"```mermaid\n{text(graph)}\n```"


def hints(graph: Graph) -> tuple[str, ...]:
    """What to know before it goes to a forge."""
    if len(graph.edges) <= _MOST_EDGES and len(text(graph)) <= _MOST_SIGNS:
        return ()
    most = f"{_MOST_EDGES} lines and {_MOST_SIGNS} characters"
    return (f"Mermaid draws {most} at most unless it is set up for more; an SVG has no limit: --format=svg",)


def escaped(label: str) -> str:
    """`label` for between double quotes: what Mermaid, Markdown or HTML might obey becomes a numbered entity."""
    shown = safe(label)
    return "".join(_kept(char, shown[at - 1 : at], shown[at + 1 : at + 2]) for at, char in enumerate(shown))


def _kept(char: str, before: str, after: str) -> str:
    inside = all(side.isalnum() and side not in _MERMAIDS_OWN for side in (before, after))
    plain = char.isalnum() or char in " ,/" or (char in "-_" and inside)
    return char if plain and char not in _MERMAIDS_OWN else f"#{ord(char)};"


def _line(edge: Edge) -> str:
    if edge.kind is EdgeKind.NEEDS:
        return "-->"
    return f'-. "{escaped(words.listed(edge.paths, 2))}" .-'
