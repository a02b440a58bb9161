"""What programs of the user's are told in their environment: gates, what sets a worktree up, and agents alike."""

import os

from git_fleet.journal import locks
from git_fleet.model.events import Listener
from git_fleet.model.fleet import Repository
from git_fleet.model.settings import Settings
from git_fleet.operations import running
from git_fleet.operations.context import Context
from git_fleet.plan import checklist
from git_fleet.repo import slots

LAST_PORT = 65535


def of(
    context: Context, worktree: str, slot: int | None, *, id: str = "", title: str = "", branch: str = ""
) -> dict[str, str]:
    """The variables for a task's work in a worktree; those that do not apply are left out."""
    env = {
        "FLEET_TASK": id,
        "FLEET_TITLE": title,
        "FLEET_BRANCH": branch,
        "FLEET_BASE": context.base.branch,
        "FLEET_WORKTREE": worktree,
    }
    if slot is not None:
        env["FLEET_SLOT"] = str(slot)
        port = first_port(context.settings, slot)
        env |= {"FLEET_PORT": str(port)} if port is not None else {}
    prompt = next((task.prompt for task in context.plan.tasks if task.id == id), None)
    path = prompt_file(context.repository, prompt) if prompt else None
    return {**env, "FLEET_PROMPT_FILE": path} if path else env


def first_port(settings: Settings, slot: int) -> int | None:
    """The first of a slot's ports; None where there are none that high."""
    first = settings.port_base + slot * settings.ports
    return first if first + settings.ports - 1 <= LAST_PORT else None


def prompt_file(repository: Repository, prompt: str) -> str | None:
    """The file that a plan names as a prompt; None where that is no file of the repository."""
    path = checklist.inside(repository.main, prompt)
    return path if path is not None and os.path.isfile(path) else None


def slot(repository: Repository, worktree: str, say: Listener) -> int:
    """The slot of a worktree; a lane and one of plain git's get theirs now. Raises Refused, Busy."""
    known = slots.of(repository, worktree)
    if known is not None:
        return known
    with locks.hold(repository.fleet_dir, running.WORKTREES, waits=running.tells(say)):
        return slots.take(repository, worktree)
