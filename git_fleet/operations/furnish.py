"""What a new worktree gets besides the files of its branch: copies of ignored ones."""

from collections.abc import Sequence

from git_fleet.model.errors import Fatal, FleetError
from git_fleet.model.events import Copied, Listener, Progress
from git_fleet.model.plan import Task
from git_fleet.operations.context import Context, furnished
from git_fleet.repo import copies

_MANY = 500
"""Files between two words about how far it is."""


def wanted(context: Context) -> list[str]:
    """Ignored files that a new worktree gets from the one where everything is. Read-only. Raises Fatal, GitError."""
    home = furnished(context)
    if home is None:
        return []
    try:
        lines = copies.patterns(home, context.settings.copy)
    except OSError as error:
        raise Fatal(
            f"cannot read '{home}/{copies.INCLUDE}': {error.strerror}", ["it has to be a plain file"]
        ) from error
    return copies.chosen(context.repository, home, lines) if lines else []


def copy_into(context: Context, task: Task, folder: int, paths: Sequence[str], say: Listener) -> str | None:
    """Copy files into a task's new worktree, by the descriptor of its folder; why that failed, if it did.

    What the branch does not ignore is left out: nobody should commit it by accident.
    """
    home = furnished(context)
    if not paths or home is None:
        return None
    what = f"copying into {task.id}"
    try:
        welcome = copies.ignored(context.repository, task.worktree, paths)
        going = [path for path in paths if path in welcome]
        left = copies.copy(
            home, folder, going, lambda n: say(Progress(what, n, len(going))) if n % _MANY == 0 else None
        )
    except FleetError as error:
        return f"its ignored files could not be copied: {error.message}"
    except OSError as error:
        return f"its ignored files could not be copied: {error.strerror}"
    left += [(path, "its branch does not ignore it") for path in paths if path not in welcome]
    say(Copied(task.id, len(paths) - len(left), tuple(left)))
    return None
