"""Could some path match both of two patterns? Segment by segment, character set by character set, never guessing no."""

import re
from typing import NamedTuple

_ANY = ((0, 0x10FFFF),)
_TOKEN = re.compile(r"\*+|\?|\\(.)|\[([!^]?)(\]?[^\]]*)\]|(.)", re.S)
_RANGE = re.compile(r"\\?(.)(?:-\\?(.))?", re.S)
_WILD = re.compile(r"[*?\[\\]")

Ranges = tuple[tuple[int, int], ...]


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
    seen: set[tuple[int, int]] = set()
    work = [(0, 0)]
    while work:
        here = i, j = work.pop()
        if here in seen:
            continue
        seen.add(here)
        if i == len(one.parts) or j == len(other.parts):
            return True
        a, b = one.parts[i], other.parts[j]
        if a == "**":
            work += [(i + 1, j), (i, j + 1)]
        if b == "**":
            work += [(i, j + 1), (i + 1, j)]
        if "**" not in (a, b) and (a == b or _segments_meet(a, b)):
            work.append((i + 1, j + 1))
    return False


def covers(wide: Pattern, narrow: Pattern) -> bool:
    """Does `wide` certainly match all that `narrow` does? By its own text alone: it may say no too often."""
    one, other = steps(wide), steps(narrow)
    seen: set[tuple[int, int]] = set()
    work = [(0, 0)]
    while work:
        here = i, j = work.pop()
        if here in seen:
            continue
        seen.add(here)
        if i == len(one):
            return True
        if one[i] == "**":
            work.append((i + 1, j))
            if j < len(other):
                work.append((i, j + 1))
        elif j < len(other) and other[j] != "**" and _segment_covers(one[i], other[j]):
            work.append((i + 1, j + 1))
    return False


def steps(pattern: Pattern) -> tuple[str, ...]:
    """What is below a directory is what any name in it matches, and all below that."""
    return (*pattern.parts, "*") if pattern.below else pattern.parts


def _segment_covers(wide: str, narrow: str) -> bool:
    if wide in ("*", narrow):
        return True
    one, other = tokens(wide), tokens(narrow)
    seen: set[tuple[int, int]] = set()
    work = [(0, 0)]
    while work:
        here = i, j = work.pop()
        if here in seen:
            continue
        seen.add(here)
        if i == len(one):
            if j == len(other):
                return True
            continue
        mine = one[i]
        if mine is None:
            work.append((i + 1, j))
            if j < len(other):
                work.append((i, j + 1))
        elif j < len(other):
            theirs = other[j]
            if theirs is not None and all(any(a <= low and high <= b for a, b in mine) for low, high in theirs):
                work.append((i + 1, j + 1))
    return False


def _segments_meet(a: str, b: str) -> bool:
    if not re.search(r"[*?\[\\]", a + b):
        return a == b
    one, other = tokens(a), tokens(b)
    seen: set[tuple[int, int]] = set()
    work = [(0, 0)]
    while work:
        here = i, j = work.pop()
        if here in seen:
            continue
        seen.add(here)
        if i == len(one) and j == len(other):
            return True
        if i < len(one) and one[i] is None:
            work.append((i + 1, j))
            if j < len(other):
                work.append((i, j + 1))
        elif j < len(other) and other[j] is None:
            work.append((i, j + 1))
            if i < len(one):
                work.append((i + 1, j))
        elif i < len(one) and j < len(other) and _share(one[i] or _ANY, other[j] or _ANY):
            work.append((i + 1, j + 1))
    return False


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
