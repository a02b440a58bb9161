"""What is disturbed: each deed of the program, in a repository prepared for it, and the command that puts it right."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import rooms
from kit import Repo


class Deed(NamedTuple):
    """A command that ends with `code` when nobody disturbs it, and `again` with one of `codes` whatever happened."""

    build: Callable[[Path], Repo]
    args: tuple[str, ...]
    code: int = 0
    again: tuple[str, ...] = ()
    """Typed afterwards; by default the same command."""

    @property
    def recovery(self) -> tuple[str, ...]:
        return self.again or self.args


ROWS = "".join(f"| {task} | `{task}` | | |\n" for task in ("a", "b", "new"))
TABLE = f"# Plan\n\n| ID | Files | Needs | Status |\n|---|---|---|---|\n{ROWS}"


def clean(folder: Path, **config: str) -> Repo:
    """Two branches that land, one that is only planned, unfinished work in another worktree."""
    repo = rooms.fleet(folder, {"a": {"a": "a\n"}, "b": {"b": "b\n"}, "new": None, "draft": {}}, **config)
    repo.write({"file": "edited\n", "untracked": "x\n", "secret.log": "ignored\n"}, rooms.tree(repo, "draft"))
    repo.git("add", "file", cwd=rooms.tree(repo, "draft"))
    return repo


def furnished(folder: Path) -> Repo:
    """A new worktree gets copies of ignored files, and is set up."""
    repo = clean(folder, copy="*.log", setup="echo made >made.log")
    repo.write({"one.log": "x\n", "sub/two.log": "y\n"})
    return repo


def gated(folder: Path) -> Repo:
    return clean(folder, gate="test -e a || test ! -e b")


def in_a_file(folder: Path) -> Repo:
    """The plan is a table on the base, whose Status cells were written and not committed."""
    repo = rooms.fleet(folder, {}, plan="PLAN.md")
    repo.commit("plan", {"PLAN.md": TABLE})
    repo.fleet("add", "a", "b", check=0)
    repo.commit("a: done", {"a": "a\n", "PLAN.md": TABLE + "| 8 | | | |\n"}, rooms.tree(repo, "a"))
    repo.commit("b: done", {"b": "b\n"}, rooms.tree(repo, "b"))
    return repo


def in_a_clean_file(folder: Path) -> Repo:
    """The same with nothing in it that somebody wrote and did not commit."""
    repo = in_a_file(folder)
    repo.commit("active")
    return repo


def conflicting(folder: Path) -> Repo:
    work = {"a": {"file": "a\n"}, "b": {"file": "b\n"}, "c": {"c": "c\n"}}
    repo = rooms.fleet(folder, work)
    repo.config({"fleet.c.needs": "b"})
    return repo


def stopped(folder: Path) -> Repo:
    repo = conflicting(folder)
    repo.fleet("land", check=4)
    return repo


def resolved(folder: Path) -> Repo:
    repo = stopped(folder)
    lane = folder / "app-lane-1"
    (lane / "file").write_text("both\n")
    repo.git("add", "file", cwd=lane)
    return repo


def landed(folder: Path) -> Repo:
    repo = clean(folder)
    repo.fleet("land", "a", "b", check=0)
    return repo


def added(folder: Path) -> Repo:
    repo = clean(folder)
    repo.fleet("add", "new", check=0)
    return repo


def removed(folder: Path) -> Repo:
    repo = landed(folder)
    repo.fleet("remove", "a", check=0)
    return repo


def undone(build: Callable[[Path], Repo]) -> Callable[[Path], Repo]:
    """What `build` did last is taken back: an undo of that does it again."""

    def built(folder: Path) -> Repo:
        repo = build(folder)
        repo.fleet("undo", check=0)
        return repo

    return built


def with_a_hub(folder: Path) -> Repo:
    repo = clean(folder)
    repo.git("clone", "-q", "--bare", ".", "../hub")
    repo.git("remote", "add", "origin", str(folder / "hub"))
    repo.git("fetch", "-q", "origin")
    return repo


def with_next(folder: Path) -> Repo:
    """What lands is gathered on a branch of its own, which is checked out beside the base."""
    repo = clean(folder)
    repo.git("worktree", "add", "-q", "-b", "next", "../next", "main")
    return repo


def behind(folder: Path) -> Repo:
    """The base moved on: `a` and `b` merge with that, the latter is checked out nowhere; `c` does not."""
    repo = rooms.fleet(folder, {"a": {"a": "a\n"}, "b": {"b": "b\n"}, "c": {"file": "c\n"}})
    repo.commit("meanwhile", {"file": "main\n", "sub/more": "more\n", "other": None})
    repo.git("worktree", "remove", "../b")
    return repo


def all_behind(folder: Path) -> Repo:
    repo = behind(folder)
    repo.git("worktree", "add", "-q", "../b", "b")
    return repo


def synced(folder: Path) -> Repo:
    repo = behind(folder)
    repo.fleet("sync", "a", "b", check=0)
    return repo


def broken(folder: Path) -> Repo:
    """An entry without its pointer, one whose folder was moved by hand, one that was never finished; a junk journal."""
    repo = rooms.fleet(folder, {"a": {"a": "a\n"}, "b": {"b": "b\n"}, "c": {"c": "c\n"}})
    entries = repo.path / ".git/worktrees"
    (entries / "a/gitdir").write_text("")
    rooms.tree(repo, "b").rename(folder / "moved")
    shutil.rmtree(rooms.tree(repo, "c"))
    (entries / "c/locked").write_text("initializing\n")
    (repo.path / ".git/fleet").mkdir()
    (repo.path / ".git/fleet/fleet.db").write_text("junk")
    return repo


DEEDS = {
    "add": Deed(clean, ("add", "new")),
    "add-setup": Deed(furnished, ("add", "new")),
    "add-row": Deed(in_a_file, ("add", "9 nine", "--owns", "nine"), again=("add", "9")),
    "land": Deed(clean, ("land", "a", "b")),
    "land-gate": Deed(gated, ("land", "a", "b")),
    "land-plan": Deed(in_a_file, ("land",)),
    "land-stop": Deed(conflicting, ("land",), code=4),
    "land-squash": Deed(clean, ("land", "--strategy=squash", "a", "b")),
    "land-rebase": Deed(clean, ("land", "--strategy=rebase", "a", "b")),
    "land-ff": Deed(clean, ("land", "--strategy=ff", "a")),
    "land-push": Deed(with_a_hub, ("land", "--push", "a", "b")),
    "land-onto": Deed(with_next, ("land", "--onto=next", "a", "b")),
    "continue": Deed(resolved, ("land", "--continue")),
    "skip": Deed(stopped, ("land", "--skip")),
    "park": Deed(stopped, ("land", "--park")),
    "abort": Deed(stopped, ("land", "--abort")),
    "remove": Deed(landed, ("remove", "a")),
    "clean": Deed(landed, ("clean",)),
    "purge": Deed(removed, ("clean", "--purge")),
    "sync": Deed(behind, ("sync", "a", "b")),
    "sync-rebase": Deed(all_behind, ("sync", "--rebase", "a", "b")),
    "sync-rebase-stop": Deed(all_behind, ("sync", "--rebase"), code=4),
    "sync-stop": Deed(behind, ("sync",), code=4),
    "repair": Deed(broken, ("doctor", "--repair")),
    "undo-add": Deed(added, ("undo", "1")),
    "undo-land": Deed(landed, ("undo", "1")),
    "undo-remove": Deed(removed, ("undo", "2")),
    "undo-sync": Deed(synced, ("undo", "1")),
    "redo-add": Deed(undone(added), ("undo", "2")),
    "redo-land": Deed(undone(landed), ("undo", "2")),
    "redo-remove": Deed(undone(removed), ("undo", "3")),
    "plan-set": Deed(in_a_clean_file, ("plan", "set", "b", "needs", "a")),
}

FAMILIES = {
    command: [name for name, deed in DEEDS.items() if deed.args[0] == command]
    for command in dict.fromkeys(deed.args[0] for deed in DEEDS.values())
}
