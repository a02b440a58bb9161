"""One look at any lines of work, uncommitted work included: conflicts with the base and each other, order and stops."""

from collections.abc import Mapping

from git_fleet.model.landing import Candidate
from git_fleet.model.sight import Sight, Tip
from git_fleet.operations.context import Context


def look(
    context: Context,
    tips: Mapping[str, Tip],
    *,
    wishes: Mapping[str, Candidate] | None = None,
    committed: bool = False,
    hunks: bool = False,
    remember: bool = False,
    memo: bool = True,
) -> Sight:
    """What would happen if these tips landed on `context.base`; nothing is left behind in the repository.

    `tips` are by key. `wishes` say by key what the landing order should heed (`needs`, by key, `priority`, `joint`).
    `committed` leaves uncommitted work out. `hunks` asks for both sides of every conflict. `remember` may write results
    into the journal; `memo` may read them from there. Raises GitError or Fatal.
    """
    raise NotImplementedError
