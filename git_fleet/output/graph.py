"""The plan as a picture of text, and as JSON; the other pictures are in `mermaid.py`, `dot.py` and `svg.py`."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from git_fleet.model.graph import Edge, EdgeKind, Graph, Node
from git_fleet.output import words
from git_fleet.output.escape import safe, width
from git_fleet.output.palette import look
from git_fleet.output.style import BOLD, WARM, Style, paint
from git_fleet.output.table import Cell, Column, render

SCHEMA = "git-fleet.graph.v1"

_LIGHT = ("┌", "─", "┐", "│", "└", "┘")
_PLAIN = ("+", "-", "+", "|", "+", "+")
_ROOM = 100
"""Columns for boxes where no terminal says how many there are."""
_MOST_BOXES = 24
_GAP = Cell("  ")
_COLUMNS = (
    Column("id", least=12),
    Column("title", drop=1, least=14),
    Column("state"),
    Column("needs", drop=3, least=8),
    Column("overlaps", drop=2, least=16),
)


class _Told(NamedTuple):
    """What the lines that end at a task say."""

    needs: str
    overlaps: str


def text(graph: Graph, style: Style) -> str:
    """The waves as columns of boxes where these fit, else one below the other; without a final newline.

    Needs and overlaps are told by name in the later task: lines would cross.
    """
    if not graph.nodes:
        return "no tasks"
    told = _told(graph)
    if len(graph.nodes) <= _MOST_BOXES:
        lines = _boxes(graph, told, style)
        if width("".join(cell.text for cell in lines[0])) <= (style.limit or _ROOM):
            return "\n".join("".join(paint(cell.text, cell.tone, style) for cell in line).rstrip() for line in lines)
    return _rows(graph, told, style)


def document(graph: Graph) -> dict[str, object]:
    """The promised object of `graph --format=json`."""
    return {
        "schema": SCHEMA,
        "nodes": [
            {"id": node.id, "title": node.title, "wave": node.wave, "state": str(node.state)} for node in graph.nodes
        ],
        "edges": [_edge(edge) for edge in graph.edges],
    }


def json(graph: Graph) -> str:
    """The same as text; bytes that are no text come out as escapes."""
    from json import dumps

    return dumps(document(graph), indent=2, ensure_ascii=True)


def _edge(edge: Edge) -> dict[str, object]:
    paths = {"paths": list(edge.paths)} if edge.kind is EdgeKind.OVERLAP else {}
    return {"from": edge.start, "to": edge.end, "kind": str(edge.kind), **paths}


def _told(graph: Graph) -> dict[str, _Told]:
    needs: dict[str, list[str]] = {node.id: [] for node in graph.nodes}
    overlaps: dict[str, list[str]] = {node.id: [] for node in graph.nodes}
    for edge in graph.edges:
        if edge.kind is EdgeKind.NEEDS:
            needs[edge.end].append(safe(edge.start))
        else:
            overlaps[edge.end].append(words.placed(edge.start, edge.paths))
    return {id_: _Told(", ".join(needs[id_]), ", ".join(overlaps[id_])) for id_ in needs}


def _boxes(graph: Graph, told: Mapping[str, _Told], style: Style) -> list[list[Cell]]:
    """Lines of pieces; all lines are equally wide."""
    columns = [_column(nodes, told, style) for nodes in graph.columns]
    height = max(map(len, columns))
    for column in columns:
        blank = Cell(" " * width("".join(cell.text for cell in column[0])))
        column += [[blank]] * (height - len(column))
    return [[piece for part in parts for piece in (*part, _GAP)][:-1] for parts in zip(*columns, strict=True)]


def _column(nodes: Sequence[Node], told: Mapping[str, _Told], style: Style) -> list[list[Cell]]:
    head = words.wave(nodes[0].wave)
    bodies = [_body(node, told[node.id]) for node in nodes]
    room = max(width(head) - 4, *(width(cell.text) for body in bodies for cell in body))
    left, flat, right, side, low_left, low_right = _PLAIN if style.ascii else _LIGHT
    lines = [[Cell(head, BOLD), Cell(" " * (room + 4 - width(head)))]]
    for body in bodies:
        lines.append([Cell(left + flat * (room + 2) + right)])
        for cell in body:
            lines.append([Cell(f"{side} "), cell, Cell(" " * (room - width(cell.text)) + f" {side}")])
        lines.append([Cell(low_left + flat * (room + 2) + low_right)])
    return lines


def _body(node: Node, told: _Told) -> list[Cell]:
    lines = [Cell(words.label(node.id, node.title), BOLD), Cell(str(node.state), look(node.state).tone)]
    lines += [Cell(f"needs {told.needs}")] if told.needs else []
    lines += [Cell(f"overlaps {told.overlaps}", WARM)] if told.overlaps else []
    return lines


def _rows(graph: Graph, told: Mapping[str, _Told], style: Style) -> str:
    nodes = [node for column in graph.columns for node in column]
    narrower = style._replace(width=max(style.width - 2, 1) if style.width else None)
    table = render(_COLUMNS, [_row(node, told[node.id]) for node in nodes], narrower).text
    head, *rows = (f"  {line}" for line in table.split("\n"))
    blocks, done = [head], 0
    for column in graph.columns:
        wave = paint(words.wave(column[0].wave), BOLD, style)
        blocks.append("\n".join([wave, *rows[done : done + len(column)]]))
        done += len(column)
    return "\n\n".join(blocks)


def _row(node: Node, told: _Told) -> list[str | Cell]:
    title = words.title(node.id, node.title)
    return [node.id, title, Cell(str(node.state), look(node.state).tone), told.needs, Cell(told.overlaps, WARM)]
