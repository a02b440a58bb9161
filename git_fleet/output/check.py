"""`git fleet check`: conflicts with the base, with siblings, and drift, kept apart; then the landing order."""

from collections.abc import Iterator, Sequence

from git_fleet.model.check import Check, Line
from git_fleet.model.fleet import Pair, PairVerdict
from git_fleet.model.landing import Action, OrderStep
from git_fleet.model.plan import SourceKind
from git_fleet.model.sight import BASE
from git_fleet.output import hunks, matrix, words
from git_fleet.output.escape import safe
from git_fleet.output.style import WARM, Style, paint
from git_fleet.output.table import Cell, Column, render

SCHEMA = "git-fleet.check.v1"

_ORDER = (
    Column("#", "right"),
    Column("id", least=12),
    Column("title", drop=2, least=14),
    Column("step"),
    Column("reason", least=20),
)
_STEPS = ((Action.LAND, "lands"), (Action.STOP, "stops"), (Action.PARK, "parked"), (Action.SKIP, "skipped"))
_TROUBLES = (PairVerdict.CONFLICT, PairVerdict.UNKNOWN)
_LISTED = 6
"""Paths of one conflict that are named without -v."""


def text(check: Check, style: Style) -> str:
    """The screen, without a final newline."""
    if not check.lines:
        return "\n\n".join(filter(None, [_heading(check), _nothing(check), _notes(check)]))
    blocks = (
        _heading(check),
        _matrix(check, style),
        _headed("with a sibling:", _siblings(check, style)),
        _headed("behind the base:", _behind(check, style)),
        _headed("drift:", _drift(check, style)),
        _notes(check),
        _order(check, style),
        _summary(check),
    )
    return "\n\n".join(block for block in blocks if block)


def hints(check: Check) -> list[str]:
    """What to type next."""
    radar = check.sight.radar
    if not check.lines:
        return ["for branches without a worktree: git fleet check --refs '*'"] if check.source else []
    found = []
    if radar.base_conflicts or any(pair.verdict is PairVerdict.CONFLICT for pair in radar.pairs):
        found.append("to see both sides of each conflict: git fleet check -v")
    for line in check.lines:
        if line.id in radar.base_conflicts:
            found.append(f"to resolve the conflict of {safe(line.id)} with the base: {_catch_up(check, line)}")
            break
    if check.strayed:
        found.append("to see who owns what: git fleet plan")
    return found


def document(check: Check) -> dict[str, object]:
    """The promised object of `check --json`."""
    radar, sight = check.sight.radar, check.sight
    verdicts = [pair.verdict for pair in radar.pairs]
    return {
        "schema": SCHEMA,
        "base": {"branch": check.base.branch, "commit": check.base.commit},
        "tasks": [_task(check, line) for line in check.lines],
        "pairs": [_pair(pair) for pair in radar.pairs],
        "summary": {
            "tasks": len(check.lines),
            "pairs": sight.pairs_total,
            "compared": sight.compared,
            "remembered": sight.remembered,
            "conflicts": verdicts.count(PairVerdict.CONFLICT),
            "unknown": verdicts.count(PairVerdict.UNKNOWN) + len(radar.unknown),
            "base_conflicts": len(radar.base_conflicts),
            "drift": len(check.strayed),
        },
        "order": [step.id for step in sight.order],
        "stops": [step.id for step in sight.order if step.action is Action.STOP],
        "reasons": {step.id: step.reason for step in sight.order},
        "notes": [*check.notes, *sight.notes],
    }


def _task(check: Check, line: Line) -> dict[str, object]:
    sight, id = check.sight, line.id
    known: dict[str, object] = {
        "id": id,
        "ref": line.tip.ref,
        "tip": line.tip.commit,
        "worktree": line.tip.worktree,
        "dirty": id in sight.dirty,
        "behind": sight.behind.get(id),
        "base_conflict": None if id in sight.radar.unknown else list(sight.radar.base_conflicts.get(id, ())),
        "base_kinds": list(sight.radar.base_kinds.get(id, ())),
        "drift": [one.path for one in line.drift],
        "drift_owners": {one.path: list(one.owners) for one in line.drift},
    }
    if id in sight.operations:
        known["operation"] = sight.operations[id]
    if id in sight.radar.unknown:
        known["unknown"] = sight.radar.unknown[id]
    return known


def _pair(pair: Pair) -> dict[str, object]:
    return {
        "tasks": list(pair.keys),
        "verdict": str(pair.verdict),
        "paths": list(pair.paths),
        "kinds": list(pair.kinds),
        **({"first": pair.first} if pair.first else {}),
        **({"why": pair.why} if pair.why else {}),
    }


def _heading(check: Check) -> str:
    if check.source is None:
        where = words.count(len(check.lines), "branch", "branches")
    else:
        where = words.origin(check.source, check.main)
    left_out = "; committed work only" if check.committed else ""
    return f"{safe(check.base.branch)} at {words.short(check.base.commit)}, {where}{left_out}"


def _nothing(check: Check) -> str:
    if check.source is None:
        return "nothing to check: no branch but the base"
    if check.source.kind is SourceKind.WORKTREES:
        return "nothing to check: no branch but the base is checked out in a worktree"
    return "nothing to check: no task has begun, and no other branch has a worktree"


def _headed(title: str, lines: Iterator[str]) -> str:
    found = list(lines)
    return "\n".join([title, *found]) if found else ""


