"""From what was seen to what is wrong, and what may safely be done about it. Pure: `doctor` looks, and carries out."""

import shlex
from collections.abc import Iterator

from git_fleet.model.care import COMMONDIR, HEAD_IN_A_TABLE, Entry, Finding, Half, Observed, Repair, Severity

_EARLY = frozenset(
    ("interactive", "head-name", "onto", "orig-head", "head", "head.lock", "abort-safety", "opts", "opts.lock")
)
"""What git has written of a rebase or cherry-pick by the time when --abort begins to work."""
_ORDER = (Severity.ERROR, Severity.WARNING, Severity.NOTE)


def findings(seen: Observed) -> list[Finding]:
    """Everything that is wrong, the worst first, then what is worth knowing."""
    halves = [_of_half(half) for half in seen.halves]
    found = [*_of_entries(seen), *_of_repository(seen), *halves, *_of_ours(seen), *_of_locks(seen)]
    return sorted(found, key=lambda one: _ORDER.index(one.severity))


def is_wrong(finding: Finding) -> bool:
    """Is it more than a note, and still so?"""
    return finding.severity is not Severity.NOTE and not finding.repaired


def _of_entries(seen: Observed) -> Iterator[Finding]:
    broken = False
    for entry in seen.entries:
        found = _of_entry(entry)
        found += _led(entry) if not any(one.repair and one.repair.entry for one in found) else []
        broken = broken or any(one.severity is Severity.ERROR for one in found)
        yield from found
    if seen.list_fails and not broken:
        yield Finding(
            Severity.ERROR,
            "worktree-list",
            f"git cannot list the worktrees: {seen.list_fails}",
            f"{seen.common_dir}/worktrees",
            hints=("move the entry that it names out of the way",),
        )
    yield from _twice(seen)


def _of_entry(entry: Entry) -> list[Finding]:
    """What is wrong with one entry. One that cannot be mended in place goes to the trash, if no folder needs it."""
    if entry.locked and entry.locked.strip() == "initializing":
        return [_unfinished(entry)]
    found = [_without_head(entry)] if not _is_head(entry.head) else []
    if entry.folder is None or _says(entry.commondir) is None:
        broken = _half_written(entry)
        return [broken, *(found if broken.repair is None or broken.repair.entry is None else ())]
    if not entry.folder_there:
        return [_lost(entry, f"the entry '{entry.name}' is left of a worktree")] if found else [_without_folder(entry)]
    if entry.link != entry.place:
        return [*found, _not_linked(entry)]
    unreadable = entry.unreadable_index
    return [*found, *([_unreadable(entry.place, entry.folder, unreadable)] if unreadable else [])]


def _led(entry: Entry) -> list[Finding]:
    """Its `commondir` names a place, not the way there: that of the original in a copy, and where a moved one was."""
    said = _says(entry.commondir)
    if said is None or (entry.astray is None and not said.startswith("/")):
        return []
    place = f"{entry.place}/commondir"
    repair = Repair("writes how git finds it from there", files=((place, COMMONDIR),))
    if entry.astray is None:
        why = f"the entry '{entry.name}' says where this repository is: it is lost when that is moved or copied"
        return [Finding(Severity.NOTE, "entry-absolute", why, place, repair=repair)]
    why = f"the entry '{entry.name}' is taken for one of '{entry.astray}', where git looks for its commits and branches"
    return [Finding(Severity.ERROR, "entry-astray", why, place, repair=repair)]


def _says(text: str | None) -> str | None:
    """What a file of an entry says; None where it is empty, missing or makes no sense."""
    said = (text or "").removesuffix("\n")
    return said if said and "\0" not in said and "/" in said else None


def _is_head(text: str | None) -> bool:
    said = (text or "").strip()
    return said.startswith("ref: refs/") or (len(said) in (40, 64) and set(said) <= set("0123456789abcdef"))


def _lost(entry: Entry, why: str, hints: tuple[str, ...] = ()) -> Finding:
    """An entry that serves nothing any more. Its index and reflog stay, in the trash."""
    repair = Repair("moves the entry to the trash", entry=entry.place)
    return Finding(Severity.ERROR, "entry-broken", why, entry.place, _evidence(entry), hints, repair)


