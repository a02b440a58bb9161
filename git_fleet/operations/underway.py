"""What goes on or waits on a base at this moment, in one line for whoever looks. Read-only."""

import json

from git_fleet.journal import database, locks
from git_fleet.model.fleet import Base, Repository
from git_fleet.model.journal import OperationState


def landing(repository: Repository, base: Base) -> str | None:
    """A landing on the base that is running, or that waits for somebody; None without one."""
    with database.opened_to_read(repository.fleet_dir) as journal:
        found = journal.operations(states=[OperationState.RUNNING, OperationState.STOPPED]) if journal else ()
    for operation in found:
        detail = json.loads(operation.detail)
        if operation.kind != "land" or detail.get("onto") != base.branch:
            continue
        if operation.state is OperationState.STOPPED:
            current = detail.get("current") or {}
            return (
                f"a landing waits for you: task {current.get('id', '?')} conflicts in '{detail.get('lane', '')}'"
                " (git fleet land --continue, --skip, --park or --abort)"
            )
        pid = locks.holder(repository.fleet_dir, f"operation-{operation.id}")
        if pid is not None:
            return f"a landing is running: {operation.summary} (pid {pid})"
        return f"a landing was killed: {operation.summary} (the next git fleet land puts it right)"
    return None
