"""The picture of the plan: looked at, and kept in a file."""

import os
import stat

from git_fleet.analysis import graph as graphs
from git_fleet.analysis import state as states
from git_fleet.model.errors import Fatal, Refused
from git_fleet.model.graph import Graph
from git_fleet.model.plan import PlanView
from git_fleet.operations import outlook, survey
from git_fleet.operations.context import Context


def look(context: Context) -> tuple[PlanView, Graph]:
    """The plan, drawn with every task's state as of now. Merges nothing, looks into no worktree, writes nothing."""
    view = outlook.view(context)
    snapshot, _ = survey.look(context)
    standings = states.standings(context.plan, snapshot, view.overlaps)
    return view, graphs.graph(view, {id: standing.state for id, standing in standings.items()})


def save(context: Context, path: str, text: str) -> None:
    """Write the picture in one step; a file of that name is replaced, a link stays and what it names is replaced.

    Raises Refused for the plan itself, for a place inside a git directory and for what is no regular file; Fatal where
    it cannot be written.
    """
    target = os.path.realpath(path)
    _refuse_bad_target(context, path, target)
    folder, name = os.path.split(target)
    beside = os.path.join(folder, f".{name}.{os.getpid()}.new")
    try:
        mode = stat.S_IMODE(os.stat(target).st_mode) if os.path.exists(target) else None
        file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        try:
            with os.fdopen(file, "wb") as new:
                new.write(text.encode())
                if mode is not None:
                    os.fchmod(file, mode)
            os.replace(beside, target)
        except BaseException:
            os.unlink(beside)
            raise
    except OSError as error:
        raise Fatal(f"cannot write '{path}': {error.strerror}") from error


def _refuse_bad_target(context: Context, path: str, target: str) -> None:
    repository, plan = context.repository, context.plan.source.path
    insides = (repository.common_dir, repository.git_dir)
    if ".git" in target.split("/") or any(f"{target}/".startswith(f"{inside}/") for inside in insides):
        raise Refused(f"'{path}' is inside the git directory: nothing was written")
    if plan and target == os.path.realpath(plan):
        raise Refused(f"'{path}' is the plan: nothing was written", ["name another file after -o"])
    if os.path.exists(target) and not os.path.isfile(target):
        raise Refused(f"'{path}' is no regular file: nothing was written", ["to print the picture: -o -"])
