"""From what a row says to a whole task: ids, slugs, templates, places, durations."""

import os
import re
from collections import Counter
from collections.abc import Sequence, Set

from git_fleet.model.fleet import Repository
from git_fleet.model.plan import Problem, Row, Severity, Task
from git_fleet.model.portable import MOST_BYTES, is_device, unportable
from git_fleet.model.settings import Settings

_NOTHING = frozenset(("", "—", "–", "-", "none", "n/a"))
_SLUG_MOST = 40
_MOST_PATH = 3_000
"""A path has room for 4,096 bytes, and there have to be files below a worktree."""
_ID_MOST = 64
_NUMBERED = re.compile(r"(?P<id>\d+|[A-Z][A-Z0-9]*-\d+)(?:[-_](?P<title>.+))?")
_DURATION = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)\s*(d|h|m|s)(?:ays?|(?:ou)?rs?|in(?:ute)?s?|ec(?:ond)?s?)?", re.I)
_WORKDAY_H = 8


def nothing(text: str | None) -> str | None:
    """The text without blanks around it; None for an empty one and for those that mean nothing (`—`, `none`, …)."""
    bare = (text or "").strip()
    return None if bare.casefold() in _NOTHING else bare


def need_words(text: str) -> list[str]:
    """The tasks that a configured value of `needs` names: words between commas, semicolons and blanks, `#` dropped."""
    words = (word.removeprefix("#") for word in re.split(r"[,;\s]+", text))
    return [word for word in words if nothing(word) is not None]


def slugify(text: str) -> str:
    """Lower-case ASCII words joined by `-`, at most 40 characters; empty where nothing of the text is ASCII."""
    import unicodedata

    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall("[a-z0-9]+", plain))[:_SLUG_MOST].strip("-")


def split_title(text: str) -> tuple[str, str | None]:
    """(id, title) of `#42 count`, `JIRA-7: fix it`, `auth`. Words without an id are the title, the id is their slug."""
    words = text.split()
    if not words:
        return "", None
    first = words[0].rstrip(":,")
    rest = re.sub(r"\A[-–—:]+\s+", "", " ".join(words[1:]))
    if first.startswith("#") or any(char.isdigit() for char in first) or len(words) == 1:
        return first.removeprefix("#"), nothing(rest)
    whole = " ".join(words)
    return slugify(whole) or first, whole


def row_of_branch(short_branch: str) -> Row:
    """What a branch's short name tells: `feature/42-count` is 42 "count", `pr/3184` is 3184, `fix-login` itself."""
    last = short_branch.rpartition("/")[2]
    match = _NUMBERED.fullmatch(last)
    if match:
        return Row(id=match["id"], title=_spaced(match["title"]), branch=short_branch)
    return Row(id=_safe_id(last), branch=short_branch)


def long_id(short_branch: str) -> str:
    """An id from the whole name of a branch, for one whose short id is taken."""
    return _safe_id(short_branch)


def rows_of_branches(short_branches: Sequence[str]) -> list[Row]:
    """A row for each branch, in order, ids unique and the same in whatever order the branches come."""
    rows = [row_of_branch(short) for short in short_branches]
    count = Counter(row.id.casefold() for row in rows)
    taken: set[str] = set()
    unique = []
    for row, short in zip(rows, short_branches, strict=True):
        id = free(row.id if count[row.id.casefold()] == 1 else long_id(short), taken)
        taken.add(id.casefold())
        unique.append(row._replace(id=id, branch=short))
    return unique


def free(id: str, taken: Set[str]) -> str:
    """The id, or with a number behind it where it is taken; `taken` is folded to one case."""
    number = 2
    free = id
    while free.casefold() in taken:
        free = f"{id}-{number}"
        number += 1
    return free


def complete(
    row: Row, settings: Settings, repository: Repository, *, own_config: bool
) -> tuple[Task, tuple[Problem, ...]]:
    """The task that a row means, gaps filled from the templates, and what of the row makes no sense.

    `own_config`: the row is the user's own (git configuration, the command line); in a file that others may have
    written, a worktree has to stay beside or inside the main worktree, and `~` is not expanded.
    """
    slug = slugify(row.title or "")
    names = {"id": row.id, "slug": slug, "repo": repository.name}
    place = row.worktree or _fill(settings.worktree, names)
    task = Task(
        id=row.id,
        title=row.title or row.id,
        slug=slug,
        branch=row.branch or _fill(settings.branch, names),
        worktree=_absolute(place, repository.main, home=own_config or row.worktree is None),
        owns=row.owns,
        needs=row.needs,
        status=row.status,
        agent=row.agent,
        prompt=row.prompt,
        checklist=row.checklist,
        estimate_s=seconds(row.estimate or ""),
        priority=_whole_number(row.priority or "") or 0,
        line=row.line,
    )
    return task, (*_bad_numbers(row, task), *_bad_place(row, task, repository, own_config=own_config))


