"""What commits changed, asked of git in one process."""

from collections.abc import Mapping, Sequence

from git_fleet.model.fleet import Repository
from git_fleet.model.plan import Footprint
from git_fleet.repo.git import OFFLINE, answer


def history(repository: Repository, commit: str, limit: int) -> list[str]:
    """The last `limit` commits, whatever the line, newest first."""
    return answer(repository, "rev-list", f"--max-count={limit}", commit).split()


def merges(repository: Repository, commit: str, limit: int) -> list[tuple[str, str]]:
    """Both parents of each of the last `limit` merges of two, newest first."""
    options = ("--min-parents=2", "--max-parents=2", "--parents", f"--max-count={limit}")
    rows = (line.split() for line in answer(repository, "rev-list", *options, commit).splitlines())
    return [(ours, theirs) for _, ours, theirs in rows]


def footprints(
    repository: Repository, commits: Sequence[str], *, env: Mapping[str, str] = OFFLINE, cwd: str | None = None
) -> dict[str, Footprint]:
    """What each commit changed, without rename detection; of a merge, what differs from all its parents.

    Raises GitError where objects are missing; nothing is fetched for it.
    """
    options = ("--stdin", "-r", "-c", "--raw", "-z", "--root", "--no-renames", "--always")
    listed = answer(
        repository,
        "diff-tree",
        *options,
        stdin="".join(f"{commit}\n" for commit in commits),
        env=env,
        cwd=cwd,
    )
    paths: dict[str, list[str]] = {}
    merges = set()
    items = iter(listed.split("\0")[:-1])
    here = ""
    for item in items:
        if item.startswith(":"):
            paths[here].append(next(items))
            if item.startswith("::"):
                merges.add(here)
        else:
            here = item
            paths[here] = []
    return {commit: Footprint(tuple(found), commit in merges) for commit, found in paths.items()}
