"""`git fleet land`: what would happen, or what happened, step by step."""

from types import MappingProxyType

from git_fleet.model.landing import Action, Ending, LandOutcome, Step
from git_fleet.output import words
from git_fleet.output.escape import safe
from git_fleet.output.style import COOL, WARM, Style, paint
from git_fleet.output.table import Cell, Column, render

SCHEMA = "git-fleet.land.v1"

_COLUMNS = (
    Column("#", "right", drop=2),
    Column("id", least=12),
    Column("title", drop=3, least=14),
    Column("step"),
    Column("tree", drop=1),
    Column("commit", drop=6),
    Column("gate", drop=5),
    Column("conflicts", drop=7, least=16),
    Column("reason", drop=4, least=20),
)
_AFTERWARDS = MappingProxyType(
    {Action.LAND: "not landed", Action.STOP: "stopped", Action.PARK: "parked", Action.SKIP: "skipped"}
)


def text(outcome: LandOutcome, style: Style) -> str:
    """The screen of a dry run or of a landing, without a final newline."""
    table = render(_COLUMNS, _rows(outcome), style)
    hidden = [f"{words.count(table.hidden, 'column')} hidden for want of room"] if table.hidden else []
    return "\n\n".join(filter(None, [table.text, "\n".join([*_verdict(outcome, style), *hidden])]))


def hints(outcome: LandOutcome) -> tuple[str, ...]:
    """What to type next."""
    if outcome.ending is Ending.DRY:
        if _landed(outcome):
            return ("to land them: git fleet land",)
        return ("to resolve the first conflict: git fleet land",) if _stopped(outcome) else ()
    if outcome.ending is Ending.LANDED:
        return (
            f"to clear what has landed: git fleet remove {_ids(_landed(outcome))}",
            "to take it back: git fleet undo",
        )
    if outcome.ending is Ending.STOPPED:
        return _hints_of_a_stop(outcome)
    if outcome.ending is Ending.GATE_FAILED and outcome.lane:
        return (
            *_read(outcome),
            f"correct it there: cd {_typed(outcome.lane)}",
            "then: git add <path>... && git fleet land --continue",
        )
    if outcome.ending is Ending.GATE_FAILED:
        return (*_read(outcome), "correct the branch and commit there, then: git fleet land")
    if outcome.ending is Ending.BASE_RED:
        base = safe(outcome.base.branch)
        return (*_read(outcome), f"make the gate pass on {base} first, or land without it: git fleet land --no-gate")
    return ()


def failure(outcome: LandOutcome) -> str | None:
    """What was not done, in one line; None where all was done that was to be done."""
    if outcome.ending is Ending.STOPPED:
        first = next(iter(_stopped(outcome)))
        return f"not landed: {safe(first.id)} conflicts in {words.listed(first.conflicts)}"
    if outcome.ending is Ending.GATE_FAILED:
        red = next((step for step in outcome.steps if step.gate == "failed"), None)
        return f"nothing landed: the gate failed on {safe(red.id) if red else 'the merged tree'}"
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
        **_known(operation=outcome.operation, lane=outcome.lane, log=outcome.log),
    }


def _dry(outcome: LandOutcome) -> bool:
    return outcome.ending is Ending.DRY


def _landed(outcome: LandOutcome) -> tuple[Step, ...]:
    """Steps that landed; in a dry run, that would."""
    if outcome.ending not in (Ending.DRY, Ending.LANDED, Ending.STOPPED):
        return ()
    return tuple(step for step in outcome.steps if step.action is Action.LAND and (_dry(outcome) or step.commit))


def _stopped(outcome: LandOutcome) -> tuple[Step, ...]:
    return tuple(step for step in outcome.steps if step.action is Action.STOP)


def _rows(outcome: LandOutcome) -> list[list[str | Cell]]:
    landed = _landed(outcome)
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
    ]


def _word(step: Step, outcome: LandOutcome, *, landed: bool) -> Cell:
    tone = WARM if step.action is Action.STOP else "" if step.action is Action.LAND else COOL
    if _dry(outcome):
        return Cell(str(step.action), tone)
    return Cell("landed" if landed else _AFTERWARDS[step.action], tone)


def _verdict(outcome: LandOutcome, style: Style) -> list[str]:
    base, at = safe(outcome.base.branch), words.short(outcome.base.commit)
    match outcome.ending:
        case Ending.DRY:
            return [_forecast(outcome)]
        case Ending.NOTHING:
            return [f"nothing to land on {base}"]
        case Ending.LANDED:
            return [_moved(outcome)]
        case Ending.STOPPED:
            return [_moved(outcome), *_stop(outcome, style)]
        case Ending.GATE_FAILED:
            on = "".join(f" on {safe(step.id)}" for step in outcome.steps if step.gate == "failed")
            return [paint(f"the gate failed{on}", WARM, style), f"nothing landed, {base} stays at {at}", *_log(outcome)]
        case Ending.BASE_RED:
            red = paint(f"the gate fails on {base} itself, at {at}", WARM, style)
            return [red, "no branch is to blame, nothing landed", *_log(outcome)]


def _forecast(outcome: LandOutcome) -> str:
    landed, stopped = _landed(outcome), _stopped(outcome)
    base, at = safe(outcome.base.branch), words.short(outcome.base.commit)
    tree = f" and make tree {words.short(outcome.tree)}" if landed and outcome.tree else ""
    would = f"{len(landed)} of {words.count(len(outcome.steps), 'task')} would land on {base} at {at}{tree}"
    return f"{would}; {len(stopped)} would stop for a human" if stopped else would


def _moved(outcome: LandOutcome) -> str:
    base, landed = safe(outcome.base.branch), _landed(outcome)
    if not landed:
        return f"nothing landed, {base} stays at {words.short(outcome.base.commit)}"
    span = f"{words.short(outcome.base.commit)}..{words.short(outcome.commit)}"
    return f"landed {', '.join(safe(step.id) for step in landed)} on {base}: {span}"


def _stop(outcome: LandOutcome, style: Style) -> list[str]:
    stopped = _stopped(outcome)
    if not stopped:
        return []
    first, later = stopped[0], stopped[1:]
    told = f"stopped at {safe(first.id)}: conflict in {words.listed(first.conflicts)}"
    lane = [f"the conflict waits in {safe(outcome.lane)}"] if outcome.lane else []
    after = [f"after it: {', '.join(safe(step.id) for step in later)}"] if later else []
    return [paint(told, WARM, style), *lane, *after]


def _log(outcome: LandOutcome) -> list[str]:
    return [f"log: {safe(outcome.log)}"] if outcome.log else []


def _read(outcome: LandOutcome) -> tuple[str, ...]:
    return (f"what the gate said: {safe(outcome.log)}",) if outcome.log else ()


def _hints_of_a_stop(outcome: LandOutcome) -> tuple[str, ...]:
    first = next(iter(_stopped(outcome)), None)
    who = safe(first.id) if first else "it"
    conflicts = first.conflicts if first else ()
    paths = " ".join(map(_typed, conflicts)) if 0 < len(conflicts) < 6 else "<path>..."
    return (
        f"resolve the conflict there: cd {_typed(outcome.lane)}" if outcome.lane else "resolve the conflict",
        f"then: git add {paths} && git fleet land --continue",
        f"to leave {who} out: git fleet land --skip",
        "to give up the rest: git fleet land --abort",
    )


def _typed(word: str | None) -> str:
    """As one would type it in a shell."""
    from shlex import quote

    return safe(quote(word or ""))


def _ids(steps: tuple[Step, ...]) -> str:
    return " ".join(_typed(step.id) for step in steps)


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
