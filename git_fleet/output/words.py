"""Small turns of phrase that every screen shares. What comes in from outside goes out escaped."""

from collections.abc import Iterable, Sequence

from git_fleet.model.plan import Progress, Source, SourceKind
from git_fleet.output.escape import safe

_UNITS = ((31_557_600, "y"), (604_800, "w"), (86_400, "d"), (3_600, "h"), (60, "m"))


def count(number: int, one: str, many: str | None = None) -> str:
    """`1 task`, `3 tasks`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def listed(items: Iterable[str], most: int = 5) -> str:
    """`a, b and 3 more`: at most `most` of the items by name."""
    names = [safe(item) for item in items]
    rest = len(names) - most
    return f"{', '.join(names[:most])} and {rest} more" if rest > 0 else ", ".join(names)


def placed(who: str, paths: Iterable[str]) -> str:
    """`44 (cli.py)`: somebody, and at most two of the paths."""
    where = listed(paths, 2)
    return f"{safe(who)} ({where})" if where else safe(who)


def hidden(columns: int) -> str:
    """That a table had no room for all of its columns, and how to see them; nothing where it had."""
    return f"{count(columns, 'column')} hidden (--wide)" if columns else ""


def typed(word: str) -> str:
    """A word as one would type it in a shell."""
    from shlex import quote

    return safe(quote(word))


def to_add(paths: Sequence[str]) -> str:
    """What to name to `git add`: the paths, where they are few enough to be typed."""
    return " ".join(map(typed, paths)) if 0 < len(paths) < 6 else "<path>..."


def short(oid: str | None) -> str:
    """The first seven digits of an object id; nothing for none."""
    return (oid or "")[:7]


def age(seconds: float) -> str:
    """How long ago, in the largest whole unit: `40s`, `3m`, `2h`, `5d`, `3w`, `1y`."""
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return f"{max(int(seconds), 0)}s"


def size(number: int) -> str:
    """Bytes, in the largest unit of which there is a whole one: `512 B`, `1.5 MiB`."""
    amount, unit = float(number), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if amount < 1024:
            break
        amount, unit = amount / 1024, larger
    return f"{number} B" if unit == "B" else f"{amount:.1f} {unit}"


def lasted(seconds: float | None) -> str:
    """A duration: `1.2s`, `3m 20s`; nothing for none."""
    if seconds is None:
        return ""
    return f"{seconds:.1f}s" if seconds < 60 else f"{int(seconds // 60)}m {int(seconds % 60)}s"


def span(seconds: float) -> str:
    """A stretch of time, seconds only below a minute: `40s`, `12m`, `1h 5m`, `2d 3h`."""
    if seconds < 60:
        return f"{int(max(seconds, 0.0))}s"
    minutes = int(seconds // 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "m")]
    return " ".join(f"{number}{unit}" for number, unit in parts if number)


def origin(source: Source, here: str | None) -> str:
    """Where the plan was read from; a file is named relative to the directory `here` when it lies below it."""
    if source.kind is SourceKind.WORKTREES:
        return "no plan: the branches of the linked worktrees"
    if source.path is None:
        return "plan from the git configuration"
    return f"plan from {below(source.path, here)}"


def below(path: str, here: str | None) -> str:
    """`path` relative to the directory `here` when it lies below it, else as it is; escaped."""
    return safe(path.removeprefix(f"{here.rstrip('/')}/") if here else path)


def title(id_: str, text: str) -> str:
    """A title that says more than the id; else nothing."""
    return "" if text == id_ else text


def label(id_: str, text: str) -> str:
    """`42 count`: a task as people are told of it."""
    return safe(" ".join(filter(None, (id_, title(id_, text)))))


def wave(number: int | None) -> str:
    """`wave 2`; what has no number waits for a ring of needs."""
    return f"wave {number}" if number else "in a ring of needs"


def progress(progress: Progress | None) -> str:
    """`3/5`; nothing where it is not known."""
    return f"{progress.done}/{progress.total}" if progress else ""


def progress_object(progress: Progress | None) -> dict[str, int] | None:
    """The same for `--json`."""
    return {"done": progress.done, "total": progress.total} if progress else None