def _evidence(entry: Entry) -> tuple[str, ...]:
    files = (("commondir", entry.commondir), ("gitdir", entry.gitdir), ("HEAD", entry.head))
    bad = [f"{name} is {'missing' if text is None else 'empty'}" for name, text in files if not text]
    folder = [] if entry.folder is None else [f"its worktree: {entry.folder}{'' if entry.folder_there else ' (gone)'}"]
    return (*bad, *folder)


def _unfinished(entry: Entry) -> Finding:
    """Its folder may have been filled already: that stays, but git has to work, which it does nowhere without a
    `commondir` here."""
    why = f"the worktree '{entry.name}' was being made when its maker died"
    if not entry.folder_there:
        return _lost(entry, why)._replace(code="entry-unfinished")
    away = f"rm -r {shlex.quote(entry.folder or '')} && git fleet doctor --repair"
    hints = (f"where no git is at it any more, and nothing in it is wanted: {away}",)
    found = Finding(Severity.WARNING, "entry-unfinished", why, entry.place, _evidence(entry), hints)
    if _says(entry.commondir) is not None:
        return found
    files = ((f"{entry.place}/commondir", COMMONDIR),)
    repair = Repair("writes of which repository it is, so that git works again", files=files)
    return found._replace(severity=Severity.ERROR, repair=repair)


def _half_written(entry: Entry) -> Finding:
    """It does not say where its worktree is, or of which repository it is: git fails, or takes it for none."""
    lost = _lost(entry, f"the entry '{entry.name}' is half written: git fails, or does not see it")
    folder = entry.folder if entry.folder_there else None
    if folder is None and len(entry.claims) > 1:
        return lost._replace(repair=None, evidence=(*lost.evidence, *entry.claims))
    place = folder or next(iter(entry.claims), None)
    if place is None:
        return lost
    files = [(f"{entry.place}/gitdir", f"{place}/.git\n")] if place != entry.folder else []
    files += [(f"{entry.place}/commondir", COMMONDIR)] if _says(entry.commondir) is None else []
    return lost._replace(repair=Repair(f"writes that it is '{place}'", files=tuple(files)))


def _without_head(entry: Entry) -> Finding:
    why = f"the worktree '{entry.name}' has no HEAD that makes sense"
    if entry.in_tables:
        repair = Repair(
            "writes the file that git wants to see", files=((f"{entry.place}/HEAD", f"{HEAD_IN_A_TABLE}\n"),)
        )
        return Finding(Severity.ERROR, "entry-broken", why, entry.place, _evidence(entry), repair=repair)
    head = shlex.quote(f"{entry.place}/HEAD")
    hints = [f"if you know its branch: printf 'ref: refs/heads/<branch>\\n' >{head}"]
    hints += [f"its last commit was {entry.last_commit}: echo {entry.last_commit} >{head}"] if entry.last_commit else []
    return Finding(Severity.ERROR, "entry-broken", why, entry.place, _evidence(entry), tuple(hints))


def _without_folder(entry: Entry) -> Finding:
    """Moved by hand, deleted, or on a disk that is away: then a folder elsewhere that names it is a copy of it."""
    why = f"the folder of the worktree '{entry.folder}' is gone"
    told = tuple(f"'{claim}' says that it is this worktree: was it moved, or copied?" for claim in entry.claims)
    around_there = entry.parent_there and entry.locked is None
    if len(entry.claims) == 1 and (around_there or entry.moved_along):
        place = entry.claims[0]
        files: tuple[tuple[str, str], ...] = (
            (f"{entry.place}/gitdir", f"{place}/.git\n"),
            (f"{place}/.git", f"gitdir: {entry.place}\n"),
        )
        repair = Repair(f"writes that it is '{place}' now", files=files)
        what = f"the worktree '{entry.folder}' was moved to '{place}'"
        return Finding(Severity.ERROR, "worktree-moved", what, entry.place, repair=repair)
    if entry.locked is not None:
        what = f"{why}, and it is locked: its disk may be away"
        return Finding(Severity.NOTE, "worktree-away", what, entry.place, told)
    if not entry.parent_there:
        around = shlex.quote((entry.folder or "").rpartition("/")[0])
        hints = (f"mount its disk; if there is none any more: mkdir -p {around} && git fleet clean",)
        what = f"{why}, and so is the one around it"
        return Finding(Severity.WARNING, "worktree-away", what, entry.place, told, hints)
    ways = ("moved: git worktree repair <its place now>", "deleted: git fleet clean")
    return Finding(Severity.WARNING, "worktree-missing", why, entry.place, told, ways)


