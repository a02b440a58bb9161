"""What is disturbed: each deed of the program, in a repository prepared for it, and the command that puts it right."""

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


DEEDS = {
    "add": Deed(clean, ("add", "new")),
    "add-row": Deed(in_a_file, ("add", "9 nine", "--owns", "nine"), again=("add", "9")),
    "land": Deed(clean, ("land", "a", "b")),
    "land-gate": Deed(gated, ("land", "a", "b")),
    "land-plan": Deed(in_a_file, ("land",)),
    "land-stop": Deed(conflicting, ("land",), code=4),
    "continue": Deed(resolved, ("land", "--continue")),
    "skip": Deed(stopped, ("land", "--skip")),
    "abort": Deed(stopped, ("land", "--abort")),
    "remove": Deed(landed, ("remove", "a")),
    "clean": Deed(landed, ("clean",)),
    "undo-add": Deed(added, ("undo", "1")),
    "undo-land": Deed(landed, ("undo", "1")),
    "undo-remove": Deed(removed, ("undo", "2")),
    "plan-set": Deed(in_a_clean_file, ("plan", "set", "b", "needs", "a")),
}

FAMILIES = {
    command: [name for name, deed in DEEDS.items() if deed.args[0] == command]
    for command in dict.fromkeys(deed.args[0] for deed in DEEDS.values())
}
