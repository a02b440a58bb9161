"""`git fleet land`: what would happen, or what happened, step by step."""

from types import MappingProxyType
from typing import NamedTuple

from git_fleet.model.landing import NOT_TESTED, Action, Ending, LandOutcome, Step
from git_fleet.output import words
from git_fleet.output.escape import safe
from git_fleet.output.style import COOL, WARM, Style, paint
from git_fleet.output.table import Cell, Column, render

SCHEMA = "git-fleet.land.v1"

_COLUMNS = (
    Column("#", "right", drop=2),
    Column("id", least=12),
    Column("title", drop=4, least=14),
    Column("step"),
    Column("tree", drop=1),
    Column("commit", drop=3),
    Column("gate", drop=5),
    Column("conflicts", drop=7, least=16),
    Column("reason", drop=6, least=20),
)
_SUM = (
    Column("landed", "right"),
    Column("stopped", "right"),
    Column("thrown out", "right"),
    Column("parked", "right"),
    Column("gate runs", "right"),
    Column("gate time", "right"),
    Column("saved by speculation", "right", drop=1),
)
_MOST_IDLE = 3
_AFTERWARDS = MappingProxyType(
    {Action.LAND: "not landed", Action.STOP: "stopped", Action.PARK: "parked", Action.SKIP: "skipped"}
)


def text(outcome: LandOutcome, style: Style) -> str:
    """The screen of a dry run or of a landing, without a final newline."""
    table = render(_COLUMNS, _rows(outcome), style)
    hidden = filter(None, [words.hidden(table.hidden)])
    told = "\n".join(
        [*_idle(outcome), *_verdict(outcome, style), *_thrown_out(outcome, style), *_of_order(outcome), *hidden]
    )
    return "\n\n".join(filter(None, [table.text, _sum(outcome, style), told]))


def _sum(outcome: LandOutcome, style: Style) -> str:
    """What came of it, in one row, where gates ran."""
    gates = outcome.gates
    if gates is None or not gates.runs:
        return ""
    parked = [step for step in outcome.steps if step.action is Action.PARK and step.gate != "failed"]
    row: list[str | Cell] = [
        *(str(len(some)) for some in (_landed(outcome), _stopped(outcome), gates.evicted, parked)),
        str(gates.runs),
        words.lasted(gates.seconds),
        words.lasted(gates.saved_s),
    ]
    return render(_SUM, [row], style).text


class Typed(NamedTuple):
    """The command line that was typed, as far as typing it again needs it."""

    options: tuple[str, ...] = ()
    """That say which landing it is: `--onto`, `--plan`."""
    no_gate: bool = False
    names: tuple[str, ...] = ()
    order: str = ""
    ways: tuple[str, ...] = ()
    """Options that say how it lands; what goes on after a stop goes on the same way."""

    def again(self, *more: str, names: tuple[str, ...] | None = None, no_gate: bool | None = None) -> str:
        """`git fleet land` with the same options, and the same names unless others are given."""
        gateless = self.no_gate if no_gate is None else no_gate
        ordered = ("--order", self.order) if self.order and names is None else ()
        ways = () if gateless and "--gate" in self.ways else self.ways
        how = (*ordered, *(("--no-gate",) if gateless else ()), *ways)
        parts = (*self.options, *how, *(self.names if names is None else names))
        return " ".join(["git fleet land", *more, *map(words.typed, parts)])

    def over(self, how: str) -> str:
        """`--continue` and the like, which take no names."""
        return self._replace(ways=()).again(how, names=(), no_gate=False)


_BARE = Typed()


def hints(outcome: LandOutcome, typed: Typed = _BARE, *, clears: bool = True) -> tuple[str, ...]:
    """What to type next. `clears`: it is the fleet's own base, so that `remove` takes what has landed there."""
    if outcome.ending is Ending.DRY:
        if _landed(outcome):
            return (f"to land them: {typed.again()}",)
        return (f"to resolve the first conflict: {typed.again()}",) if _stopped(outcome) else ()
    if outcome.ending is Ending.LANDED:
        landed = " ".join(map(words.typed, (*outcome.earlier, *(step.id for step in _landed(outcome)))))
        clear = (f"to clear what has landed: git fleet remove {landed}",) if landed and clears else ()
        number = f" {outcome.operation}" if outcome.operation else ""
        return (*clear, f"to take it back: git fleet undo{number}") if landed else ()
    if outcome.ending is Ending.STOPPED:
        return _hints_of_a_stop(outcome, typed)
    if outcome.ending is Ending.GATE_FAILED and outcome.lane:
        return (
            f"correct it there: cd {words.typed(outcome.lane)}",
            f"then: git add <path>... && {typed.over('--continue')}",
        )
    if outcome.ending is Ending.GATE_FAILED:
        others = tuple(s.id for s in outcome.steps if s.action is Action.PARK and s.reason.startswith(NOT_TESTED))
        without = (f"or land the others: {typed.again(names=others)}",) if others else ()
        back = (f"to take back what landed: git fleet undo {outcome.operation}",) if _landed(outcome) else ()
        again = typed.again(names=_left_of(typed.names, outcome) or None)
        return (f"correct {_ids(_red(outcome))} and commit there, then: {again}", *without, *back)
    if outcome.ending is Ending.BASE_RED:
        base, anyway = safe(outcome.base.branch), typed.again(no_gate=True)
        return (f"make the gate pass on {base} first, or land without it: {anyway}",)
    return ()


