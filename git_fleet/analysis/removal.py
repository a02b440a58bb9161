"""May this worktree and its branch go? A pure function over what was observed; age is never a reason."""

import shlex
from collections.abc import Iterator

from git_fleet.model.fleet import Dirt
from git_fleet.model.removal import Facts, Fate, Verdict

MOST_NAMED = 5


def verdict(facts: Facts) -> Verdict:
    """Keep whatever anybody could miss; remove only what is proven landed and holds nothing else."""
    reasons = (*_of_branch(facts), *of_worktree(facts))
    if reasons:
        return Verdict(Fate.KEEP, reasons, tuple(_ways_out(facts)))
    if facts.unlanded is None or (facts.worktree is not None and facts.dirt is None):
        return Verdict(Fate.UNKNOWN, ("git cannot tell what is in it",), ("git fleet doctor",))
    return Verdict(Fate.REMOVE, (facts.proof,))


def of_stale_entry(facts: Facts) -> Verdict:
    """May the entry of a worktree go whose folder is gone? The branch stays, and so do the commits."""
    reasons = of_worktree(facts)
    if reasons:
        return Verdict(Fate.KEEP, reasons, tuple(_ways_out(facts)))
    if facts.dirt is None:
        return Verdict(Fate.UNKNOWN, ("git cannot tell what its index holds",), ("git fleet doctor",))
    return Verdict(Fate.REMOVE, ("its folder is gone",))


def _ways_out(facts: Facts) -> Iterator[str]:
    if facts.foreign:
        yield "git fleet leaves alone what it has not made: git worktree remove"
    elif _of_branch(facts):
        yield f"git fleet land {shlex.quote(facts.branch)}" if facts.unlanded else "git fleet status"
    if facts.in_use:
        yield f"let go of it there: git -C {shlex.quote(facts.in_use[0])} switch <another branch>"
    if facts.shown:
        yield "let go of it there: git symbolic-ref HEAD refs/heads/<another branch>, in the bare repository"
    if facts.half_written:
        yield "git fleet doctor   # says what can be done about a half-written entry"
    if facts.stashes:
        yield f"git stash show -p '{facts.stashes[0]}', then apply or drop it"
    if facts.worktree is None:
        return
    place = shlex.quote(facts.worktree)
    if facts.inside:
        yield f"move it out; of a submodule: commit and push, or put it away: git -C {place} submodule deinit --all"
    if facts.taken_over:
        yield f"git worktree repair   # makes '.git' lead there again, if what is now {place}/.git is moved away before"
    if facts.moved:
        yield f"git worktree repair {shlex.quote(facts.moved)}   # tells git where it is"
    elif facts.away:
        yield f"mount the disk; if there is none: mkdir -p {shlex.quote(facts.away)}"
    if facts.other_branch and facts.tip is None:
        names = f"{shlex.quote(facts.branch)} branch {shlex.quote(facts.other_branch)}"
        yield f"git fleet plan set {names}   # if it was renamed"
    elif facts.other_branch:
        yield f"git -C {place} switch {shlex.quote(facts.branch)}, or move the worktree: git worktree move"
    if facts.standing_in:
        yield f"cd out of {place} first"
    if facts.agent:
        yield f"git fleet stop {facts.agent[0]}"
    elif facts.processes:
        yield f"end what runs in {place}, or let it finish"
    if facts.locked is not None:
        yield f"git worktree unlock {place}"
    for name, commit in facts.unkept:
        yield f"git branch <name> {commit}   # keeps what {name} of it holds"
    if facts.dirt and facts.dirt.operation:
        give_up = "reset" if facts.dirt.operation == "bisect" else "--abort"
        yield f"finish it, or give it up: git -C {place} {facts.dirt.operation} {give_up}"
    if facts.dirt and of_dirt(facts.dirt._replace(operation=None, unreadable=())):
        yield "commit or move what is named, then try again"
    if facts.dirt and facts.dirt.unreadable:
        closed = shlex.quote(f"{facts.worktree}/{facts.dirt.unreadable[0]}")
        yield f"look into what cannot be read: chmod u+rwx {closed}"
    if facts.dirt and facts.dirt.ignored:
        yield "ignored files that can be made again may go: git config --add fleet.disposable <pattern>"


def _of_branch(facts: Facts) -> list[str]:
    if facts.foreign:
        return ["it is not in the plan, and git fleet has not made it"]
    reasons = [f"'{facts.branch}' is in use in '{place}'" for place in facts.in_use]
    if facts.shown:
        reasons.append(f"'{facts.branch}' is HEAD of the bare repository")
    if facts.half_written:
        reasons.append(f"'{facts.branch}' is in use by '{facts.half_written}', which is half written")
    reasons += [f"{name} was made on '{facts.branch}'" for name in facts.stashes]
    if facts.unlanded:
        noun = "commit" if facts.unlanded == 1 else "commits"
        return [f"'{facts.branch}' has {facts.unlanded} {noun} that the base lacks", *reasons]
    return reasons if facts.landed else [f"'{facts.branch}' has not landed", *reasons]


def of_worktree(facts: Facts) -> tuple[str, ...]:
    """Every reason for which the worktree alone has to stay where it is."""
    if facts.worktree is None:
        return ()
    reasons = list(facts.inside)
    if facts.taken_over:
        reasons.append(f"its '.git' leads to '{facts.taken_over}', which is not its entry")
    if facts.moved:
        reasons.append(f"its folder was moved to '{facts.moved}'")
    elif facts.away:
        reasons.append(f"its folder is gone, and so is '{facts.away}': a disk may be away")
    if facts.other_branch:
        reasons.append(f"it is on '{facts.other_branch}', not on '{facts.branch}'")
    if facts.standing_in:
        reasons.append("you stand in it")
    if facts.agent:
        reasons.append(f"its agent runs (process {facts.agent[1]})")
    elif facts.processes:
        reasons.append(f"in use by process {_some(facts.processes)}")
    if facts.locked is not None:
        reasons.append(f"it is locked{f': {facts.locked}' if facts.locked else ''}")
    for name, _ in facts.unkept:
        reasons.append(f"what {'is checked out there' if name == 'HEAD' else f'{name} holds'} is on no branch")
    return (*reasons, *(of_dirt(facts.dirt) if facts.dirt else ()))


def of_dirt(dirt: Dirt) -> list[str]:
    """Every reason for which uncommitted work has to stay."""
    kinds = (
        ("unmerged", dirt.unmerged),
        ("staged", dirt.staged),
        ("modified", dirt.unstaged),
        ("untracked", dirt.untracked),
        ("ignored", dirt.ignored),
        ("modified, though marked as unchanged", dirt.hidden),
        ("cannot be read", dirt.unreadable),
    )
    reasons = [f"{kind}: {_some(paths)}" for kind, paths in kinds if paths]
    return [*reasons, f"a {dirt.operation} is in progress"] if dirt.operation else reasons


def _some(paths: tuple[str, ...]) -> str:
    more = f" and {len(paths) - MOST_NAMED} more" if len(paths) > MOST_NAMED else ""
    return ", ".join(paths[:MOST_NAMED]) + more