def _not_linked(entry: Entry) -> Finding:
    """The folder names another git directory, or none."""
    folder, place = entry.folder or "", entry.place
    link = f"gitdir: {place}\n"
    if entry.link is None:
        why = f"the folder '{folder}' of a worktree has no '.git' that makes sense"
        again = f"printf 'gitdir: %s\\n' {shlex.quote(place)} >{shlex.quote(folder)}/.git"
        hints = (f"if it is still that worktree: {again}",)
        return Finding(Severity.ERROR, "worktree-unlinked", why, folder, (place,), hints)
    told = (f"its '.git' names '{entry.link}'",)
    if entry.link_there or not entry.link.endswith(f"/worktrees/{entry.name}"):
        why = f"'{folder}' is not, or not only, a worktree of this repository: was this one copied?"
        hints = (f"in a copy, its entry is of no use: move '{place}' out of the way",)
        return Finding(Severity.WARNING, "worktree-foreign", why, place, told, hints)
    why = f"the worktree '{folder}' looks for its repository where that was"
    repair = Repair("writes where it is", files=((f"{folder}/.git", link),))
    return Finding(Severity.ERROR, "repository-moved", why, folder, told, repair=repair)


def _unreadable(git_dir: str, folder: str, why: str) -> Finding:
    index = shlex.quote(f"{git_dir}/index")
    hints = (f"no file is touched by: mv {index} {index}.damaged && git -C {shlex.quote(folder)} reset",)
    what = f"the index of the worktree '{folder}' cannot be read"
    return Finding(Severity.ERROR, "index-damaged", what, f"{git_dir}/index", (why,), hints)


def _twice(seen: Observed) -> Iterator[Finding]:
    where: dict[str, list[str]] = {}
    heads = [(seen.main, seen.main_head), *((one.folder or "", one.head) for one in seen.entries if one.folder_there)]
    for folder, head in heads:
        if head and head.startswith("ref: ") and head.strip() != HEAD_IN_A_TABLE:
            where.setdefault(head[5:].strip(), []).append(folder)
    for ref, folders in where.items():
        if len(folders) > 1:
            branch = ref.removeprefix("refs/heads/")
            why = f"'{branch}' is checked out {len(folders)} times: a commit in one looks like a reversal in the other"
            hints = (f"git -C {shlex.quote(folders[-1])} switch --detach",)
            yield Finding(Severity.WARNING, "branch-twice", why, folders[-1], tuple(folders), hints)


def _of_repository(seen: Observed) -> Iterator[Finding]:
    if seen.bare_flipped:
        yield Finding(
            Severity.ERROR,
            "core-bare",
            "core.bare is true, but this repository has a worktree: somebody flipped it",
            f"{seen.common_dir}/config",
            (f"there is an index: '{seen.common_dir}/index'",),
            repair=Repair("sets core.bare to false", config=("core.bare", "false")),
        )
    if seen.main_index:
        yield _unreadable(seen.common_dir, seen.main, seen.main_index)
    for ref, says, last in seen.bad_refs:
        path = f"{seen.common_dir}/{ref}"
        again = f"rm -f {shlex.quote(path)} && git update-ref {shlex.quote(ref)} {last}"
        ways = (f"its last commit was {last}: {again}",) if last else _without_log(ref, path)
        yield Finding(Severity.ERROR, "ref-broken", f"'{ref}' names nothing that is there", path, (says,), ways)
    for name, branch in seen.stashes:
        yield Finding(Severity.NOTE, "stash", f"{name} was made on '{branch}'; all worktrees share the stash")


def _without_log(ref: str, path: str) -> tuple[str, ...]:
    """Nothing says what it was: the commit may still be there, though nothing names it."""
    found = "git fsck --no-reflogs --lost-found   # lists the commits that nothing names"
    return (found, f"if you know its commit: rm -f {shlex.quote(path)} && git update-ref {shlex.quote(ref)} <commit>")