def _left_of(names: tuple[str, ...], outcome: LandOutcome) -> tuple[str, ...]:
    """Of the names that were typed, those that have not landed."""
    landed = {step.id for step in _landed(outcome)}
    return tuple(name for name in names if name not in landed) or (tuple(s.id for s in _red(outcome)) if names else ())


def failure(outcome: LandOutcome) -> str | None:
    """What was not done, in one line; None where all was done that was to be done."""
    if outcome.ending is Ending.STOPPED:
        first = next(iter(_stopped(outcome)))
        out = f"; a gate threw out {words.listed(step.id for step in _red(outcome))}" if _red(outcome) else ""
        return f"not landed: task {safe(first.id)} conflicts in {words.listed(first.conflicts)}{out}"
    if outcome.ending is Ending.GATE_FAILED and outcome.lane:
        return f"nothing landed: the gate failed on {words.listed(step.id for step in _red(outcome))}"
    if outcome.ending is Ending.GATE_FAILED:
        return f"not landed: {words.listed((step.id for step in _red(outcome)), 10)}; a gate failed"
    if outcome.ending is Ending.BASE_RED:
        return f"nothing landed: the gate fails on {safe(outcome.base.branch)} itself, before any branch"
    return None


def document(outcome: LandOutcome) -> dict[str, object]:
    """The promised object of `land --json`, before and after the fact."""
    landed = _landed(outcome)
    return {
        "schema": SCHEMA,
        "ending": str(outcome.ending),
        "base": {"branch": outcome.base.branch, "commit": outcome.base.commit},
        "strategy": outcome.strategy,
        "steps": [_step(step, landed=not _dry(outcome) and step in landed) for step in outcome.steps],
        "result": _known(tree=outcome.tree, commit=None if _dry(outcome) else outcome.commit)
        | {"landed": [step.id for step in landed], "stopped": [step.id for step in _stopped(outcome)]},
        **_known(order=outcome.cost._asdict() if outcome.cost else None),
        **_known(
            operation=outcome.operation, lane=outcome.lane, log=outcome.log, gates=_gates(outcome), push=_push(outcome)
        ),
    }


def _gates(outcome: LandOutcome) -> dict[str, object] | None:
    gates = outcome.gates
    if gates is None:
        return None
    evicted = [
        {"id": one.id, "gate": one.gate, "reason": one.reason, **_known(partner=one.partner, log=one.log)}
        for one in gates.evicted
    ]
    return {**gates._asdict(), "evicted": evicted, "disturbed": list(gates.disturbed)}


def _push(outcome: LandOutcome) -> dict[str, object] | None:
    one = outcome.push
    return one and {"remote": one.remote, "ref": one.ref, "commit": one.commit, "state": one.state}


def _dry(outcome: LandOutcome) -> bool:
    return outcome.ending is Ending.DRY


def _landed(outcome: LandOutcome) -> tuple[Step, ...]:
    """Steps that landed; in a dry run, that would."""
    if outcome.ending not in (Ending.DRY, Ending.LANDED, Ending.STOPPED, Ending.GATE_FAILED):
        return ()
    return tuple(step for step in outcome.steps if step.action is Action.LAND and (_dry(outcome) or step.commit))


def _red(outcome: LandOutcome) -> tuple[Step, ...]:
    return tuple(step for step in outcome.steps if step.gate == "failed")


def _stopped(outcome: LandOutcome) -> tuple[Step, ...]:
    return tuple(step for step in outcome.steps if step.action is Action.STOP)


def _rows(outcome: LandOutcome) -> list[list[str | Cell]]:
    landed, idle = _landed(outcome), _without_rows(outcome)
    return [
        [
            str(number),
            step.id,
            words.title(step.id, step.title),
            _word(step, outcome, landed=step in landed),
            words.short(step.tree),
            words.short(step.commit) if step in landed and not _dry(outcome) else "",
            Cell(f"{step.gate} {words.lasted(step.gate_s)}".strip(), WARM if step.gate == "failed" else "")
            if step.gate != "none"
            else "",
            Cell(words.listed(step.conflicts, 2), WARM),
            step.reason,
        ]
        for number, step in enumerate(outcome.steps, 1)
        if step not in idle
    ]


def _without_rows(outcome: LandOutcome) -> tuple[Step, ...]:
    """Many tasks with nothing to land are one line, not a screenful."""
    idle = tuple(step for step in outcome.steps if step.action is Action.SKIP)
    return idle if len(idle) > _MOST_IDLE else ()


def _idle(outcome: LandOutcome) -> list[str]:
    idle = [safe(step.id) for step in _without_rows(outcome)]
    return [f"{len(idle)} with nothing to land: {words.listed(idle)}"] if idle else []


