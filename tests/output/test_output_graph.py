"""Pictures of the plan: every kind of a small one as it is, and every kind of a hostile one read back by a stranger.

Strangers are: Mermaid's own parser (from npm, where `.ci/run` has put it and says so in MERMAID_HOME), `dot`, and an
XML parser. A line grammar of our own guards the Mermaid text where Mermaid itself is not at hand.
"""

import html
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_fleet.model.fleet import State
from git_fleet.model.graph import Edge, EdgeKind, Graph, Node
from git_fleet.output import dot, graph, mermaid, svg
from git_fleet.output.escape import safe, width
from git_fleet.output.layers import layout
from git_fleet.output.palette import look
from git_fleet.output.style import Style

IN_CI = os.environ.get("CI") == "true"  # read before the tests are sealed
MERMAID_HOME = os.environ.get("MERMAID_HOME")
SVG = "{http://www.w3.org/2000/svg}"

LAB = Graph(
    (
        Node("42", "count", 1, State.ACTIVE),
        Node("43", "docs", 1, State.LANDED),
        Node("44", "clear", 2, State.PLANNED),
    ),
    (Edge("42", "44", EdgeKind.OVERLAP, ("cli.py",)),),
)
LAYERS = Graph(
    (
        Node("a", "a", 1, State.LANDED),
        Node("b", "", 2, State.READY),
        Node("c", "the last", 3, State.BLOCKED),
        Node("r", "ring", None, State.BLOCKED),
        Node("s", "ring too", None, State.BLOCKED),
    ),
    (
        Edge("a", "b", EdgeKind.NEEDS),
        Edge("b", "c", EdgeKind.NEEDS),
        Edge("r", "s", EdgeKind.NEEDS),
        Edge("s", "r", EdgeKind.NEEDS),
        Edge("a", "c", EdgeKind.OVERLAP, ("src/", "docs/", "a.py")),
    ),
)
HOSTILE = (
    'say "hi"',
    "</text><script>alert(1)</script>",
    "</title></style><!--",
    "]]> & &amp; &#60; &lt;",
    'end"]; click t1 "javascript:alert(1)"',
    "a --> b; subgraph x",
    "style t1 fill:#f00;",
    "classDef x fill:#abc;",
    "#quot; #35; ﬂ°quot¶ß",
    "%% comment %%{init: {}}%%",
    "`**bold**` _x_ 1. list\\nmore \\N \\G \\",
    "- [ ] item",
    "www.example.com fa:fa-ban",
    "\x1b[31mred\x1b[m \x00 \x7f",
    "line\nbreak\ttab\r",
    "\u202eevil\u2066 \u200b \ufffe \uffff",
    "bytes \udc80\udcff",
    "שלום עולם",
    "日本語 🚀 é ﷽",
    "$(rm -rf /) ${x} {{x}} <b>bold</b> <%= x %>",
    "x" * 3000,
)


def hostile(titles: tuple[str, ...]) -> Graph:
    """A chain; what is in the titles is in the shared paths too."""
    nodes = tuple(Node(f"{at}{text[:3]}", text, at, list(State)[at % 12]) for at, text in enumerate(titles, 1))
    needs = [Edge(one.id, two.id, EdgeKind.NEEDS) for one, two in pairwise(nodes)]
    overlaps = [Edge(nodes[0].id, two.id, EdgeKind.OVERLAP, (two.title, "b")) for two in nodes[1:]]
    return Graph(nodes, (*needs, *overlaps))


def labels(drawn: Graph) -> list[str]:
    return [safe(f"{node.id} {node.title}") for node in drawn.nodes]


# ------------------------------------------------------------------------------------------------------------- text


def test_boxes() -> None:
    assert graph.text(LAB, Style()) == (
        "wave 1        wave 2\n"
        "┌──────────┐  ┌──────────────────────┐\n"
        "│ 42 count │  │ 44 clear             │\n"
        "│ active   │  │ planned              │\n"
        "└──────────┘  │ overlaps 42 (cli.py) │\n"
        "┌──────────┐  └──────────────────────┘\n"
        "│ 43 docs  │\n"
        "│ landed   │\n"
        "└──────────┘"
    )


