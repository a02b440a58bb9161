"""Who owns which paths: where two tasks would change the same, and what a branch changed that its task does not own.

An owned pattern is gitignore-style and relative to the top of the tree, always: `cli.py` is the one at the top,
`**/cli.py` any. A file or directory stands for itself and all below, `src/` for what is below alone. `!pattern` takes
paths out again; of several patterns the last that matches decides.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence

from git_fleet.analysis import globs, witness
from git_fleet.analysis.globs import Pattern
from git_fleet.analysis.waves import Closure, chain, closure
from git_fleet.model.plan import Joint, Overlap, Task

_TOKEN = re.compile(r"\\.|\[[!^]?\]?[^\]]*\]|\[", re.S)
Claims = Mapping[str, Mapping[str, Sequence[str]]]
"""By task id and owned pattern: the files that the task owns by it."""

_MOST_FILES = 100
"""An overlap on more files than this is named by its pattern."""
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


def overlaps(tasks: Sequence[Task], claims: Claims | None = None) -> tuple[Overlap, ...]:
    """Each two tasks that own the same path, in plan order.

    `paths` are the files that both own, where `claims` say that there are any and not too many to be named, else the
    narrower pattern of each pair that meets: a file that does not exist yet may be made.
    """
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
        paths = _shared(owned[a], owned[b], claims[a] if claims else {}, claims[b] if claims else {})
        if paths:
            found.append(Overlap((a, b), _files_of_both(claims, a, b) or paths, excuse(by_id, closed, a, b)))
    return tuple(found)


def claims(tasks: Sequence[Task], files: Sequence[str]) -> Claims:
    """The existing files that each task owns, by the pattern that claims them; `files` are sorted.

    Only good patterns that are not negated have a place, empty where nothing matches.
    """
    known: dict[str, Sequence[str]] = {}
    found = {}
    for task in tasks:
        good = [pattern.strip() for pattern in task.owns if bad_pattern(pattern) is None]
        mine: dict[str, Sequence[str]] = {}
        for pattern in good:
            if not pattern.startswith("!"):
                if pattern not in known:
                    known[pattern] = _matched(pattern, files)
                mine[pattern] = known[pattern]
        if len(mine) < len(good):
            lost = set(drift(good, {path for paths in mine.values() for path in paths}))
            mine = {pattern: [path for path in paths if path not in lost] for pattern, paths in mine.items()}
        found[task.id] = mine
    return found


def _matched(pattern: str, files: Sequence[str]) -> Sequence[str]:
    """The files that a pattern matches; only those below its literal start are looked at."""
    parsed = globs.parse(pattern)
    start = "/".join(parsed.literal)
    if not start:
        lost = set(drift([pattern], files))
        return [path for path in files if path not in lost]
    at = bisect_left(files, start)
    itself = files[at : at + 1] if start in files[at : at + 1] else ()
    below = files[bisect_left(files, f"{start}/") : bisect_left(files, f"{start}0")]  # "0" comes after "/"
    if len(parsed.literal) == len(parsed.parts):
        return below if parsed.below else [*itself, *below]
    lost = set(drift([pattern], below))
    return [path for path in below if path not in lost]


def _files_of_both(claims: Claims | None, one: str, other: str) -> tuple[str, ...]:
    if claims is None:
        return ()
    mine = {path for paths in claims[one].values() for path in paths}
    both = {path for paths in claims[other].values() for path in paths if path in mine}
    return tuple(sorted(both)) if len(both) <= _MOST_FILES else ()


def joints(tasks: Sequence[Task], overlaps: Iterable[Overlap]) -> tuple[Joint, ...]:
    """Each path that two or more tasks own, with all who own it, in plan order."""
    owners: dict[str, set[str]] = {}
    for overlap in overlaps:
        for path in overlap.paths:
            owners.setdefault(path, set()).update(overlap.tasks)
    place = {task.id: at for at, task in enumerate(tasks)}
    return tuple(Joint(path, tuple(sorted(ids, key=place.__getitem__))) for path, ids in owners.items())


def drift(owns: Sequence[str], changed: Iterable[str]) -> tuple[str, ...]:
    """The changed paths that no pattern owns. A task that owns nothing in particular drifts nowhere."""
    changed = list(changed)
    if not changed:
        return ()
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


def _shared(
    one: Sequence[Pattern],
    other: Sequence[Pattern],
    mine: Mapping[str, Sequence[str]],
    theirs: Mapping[str, Sequence[str]],
) -> tuple[str, ...]:
    paths: dict[str, None] = {}
    for at, a in enumerate(one):
        for bt, b in enumerate(other):
            if a.negated or b.negated or not globs.meet(a, b):
                continue
            if (_is_file(a, mine) or _is_file(b, theirs)) and not set(mine[a.text]).intersection(theirs[b.text]):
                continue
            out = [later for later in (*one[at + 1 :], *other[bt + 1 :]) if later.negated]
            if not out or witness.exists(a, b, out):
                paths[_narrower(a, b).text] = None
    return tuple(paths)


def _is_file(pattern: Pattern, claimed: Mapping[str, Sequence[str]]) -> bool:
    """Is this the name of a file that exists? Then nothing lies below it."""
    return list(claimed.get(pattern.text, ())) == ["/".join(pattern.parts)] and pattern.literal == pattern.parts


def _narrower(a: Pattern, b: Pattern) -> Pattern:
    if globs.covers(a, b):
        return b
    if globs.covers(b, a):
        return a
    return max(a, b, key=lambda one: (len(one.literal), len(one.text)))


def excuse(tasks: Mapping[str, Task], closed: Closure, a: str, b: str) -> str | None:
    """Why two tasks never run at the same time: `b needs x needs a`; None if they may."""
    needed = chain(tasks, closed, b, a) or chain(tasks, closed, a, b)
    return " needs ".join(needed) or None


def _plain_classes(body: str) -> bool:
    """Is every bracket escaped, or part of a class that all readers of gitignore patterns read alike?"""
    classes = [token for token in _TOKEN.findall(body) if token.startswith("[")]
    return not any(_ODD_CLASS.search(one) or _is_reversed(one) for one in classes)


def _is_reversed(character_class: str) -> bool:
    inside = re.sub(r"\A\[[!^]?|\]\Z", "", character_class)
    return any(low > high for low, high in re.findall(r"(.)-(.)", inside, re.S))
