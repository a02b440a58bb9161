"""Agents: started in a worktree, watched to their end by a process of ours, looked at, stopped.

Of each worktree one lock says that somebody watches an agent there, and the journal which process that agent is: it is
written down before it begins. Whoever was killed in between leaves an agent that never did anything.
"""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from typing import NamedTuple

from git_fleet.analysis import starting
from git_fleet.analysis import state as states
from git_fleet.journal import agents, database, locks
from git_fleet.model.agent import Agent
from git_fleet.model.errors import Busy, Fatal, FleetError, Refused, ending
from git_fleet.model.events import Listener
from git_fleet.model.fleet import Mark, Repository, State
from git_fleet.model.plan import PlanView, Task
from git_fleet.operations import elsewhere, environment, gate, mark, survey
from git_fleet.operations.context import Context, is_alive, runs
from git_fleet.repo import git, logs, pids, process

LOG_CAP = 16 << 20
GRACE_S = 10.0
_FOR_EVER_S = 10 * 365 * 86400.0
_BETWEEN_S = 10.0
"""So long somebody may hold the lock without an agent that runs: before it begins, and when it has ended."""


class Start(NamedTuple):
    """All that it takes to start an agent."""

    task: Task
    worktree: str
    command: str
    who: str
    log: str
    after: int = 0
    """The number of the agent that was the last one there when this was decided."""


def prepare(context: Context, view: PlanView, task: Task, words: Sequence[str]) -> Start:
    """What would be started; read-only. Raises Refused."""
    snapshot, _ = survey.look(context)
    standings = states.standings(context.plan, snapshot, view.overlaps)
    refused = starting.refusal(task, standings)
    command = refused or starting.command(task, context.settings, words)
    if isinstance(command, starting.Refusal):
        raise _not_started(task, command.why, command.hints)
    tree = standings[task.id].worktree
    assert tree is not None
    last = _last_in(context.repository, tree.path)
    if last is not None and runs(last):
        raise _taken(task, last)
    folder = f"{context.repository.fleet_dir}/logs/agents"
    log = f"{folder}/{gate.plain(task.id)}-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    if task.prompt is not None and environment.prompt_file(context.repository, task.prompt) is None:
        hint = f"git fleet plan set {task.id} prompt <file>   # relative to '{context.repository.main}'"
        raise _not_started(task, f"its prompt '{task.prompt}' is no file of the repository", [hint])
    who = mark.agent_of(context, task) or mark.person()
    return Start(task, tree.path, command, who, log, last.number if last else 0)


def _not_started(task: Task, why: str, hints: Sequence[str]) -> Refused:
    return Refused(f"{task.id} was not started: {why}", hints)


def _taken(task: Task, agent: Agent) -> Refused:
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(agent.began_s))
    why = f"an agent runs in its worktree since {since} (process {agent.pid})"
    return _not_started(task, why, [f"git fleet logs {agent.task}", f"git fleet stop {agent.task}"])


def _last_in(repository: Repository, worktree: str) -> Agent | None:
    with database.opened_to_read(repository.fleet_dir) as journal:
        return agents.in_worktree(journal, worktree) if journal else None


def _alive_in(repository: Repository, worktree: str) -> Agent | None:
    agent = _last_in(repository, worktree)
    return agent if agent and runs(agent) else None


def refuse_if_at_work(repository: Repository, worktree: str) -> None:
    """Raises Refused where an agent runs in this worktree, which is about to go."""
    there = _alive_in(repository, worktree)
    if there is not None:
        why = f"the agent of {there.task} runs in '{worktree}' (process {there.pid})"
        raise Refused(f"not undone: {why}", [f"git fleet stop {there.task}"])


def run(context: Context, start: Start, say: Listener) -> int:
    """Start it; the number of its process, which is written down by now. Raises Refused, Fatal, Busy."""
    repository, task = context.repository, start.task
    slot = environment.slot(repository, start.worktree, say)
    env = environment.of(context, start.worktree, slot, id=task.id, title=task.title, branch=task.branch)
    os.makedirs(os.path.dirname(start.log), exist_ok=True)
    logs.prune(os.path.dirname(start.log))
    report = pids.detach(lambda fd: _supervise(repository, start, env, fd), repository.common_dir)
    with open(report, encoding="utf-8", errors="surrogateescape") as told:
        said = told.read()
    if not said:
        raise Fatal(f"{start.task.id} was not started: whoever was to watch it died", ["try again"])
    answer = json.loads(said)
    if "pid" in answer:
        return int(answer["pid"])
    there = _alive_in(repository, start.worktree) if answer["taken"] else None
    if there is not None:
        raise _taken(start.task, there)
    why = answer.get("why", "another agent was quicker, and has ended")
    raise Busy(f"{start.task.id} was not started: {why}", ["try again"])


# ------------------------------------------------------------------------------------------- in a process of its own