def test_boxes_in_ascii() -> None:
    assert graph.text(LAYERS, Style(ascii=True)) == (
        "wave 1      wave 2       wave 3                                   in a ring of needs\n"
        "+--------+  +---------+  +-------------------------------------+  +----------------+\n"
        "| a      |  | b       |  | c the last                          |  | r ring         |\n"
        "| landed |  | ready   |  | blocked                             |  | blocked        |\n"
        "+--------+  | needs a |  | needs b                             |  | needs s        |\n"
        "            +---------+  | overlaps a (src/, docs/ and 1 more) |  +----------------+\n"
        "                         +-------------------------------------+  +----------------+\n"
        "                                                                  | s ring too     |\n"
        "                                                                  | blocked        |\n"
        "                                                                  | needs r        |\n"
        "                                                                  +----------------+"
    )


def test_rows_where_boxes_have_no_room() -> None:
    rows = graph.text(LAYERS, Style(width=50))
    assert rows == (
        "  id  title     state    needs  overlaps\n"
        "\n"
        "wave 1\n"
        "  a             landed\n"
        "\n"
        "wave 2\n"
        "  b             ready    a\n"
        "\n"
        "wave 3\n"
        "  c   the last  blocked  b      a (src/, docs/ an…\n"
        "\n"
        "in a ring of needs\n"
        "  r   ring      blocked  s\n"
        "  s   ring too  blocked  r"
    )
    for columns in range(24, 120):
        shown = graph.text(LAYERS, Style(width=columns))
        assert max(map(width, shown.split("\n"))) <= columns
        assert shown.startswith("wave 1") is (columns >= 84)


def test_many_tasks_are_rows_even_on_a_wide_screen() -> None:
    """Twenty-five boxes would be higher than a screen."""
    wave = Graph(tuple(Node(str(id_), "", 1, State.READY) for id_ in range(25)), ())
    assert graph.text(wave, Style(width=200)).startswith("  id  state\n\nwave 1\n  0   ready\n  1   ready\n")


def test_colour_has_a_plain_twin() -> None:
    for drawn in (LAB, LAYERS):
        for wide in (50, None):
            painted = graph.text(drawn, Style(width=wide, color=True))
            assert "\033[" in painted
            assert re.sub(r"\033\[\d*m", "", painted) == graph.text(drawn, Style(width=wide))


def test_what_is_hostile_is_made_visible() -> None:
    shown = graph.text(hostile(HOSTILE), Style())
    assert shown == "".join(char for char in shown if char == "\n" or safe(char) == char)


# ------------------------------------------------------------------------------------------------------------- JSON


def test_the_document(conform: Callable[[str, dict[str, object]], Any]) -> None:
    assert conform("graph", graph.document(LAYERS._replace(nodes=LAYERS.nodes[2:4]))) == {
        "schema": "git-fleet.graph.v1",
        "nodes": [
            {"id": "c", "title": "the last", "wave": 3, "state": "blocked"},
            {"id": "r", "title": "ring", "wave": None, "state": "blocked"},
        ],
        "edges": [
            {"from": "a", "to": "b", "kind": "needs"},
            {"from": "b", "to": "c", "kind": "needs"},
            {"from": "r", "to": "s", "kind": "needs"},
            {"from": "s", "to": "r", "kind": "needs"},
            {"from": "a", "to": "c", "kind": "overlap", "paths": ["src/", "docs/", "a.py"]},
        ],
    }
    nasty = hostile(HOSTILE)
    assert graph.json(nasty).isascii()
    assert json.loads(graph.json(nasty)) == conform("graph", graph.document(nasty))


# ---------------------------------------------------------------------------------------------------------- Mermaid


def test_mermaid() -> None:
    assert mermaid.text(LAB) == (
        "flowchart LR\n"
        '  subgraph w1["wave 1"]\n'
        '    t1["42 count<br/>active"]:::begun\n'
        '    t2["43 docs<br/>landed"]:::landed\n'
        "  end\n"
        '  subgraph w2["wave 2"]\n'
        '    t3["44 clear<br/>planned"]:::waiting\n'
        "  end\n"
        '  t1 -. "cli#46;py" .- t3\n'
        "  classDef begun fill:#dff5f1,stroke:#0f8a7d,color:#07413b\n"
        "  classDef landed fill:#e4f6e7,stroke:#2f9e44,color:#12401b\n"
        "  classDef waiting fill:#f1f3f5,stroke:#868e96,color:#343a40"
    )
    assert mermaid.fenced(LAB) == f"```mermaid\n{mermaid.text(LAB)}\n```"


