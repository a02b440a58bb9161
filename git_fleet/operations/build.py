"""The commits of a landing, made beside the base, exactly as the certificate says."""

from collections.abc import Sequence

from git_fleet.model.errors import Busy
from git_fleet.model.landing import Step, merge_message
from git_fleet.operations.context import Context
from git_fleet.repo import changing, merging


def commits(context: Context, landing: Sequence[Step]) -> list[Step]:
    """The certificate's merges for real, as commits beside the base. Raises Busy when a tree comes out different."""
    repository, base = context.repository, context.base
    line, built = base.commit, []
    with merging.quarantine(repository, base.commit) as place:
        for step in landing:
            merge = merging.merge(merging.for_real(place), line, step.tip)
            if not merge.clean or merge.tree != step.tree:
                raise Busy(f"merging {step.id} did not come out as simulated", ["try again"])
            message = merge_message(step.branch, step.id, base.branch, step.agent)
            line = changing.commit_tree(repository, merge.tree, (line, step.tip), message, sign=context.settings.sign)
            built.append(step._replace(commit=line))
    return built
