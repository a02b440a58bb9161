"""A conflict of a rebase in its lane: git picks commit after commit, and stops at each that a human has to resolve."""

from git_fleet.analysis import message as messages
from git_fleet.journal import database
from git_fleet.model.errors import Refused, Stopped
from git_fleet.model.fleet import Repository
from git_fleet.model.landing import Action, Step
from git_fleet.operations import build, running
from git_fleet.operations.combine import combine
from git_fleet.operations.context import Context
from git_fleet.repo import changing, git, lineage, looking, merging, objects


def start(repository: Repository, journal: database.Journal, lane: str, stop: Step, line: str) -> None:
    """Pick in a lane, which is at `line`, what the branch adds to all that has landed; up to the first conflict."""
    known = [landing.tip for landing in journal.landings()]
    changing.pick(repository, lane, lineage.to_pick(repository, line, stop.tip, known))


def resolved(context: Context, journal: database.Journal, operation: int, lane: str, step: Step, line: str) -> Step:
    """The branch as it was picked in the lane, made again on the base as it is now. Raises Refused with what is not
    resolved yet, Stopped when the next of its commits conflicts.
    """
    repository, base = context.repository, context.base
    if changing.is_picking(lane):
        changing.go_on_picking(repository, lane)
        dirt = looking.dirt([lane])[lane]
        if dirt is not None and dirt.unmerged:
            running.note(journal, operation, current=step._replace(conflicts=dirt.unmerged)._asdict())
            raise Stopped(
                f"the next commit of {step.id} conflicts in {', '.join(dirt.unmerged)}",
                [f"resolve it in '{lane}', git add, then: git fleet land --continue"],
            )
    head = looking.commit_and_parents(repository, lane)[0]
    if head == line or not git.is_ancestor(repository, line, head):
        raise Refused(f"'{lane}' holds nothing of {step.id} on top of what landed", ["git fleet land --skip"])
    with merging.quarantine(repository, base.commit) as place:
        found = combine(place, "rebase", (base.commit, base.tree), head, step.id)
        if not found.clean or found.empty:
            raise Stopped(
                f"'{base.branch}' moved while the conflict waited, and the resolution of {step.id} no longer fits",
                [f"cd '{lane}' && git rebase {base.branch}", "resolve, then: git fleet land --continue"],
            )
        wanted = build.again(place, found.picks, base.commit, messages.trailers(step))
        made = objects.commits(place, wanted, sign=context.settings.sign)
        objects.keep(place, made[-1:], [base.commit, head], running.holder(operation))
    running.keep(repository, operation, [head, made[-1]])
    changing.move_back(lane, repository, "HEAD", head, made[-1], "fleet land: as it lands")
    running.note(journal, operation, line=base.commit)
    return step._replace(action=Action.LAND, reason="resolved by hand", commit=made[-1], tree=found.tree)