LABEL = r"(?:[^\W_]|[ ,/\\]|(?<=[^\W_])[-_](?=[^\W_])|#[0-9]+;)*"
MERMAID_LINES = re.compile(
    r"flowchart LR"
    r'|  subgraph w\d+\["[a-z0-9 ]+"\]'
    rf'|    t\d+\["{LABEL}<br/>[a-z]+"\]:::[a-z]+'
    r"|  end"
    r"|  t\d+ --> t\d+"
    rf'|  t\d+ -\. "{LABEL}" \.- t\d+'
    r"|  classDef [a-z]+ fill:#[0-9a-f]{6},stroke:#[0-9a-f]{6},color:#[0-9a-f]{6}"
)


def spelled_out(label: str) -> str:
    return re.sub(r"#(\d+);", lambda match: chr(int(match[1])), label)


@settings(max_examples=300)
@given(st.lists(st.text(), min_size=1, max_size=4))
def test_mermaid_keeps_to_a_few_kinds_of_lines(titles: list[str]) -> None:
    drawn = hostile((*titles, HOSTILE[0]))
    text = mermaid.text(drawn)
    assert [line for line in text.split("\n") if not MERMAID_LINES.fullmatch(line)] == []
    found = re.findall(r'^    t\d+\["(.*)<br/>', text, re.M)
    assert [spelled_out(label) for label in found] == [graph.words.label(node.id, node.title) for node in drawn.nodes]


