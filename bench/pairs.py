"""Run two commands in turn, A B A B …, and compare them pair by pair: a ratio holds when the machine's speed drifts."""

import os
import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple


class Run(NamedTuple):
    """Seconds of one run, children included."""

    wall: float
    cpu: float


def once(argv: Sequence[str], cwd: str, env: dict[str, str] | None = None) -> Run:
    """Run a command to its end, output thrown away. Raises CalledProcessError for codes other than 0, 1 and 4."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    compiled = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(argv, cwd=cwd, env={**compiled, **(env or {})}, capture_output=True, check=False)
    wall = time.perf_counter() - began
    if done.returncode not in (0, 1, 4):
        raise subprocess.CalledProcessError(done.returncode, argv, done.stdout, done.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Run(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def compare(
    name: str,
    ours: Callable[[], Run],
    theirs: Callable[[], Run],
    *,
    runs: int = 9,
    prepare: Callable[[], None] = lambda: None,
    wanted: str = "",
    warm_up: bool = True,
) -> float:
    """Print medians of both and the median ratio theirs/ours (above 1: we are faster); the ratio."""
    pairs = []
    for _ in range(runs + warm_up):
        prepare()
        mine = ours()
        prepare()
        pairs.append((mine, theirs()))
    pairs = pairs[warm_up:]
    ratio = statistics.median(other.wall / mine.wall for mine, other in pairs)
    print(
        f"{name}: ours {statistics.median(m.wall for m, _ in pairs) * 1000:.0f} ms, "
        f"other {statistics.median(o.wall for _, o in pairs) * 1000:.0f} ms, other/ours {ratio:.2f}"
        + (f" (wanted: {wanted})" if wanted else "")
    )
    return ratio


def cpu(name: str, run: Callable[[], Run], *, runs: int = 15, wanted: str = "") -> float:
    """Print the median processor and wall time of a command; the processor seconds."""
    found = [run() for _ in range(runs + 1)][1:]
    seconds = statistics.median(one.cpu for one in found)
    print(
        f"{name}: {seconds * 1000:.0f} ms processor, {statistics.median(one.wall for one in found) * 1000:.0f} ms wall"
        + (f" (wanted: {wanted})" if wanted else "")
    )
    return seconds
