"""Which ignored files can be made again, and which are somebody's work?"""

from collections.abc import Collection, Sequence


def split(
    ignored: Sequence[str], patterns: Sequence[str], caches: Collection[str] = ()
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(work, disposable) of ignored paths, folders with a slash at the end.

    `patterns` are gitignore's: of several that match the last decides, `!` takes out again. `caches` are folders that
    say so themselves.
    """
    if not ignored:
        return (), ()
    from pathspec import PathSpec

    spec = PathSpec.from_lines("gitignore", patterns)
    go = {path for path in ignored if path in caches or spec.match_file(path)}
    return tuple(path for path in ignored if path not in go), tuple(path for path in ignored if path in go)
