"""May this file be written here? Asked before every write of an agent, so it looks at that one file and no other.

Nothing but a few object ids is compared on the way to yes. Only where a sibling's version of the file differs from
where it left the base is more asked of git: first whether it is really the sibling's change, then, where this worktree
has changed the file as well, whether the two versions merge.
"""

import os
from collections.abc import Sequence
from typing import NamedTuple

from git_fleet.analysis import ownership
from git_fleet.analysis import state as states
from git_fleet.model.fleet import Worktree
from git_fleet.model.plan import Task
from git_fleet.operations import context as contexts
from git_fleet.operations import glance
from git_fleet.operations.context import Context
from git_fleet.repo import onefile

_NO_TASK = "not in a task's worktree: nothing is blocked here"


class Answer(NamedTuple):
    """`block`: one sentence why the write would do harm, None where it may go on. `note`: why nothing was asked."""

    block: str | None = None
    note: str | None = None


def judge(files: Sequence[str], plan_file: str | None = None) -> Answer:
    """The first of the files that must not be written, if any. Relative names are taken from the current directory.

    Raises Fatal where there is no repository, PlanError for a plan that cannot be read.
    """
    repository, worktrees = glance.find()
    here = next((tree for tree in worktrees if tree.path == repository.top), None)
    if here is None or here.main or here.branch is None:
        return Answer(note=_NO_TASK)
    context = contexts.with_plan(contexts.of(repository, worktrees), plan_file)
    if here.branch == context.base.ref:
        return Answer(note=_NO_TASK)
    everyone = _everyone(context)
    mine = next((task for task in everyone if task.ref == here.branch), None)
    if mine is None:
        return Answer(note=_NO_TASK)
    for file in files:
        for path in dict.fromkeys((_lexical(file), os.path.realpath(file))):
            block = _judge(context, everyone, mine, here, path)
            if block:
                return Answer(block)
    return Answer()


def _everyone(context: Context) -> list[Task]:
    """The plan's tasks, and one for each worktree that no task names."""
    tasks = list(context.plan.tasks)
    named = {task.ref for task in tasks}
    for tree in context.worktrees:
        if not tree.main and tree.branch and tree.branch not in named and tree.branch != context.base.ref:
            short = tree.branch.removeprefix("refs/heads/")
            tasks.append(Task(short, short, "", short, tree.path))
    return tasks


def _lexical(file: str) -> str:
    """The name itself, links only in the folders above it resolved: a link may be what is written."""
    folder, name = os.path.split(os.path.abspath(file))
    return os.path.join(os.path.realpath(folder), name)


def _judge(context: Context, everyone: Sequence[Task], mine: Task, here: Worktree, path: str) -> str | None:
    inside = [tree for tree in context.worktrees if path.startswith(f"{tree.path}/")]
    tree = max(inside, key=lambda one: len(one.path), default=None)
    if tree is None:
        return None
    if tree != here:
        owner = next((task for task in everyone if task.ref == tree.branch), None)
        return f"'{path}' is in the worktree of {owner.label}" if owner and not tree.main else None
    name = path.removeprefix(f"{here.path}/")
    if name == ".git" or name.startswith(".git/"):
        return None
    others = [task for task in everyone if task != mine]
    owners = [task for task in others if ownership.owns(task.owns, name)]
    own = ownership.owns(mine.owns, name)
    if owners and not own:
        flying = _in_flight(context)
        for task in owners:
            if task.id in flying:
                return f"'{name}' is owned by {task.label}, which is in flight"
    return _changed_by_a_sibling(context, others, owners if own else others, here, name)


def _in_flight(context: Context) -> set[str]:
    """Ids of tasks that have begun and have not landed, and of worktrees that no task names."""
    from git_fleet.operations import survey

    context = contexts.with_marks(context)
    snapshot, _ = survey.look(context)
    standings = states.standings(context.plan, snapshot, ())
    over = {task.ref for task in context.plan.tasks if standings[task.id].state not in states.IN_FLIGHT}
    return {task.id for task in _everyone(context) if task.ref not in over}


def _changed_by_a_sibling(
    context: Context, others: Sequence[Task], rivals: Sequence[Task], here: Worktree, name: str
) -> str | None:
    """Whoever changes a file first has it; when both have changed it, git's merge decides.

    `rivals` are those who have as much right to the file as we: a trespasser blocks the owner only by a real conflict.
    """
    where = {tree.branch: tree.path for tree in context.worktrees if tree.branch and os.path.isdir(tree.path)}
    siblings = {task.ref: task for task in others}
    found = onefile.versions(
        context.repository,
        context.base.commit,
        {here.branch or "": here.path, **{ref: where.get(ref) for ref in siblings}},
        name,
    )
    mine = found.pop(here.branch or "")
    changed = [
        (siblings[ref], version)
        for ref, version in found.items()
        if version.changed and not onefile.same(version, mine)
    ]
    for task, version in changed:
        if not mine.changed:
            meets = task in rivals
            why = ", which has not landed: a change of it here would meet that one"
        else:
            meets = onefile.conflict(context.repository, context.base.commit, mine, version, name)
            why = " in the same place: the two do not merge"
        if meets and task.id in _in_flight(context):  # the dearer question last: most writes may go on
            return f"'{name}' was changed by {task.label}{why}"
    return None
