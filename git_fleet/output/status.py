"""`git fleet status`: every task and every worktree that no task names, as they are now."""

from collections import Counter
from collections.abc import Sequence

from git_fleet.model.fleet import Dirt, Fleet, State, TaskReport
from git_fleet.output import words
from git_fleet.output.escape import safe
from git_fleet.output.style import COOL, DIM, WARM, Style, paint
from git_fleet.output.table import Cell, Column, Table, render

SCHEMA = "git-fleet.status.v1"

_COLUMNS = (
    Column("id", least=12),
    Column("title", drop=9, least=14),
    Column("state"),
    Column("wave", "right", drop=3),
    Column("commits", drop=10),
    Column("dirty", drop=12),
    Column("lines", drop=4),
    Column("conflicts", drop=13, least=16),
    Column("drift", drop=11, least=12),
    Column("progress", "right", drop=6),
    Column("gate", drop=7),
    Column("age", "right", drop=5),
    Column("why", drop=8, least=16),
    Column("branch", drop=2, least=20),
    Column("worktree", drop=1, least=20),
)
_WAITING = frozenset({State.PLANNED, State.BLOCKED, State.READY, State.DONE, State.APPROVED})
_CALLING = frozenset({State.STUCK, State.REJECTED, State.MISSING})
_OVER = frozenset({State.LANDED, State.DROPPED})


def text(fleet: Fleet, style: Style, *, now_s: int, landing: str | None = None) -> str:
    """The screen, without a final newline. `now_s`: seconds since 1970, for the age of the last commits.

    `landing` says what lands, or waits to, right now.
    """
    planned = _table(fleet, fleet.reports, style, now_s)
    strays = _table(fleet, fleet.unplanned, style, now_s)
    blocks = (
        _heading(fleet),
        planned.text,
        strays.text and f"other worktrees:\n{strays.text}",
        _details(fleet, now_s) if style.verbose else "",
        _warning(fleet, style),
        paint(safe(landing), WARM, style) if landing else "",
        _summary(fleet, max(planned.hidden, strays.hidden)),
    )
    return "\n\n".join(block for block in blocks if block)


def _details(fleet: Fleet, now_s: int) -> str:
    """Every path that the table only counts or shortens, and who marked what."""
    lines = []
    for report in (*fleet.reports, *fleet.unplanned):
        kinds = [("uncommitted", report.dirt.paths if report.dirt else ()), ("drift", report.drift)]
        kinds += [("conflicts with the base in", report.base_conflict)]
        kinds += [(f"conflicts with {other} in", paths) for other, paths in report.conflicts]
        lines += [f"{report.task.id}: {kind} {', '.join(paths)}" for kind, paths in kinds if paths]
        mark = report.mark
        if mark and mark.state is not State.ACTIVE:
            where = f" at {words.short(mark.tip)}" if mark.tip else ""
            ago = words.age(now_s - mark.at_s)
            lines.append(f"{report.task.id}: marked as {mark.state} by {mark.who}{where}, {ago} ago")
    return "\n".join(map(safe, lines))


def document(fleet: Fleet) -> dict[str, object]:
    """The promised object of `status --json`."""
    base = fleet.snapshot.base
    return {
        "schema": SCHEMA,
        "base": {"branch": base.branch, "commit": base.commit},
        "tasks": [_object(report) for report in fleet.reports],
        "unplanned": [_object(report) for report in fleet.unplanned],
    }


def _table(fleet: Fleet, reports: Sequence[TaskReport], style: Style, now_s: int) -> Table:
    return render(_COLUMNS, [_row(report, fleet.snapshot.repository.main, now_s) for report in reports], style)


def _row(report: TaskReport, main: str, now_s: int) -> list[str | Cell]:
    task, distance, lines = report.task, report.distance, report.lines
    branch = "" if task.branch == task.id else task.branch
    return [
        Cell(task.id, DIM if report.state in _OVER else ""),
        words.title(task.id, task.title),
        Cell(str(report.state), _tone(report.state)),
        str(report.wave or ""),
        f"+{distance.ahead} -{distance.behind}" if distance else "",
        _dirty(report.dirt),
        f"+{lines.insertions} -{lines.deletions}" if lines and any(lines) else "",
        Cell(_conflicts(report), WARM),
        Cell(words.listed(report.drift, 2), WARM),
        words.progress(task.progress),
        Cell("" if report.gate == "none" else report.gate, WARM if report.gate == "failed" else ""),
        words.age(now_s - report.branch.committed_s) if report.branch else "",
        report.reason or "",
        branch,
        _folder(report.worktree.path, main) if report.worktree else "",
    ]


def _tone(state: State) -> str:
    if state in _WAITING:
        return COOL
    return WARM if state in _CALLING else DIM if state in _OVER else ""


