"""The commits of a landing, made beside the base, exactly as the certificate says."""

from collections.abc import Iterator, Sequence
from types import MappingProxyType

from git_fleet.analysis import message as messages
from git_fleet.analysis.message import Written
from git_fleet.model.errors import Busy, Refused
from git_fleet.model.landing import Step
from git_fleet.operations import lanes, running, verify
from git_fleet.operations.combine import Pick, combine
from git_fleet.operations.context import Context
from git_fleet.operations.run import Run
from git_fleet.repo import changing, git, hooks, looking, merging, objects
from git_fleet.repo import commits as said
from git_fleet.repo.merging import Quarantine
from git_fleet.repo.objects import Made

HOOKS = MappingProxyType(
    {
        "merge": ("pre-merge-commit", "prepare-commit-msg", "commit-msg"),
        "squash": ("pre-commit", "prepare-commit-msg", "commit-msg"),
        "rebase": (),
    }
)
"""What git would ask. Commits that are made again by a rebase have been asked about when they were made first."""


def commits(run: Run, landing: Sequence[Step], place: Quarantine, start: Sequence[str] = ()) -> list[Step]:
    """The certificate's steps as commits beside the base, durably in the repository with all that they need.

    `place` holds the certificate's trees, `start` are commits that count as landed. Raises GitError (no identity,
    signing fails), Busy when a tree comes out different, Refused when a change would go lost, or a hook says no.
    """
    context = run.context
    strategy = context.settings.strategy
    if all(step.commit for step in landing):  # they are there already, on an integration branch
        return list(landing)
    if strategy == "ff":
        return [step._replace(commit=step.tip) for step in landing]
    verify.refuse_dropped(context, landing, place, start)
    if hooks.present(context.repository, context.base.commit, HOOKS[strategy]):
        return _by_git(run, landing, place, start)
    wanted: list[Made] = []
    ends: list[int] = []
    make = {"merge": _merges, "squash": _squashes, "rebase": _picks}[strategy]
    for several in make(context, landing, place, start):
        wanted += several
        ends.append(len(wanted) - 1)
    made = objects.commits(place, wanted, sign=context.settings.sign)
    objects.keep(place, made[-1:], _known(context, landing), running.holder(run.operation))
    return [step._replace(commit=made[end]) for step, end in zip(landing, ends, strict=True)]


def _known(context: Context, landing: Sequence[Step]) -> list[str]:
    """The commits whose objects are in the repository."""
    return [context.base.commit, *(step.tip for step in landing)]


def _by_git(run: Run, landing: Sequence[Step], place: Quarantine, start: Sequence[str]) -> list[Step]:
    """The same, made by git itself in a lane, one after another, so that the user's hooks run."""
    context, repository = run.context, run.context.repository
    built: list[Step] = []
    line = context.base.commit
    holder, there = running.holder(run.operation), _known(context, landing)
    objects.keep(place, [step.tree for step in landing if step.tree], there, holder)
    with lanes.opened(repository, run.journal, run.operation, line, run.say) as lane:
        for step, known in _with_known(context, landing, start):
            assert step.tree is not None
            try:
                if context.settings.strategy == "merge":
                    text = merge_message(context, step, place, known)
                    parents, commit = [line, step.tip], hooks.merge(repository, lane, step.tip, text)
                else:
                    one = squash(context, step, place, known)
                    author = objects.author_variables(one.author)
                    parents, commit = [line], hooks.commit(repository, lane, step.tree, one.message, author)
            except Refused as refused:
                raise _not_by_a_hook(step, landing, f"git could not commit it: {refused.message}") from refused
            found = looking.commit_and_parents(repository, lane)
            other = git.changed_paths(repository, step.tree, commit)
            if other or found[1:] != parents:
                what = f"a hook changed {', '.join(other[:5])}" if other else "a hook moved its commit"
                raise _not_by_a_hook(step, landing, f"it did not come out as simulated, {what}")
            changing.set_lane(repository, lane, commit)  # whatever a hook has left there
            built.append(step._replace(commit=commit))
            line = commit
        objects.keep(place, [line], there, holder)  # git has made them one by one: no gc is to take them any more
    return built


def _not_by_a_hook(step: Step, landing: Sequence[Step], why: str) -> Refused:
    others = " ".join(one.id for one in landing if one is not step)
    hints = [f"git fleet land {others}   # without it"] if others else []
    return Refused(f"nothing landed: {step.id}: {why}", hints or ["put right on its branch what the hook names"])