def _of_half(half: Half) -> Finding:
    """What is left of an operation that was killed. It goes where HEAD is on its branch and nothing was done yet."""
    here, code = f"git -C {shlex.quote(half.folder)}", f"{half.operation}-broken"
    if half.operation == "merge":
        why = f"git was killed in a merge in '{half.folder}': what it merged is not written, a commit would be no merge"
        again = f"if you know it: {here} rev-parse <what was merged> >{shlex.quote(half.place)}"
        return Finding(Severity.ERROR, code, why, half.place, (), (f"{here} merge --abort", again))
    on_branch = (half.head or "").startswith("ref: refs/heads/")
    branch = (half.head or "").removeprefix("ref: refs/heads/").strip()
    why = f"git was killed as a {half.operation} began or ended in '{half.folder}', and --abort fails with what is left"
    at = f"HEAD is on '{branch}', where it stays" if on_branch else f"HEAD is detached at {branch}, where it stays"
    evidence = [f"{', '.join(half.lacks)}: missing or empty", at]
    hints = [f"forgets it, and touches no commit and no file: {here} {half.operation} --quit"]
    hints += [] if on_branch else [f"then back to its branch: {here} switch <branch>"]
    if half.autostash:
        evidence.append(f"what was not committed is kept in {half.autostash}")
        hints.append(f"git puts it into the stash then: {here} stash pop")
    is_early = on_branch and not half.autostash and _EARLY.issuperset(half.names)
    repair = Repair("moves what is left to the trash", entry=half.place) if is_early else None
    return Finding(Severity.ERROR, code, why, half.place, tuple(evidence), tuple(hints), repair)


def _of_ours(seen: Observed) -> Iterator[Finding]:
    if seen.journal is not None:
        kind, path, why = seen.journal
        if kind == "newer":
            hints = ("use that version; git fleet's readers work without it",)
            yield Finding(Severity.ERROR, "journal-newer", "our journal is from a newer git fleet", path, (why,), hints)
        else:
            repair = Repair("moves it aside: git fleet works without it, less its history", aside=path)
            yield Finding(Severity.ERROR, "journal-damaged", "our journal cannot be read", path, (why,), repair=repair)
    if seen.settings:
        yield Finding(
            Severity.ERROR, "settings", seen.settings, None, hints=("git config --show-origin --get-regexp '^fleet'",)
        )
    for number, summary in seen.interrupted:
        repair = Repair(
            "finishes it or takes it back, as every command that changes something does first", recover=True
        )
        yield Finding(Severity.WARNING, "interrupted", f"'{summary}' (operation {number}) was killed", repair=repair)
    for agent in seen.agents:
        what = f"the agent of {agent.task} (process {agent.pid}) died, and nobody saw how"
        mend = Repair("marks the task as stuck", agent=agent)
        yield Finding(
            Severity.WARNING, "agent-gone", what, agent.log, hints=(f"git fleet logs {agent.task}",), repair=mend
        )
    for number, summary in seen.waiting:
        yield Finding(
            Severity.NOTE, "waiting", f"'{summary}' (operation {number}) waits for you: git fleet land --continue"
        )
    if seen.trust:
        repair = Repair("takes it as it is now for known", trust=True)
        yield Finding(
            Severity.WARNING,
            "trust",
            "what can run commands or copy files here has changed since git fleet knew it last",
            f"{seen.common_dir}/config",
            tuple(f"{name}: {what}" for name, what in seen.trust),
            ("if that was not you: git config --local --list, and look at it",),
            repair,
        )


def _of_locks(seen: Observed) -> Iterator[Finding]:
    for path, age, holders in seen.locks:
        if holders:
            what = f"'{path}' is held by process {', '.join(holders)}, for {age:.0f} s"
            yield Finding(Severity.NOTE, "lock", what, path)
            continue
        what = f"'{path}' is {age:.0f} s old, and no process that we can see has it open: git waits for nobody"
        hints = (f"if no git runs here, on no other machine either: rm {shlex.quote(path)}",)
        yield Finding(Severity.WARNING, "lock", what, path, hints=hints)
