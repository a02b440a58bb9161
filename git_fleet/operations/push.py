"""Push the base when a landing is done. What became of it is what the remote says afterwards, not what git said."""

import json
import os

from git_fleet.journal import database
from git_fleet.model.errors import Busy
from git_fleet.model.fleet import Repository
from git_fleet.model.journal import Operation, OperationState
from git_fleet.model.landing import Ending, LandOutcome, Push
from git_fleet.operations import running
from git_fleet.operations.context import Context
from git_fleet.repo import git, remotes


def push(context: Context, operation: int, commit: str) -> Push:
    """Push what an operation landed to the base's upstream; journalled as unknown until the remote was read again."""
    repository, base = context.repository, context.base
    to = remotes.target(repository, base.branch)
    if to is None:
        return Push("", "", commit, "rejected", f"'{base.branch}' has no upstream, and there is no remote 'origin'")
    found = Push(to.remote, to.ref, commit)
    with database.opened(repository.fleet_dir) as journal:
        running.note(journal, operation, push=list(found))
        top = _top(repository, base.branch)
        told = remotes.push(repository, to, commit, top)
        found = found._replace(state="pushed") if told.status == 0 else _read_again(repository, found, top)
        found = found._replace(why=_words(told.stderr) if found.state != "pushed" else "")
        running.note(journal, operation, push=list(found))
    return found


def _top(repository: Repository, branch: str) -> str | None:
    """The worktree in which somebody would push a branch."""
    trees = [tree.path for tree in git.worktrees(repository) if git.short(tree.branch or "") == branch]
    there = [path for path in trees if os.path.isdir(path)]
    return there[0] if there else None if repository.bare else repository.main


def _words(said: str) -> str:
    """What git and the remote's hooks said, without progress and advice."""
    lines = [line.strip() for line in said.splitlines()]
    return "; ".join(line for line in lines if line and not line.startswith(("hint:", "To ")))


def _read_again(repository: Repository, one: Push, top: str | None) -> Push:
    """The same push with what the remote says now."""
    to = remotes.Target(one.remote, one.ref)
    readable, tip = remotes.tip(repository, to, top)
    if not readable:
        return one._replace(state="unknown")
    if tip is not None and (tip == one.commit or _contains(repository, tip, one.commit)):
        remotes.note(repository, to, top)
        return one._replace(state="pushed")
    moved = tip is not None and not _contains(repository, one.commit, tip)
    return one._replace(state="rejected", moved=moved)


def _contains(repository: Repository, tip: str, commit: str) -> bool:
    """Is a commit reachable from another? Nobody has what is in neither repository."""
    return git.is_ancestor(repository, commit, tip)


def settled(repository: Repository, operation: Operation) -> Push | None:
    """What became of an operation's push; the remote is asked where that was unknown. None: it was not pushed."""
    detail = json.loads(operation.detail)
    if detail.get("push") is None:
        return None
    one = Push(*detail["push"])
    return _read_again(repository, one, _top(repository, detail["onto"])) if one.state == "unknown" else one


def of(context: Context, outcome: LandOutcome) -> LandOutcome:
    """The outcome of a landing, pushed if that was wanted, something landed, and nothing waits for a human."""
    if outcome.operation is None or outcome.ending is Ending.STOPPED:
        return outcome
    with database.opened_to_read(context.repository.fleet_dir) as journal:
        operation = journal.operation(outcome.operation) if journal else None
        landed = bool(journal and journal.landings_of(outcome.operation))
    now = git.resolve(context.repository, context.base.ref)
    if operation is None or not landed or now is None or not json.loads(operation.detail)["request"].get("push"):
        return outcome
    return outcome._replace(push=push(context, operation.id, outcome.commit or now))


def owed(journal: database.Journal, onto: str) -> int | None:
    """The last landing on a base, if that was to be pushed and is not known to have arrived."""
    landings = (one for one in journal.operations(states=[OperationState.DONE]) if one.kind == "land")
    last = next((one for one in landings if json.loads(one.detail).get("onto") == onto), None)
    return last.id if last is not None and is_owed(last) else None


def is_owed(operation: Operation) -> bool:
    """Was a landing to be pushed, and is not known to have arrived?"""
    detail = json.loads(operation.detail)
    wanted = bool(detail.get("request", {}).get("push"))
    return wanted and (detail.get("push") is None or Push(*detail["push"]).state != "pushed")


def failure(one: Push, branch: str) -> Busy | None:
    """The error for a push that did not arrive, or may not have; nothing is lost, it can be pushed again."""
    if one.state == "pushed":
        return None
    short = one.ref.removeprefix("refs/heads/")
    again = f"git push {one.remote} {branch}:{short}" if one.remote else f"git push -u <remote> {branch}"
    landed = f"what landed stays on '{branch}'"
    if one.state == "unknown":
        said = f"nobody knows whether '{branch}' arrived at '{one.remote}', which cannot be read; {landed}: {one.why}"
        return Busy(said, [f"once it can be reached again: {again}"])
    hints = [f"git pull --no-rebase {one.remote} {short}   # brings in what is there"] if one.moved else []
    return Busy(f"'{branch}' was not pushed; {landed}: {one.why}", [*hints, again])
