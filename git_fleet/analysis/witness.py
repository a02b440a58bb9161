"""Is there a path that two patterns match and that none of those taken out matches? Exact, by trying all there is.

Names that the same segments match are alike, so one of each kind is enough; paths are then made of kinds of names.
"""

from collections.abc import Iterator, Sequence

from git_fleet.analysis import globs
from git_fleet.analysis.globs import Pattern

_MOST_STATES = 3_000
_Places = tuple[frozenset[int], ...]


def exists(a: Pattern, b: Pattern, out: Sequence[Pattern]) -> bool:
    """Is there such a path? Yes, too, where finding out would take too long."""
    patterns = [globs.steps(pattern) for pattern in (a, b, *out)]
    kinds = _kinds(sorted({step for steps in patterns for step in steps} - {"**"}))
    if kinds is None:
        return True
    start: _Places = tuple(_opened(steps, {0}) for steps in patterns)
    seen = {start}
    work = [start]
    while work:
        here = work.pop()
        for kind in kinds:
            there = tuple(_step(steps, places, kind) for steps, places in zip(patterns, here, strict=True))
            done = [len(steps) in places for steps, places in zip(patterns, there, strict=True)]
            if any(done[2:]) or not (there[0] and there[1]) or there in seen:
                continue
            if (done[0] and done[1]) or len(seen) > _MOST_STATES:
                return True
            seen.add(there)
            work.append(there)
    return False


def _step(steps: Sequence[str], places: frozenset[int], kind: frozenset[str]) -> frozenset[int]:
    """Where a pattern can be after one more name; what lies below a match is matched."""
    if len(steps) in places:
        return places
    after = {place if steps[place] == "**" else place + 1 for place in places if steps[place] in {"**", *kind}}
    return _opened(steps, after)


def _opened(steps: Sequence[str], places: set[int]) -> frozenset[int]:
    """`**` may stand for no name at all."""
    for place in range(len(steps)):
        if place in places and steps[place] == "**":
            places = {*places, place + 1}
    return frozenset(places)


def _kinds(segments: Sequence[str]) -> set[frozenset[str]] | None:
    """For every name that there can be: which of the segments match it. None: too many to try."""
    tokens = [globs.tokens(segment) for segment in segments]
    chars = _characters([ranges for line in tokens for ranges in line if ranges])
    start: _Places = tuple(_stretched(line, {0}) for line in tokens)
    seen: set[_Places] = set()
    work = [start]
    while work:
        here = work.pop()
        for char in chars:
            there = tuple(_read(line, places, char) for line, places in zip(tokens, here, strict=True))
            if there not in seen:
                seen.add(there)
                work.append(there)
        if len(seen) > _MOST_STATES:
            return None
    return {
        frozenset(one for one, line, at in zip(segments, tokens, places, strict=True) if len(line) in at)
        for places in seen
    }


def _characters(ranges: Sequence[globs.Ranges]) -> list[int]:
    """One character of each kind: all between two bounds are alike. No name holds a slash."""
    bounds = {bound for one in ranges for low, high in one for bound in (low, high + 1)}
    return sorted(bound for bound in {1, ord("/") + 1, *bounds} if bound <= 0x10FFFF and bound != ord("/"))


def _read(line: Sequence[globs.Ranges | None], places: frozenset[int], char: int) -> frozenset[int]:
    return _stretched(line, set(_next(line, places, char)))


def _next(line: Sequence[globs.Ranges | None], places: frozenset[int], char: int) -> Iterator[int]:
    for place in places:
        ranges = line[place] if place < len(line) else ()
        if ranges is None:
            yield place
        elif any(low <= char <= high for low, high in ranges):
            yield place + 1


def _stretched(line: Sequence[globs.Ranges | None], places: set[int]) -> frozenset[int]:
    """`*` may stand for no character at all."""
    for place, ranges in enumerate(line):
        if place in places and ranges is None:
            places = {*places, place + 1}
    return frozenset(places)
