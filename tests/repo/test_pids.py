"""Processes of our own that outlive us."""

import gc
import os
from pathlib import Path

from git_fleet.repo import pids


def test_what_is_left_of_the_parent_closes_nothing_of_the_child(tmp_path: Path) -> None:
    """A file that only garbage holds: its number is another's in the child by the time it is collected."""

    def work(report: int) -> None:
        own = [os.open(os.devnull, os.O_RDONLY) for _ in range(64)]
        gc.collect()
        for fd in own:
            os.fstat(fd)
        os.write(report, b"all there")

    gc.collect()
    gc.disable()
    try:
        ring: list[object] = [open(tmp_path / "file", "w")]  # noqa: SIM115
        ring.append(ring)
        del ring
        with open(pids.detach(work, str(tmp_path)), "rb") as told:
            assert told.read() == b"all there"
    finally:
        gc.enable()
        gc.collect()
