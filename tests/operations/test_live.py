"""Uncommitted work counts, and looking at it changes nothing at all."""

import os
from pathlib import Path

import pytest
import rooms
from kit import Repo, make_repo
from sights import branch, look, pair

from git_fleet.model.fleet import Dirt
from git_fleet.repo import live, merging, process

TEXT = "".join(f"line {number}\n" for number in range(30))


def edited(at: int, what: str) -> str:
    return TEXT.replace(f"line {at}\n", f"{what}\n")


def everything(*tops: Path) -> dict[str, tuple[bytes, int, int]]:
    """Every file of these folders, the git directory's too: bytes, time, mode."""
    found = {}
    for top in tops:
        for folder, _, files in os.walk(top):
            for name in files:
                path = os.path.join(folder, name)
                stat = os.lstat(path)
                data = os.readlink(path).encode() if os.path.islink(path) else Path(path).read_bytes()
                mine = not name.startswith("sharedindex.")  # every git that reads it gives it a new time
                found[path] = data, stat.st_mtime_ns if mine else 0, stat.st_mode
    return found


class Pairs:
    """Two branches in worktrees of their own."""

    def __init__(self, folder: Path) -> None:
        self.repo = make_repo(folder / "app", {"file": TEXT, "other": "o\n", ".gitignore": "*.log\n"})
        self.one, self.two = folder / "one", folder / "two"
        for name in ("one", "two"):
            self.repo.git("worktree", "add", "-q", "-b", name, folder / name)


@pytest.fixture
def both(tmp_path: Path) -> Pairs:
    return Pairs(tmp_path)


def test_work_of_every_sort_is_seen_and_nothing_is_touched(both: Pairs) -> None:
    repo = both.repo
    repo.commit("one", {"file": edited(3, "A")}, cwd=both.one)
    repo.write(
        {"file": edited(3, "A").replace("line 9", "A"), "new": "1\n", "deep/er/new": "x\n", "a.log": "l"}, both.one
    )
    repo.write({"file": edited(9, "B"), "new": "2\n", "staged": "s\n", "planned": "p\n", "other": None}, both.two)
    repo.git("add", "staged", cwd=both.two)
    repo.git("add", "-N", "planned", cwd=both.two)
    before = everything(both.repo.path, both.one, both.two)
    seen = look(repo)
    assert everything(both.repo.path, both.one, both.two) == before
    found = pair(seen)
    assert found is not None
    assert (found.verdict, found.paths, found.kinds) == ("conflict", ("file", "new"), ("content", "add/add"))
    assert seen.dirty == {"one", "two"}
    assert seen.changed == {"one": ("deep/er/new", "file", "new"), "two": ("file", "new", "other", "planned", "staged")}
    assert look(repo, committed=True).changed == {"one": ("file",), "two": ()}
    assert look(repo, committed=True).dirty == frozenset()


def test_staged_and_then_changed_again_is_the_latter(both: Pairs) -> None:
    both.repo.write({"file": edited(3, "A")}, both.one)
    both.repo.git("add", "file", cwd=both.one)
    both.repo.write({"file": edited(20, "A")}, both.one)
    both.repo.write({"file": edited(3, "B")}, both.two)
    found = pair(look(both.repo))
    assert found is not None and found.verdict == "clean"


def test_a_file_that_is_no_longer_tracked_but_ignored(both: Pairs) -> None:
    both.repo.git("rm", "-q", "--cached", "other", cwd=both.one)
    both.repo.write({".gitignore": "other\n"}, both.one)
    assert look(both.repo).changed["one"] == (".gitignore", "other")


def test_a_merge_under_way_is_said_and_the_commit_counts(both: Pairs) -> None:
    both.repo.commit("one", {"file": edited(3, "A")}, cwd=both.one)
    both.repo.commit("two", {"file": edited(3, "B")}, cwd=both.two)
    with pytest.raises(Exception, match="exit 1"):
        both.repo.git("merge", "-q", "one", cwd=both.two)
    seen = look(both.repo)
    found = pair(seen)
    assert seen.operations == {"two": "merge"} and seen.dirty == frozenset()
    assert seen.notes == ("two is in the middle of a merge: compared by its last commit",)
    assert found is not None and (found.verdict, found.paths) == ("conflict", ("file",))


def test_unmerged_paths_without_a_merge_are_not_known(both: Pairs) -> None:
    both.repo.write({"file": edited(3, "A")}, both.one)
    both.repo.git("stash", "-q", cwd=both.one)
    both.repo.commit("one", {"file": edited(3, "B")}, cwd=both.one)
    with pytest.raises(Exception, match="exit 1"):
        both.repo.git("stash", "pop", "-q", cwd=both.one)
    seen = look(both.repo)
    assert seen.radar.unknown == {"one": "not resolved yet in its worktree: file"}
    assert "one" not in seen.radar.merged


