"""What commits change, by git's patch ids: the same change has the same id wherever it was made."""

from collections.abc import Sequence

from git_fleet.repo import footprints, git, merging

_DIFF = ("-p", "-U3", "--full-index", "--no-renames", "--no-ext-diff", "--no-textconv")


def ids(place: merging.Quarantine, commits: Sequence[str], paths: Sequence[str] = ()) -> dict[str, str]:
    """The patch id of each commit with one parent that changes something (in these paths); two processes for all.

    White space counts and files that are not text count by their contents (`--verbatim`). Raises GitError where objects
    are missing; nothing is fetched in an offline quarantine.
    """
    if not commits:
        return {}
    top, asked = merging.top(place), "".join(f"{commit}\n" for commit in dict.fromkeys(commits))
    args = ("diff-tree", "--stdin", *_DIFF, "--", *paths)
    diff = git.answer(place.repository, *args, cwd=top, env=place.env, stdin=asked)
    told = git.answer(place.repository, "patch-id", "--verbatim", cwd=top, env=place.env, stdin=diff)
    return {commit: patch for patch, commit in map(str.split, told.splitlines())}


def renamed(place: merging.Quarantine, commit: str) -> set[str]:
    """The paths that a commit has given other names."""
    args = ("diff-tree", "-r", "-z", "--no-commit-id", "--find-renames", "--diff-filter=R", "--name-status", commit)
    told = git.answer(place.repository, *args, cwd=merging.top(place), env=place.env)
    return set(told.split("\0")[1::3])


def paths(place: merging.Quarantine, commits: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The paths that each commit with one parent changes; one process for all. Raises GitError as `ids`."""
    if not commits:
        return {}
    found = footprints.footprints(place.repository, commits, env=place.env, cwd=merging.top(place))
    return {commit: footprint.paths for commit, footprint in found.items()}
