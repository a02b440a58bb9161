"""Paths as git writes them: parts between slashes, relative to the top of the tree."""

from collections.abc import Iterator


def parents(path: str) -> Iterator[str]:
    """The directories above `path`, nearest first, without the top: `a/b/c` gives `a/b`, `a`."""
    end = path.rfind("/")
    while end > 0:
        path = path[:end]
        yield path
        end = path.rfind("/")
