"""What a killed writer left half written, read without writing: SQLite puts it right in a copy of its two files."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_TRIES = 5


@contextmanager
def copied(path: str) -> Iterator[str | None]:
    """The path of a private copy of a database and its rollback journal, gone afterwards; None where there is none.

    A journal holds what the pages were before. However much of them is written, or put back by somebody else while
    they are copied: rolled back with the whole journal, they come out as they were. So one that is the same before and
    after, its random number included, makes the copy a good one. Raises OSError.
    """
    import shutil
    import tempfile

    with tempfile.TemporaryDirectory(prefix="git-fleet-") as folder:
        copy = f"{folder}/{os.path.basename(path)}"
        for _ in range(_TRIES):
            before = _bytes(f"{path}-journal")
            shutil.copyfile(path, copy)
            if before is not None and before == _bytes(f"{path}-journal"):
                with open(f"{copy}-journal", "wb") as file:
                    file.write(before)
                yield copy
                return
        yield None


def _bytes(path: str) -> bytes | None:
    with suppress(FileNotFoundError), open(path, "rb") as file:
        return file.read()
    return None
