"""Who merges with whom, at a glance: half a matrix, the base in its first column."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from git_fleet.model.fleet import PairVerdict
from git_fleet.output import words
from git_fleet.output.escape import safe, width
from git_fleet.output.style import WARM, Style, paint
from git_fleet.output.table import GAP

CLEAN, CONFLICT, UNKNOWN = ".", "x", "?"
_MEANINGS = ((CLEAN, "merges"), (CONFLICT, "conflicts"), (UNKNOWN, "unknown"))
_MOST = 60
"""Lines that a matrix may have where no terminal limits it: nobody reads a larger one."""

Cells = Mapping[frozenset[str], PairVerdict]


class _Layout(NamedTuple):
    """What stands at the left of each row, what at the top of each column (the base's first), and the gap between."""

    sides: tuple[str, ...]
    heads: tuple[str, ...]
    gap: int

    @property
    def left(self) -> int:
        return max(map(width, self.sides))

    def columns(self) -> int:
        return self.left + sum(self.gap + width(head) for head in self.heads)


def half(ids: Sequence[str], base: str, cells: Cells, apart: Mapping[str, PairVerdict], style: Style) -> str:
    """The matrix with its legend. `cells` has the verdicts that are not clean; `apart` those whose verdict with the
    base is no clean one, so that they were compared with nobody: they come last and have no column.

    Where there is no room for all, those without a trouble go; the last line says so. Empty where it makes no sense.
    """
    if len(ids) < 2:
        return ""
    compared = [id for id in ids if id not in apart]
    troubled = {id for pair in cells for id in pair}
    for kept in (compared, [id for id in compared if id in troubled]):
        rows = [*kept, *(id for id in ids if id in apart)]
        for layout in _layouts(rows, base, len(kept)) if rows and len(rows) <= _MOST else ():
            if style.limit is None or layout.columns() <= style.limit:
                return _drawn(rows, layout, cells, apart, len(ids) - len(rows), style)
    return ""


def _layouts(rows: Sequence[str], base: str, compared: int) -> tuple[_Layout, _Layout]:
    """Columns headed by ids; else, closer together, by numbers, which then stand before the ids too."""
    names = [safe(id) for id in rows]
    numbers = [str(number) for number in range(1, len(rows) + 1)]
    room = len(numbers[-1])
    numbered = tuple(f"{number:>{room}} {name}" for number, name in zip(numbers, names, strict=True))
    last = max(compared - 1, 0)
    return (
        _Layout(tuple(names), (safe(base), *names[:last]), GAP),
        _Layout(numbered, (safe(base), *numbers[:last]), 1),
    )


def _drawn(
    rows: Sequence[str], layout: _Layout, cells: Cells, apart: Mapping[str, PairVerdict], hidden: int, style: Style
) -> str:
    gap = " " * layout.gap
    lines = [" " * layout.left + gap + gap.join(layout.heads)]
    used = set()
    for row, id in enumerate(rows):
        signs = [_sign(apart.get(id))]
        if id not in apart:
            signs += [_sign(cells.get(frozenset((id, other)))) for other in rows[:row]]
        used.update(signs)
        padded = [
            paint(sign, "" if sign == CLEAN else WARM, style) + " " * (width(head) - 1)
            for sign, head in zip(signs, layout.heads, strict=False)
        ]
        side = layout.sides[row]
        lines.append((side + " " * (layout.left - width(side)) + gap + gap.join(padded)).rstrip())
    legend = "  ".join(f"{sign} {meaning}" for sign, meaning in _MEANINGS if sign in used)
    if hidden:
        legend += f"; {words.count(hidden, 'branch', 'branches')} without a conflict not shown"
    return "\n".join([*lines, legend])


def _sign(verdict: PairVerdict | None) -> str:
    if verdict in (None, PairVerdict.CLEAN):
        return CLEAN
    return CONFLICT if verdict is PairVerdict.CONFLICT else UNKNOWN
