"""Who merges with whom, at a glance: half a matrix, the base in its first column."""

from collections.abc import Mapping, Sequence

from git_fleet.model.fleet import PairVerdict
from git_fleet.output import words
from git_fleet.output.escape import safe, width
from git_fleet.output.style import WARM, Style, paint
from git_fleet.output.table import GAP

CLEAN, CONFLICT, UNKNOWN, APART = ".", "x", "?", "-"
_MEANINGS = (
    (CLEAN, "merges"),
    (CONFLICT, "conflicts"),
    (UNKNOWN, "unknown"),
    (APART, "not compared"),
)
_MOST = 60
"""Lines that a matrix may have where no terminal limits it: nobody reads a larger one."""

Cells = Mapping[frozenset[str], PairVerdict]


def half(ids: Sequence[str], base: str, cells: Cells, apart: Mapping[str, PairVerdict], style: Style) -> str:
    """The matrix with its legend. `cells` has the verdicts that are not clean; `apart` those whose verdict with the
    base is no clean one, so that they were compared with nobody.

    Where there is no room for all, those without a trouble go; the last line says so. Empty where it makes no sense.
    """
    troubled = {id for pair in cells for id in pair} | set(apart)
    for kept in (list(ids), [id for id in ids if id in troubled]):
        for heads in ([safe(id) for id in kept], [str(number) for number in range(1, len(kept) + 1)]):
            if len(kept) <= _MOST and len(ids) > 1 and kept and _fits(kept, heads, base, style):
                return _drawn(kept, heads, base, cells, apart, len(ids) - len(kept), style)
    return ""


def _sides(kept: Sequence[str], heads: Sequence[str]) -> list[str]:
    """What stands at the left: the id, after its number where the columns are headed by numbers."""
    names = [safe(id) for id in kept]
    if list(heads) == names:
        return names
    room = max(map(len, heads))
    return [f"{head:>{room}} {name}" for head, name in zip(heads, names, strict=True)]


def _fits(kept: Sequence[str], heads: Sequence[str], base: str, style: Style) -> bool:
    if style.limit is None:
        return True
    left = max(map(width, _sides(kept, heads)))
    return left + sum(GAP + width(head) for head in (safe(base), *heads[:-1])) <= style.limit


def _drawn(
    kept: Sequence[str],
    heads: Sequence[str],
    base: str,
    cells: Cells,
    apart: Mapping[str, PairVerdict],
    hidden: int,
    style: Style,
) -> str:
    sides = _sides(kept, heads)
    left = max(map(width, sides))
    columns = [safe(base), *heads[:-1]]
    gap = " " * GAP
    lines = [(" " * left + gap + gap.join(columns)).rstrip()]
    used = set()
    for row, id in enumerate(kept):
        signs = [_sign(apart.get(id, PairVerdict.CLEAN))]
        for other in kept[:row]:
            signs.append(APART if {id, other} & apart.keys() else _sign(cells.get(frozenset((id, other)))))
        used.update(signs)
        padded = [
            paint(sign, WARM if sign in (CONFLICT, UNKNOWN) else "", style) + " " * (width(column) - 1)
            for sign, column in zip(signs, columns, strict=False)
        ]
        lines.append((sides[row] + " " * (left - width(sides[row])) + gap + gap.join(padded)).rstrip())
    legend = "  ".join(f"{sign} {meaning}" for sign, meaning in _MEANINGS if sign in used)
    if hidden:
        legend += f"; {words.count(hidden, 'branch', 'branches')} without a conflict not shown"
    return "\n".join([*lines, legend])


def _sign(verdict: PairVerdict | None) -> str:
    if verdict in (None, PairVerdict.CLEAN):
        return CLEAN
    return CONFLICT if verdict is PairVerdict.CONFLICT else UNKNOWN
