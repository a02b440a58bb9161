"""`git fleet score`: a row for each task, the sums, and the verdict in one sentence."""

from collections.abc import Iterator

from git_fleet.model.score import Range, Score, Source, TaskScore, Worth
from git_fleet.output import words
from git_fleet.output.style import BOLD, Style, paint
from git_fleet.output.table import Column, render

SCHEMA = "git-fleet.score.v1"

_COLUMNS = (
    Column("id", least=12),
    Column("title", drop=1, least=14),
    Column("work", "right"),
    Column("known by", drop=2),
    Column("review", "right", drop=5),
    Column("waited", "right", drop=3),
    Column("conflict", "right", drop=6),
    Column("gates", "right", drop=4),
)
_SOURCES = ((Source.AGENT, "agents"), (Source.COMMITS, "commits"), (Source.ESTIMATE, "estimates"))


def text(score: Score, style: Style) -> str:
    """The screen, without a final newline."""
    table = render(_COLUMNS, [_row(one) for one in score.tasks], style)
    facts = [(name, said) for name, said in _facts(score) if said]
    room = max((len(name) for name, _ in facts), default=0)
    sums = "\n".join(f"{paint(name.ljust(room), BOLD, style)}  {said}" for name, said in facts)
    return "\n\n".join(filter(None, (table.text, words.hidden(table.hidden), sums, verdict(score))))


def verdict(score: Score) -> str:
    """One sentence."""
    if score.worth is Worth.UNKNOWN or score.at_work_s is None or score.speedup is None:
        return f"too little is known: {score.why}"
    at_work, serial, times = words.span(score.at_work_s), _range(score.serial_s), _times(score.speedup)
    if score.worth is Worth.PAID:
        return f"parallel paid: {at_work} for what takes {serial} one after the other, {times} as fast"
    if score.worth is Worth.EVEN:
        return f"about even: {at_work} for what takes {serial} one after the other"
    return f"sequential would have been as fast: {at_work} for what takes {serial} one after the other"


def _row(one: TaskScore) -> list[str]:
    return [
        one.id,
        words.title(one.id, one.title),
        _range(one.work_s) if one.source else "unknown",
        str(one.source or ""),
        _known(one.review_s),
        _known(one.waited_s),
        _known(one.conflict_s) if one.conflict_s != 0 else "",
        _known(one.gate_s),
    ]


def _facts(score: Score) -> Iterator[tuple[str, str]]:
    if not score.tasks:
        return
    yield "on the clock", _clock(score)
    yield "one after the other", _serial(score)
    yield "integration", _integration(score)
    better = score.without_conflicts_s
    yield "without conflicts", f"{words.span(better)} at best" if better is not None and score.conflict_s else ""
    yield "at once", f"{words.count(score.at_once, 'task')} at most" if score.at_once else ""
    yield "not landed yet", words.count(score.left, "task") if score.left else ""


def _clock(score: Score) -> str:
    if score.wall_s is None or score.at_work_s is None:
        return "unknown"
    idle = score.wall_s - score.at_work_s
    whole = f"{words.span(score.at_work_s)} from the first begun to the last landed"
    return f"{whole}, and {words.span(idle)} of pauses" if idle >= 1 else whole


def _serial(score: Score) -> str:
    counts = [(word, sum(one.source is source for one in score.tasks)) for source, word in _SOURCES]
    known = ", ".join(f"{number} by {word}" for word, number in counts if number)
    unknown = sum(one.source is None for one in score.tasks)
    lacking = f"{unknown} unknown" if unknown else ""
    one = any(one.source is Source.COMMITS and not one.work_s.exact for one in score.tasks)
    less = "; the less if everybody does one thing at a time" if one else ""
    return f"{_range(score.serial_s)} of work ({', '.join(filter(None, (known, lacking)))}{less})"


def _integration(score: Score) -> str:
    parts = (("reviews", score.review_s), ("conflicts", score.conflict_s), ("gates", score.gate_s))
    told = ", ".join(f"{name} {words.span(took) if took is not None else 'not timed'}" for name, took in parts)
    saved = f" ({words.span(score.saved_s)} saved by running them side by side)" if score.saved_s >= 1 else ""
    whole = words.span(score.integration_s) if score.integration_s is not None else "unknown"
    return f"{whole}: {told}{saved}"


def _known(seconds: float | None) -> str:
    return "" if seconds is None else words.span(seconds)


def _range(found: Range) -> str:
    """`1h 5m`; `20m to 1h 5m`; `at least 20m`."""
    if found.most is None:
        return f"at least {words.span(found.least)}"
    least, most = words.span(found.least), words.span(found.most)
    return least if least == most else f"{least} to {most}"


def _times(speedup: Range) -> str:
    least = "at least " if not speedup.exact else ""
    return f"{least}{speedup.least:.1f} times"


def document(score: Score) -> dict[str, object]:
    """The promised object of `score --json`."""
    return {
        "schema": SCHEMA,
        "tasks": [_object(one) for one in score.tasks],
        "left": score.left,
        "began_s": score.began_s,
        "landed_s": score.landed_s,
        "wall_s": score.wall_s,
        "at_work_s": score.at_work_s,
        "serial_s": _bounds(score.serial_s),
        "speedup": _bounds(score.speedup) if score.speedup else None,
        "review_s": score.review_s,
        "conflict_s": score.conflict_s,
        "gate_s": score.gate_s,
        "saved_s": score.saved_s,
        "integration_s": score.integration_s,
        "without_conflicts_s": score.without_conflicts_s,
        "at_once": score.at_once,
        "verdict": str(score.worth),
        "reason": verdict(score),
    }


def _object(one: TaskScore) -> dict[str, object]:
    return {
        "id": one.id,
        "title": one.title,
        "began_s": one.began_s,
        "done_s": one.done_s,
        "landed_s": one.landed_s,
        "work_s": _bounds(one.work_s) if one.source else None,
        "source": str(one.source) if one.source else None,
        "review_s": one.review_s,
        "waited_s": one.waited_s,
        "conflict_s": one.conflict_s,
        "gate_s": one.gate_s,
    }


def _bounds(found: Range) -> dict[str, float | None]:
    most = None if found.most is None else round(found.most, 3)
    return {"least": round(found.least, 3), "most": most}
