"""The certificate: fold the branches onto the base, one after the other, and write down every tree. Nothing is kept."""

from collections.abc import Mapping, Sequence

from git_fleet.model.fleet import Base, Branch, Repository
from git_fleet.model.landing import Action, OrderStep, Step
from git_fleet.model.plan import Task
from git_fleet.repo import merging


def fold(
    repository: Repository,
    base: Base,
    order: Sequence[OrderStep],
    tasks: Mapping[str, Task],
    branches: Mapping[str, Branch],
) -> tuple[Step, ...]:
    """A step for each place in the order, with the tree after it. Those that merge after all land; those that do not
    stop, and what needs them is parked. Those that stop come after those that land, the parked ones last."""
    line = base.commit
    stopped: set[str] = set()
    landing: list[Step] = []
    rest: list[Step] = []
    with merging.quarantine(repository, base.commit) as place:
        for entry in order:
            task, branch = tasks[entry.id], branches[tasks[entry.id].ref]
            step = Step(
                entry.id, task.branch, branch.tip, entry.action, entry.reason, title=task.title, agent=task.agent
            )
            waits = [need for need in task.needs if need in stopped]
            if waits:
                stopped.add(entry.id)
                rest.append(step._replace(action=Action.PARK, reason=f"needs {', '.join(waits)}, which do not land"))
                continue
            merge = merging.merge(place, line, branch.tip)
            if not merge.clean:
                stopped.add(entry.id)
                no_use = step._replace(action=Action.PARK, reason=f"git cannot merge it: {merge.why}")
                rest.append(no_use if merge.why else _stop(step, merge.paths))
                continue
            line = merging.commits(place, [(merge.tree, (line, branch.tip))])[0]
            landing.append(step._replace(action=Action.LAND, tree=merge.tree, reason=_why_lands(step)))
    return (*landing, *sorted(rest, key=lambda step: step.action is not Action.STOP))


def _stop(step: Step, paths: Sequence[str]) -> Step:
    if step.action is Action.STOP:
        return step._replace(conflicts=tuple(paths))
    reason = "merges with each of the others alone, but not with all that land before it"
    return step._replace(action=Action.STOP, reason=reason, conflicts=tuple(paths))


def _why_lands(step: Step) -> str:
    return step.reason if step.action is Action.LAND else "merges after all, once the others have landed"