def _supervise(repository: Repository, start: Start, env: Mapping[str, str], report: int) -> None:
    """Start the agent, tell that it began or why not, and write down how it ended."""
    begun: list[int] = []

    def tell(**facts: object) -> None:
        with suppress(OSError):  # whoever asked may be gone: the agent goes on
            os.write(report, json.dumps(facts).encode())
        os.close(report)

    def started(pid: int) -> bool:
        agent = Agent(start.task.id, start.worktree, pid, pids.identity(pid), start.log, time.time())
        with database.opened(repository.fleet_dir) as journal:
            begun.append(agents.begin(journal, agent, _mark(repository, start, State.RUNNING, None)))
        tell(pid=pid)
        before(elsewhere.WAIT_S)
        return True

    try:
        with ExitStack() as held:
            if not _hold(held, repository, start):
                tell(taken=True)
                return
            before = elsewhere.in_background(lambda: elsewhere.look(repository, start.worktree))
            watched = process.run_watched(
                start.command,
                cwd=start.worktree,
                env=env,
                log=start.log,
                timeout_s=_FOR_EVER_S,
                log_cap=LOG_CAP,
                started=started,
                rolling=True,
            )
            if begun:
                told = _elsewhere(repository, start, before(0.0))
                end(repository, begun[0], _mark(repository, start, *_said(start.task, watched, told)))
            else:
                tell(taken=False, why=watched.why)
    except FleetError as error:
        if not begun:
            tell(taken=False, why=error.message)


def _on_a_line(text: str) -> str:
    """Whatever names are in it."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _elsewhere(repository: Repository, start: Start, before: elsewhere.Before | None) -> bool:
    """At the end of its log, what changed outside of its worktree while it ran; was there anything?"""
    if before is None:
        return False
    told = elsewhere.in_background(lambda: elsewhere.since(repository, start.worktree, start.task.ref, before))(
        elsewhere.WAIT_S
    )
    if told:
        lines = [f"\n[git fleet: changed elsewhere while this ran: {_on_a_line(what)}]\n" for what in told]
        logs.append(start.log, "".join(lines))
    return bool(told)


def _said(task: Task, watched: process.Watched, strayed: bool) -> tuple[State, str | None]:
    if watched.status == 0 and watched.why is None:
        return State.DONE, f"something else changed meanwhile, see: git fleet logs {task.id}" if strayed else None
    return State.STUCK, f"{watched.why or ending(watched.status)}, see: git fleet logs {task.id}"


def _mark(repository: Repository, start: Start, state: State, why: str | None) -> Mark:
    return Mark(start.task.id, state, why, start.who, time.time(), git.resolve(repository, start.task.ref))


def end(repository: Repository, number: int, said: Mark, *, gone: bool = True) -> None:
    """As in the journal."""
    with database.opened(repository.fleet_dir) as journal:
        agents.end(journal, number, said, gone=gone)


def _hold(held: ExitStack, repository: Repository, start: Start) -> bool:
    """Take the worktree's lock, to be given back with `held`; False where an agent runs there, or has meanwhile.
    Raises Busy."""
    until = time.monotonic() + _BETWEEN_S
    while not _alive_in(repository, start.worktree):
        try:
            held.enter_context(locks.hold(repository.fleet_dir, locks.agent_lock(start.worktree), wait_s=0.1))
        except Busy:
            if time.monotonic() > until:
                raise
            continue
        last = _last_in(repository, start.worktree)
        return (last.number if last else 0) == start.after
    return False


# ------------------------------------------------------------------------------------------ those that were started


def stop(context: Context, agent: Agent, grace_s: float = GRACE_S) -> bool:
    """End it, with all that it started: asked first, then killed. Had it to be killed? Raises Refused."""
    repository = context.repository
    by_hand = [f"kill -TERM -{agent.pid}   # if it is"]
    if agent.identity is None:
        raise Refused(
            f"not stopped: nobody can tell whether process {agent.pid} is still that of {agent.task}", by_hand
        )
    said = Mark(agent.task, State.STUCK, f"stopped by {mark.person()}", mark.person(), time.time(), None)
    end(repository, agent.number, said, gone=False)  # first, so that nobody calls it a failure
    try:
        killed = pids.end_group_of(agent.pid, agent.identity, grace_s)
    except PermissionError as error:
        raise Refused(f"not stopped: process {agent.pid} of {agent.task} is somebody else's", by_hand) from error
    until = time.monotonic() + _BETWEEN_S
    while is_alive(repository, agent) and time.monotonic() < until:  # whoever watches it ends what it has left
        time.sleep(0.02)
    end(repository, agent.number, said)
    return killed


def gone(repository: Repository, agent: Agent) -> None:
    """Write down that an agent ended without anybody seeing how."""
    end(repository, agent.number, Mark(agent.task, State.STUCK, states.agent_gone(agent), "doctor", time.time(), None))


def log(context: Context, task: Task, *, follow: bool) -> Iterator[bytes]:
    """What the last agent of a task said; with `follow` also what it goes on to say, to its end. Raises Fatal."""
    agent = context.agents.get(task.id)
    if agent is None:
        raise Fatal(f"no agent was started for {task.id}", [f"git fleet run {task.id}"])
    more: Callable[[], bool] = (lambda: is_alive(context.repository, agent)) if follow else (lambda: False)
    try:
        yield from logs.follow(agent.log, more)
    except FileNotFoundError:
        raise Fatal(f"the log of {task.id} is gone: '{agent.log}'", [f"git fleet status {task.id}"]) from None
