"""`clean`: all that is proven landed goes, nothing else; `--purge` alone deletes for good."""

import json
import os
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


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """`a` is merged, `b` squashed by somebody else, `c` at work, `d` has no commit yet, `e` is only planned."""
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}, "b": {"b": "x\n"}, "c": {"c": "x\n"}, "d": None, "e": None})
    repo.git("worktree", "add", "-q", "-b", "d", "../d", "main")
    repo.git("merge", "-q", "--no-ff", "a")
    repo.git("merge", "-q", "--squash", "b")
    repo.git("commit", "-q", "-m", "b, squashed")
    return repo


def clean(repo: Repo, *args: str, check: int = 0) -> Any:
    """The JSON answer, which conforms to the published schema."""
    found = repo.fleet("clean", "--json", *args, check=check).json
    schema = json.loads(resources.files("git_fleet.output").joinpath("schemas/clean.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(found)
    return found


def verdicts(repo: Repo, *args: str) -> dict[str, str]:
    return {one["id"]: one["verdict"] for one in clean(repo, *args)["verdicts"]}


def test_what_is_proven_goes_and_comes_back(repo: Repo, tmp_path: Path) -> None:
    before = repo.snapshot()
    assert verdicts(repo, "--dry-run") == {"a": "remove", "b": "remove", "c": "keep", "d": "keep"}
    found = clean(repo)
    assert [(one["id"], one["removed"]) for one in found["verdicts"] if one["removed"]] == [("a", True), ("b", True)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["app", "c", "d"]
    assert [repo.exists(branch) for branch in "abcd"] == [False, False, True, True]
    repo.fleet("undo", str(found["operation"]), check=0)
    assert repo.snapshot()._replace(config="") == before._replace(config="")  # the plan says by now what has landed


def test_the_reasons_and_the_evidence(repo: Repo) -> None:
    rows = {one["id"]: one for one in clean(repo, "--dry-run")["verdicts"]}
    assert rows["a"]["reasons"] == [f"landed: {repo.oid('a')[:10]} is in main"]
    assert rows["b"]["reasons"][0].startswith("landed already, squashed: ") or "same tree" in rows["b"]["reasons"][0]
    assert rows["c"]["reasons"] == ["'c' has 1 commit that the base lacks"] and rows["c"]["evidence"]["unlanded"] == 1
    assert rows["d"]["reasons"] == ["'d' has not landed"]
    assert rows["a"]["evidence"]["tip"] == repo.oid("a") and rows["a"]["evidence"]["dirt"]["untracked"] == []


def test_the_table(repo: Repo) -> None:
    out = repo.fleet("clean", check=0).out.splitlines()
    assert [line.split()[:2] for line in out] == [
        ["id", "verdict"], ["a", "removed"], ["b", "removed"], ["c", "keep"], ["d", "keep"], [], ["2", "removed,"],
    ]  # fmt: skip
    assert out[-1] == "2 removed, 2 kept; -v says what can be done about those that stay"
    verbose = repo.fleet("clean", "-v", check=0).out
    assert "c: git fleet land c" in verbose and verbose.endswith("\n\n2 kept\n")


def test_a_branch_reused_after_its_merge_stays(repo: Repo) -> None:
    repo.commit("more", {"more": "x\n"}, rooms.tree(repo, "a"))
    repo.commit("more", {"more b": "x\n"}, rooms.tree(repo, "b"))
    before = repo.snapshot()
    assert set(verdicts(repo).values()) == {"keep"}
    assert repo.snapshot() == before


def test_age_is_no_reason(repo: Repo) -> None:
    env = {"GIT_COMMITTER_DATE": "1990-01-01T00:00:00Z", "GIT_AUTHOR_DATE": "1990-01-01T00:00:00Z"}
    subprocess.run(
        ["git", "commit", "-q", "--allow-empty", "-m", "old"],
        cwd=rooms.tree(repo, "c"),
        env={**os.environ, **env},
        check=True,
    )
    for folder, _, names in os.walk(rooms.tree(repo, "c")):
        for name in names:
            os.utime(os.path.join(folder, name), (5, 5))
    assert verdicts(repo)["c"] == "keep"


def test_one_that_is_dirty_stays_and_the_others_go(repo: Repo) -> None:
    (rooms.tree(repo, "a") / "mine").write_text("mine\n")
    assert [one["id"] for one in clean(repo)["verdicts"] if one["removed"]] == ["b"]
    assert (rooms.tree(repo, "a") / "mine").read_text() == "mine\n"


def test_a_repository_in_its_place_stays_and_the_others_go(repo: Repo) -> None:
    (rooms.tree(repo, "a") / ".git").unlink()
    repo.git("init", "-q", rooms.tree(repo, "a"))
    rows = {one["id"]: one for one in clean(repo)["verdicts"]}
    assert (rows["a"]["verdict"], rows["b"]["removed"]) == ("keep", True)
    reason = f"its '.git' leads to '{rooms.tree(repo, 'a')}/.git', which is not its entry"
    assert rows["a"]["reasons"] == [reason]
    assert reason in repo.fleet("remove", "a", check=3).err and "git worktree repair" in rows["a"]["hints"][0]
    subprocess.run(["rm", "-r", rooms.tree(repo, "a") / ".git"], check=True)
    repo.git("worktree", "repair")
    repo.fleet("remove", "a", check=0)


def test_nothing_to_do_is_no_operation(repo: Repo) -> None:
    clean(repo)
    assert clean(repo)["operation"] is None
    assert rooms.operations(repo) == [("clean", "done")]


def test_what_somebody_else_made_is_named_and_left_alone(repo: Repo) -> None:
    repo.git("worktree", "add", "-q", "-b", "theirs", "../theirs", "a")
    found = {one["branch"]: one for one in clean(repo)["verdicts"]}
    assert found["theirs"]["reasons"] == ["it is not in the plan, and git fleet has not made it"]
    assert repo.exists("theirs") and rooms.tree(repo, "theirs").is_dir()


def test_without_a_plan_only_what_git_fleet_made_or_landed_goes(tmp_path: Path) -> None:
    repo = kit.make_repo(tmp_path / "app", {"file": "x\n"})
    for name in ("long-lived", "mine"):
        repo.git("worktree", "add", "-q", "-b", name, f"../{name}")
        repo.commit(name, {name: "x\n"}, tmp_path / name)
    repo.git("merge", "-q", "--no-ff", "long-lived")
    repo.fleet("land", "mine", check=0)
    assert verdicts(repo) == {"long-lived": "keep", "mine": "remove"}
    assert repo.exists("long-lived") and not repo.exists("mine")


def test_what_add_made_and_the_plan_forgot_goes(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"new": None, "other": None})
    repo.fleet("add", "new", check=0)
    repo.commit("new", {"new": "x\n"}, rooms.tree(repo, "new"))
    repo.git("merge", "-q", "--no-ff", "new")
    repo.git("config", "--remove-section", "fleet.new")
    assert verdicts(repo) == {"new": "remove"}
    assert not repo.exists("new") and not repo.exists("refs/fleet/base/new")


def test_the_entry_of_a_folder_deleted_by_hand_goes_and_its_branch_stays(repo: Repo) -> None:
    subprocess.run(["rm", "-r", rooms.tree(repo, "c")], check=True)
    tip = repo.oid("c")
    [_, entry] = [one for one in clean(repo)["verdicts"] if one["id"] == "c"]
    assert (entry["entry_only"], entry["removed"], entry["reasons"]) == (True, True, ["its folder is gone"])
    assert repo.oid("c") == tip and "prunable" not in repo.git("worktree", "list", "--porcelain")
    repo.fleet("undo", check=0)
    assert "prunable" in repo.git("worktree", "list", "--porcelain")


def staged(repo: Repo) -> None:
    (rooms.tree(repo, "c") / "mine").write_text("mine\n")
    repo.git("add", "mine", cwd=rooms.tree(repo, "c"))
    subprocess.run(["rm", "-r", rooms.tree(repo, "c")], check=True)


def locked(repo: Repo) -> None:
    repo.git("worktree", "lock", "../c")
    subprocess.run(["rm", "-r", rooms.tree(repo, "c")], check=True)


def away(repo: Repo) -> None:
    (repo.path.parent / "usb").mkdir()
    repo.git("worktree", "move", "../c", "../usb/c")
    (repo.path.parent / "usb").rename(repo.path.parent / "unmounted")


@pytest.mark.parametrize("deed", [staged, locked, away])
def test_an_entry_that_may_be_missed_stays(repo: Repo, deed: Callable[[Repo], None]) -> None:
    deed(repo)
    before = repo.git("worktree", "list", "--porcelain", "-z").split("\0\0")
    clean(repo)
    left = repo.git("worktree", "list", "--porcelain", "-z").split("\0\0")
    assert [entry for entry in before if "refs/heads/c" in entry] == [
        entry for entry in left if "refs/heads/c" in entry
    ]


def test_the_entry_that_alone_holds_commits_stays(repo: Repo) -> None:
    tree = rooms.tree(repo, "c")
    repo.git("checkout", "-q", "--detach", cwd=tree)
    mine = repo.commit("mine", {"mine": "mine\n"}, tree)
    subprocess.run(["rm", "-r", tree], check=True)
    [_, entry] = [one for one in clean(repo)["verdicts"] if one["id"] == "c"]
    assert (entry["verdict"], entry["reasons"]) == ("keep", ["what is checked out there is on no branch"])
    assert f"git branch <name> {mine}   # keeps what HEAD of it holds" in entry["hints"]
    repo.git("branch", "kept", mine)
    [_, entry] = [one for one in clean(repo)["verdicts"] if one["id"] == "c"]
    assert (entry["entry_only"], entry["removed"]) == (True, True)


# --------------------------------------------------------------------------------------------------------------- purge


@pytest.fixture
def full(repo: Repo) -> Repo:
    """`a` and `b` are in the trash."""
    clean(repo)
    return repo


def purge(repo: Repo, *args: str, check: int = 0) -> list[dict[str, Any]]:
    trash: list[dict[str, Any]] = clean(repo, "--purge", *args, check=check)["trash"]
    return trash


def trash_of(repo: Repo) -> Path:
    return repo.common_dir() / "fleet/trash"


def test_a_dry_run_lists_what_and_how_old(full: Repo) -> None:
    found = purge(full, "--dry-run")
    assert [(one["operation"], one["worktree"], one["kept"], one["deleted"]) for one in found] == [
        (1, str(rooms.tree(full, name)), None, False) for name in "ab"
    ]
    assert all(one["bytes"] > 0 and one["since_s"] > 1_700_000_000 for one in found)
    out = full.fleet("clean", "--purge", "--dry-run", check=0).out.splitlines()
    assert out[0].split() == ["operation", "age", "size", "worktree"] and out[-1].startswith(
        "would delete 2 worktrees, "
    )


def test_purge_deletes_and_lets_go_of_the_commits(full: Repo) -> None:
    pinned = full.git("for-each-ref", "refs/fleet/keep/1/")
    assert pinned
    done = full.fleet("clean", "--purge", check=0, oracle=False)
    assert done.out.splitlines()[-1].startswith("deleted 2 worktrees, ")
    assert not trash_of(full).exists() and not full.git("for-each-ref", "refs/fleet/keep/1/")
    assert full.fleet("clean", "--purge", check=0).out == "the trash is empty\n"


def test_the_commits_of_a_branch_without_a_folder_stay(repo: Repo) -> None:
    """What is purged is the folder of the other one, which alone was listed."""
    tip = repo.oid("b")
    repo.git("worktree", "remove", "../b")
    clean(repo)
    assert [one["worktree"] for one in purge(repo, "--dry-run")] == [str(rooms.tree(repo, "a"))]
    done = repo.fleet("clean", "--purge", check=0, oracle=False)
    assert f"undo cannot bring back 'b' any more, but its commits are kept: git branch b {tip}\n" in done.err
    repo.git("gc", "-q", "--prune=now")
    repo.git("branch", "b", tip)


def test_a_purge_cannot_be_undone_and_neither_can_what_it_deleted(full: Repo) -> None:
    full.fleet("clean", "--purge", check=0, oracle=False)
    before = full.snapshot()
    assert "has deleted for good" in full.fleet("undo", check=3).err
    assert "is no longer in the trash, which was emptied" in full.fleet("undo", "1", check=3).err
    assert full.snapshot() == before


@pytest.mark.parametrize("kind", [(), ("--bare",)])
def test_a_repository_in_the_trash_stays(full: Repo, kind: tuple[str, ...]) -> None:
    place = Path(purge(full, "--dry-run")[0]["place"])
    (place / ".venv/src").mkdir(parents=True)
    full.git("init", "-q", *kind, str(place / ".venv/src/lib"))
    found = clean_without_oracle(full)
    assert [one["kept"] for one in found] == [f"a repository is in it: {place}/.venv/src/lib", None]
    assert place.is_dir() and full.git("for-each-ref", "refs/fleet/keep/1/")


def test_a_bare_repository_that_is_committed_as_files_goes(tmp_path: Path) -> None:
    files: dict[str, str | None] = {
        "t.git/HEAD": "ref: refs/heads/main\n",
        "t.git/objects/x": "x\n",
        "t.git/refs/x": "",
    }
    repo = rooms.fleet(tmp_path, {"a": files})
    repo.git("merge", "-q", "--no-ff", "a")
    repo.fleet("remove", "a", check=0)
    repo.fleet("clean", "--purge", check=0, oracle=False)
    assert not trash_of(repo).exists()


def test_what_cannot_be_read_stays(full: Repo) -> None:
    place = Path(purge(full, "--dry-run")[0]["place"])
    closed = place / "node_modules/closed"
    closed.mkdir(parents=True)
    (closed / "mine").write_text("mine\n")
    closed.chmod(0)
    args = ("git", "fleet", "clean", "--purge")
    done = full.run(*rooms.whom_modes_bind(), *args, check=3, oracle=False)
    assert f"cannot be read: {closed}; chmod u+rwx it, look, then purge again" in done.out.replace("\n", " ")
    assert (closed / "mine").read_text() == "mine\n"


def clean_without_oracle(repo: Repo) -> list[dict[str, Any]]:
    trash: list[dict[str, Any]] = repo.fleet("clean", "--purge", "--json", check=3, oracle=False).json["trash"]
    return trash


def test_read_only_folders_are_no_hindrance_and_links_are_not_followed(full: Repo, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "mine").write_text("mine\n")
    place = Path(purge(full, "--dry-run")[0]["place"])
    (place / "link").symlink_to(outside)
    (place / "closed").mkdir()
    (place / "closed/file").write_text("x\n")
    (place / "closed").chmod(0o500)
    full.fleet("clean", "--purge", check=0, oracle=False)
    assert not trash_of(full).exists() and (outside / "mine").read_text() == "mine\n"


def test_a_purge_that_was_killed_is_gone_on_with(full: Repo) -> None:
    """What it had begun to delete is not where undo would look, and the next purge finds it."""
    place = Path(purge(full, "--dry-run")[0]["place"])
    doomed = doom(full, place)
    assert "is no longer in the trash" in full.fleet("undo", "1", check=3, oracle=False).err
    full.fleet("clean", "--purge", check=0, oracle=False)
    assert not doomed.exists() and not trash_of(full).exists()


def doom(repo: Repo, place: Path) -> Path:
    """As far as a purge gets before it deletes the first file."""
    from git_fleet.repo import trash

    found = rooms.of(repo)
    [item] = [one for one in trash.items(found, ()) if one.folder == str(place)]
    return Path(trash.take_out(found, item.folder or ""))


def test_the_trash_of_a_landing_that_waits_stays(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"file": "a\n"}, "b": {"file": "b\n"}})
    repo.fleet("land", check=4)
    (repo.common_dir() / "fleet/trash/1/900").mkdir(parents=True)
    assert [one["kept"] for one in clean_without_oracle(repo)] == ["operation 1 is not over"]
