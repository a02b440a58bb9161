"""`git fleet graph`: the plan as a picture."""

import os

import click

from git_fleet import front
from git_fleet.model.errors import Usage
from git_fleet.model.graph import Graph
from git_fleet.model.plan import Severity

FORMATS = ("ascii", "mermaid", "dot", "json", "svg")


@click.command("graph")
@click.option("--format", "form", type=click.Choice(FORMATS), help="What kind of picture; else by the file's name.")
@click.option("-o", "--output", metavar="<file>", help="Write it into this file; - is standard output.")
@front.plan_option
@front.common
def command(form: str | None, output: str | None, plan_file: str | None) -> None:
    """Draw the waves from left to right, with needs, overlaps and the state of every task.

    What is needed anyway, through another need, is left out.
    """
    into = None if output in (None, "-") else output
    form = form or (_form_of(into) if into else "ascii")
    from git_fleet.operations import context as contexts
    from git_fleet.operations import graph as graphs

    context = contexts.find(plan_file)
    view, graph = graphs.look(context)
    if into is None and form == "ascii":
        front.answer(_drawn(graph, form, context.settings.color))
    elif into is None:
        front.answer_utf8(_drawn(graph, form))
    else:
        fenced = form == "mermaid" and _ending(into) in (".md", ".markdown")
        graphs.save(context, into, f"{_drawn(graph, form, fenced=fenced)}\n")
    errors = any(problem.severity is Severity.ERROR for problem in view.problems)
    front.hint([*(["the plan has errors: git fleet plan"] if errors else []), *_hints(graph, form)])


def _drawn(graph: Graph, form: str, color: str | None = None, *, fenced: bool = False) -> str:
    """The picture; `color` is the configured one; without it, nothing is coloured or cut."""
    if form == "svg":
        from git_fleet.output import svg

        return svg.text(graph)
    if form == "dot":
        from git_fleet.output import dot

        return dot.text(graph)
    if form == "mermaid":
        from git_fleet.output import mermaid

        return mermaid.fenced(graph) if fenced else mermaid.text(graph)
    from git_fleet.output import graph as speech
    from git_fleet.output.style import Style

    return speech.json(graph) if form == "json" else speech.text(graph, front.style(color) if color else Style())


def _hints(graph: Graph, form: str) -> tuple[str, ...]:
    if form != "mermaid":
        return ()
    from git_fleet.output import mermaid

    return mermaid.hints(graph)


def _form_of(path: str) -> str:
    endings = {
        ".txt": "ascii",
        ".mmd": "mermaid",
        ".mermaid": "mermaid",
        ".md": "mermaid",
        ".markdown": "mermaid",
        ".dot": "dot",
        ".gv": "dot",
        ".json": "json",
        ".svg": "svg",
    }
    found = endings.get(_ending(path))
    if found is None:
        raise Usage(f"the name '{path}' does not say which format", [f"name it: --format={'|'.join(FORMATS)}"])
    return found


def _ending(path: str) -> str:
    return os.path.splitext(path)[1].lower()
