"""The commits of a landing, made beside the base, exactly as the certificate says."""

from collections.abc import Sequence

from git_fleet.model.landing import Step, merge_message
from git_fleet.operations.context import Context
from git_fleet.repo import objects
from git_fleet.repo.merging import Quarantine
from git_fleet.repo.objects import Made


def commits(context: Context, landing: Sequence[Step], place: Quarantine) -> list[Step]:
    """The certificate's merges as commits beside the base, durably in the repository with all that they need.

    `place` holds the certificate's trees. Raises GitError (no identity, signing fails).
    """
    base = context.base
    wanted: list[Made] = []
    for step in landing:
        assert step.tree is not None
        message = merge_message(step.branch, step.id, base.branch, step.agent)
        wanted.append(Made(step.tree, (None if wanted else base.commit, step.tip), message))
    made = objects.commits(place, wanted, sign=context.settings.sign)
    objects.keep(place, made[-1:], [base.commit, *(step.tip for step in landing)])
    return [step._replace(commit=commit) for step, commit in zip(landing, made, strict=True)]