def test_a_filter_that_fails_is_a_reason(both: Pairs) -> None:
    both.repo.commit("attributes", {".gitattributes": "secret filter=vault\n"}, cwd=both.one)
    both.repo.config({"filter.vault.clean": "false", "filter.vault.required": "true"})
    both.repo.write({"secret": "s\n"}, both.one)
    unknown = look(both.repo).radar.unknown
    assert unknown.keys() == {"one"} and "vault" in unknown["one"]


def test_repositories_inside_are_left_alone(both: Pairs) -> None:
    make_repo(both.one / "nested", {"file": "n\n"})
    both.repo.write({"new": "1\n"}, both.one)
    assert look(both.repo).changed["one"] == ("new",)


def test_a_sparse_worktree_keeps_what_it_does_not_show(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "app", {"in/a": "1\n", "out/b": "2\n"})
    repo.git("worktree", "add", "-q", "-b", "one", tmp_path / "one")
    repo.git("sparse-checkout", "set", "in", cwd=tmp_path / "one")
    repo.write({"in/a": "changed\n", "out/new": "n\n"}, tmp_path / "one")
    assert look(repo).changed["one"] == ("in/a", "out/new")


def test_a_split_index_stays_where_it_is(both: Pairs) -> None:
    both.repo.git("update-index", "--split-index", cwd=both.one)
    both.repo.config({"core.splitIndex": "true"})
    both.repo.write({"file": edited(3, "A")}, both.one)
    before = everything(both.repo.path, both.one)
    assert look(both.repo).changed["one"] == ("file",)
    assert everything(both.repo.path, both.one) == before


def test_hooks_stay_asleep(both: Pairs, tmp_path: Path) -> None:
    hook = both.repo.path / ".git/hooks/post-index-change"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    both.repo.write({"file": edited(3, "A")}, both.one)
    assert look(both.repo).dirty == {"one"}
    assert not (tmp_path / "ran").exists()


def test_stacked_work_that_is_not_committed(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "app", {"file": TEXT})
    branch(repo, "one", {"file": edited(3, "A")})
    repo.git("worktree", "add", "-q", "-b", "two", tmp_path / "two", "one")
    repo.write({"file": edited(3, "B")}, tmp_path / "two")
    found = pair(look(repo))
    assert found is not None and (found.verdict, found.first) == ("clean", None)


def test_many_changes_are_added_at_once(both: Pairs) -> None:
    both.repo.write({f"many/{number}": f"{number}\n" for number in range(250)}, both.one)
    for number in range(250):
        both.repo.write({f"many{number}": "x\n"}, both.two)
    seen = look(both.repo)
    assert (len(seen.changed["one"]), len(seen.changed["two"])) == (250, 250)


def test_a_huge_file_is_not_read_but_its_name_counts(both: Pairs, tmp_path: Path) -> None:
    """Sparse, so that only who reads it notices how long it is."""
    ignored = tmp_path / "ignored"
    ignored.write_text("*.tmp\n")
    both.repo.git("config", "core.excludesFile", str(ignored))
    both.repo.write({"data/small": "1\n", "data/skipped.tmp": "x", ".gitignore": "*.iso\n"}, both.one)
    for name in ("data/a [b]*.bin", "data/disk.iso", "dump"):
        with (both.one / name).open("wb") as file:
            file.truncate(live.BIG + 1)
    both.repo.write({"dump": "another\n"}, both.two)
    before = everything(both.one)
    seen = look(both.repo)
    assert everything(both.one) == before
    assert seen.changed["one"] == (".gitignore", "data/a [b]*.bin", "data/small", "dump")
    found = pair(seen)
    assert found is not None and (found.verdict, found.paths) == ("conflict", ("dump",))
    assert [note.partition(":")[2] for note in seen.notes] == [
        f" '{path}' is too big to be read while it is not committed: only its name counts"
        for path in ("data/a [b]*.bin", "dump")
    ]


def test_status_counts_what_is_not_committed(both: Pairs) -> None:
    both.repo.write({"file": edited(3, "A")}, both.one)
    both.repo.write({"file": edited(3, "B")}, both.two)
    rows = {row["id"]: row for row in both.repo.fleet("status", "--json", check=0).json["tasks"]}
    assert {id: row["conflicts_with"] for id, row in rows.items()} == {"one": ["two"], "two": ["one"]}


def test_the_quarantine_is_gone(both: Pairs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setenv("TMPDIR", str(place))
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", None)
    both.repo.write({"new": "1\n"}, both.one)
    assert look(both.repo).dirty == {"one"}
    assert list(place.iterdir()) == []
    assert Repo(both.one).git("status", "--porcelain") == "?? new"


def test_a_worktree_that_somebody_removes_meanwhile_is_a_reason(tmp_path: Path) -> None:
    """It was there when we looked what is changed in it."""
    repo = make_repo(tmp_path / "app", {"file": TEXT})
    gone = str(tmp_path / "gone")
    job = process.Job(("git", "status"), gone)
    assert process.run_many([job], at_once=1) == [process.Result(128, "", f"'{gone}' is gone\n")]
    with merging.quarantine(rooms.of(repo), repo.oid("main")) as place:
        assert live.trees(place, {gone: Dirt(unstaged=("file",))}) == {gone: live.Live(None, "its folder is gone")}
