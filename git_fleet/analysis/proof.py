"""Is a branch's change in the base already, though its commits are not? Decided from trees and patch ids alone.

What the base took back later has not landed: whoever lands it again means it.
"""

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    MERGED = "merged"
    """The tip is in the base's history."""
    SAME_TREE = "same tree"
    SQUASHED = "squashed"
    REBASED = "rebased"
    ADDS_NOTHING = "adds nothing"


class Proof(NamedTuple):
    """Why a branch counts as landed, and the commit of the base's history that shows it."""

    kind: Kind
    commit: str
    sentence: str


class Own(NamedTuple):
    """What a branch has that the base lacks. Patch ids say what a change is, wherever it was made."""

    tree: str
    patches: tuple[str, ...] = ()
    """Of each of its commits that changes something; none where they do not add up to the branch (merges)."""
    whole: str | None = None
    """Of all its commits together; None where that is nothing, or unknown."""
    takes_back: tuple[tuple[str, str], ...] = ()
    """(patch, the patch that takes it back)"""
    adds_nothing: bool = False
    """Would merging it leave the base's tree as it is?"""


class There(NamedTuple):
    """A commit that the base has and the branch lacks."""

    commit: str
    tree: str
    patch: str | None = None
    parts: tuple[str, ...] = ()
    """Of what it changes in the paths of one change of the branch alone, where it changes others, too."""


def merged(tip: str) -> Proof:
    """The proof for a tip in the base's history."""
    return Proof(Kind.MERGED, tip, f"landed already: {tip[:10]} is in the base's history")


def prove(own: Own, base: str, since: Sequence[There]) -> Proof | None:
    """The proof that a branch with changes of its own has landed; None where there is none.

    `since`: what the base got since the branch left it, newest first, as far back as was looked.
    """
    newest = {there.patch: place for place, there in reversed([*enumerate(since)]) if there.patch}
    found = _by_tree(own, since) or _by_whole(own, since, newest) or _by_patches(own, since, newest)
    if found is not None:
        place, proof = found
        backs = {part: at for at, there in reversed([*enumerate(since)]) for part in (there.patch, *there.parts)}
        if not _taken_back(own, newest, backs, place):
            return proof
    return Proof(Kind.ADDS_NOTHING, base, "landed already: merging it adds nothing") if own.adds_nothing else None


def _by_tree(own: Own, since: Sequence[There]) -> tuple[int, Proof] | None:
    for place, there in enumerate(since):
        if there.tree == own.tree:
            return place, Proof(Kind.SAME_TREE, there.commit, f"landed already: {there.commit[:10]} has the same tree")
    return None


def _by_whole(own: Own, since: Sequence[There], newest: dict[str, int]) -> tuple[int, Proof] | None:
    place = newest.get(own.whole) if own.whole else None
    if place is None:
        return None
    commit = since[place].commit
    return place, Proof(Kind.SQUASHED, commit, f"landed already, squashed: {commit[:10]} makes the same change")


def _by_patches(own: Own, since: Sequence[There], newest: dict[str, int]) -> tuple[int, Proof] | None:
    if not own.patches or any(patch not in newest for patch in own.patches):
        return None
    place = min(newest[patch] for patch in own.patches)
    commit, many = since[place].commit, len(set(own.patches))
    said = (
        f"each of its {many} changes is in the base, the last as {commit[:10]}" if many > 1 else f"it is {commit[:10]}"
    )
    return place, Proof(Kind.REBASED, commit, f"landed already, rebased: {said}")


def _taken_back(own: Own, newest: Mapping[str, int], backs: Mapping[str | None, int], proven: int) -> bool:
    """Did the base take a part of it back after it came, without bringing it again? Others may have gone along."""
    mine: Collection[str] = {*own.patches, *([own.whole] if own.whole else [])}
    return any(
        back not in mine and back in backs and backs[back] < min(newest.get(patch, proven), proven)
        for patch, back in own.takes_back
    )
