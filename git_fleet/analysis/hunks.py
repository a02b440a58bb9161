"""Both sides of a conflict as text: regions between git's markers, or whole files where there is no merged one."""

import re
from collections.abc import Iterator, Mapping, Sequence

from git_fleet.model.sight import Hunk, Stage

_OURS, _ANCESTOR, _BETWEEN, _THEIRS = "<<<<<<< ", "||||||| ", "=======", ">>>>>>> "


_ASIDE = re.compile(r"~[0-9a-f]{40,64}(_\d+)?$")


def wanted(tree: str, stages: Sequence[Stage]) -> Iterator[str]:
    """Names of the blobs that `hunks` needs: the merged files, and each side's."""
    for stage in stages:
        if stage.number > 1 and stage.mode != "160000":
            yield f"{tree}:{stage.path}"
            yield stage.oid


def hunks(tree: str, stages: Sequence[Stage], texts: Mapping[str, str | None]) -> tuple[Hunk, ...]:
    """The conflicts of one merge, by path. `texts` by the names that `wanted` gave."""
    found: list[Hunk] = []
    for path in sorted({stage.path for stage in stages}):
        sides = {stage.number: stage for stage in stages if stage.path == path}
        merged = texts.get(f"{tree}:{path}")
        regions = list(_regions(path, merged)) if merged and {2, 3} <= sides.keys() and "\0" not in merged else []
        if not regions:
            regions = [Hunk(_ASIDE.sub("", path), None, *(_whole(sides.get(number), texts) for number in (2, 3)))]
        found += regions
    return tuple(found)


def _whole(stage: Stage | None, texts: Mapping[str, str | None]) -> str | None:
    if stage is None:
        return None
    if stage.mode == "160000":
        return f"{stage.oid}\n"
    text = texts.get(stage.oid) or ""
    return _printable(text) if "\0" not in text else ""


def _regions(path: str, text: str) -> Iterator[Hunk]:
    """What stands between the markers of a merged file."""
    sides: list[list[str]] = []
    first = 0
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith(_OURS):
            sides, first = [[]], number
        elif sides and (line.startswith(_ANCESTOR) or (line.rstrip("\r") == _BETWEEN and len(sides) < 3)):
            sides.append([])
        elif sides and line.startswith(_THEIRS):
            ours, theirs = ("".join(side) for side in (sides[0], sides[-1]))
            yield Hunk(path, first, _printable(ours), _printable(theirs))
            sides = []
        elif sides:
            sides[-1].append(f"{line}\n")


def _printable(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
