"""`mark`: what an agent or a person says of a task. One row in the journal; waits for no lock but SQLite's own."""

import os
import time

from git_fleet.analysis import marking
from git_fleet.analysis import state as states
from git_fleet.journal import database, marks
from git_fleet.model.errors import Refused
from git_fleet.model.fleet import Mark, Repository, State
from git_fleet.model.plan import Task
from git_fleet.operations import survey
from git_fleet.operations.context import Context


def would(context: Context, task: Task, state: State, why: str | None = None) -> Mark:
    """The mark as it would be written down; read-only. Raises Refused for what makes no sense.

    `context` has the plan as it is written: without marks.
    """
    alone = context._replace(
        plan=context.plan._replace(tasks=(task,)),
        worktrees=tuple(tree for tree in context.worktrees if tree.branch == task.ref),
    )
    snapshot, _ = survey.look(alone)
    branch = snapshot.branches.get(task.ref)
    standing = states.standings(alone.plan, snapshot, ())[task.id]
    with database.opened_to_read(context.repository.fleet_dir) as journal:
        before = marks.latest(journal).get(task.id) if journal else None
    refusal = marking.refusal(task, state, standing, before, there=branch is not None)
    if refusal is not None:
        raise Refused(f"not marked as {state}: {refusal.why}", refusal.hints)
    said = " ".join((why or "").split()) or None
    inside = os.environ.get("FLEET_TASK") == task.id
    who = (agent_of(context, task) if inside else None) or person()
    return Mark(task.id, state, said, who, time.time(), branch.tip if branch else None)


def mark(context: Context, task: Task, state: State, why: str | None = None) -> Mark:
    """Write it down. Raises Refused; Busy where the journal is not to be had for a minute."""
    made = would(context, task, state, why)
    write(context.repository, made)
    return made


def write(repository: Repository, made: Mark) -> None:
    """Add a mark to the journal. Raises Busy, Fatal."""
    with database.opened(repository.fleet_dir) as journal:
        marks.record(journal, made)


def agent_of(context: Context, task: Task) -> str | None:
    """The name of a task's agent."""
    return task.agent or context.settings.agent


def person() -> str:
    """Who is logged in, and where."""
    import pwd

    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # of a container, say
        name = str(os.getuid())
    return f"{name}@{os.uname().nodename}"
