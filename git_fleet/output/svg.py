"""The plan as SVG: one file that needs nothing else, for light and dark, with every word as text."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from git_fleet.model.fleet import State
from git_fleet.model.graph import Edge, EdgeKind, Graph, Node
from git_fleet.output import words
from git_fleet.output.escape import safe, width
from git_fleet.output.layers import layout
from git_fleet.output.palette import Ink, look

_MARGIN = 24.0
_HEAD = 34.0
_PAD = 12.0
_NARROWEST, _WIDEST = 120.0, 250.0
_BETWEEN = 72.0
_MOST_NAMED = 12
"""Beyond so many overlaps their paths stand in the tooltips alone."""
_LONGEST_PATH = 92.0
_STYLE = """\
text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;font-size:13px;fill:#212529}
.paper{fill:#ffffff}
.band{fill:#f6f7f9}
.head{font-size:12px;fill:#5c636a}
.id{font-weight:600}
.state{font-size:11px}
.box{stroke-width:1.25}
.needs{fill:none;stroke:#868e96;stroke-width:1.5}
.tip{fill:#868e96}
.overlap{fill:none;stroke:#d9480f;stroke-width:1.5;stroke-dasharray:5 4}
.path{font-size:11px;fill:#b83a06}"""
_DARK = """\
text{fill:#e9ecef}
.paper{fill:#16191d}
.band{fill:#1e2227}
.head{fill:#adb5bd}
.path{fill:#ffa94d}
.overlap{stroke:#ff922b}"""


class _Box(NamedTuple):
    """Left, top, width and height."""

    x: float
    y: float
    wide: float
    high: float

    @property
    def right(self) -> float:
        return self.x + self.wide

    @property
    def middle(self) -> float:
        return self.y + self.high / 2


class _Way(NamedTuple):
    """A line as the corners between its curves, two for each curve, from left to right."""

    edge: Edge
    points: tuple[tuple[float, float], ...]
    bow: bool = False
    """Both ends are in one column."""


class _Drawing(NamedTuple):
    graph: Graph
    boxes: tuple[_Box, ...]
    bands: tuple[tuple[str, _Box], ...]
    """Each wave's name and column."""
    ways: tuple[_Way, ...]
    wide: float
    high: float


def text(graph: Graph) -> str:
    """The document. Boxes in a column for each wave, needs as curves with a tip, overlaps dashed."""
    drawing = _drawing(graph)
    wide, high = _n(drawing.wide), _n(drawing.high)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}" viewBox="0 0 {wide} {high}"'
        ' role="img" aria-labelledby="fleet-title fleet-desc">',
        '<title id="fleet-title">git fleet plan</title>',
        f'<desc id="fleet-desc">{escaped(_described(graph))}</desc>',
        f"<style>\n{_style(graph)}\n</style>",
        '<defs><marker id="fleet-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"'
        ' orient="auto"><path class="tip" d="M0 0L8 4L0 8z"/></marker></defs>',
        '<rect class="paper" width="100%" height="100%"/>',
    ]
    for name, band in drawing.bands:
        lines.append(f'<rect class="band" {_rectangle(band)} rx="10"/>')
        lines.append(f'<text class="head" x="{_n(band.x + _PAD)}" y="{_n(band.y + 21)}">{escaped(name)}</text>')
    lines += map(_curve, drawing.ways)
    lines += [_task(node, box) for node, box in zip(graph.nodes, drawing.boxes, strict=True)]
    lines += _paths(drawing)
    return "\n".join([*lines, "</svg>"])


def escaped(label: str) -> str:
    """`label` as XML has it, for elements and for attributes."""
    shown = safe(label).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return shown.replace('"', "&quot;").replace("'", "&#39;")


def _drawing(graph: Graph) -> _Drawing:
    numbers = {node.id: number for number, node in enumerate(graph.nodes)}
    columns = graph.columns
    titled = any(words.title(node.id, node.title) for node in graph.nodes)
    high = 48.0 if titled else 32.0
    lines = [(numbers[edge.start], numbers[edge.end]) for edge in graph.edges]
    places = layout([[numbers[node.id] for node in column] for column in columns], [high] * len(graph.nodes), lines)
    boxes: dict[int, _Box] = {}
    bands = []
    x = _MARGIN
    top = _MARGIN + _HEAD
    for column in columns:
        wide = min(max(_NARROWEST, *map(_natural, column)), _WIDEST)
        bands.append((words.wave(column[0].wave), _Box(x, _MARGIN, wide + 2 * _PAD, _HEAD + places.height + _PAD)))
        for node in column:
            number = numbers[node.id]
            boxes[number] = _Box(x + _PAD, top + places.tops[number], wide, high)
        x += wide + 2 * _PAD + _BETWEEN
    placed = tuple(boxes[number] for number in range(len(graph.nodes)))
    column_of = {numbers[node.id]: at for at, column in enumerate(columns) for node in column}
    passing = [
        [(bands[at][1], top + y) for at, y in enumerate(way, column_of[start] + 1)]
        for (start, _), way in zip(lines, places.ways, strict=True)
    ]
    ways = _ways(graph, lines, placed, passing)
    total = max(x - _BETWEEN, _MARGIN + 60) + _MARGIN
    return _Drawing(graph, placed, tuple(bands), ways, total, top + places.height + _PAD + _MARGIN)


def _ways(
    graph: Graph,
    lines: Sequence[tuple[int, int]],
    boxes: Sequence[_Box],
    passing: Sequence[Sequence[tuple[_Box, float]]],
) -> tuple[_Way, ...]:
    """Where several lines meet a box they share its side, sorted so that they do not cross there."""
    starts, ends = [start for start, _ in lines], [end for _, end in lines]
    after = [way[0][1] if way else boxes[end].middle for end, way in zip(ends, passing, strict=True)]
    before = [way[-1][1] if way else boxes[start].middle for start, way in zip(starts, passing, strict=True)]
    out, into = _ports(boxes, starts, after), _ports(boxes, ends, before)
    ways = []
    for at, (edge, (start, end)) in enumerate(zip(graph.edges, lines, strict=True)):
        corners = [(boxes[start].right, out[at])]
        for band, y in passing[at]:
            corners += [(band.x, y), (band.right, y)]
        bow = boxes[start].x == boxes[end].x
        ways.append(_Way(edge, (*corners, (boxes[end].right if bow else boxes[end].x, into[at])), bow))
    return tuple(ways)


def _ports(boxes: Sequence[_Box], owners: Sequence[int], beyond: Sequence[float]) -> list[float]:
    """The height at which each line meets the box that is its owner, by where the line is in the next column."""
    by_owner: dict[int, list[int]] = {}
    for line, owner in enumerate(owners):
        by_owner.setdefault(owner, []).append(line)
    heights = [0.0] * len(owners)
    for owner, found in by_owner.items():
        box = boxes[owner]
        found.sort(key=beyond.__getitem__)
        for place, line in enumerate(found, 1):
            heights[line] = box.y + box.high * (0.2 + 0.6 * place / (len(found) + 1))
    return heights


def _curve(way: _Way) -> str:
    start, end = (escaped(name) for name in (way.edge.start, way.edge.end))
    needs = way.edge.kind is EdgeKind.NEEDS
    told = f"{end} needs {start}" if needs else f"{end} overlaps {start} on {escaped(words.listed(way.edge.paths))}"
    looks = 'class="needs" marker-end="url(#fleet-tip)"' if needs else 'class="overlap"'
    return f'<path {looks} d="{_d(way)}"><title>{told}</title></path>'


def _d(way: _Way) -> str:
    (x, y), *rest = way.points
    if way.bow:
        [(right, low)] = rest
        out = _n(max(x, right) + _BETWEEN / 2)
        return f"M{_n(x)} {_n(y)}C{out} {_n(y)} {out} {_n(low)} {_n(right)} {_n(low)}"
    drawn = f"M{_n(x)} {_n(y)}"
    for at, (nx, ny) in enumerate(rest):
        if at % 2:
            drawn += f"H{_n(nx)}"
        else:
            middle = _n((x + nx) / 2)
            drawn += f"C{middle} {_n(y)} {middle} {_n(ny)} {_n(nx)} {_n(ny)}"
        x, y = nx, ny
    return drawn


def _task(node: Node, box: _Box) -> str:
    name = look(node.state).name
    title = words.title(node.id, node.title)
    left, state = box.x + _PAD, str(node.state)
    room = box.wide - 2 * _PAD
    id_ = _cut(safe(node.id), room - _long(state) - _PAD)
    lines = [
        f'<g class="{name}"><title>{escaped(f"{words.label(node.id, node.title)}: {state}")}</title>',
        f'<rect class="box" {_rectangle(box)} rx="7"/>',
        f'<text class="id" x="{_n(left)}" y="{_n(box.y + 21)}">{escaped(id_)}</text>',
        f'<text class="state" x="{_n(box.right - _PAD)}" y="{_n(box.y + 21)}" text-anchor="end">{state}</text>',
    ]
    if title:
        lines.append(f'<text x="{_n(left)}" y="{_n(box.y + 38)}">{escaped(_cut(safe(title), room))}</text>')
    return "\n".join([*lines, "</g>"])


def _paths(drawing: _Drawing) -> Iterator[str]:
    """What overlaps are about, where their lines arrive."""
    ways = [way for way in drawing.ways if way.edge.kind is EdgeKind.OVERLAP]
    if len(ways) > _MOST_NAMED:
        return
    for way in ways:
        (x, y), (right, low) = way.points[-2:]
        middle, height = max(x, right) + _BETWEEN / 2 if way.bow else (x + right) / 2, (y + low) / 2
        first, *rest = map(safe, way.edge.paths)
        more = f" +{len(rest)}" if rest else ""
        told = _cut(first, _LONGEST_PATH - _long(more), end=True) + more
        wide = 0.8 * _long(told) + 6
        yield f'<rect class="paper" {_rectangle(_Box(middle - wide / 2, height - 8, wide, 16))} rx="3"/>'
        yield f'<text class="path" x="{_n(middle)}" y="{_n(height + 4)}" text-anchor="middle">{escaped(told)}</text>'


def _natural(node: Node) -> float:
    """The width that a task's words want."""
    head = _long(safe(node.id)) + _PAD + _long(str(node.state))
    return 2 * _PAD + max(head, _long(safe(words.title(node.id, node.title))))


def _long(shown: str) -> float:
    """About how wide a text is, in pixels at 13: fonts differ, so rather too much."""
    narrow = sum(char in "fijlrtI.,:;'|!()[] " for char in shown)
    broad = sum(char in "mwMW@%" or char.isupper() for char in shown)
    return 7.6 * width(shown) - 3.2 * narrow + 2.6 * broad


def _cut(shown: str, room: float, *, end: bool = False) -> str:
    """As much of the text as has room, with `…` for the rest: its beginning, or its end."""
    if _long(shown) <= room:
        return shown
    most = int(room // 4)
    kept = shown[-most:] if end else shown[:most]
    while kept and _long(kept) + 13 > room:
        kept = kept[1:] if end else kept[:-1]
    return f"…{kept}" if end else f"{kept.rstrip()}…"


def _described(graph: Graph) -> str:
    """The picture in words."""
    states: dict[State, int] = {}
    for node in graph.nodes:
        states[node.state] = states.get(node.state, 0) + 1
    counted = ", ".join(f"{count} {state}" for state, count in states.items())
    waves = "; ".join(
        f"{words.wave(column[0].wave)}: {words.listed((words.label(node.id, node.title) for node in column), 20)}"
        for column in graph.columns[:20]
    )
    return f"{words.count(len(graph.nodes), 'task')}{': ' if counted else ''}{counted}. {waves}".strip()


def _style(graph: Graph) -> str:
    looks = dict.fromkeys(look(node.state) for node in graph.nodes)
    light = [_ink(one.name, one.light) for one in looks]
    dark = [_ink(one.name, one.dark) for one in looks]
    return "\n".join([_STYLE, *light, "@media (prefers-color-scheme:dark){", _DARK, *dark, "}"])


def _ink(name: str, ink: Ink) -> str:
    return f".{name} .box{{fill:{ink.fill};stroke:{ink.line}}}\n.{name} text{{fill:{ink.text}}}"


def _rectangle(box: _Box) -> str:
    return f'x="{_n(box.x)}" y="{_n(box.y)}" width="{_n(box.wide)}" height="{_n(box.high)}"'


def _n(number: float) -> str:
    """At most one decimal."""
    return f"{number:.1f}".removesuffix(".0")
