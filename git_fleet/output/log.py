"""`git fleet log`: what was done."""

from collections.abc import Sequence

from git_fleet.model.journal import Operation, OperationState
from git_fleet.output import words
from git_fleet.output.style import WARM, Style
from git_fleet.output.table import Cell, Column, render

SCHEMA = "git-fleet.log.v1"

_COLUMNS = (
    Column("operation", "right"),
    Column("age", "right", drop=1),
    Column("did"),
    Column("state", drop=2),
    Column("what", least=10),
)
_CALLING = frozenset({OperationState.RUNNING, OperationState.STOPPED})


def text(operations: Sequence[Operation], style: Style, *, now_s: float) -> str:
    """The operations in the given order, without a final newline. `now_s`: seconds since 1970."""
    rows: list[list[str | Cell]] = [
        [
            str(operation.id),
            words.age(now_s - operation.began_s),
            operation.kind,
            Cell(str(operation.state), WARM if operation.state in _CALLING else ""),
            operation.summary,
        ]
        for operation in operations
    ]
    return render(_COLUMNS, rows, style).text or "no operations yet"


def document(operations: Sequence[Operation]) -> dict[str, object]:
    """The promised object of `log --json`; `ended_s` is null for an operation that has not ended."""
    return {"schema": SCHEMA, "operations": [_object(operation) for operation in operations]}


def _object(operation: Operation) -> dict[str, object]:
    return {
        "id": operation.id,
        "kind": operation.kind,
        "state": str(operation.state),
        "summary": operation.summary,
        "began_s": operation.began_s,
        "ended_s": operation.ended_s,
        "changes": [
            {"kind": str(change.kind), "name": change.name, "before": change.before, "after": change.after}
            for change in operation.changes
        ],
    }