def _matrix(check: Check, style: Style) -> str:
    radar = check.sight.radar
    ids = [line.id for line in check.lines]
    cells = {frozenset(pair.keys): pair.verdict for pair in radar.pairs if pair.verdict in _TROUBLES}
    apart = dict.fromkeys(radar.unknown, PairVerdict.UNKNOWN) | dict.fromkeys(
        radar.base_conflicts, PairVerdict.CONFLICT
    )
    drawn = matrix.half(ids, check.base.branch, cells, apart, style)
    if drawn or len(ids) < 2:
        return drawn
    return f"matrix not shown: {len(ids)} branches do not fit" if cells or apart else ""


def _siblings(check: Check, style: Style) -> Iterator[str]:
    label = {line.id: line.label for line in check.lines}
    for pair in check.sight.radar.pairs:
        one, other = (safe(label.get(key, key)) for key in pair.keys)
        if pair.verdict is PairVerdict.CONFLICT:
            yield paint(f"  {one} and {other} conflict in {_where(pair.paths, pair.kinds, style)}", WARM, style)
        elif pair.verdict is PairVerdict.UNKNOWN:
            yield paint(f"  {one} and {other}: unknown, {safe(pair.why or 'git cannot tell')}", WARM, style)
        elif pair.first is not None:
            then = pair.keys[1] if pair.first == pair.keys[0] else pair.keys[0]
            yield f"  {safe(label[pair.first])} has to land before {safe(label[then])}: they merge in that order only"
        elif style.verbose:
            yield f"  {one} and {other} both change {_where(pair.paths, (), style)}, and merge"
        found = check.sight.hunks.get(pair.keys, ()) if style.verbose else ()
        if found:
            yield hunks.side_by_side(found, label[pair.keys[0]], label[pair.keys[1]], style)


def _behind(check: Check, style: Style) -> Iterator[str]:
    radar, base = check.sight.radar, check.base.branch
    for line in check.lines:
        if line.id in radar.unknown:
            yield paint(f"  {safe(line.label)}: unknown, {safe(radar.unknown[line.id])}", WARM, style)
        if line.id not in radar.base_conflicts:
            continue
        where = _where(radar.base_conflicts[line.id], radar.base_kinds.get(line.id, ()), style)
        lacks = check.sight.behind.get(line.id)
        behind = f", {words.count(lacks, 'commit')} behind" if lacks else ""
        yield paint(f"  {safe(line.label)} conflicts with {safe(base)} in {where}{behind}", WARM, style)
        yield f"    to resolve it: {_catch_up(check, line)}"
        found = check.sight.hunks.get((BASE, line.id), ()) if style.verbose else ()
        if found:
            yield hunks.side_by_side(found, base, line.label, style)


def _catch_up(check: Check, line: Line) -> str:
    """The command that brings the base into a branch, fit to be pasted."""
    merge = f"merge {words.typed(check.base.branch)}"
    if line.tip.worktree is not None:
        return f"git -C {words.typed(line.tip.worktree)} {merge}"
    short = (line.tip.ref or line.tip.commit).removeprefix("refs/heads/")
    return f"git checkout {words.typed(short)} && git {merge}"


def _where(paths: Sequence[str], kinds: Sequence[str], style: Style) -> str:
    shown = words.listed(paths, len(paths) if style.verbose else _LISTED)
    return f"{shown} ({', '.join(map(safe, kinds))})" if kinds else shown


def _drift(check: Check, style: Style) -> Iterator[str]:
    for line in check.strayed:
        by_owners: dict[tuple[str, ...], list[str]] = {}
        for one in line.drift:
            by_owners.setdefault(one.owners, []).append(one.path)
        for owners, paths in by_owners.items():
            whose = f"owned by {words.listed(owners)}" if owners else "which nobody owns"
            yield paint(f"  {safe(line.label)} changed {_where(paths, (), style)}, {whose}", WARM, style)


def _notes(check: Check) -> str:
    label = {line.id: line.label for line in check.lines}
    busy = [f"{label.get(id, id)} is in the middle of a {what}" for id, what in check.sight.operations.items()]
    return "\n".join(f"note: {safe(note)}" for note in (*check.notes, *busy, *check.sight.notes))


def _order(check: Check, style: Style) -> str:
    """Only where there is something to decide."""
    steps = check.sight.order
    if len(steps) < 2:
        return ""
    title = {line.id: words.title(line.id, line.title) for line in check.lines}
    rows = [_step(number, step, title.get(step.id, "")) for number, step in enumerate(steps, 1)]
    stops = sum(step.action is Action.STOP for step in steps)
    heading = f"landing order, {words.count(stops, 'stop') if stops else 'no stop'}:"
    return f"{heading}\n{render(_ORDER, rows, style).text}"


def _step(number: int, step: OrderStep, title: str) -> list[str | Cell]:
    word = dict(_STEPS)[step.action]
    return [str(number), step.id, title, Cell(word, "" if step.action is Action.LAND else WARM), step.reason]


def _summary(check: Check) -> str:
    sight, radar = check.sight, check.sight.radar
    verdicts = [pair.verdict for pair in radar.pairs]
    parts = [
        words.count(verdicts.count(PairVerdict.CONFLICT), "conflict") + " with a sibling",
        f"{len(radar.base_conflicts)} with the base",
        f"{len(check.strayed)} drifting",
    ]
    unknown = verdicts.count(PairVerdict.UNKNOWN) + len(radar.unknown)
    if unknown:
        parts.append(f"{unknown} unknown")
    looked = f"{words.count(len(check.lines), 'branch', 'branches')}, {words.count(sight.pairs_total, 'pair')}"
    remembered = f", {sight.remembered} of them known from before" if sight.remembered else ""
    return f"{looked}, {sight.compared} that could conflict{remembered}: {', '.join(parts)}"
