"""Which uncommitted files stand in the way of a merge."""

from collections.abc import Iterable

from git_fleet.analysis.paths import parents


def blocking(dirt_paths: Iterable[str], touched: Iterable[str]) -> tuple[str, ...]:
    """Those of `dirt_paths` that a merge which writes or removes the `touched` paths would meet, sorted.

    Two paths meet if they are equal or one is a directory above the other. A dirty path that ends in `/` stands for
    a whole directory of untracked or ignored files, and meets everything below it.
    """
    files = frozenset(touched)
    directories = frozenset(parent for path in files for parent in parents(path))

    def meets(path: str) -> bool:
        return path in files or path in directories or any(parent in files for parent in parents(path))

    return tuple(sorted({path for path in dirt_paths if meets(path.rstrip("/"))}))
