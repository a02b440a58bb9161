"""What landed on another branch first, to review the sum: the base is fast-forwarded to it, nothing is made anew."""

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from git_fleet.journal import database
from git_fleet.model.fleet import Branch, Landing
from git_fleet.model.landing import Action, Step
from git_fleet.model.plan import Task
from git_fleet.operations.context import Context
from git_fleet.repo import git, lineage


class _There(NamedTuple):
    """A branch that has the base and more: its commits since, oldest first, and what landed as which of them."""

    branch: str
    commits: tuple[str, ...]
    landings: Mapping[str, Landing]


def steps(context: Context, tasks: Sequence[Task], tips: Mapping[str, Branch]) -> tuple[Step, ...]:
    """A step for each task, with the commit that is there, where all of them have landed on one branch on top of the
    base and nothing else has before the last of them; else none.
    """
    wanted = {task.id: tips[task.ref].tip for task in tasks}
    for there in _branches(context, wanted):
        places = {id: there.commits.index(landing.commit) for id, landing in there.landings.items()}
        mine = [places[id] for id in wanted if id in places and there.landings[id].tip == wanted[id]]
        others = [place for id, place in places.items() if id not in wanted]
        if len(mine) == len(wanted) and not any(place < max(mine) for place in others):
            last = len(there.commits) - 1 if not others else max(mine)
            return _steps(context, there, sorted(tasks, key=lambda task: places[task.id]), tips, last)
    return ()


def _branches(context: Context, wanted: Mapping[str, str]) -> list[_There]:
    """The branches on which any of it has landed, that stand on the base as it is."""
    repository, base = context.repository, context.base
    with database.opened_to_read(repository.fleet_dir) as journal:
        if journal is None or not any(wanted.get(one.task) == one.tip for one in journal.landings()):
            return []
        landings = {one.commit: one for one in journal.landings()}
        names = [json.loads(one.detail).get("onto") for one in journal.operations() if one.kind == "land"]
    found = []
    for name in dict.fromkeys(name for name in names if name and name != base.branch):
        tip = git.resolve(repository, f"refs/heads/{name}")
        made = lineage.first_parent_range(repository, base.commit, tip) if tip else []
        if made and made[-1][1][:1] == (base.commit,):
            commits = tuple(commit for commit, _ in reversed(made))
            there = {landings[commit].task: landings[commit] for commit in commits if commit in landings}
            found.append(_There(name, commits, there))
    return found


def _steps(
    context: Context, there: _There, tasks: Sequence[Task], tips: Mapping[str, Branch], last: int
) -> tuple[Step, ...]:
    ends = {task.id: there.landings[task.id].commit for task in tasks}
    by_hand = last - there.commits.index(ends[tasks[-1].id])
    ends[tasks[-1].id] = there.commits[last]
    trees = git.trees_of(context.repository, list(ends.values()))
    found = []
    for task in tasks:
        more = f", with {by_hand} more made there by hand" if by_hand and task is tasks[-1] else ""
        reason = f"landed on '{there.branch}' as {there.landings[task.id].commit[:10]}{more}: fast-forward"
        step = Step(task.id, task.branch, tips[task.ref].tip, Action.LAND, reason, title=task.title, agent=task.agent)
        found.append(step._replace(tree=trees[ends[task.id]], commit=ends[task.id]))
    return tuple(found)