def is_from_template(task: Task, settings: Settings, repository: Repository) -> bool:
    """Has the task the branch that it would have without one of its own?"""
    row = Row(id=task.id, title=None if task.title == task.id else task.title)
    return complete(row, settings, repository, own_config=True)[0].branch == task.branch


def seconds(text: str) -> int | None:
    """`45m`, `1h30m`, `90s`, `1d` (eight hours), `45` (minutes) in seconds; None for anything else."""
    bare = text.strip().removeprefix("~").strip()
    if re.fullmatch(r"[0-9]{1,6}", bare):
        return int(bare) * 60
    parts = _DURATION.findall(bare) if re.fullmatch(rf"(?:\s*{_DURATION.pattern})+", bare, re.I) else []
    if not parts:
        return None
    unit = {"d": _WORKDAY_H * 3600, "h": 3600, "m": 60, "s": 1}
    return round(sum(float(number) * unit[letter.lower()] for number, letter in parts))


def _fill(template: str, names: dict[str, str]) -> str:
    """The template with its names; a slug that adds nothing to the id goes, with the separator before or after it."""
    slug = names["slug"]
    if slug in ("", slugify(names["id"])):
        if "{id}" in template:
            template = re.sub(r"[-_./]*\{slug\}\Z|\{slug\}[-_./]*", "", template)
        slug = slug or names["id"]
    filled = {**names, "slug": slug}
    return re.sub(r"\{(id|slug|repo)\}", lambda match: filled[match[1]], template)


def _absolute(place: str, main: str, *, home: bool) -> str:
    """A bare name is a sibling of the main worktree; a relative path starts at it. Links on the way are followed, as
    git does; a link at the place itself is not, since it would be in the way."""
    if home and place.startswith("~"):
        place = os.path.expanduser(place)
    elif "/" not in place.rstrip("/") and place not in (".", ".."):
        place = f"../{place}"
    folder, name = os.path.split(os.path.normpath(os.path.join(main, place)))
    # What is beside the main worktree, as most are, needs no look at the disk: that path is real already.
    return os.path.join(folder if folder == os.path.dirname(main) else os.path.realpath(folder), name)


def _bad_numbers(row: Row, task: Task) -> list[Problem]:
    found = []
    if row.estimate and task.estimate_s is None:
        found.append(("bad-estimate", f"'{row.estimate}' is no estimate: 45m, 2h, 1h30m, 1d or minutes"))
    if row.priority and _whole_number(row.priority) is None:
        found.append(("bad-priority", f"'{row.priority}' is no priority: a whole number"))
    return [Problem(Severity.ERROR, code, f"{row.id}: {said}", (row.id,), row.line) for code, said in found]


def _bad_place(row: Row, task: Task, repository: Repository, *, own_config: bool) -> list[Problem]:
    why = _wrong_with(row.worktree, task.worktree, repository, own_config=own_config)
    if why is None:
        return []
    shown = row.worktree or task.worktree
    return [Problem(Severity.ERROR, "path-escapes", f"{row.id}: worktree '{shown}' {why}", (row.id,), row.line)]


def _wrong_with(written: str | None, place: str, repository: Repository, *, own_config: bool) -> str | None:
    main = repository.main
    if _bytes(place) > _MOST_PATH or _bytes(os.path.basename(place)) > MOST_BYTES:
        return f"is too long: at most {MOST_BYTES} bytes for its name and {_MOST_PATH:,} in all"
    if place == main:
        return "is the main worktree: the base is no workspace"
    inside_git = place.endswith("/.git") or "/.git/" in place
    if _within(place, repository.common_dir) or (inside_git and ".git" in os.path.relpath(place, main).split("/")):
        return "is inside the git directory"
    if _within(main, place):
        return "holds the main worktree"
    if written is None:
        return "has the name of a device on Windows" if is_device(os.path.basename(place)) else None
    why = next((why for part in written.split("/") if part not in ("", ".", "..") and (why := unportable(part))), None)
    if why:
        return f"will not do: {why}"
    if own_config:
        return None
    if written.startswith("~"):
        return "starts with '~', which only your own git configuration may"
    if not _within(place, os.path.dirname(main)):
        return f"leaves '{os.path.dirname(main)}'; only your own git configuration may place it there"
    return None


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")


def _whole_number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[+-]?[0-9]{1,9}", text.strip()) else None


def _spaced(title: str | None) -> str | None:
    return nothing(re.sub("[-_]+", " ", title or ""))


def _safe_id(text: str) -> str:
    return re.sub("[^A-Za-z0-9._-]+", "-", text).strip("-._")[:_ID_MOST].rstrip("-._") or "task"


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogateescape"))
