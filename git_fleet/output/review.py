"""`git fleet review`: all that the reader of one branch needs, on one screen; and what he said."""

from collections.abc import Iterator

from git_fleet.model.fleet import Base
from git_fleet.model.review import Answer, Clash, File, Page
from git_fleet.output import words
from git_fleet.output.escape import safe
from git_fleet.output.style import BOLD, WARM, Style, paint
from git_fleet.output.table import Cell, Column, render

SCHEMA = "git-fleet.review.v1"

_FILES = (Column("file", least=20), Column("+", "right"), Column("-", "right"), Column("", drop=1, least=12))
_LISTED = 20
"""Commits, and files, that are named without -v."""


def text(page: Page | None, style: Style) -> str:
    """The screen, without a final newline."""
    if page is None:
        return "nothing waits for review"
    facts = [(name, said) for name, said in _facts(page, style) if said]
    room = max(len(name) for name, _ in facts)
    head = "\n".join(f"{paint(name.ljust(room), BOLD, style)}  {said}" for name, said in facts)
    parts = (head, _commits(page, style), _files(page, style), f"read it: {_diff(page)}")
    return "\n\n".join(filter(None, parts))


def hints(page: Page) -> list[str]:
    """What to type next."""
    id = words.typed(page.id)
    return [f"then: git fleet review --approve {id}", f"or: git fleet review --reject {id} -m '<why>'"]


def answer(given: Answer, *, dry: bool) -> str:
    """What was said of it."""
    after = f" after {words.lasted(given.seconds)}" if given.seconds is not None else ", not timed"
    verb = f"would mark as {given.state}" if dry else str(given.state)
    why = f": {safe(given.why)}" if given.why else ""
    return f"{verb} {words.label(given.id, given.title)} at {words.short(given.tip)}{after}{why}"


def _facts(page: Page, style: Style) -> Iterator[tuple[str, str]]:
    base = safe(page.base.branch)
    yield "task", f"{words.label(page.id, page.title)}{_turn(page)}"
    yield "state", f"{page.state}{f': {safe(page.reason)}' if page.reason else ''}"
    yield "branch", f"{safe(page.branch)} at {words.short(page.tip)}, for {base} at {words.short(page.base.commit)}"
    yield "agent", safe(page.agent or "")
    yield "checklist", words.progress(page.progress)
    yield "landing", safe(page.place or "")
    yield "needs", words.listed(page.needs)
    yield "needed by", words.listed(page.needed_by)
    below = words.listed(page.stands_on)
    yield "stands on", f"{below}, whose commits are among these" if below else ""
    clashes = ", ".join(words.placed(one.task or page.base.branch, one.paths) for one in page.clashes)
    yield "conflicts", paint(f"with {clashes}", WARM, style) if clashes else ""
    yield "conflicts", paint(f"unknown, {safe(page.doubt)}", WARM, style) if page.doubt else ""
    yield "gate", paint(_gate(page), WARM if page.gate == "failed" else "", style)
    left = words.count(page.uncommitted, "path")
    yield "uncommitted", paint(f"{left} in its worktree, no part of this", WARM, style) if page.uncommitted else ""
    yield "size", _size(page)


def _turn(page: Page) -> str:
    if page.id not in page.waiting:
        return ", which does not wait for review"
    if len(page.waiting) == 1:
        return ", the only one that waits for review"
    return f", {page.waiting.index(page.id) + 1} of {len(page.waiting)} that wait for review"


def _gate(page: Page) -> str:
    if page.gate is None:
        return ""
    took = f" in {words.lasted(page.gate_s)}" if page.gate_s is not None else ""
    return f"{page.gate}{took}, as it would land"


def _size(page: Page) -> str:
    more, less = page.lines
    likely = f"likely {words.age(page.likely_s)}"
    whence = f"the median of {words.count(page.likely_from, 'review')}" if page.likely_from else "fleet.review"
    so_far = page.now_s - page.began_s if page.began_s is not None else 0.0
    going = f", {words.lasted(so_far)} so far" if so_far >= 1 else ""
    return f"+{more} -{less} in {words.count(len(page.files), 'file')}; {likely} to read ({whence}){going}"


