"""A list of issues, as `gh issue list --json number,title,body,labels` prints it, as rows of a plan.

Issues are written by strangers: what of them becomes part of a plan is little, checked, and said in the manual.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from git_fleet.model.errors import PlanError
from git_fleet.model.plan import Row
from git_fleet.plan import cells
from git_fleet.plan.checklist import looks_like_path
from git_fleet.plan.legible import place, unfit

MOST_BYTES = 16 * 1024 * 1024
_MOST_ISSUES = 2_000
_MOST_TITLE = 1_000
_MOST_PATHS = 200

_WAITS = re.compile(
    r"\b(?:depends on|blocked by)\b[:*_ \t]*(?P<ids>#\d+(?:(?:[ \t]*(?:,|&|\band\b))*[ \t]*#\d+)*)", re.I
)
_FILES_LINE = re.compile(r"[ \t]*(?:[-*+][ \t]+)?[*_]*(?:files|files owned|owns)[*_]*:[*_]*[ \t]*(?P<paths>\S.*)", re.I)
_HEADING = re.compile(r" {0,3}#{1,6}[ \t]+(?P<text>.*?)[ \t#]*")
_FILES_HEADING = re.compile(r"[*_]*(?:files|files owned|owned files)[*_]*:?", re.I)
_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})")
_PRIORITY = re.compile(r"priority[ ]*[:=/][ ]*(-?\d{1,6})", re.I)


class Issues(NamedTuple):
    """The rows, and in words what was left out of them."""

    rows: tuple[Row, ...]
    notes: tuple[str, ...]


def parsed(data: bytes, shown: str) -> Issues:
    """The issues of a JSON text, in its order. Raises PlanError for one that is not such a list."""
    found = _listed(data, shown)
    rows = [_row(issue, number, shown) for number, issue in enumerate(found, 1)]
    ids = {row.id for row in rows}
    if len(ids) < len(rows):
        double = next(row.id for at, row in enumerate(rows) if row.id in {one.id for one in rows[:at]})
        raise PlanError(f"issue {double} is there twice", shown)
    notes = [
        f"{row.id} waits for {need}, which is not in the list: left out"
        for row in rows
        for need in row.needs
        if need not in ids
    ]
    kept = [row._replace(needs=tuple(need for need in row.needs if need in ids)) for row in rows]
    return Issues(tuple(kept), tuple(notes))


def _listed(data: bytes, shown: str) -> list[Any]:
    import json

    if len(data) > MOST_BYTES:
        raise PlanError(f"larger than {MOST_BYTES // 1024**2} MiB", shown)
    try:
        text = data.decode("utf-8-sig")
        found = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except UnicodeDecodeError as error:
        line, column = place(data[: error.start].decode("utf-8", "replace"))
        raise PlanError(f"column {column}: byte 0x{data[error.start]:02X} is not UTF-8", shown, line) from None
    except json.JSONDecodeError as error:
        raise PlanError(f"column {error.colno}: no JSON: {error.msg}", shown, error.lineno) from None
    except (RecursionError, ValueError) as error:
        why = "too deep" if isinstance(error, RecursionError) else str(error)
        raise PlanError(f"no list of issues: {why}", shown, 1) from None
    if not isinstance(found, list):
        raise PlanError("no list of issues: gh issue list --json number,title,body,labels prints one", shown, 1)
    if len(found) > _MOST_ISSUES:
        raise PlanError(f"more than {_MOST_ISSUES:,} issues", shown)
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _row(issue: Any, number: int, shown: str) -> Row:
    def wrong(what: str) -> PlanError:
        return PlanError(f"issue {number} of the list: {what}", shown)

    if not isinstance(issue, dict):
        raise wrong("it is no object")
    id, title, body, labels = (issue.get(key) for key in ("number", "title", "body", "labels"))
    body = "" if body is None else body
    if not isinstance(id, int) or isinstance(id, bool) or not 0 < id < 10**12:
        raise wrong("'number' has to be a whole number above 0")
    if not isinstance(title, str) or not isinstance(body, str):
        raise wrong("'title' and 'body' have to be text")
    title = title.strip()
    why = unfit(title)
    if why or len(title) > _MOST_TITLE:
        raise wrong(f"the title holds {why}" if why else f"the title is longer than {_MOST_TITLE:,} characters")
    prose = tuple(_prose(body))
    needs = [need for line in prose for match in _WAITS.finditer(line) for need in re.findall(r"\d+", match["ids"])]
    return Row(
        id=str(id),
        title=" ".join(title.split()) or None,
        owns=tuple(dict.fromkeys(_owned(prose)))[:_MOST_PATHS],
        needs=tuple(dict.fromkeys(str(int(need)) for need in needs if int(need) != id)),
        priority=_priority([] if labels is None else labels, wrong("'labels' has to be a list of objects with a name")),
    )


def _prose(body: str) -> Iterator[str]:
    """The lines outside fenced code."""
    fence = ""
    for line in body.splitlines():
        mark = _FENCE.match(line)
        if mark and (not fence or mark[1].startswith(fence)):
            fence = "" if fence else mark[1]
        elif not fence:
            yield line


def _owned(prose: Sequence[str]) -> Iterator[str]:
    """The paths of `Files:` lines, and the code spans below a heading `Files`, up to the next heading."""
    inside = False
    for line in prose:
        heading = _HEADING.fullmatch(line)
        if heading:
            inside = _FILES_HEADING.fullmatch(heading["text"].strip()) is not None
            continue
        files = _FILES_LINE.fullmatch(line)
        if files:
            yield from filter(looks_like_path, cells.patterns(files["paths"]))
        elif inside:
            cell = cells.parse(line)
            yield from filter(looks_like_path, (cell.held[number].strip() for number in cell.codes))


def _priority(labels: Any, wrong: PlanError) -> str | None:
    """The number of a label `priority: 10`; of no other label is anything guessed."""
    if not isinstance(labels, list) or not all(isinstance(label, dict) for label in labels):
        raise wrong
    names = [name for label in labels if isinstance(name := label.get("name"), str)]
    if len(names) < len(labels):
        raise wrong
    found = [match[1] for name in names if (match := _PRIORITY.fullmatch(name.strip()))]
    return str(int(found[0])) if found else None
