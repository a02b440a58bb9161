"""Could some path match both of two patterns? Segment by segment, character set by character set, never guessing no."""

import re
from collections.abc import Callable
from typing import NamedTuple

_ANY = ((0, 0x10FFFF),)
_TOKEN = re.compile(r"\*+|\?|\\(.)|\[([!^]?)(\]?[^\]]*)\]|(.)", re.S)
_RANGE = re.compile(r"\\?(.)(?:-\\?(.))?", re.S)
_WILD = re.compile(r"[*?\[\\]")

Ranges = tuple[tuple[int, int], ...]
Place = tuple[int, int]
"""How far one has come in each of two sequences."""


class Pattern(NamedTuple):
    """An owned pattern, cut at its slashes, anchored at the top. `**` as a whole segment is any number of them."""

    text: str
    parts: tuple[str, ...]
    below: bool
    """Only what lies below the last part (`src/`, `src/**`); else also the path itself."""
    negated: bool
    literal: tuple[str, ...]
    """The first parts, as far as they have no wildcard."""


def parse(text: str) -> Pattern:
    """Read a pattern; blanks around it, `./` and a leading slash say nothing."""
    bare = text.strip()
    negated = bare.startswith("!")
    body = bare.removeprefix("!")
    parts = [part for part in body.split("/") if part not in ("", ".")]
    below = body.endswith("/")
    while parts and parts[-1] == "**":
        parts.pop()
        below = True
    wild = next((at for at, part in enumerate(parts) if _WILD.search(part)), None) if _WILD.search(body) else None
    return Pattern(bare, tuple(parts), below, negated, tuple(parts[:wild]))


def meet(one: Pattern, other: Pattern) -> bool:
    """Is there a path that both match? What lies below a matched directory is matched too."""

    def onwards(i: int, j: int) -> list[Place] | None:
        if i == len(one.parts) or j == len(other.parts):
            return None
        a, b = one.parts[i], other.parts[j]
        if "**" in (a, b):
            return [(i + 1, j), (i, j + 1)]
        return [(i + 1, j + 1)] if a == b or _segments_meet(a, b) else []

    return _arrives(onwards)


def covers(wide: Pattern, narrow: Pattern) -> bool:
    """Does `wide` certainly match all that `narrow` does? By its own text alone: it may say no too often."""
    one, other = steps(wide), steps(narrow)

    def onwards(i: int, j: int) -> list[Place] | None:
        if i == len(one):
            return None
        if one[i] == "**":
            return [(i + 1, j), *([(i, j + 1)] if j < len(other) else [])]
        fits = j < len(other) and other[j] != "**" and _segment_covers(one[i], other[j])
        return [(i + 1, j + 1)] if fits else []

    return _arrives(onwards)


def _arrives(onwards: Callable[[int, int], list[Place] | None]) -> bool:
    """Does a walk through two sequences at once, from the start of both, come to an end?

    `onwards` has the places after a place, in either sequence or both; None where the walk has arrived.
    """
    seen: set[Place] = set()
    work = [(0, 0)]
    while work:
        here = work.pop()
        if here in seen:
            continue
        seen.add(here)
        after = onwards(*here)
        if after is None:
            return True
        work += after
    return False


def steps(pattern: Pattern) -> tuple[str, ...]:
    """What is below a directory is what any name in it matches, and all below that."""
    return (*pattern.parts, "*") if pattern.below else pattern.parts


def _segment_covers(wide: str, narrow: str) -> bool:
    if wide in ("*", narrow):
        return True
    one, other = tokens(wide), tokens(narrow)

    def onwards(i: int, j: int) -> list[Place] | None:
        if i == len(one):
            return None if j == len(other) else []
        mine = one[i]
        if mine is None:
            return [(i + 1, j), *([(i, j + 1)] if j < len(other) else [])]
        theirs = other[j] if j < len(other) else None
        fits = theirs is not None and all(any(a <= low and high <= b for a, b in mine) for low, high in theirs)
        return [(i + 1, j + 1)] if fits else []

    return _arrives(onwards)


def _segments_meet(a: str, b: str) -> bool:
    if not _WILD.search(a + b):
        return a == b
    one, other = tokens(a), tokens(b)

    def onwards(i: int, j: int) -> list[Place] | None:
        if i == len(one) and j == len(other):
            return None
        mine = one[i] if i < len(one) else ()
        theirs = other[j] if j < len(other) else ()
        if mine is None or theirs is None:
            return [(i + 1, j)] * (i < len(one)) + [(i, j + 1)] * (j < len(other))
        return [(i + 1, j + 1)] if _share(mine, theirs) else []

    return _arrives(onwards)


def tokens(segment: str) -> tuple[Ranges | None, ...]:
    """Each character of the segment as the ranges it may be in; None for `*`."""
    tokens: list[Ranges | None] = []
    for match in _TOKEN.finditer(segment):
        escaped, negation, inside, plain = match.groups()
        if match[0].startswith("*"):
            tokens.append(None)
        elif inside is not None:
            tokens.append(_class(inside, negated=bool(negation)))
        elif match[0] == "?":
            tokens.append(_ANY)
        else:
            code = ord(escaped or plain)
            tokens.append(((code, code),))
    return tuple(tokens)


def _class(inside: str, *, negated: bool) -> Ranges:
    if not inside or "[" in inside:
        return _ANY
    ranges = sorted((ord(low), ord(high or low)) for low, high in _RANGE.findall(inside))
    if not negated:
        return tuple(ranges)
    holes: list[tuple[int, int]] = []
    start = 0
    for low, high in ranges:
        if low > start:
            holes.append((start, low - 1))
        start = max(start, high + 1)
    return (*holes, (start, 0x10FFFF))


def _share(a: Ranges, b: Ranges) -> bool:
    return any(low <= top and bottom <= high for low, high in a for bottom, top in b)