def _dirty(dirt: Dirt | None) -> str:
    """`1s 2u 3?`: staged, unstaged, untracked; `1x`: unmerged; then the operation in progress."""
    if dirt is None:
        return ""
    counts = ((dirt.unmerged, "x"), (dirt.staged, "s"), (dirt.unstaged, "u"), (dirt.untracked, "?"))
    return " ".join([*(f"{len(paths)}{sign}" for paths, sign in counts if paths), *filter(None, [dirt.operation])])


def _conflicts(report: TaskReport) -> str:
    if report.doubt is not None:
        return f"unknown ({report.doubt})"
    base = [words.placed("base", report.base_conflict)] if report.base_conflict else []
    return ", ".join([*base, *(words.placed(other, paths) for other, paths in report.conflicts)])


def _folder(path: str, main: str) -> str:
    """`../tasks-app-42` for a sibling of the main worktree, as a person would type it there."""
    parent = main.rstrip("/").rpartition("/")[0]
    return f"../{path.removeprefix(parent + '/')}" if parent and path.startswith(f"{parent}/") else path


def _heading(fleet: Fleet) -> str:
    base = fleet.snapshot.base
    where = words.origin(fleet.plan.source, fleet.snapshot.repository.main)
    return f"{safe(base.branch)} at {words.short(base.commit)}, {where}"


def _warning(fleet: Fleet, style: Style) -> str:
    """Nobody should work in the base's own worktree."""
    if fleet.base_dirt is None or fleet.base_dirt.clean:
        return ""
    work = words.listed(fleet.base_dirt.paths) or f"{fleet.base_dirt.operation} in progress"
    told = f"warning: uncommitted work in the worktree of {safe(fleet.snapshot.base.branch)}: {work}"
    return paint(told, WARM, style)


def _summary(fleet: Fleet, hidden: int) -> str:
    states = Counter(report.state for report in fleet.reports)
    tasks = ", ".join(f"{states[state]} {state}" for state in State if states[state])
    parts = [f"{words.count(len(fleet.reports), 'task')}{': ' if tasks else ''}{tasks}"]
    if fleet.unplanned:
        parts.append(words.count(len(fleet.unplanned), "other worktree"))
    if conflicts := _conflict_count(fleet):
        parts.append(words.count(conflicts, "conflict"))
    return "; ".join([*parts, *filter(None, [words.hidden(hidden)])])


def _conflict_count(fleet: Fleet) -> int:
    reports = (*fleet.reports, *fleet.unplanned)
    pairs = {frozenset((report.task.id, other)) for report in reports for other, _ in report.conflicts}
    return len(pairs) + sum(bool(report.base_conflict) for report in reports)


def _object(report: TaskReport) -> dict[str, object]:
    task = report.task
    return {
        "id": task.id,
        "branch": task.branch or None,
        "worktree": report.worktree.path if report.worktree else None,
        "state": str(report.state),
        "wave": report.wave,
        **_branch_part(report),
        **_worktree_part(report),
        "base_conflict": bool(report.base_conflict) if report.doubt is None else None,
        "conflicts_with": [other for other, _ in report.conflicts] if report.doubt is None else None,
        "drift": list(report.drift),
        "gate": report.gate,
        "agent": task.agent,
        "progress": words.progress_object(task.progress),
        "reason": report.reason or report.doubt,
        **_mark_part(report),
    }


def _mark_part(report: TaskReport) -> dict[str, object]:
    """What was said of it last, whether that still holds or not."""
    mark = report.mark
    if mark is None or mark.state is State.ACTIVE:
        return {}
    return {"marked": {"state": str(mark.state), "why": mark.why, "by": mark.who, "at_s": mark.at_s, "tip": mark.tip}}


def _branch_part(report: TaskReport) -> dict[str, object]:
    """Keys that apply to a task with a branch; null where nobody could tell."""
    branch, distance, lines = report.branch, report.distance, report.lines
    if branch is None:
        return {}
    return {
        "ahead": distance.ahead if distance else None,
        "behind": distance.behind if distance else None,
        "insertions": lines.insertions if lines else None,
        "deletions": lines.deletions if lines else None,
        "tip": branch.tip,
        "last_commit_s": branch.committed_s,
    }


def _worktree_part(report: TaskReport) -> dict[str, object]:
    """Keys that apply to a task with a worktree; null where it could not be looked at."""
    dirt = report.dirt
    if report.worktree is None:
        return {}
    counts: dict[str, object] = {
        "staged": None if dirt is None else len(dirt.staged),
        "unstaged": None if dirt is None else len(dirt.unstaged),
        "untracked": None if dirt is None else len(dirt.untracked),
        "unmerged": None if dirt is None else len(dirt.unmerged),
    }
    return {**counts, "operation": dirt.operation} if dirt and dirt.operation else counts
