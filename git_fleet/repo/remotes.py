"""Another repository of the same project: where a branch is pushed to, the push, and what is there."""

from typing import NamedTuple

from git_fleet.model.fleet import Repository
from git_fleet.repo import git, process


class Target(NamedTuple):
    """A remote by name or address, and the full ref there."""

    remote: str
    ref: str


def target(repository: Repository, branch: str) -> Target | None:
    """Where `git push` would bring a branch: its upstream, else the same name at `origin`; None without a remote."""
    keys = ("pushremote", "remote", "merge")
    entries = dict(git.config_entries(repository, r"^(branch\..*\.(pushremote|remote|merge)|remote\.pushdefault)$"))
    own = {key: entries.get(f"branch.{branch}.{key}") for key in keys}
    remote = own["pushremote"] or entries.get("remote.pushdefault") or own["remote"]
    if remote == ".":  # it follows a branch of this very repository
        remote = None
    names = git.answer(repository, "remote").split("\n")[:-1]
    if remote is None:
        remote = "origin" if "origin" in names else None
    if remote is None:
        return None
    follows = own["merge"] if own["merge"] and own["remote"] == remote else None
    return Target(remote, follows or f"refs/heads/{branch}")


def push(repository: Repository, to: Target, commit: str, top: str | None) -> process.Result:
    """Push a commit, plainly: never forced. The user's hooks run, in the worktree `top` where there is one."""
    args = ("push", "--no-follow-tags", "--", to.remote, f"{commit}:{to.ref}")
    return git.ask(repository, *args, cwd=top, pinned=())


def tip(repository: Repository, at: Target, top: str | None) -> tuple[bool, str | None]:
    """(could the remote be read, the commit that its ref is at now). Asked in `top`, to which its address may be
    relative.
    """
    told = git.ask(repository, "ls-remote", "--refs", "--", at.remote, at.ref, cwd=top)
    if told.status:
        return False, None
    ids = [line.split("\t")[0] for line in told.stdout.splitlines() if line.endswith(f"\t{at.ref}")]
    return True, ids[0] if ids else None


def note(repository: Repository, at: Target, top: str | None) -> None:
    """Bring the remote-tracking ref up to date, which a push that was cut off has not done."""
    git.ask(repository, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--", at.remote, at.ref, cwd=top)
