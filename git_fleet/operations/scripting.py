"""What the commits of a landing say, for a script that makes them elsewhere. Read-only."""

from git_fleet.analysis import message as messages
from git_fleet.model.landing import Action, Told
from git_fleet.operations import build
from git_fleet.operations.combine import combine
from git_fleet.operations.context import Context
from git_fleet.operations.prepare import Prepared
from git_fleet.repo import commits as said
from git_fleet.repo import objects
from git_fleet.repo.objects import Made


def told(context: Context, prepared: Prepared) -> dict[str, Told]:
    """By task: the words of each step that lands or stops. The certificate's quarantine has to be there still."""
    place, base, strategy = prepared.place, context.base, context.settings.strategy
    known = [base.commit, *prepared.start]
    tree = base.tree
    line = objects.lines(place, [Made(tree, tuple(known), "x\n")])[0]
    found = {}
    for step in prepared.steps:
        if step.action not in (Action.LAND, Action.STOP):
            continue
        if strategy == "squash":
            made = build.squash(context, step, place, known)
            found[step.id] = Told(made.message, made.author)
        else:
            found[step.id] = Told(build.merge_message(context, step, place, known))
        if strategy == "rebase" and step.action is Action.LAND:
            combined = combine(place, strategy, (line, tree), step.tip, step.id)
            texts = said.of(place, [pick.commit for pick in combined.picks])
            picks = [
                (pick.commit, build.with_trailers(place, text.message, messages.trailers(step)))
                for pick, text in zip(combined.picks, texts, strict=True)
            ]
            found[step.id] = found[step.id]._replace(picks=tuple(picks))
            tree = combined.tree
            line = objects.lines(place, [Made(tree, (line, step.tip), "x\n")])[0]
        if step.action is Action.LAND:
            known.append(step.tip)
    return found
