"""What can run commands in a repository or copy its ignored files, and what of it was known last.

To tell people; nothing is decided by it.
"""

import hashlib
import json
import os
import re
from contextlib import suppress

from git_fleet.model.errors import FleetError
from git_fleet.model.fleet import Repository
from git_fleet.repo import changing, git, objects

KNOWN = "refs/fleet/trust"
"""A blob: JSON, name -> digest."""

_RUNS = re.compile(
    r"core\.(hookspath|fsmonitor|sshcommand|gitproxy|pager|editor|askpass|attributesfile|worktree)"
    r"|sequence\.editor|gpg\.(.*\.)?program|alias\..*|pager\..*"
    r"|filter\..*\.(clean|smudge|process)|diff\.(external|.*\.(command|textconv))|merge\..*\.driver"
    r"|include(if\..*)?\.path|credential\.(.*\.)?helper|url\..*\.(insteadof|pushinsteadof)"
    r"|remote\..*\.(uploadpack|receivepack|vcs|proxy)|submodule\..*\.update|trailer\..*\.(cmd|command)"
    r"|uploadpack\.packobjectshook|fleet\.(gate|setup|copy|agent|ondone|onstuck|onlanded)|fleet(gate|agent)\..*"
)


def digests(repository: Repository) -> dict[str, str]:
    """name -> digest of every such key of the repository's own configuration, and of every hook."""
    found: dict[str, list[bytes]] = {}
    for key, value in git.config_file_entries(repository, ""):
        if _RUNS.fullmatch(key):
            found.setdefault(key, []).append(value.encode("utf-8", "surrogateescape"))
    home = f"{repository.common_dir}/hooks"
    for name in sorted(os.listdir(home)) if os.path.isdir(home) else ():
        if not name.endswith(".sample") and os.access(f"{home}/{name}", os.X_OK) and os.path.isfile(f"{home}/{name}"):
            found[f"hooks/{name}"] = [_content(f"{home}/{name}")]
    return {name: hashlib.sha256(b"\0".join(values)).hexdigest() for name, values in found.items()}


def _content(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:  # it may be run by those who may not read it
        return b""


def known(repository: Repository) -> dict[str, str] | None:
    """What was known last; None where nobody has written it down."""
    told = git.ask(repository, "cat-file", "blob", KNOWN)
    try:
        found = json.loads(told.stdout) if told.status == 0 else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def changed(repository: Repository) -> tuple[tuple[str, str], ...]:
    """(name, `new`, `changed` or `gone`) for all that differs from what was known last."""
    before = known(repository)
    if before is None:
        return ()
    now = digests(repository)
    names = [name for name in sorted({*before, *now}) if before.get(name) != now.get(name)]
    return tuple((name, "new" if name not in before else "changed" if name in now else "gone") for name in names)


def remember(repository: Repository) -> None:
    """Take it as it is now for known. Raises Busy, GitError."""
    before = git.refs(repository, KNOWN).get(KNOWN)
    data = json.dumps(digests(repository)).encode("utf-8", "surrogateescape")
    if objects.object_id(repository, "blob", data) != before:
        blob = objects.put(repository, [("blob", data)], KNOWN)
        changing.update_refs(repository, [changing.RefUpdate(KNOWN, before, blob)], "fleet: known")
        objects.release(repository, KNOWN)


def remember_first(repository: Repository) -> None:
    """The same where nothing is known yet. It only informs: where that fails, or another is quicker, work goes on."""
    with suppress(FleetError, OSError):
        if not git.refs(repository, KNOWN):
            remember(repository)
