"""What lies between two commits, and who reaches whom: a process for all."""

from collections.abc import Sequence

from git_fleet.model.fleet import Repository
from git_fleet.repo import git


def contained(repository: Repository, tip: str, commits: Sequence[str]) -> frozenset[str]:
    """Those of the commits that are reachable from `tip`; one process for all, as long as all of them are there."""
    wanted = frozenset(commits)
    if not wanted:
        return wanted
    asked = "".join(f"{commit}\n" for commit in (*wanted, f"^{tip}"))
    listed = git.ask(repository, "rev-list", "--stdin", stdin=asked)
    if listed.status:
        return frozenset(commit for commit in wanted if git.is_ancestor(repository, commit, tip))
    return wanted.difference(listed.stdout.split())


def beside(repository: Repository, base: str, tips: Sequence[str]) -> list[str]:
    """All commits that are reachable from the tips and not from the base, children first."""
    asked = "".join(f"{commit}\n" for commit in (*tips, f"^{base}"))
    return git.answer(repository, "rev-list", "--topo-order", "--stdin", stdin=asked).split()


def has_merges(repository: Repository, base: str, tip: str) -> bool:
    """Is a merge among the commits that `tip` has and `base` has not?"""
    return git.answer(repository, "rev-list", "--merges", "--max-count=1", f"{base}..{tip}") != ""


def with_parents(repository: Repository, revisions: Sequence[str], *options: str) -> list[tuple[str, tuple[str, ...]]]:
    """(commit, parents) of all that the revisions reach (`^<commit>`: less what that one reaches), children first."""
    asked = "".join(f"{revision}\n" for revision in revisions)
    listed = git.answer(repository, "rev-list", "--topo-order", "--parents", *options, "--stdin", stdin=asked)
    return [(words[0], tuple(words[1:])) for words in map(str.split, listed.splitlines())]


def graph(repository: Repository, base: str, tips: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
    """(commit, parents), children first, of all that `base` and `tips` do not have in common.

    Hardly ever more: what all have in common is asked of the few commits where the tips left the base, not of each tip.
    """
    walked = with_parents(repository, [*tips, f"^{base}"], "--boundary")
    own = [(commit, parents) for commit, parents in walked if not commit.startswith("-")]
    known = {commit for commit, _ in own}
    left = {commit.removeprefix("-") for commit, _ in walked if commit.startswith("-")}
    left.update(tip for tip in tips if tip not in known)
    unrelated = any(not parents for _, parents in own)  # at least one tip has a beginning of its own
    common = (
        list(left) if len(left) == 1 else git.ask(repository, "merge-base", "--octopus", base, *left).stdout.split()
    )
    return own + with_parents(repository, [base, *(f"^{commit}" for commit in ([] if unrelated else common))])


def first_parent_range(repository: Repository, old: str, new: str) -> list[tuple[str, tuple[str, ...]]]:
    """(commit, parents) of the first-parent chain from `new` down to `old`, which is left out."""
    return with_parents(repository, [new, f"^{old}"], "--first-parent")


def to_pick(repository: Repository, line: str, tip: str, known: Sequence[str]) -> list[str]:
    """The commits that `git rebase` would make again on `line`, oldest first, less those that `known` commits have."""
    options = ("--cherry-pick", "--right-only", "--no-merges", "--topo-order", "--reverse", "--ignore-missing")
    left_out = tuple(f"^{commit}" for commit in known)
    return git.answer(repository, "rev-list", *options, f"{line}...{tip}", *left_out, "--").split()
