"""`git fleet sync`: what became of each branch, one line each."""

from collections.abc import Sequence
from typing import NamedTuple

from git_fleet.model.fleet import Base
from git_fleet.output import words
from git_fleet.output.escape import safe


class Row(NamedTuple):
    """A branch; `fate` is `synced`, `current`, `conflict` or `refused`."""

    id: str
    fate: str
    before: str
    after: str | None = None
    paths: tuple[str, ...] = ()
    why: str = ""
    worktree: str | None = None
    branch: str = ""
    hints: tuple[str, ...] = ()


def document(base: Base, rows: Sequence[Row], operation: int | None) -> dict[str, object]:
    """The promised object of `sync --json`; of a dry run it says what would become of each."""
    return {
        "schema": "git-fleet.sync.v1",
        "base": {"branch": base.branch, "commit": base.commit},
        "operation": operation,
        "tasks": [
            {
                "id": row.id,
                "branch": row.branch,
                "worktree": row.worktree,
                "result": row.fate,
                "before": row.before,
                "after": row.after,
                "conflicts": list(row.paths),
                "reason": row.why if row.fate == "refused" else None,
            }
            for row in rows
        ],
    }


def text(rows: Sequence[Row], base: str, *, dry: bool) -> str:
    """The answer, without a final newline; those that were refused are errors."""
    told = [_line(row, safe(base), dry=dry) for row in rows if row.fate != "refused"]
    return "\n".join(told) if rows else "nothing to sync"


def _line(row: Row, base: str, *, dry: bool) -> str:
    id, where = safe(row.id), f" in {safe(row.worktree)}" if row.worktree else ""
    if row.fate == "current":
        return f"{id}: has all of {base}"
    if row.fate == "conflict":
        at = f" in {words.listed(row.paths)}" if row.paths else ""
        return f"{id}: {'would conflict' if dry else 'conflict'}{at}; it {'would wait' if dry else 'waits'}{where}"
    if dry:
        return f"{id}: would get {base}{where}"
    return f"{id}: has {base} now: {words.short(row.before)}..{words.short(row.after)}{where}"


def errors(rows: Sequence[Row]) -> list[str]:
    """What was not done."""
    return [f"{safe(row.id)} not synced: {safe(row.why)}" for row in rows if row.fate == "refused"]


def hints(rows: Sequence[Row], *, rebase: bool, dry: bool) -> list[str]:
    """What to type next."""
    refused = list(dict.fromkeys(hint for row in rows if row.fate == "refused" for hint in row.hints))
    waiting = [row for row in rows if row.fate == "conflict" and row.worktree]
    if dry or not waiting:
        return refused
    what = "rebase" if rebase else "merge"
    places = [f"resolve it there: cd {words.typed(row.worktree or '')}" for row in waiting]
    paths = words.to_add(waiting[0].paths if len(waiting) == 1 else ())
    return [*refused, *places, f"then: git add {paths} && git {what} --continue; or: git {what} --abort"]
