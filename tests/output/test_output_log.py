"""What was done, on the screen and as JSON."""

from collections.abc import Callable
from typing import Any

from git_fleet.model.journal import ChangeKind, Operation, OperationState, RecordedChange
from git_fleet.output import log
from git_fleet.output.style import Style

CHANGE = RecordedChange(ChangeKind.REF, "refs/heads/main", None, "1" * 40)
OPERATIONS = (
    Operation(12, "land", OperationState.STOPPED, "landed 42, 43; stopped at 44", 9_000.5, None, (CHANGE,)),
    Operation(3, "add", OperationState.DONE, "created 42,\x1b 43", 1_000.0, 1_002.0),
)


def test_the_screen() -> None:
    assert log.text(OPERATIONS, Style(), now_s=10_000) == (
        "operation  age  did   state    what\n"
        "       12  16m  land  stopped  landed 42, 43; stopped at 44\n"
        "        3   2h  add   done     created 42,\\x1b 43"
    )
    assert log.text((), Style(), now_s=0) == "no operations yet"


def test_the_document(conform: Callable[[str, dict[str, object]], Any]) -> None:
    document = conform("log", log.document(OPERATIONS))
    assert document["operations"][0] == {
        "id": 12,
        "kind": "land",
        "state": "stopped",
        "summary": "landed 42, 43; stopped at 44",
        "began_s": 9_000.5,
        "ended_s": None,
        "changes": [{"kind": "ref", "name": "refs/heads/main", "before": None, "after": "1" * 40}],
    }
    assert [operation["id"] for operation in document["operations"]] == [12, 3]
