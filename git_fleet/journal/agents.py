"""Agents: each is written down before it does anything, with what it says of its task at its beginning and its end."""

from git_fleet.journal import marks
from git_fleet.journal.database import NAME, Journal, to_bytes
from git_fleet.model.agent import Agent
from git_fleet.model.fleet import Mark, State

_SINCE = 5
_COLUMNS = "task, worktree, pid, identity, log, began_s, id, ended_s"


def begin(journal: Journal, agent: Agent, mark: Mark) -> int:
    """Write down an agent that is about to begin, and its mark; its number. Raises Busy, Fatal."""
    with journal.writing("agent begins") as db:
        found = db.execute(
            f"INSERT INTO agent (task, worktree, pid, identity, log, began_s) VALUES ({NAME}, {NAME}, ?, ?, {NAME}, ?)",
            (
                to_bytes(agent.task),
                to_bytes(agent.worktree),
                agent.pid,
                agent.identity,
                to_bytes(agent.log),
                agent.began_s,
            ),
        )
        marks.insert(db, mark)
    return int(found.lastrowid or 0)


def end(journal: Journal, number: int, mark: Mark, *, gone: bool = True) -> None:
    """Write down that it ended (with `gone`: it may be about to), and its mark, unless somebody has said meanwhile that
    the task is anything but running."""
    with journal.writing("agent ends") as db:
        if gone:
            db.execute("UPDATE agent SET ended_s = ? WHERE id = ? AND ended_s IS NULL", (mark.at_s, number))
        last = db.execute(
            f"SELECT state FROM mark WHERE task = {NAME} ORDER BY id DESC LIMIT 1", (to_bytes(mark.task),)
        ).fetchone()
        if last is not None and last[0] == State.RUNNING:
            marks.insert(db, mark)


def latest(journal: Journal) -> dict[str, Agent]:
    """The last agent of each task, by the task's id; whether it is alive is left open."""
    if not journal.has(_SINCE):
        return {}
    rows = journal.db.execute(f"SELECT {_COLUMNS} FROM agent WHERE id IN (SELECT max(id) FROM agent GROUP BY task)")
    return {agent.task: agent for agent in map(_agent, rows.fetchall())}


def in_worktree(journal: Journal, worktree: str) -> Agent | None:
    """The last agent that was started in a worktree, whatever its task."""
    row = journal.db.execute(
        f"SELECT {_COLUMNS} FROM agent WHERE worktree = {NAME} ORDER BY id DESC LIMIT 1", (to_bytes(worktree),)
    ).fetchone()
    return _agent(row) if row else None


def worktrees_since(journal: Journal, since_s: float) -> list[str]:
    """Where an agent was at work at that time or later, or was not seen to end."""
    if not journal.has(_SINCE):
        return []
    rows = journal.db.execute("SELECT DISTINCT worktree FROM agent WHERE ended_s IS NULL OR ended_s >= ?", (since_s,))
    return [str(row[0]) for row in rows.fetchall()]


def _agent(row: tuple[str, str, int, str | None, str, float, int, float | None]) -> Agent:
    task, worktree, pid, identity, log, began_s, number, ended_s = row
    try:
        ended = None if ended_s is None else float(ended_s)
        return Agent(str(task), str(worktree), int(pid), identity, str(log), float(began_s), number, ended)
    except (TypeError, ValueError):
        import sqlite3

        raise sqlite3.DatabaseError(f"the agent of {task} makes no sense") from None
