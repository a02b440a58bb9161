"""What an undo takes away again, worktrees and branches, is judged, held on to and looked at as `remove` does it."""

import json
from collections.abc import Iterator, Sequence

from git_fleet.analysis import removal
from git_fleet.model.errors import Refused
from git_fleet.model.fleet import Worktree
from git_fleet.model.journal import ChangeKind, RecordedChange
from git_fleet.model.plan import Task
from git_fleet.model.removal import Facts, Fate, Judged
from git_fleet.operations import observe, remove
from git_fleet.operations.context import Context
from git_fleet.repo import entries, git, worktrees


def judge(context: Context, changes: Sequence[RecordedChange]) -> list[Judged]:
    """A verdict for each worktree, branch and entry that goes when these changes are taken back; read-only.

    Nobody asks whether the branch has landed: its commits are kept, and it is where the operation left it.
    """
    made = [change for change in changes if change.before is None]
    branches = [one.name for one in made if one.kind is ChangeKind.REF and one.name.startswith("refs/heads/")]
    found = []
    for change in made:
        if change.kind is ChangeKind.WORKTREE:
            tree = next((tree for tree in context.worktrees if tree.path == change.name), None)
            ref = json.loads(change.after or "{}").get("branch") or (tree.branch if tree else None) or ""
            found.append(_worktree(context, change.name, tree, ref, going=ref in branches))
            branches = [one for one in branches if one != ref]
        elif change.kind is ChangeKind.ENTRY:
            found += _entry(context, change.name)
    return [*found, *(_branch(context, ref, None) for ref in branches)]


def _branch(context: Context, ref: str, tree: Worktree | None) -> Judged:
    task = Task(id=git.short(ref), title="", slug="", branch=git.short(ref), worktree="")
    facts = observe.claimed(observe.surroundings(context), _known(context, task), task, tree)
    facts = facts._replace(half_written=entries.half_written(context.repository).get(ref))
    return Judged(task, None, facts, removal.verdict(facts))


def _known(context: Context, task: Task) -> Facts:
    return Facts(branch=task.branch, tip=git.resolve(context.repository, task.ref), landed=True)


def _worktree(context: Context, path: str, tree: Worktree | None, ref: str, *, going: bool) -> Judged:
    """`going`: its branch goes with it."""
    task = Task(id=git.short(ref), title="", slug="", branch=git.short(ref), worktree=path)
    facts = _branch(context, ref, tree).facts if going else _known(context, task)
    if tree is None:
        facts = facts._replace(worktree=path)
    else:
        facts = observe.worktree(context, tree, facts, remove.keepers(context, facts))
    return Judged(task, tree, facts, removal.verdict(facts))


def _entry(context: Context, entry: str) -> Iterator[Judged]:
    """An entry that had come back without its folder. One that git does not list is nobody's."""
    for tree in context.worktrees:
        if not tree.main and worktrees.lost_entry(context.repository, tree.path) == entry:
            task = Task(id=tree.path, title="", slug="", branch=git.short(tree.branch or ""), worktree=tree.path)
            known = _known(context, task)
            facts = observe.worktree(context, tree, known, remove.keepers(context, known))
            if not facts.gone:
                facts = facts._replace(inside=(*facts.inside, "its folder is there again"))
            yield Judged(task, tree, facts, removal.of_stale_entry(facts), entry_only=True)


def refuse(judged: Sequence[Judged]) -> None:
    """Raises Refused where anything has to stay, with every reason."""
    kept = [one for one in judged if one.verdict.fate is not Fate.REMOVE]
    if kept:
        said = "; ".join(
            f"'{one.facts.worktree or one.task.branch}' stays: {', '.join(one.verdict.reasons)}" for one in kept
        )
        hints = list(dict.fromkeys(hint for one in kept for hint in one.verdict.hints))
        raise Refused(f"not undone: {said}", hints)


def look_again(context: Context, judged: Sequence[Judged], trashed: worktrees.Trashed) -> None:
    """As `remove` does, when a folder is in the trash. Raises Refused."""
    for one in judged:
        if one.worktree is not None and one.worktree.path == trashed.path:
            remove.look_again(context, one, trashed)