def _commits(page: Page, style: Style) -> str:
    """The newest are left out first: the oldest say what it was about."""
    most = len(page.commits) if style.verbose else _LISTED
    lines = [f"{words.short(commit)} {safe(subject)}" for commit, subject in page.commits[:most]]
    rest = len(page.commits) - most
    return "\n".join([*lines, *([f"and {words.count(rest, 'commit')} more (-v)"] if rest > 0 else [])])


def _files(page: Page, style: Style) -> str:
    if not page.files:
        return "no file differs from where it left the base"
    most = len(page.files) if style.verbose else _LISTED
    rows: list[list[str | Cell]] = [
        [_name(one), _lines(one.insertions), _lines(one.deletions), Cell(_kind(one), WARM if one.drift else "")]
        for one in page.files[:most]
    ]
    rest = len(page.files) - most
    table = render(_FILES, rows, style).text
    return f"{table}\nand {words.count(rest, 'file')} more (-v)" if rest > 0 else table


def _name(file: File) -> str:
    return f"{file.before} => {file.path}" if file.before else file.path


def _lines(number: int | None) -> str:
    return "bin" if number is None else str(number)


def _kind(file: File) -> str:
    told = []
    if file.drift:
        told.append(f"drift, owned by {', '.join(file.owners)}" if file.owners else "drift, which nobody owns")
    if file.builders:
        told.append(f"joint: {', '.join(file.builders)} {'builds' if len(file.builders) == 1 else 'build'} on it")
    return "; ".join(told)


def _diff(page: Page) -> str:
    return f"git diff {words.typed(f'{page.base.branch}...{page.branch}')}"


def document(base: Base, page: Page | None) -> dict[str, object]:
    """The promised object of `review --json`; `task` is null where nothing waits."""
    return {
        "schema": SCHEMA,
        "base": {"branch": base.branch, "commit": base.commit},
        "task": _object(page) if page else None,
        "waiting": list(page.waiting) if page else [],
    }


def answer_document(base: Base, given: Answer) -> dict[str, object]:
    """The same of an answer."""
    said = {
        "id": given.id,
        "tip": given.tip,
        "state": str(given.state),
        "why": given.why,
        "by": given.who,
        "review_s": given.seconds,
    }
    return {"schema": SCHEMA, "base": {"branch": base.branch, "commit": base.commit}, "answer": said}


def _object(page: Page) -> dict[str, object]:
    more, less = page.lines
    return {
        "id": page.id,
        "title": page.title,
        "branch": page.branch,
        "tip": page.tip,
        "worktree": page.worktree,
        "state": str(page.state),
        "reason": page.reason,
        "lands": page.place,
        "commits": [{"commit": commit, "subject": subject} for commit, subject in page.commits],
        "files": [_file(one) for one in page.files],
        "insertions": more,
        "deletions": less,
        "conflicts": [_clash(one) for one in page.clashes] if page.doubt is None else None,
        "gate": page.gate or "none",
        "gate_s": page.gate_s,
        "needs": list(page.needs),
        "needed_by": list(page.needed_by),
        "stands_on": list(page.stands_on),
        "uncommitted": page.uncommitted,
        "agent": page.agent,
        "progress": words.progress_object(page.progress),
        "likely_s": page.likely_s,
        "likely_from": page.likely_from,
        "began_s": page.began_s,
    }


def _file(one: File) -> dict[str, object]:
    return {
        "path": one.path,
        "insertions": one.insertions,
        "deletions": one.deletions,
        "drift": one.drift,
        "owners": list(one.owners),
        "builders": list(one.builders),
        **({"before": one.before} if one.before else {}),
    }


def _clash(one: Clash) -> dict[str, object]:
    return {"task": one.task, "paths": list(one.paths)}
