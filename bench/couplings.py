"""How true the warnings of hidden coupling are: learnt before a point in a real history, judged by what followed."""

import os
import subprocess
import sys
from collections.abc import Iterator

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from git_fleet.analysis import coupling, ownership
from git_fleet.model.plan import Footprint, Task

HISTORY = 2000
FOLLOWING = 100
POINTS = (100, 200, 300, 400, 500, 600, 700)
"""So many merges before the end of the history lies the point up to which is learnt."""


def git(repository: str, *args: str, stdin: str = "") -> str:
    done = subprocess.run(["git", "-C", repository, *args], input=stdin, capture_output=True, text=True, check=True)
    return done.stdout


def learnt(repository: str, commit: str) -> list[Footprint]:
    """What `plan` would see there."""
    log = git(repository, "log", f"-n{HISTORY}", "--no-merges", "--no-renames", "--name-only", "--format=%x01", commit)
    return [Footprint(tuple(filter(None, entry.split("\n")))) for entry in log.split("\x01")[1:]]


def warned(repository: str, commit: str, history: list[Footprint]) -> Iterator[tuple[str, str]]:
    """The pairs of files that a plan with a task for each file would be warned of."""
    files = sorted(filter(None, git(repository, "ls-tree", "-r", "-z", "--name-only", commit).split("\0")))
    tasks = [Task(path, "", "", path, path, owns=(path,)) for path in files if not ownership.bad_pattern(path)]
    claims = ownership.claims(tasks, files)
    for found in coupling.couplings(tasks, claims, history, ()):
        yield found.paths


def judge(repository: str) -> None:
    """Print both shares for one repository."""
    line = git(repository, "rev-list", "--first-parent", "main").split()
    all_pairs = right = changes = together = 0
    for point in POINTS:
        following = [
            set(git(repository, "diff", "--name-only", "--no-renames", f"{commit}^1", commit).split("\n")) - {""}
            for commit in line[point - FOLLOWING : point]
        ]
        history = learnt(repository, line[point])
        for one, other in warned(repository, line[point], history):
            if not any({one, other} & paths for paths in following):
                continue
            all_pairs += 1
            right += any({one, other} <= paths for paths in following)
            rarer = min(one, other, key=lambda path: sum(path in commit.paths for commit in history))
            changes += sum(rarer in paths for paths in following)
            together += sum({one, other} <= paths for paths in following)
    print(
        f"{os.path.basename(repository)}: warned of {all_pairs} pairs of files that were worked on, "
        f"{right / all_pairs:.0%} changed together in the {FOLLOWING} merges that followed; "
        f"{together / changes:.0%} of {changes} changes of the rarer file came with the other (wanted: at least 70%)"
    )
