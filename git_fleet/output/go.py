"""`git fleet go`: how far it came and what is left; or, of a dry run, what would be done first, and the waves."""

from types import MappingProxyType

from git_fleet.model.fleet import State
from git_fleet.model.going import Deed, Going
from git_fleet.output import words
from git_fleet.output.escape import safe
from git_fleet.output.style import COOL, DIM, WARM, Style
from git_fleet.output.table import Cell, Column, render

SCHEMA = "git-fleet.go.v1"

_COLUMNS = (Column("id", least=12), Column("title", drop=2, least=14), Column("state"), Column("why", drop=1, least=20))
_TONES = MappingProxyType({State.LANDED: DIM, State.DROPPED: DIM, State.BLOCKED: COOL, State.PLANNED: COOL})
_WOULD = MappingProxyType(
    {
        Deed.ADD: "would create branch and worktree for {}, then start the agents",
        Deed.START: "would start the agents of {}",
        Deed.WAIT: "would wait for {}",
        Deed.LAND: "would land {}",
        Deed.END: "nothing can go on by itself",
    }
)
_FEW = 5


def text(going: Going, style: Style, *, dry: bool) -> str:
    """The screen, without a final newline."""
    why = {one.task.id: one.held.why for one in going.turn.left}
    rows: list[list[str | Cell]] = []
    for task in going.tasks:
        state = going.states[task.id]
        rows.append(
            [
                task.id,
                words.title(task.id, task.title),
                Cell(str(state), _TONES.get(state, WARM if task.id in why else "")),
                why.get(task.id, ""),
            ]
        )
    table = render(_COLUMNS, rows, style)
    told = _first(going) if dry else [_came_to(going)]
    return "\n\n".join(filter(None, [table.text, "\n".join([*told, *filter(None, [words.hidden(table.hidden)])])]))


def _first(going: Going) -> list[str]:
    waves = [f"wave {number}: {words.listed(wave, 12)}" for number, wave in enumerate(going.waves, 1)]
    if going.turn.deed is Deed.END and not going.turn.left:
        return ["all has landed"]
    return [*waves, _WOULD[going.turn.deed].format(words.listed(going.turn.tasks, 12))]


def _came_to(going: Going) -> str:
    base = safe(going.base.branch)
    if going.turn.left:
        there = sum(state is State.LANDED for state in going.states.values())
        return f"{there} of {words.count(len(going.tasks), 'task')} landed on {base}"
    return f"all has landed on {base}"


def failure(going: Going) -> str | None:
    """What was not done, in one line; None where nothing is left."""
    left = [one.task.id for one in going.turn.left]
    return f"not landed: {words.listed(left, 10)}; only a human can go on" if left else None


def hints(going: Going, again: str) -> list[str]:
    """What to type next; `again` is what was typed."""
    if not going.turn.left:
        return ["to clear what has landed: git fleet clean"] if going.landed else []
    told = [one for one in going.turn.left if one.held.hints]
    lines = [f"{one.task.id}: {hint}" for one in told[:_FEW] for hint in one.held.hints]
    more = [f"and so on for {words.count(len(told) - _FEW, 'other task')}: {again} --json"] if told[_FEW:] else []
    return [*lines, *more, f"then, to go on: {again}"]


def document(going: Going, *, dry: bool) -> dict[str, object]:
    """The promised object of `go --json`."""
    left = {one.task.id: one.held for one in going.turn.left}
    tasks = []
    for task in going.tasks:
        held = left.get(task.id)
        said = {"why": held.why, "red": held.red, "type": list(held.hints)} if held else {}
        tasks.append({"id": task.id, "state": str(going.states[task.id]), **said})
    return {
        "schema": SCHEMA,
        "base": {"branch": going.base.branch, "commit": going.base.commit},
        "tasks": tasks,
        "waves": [list(wave) for wave in going.waves],
        "landed": list(going.landed),
        "left": list(left),
        **({"next": {"do": str(going.turn.deed), "tasks": list(going.turn.tasks)}} if dry else {}),
    }