def _word(step: Step, outcome: LandOutcome, *, landed: bool) -> Cell:
    tone = WARM if step.action is Action.STOP else "" if step.action is Action.LAND else COOL
    if _dry(outcome):
        return Cell(str(step.action), tone)
    if step.action is Action.PARK and step.gate == "failed":
        return Cell("thrown out", WARM)
    return Cell("landed" if landed else _AFTERWARDS[step.action], tone)


def _verdict(outcome: LandOutcome, style: Style) -> list[str]:
    base, at = safe(outcome.base.branch), words.short(outcome.base.commit)
    match outcome.ending:
        case Ending.DRY:
            return [_forecast(outcome)]
        case Ending.NOTHING:
            return [f"nothing to land on {base}", *_pushed(outcome)]
        case Ending.LANDED:
            return [_moved(outcome), *_pushed(outcome)]
        case Ending.STOPPED:
            return [_moved(outcome), *_stop(outcome, style)]
        case Ending.GATE_FAILED:
            on = f" on {words.listed(step.id for step in _red(outcome))}" if outcome.lane else ""
            return [*([paint(f"the gate failed{on}", WARM, style)] if on else []), _moved(outcome), *_pushed(outcome)]
        case Ending.BASE_RED:
            red = paint(f"the gate fails on {base} itself, at {at}", WARM, style)
            return [red, "no branch is to blame, nothing landed"]


def _pushed(outcome: LandOutcome) -> list[str]:
    one = outcome.push
    if one is None or one.state != "pushed":
        return []
    return [f"pushed to {safe(one.remote)} {safe(one.ref.removeprefix('refs/heads/'))}"]


def _forecast(outcome: LandOutcome) -> str:
    landed, stopped = _landed(outcome), _stopped(outcome)
    base, at = safe(outcome.base.branch), words.short(outcome.base.commit)
    tree = f" and make tree {words.short(outcome.tree)}" if landed and outcome.tree else ""
    would = f"{len(landed)} of {words.count(len(outcome.steps), 'task')} would land on {base} at {at}{tree}"
    return f"{would}; {len(stopped)} would stop for a human" if stopped else would


def _of_order(outcome: LandOutcome) -> list[str]:
    """What an order that was given costs."""
    if outcome.cost is None:
        return []
    stops, fewest, pairs, least = outcome.cost
    more = f", with {words.count(pairs, 'pair')} in conflict instead of {least}" if pairs != least else ""
    told = f"the order given stops {words.count(stops, 'time')}"
    return [
        f"{told}, the best stops {words.count(fewest, 'time')}{more}"
        if stops - fewest or more
        else f"{told}, no order stops less"
    ]


def _moved(outcome: LandOutcome) -> str:
    base, landed = safe(outcome.base.branch), _landed(outcome)
    if not landed:
        return f"nothing landed, {base} stays at {words.short(outcome.base.commit)}"
    span = f"{words.short(outcome.base.commit)}..{words.short(outcome.commit)}"
    return f"landed {', '.join(safe(step.id) for step in landed)} on {base}: {span}"


def _thrown_out(outcome: LandOutcome, style: Style) -> list[str]:
    evicted = outcome.gates.evicted if outcome.gates else ()
    return [paint(f"thrown out: {safe(one.reason)}", WARM, style) for one in evicted]


def _stop(outcome: LandOutcome, style: Style) -> list[str]:
    stopped = _stopped(outcome)
    if not stopped:
        return []
    first, later = stopped[0], stopped[1:]
    told = f"stopped at {safe(first.id)}: conflict in {words.listed(first.conflicts)}"
    lane = [f"the conflict waits in {safe(outcome.lane)}"] if outcome.lane else []
    after = [f"after it: {', '.join(safe(step.id) for step in later)}"] if later else []
    return [paint(told, WARM, style), *lane, *after]


def _hints_of_a_stop(outcome: LandOutcome, typed: Typed) -> tuple[str, ...]:
    first = next(iter(_stopped(outcome)), None)
    who = safe(first.id) if first else "it"
    conflicts = first.conflicts if first else ()
    return (
        f"resolve the conflict there: cd {words.typed(outcome.lane)}" if outcome.lane else "resolve the conflict",
        f"then: git add {words.to_add(conflicts)} && {typed.over('--continue')}",
        f"to leave {who} out: {typed.over('--skip')}",
        f"to hand it back to its branch: git fleet sync {words.typed(first.id if first else '')}",
        f"to give up the rest: {typed.over('--abort')}",
    )


def _ids(steps: tuple[Step, ...]) -> str:
    return " ".join(words.typed(step.id) for step in steps)


def _step(step: Step, *, landed: bool) -> dict[str, object]:
    return {
        "id": step.id,
        "tip": step.tip,
        "action": str(step.action),
        "reason": step.reason,
        **_known(tree=step.tree, commit=step.commit if landed else None),
        "conflicts": list(step.conflicts),
        "gate": step.gate,
        **_known(gate_s=step.gate_s),
    }


def _known(**keys: object) -> dict[str, object]:
    """The keys that apply."""
    return {key: value for key, value in keys.items() if value is not None}
