"""May this worktree and its branch go? A pure function over what was observed; age is never a reason."""

import shlex
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from git_fleet.model.fleet import Dirt

MOST_NAMED = 5


class Fate(StrEnum):
    KEEP = "keep"
    REMOVE = "remove"
    UNKNOWN = "unknown"


class Facts(NamedTuple):
    """What was seen of one task's worktree and branch."""

    branch: str
    worktree: str | None = None
    """The path; None when there is none."""
    landed: bool = False
    proof: str = ""
    """Why it counts as landed."""
    unlanded: int | None = 0
    """Commits of the branch that the base lacks; None when nobody could count."""
    dirt: Dirt | None = None
    """With ignored and hidden paths; None when git could not look."""
    locked: str | None = None
    inside: tuple[str, ...] = ()
    """Other worktrees or repositories that lie in the folder, and processes that stand in it, in words."""
    standing_in: bool = False
    head_kept: bool = True
    """Is what is checked out there reachable from the branch or the base?"""


class Removal(NamedTuple):
    """`remove` with the evidence, or `keep`/`unknown` with every reason."""

    fate: Fate
    reasons: tuple[str, ...]
    hints: tuple[str, ...] = ()
    """What has to happen first."""


def verdict(facts: Facts) -> Removal:
    """Keep whatever anybody could miss; remove only what is proven landed and holds nothing else."""
    reasons = [*_of_branch(facts), *_of_worktree(facts)]
    if reasons:
        return Removal(Fate.KEEP, tuple(reasons), tuple(_ways_out(facts)))
    if facts.unlanded is None or (facts.worktree is not None and facts.dirt is None):
        return Removal(Fate.UNKNOWN, ("git cannot tell what is in it",))
    return Removal(Fate.REMOVE, (facts.proof,))


def _ways_out(facts: Facts) -> Iterator[str]:
    if _of_branch(facts):
        yield f"git fleet land {shlex.quote(facts.branch)}" if facts.unlanded else "git fleet status"
    if facts.worktree is None:
        return
    place = shlex.quote(facts.worktree)
    if facts.inside:
        yield f"move it out; for a submodule: git -C {place} submodule deinit --all"
    if facts.standing_in:
        yield f"cd out of {place} first"
    if facts.locked is not None:
        yield f"git worktree unlock {place}"
    if not facts.head_kept:
        yield f"git -C {place} branch <name>   # keeps what is checked out there"
    if facts.dirt and _of_dirt(facts.dirt):
        yield "commit or move what is named, then try again"


def _of_branch(facts: Facts) -> list[str]:
    if facts.unlanded:
        noun = "commit" if facts.unlanded == 1 else "commits"
        return [f"'{facts.branch}' has {facts.unlanded} {noun} that the base lacks"]
    return [] if facts.landed else [f"'{facts.branch}' has not landed"]


def _of_worktree(facts: Facts) -> list[str]:
    if facts.worktree is None:
        return []
    reasons = list(facts.inside)
    if facts.standing_in:
        reasons.append("you stand in it")
    if facts.locked is not None:
        reasons.append(f"it is locked{f': {facts.locked}' if facts.locked else ''}")
    if not facts.head_kept:
        reasons.append("what is checked out there is on no branch")
    return reasons + (_of_dirt(facts.dirt) if facts.dirt else [])


def _of_dirt(dirt: Dirt) -> list[str]:
    kinds = (
        ("unmerged", dirt.unmerged),
        ("staged", dirt.staged),
        ("modified", dirt.unstaged),
        ("untracked", dirt.untracked),
        ("ignored", dirt.ignored),
        ("modified, though marked as unchanged", dirt.hidden),
    )
    reasons = [f"{kind}: {_some(paths)}" for kind, paths in kinds if paths]
    return [*reasons, f"a {dirt.operation} is in progress"] if dirt.operation else reasons


def _some(paths: tuple[str, ...]) -> str:
    more = f" and {len(paths) - MOST_NAMED} more" if len(paths) > MOST_NAMED else ""
    return ", ".join(paths[:MOST_NAMED]) + more
