"""`git fleet clean`: what may go, what stays and why; and what is in the trash."""

from collections.abc import Sequence
from types import MappingProxyType

from git_fleet.model.fleet import Base
from git_fleet.model.removal import Facts, Fate, Judged, Trash
from git_fleet.output import words
from git_fleet.output.escape import safe
from git_fleet.output.style import COOL, DIM, WARM, Style
from git_fleet.output.table import Cell, Column, render

SCHEMA = "git-fleet.clean.v1"

_COLUMNS = (
    Column("id"),
    Column("verdict"),
    Column("branch", drop=2, least=12),
    Column("worktree", drop=1, least=12),
    Column("reason", least=20),
)
_TRASH_COLUMNS = (
    Column("operation", "right"),
    Column("age", "right"),
    Column("size", "right"),
    Column("worktree", least=12),
    Column("kept", drop=1, least=12),
)
_TONES = MappingProxyType({Fate.KEEP: "", Fate.UNKNOWN: WARM, Fate.REMOVE: COOL})


def text(judged: Sequence[Judged], style: Style, here: str | None) -> str:
    """One line for each verdict, and their sum; with `-v` also what could be done about those that stay."""
    rows: list[list[str | Cell]] = [
        [
            one.task.id,
            Cell(_verdict(one), DIM if one.removed else _TONES[one.verdict.fate]),
            "" if one.entry_only else one.task.branch,
            words.below(one.worktree.path, here) if one.worktree else "",
            "; ".join(one.verdict.reasons),
        ]
        for one in judged
    ]
    table = render(_COLUMNS, rows, style).text or "nothing to clean: no task has a worktree or a branch"
    hints = [f"{one.task.id}: {hint}" for one in judged for hint in one.verdict.hints]
    told = ["", *map(safe, hints)] if hints and style.verbose else []
    return "\n".join([table, *told, *(["", _sum(judged, style, bool(hints))] if judged else [])])


def _sum(judged: Sequence[Judged], style: Style, ways: bool) -> str:
    fates = [one.verdict.fate for one in judged]
    gone = sum(one.removed for one in judged)
    numbers = (
        (gone, "removed"),
        (fates.count(Fate.REMOVE) - gone, "to remove"),
        (fates.count(Fate.KEEP), "kept"),
        (fates.count(Fate.UNKNOWN), "unknown"),
    )
    said = ", ".join(f"{number} {what}" for number, what in numbers if number)
    return f"{said}; -v says what can be done about those that stay" if ways and not style.verbose else said


def _verdict(one: Judged) -> str:
    what = "removed" if one.removed else str(one.verdict.fate)
    return f"{what} entry" if one.entry_only and one.verdict.fate is Fate.REMOVE else what


def trash_text(items: Sequence[Trash], style: Style, *, now_s: float, deleted: bool) -> str:
    """What is in the trash, or was until now."""
    rows: list[list[str | Cell]] = [
        [
            str(one.operation),
            words.age(now_s - one.since_s),
            words.size(one.bytes),
            one.path or one.place,
            Cell(one.kept or "", WARM),
        ]
        for one in items
    ]
    table = render(_TRASH_COLUMNS, rows, style).text
    going = [one for one in items if one.kept is None]
    total = f"{words.count(len(going), 'worktree')}, {words.size(sum(one.bytes for one in going))}"
    return f"{table}\n\n{'deleted' if deleted else 'would delete'} {total}" if table else "the trash is empty"


def lines(judged: Sequence[Judged]) -> str:
    """One line for each verdict, as `remove --dry-run` says them."""
    return "\n".join(safe(f"{one.task.id}: {one.verdict.fate}: {', '.join(one.verdict.reasons)}") for one in judged)


def document(
    base: Base, judged: Sequence[Judged], operation: int | None, *, command: str = "clean"
) -> dict[str, object]:
    """The promised object of `clean --json` and `remove --json`, before and after the fact."""
    return {
        "schema": f"git-fleet.{command}.v1",
        "base": {"branch": base.branch, "commit": base.commit},
        "operation": operation,
        "verdicts": [_object(one) for one in judged],
    }


def _object(one: Judged) -> dict[str, object]:
    return {
        "id": one.task.id,
        "branch": one.task.branch or None,
        "worktree": one.worktree.path if one.worktree else None,
        "verdict": str(one.verdict.fate),
        "entry_only": one.entry_only,
        "removed": one.removed,
        "reasons": list(one.verdict.reasons),
        "hints": list(one.verdict.hints),
        "evidence": _evidence(one.facts),
    }


def _evidence(facts: Facts) -> dict[str, object]:
    """What was seen, by the names of the facts; null where git could not say."""
    seen = {key: list(value) if isinstance(value, tuple) else value for key, value in facts._asdict().items()}
    dirt = facts.dirt
    seen["dirt"] = (
        None if dirt is None else {k: list(v) if isinstance(v, tuple) else v for k, v in dirt._asdict().items()}
    )
    return {key: value for key, value in seen.items() if key not in ("branch", "worktree")}


def trash_document(items: Sequence[Trash], operation: int | None) -> dict[str, object]:
    """The promised object of `clean --purge --json`; `deleted` is false for all in a dry run."""
    return {
        "schema": SCHEMA,
        "operation": operation,
        "trash": [
            {
                "operation": one.operation,
                "worktree": one.path,
                "place": one.place,
                "since_s": one.since_s,
                "bytes": one.bytes,
                "kept": one.kept,
                "deleted": operation is not None and one.kept is None,
            }
            for one in items
        ],
    }
