"""Who owns which paths: where two tasks would change the same, and what a branch changed that its task does not own.

An owned pattern is gitignore-style and relative to the top of the tree, always: `cli.py` is the one at the top,
`**/cli.py` any. A file or directory stands for itself and all below, `src/` for what is below alone. `!pattern` takes
paths out again; of several patterns the last that matches decides.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from git_fleet.analysis import globs
from git_fleet.analysis.globs import Pattern
from git_fleet.analysis.waves import Closure, chain, closure
from git_fleet.model.plan import Joint, Overlap, Task

_TOKEN = re.compile(r"\\.|\[[!^]?\]?[^\]]*\]|\[", re.S)
_ODD_CLASS = re.compile(r"\[\Z|.\[|\\|--|&&|~~|\|\|", re.S)


def bad_pattern(pattern: str) -> str | None:
    """Why this cannot be an owned pattern; None if it can."""
    body = pattern.strip().removeprefix("!")
    if not body:
        return "is empty"
    if body.startswith("/"):
        return "starts with '/': patterns are relative to the top of the tree"
    parts = body.split("/")
    if ".." in parts:
        return "leaves the tree with '..'"
    if ".git" in parts:
        return "is inside the git directory"
    if "\\" in body and re.search(r"(?<!\\)(?:\\\\)*\\(?:/|\Z)", body):
        return "ends a name with a backslash"
    if "[" in body and not _plain_classes(body):
        return "holds a character class that is not plain"
    return None


def patterns_meet(a: str, b: str) -> bool:
    """Could some path match both patterns? Says no only where there can be none."""
    return globs.meet(globs.parse(a), globs.parse(b))


def overlaps(tasks: Sequence[Task]) -> tuple[Overlap, ...]:
    """Each two tasks that own the same path, in plan order; paths are the narrower pattern of each pair that meets."""
    owned = {task.id: [globs.parse(pattern) for pattern in task.owns if bad_pattern(pattern) is None] for task in tasks}
    positions = {id: at for at, id in enumerate(owned)}
    meeting: dict[tuple[str, str], None] = {}
    for one, other in _meeting_patterns(owned):
        for a in one:
            for b in other:
                if a != b:
                    meeting[(a, b) if positions[a] < positions[b] else (b, a)] = None
    by_id = {task.id: task for task in tasks}
    closed = closure(tasks) if meeting else Closure({}, {})
    found = []
    for a, b in sorted(meeting, key=lambda pair: (positions[pair[0]], positions[pair[1]])):
        paths = _shared(owned[a], owned[b])
        if paths:
            found.append(Overlap((a, b), paths, _excuse(by_id, closed, a, b)))
    return tuple(found)


def joints(tasks: Sequence[Task], overlaps: Iterable[Overlap]) -> tuple[Joint, ...]:
    """Each path that two or more tasks own, with all who own it, in plan order."""
    owners: dict[str, set[str]] = {}
    for overlap in overlaps:
        for path in overlap.paths:
            owners.setdefault(path, set()).update(overlap.tasks)
    return tuple(Joint(path, tuple(task.id for task in tasks if task.id in ids)) for path, ids in owners.items())


def drift(owns: Sequence[str], changed: Iterable[str]) -> tuple[str, ...]:
    """The changed paths that no pattern owns. A task that owns nothing in particular drifts nowhere."""
    patterns = [line for pattern in owns if bad_pattern(pattern) is None for line in _anchored(pattern)]
    if not patterns:
        return ()
    from pathspec import PathSpec

    spec = PathSpec.from_lines("gitignore", patterns)
    return tuple(path for path in changed if not spec.match_file(path))


def owns(patterns: Sequence[str], path: str) -> bool:
    """Does one of the patterns own this path? As `drift`, but the library is loaded only where a wildcard decides."""
    sound = [globs.parse(pattern) for pattern in patterns if bad_pattern(pattern) is None]
    parts = tuple(path.split("/"))
    near = [one for one in sound if one.literal == parts[: len(one.literal)]]
    if all(one.negated for one in near):
        return False
    plain = (one for one in near if one.literal == one.parts and (len(parts) > len(one.parts) or not one.below))
    if any(True for _ in plain) and not any(one.negated for one in near):
        return True
    return not drift(patterns, (path,))


def _anchored(pattern: str) -> Iterator[str]:
    """The pattern as gitignore writes one that is anchored at the top."""
    parsed = globs.parse(pattern)
    # What starts with `**/` may start anywhere: there a leading slash changes nothing.
    start = "!/" if parsed.negated else "/"
    if parsed.parts and not parsed.below:
        yield start + "/".join(parsed.parts)
    # The library knows no path below a last part that is a bare `*`.
    yield start + "/".join((*parsed.parts, "**"))


def _meeting_patterns(owned: Mapping[str, Sequence[Pattern]]) -> Iterable[tuple[Sequence[str], Sequence[str]]]:
    """The owners of each two patterns that meet.

    Two can meet only if the literal start of one is the start of the other's, so each is compared with those above it.
    """
    owners: dict[Pattern, dict[str, None]] = {}
    for id, patterns in owned.items():
        for pattern in patterns:
            if not pattern.negated:
                owners.setdefault(pattern._replace(text=""), {})[id] = None
    by_start: dict[tuple[str, ...], list[Pattern]] = {}
    for pattern in owners:
        by_start.setdefault(pattern.literal, []).append(pattern)
    for pattern, ids in owners.items():
        literal = pattern.literal
        for length in range(len(literal) + 1):
            for above in by_start.get(literal[:length], ()):
                if above is pattern or globs.meet(above, pattern):
                    yield tuple(owners[above]), tuple(ids)


def _shared(one: Sequence[Pattern], other: Sequence[Pattern]) -> tuple[str, ...]:
    paths: dict[str, None] = {}
    for at, a in enumerate(one):
        for bt, b in enumerate(other):
            if a.negated or b.negated or not globs.meet(a, b):
                continue
            if not _taken_out(one[at + 1 :], b) and not _taken_out(other[bt + 1 :], a):
                paths[_narrower(a, b).text] = None
    return tuple(paths)


def _taken_out(later: Iterable[Pattern], pattern: Pattern) -> bool:
    """Does a negated pattern take out all that this one matches? Only where its text alone says so."""
    return any(one.negated and globs.covers(one, pattern) for one in later)


def _narrower(a: Pattern, b: Pattern) -> Pattern:
    if globs.covers(a, b):
        return b
    if globs.covers(b, a):
        return a
    return max(a, b, key=lambda one: (len(one.literal), len(one.text)))


def _excuse(tasks: Mapping[str, Task], closed: Closure, a: str, b: str) -> str | None:
    needed = chain(tasks, closed, b, a) or chain(tasks, closed, a, b)
    return " needs ".join(needed) or None


def _plain_classes(body: str) -> bool:
    """Is every bracket escaped, or part of a class that all readers of gitignore patterns read alike?"""
    classes = [token for token in _TOKEN.findall(body) if token.startswith("[")]
    return not any(_ODD_CLASS.search(one) or _is_reversed(one) for one in classes)


def _is_reversed(character_class: str) -> bool:
    inside = re.sub(r"\A\[[!^]?|\]\Z", "", character_class)
    return any(low > high for low, high in re.findall(r"(.)-(.)", inside, re.S))
