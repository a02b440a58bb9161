"""Where boxes and lines go, when boxes stand in columns and lines run from left to right.

The steps are the usual ones of layered drawing: a line that passes a column gets a slot there, slots are sorted by
where their neighbours are, and then moved towards them as far as order and room allow.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

_SWEEPS = 4
_MOST_PASSING = 5000
"""Beyond so many slots for lines that pass, they run behind the boxes instead."""
_GAP = 18.0
_LANE = 14.0


class Layout(NamedTuple):
    """`tops`: upper edge of each box, by number. `ways`: for each line the heights at which it passes the columns
    between its ends. `height`: of everything."""

    tops: tuple[float, ...]
    ways: tuple[tuple[float, ...], ...]
    height: float


class _Slots(NamedTuple):
    """Boxes first, then the slots of passing lines."""

    boxes: int
    columns: list[list[int]]
    heights: list[float]
    before: list[list[int]]
    """Neighbours in the column to the left; `after`: to the right."""
    after: list[list[int]]
    passing: list[list[int]]
    """The slots of each line."""


def layout(columns: Sequence[Sequence[int]], heights: Sequence[float], lines: Sequence[tuple[int, int]]) -> Layout:
    """Place boxes, given by number in columns, so that `lines` between them are short and rarely cross."""
    slots = _slots(columns, heights, lines)
    for sweep in range(_SWEEPS):
        _sort(slots, rightwards=sweep % 2 == 0)
    middles = _stacked(slots)
    for sweep in range(_SWEEPS):
        _move(slots, middles, rightwards=sweep % 2 == 0)
    tops = [middle - height / 2 for middle, height in zip(middles, slots.heights, strict=True)]
    highest = min(tops, default=0.0)
    lowest = max((top + height for top, height in zip(tops, slots.heights, strict=True)), default=0.0)
    ways = tuple(tuple(middles[slot] - highest for slot in way) for way in slots.passing)
    return Layout(tuple(top - highest for top in tops[: len(heights)]), ways, lowest - highest)


def _slots(columns: Sequence[Sequence[int]], heights: Sequence[float], lines: Sequence[tuple[int, int]]) -> _Slots:
    column_of = {box: number for number, column in enumerate(columns) for box in column}
    spans = [(column_of[start], column_of[end]) for start, end in lines]
    lanes = sum(max(right - left - 1, 0) for left, right in spans) <= _MOST_PASSING
    made = _Slots(
        len(heights),
        [list(column) for column in columns],
        list(heights),
        [[] for _ in heights],
        [[] for _ in heights],
        [],
    )
    for (start, end), (left, right) in zip(lines, spans, strict=True):
        way = []
        for number in range(left + 1, right) if lanes else ():
            way.append(len(made.heights))
            made.columns[number].append(way[-1])
            made.heights.append(_LANE)
            made.before.append([])
            made.after.append([])
        made.passing.append(way)
        if left < right and (lanes or right - left == 1):
            for one, other in zip((start, *way), (*way, end), strict=True):
                made.after[one].append(other)
                made.before[other].append(one)
    return made


def _sort(slots: _Slots, *, rightwards: bool) -> None:
    """Sort every column by the mean place of its neighbours; what has none stays where it is."""
    neighbours = slots.before if rightwards else slots.after
    places = {slot: place for column in slots.columns for place, slot in enumerate(column)}
    for column in slots.columns if rightwards else reversed(slots.columns):
        wishes: dict[int, float] = {}
        for slot in column:
            mean = _mean(places[other] for other in neighbours[slot])
            wishes[slot] = places[slot] if mean is None else mean
        column.sort(key=wishes.__getitem__)
        places.update((slot, place) for place, slot in enumerate(column))


def _stacked(slots: _Slots) -> list[float]:
    """The middle of every slot, each column packed from the top."""
    middles = [0.0] * len(slots.heights)
    for column in slots.columns:
        for slot, distance in zip(column, _distances(slots, column), strict=True):
            middles[slot] = distance
    return middles


def _distances(slots: _Slots, column: Sequence[int]) -> Iterator[float]:
    """From the middle of the first slot to that of each, when packed. Lines may run closer than boxes stand."""
    distance = 0.0
    for at, slot in enumerate(column):
        if at:
            upper = column[at - 1]
            distance += (slots.heights[upper] + slots.heights[slot]) / 2 + (
                _GAP if min(upper, slot) < slots.boxes else 0.0
            )
        yield distance


def _move(slots: _Slots, middles: list[float], *, rightwards: bool) -> None:
    neighbours = slots.before if rightwards else slots.after
    for column in slots.columns if rightwards else reversed(slots.columns):
        wanted = [_mean(middles[other] for other in neighbours[slot]) for slot in column]
        if all(wish is None for wish in wanted):
            continue
        # Where each would be if no slot took any room: there, keeping the order and the room is keeping the order.
        shifts = list(_distances(slots, column))
        wishes = [
            (middles[slot] if wish is None else wish) - shift
            for slot, wish, shift in zip(column, wanted, shifts, strict=True)
        ]
        for slot, place, shift in zip(column, _ascending(wishes), shifts, strict=True):
            middles[slot] = place + shift


def _ascending(wishes: Sequence[float]) -> list[float]:
    """The numbers, none smaller than the one before, that are nearest to the wishes (least squares)."""
    blocks: list[tuple[float, int]] = []
    for wish in wishes:
        total, count = wish, 1
        while blocks and blocks[-1][0] / blocks[-1][1] > total / count:
            more, others = blocks.pop()
            total, count = total + more, count + others
        blocks.append((total, count))
    return [total / count for total, count in blocks for _ in range(count)]


def _mean(numbers: Iterable[float]) -> float | None:
    found = list(numbers)
    return sum(found) / len(found) if found else None
