"""`doctor`: finds what is broken where git itself fails, changes nothing, and mends only what is safe."""

import contextlib
import fcntl
import itertools
import json
import os
import re
import shlex
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import kit
import pytest
import rooms
from kit import Repo
from safety.syscalls import needs_strace
from warm import Warm

from git_fleet.analysis import diagnosis
from git_fleet.journal import database


class Loaded(Repo):
    """A repository, and the program that is loaded already."""

    warm: Warm


@pytest.fixture
def repo(tmp_path: Path, warm: Warm) -> Repo:
    """Tasks `a` and `b` at work; `b` has something staged."""
    repo = Loaded(rooms.fleet(tmp_path, {"a": {"a": "x\n"}, "b": {"b": "x\n"}, "new": None}).path)
    repo.warm = warm
    (rooms.tree(repo, "b") / "mine").write_text("mine\n")
    repo.git("add", "mine", cwd=rooms.tree(repo, "b"))
    return repo


def entry(repo: Repo, name: str = "a") -> Path:
    return repo.path / ".git/worktrees" / name


def doctor(repo: Repo, *args: str, check: int | None = None) -> list[dict[str, Any]]:
    """The findings; they conform to the published schema, and without --repair nothing at all was written."""
    before = kit.listing(repo.path / ".git")
    words = ("doctor", "--json", *args)
    if isinstance(repo, Loaded):
        told = repo.warm.run(*words, cwd=repo.path, env=kit.environment(None))
    else:
        told = repo.fleet(*words, oracle=False)
    schema = json.loads(resources.files("git_fleet.output").joinpath("schemas/doctor.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(told.json)
    assert "--repair" in args or kit.listing(repo.path / ".git") == before
    found: list[dict[str, Any]] = told.json["findings"]
    wrong = any(one["severity"] != "note" and not one["repaired"] for one in found)
    assert told.status == (1 if wrong else 0) and check in (None, told.status)
    return found


def codes(repo: Repo, *args: str) -> list[str]:
    return [one["code"] for one in doctor(repo, *args)]


def repaired(repo: Repo) -> list[str]:
    """What --repair mended; nothing else was wrong, and everything is as it was after that is undone."""
    return [one["code"] for one in doctor(repo, "--repair", check=0) if one["repaired"]]


def git_works(repo: Repo) -> bool:
    return rooms.status_of("git", "worktree", "list", cwd=repo.path) == 0


def test_nothing_is_wrong(repo: Repo) -> None:
    assert doctor(repo, check=0) == []
    assert repo.fleet("doctor", check=0).out == "nothing is wrong\n"
    assert repo.fleet("doctor", "--repair", check=0).out == "nothing is wrong\n"
    assert not (repo.path / ".git/fleet").exists()


# ------------------------------------------------------------------------------------------------------------- entries


@pytest.mark.parametrize("how", ["empty", "missing"])
def test_an_entry_that_makes_git_fail_is_mended_in_place(repo: Repo, how: str) -> None:
    before = repo.snapshot()
    path = entry(repo) / "commondir"
    path.write_text("") if how == "empty" else path.unlink()
    assert git_works(repo) == (how == "missing")
    [one] = doctor(repo, check=1)
    assert (one["severity"], one["code"], one["path"]) == ("error", "entry-broken", str(entry(repo)))
    assert f"commondir is {how}" in one["evidence"]
    assert repaired(repo) == ["entry-broken"]
    assert repo.snapshot() == before
    repo.fleet("undo", check=0, oracle=False)
    assert (path.read_text() if path.exists() else None) == ("" if how == "empty" else None)
    repo.changed_by_fleet = False  # as broken as it was


def test_every_command_that_cannot_go_on_names_the_file_and_doctor(repo: Repo, warm: Warm) -> None:
    path = entry(repo) / "commondir"
    path.write_text("")
    before = kit.listing(repo.path / ".git")
    commands = ("status", "check", "plan", "graph", "land", "land --dry-run", "add new", "remove a", "clean", "sync")
    for command in (*commands, "undo", "path b", "mark done a"):
        told = warm.run(*command.split(), cwd=repo.path, env=os.environ)
        assert (command, told.status, told.out) == (command, 128, "")
        first, second = told.err.splitlines()
        assert first.startswith("fatal: git cannot list the worktrees: ") and str(path) in first
        assert second == "hint: git fleet doctor   # finds the entry, and what to do about it"
    assert warm.run("log", cwd=repo.path, env=os.environ).status == 0
    assert kit.listing(repo.path / ".git") == before


def test_where_a_worktree_is_can_be_found_from_its_folder(repo: Repo) -> None:
    before = repo.snapshot()
    (entry(repo) / "gitdir").write_text("")
    assert codes(repo) == ["entry-broken"] and len(repo.worktrees()) == 2
    assert repaired(repo) == ["entry-broken"]
    assert repo.snapshot() == before


def test_a_head_is_never_guessed(repo: Repo) -> None:
    (entry(repo) / "HEAD").write_text("")
    [one] = doctor(repo, "--repair", check=1)
    assert one["code"] == "entry-broken" and not one["repaired"] and one["repair"] is None
    assert repo.oid("a") in one["hints"][1]
    subprocess.run(["sh", "-c", one["hints"][0].partition(": ")[2].replace("<branch>", "a")], check=True)
    assert doctor(repo, check=0) == []


def test_what_serves_nothing_goes_to_the_trash_and_comes_back(repo: Repo) -> None:
    shutil.rmtree(rooms.tree(repo, "a"))
    for name in ("commondir", "HEAD"):
        (entry(repo) / name).write_text("")
    assert not git_works(repo)
    assert repaired(repo) == ["entry-broken"]
    assert git_works(repo) and not entry(repo).exists() and repo.exists("a")
    [kept] = (repo.path / ".git/fleet/trash").glob("*/*-entry")
    assert (kept / "index").exists()
    repo.fleet("undo", check=0, oracle=False)
    assert entry(repo).is_dir()
    repo.changed_by_fleet = False  # as broken as it was


FILES = ("commondir", "gitdir", "HEAD", "index")


@pytest.mark.parametrize(
    "lost", [set(some) for n in (1, 2, 4) for some in itertools.combinations(FILES, n)], ids=sorted
)
def test_whatever_an_entry_lacks_doctor_names_it_and_git_works_again(repo: Repo, lost: set[str]) -> None:
    for name in lost:
        (entry(repo) / name).write_text("")
    found = doctor(repo, check=1)
    assert all(str(entry(repo)) in one["path"] for one in found)
    doctor(repo, "--repair")
    assert git_works(repo) and (rooms.tree(repo, "a") / "a").read_text() == "x\n"
    repo.changed_by_fleet = not lost & {"HEAD", "index"}  # they are nobody's to guess


def test_one_whose_maker_died(repo: Repo) -> None:
    (entry(repo) / "locked").write_text("initializing\n")
    assert [(one["code"], one["repair"]) for one in doctor(repo, check=1)] == [("entry-unfinished", None)]
    shutil.rmtree(rooms.tree(repo, "a"))
    assert repaired(repo) == ["entry-unfinished"] and not entry(repo).exists()


def test_an_unfinished_worktree_that_bricks_git_does_so_no_longer_and_its_folder_stays(repo: Repo) -> None:
    """Maker and git were killed together, say."""
    folder, place = rooms.tree(repo, "a"), entry(repo)
    (place / "commondir").write_text("")
    (place / "locked").write_text("initializing\n")
    (place / "HEAD").unlink()
    assert not git_works(repo)
    found = doctor(repo, check=1)
    assert [(one["code"], one["severity"]) for one in found] == [("entry-unfinished", "error")]
    doctor(repo, "--repair", check=1)
    assert git_works(repo) and (folder / "a").read_text() == "x\n"
    (left,) = doctor(repo, check=1)
    (way,) = left["hints"]
    assert f"rm -r {folder} && git fleet doctor --repair" in way and left["severity"] == "warning"
    repo.changed_by_fleet = False  # its HEAD is nobody's to guess


def test_a_folder_that_was_moved_by_hand(repo: Repo, tmp_path: Path) -> None:
    rooms.tree(repo, "b").rename(tmp_path / "moved")
    [one] = doctor(repo, check=1)
    assert one["code"] == "worktree-moved" and str(tmp_path / "moved") in one["what"]
    assert repaired(repo) == ["worktree-moved"]
    assert repo.git("diff", "--cached", "--name-only", cwd=tmp_path / "moved") == "mine"


def test_a_repository_that_was_moved_by_hand(repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "app").rename(tmp_path / "elsewhere")
    moved = kit.adopt(tmp_path / "elsewhere")
    assert codes(moved) == ["repository-moved", "repository-moved"]
    assert repaired(moved) == ["repository-moved", "repository-moved"]
    assert moved.git("diff", "--cached", "--name-only", cwd=tmp_path / "b") == "mine"


def test_repository_and_worktrees_moved_together(repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("app", "a", "b"):
        (tmp_path / name).rename(tmp_path / "in" / name)
    moved = kit.adopt(tmp_path / "in/app")
    assert codes(moved) == ["worktree-moved", "worktree-moved"]
    assert repaired(moved) == ["worktree-moved", "worktree-moved"]
    assert moved.git("diff", "--cached", "--name-only", cwd=tmp_path / "in/b") == "mine"


def test_a_copy_does_not_take_the_worktrees_of_the_original(repo: Repo, tmp_path: Path) -> None:
    shutil.copytree(repo.path, tmp_path / "copy")
    copy = kit.adopt(tmp_path / "copy")
    before = (rooms.tree(repo, "a") / ".git").read_text()
    assert [one["code"] for one in doctor(copy, "--repair", check=1)] == ["worktree-foreign", "worktree-foreign"]
    assert (rooms.tree(repo, "a") / ".git").read_text() == before and doctor(repo, check=0) == []


@pytest.fixture
def absolute(repo: Repo) -> Repo:
    """As libgit2 writes it, and as `add` once left it."""
    for place in (repo.path / ".git/worktrees").iterdir():
        (place / "commondir").write_text(f"{repo.path}/.git/\n")
    return repo


def test_an_entry_that_will_not_outlive_a_move(absolute: Repo) -> None:
    found = doctor(absolute, check=0)
    assert [(one["severity"], one["code"]) for one in found] == [("note", "entry-absolute")] * 2
    assert repaired(absolute) == ["entry-absolute"] * 2 and doctor(absolute, check=0) == []
    assert (entry(absolute) / "commondir").read_text() == "../..\n"
    absolute.fleet("undo", check=0)
    assert (entry(absolute) / "commondir").read_text() == f"{absolute.path}/.git/\n"


@pytest.mark.parametrize("anew", [False, True], ids=["gone", "another"])
def test_a_moved_repository_whose_entries_say_where_it_was(absolute: Repo, tmp_path: Path, anew: bool) -> None:
    (tmp_path / "app").rename(tmp_path / "elsewhere")
    moved = kit.adopt(tmp_path / "elsewhere")
    if anew:
        absolute.git("init", "-q", str(absolute.path), cwd=tmp_path)
    assert git_works(moved) == anew
    found = doctor(moved, check=1)
    assert sorted(one["code"] for one in found) == ["entry-astray"] * 2 + ["repository-moved"] * 2
    assert all(f"'{absolute.path}/.git'" in one["what"] for one in found if one["code"] == "entry-astray")
    assert sorted(repaired(moved)) == ["entry-astray"] * 2 + ["repository-moved"] * 2 and git_works(moved)
    common = moved.git("rev-parse", "--path-format=absolute", "--git-common-dir", cwd=tmp_path / "b")
    assert common == f"{moved.path}/.git"
    assert moved.git("diff", "--cached", "--name-only", cwd=tmp_path / "b") == "mine"


def test_a_copied_repository_whose_entries_name_the_original(absolute: Repo, tmp_path: Path) -> None:
    shutil.copytree(absolute.path, tmp_path / "copy")
    copy = kit.adopt(tmp_path / "copy")
    doctor(copy, "--repair", check=1)
    assert [one["code"] for one in doctor(copy, check=1)] == ["worktree-foreign"] * 2
    assert (entry(copy) / "commondir").read_text() == "../..\n"
    assert (entry(absolute) / "commondir").read_text() == f"{absolute.path}/.git/\n"


def test_git_alone_repairs_what_add_made_when_all_is_moved(repo: Repo, tmp_path: Path) -> None:
    repo.fleet("add", "new", check=0)
    (tmp_path / "app").rename(tmp_path / "elsewhere")
    moved = kit.adopt(tmp_path / "elsewhere")
    assert git_works(moved)
    moved.git("worktree", "repair")
    assert doctor(moved, check=0) == [] and moved.git("status", "--porcelain", cwd=tmp_path / "new") == ""


def test_folders_that_are_gone(repo: Repo, tmp_path: Path) -> None:
    shutil.rmtree(rooms.tree(repo, "a"))
    (tmp_path / "usb").mkdir()
    repo.git("worktree", "move", "../b", "../usb/b")
    repo.git("worktree", "add", "-q", "-b", "c", "../c")
    repo.git("worktree", "lock", "../c")
    shutil.rmtree(tmp_path / "c")
    (tmp_path / "usb").rename(tmp_path / "unmounted")
    found = [(one["severity"], one["code"]) for one in doctor(repo, "--repair", check=1)]
    assert found == [("warning", "worktree-missing"), ("warning", "worktree-away"), ("note", "worktree-away")]
    assert len(list((repo.path / ".git/worktrees").iterdir())) == 3


@pytest.mark.parametrize("sign", ["lock", "parent"])
def test_a_copy_is_not_taken_for_a_worktree_whose_disk_is_away(repo: Repo, tmp_path: Path, sign: str) -> None:
    (tmp_path / "usb").mkdir()
    repo.git("worktree", "move", "../b", "../usb/b")
    shutil.copytree(tmp_path / "usb/b", tmp_path / "backup")
    repo.git("worktree", "lock", "../usb/b") if sign == "lock" else (tmp_path / "usb").rename(tmp_path / "unmounted")
    if sign == "lock":
        (tmp_path / "usb/b").rename(tmp_path / "usb/away")
        (tmp_path / "usb").rename(tmp_path / "unmounted")
        (tmp_path / "usb").mkdir()
    [one] = doctor(repo, "--repair")
    assert (one["code"], one["repair"], one["repaired"]) == ("worktree-away", None, False)
    assert f"'{tmp_path}/backup' says that it is this worktree" in one["evidence"][0]
    assert (entry(repo, "b") / "gitdir").read_text() == f"{tmp_path}/usb/b/.git\n"


def test_what_lies_beside_references_and_is_none(repo: Repo) -> None:
    for path in (".DS_Store", "x/._junk", ".hidden/file"):
        repo.write({path: ""}, repo.path / ".git/refs/heads")
    assert doctor(repo, check=0) == []


def test_an_empty_reference_of_which_nothing_tells(repo: Repo) -> None:
    (repo.path / ".git/refs/heads/blank").write_text("")
    [one] = doctor(repo, check=1)
    assert one["code"] == "ref-broken" and one["hints"][0].startswith("git fsck --no-reflogs --lost-found ")
    assert "git update-ref refs/heads/blank <commit>" in one["hints"][1]
    (repo.path / ".git/refs/heads/blank").unlink()


def test_a_branch_that_is_checked_out_twice(repo: Repo) -> None:
    repo.git("worktree", "add", "-q", "--force", "../twice", "a")
    [one] = doctor(repo, check=1)
    assert one["code"] == "branch-twice" and sorted(one["evidence"]) == [
        str(rooms.tree(repo, n)) for n in ("a", "twice")
    ]


@pytest.mark.parametrize("place", ["main", "a"])
@pytest.mark.parametrize("cut", [True, False])
def test_an_index_that_cannot_be_read(repo: Repo, place: str, cut: bool) -> None:
    """git itself reads many a cut-off index without a word, and takes what is beyond its end for names."""
    path = repo.path / ".git/index" if place == "main" else entry(repo) / "index"
    path.write_bytes(path.read_bytes()[:40] if cut else b"garbage" * 30)
    [one] = doctor(repo, check=1)
    assert (one["code"], one["path"]) == ("index-damaged", str(path))
    subprocess.run(["sh", "-c", one["hints"][0].partition(": ")[2]], check=True, capture_output=True)
    assert doctor(repo, check=0) == []


# ------------------------------------------------------------------------------------------------------- the repository


def test_core_bare_flipped(repo: Repo) -> None:
    repo.git("config", "core.bare", "true")
    assert codes(repo) == ["core-bare"]
    assert repaired(repo) == ["core-bare"]
    assert repo.git("status", "--porcelain") == ""


def test_a_bare_repository_is_none_that_was_flipped(tmp_path: Path) -> None:
    source = kit.make_repo(tmp_path / "source", {"file": "x\n"})
    source.git("clone", "-q", "--bare", ".", "../project/.git")
    bare = kit.adopt(tmp_path / "project/.git")
    bare.git("worktree", "add", "-q", "../tree", "main")
    assert bare.fleet("doctor", check=0, oracle=False).out == "nothing is wrong\n"


def test_nor_is_one_that_is_used_with_a_work_tree(tmp_path: Path) -> None:
    home = kit.make_repo(tmp_path / "home", {"file": "x\n"})
    home.git("clone", "-q", "--bare", ".", "../dot.git")
    home.git("--git-dir=../dot.git", "--work-tree=.", "reset", "-q")
    assert (tmp_path / "dot.git/index").exists()
    dots = kit.adopt(tmp_path / "dot.git")
    assert dots.fleet("doctor", check=0, oracle=False).out == "nothing is wrong\n"
    dots.fleet("doctor", "--repair", check=0, oracle=False)
    assert dots.git("config", "core.bare") == "true"


@pytest.mark.parametrize("content", ["", "garbage\n", "1234567890123456789012345678901234567890\n"])
def test_a_reference_without_an_object(repo: Repo, content: str) -> None:
    repo.git("branch", "side")
    repo.git("commit", "-q", "--allow-empty", "-m", "x")
    (repo.path / ".git/refs/heads/side").write_text(content)
    [one] = doctor(repo, check=1)
    assert (one["code"], one["path"]) == ("ref-broken", f"{repo.path}/.git/refs/heads/side")
    start = repo.git("rev-parse", "main~")
    subprocess.run(["sh", "-c", one["hints"][0].partition(": ")[2]], cwd=repo.path, check=True, capture_output=True)
    assert repo.oid("side") == start and doctor(repo, check=0) == []


def test_a_lock_nobody_holds_is_named_and_never_deleted(repo: Repo) -> None:
    for name in ("index.lock", "refs/heads/a.lock", "worktrees/a/HEAD.lock"):
        (repo.path / ".git" / name).write_text("")
    os.utime(repo.path / ".git/index.lock", (5, 5))
    found = doctor(repo, "--repair", check=1)
    assert [one["code"] for one in found] == ["lock"] * 3, found
    assert (repo.path / ".git/index.lock").exists()
    assert all("rm " in one["hints"][0] for one in found)


def test_a_lock_that_somebody_holds_is_no_problem(repo: Repo) -> None:
    with open(repo.path / ".git/index.lock", "w") as file:
        [one] = doctor(repo, check=0)
        assert one["severity"] == "note" and f"is held by process {os.getpid()}, " in one["what"]
        file.flush()


def test_stashes_are_named(repo: Repo) -> None:
    repo.git("stash", "push", "-q", cwd=rooms.tree(repo, "b"))
    [one] = doctor(repo, check=0)
    assert (one["severity"], one["what"]) == ("note", "stash@{0} was made on 'b'; all worktrees share the stash")


# ------------------------------------------------------------------------------------------------------------ our own


def journal(repo: Repo) -> Path:
    return Path(database.path_of(str(repo.path / ".git/fleet")))


@pytest.mark.parametrize("content", [b"garbage" * 1000, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_damaged_journal_is_moved_aside(repo: Repo, content: bytes) -> None:
    repo.fleet("add", "new", check=0)
    journal(repo).write_bytes(content)
    refused = repo.fleet("land", "a", check=128)
    assert "git fleet doctor --repair" in refused.err
    assert codes(repo) == ["journal-damaged"]
    assert repaired(repo) == ["journal-damaged"]
    assert journal(repo).with_name("fleet.db.damaged-1").read_bytes() == content
    repo.fleet("land", "a", check=0)


def test_a_journal_that_lacks_a_table(repo: Repo) -> None:
    repo.fleet("add", "new", check=0)
    with contextlib.closing(sqlite3.connect(journal(repo))) as db:
        db.execute("DROP TABLE change")
    [one] = doctor(repo, check=1)
    assert (one["code"], one["evidence"]) == ("journal-damaged", ["it lacks the table change"])


def test_a_folder_in_place_of_the_journal(repo: Repo) -> None:
    journal(repo).mkdir(parents=True)
    assert repaired(repo) == ["journal-damaged"]
    repo.fleet("add", "new", check=0)


def test_a_newer_journal_is_left_alone(repo: Repo) -> None:
    repo.fleet("add", "new", check=0)
    with contextlib.closing(sqlite3.connect(journal(repo))) as db:
        db.execute("PRAGMA user_version = 99")
    [one] = doctor(repo, "--repair", check=1)
    assert one["code"] == "journal-newer" and not one["repaired"] and one["repair"] is None


def test_what_was_killed_is_put_right(repo: Repo) -> None:
    with database.opened(str(repo.path / ".git/fleet")) as opened:
        opened.begin("add", "add new", ())
    [one] = doctor(repo, check=1)
    assert (one["code"], one["what"]) == ("interrupted", "'add new' (operation 1) was killed")
    assert repaired(repo) == ["interrupted"]
    assert rooms.operations(repo) == [("add", "failed")]


def test_what_is_at_work_is_no_problem(repo: Repo) -> None:
    with database.opened(str(repo.path / ".git/fleet")) as opened:
        opened.begin("add", "add new", ())
    (repo.path / ".git/fleet/locks").mkdir()
    with open(repo.path / ".git/fleet/locks/operation-1.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert doctor(repo, check=0) == []


def test_a_landing_that_waits_is_no_problem(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"file": "a\n"}, "b": {"file": "b\n"}})
    repo.fleet("land", check=4)
    assert [(one["severity"], one["code"]) for one in doctor(repo, check=0)] == [("note", "waiting")]


def hook(repo: Repo) -> str:
    path = repo.path / ".git/hooks/post-commit"
    path.parent.mkdir(exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return "hooks/post-commit: new"


def hooks_path(repo: Repo) -> str:
    repo.git("config", "core.hooksPath", "tools")
    return "core.hookspath: new"


def gate(repo: Repo) -> str:
    repo.git("config", "fleet.gate", "false")
    return "fleet.gate: changed"


def no_filter(repo: Repo) -> str:
    repo.git("config", "--unset", "filter.x.clean")
    return "filter.x.clean: gone"


@pytest.mark.parametrize("change", [hook, hooks_path, gate, no_filter])
def test_what_can_run_commands_has_changed(repo: Repo, change: Callable[[Repo], str]) -> None:
    repo.config({"fleet.gate": "true", "filter.x.clean": "cat"})
    repo.fleet("add", "new", check=0)
    repo.git("config", "user.name", "somebody")
    assert doctor(repo, check=0) == []
    said = change(repo)
    [one] = doctor(repo, check=1)
    assert (one["code"], one["evidence"]) == ("trust", [said])
    repo.fleet("remove", "new")
    assert codes(repo) == ["trust"]
    assert repaired(repo) == ["trust"]


@pytest.mark.parametrize("how", [["--dry-run"], []])
def test_a_landing_says_what_can_run_commands_and_has_changed(repo: Repo, how: list[str]) -> None:
    repo.fleet("add", "new", check=0)
    assert "changed since" not in repo.fleet("land", "--dry-run", "a", check=0).err
    hook(repo)
    unreadable = repo.path / ".git/hooks/pre-push"
    unreadable.write_text("#!/bin/sh\n")
    unreadable.chmod(0o111)
    gate(repo)
    repo.git("config", "fleet.gate", "true")
    repo.config({"fleet.copy": ".env", "fleet.setup": "true"})
    said = repo.fleet("land", *how, "a", check=0).err.splitlines()[:2]
    assert said == [
        "note: what can run commands or copy files here has changed since git fleet knew it last: "
        "fleet.copy (new), fleet.gate (new), fleet.setup (new), hooks/post-commit (new), hooks/pre-push (new)",
        "hint: git fleet doctor; if it was you: git fleet doctor --repair",
    ]
    repo.fleet("doctor", "--repair", check=0)
    assert "changed since" not in repo.fleet("land", "--dry-run", check=3).err


def test_what_cannot_be_noted_keeps_nobody_from_work(repo: Repo) -> None:
    (repo.path / ".git/refs/fleet").mkdir(parents=True)
    (repo.path / ".git/refs/fleet/trust.lock").write_text("")  # somebody else is about to write it down
    repo.fleet("add", "new", check=0)
    assert not repo.exists("refs/fleet/trust")


def test_settings_that_make_no_sense(repo: Repo) -> None:
    repo.git("config", "fleet.gateTimeout", "soon")
    [one] = doctor(repo, check=1)
    assert one["code"] == "settings" and "fleet.gatetimeout" in one["what"]


def test_the_text_says_what_to_do(repo: Repo) -> None:
    repo.git("config", "core.bare", "true")
    (repo.path / ".git/index.lock").write_text("")
    out = repo.fleet("doctor", check=1, oracle=False).out.splitlines()
    assert out[0].startswith("error: core.bare is true") and out[2] == "    --repair sets core.bare to false"
    assert out[-1] == "2 problems, 1 of them can be repaired: git fleet doctor --repair"
    mended = repo.fleet("doctor", "--repair", check=1, oracle=False)
    assert mended.out.startswith("repaired: core.bare is true") and mended.out.endswith("\n1 problem\n")
    assert "git fleet undo 1" in mended.err


def test_a_repair_that_was_killed_is_taken_back_before_the_next(repo: Repo, tmp_path: Path) -> None:
    """Else it would take back what the next one does as well."""
    rooms.tree(repo, "b").rename(tmp_path / "moved")
    (entry(repo) / "gitdir").write_text("")
    assert sorted(repaired(repo)) == ["entry-broken", "worktree-moved"]
    with contextlib.closing(sqlite3.connect(repo.path / ".git/fleet/fleet.db")) as db, db:
        db.execute("UPDATE operation SET state = 'running', ended_s = NULL")
    before = repo.snapshot()
    told = repo.fleet("doctor", "--repair", check=0).err
    assert "'doctor --repair' (operation 1) had been killed: it is taken back, and done anew" in told
    assert repo.snapshot() == before and doctor(repo, check=0) == []


@pytest.mark.parametrize("names", [(), ("interactive", "head-name", "onto", "orig-head=")], ids=len)
def test_a_rebase_that_had_hardly_begun(repo: Repo, names: tuple[str, ...]) -> None:
    """As a `git rebase` that was killed leaves it while --abort does not work yet; `=`: empty."""
    top, state = rooms.tree(repo, "b"), entry(repo, "b") / "rebase-merge"
    said = {"head-name": "refs/heads/b\n", "onto": f"{repo.oid('main')}\n"}
    state.mkdir()
    for name in names:
        (state / name.removesuffix("=")).write_text(said.get(name, ""))
    assert rooms.status_of("git", "rebase", "--abort", cwd=top) != 0
    [found] = doctor(repo, check=1)
    assert (found["code"], found["path"]) == ("rebase-broken", str(state))
    assert found["hints"] == [f"forgets it, and touches no commit and no file: git -C {top} rebase --quit"]
    before = repo.snapshot()
    assert repaired(repo) == ["rebase-broken"] and not state.exists()
    assert repo.snapshot() == before and "rebas" not in repo.git("status", cwd=top)
    repo.fleet("undo", check=0)
    assert sorted(path.name for path in state.iterdir()) == sorted(name.removesuffix("=") for name in names)
    repo.git("rebase", "--quit", cwd=top)
    assert not state.exists() and repo.snapshot() == before


@needs_strace
@pytest.mark.parametrize(("operation", "name"), [("rebase", "rebase-merge/onto"), ("cherry-pick", "sequencer/head")])
def test_as_git_leaves_it(repo: Repo, operation: str, name: str) -> None:
    repo.commit("more", {"more": "more\n"})
    repo.commit("and more", {"more": "and more\n"})
    top, args = rooms.tree(repo, "a"), ("main",) if operation == "rebase" else ("main~1", "main")
    fault = ["-f", "-e", "inject=write:signal=KILL", f"--trace-path={entry(repo) / name}"]
    fault.append(f"--trace-path={entry(repo) / name}.lock")
    assert rooms.status_of("strace", *fault, "git", operation, *args, cwd=top) != 0
    assert repaired(repo) == [f"{operation}-broken"]
    repo.git(operation, *args, cwd=top)


def test_what_was_not_committed_as_a_rebase_began_is_in_its_autostash(repo: Repo) -> None:
    top, state = rooms.tree(repo, "b"), entry(repo, "b") / "rebase-merge"
    stash = repo.git("stash", "create", cwd=top)
    state.mkdir()
    (state / "autostash").write_text(f"{stash}\n")
    repo.git("reset", "-q", "--hard", cwd=top)
    [found] = doctor(repo, check=1)
    assert found["repair"] is None and f"what was not committed is kept in {stash}" in found["evidence"]
    for hint in found["hints"]:
        assert rooms.status_of(*shlex.split(hint.rpartition(": ")[2]), cwd=repo.path) == 0
    assert (top / "mine").read_text() == "mine\n" and not state.exists()


def test_a_rebase_that_is_left_detached_is_not_moved_away(repo: Repo) -> None:
    state = entry(repo) / "rebase-apply"
    state.mkdir()
    assert codes(repo) == []  # that is of `git am`
    (state / "rebasing").touch()
    repo.git("checkout", "-q", "--detach", cwd=rooms.tree(repo, "a"))
    [found] = doctor(repo, check=1)
    assert (found["code"], found["repair"]) == ("rebase-broken", None) and "switch <branch>" in found["hints"][1]


def test_a_merge_that_does_not_say_of_what(repo: Repo) -> None:
    top = rooms.tree(repo, "a")
    repo.git("worktree", "add", "-q", "-b", "c", "../c")
    repo.commit("main", {"a": "main\n"})
    assert rooms.status_of("git", "merge", "-q", "main", cwd=top) == 1
    repo.commit("c", {"c": "c\n"}, rooms.tree(repo, "c"))
    assert rooms.status_of("git", "rebase", "--exec=false", "HEAD~1", cwd=rooms.tree(repo, "c")) == 1
    assert codes(repo) == []  # these wait for their author
    (entry(repo) / "MERGE_HEAD").write_text("")
    [found] = doctor(repo, check=1)
    assert (found["code"], found["repair"], found["path"]) == ("merge-broken", None, str(entry(repo) / "MERGE_HEAD"))
    assert rooms.status_of(*shlex.split(found["hints"][0]), cwd=repo.path) == 0
    assert repo.git("status", "--porcelain", cwd=top) == "" and not (entry(repo) / "MERGE_HEAD").exists()


def test_every_finding_has_its_code_in_the_schema() -> None:
    schema = json.loads(resources.files("git_fleet.output").joinpath("schemas/doctor.json").read_text())
    known = schema["properties"]["findings"]["items"]["properties"]["code"]["enum"]
    said = re.findall(r'Severity\.\w+,\s+"([a-z-]+)"', Path(diagnosis.__file__).read_text())
    assert len(said) > 15 and set(said) <= set(known)
