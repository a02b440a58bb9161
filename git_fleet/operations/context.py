"""What every deed needs to know: the repository, the settings, and where the plan comes from."""

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from git_fleet.analysis import state as states
from git_fleet.journal import agents, database, locks, marks
from git_fleet.model.agent import Agent
from git_fleet.model.errors import Fatal, FleetError
from git_fleet.model.events import Listener, Note
from git_fleet.model.fleet import Base, Mark, Repository, Worktree
from git_fleet.model.plan import Plan, PlanView, Problem, Severity, Source, SourceKind
from git_fleet.model.settings import Settings
from git_fleet.operations import glance, running
from git_fleet.repo import pids
from git_fleet.repo import settings as settings_of

PLAN = "plan"
"""The lock under which the plan is rewritten; taken last."""


class Context(NamedTuple):
    """Read once at the start of a command and passed down; nothing is kept anywhere else."""

    repository: Repository
    settings: Settings
    worktrees: tuple[Worktree, ...]
    base: Base
    plan: Plan
    marks: Mapping[str, Mark] = MappingProxyType({})
    """What was said last of each task, by id."""
    agents: Mapping[str, Agent] = MappingProxyType({})
    """The last agent of each task, by id."""


def find(plan_file: str | None = None, onto: str | None = None) -> Context:
    """Find the repository, read its settings, the plan and the marks. Raises Fatal or PlanError."""
    context = with_marks(with_plan(find_without_plan(onto), plan_file))
    return context if onto else _without_workspace_on_base(context)


def with_plan(context: Context, plan_file: str | None) -> Context:
    """The same context with its plan read. Raises PlanError."""
    from git_fleet.plan import source  # not where branches are named, as in `check --refs`

    where = os.path.abspath(plan_file) if plan_file else None
    plan = source.read(context.settings, context.repository, context.worktrees, context.base.branch, where)
    return context._replace(plan=_with_folding(context, plan))


def with_marks(context: Context) -> Context:
    """The same with what was said of the tasks, and who is at work on them.

    Who is marked as dropped is dropped, as if the plan said so.
    """
    with database.opened_to_read(context.repository.fleet_dir) as journal:
        found = marks.latest(journal) if journal else {}
        last = last_agents(context.repository, journal) if journal else {}
    return context._replace(plan=states.without_dropped(context.plan, found), marks=found, agents=last)


def last_agents(repository: Repository, journal: database.Journal) -> dict[str, Agent]:
    """The last agent of each task, and whether it is alive."""
    return {id: one._replace(alive=is_alive(repository, one)) for id, one in agents.latest(journal).items()}


def is_alive(repository: Repository, agent: Agent) -> bool:
    """Does it still run, or is whoever watches it about to write down how it ended?"""
    watched = locks.agent_lock(agent.worktree)
    return agent.ended_s is None and (runs(agent) or locks.is_held(repository.fleet_dir, watched))


def runs(agent: Agent) -> bool:
    """Does its process still run?"""
    return agent.ended_s is None and pids.is_alive(agent.pid, agent.identity)


def _with_folding(context: Context, plan: Plan) -> Plan:
    """The file system is asked what it takes for the same only where a plan has names that look alike."""
    names = [name for task in plan.tasks for name in (task.branch, task.worktree)]
    if len({name.casefold() for name in names}) == len(names) and all(map(str.isascii, names)):
        return plan
    from git_fleet.analysis import problems
    from git_fleet.repo import folding

    if not problems.look_alike(plan.tasks):
        return plan
    places = {os.path.dirname(task.worktree) for task in plan.tasks}
    return plan._replace(folding=folding.look(context.repository, places))


def _without_workspace_on_base(context: Context) -> Context:
    """The same, with a problem for each task whose branch is the base: it could neither be added nor landed."""
    plan, base = context.plan, context.base.branch
    found = tuple(
        Problem(
            Severity.ERROR, "bad-branch", f"{task.id}: branch '{base}' is the base, no workspace", (task.id,), task.line
        )
        for task in plan.tasks
        if task.branch == base
    )
    return context._replace(plan=plan._replace(problems=(*plan.problems, *found)))


def find_without_plan(onto: str | None = None) -> Context:
    """The same with an empty plan, for what must work whatever the plan is like."""
    return of(*glance.find(), onto)


def of(repository: Repository, worktrees: tuple[Worktree, ...], onto: str | None = None) -> Context:
    """The context of a repository that was found already, with an empty plan. Raises Fatal."""
    settings = settings_of.load(repository)
    base = settings_of.base_of(repository, settings, worktrees, onto)
    return Context(repository, settings, worktrees, base, Plan(Source(SourceKind.WORKTREES), ()))


def furnished(context: Context) -> str | None:
    """Where the ignored files are that other worktrees get copies of: the main worktree, else that of the base."""
    trees = [tree for tree in context.worktrees if not tree.bare and (tree.main or tree.branch == context.base.ref)]
    return trees[0].path if trees and os.path.isdir(trees[0].path) else None


def is_base(context: Context, branch: str) -> bool:
    """Is this the branch that the plan's tasks land on, whatever `--onto` says?"""
    try:
        return settings_of.base_of(context.repository, context.settings, context.worktrees, None).branch == branch
    except Fatal:
        return False


def write_status(context: Context, statuses: Mapping[str, str], say: Listener) -> None:
    """Write what became of tasks into the plan, by id. The deed is done: a plan that cannot take it is a note."""
    if not statuses or context.plan.source.kind is SourceKind.WORKTREES:
        return
    from git_fleet.plan import source

    try:
        with locks.hold(context.repository.fleet_dir, PLAN, waits=running.tells(say)):
            source.set_status(context.plan, context.settings, context.repository, statuses)
    except FleetError as error:
        say(Note(f"the plan's status was not written: {error.message}"))


def refuse_broken_plan(view: PlanView) -> None:
    """Deeds need a plan without errors. Raises Fatal naming the first, with its place."""
    errors = [problem for problem in view.problems if problem.severity is Severity.ERROR]
    if errors:
        first = errors[0]
        place = "".join(f"{part}:" for part in (view.plan.source.path, first.line) if part is not None)
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        raise Fatal(f"{place} {first.message}{more}".strip(), ["see all of it with: git fleet plan"])
