"""May an agent be started on this task now, and with which command? Pure; a refusal is a value with the way out."""

import shlex
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from git_fleet.analysis import state as states
from git_fleet.analysis.state import Standing
from git_fleet.model.fleet import State
from git_fleet.model.plan import Task
from git_fleet.model.settings import Settings


class Refusal(NamedTuple):
    why: str
    hints: tuple[str, ...]


def refusal(task: Task, standings: Mapping[str, Standing]) -> Refusal | None:
    """Why no agent can work on it; None where one can."""
    standing = standings[task.id]
    tree = standing.worktree
    if standing.state is State.LANDED:
        return Refusal("it has landed already", states.ways_on(task.id, left=tree is not None))
    if standing.state is State.DROPPED:
        return Refusal("it is dropped", states.ways_back(task.id))
    if tree is not None and tree.foreign is not None:
        return Refusal(standing.reason or "its worktree is another repository's", ("git fleet doctor",))
    if tree is None or standing.state is State.MISSING:
        return Refusal("it has no worktree", (f"git fleet add {task.id}",))
    if tree.branch != task.ref:
        switch = f"git -C {shlex.quote(tree.path)} switch {shlex.quote(task.branch)}"
        return Refusal(f"'{task.branch}' is not checked out in its worktree '{tree.path}'", (switch,))
    waits = [need for need in task.needs if need in standings and standings[need].state is not State.LANDED]
    if waits:
        return Refusal(f"it needs {', '.join(waits)}, not landed yet", (f"git fleet land {' '.join(waits)}",))
    return None


def command(task: Task, settings: Settings, words: Sequence[str]) -> str | Refusal:
    """The shell command: the words that were typed (one alone is a shell command itself), else the agent's."""
    if words:
        return words[0] if len(words) == 1 else shlex.join(words)
    name = task.agent or settings.agent
    if name is None:
        named = "git config fleet.agent <name>   # and fleetAgent.<name>.command"
        return Refusal("it has no agent", (named, f"git fleet run {task.id} -- <command>"))
    found = settings.agents.get(name)
    if not found:
        key = shlex.quote(f"fleetAgent.{name}.command")
        return Refusal(f"its agent '{name}' has no command", (f"git config {key} '<command>'",))
    return found