def understood(*texts: str) -> list[Any]:
    """What Mermaid's own parser makes of the flowcharts."""
    if MERMAID_HOME is None:
        pytest.skip("MERMAID_HOME names no folder with mermaid and jsdom; .ci/run installs them where there is npm")
    script = Path(__file__).with_name("mermaid.mjs")
    argv = ["node", str(script), MERMAID_HOME]
    done = subprocess.run(argv, input="\0".join(texts), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    read: list[Any] = json.loads(done.stdout)
    return read


def decoded(label: str) -> str:
    """Mermaid's own signs for entities, as it turns them back when it draws."""
    return html.unescape(label.replace("ﬂ°°", "&#").replace("ﬂ°", "&").replace("¶ß", ";"))


def test_what_is_too_large_for_mermaid_is_said() -> None:
    nodes = tuple(Node(str(id_), "", id_, State.READY) for id_ in range(1, 502))
    edges = [Edge(one.id, two.id, EdgeKind.NEEDS) for one, two in pairwise(nodes)]
    assert mermaid.hints(Graph(nodes, tuple(edges))) == ()
    [hint] = mermaid.hints(Graph(nodes, (*edges, edges[0])))
    assert hint.startswith("Mermaid draws 500 lines and 50000 characters at most")
    assert mermaid.hints(Graph((Node("1", "x" * 50_000, 1, State.READY),), ()))


def test_mermaids_own_parser_understands_it() -> None:
    nasty = hostile(HOSTILE)
    empty, lab, layers, read = understood(*map(mermaid.text, (Graph((), ()), LAB, LAYERS, nasty)))
    assert empty["nodes"] == []
    assert lab == {
        "type": "flowchart-v2",
        "direction": "LR",
        "nodes": [
            ["t1", "42 count<br>active", ["begun"]],
            ["t2", "43 docs<br>landed", ["landed"]],
            ["t3", "44 clear<br>planned", ["waiting"]],
        ],
        "edges": [["t1", "t3", "dotted", "arrow_open", lab["edges"][0][4]]],
        "waves": [["wave 1", ["t1", "t2"]], ["wave 2", ["t3"]]],
        "classes": ["begun", "landed", "waiting"],
    }
    assert decoded(lab["edges"][0][4]) == "cli.py"
    assert [edge[:4] for edge in layers["edges"]] == [
        ["t1", "t2", "normal", "arrow_point"],
        ["t2", "t3", "normal", "arrow_point"],
        ["t4", "t5", "normal", "arrow_point"],
        ["t5", "t4", "normal", "arrow_point"],
        ["t1", "t3", "dotted", "arrow_open"],
    ]
    # Blanks in a row are one to HTML.
    shown = [" ".join(decoded(text).split()) for _, text, _ in read["nodes"]]
    drawn = [
        " ".join(f"{label}<br>{node.state}".split()) for label, node in zip(labels(nasty), nasty.nodes, strict=True)
    ]
    assert shown == drawn
    assert len(read["edges"]) == len(nasty.edges)
    assert sorted(read["classes"]) == sorted({look(node.state).name for node in nasty.nodes})


# -------------------------------------------------------------------------------------------------------------- dot


def graphviz(text: str) -> ElementTree.Element:
    """What `dot -Tsvg` draws of it."""
    if shutil.which("dot") is None:
        (pytest.fail if IN_CI else pytest.skip)("dot (Graphviz) is not installed")
    done = subprocess.run(["dot", "-Tsvg"], input=text.encode(), capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    return ElementTree.fromstring(done.stdout)


def texts(drawn: ElementTree.Element, kind: str) -> list[list[str]]:
    """The lines of each group of this class."""
    groups = [group for group in drawn.iter(f"{SVG}g") if group.get("class") == kind]
    return [[(line.text or "").replace("\xa0", " ") for line in group.iter(f"{SVG}text")] for group in groups]


def test_dot_draws_the_lab() -> None:
    drawn = graphviz(dot.text(LAB))
    assert texts(drawn, "cluster") == [["wave 1"], ["wave 2"]]
    assert sorted(texts(drawn, "node")) == [["42 count", "active"], ["43 docs", "landed"], ["44 clear", "planned"]]
    assert texts(drawn, "edge") == [["cli.py"]]
    [line] = [
        path for path in drawn.iter(f"{SVG}path") if path.get("stroke-dasharray") and path.get("stroke") == "#d9480f"
    ]
    assert line.get("fill") == "none"


def test_dot_draws_waves_from_left_to_right() -> None:
    drawn = graphviz(dot.text(LAYERS))
    places = [float(found.get("x") or 0) for found in drawn.iter(f"{SVG}text") if "wave" in (found.text or "")]
    assert len(places) == 3
    assert places == sorted(places)


def test_dot_draws_hostile_titles_as_they_are() -> None:
    nasty = hostile(HOSTILE)
    drawn = graphviz(dot.text(nasty))
    wanted = [[label, str(node.state)] for label, node in zip(labels(nasty), nasty.nodes, strict=True)]
    assert sorted(texts(drawn, "node")) == sorted(wanted)
    assert graphviz(dot.text(Graph((), ()))) is not None


# -------------------------------------------------------------------------------------------------------------- SVG


def boxes(drawn: ElementTree.Element) -> list[tuple[float, float, float, float]]:
    """Left, top, right and bottom of every task's box."""
    found = [rect for rect in drawn.iter(f"{SVG}rect") if rect.get("class") == "box"]
    numbers = [[float(rect.get(name) or 0) for name in ("x", "y", "width", "height")] for rect in found]
    return [(x, y, x + wide, y + high) for x, y, wide, high in numbers]


def test_svg_draws_the_lab() -> None:
    drawn = ElementTree.fromstring(svg.text(LAB))
    groups = list(drawn.iter(f"{SVG}g"))
    assert [[text.text for text in group.iter(f"{SVG}text")] for group in groups] == [
        ["42", "active", "count"],
        ["43", "landed", "docs"],
        ["44", "planned", "clear"],
    ]
    assert [group.get("class") for group in groups] == ["begun", "landed", "waiting"]
    count, docs, clear = boxes(drawn)
    assert count[0] == docs[0] and count[3] < docs[1] and count[2] < clear[0]
    [line] = [path for path in drawn.iter(f"{SVG}path") if path.get("class") == "overlap"]
    assert [title.text for title in line] == ["44 overlaps 42 on cli.py"]
    assert re.match(rf"M{count[2]:.0f} .* {clear[0]:.0f} \S+$", line.get("d") or "")
    assert [text.text for text in drawn.iter(f"{SVG}text") if text.get("class") == "path"] == ["cli.py"]


def test_svg_speaks_to_those_who_do_not_see_it() -> None:
    drawn = ElementTree.fromstring(svg.text(LAB))
    title, described = drawn[:2]
    assert drawn.get("role") == "img"
    assert drawn.get("aria-labelledby") == f"{title.get('id')} {described.get('id')}"
    assert described.text == ("3 tasks: 1 active, 1 landed, 1 planned. wave 1: 42 count, 43 docs; wave 2: 44 clear")
    assert "@media (prefers-color-scheme:dark)" in svg.text(LAB)


def test_svg_of_needs_has_tips_and_of_overlaps_dashes() -> None:
    text = svg.text(LAYERS)
    assert text.count('class="needs" marker-end="url(#fleet-tip)"') == 4
    assert text.count('class="overlap"') == 1
    assert "stroke-dasharray" in re.findall(r"^\.overlap\{.*", text, re.M)[0]
    assert "<title>b needs a</title>" in text
    assert ">src/ +2<" in text


@settings(max_examples=200)
@given(st.lists(st.text(), min_size=1, max_size=4))
def test_svg_is_well_formed_whatever_the_titles_are(titles: list[str]) -> None:
    drawn = hostile((*titles, HOSTILE[1]))
    root = ElementTree.fromstring(svg.text(drawn).encode())
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        *("svg", "title", "desc", "style", "defs", "marker", "path", "rect", "text", "g")
    }
    named = [group.findtext(f"{SVG}title") for group in root.iter(f"{SVG}g")]
    wanted = [f"{graph.words.label(node.id, node.title)}: {node.state}" for node in drawn.nodes]
    assert [" ".join((name or "").split()) for name in named] == [" ".join(name.split()) for name in wanted]


def test_svg_refers_to_nothing_outside() -> None:
    text = svg.text(hostile(HOSTILE))
    assert re.findall(r"https?://[^\"]*", text) == ["http://www.w3.org/2000/svg"]
    assert set(re.findall(r"url\([^)]*\)", text)) == {"url(#fleet-tip)"}
    names = {name for element in ElementTree.fromstring(text).iter() for name in element.attrib}
    assert not [name for name in names if "href" in name or name.startswith("on")]


@pytest.mark.parametrize("reach", [1, 90])
def test_ten_thousand_tasks_as_svg(reach: int) -> None:
    """A chain, and lines that pass by so many waves that they have to run behind the boxes."""
    nodes = tuple(Node(str(id_), "", id_, State.READY) for id_ in range(1, 10_001))
    edges = tuple(Edge(one.id, two.id, EdgeKind.NEEDS) for one, two in zip(nodes, nodes[reach:], strict=False))
    start = time.monotonic()
    text = svg.text(Graph(nodes, edges))
    assert time.monotonic() - start < 10
    assert text.count('class="needs"') == 10_000 - reach


def test_svg_cuts_what_is_too_long() -> None:
    long = Graph((Node("i" * 90, "W" * 90, 1, State.READY), Node("2", "日" * 90, 1, State.READY)), ())
    drawn = ElementTree.fromstring(svg.text(long))
    shown = [text.text or "" for text in drawn.iter(f"{SVG}text")]
    assert [text[-1] for text in shown] == ["1", "…", "y", "…", "2", "y", "…"]
    assert max(map(width, shown)) < 60
    assert "W" * 90 in (drawn.find(f".//{SVG}g/{SVG}title").text or "")  # type: ignore[union-attr]
    assert {right - left for left, _, right, _ in boxes(drawn)} == {250}


@st.composite
def layered(draw: st.DrawFn) -> tuple[list[list[int]], list[tuple[int, int]]]:
    """Columns of boxes, and lines between any two."""
    sizes = draw(st.lists(st.integers(1, 5), min_size=1, max_size=5))
    total, columns = 0, []
    for size in sizes:
        columns.append(list(range(total, total + size)))
        total += size
    ends = st.integers(0, total - 1)
    return columns, draw(st.lists(st.tuples(ends, ends).map(lambda pair: (min(pair), max(pair))), max_size=20))


@given(layered())
def test_boxes_keep_apart_and_lines_pass_between_them(drawn: tuple[list[list[int]], list[tuple[int, int]]]) -> None:
    columns, lines = drawn
    placed = layout(columns, [40.0] * sum(map(len, columns)), lines)
    assert min(placed.tops) >= 0
    assert max(placed.tops) + 40 <= placed.height + 1e-6
    for column in columns:
        tops = sorted(placed.tops[box] for box in column)
        assert all(lower - upper >= 40 + 10 for upper, lower in pairwise(tops))
    column_of = {box: number for number, column in enumerate(columns) for box in column}
    for (start, end), way in zip(lines, placed.ways, strict=True):
        assert len(way) == max(column_of[end] - column_of[start] - 1, 0)
        for number, height in enumerate(way, column_of[start] + 1):
            assert not [box for box in columns[number] if placed.tops[box] - 5 < height < placed.tops[box] + 45]


def test_a_line_of_boxes_is_straight() -> None:
    """What needs one and is needed by one stands beside it."""
    placed = layout([[0, 1], [2], [3]], [40.0] * 4, [(1, 2), (2, 3)])
    assert placed.tops == (0.0, 58.0, 58.0, 58.0)


def test_lines_that_would_cross_are_sorted_out() -> None:
    placed = layout([[0, 1, 2], [3, 4, 5]], [40.0] * 6, [(0, 5), (1, 4), (2, 3)])
    assert placed.tops == (0.0, 58.0, 116.0, 116.0, 58.0, 0.0)