def _merges(
    context: Context, landing: Sequence[Step], place: Quarantine, start: Sequence[str]
) -> Iterator[tuple[Made, ...]]:
    """A merge commit for each step."""
    line: str | None = context.base.commit
    for step, known in _with_known(context, landing, start):
        assert step.tree is not None
        yield (Made(step.tree, (line, step.tip), merge_message(context, step, place, known)),)
        line = None


def message_of_merge(context: Context, step: Step) -> str:
    """The whole message of the merge commit of one branch onto the base."""
    with merging.quarantine(context.repository, context.base.commit) as place:
        return merge_message(context, step, place, [context.base.commit])


def resolved(context: Context, step: Step, operation: int) -> Step:
    """A step that was resolved as a merge, as the strategy wants it on the base; a merge stays one."""
    repository, base, holder = context.repository, context.base, running.holder(operation)
    assert step.tree is not None and step.commit is not None
    with merging.quarantine(repository, base.commit) as place:
        if context.settings.strategy != "squash":
            objects.keep(place, [step.commit], [base.commit, step.tip], holder)  # as in `_by_git`
            return step
        wanted = squash(context, step, place, [base.commit])._replace(tree=step.tree, parents=(base.commit,))
        made = objects.commits(place, [wanted], sign=context.settings.sign)
        objects.keep(place, made, [base.commit, step.tip], holder)
    return step._replace(commit=made[0])


def merge_message(context: Context, step: Step, place: Quarantine, known: Sequence[str]) -> str:
    """The whole message of a merge commit; `known` are the commits that had landed before."""
    template = context.settings.message
    told = said.own(place, step.tip, known) if template and "{commits}" in template else []
    text = messages.of_merge(step, context.base.branch, template, [one.subject for one in told])
    if not template:  # ours has its trailers: no git for each of many branches
        return text
    return with_trailers(place, text, messages.trailers(step))


def _squashes(
    context: Context, landing: Sequence[Step], place: Quarantine, start: Sequence[str]
) -> Iterator[tuple[Made, ...]]:
    """One commit for each step."""
    line: str | None = context.base.commit
    for step, known in _with_known(context, landing, start):
        assert step.tree is not None
        yield (squash(context, step, place, known)._replace(tree=step.tree, parents=(line,)),)
        line = None


def squash(context: Context, step: Step, place: Quarantine, known: Sequence[str]) -> Made:
    """What the one commit of a branch says, and who is its author."""
    told = said.own(place, step.tip, known)
    user = said.user(place)
    author, others = messages.authorship([Written(one.author, one.subject, one.co_authors) for one in told], user)
    subjects = [one.subject for one in told]
    text = messages.of_squash(step, context.base.branch, context.settings.message, subjects)
    text = with_trailers(place, text, messages.trailers(step, others))
    return Made("", (), text, None if author is user else author)


def _picks(
    context: Context, landing: Sequence[Step], place: Quarantine, start: Sequence[str]
) -> Iterator[tuple[Made, ...]]:
    """Each commit of each branch again, with its author, date and message."""
    parent: str | None = context.base.commit
    tree = context.base.tree
    line = objects.lines(place, [Made(tree, (context.base.commit, *start), "x\n")])[0]
    for step in landing:
        found = combine(place, "rebase", (line, tree), step.tip, step.id)
        if not found.clean or found.tree != step.tree or found.empty:
            raise Busy(f"rebasing {step.id} did not come out as simulated", ["try again"])
        yield again(place, found.picks, parent, messages.trailers(step))
        parent = None
        tree = found.tree
        line = objects.lines(place, [Made(tree, (line, step.tip), "x\n")])[0]


def again(
    place: Quarantine, picks: Sequence[Pick], parent: str | None, trailers: Sequence[str] = ()
) -> tuple[Made, ...]:
    """Commits made again, each with its author, date and message, the first on `parent` (see `Made`)."""
    found: list[Made] = []
    for pick, one in zip(picks, said.of(place, [pick.commit for pick in picks]), strict=True):
        text = with_trailers(place, one.message, trailers) if trailers else one.message
        found.append(Made(pick.tree, (None if found else parent,), text, one.author))
    return tuple(found)


def _with_known(context: Context, landing: Sequence[Step], start: Sequence[str]) -> Iterator[tuple[Step, list[str]]]:
    """Each step with the commits that have landed when it is its turn."""
    known = [context.base.commit, *start]
    for step in landing:
        yield step, list(known)
        known.append(step.tip)


def with_trailers(place: Quarantine, message: str, trailers: Sequence[str]) -> str:
    """A message with trailers."""
    if messages.ends_in_prose(message):
        return messages.joined(message, trailers)
    return said.with_trailers(place, message, trailers)
