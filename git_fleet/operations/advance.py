"""Move a branch that may be checked out: ref and worktree go together, and only if no work is in the way."""

import shlex
from collections.abc import Mapping, Sequence

from git_fleet.analysis.blocking import blocking
from git_fleet.model.errors import BrokenOff, Moved, Refused
from git_fleet.model.events import Listener, Note, Recovered
from git_fleet.model.fleet import Repository, Worktree
from git_fleet.model.journal import RecordedChange
from git_fleet.repo import around, changing, compare, git, halfway, looking

MOST_NAMED = 5


def holder(worktrees: Sequence[Worktree], ref: str) -> Worktree | None:
    """The worktree that has the branch checked out. Raises Refused when there are two: neither would be right."""
    found = [tree for tree in worktrees if tree.branch == ref and tree.prunable is None]
    if len(found) > 1:
        places = " and ".join(f"'{tree.path}'" for tree in found)
        raise Refused(
            f"'{ref.removeprefix('refs/heads/')}' is checked out twice, in {places}", ["switch one of them away"]
        )
    return found[0] if found else None


def refuse_if_under_way(repository: Repository, worktrees: Sequence[Worktree], ref: str) -> None:
    """Raises Refused where a rebase or bisection is to come back to the branch, though it is checked out nowhere then.

    As git refuses to force it: a rebase that is given up puts it back to where it was, and so throws away the move.
    """
    for tree in worktrees:
        if tree.prunable is None and around.branch_under_way(repository, tree) == ref:
            private = repository.common_dir if tree.main else git.private_dir(tree.path) or ""
            what = looking.operation_in_progress(private) or "rebase"
            raise Refused(
                f"a {what} of '{ref.removeprefix('refs/heads/')}' is in progress in '{tree.path}'",
                [f"finish it there first, or give it up: git -C {shlex.quote(tree.path)} status"],
            )


def refuse_if_in_the_way(
    repository: Repository,
    tree: Worktree | None,
    touched: Sequence[str],
    own: str | None = None,
    submodules: compare.Submodules = compare.NO_SUBMODULES,
) -> None:
    """Raises Refused when uncommitted work in the checkout lies where the move would write, or git is busy there.

    `own` is a path whose changes are fleet's. Of the `submodules`, those that stay are moved by nobody, whatever is
    checked out there; where a file takes the place of one, git deletes all that is in its folder.
    """
    if tree is None:
        return
    dirt = looking.dirt([tree.path], untracked=False)[tree.path]
    if dirt is None:
        raise Refused(f"git cannot say whether '{tree.path}' is clean", [changing.look_there(tree.path)])
    if dirt.operation:
        raise Refused(f"a {dirt.operation} is in progress in '{tree.path}'", ["finish it there first"])
    untracked = looking.untracked_where(repository, tree.path, touched)
    apart = {own, *(path for path in dirt.unstaged if path in submodules.moved and path not in dirt.staged)}
    lost = [path for path in submodules.replaced if looking.is_filled(f"{tree.path}/{path}")]
    found = blocking([path for path in (*dirt.paths, *untracked, *lost) if path not in apart], touched)
    if found:
        raise Refused(f"uncommitted work in '{tree.path}' is in the way: {some_of(found)}", [to_commit(tree.path)])


def some_of(paths: Sequence[str]) -> str:
    """A few of them, and how many more."""
    more = len(paths) - MOST_NAMED
    return ", ".join(paths[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def to_commit(top: str) -> str:
    """The hint for whoever has uncommitted work there."""
    return f"commit or move it there, then try again: git -C {shlex.quote(top)} status"


def move(
    repository: Repository, ref: str, old: str, new: str, action: str, inherit: Sequence[int], *, back: bool = False
) -> None:
    """Move `ref` from `old` to `new` by compare-and-swap, with its checkout if it has one.

    Forward is a fast-forward; `back` goes anywhere. Raises Moved when it is not at `old`, Refused with work in the way.
    """
    trees = git.worktrees(repository)
    refuse_if_under_way(repository, trees, ref)
    tree = holder(trees, ref)
    if tree is None:
        changing.update_refs(repository, [changing.RefUpdate(ref, old, new)], action, inherit)
        return
    now = git.refs(repository, ref).get(ref)
    if now != old:
        raise Moved(f"'{ref}' moved meanwhile: it is at {now or 'nothing'}, not at {old}", ["try again"])
    touched, submodules = git.changed_paths(repository, old, new), compare.changed_submodules(repository, old, new)
    refuse_if_in_the_way(repository, tree, touched, submodules=submodules)
    try:
        if back:
            changing.move_back(tree.path, repository, ref, old, new, action, inherit)
        else:
            changing.fast_forward(tree.path, repository, ref, new, action, inherit)
    except Refused as error:
        now = git.refs(repository, ref).get(ref)
        if now == old and not isinstance(error, BrokenOff) and _is_halfway(repository, tree, touched, submodules):
            raise BrokenOff(error.message, error.hints) from error
        if now == old or (now == new and isinstance(error, BrokenOff)):
            raise
        raise Moved(f"'{ref}' moved meanwhile: it is at {now or 'nothing'}, not at {old}", ["try again"]) from error
    there = git.refs(repository, ref).get(ref)
    if there != new and (there is None or back or not git.is_ancestor(repository, new, there)):  # a hook may go on
        raise Moved(f"'{ref}' moved meanwhile", ["try again"])


def _is_halfway(repository: Repository, tree: Worktree, touched: Sequence[str], submodules: compare.Submodules) -> bool:
    """Is anything in the way where nothing was before: did git begin to write, whatever its exit status says?"""
    try:
        refuse_if_in_the_way(repository, tree, touched, submodules=submodules)
    except Refused:
        return True
    return False


def settle(
    repository: Repository,
    change: RecordedChange,
    say: Listener,
    inherit: Sequence[int] = (),
    conflicts: Mapping[str, str] | None = None,
) -> None:
    """Where a git broke off while it moved a branch's checkout, and the branch did not move: put the checkout back.

    It is left, and said, where there is anything else by now. Raises Busy while a lock of that git is in the way.
    `conflicts`: it was merging or rebasing there (see `halfway.put_back`). What waits for its author is his.
    """
    if (
        change.before is None
        or change.after is None
        or git.refs(repository, change.name).get(change.name) != change.before
    ):
        return
    for tree in git.worktrees(repository):
        if tree.branch != change.name or tree.prunable is not None or looking.merge_head(tree.path):
            continue
        done = halfway.put_back(repository, tree.path, change.before, change.after, inherit, conflicts or {})
        broken_off = f"git broke off while it changed files in '{tree.path}'"
        if done is False:
            say(Note(f"{broken_off}: look at git -C {shlex.quote(tree.path)} status"))
            continue
        if conflicts is not None:
            halfway.forget(repository, tree.path, inherit)
        if done:
            say(Recovered(f"{broken_off}: it is as it was before"))
