"""Which positions to test next: green ones below, red ones from some place on, and as few runs as possible.

A position is a tree with that many branches in it. What is green at one is taken to be green below, and red above.
"""

from collections.abc import Collection, Mapping, Sequence


def interval(count: int, known: Mapping[int, bool]) -> tuple[int, int] | None:
    """(highest green below the lowest red, lowest red) of the positions 0 to `count - 1`; None without a red one.

    The first is -1 where nothing below the red one is known to be green.
    """
    red = min((place for place, green in known.items() if not green and place < count), default=None)
    if red is None:
        return None
    return max((place for place, green in known.items() if green and place < red), default=-1), red


def probes(count: int, known: Mapping[int, bool], running: Collection[int], width: int) -> tuple[int, ...]:
    """The positions that should be under test, at most `width`, so that the last is known, or the lowest red one is.

    First position 0, then the last; between a green and a red one the search divides by `width` + 1, and the last part
    is inferred. What runs already and still tells something goes on. Nothing: all is known.
    """
    if 0 not in known:
        ends = dict.fromkeys((0, count - 1))
        return tuple([place for place in ends if place not in known][:width])
    found = interval(count, known)
    if found is None:
        return () if count - 1 in known else (count - 1,)
    low, high = found
    if high == 0 or high - low == 1:
        return ()
    kept = sorted(place for place in running if low < place < high)[:width]
    fresh = [place for place in _cuts(low, high, width) if place not in kept]
    return tuple(sorted([*kept, *fresh[: width - len(kept)]]))


def _cuts(low: int, high: int, width: int) -> list[int]:
    """Where to cut the suspects low + 1 … high, of which the last is known to be red."""
    suspects = high - low
    if width == 1:
        return [low + _first_part(suspects)]
    parts = min(width + 1, suspects)
    return [low + suspects * part // parts for part in range(1, parts)]


def _first_part(suspects: int) -> int:
    """Halves, but for what does not come out even: then the upper suspects take the shorter way, since what is still
    to be asked about one of them, with whom it is red, takes the longer the more came before it."""
    levels = (suspects - 1).bit_length()
    if levels == 1:
        return 1
    quarter = 1 << (levels - 2)
    return quarter + min(suspects - 2 * quarter, quarter)


def window(most: int, history: Sequence[bool]) -> int:
    """How many prefixes may be under test at once after these verdicts, in the order in which they came.

    All lanes at first; halved by a red one, one more with every green one.
    """
    width = most
    for green in history:
        width = min(most, width + 1) if green else max(1, width // 2)
    return width


def prefixes(count: int, known: Mapping[int, bool], width: int) -> tuple[int, ...]:
    """The positions that should be under test when each is to be: the lowest that are not known, below the first red.

    Nothing: each is known up to the first red one, or to the end.
    """
    end = min((place for place, green in known.items() if not green), default=count)
    return tuple([place for place in range(end) if place not in known][:width])
