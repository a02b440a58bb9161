"""Merges that leave no trace."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import kit
import pytest
import rooms
from kit import Repo

from git_fleet.model.errors import GitError
from git_fleet.model.fleet import Change, Lines
from git_fleet.repo import merging

LONG = "".join(f"line {number}\n" for number in range(20))


@pytest.fixture
def repo(tmp_path: Path, make_repo: Callable[..., Repo]) -> Repo:
    """main, and branches that merge with it and with each other, or do not."""
    repo = make_repo(tmp_path / "app", {"file": LONG, "other": LONG})
    repo.branch("top", {"file": LONG.replace("line 0\n", "top\n")})
    repo.branch("bottom", {"file": LONG.replace("line 19\n", "bottom\n")})
    repo.branch("rewritten", {"file": LONG.replace("line 0\n", "rewritten\n")})
    repo.branch("gone", {"file": None, "new": "x\n"})
    repo.branch("elsewhere", {"other": "short\n"})
    return repo


NAMES = ("top", "bottom", "rewritten", "gone", "elsewhere")


def merged(repo: Repo, ours: str, theirs: str, base: str = "main") -> merging.Merge:
    with merging.quarantine(rooms.of(repo), repo.oid(base)) as place:
        return merging.merge(place, repo.oid(ours), repo.oid(theirs))


def plain(repo: Repo, tmp_path: Path, ours: str, theirs: str) -> str | None:
    """The tree that `git merge` makes in a checkout, None for a conflict."""
    tree = tmp_path / "scratch"
    repo.git("worktree", "add", "-q", "--detach", tree, ours)
    status = rooms.status_of("git", "merge", "-q", "--no-ff", "-m", "x", theirs, cwd=tree)
    oid = repo.git("rev-parse", "HEAD^{tree}", cwd=tree) if status == 0 else None
    repo.git("worktree", "remove", "--force", tree)
    return oid


@pytest.mark.parametrize(
    ("ours", "theirs", "paths"),
    [
        ("top", "bottom", ()),
        ("top", "rewritten", ("file",)),
        ("top", "gone", ("file",)),
        ("elsewhere", "gone", ()),
        ("main", "top", ()),
        ("top", "main", ()),
    ],
)
def test_it_is_what_git_merge_makes(repo: Repo, tmp_path: Path, ours: str, theirs: str, paths: tuple[str, ...]) -> None:
    merge = merged(repo, ours, theirs)
    assert (merge.clean, merge.paths, merge.why) == (not paths, paths, None)
    assert (merge.tree if merge.clean else None) == plain(repo, tmp_path, ours, theirs)


def test_a_batch_is_one_by_one(repo: Repo) -> None:
    pairs = [(repo.oid(ours), repo.oid(theirs)) for ours in NAMES for theirs in NAMES]
    with merging.quarantine(rooms.of(repo), repo.oid("main")) as place:
        alone = [merging.merge(place, *pair) for pair in pairs]
        assert merging.merges(place, pairs) == alone
        assert merging.merges(place, []) == []
    assert {merge.clean for merge in alone} == {True, False}


def test_nothing_is_left_in_the_repository(repo: Repo) -> None:
    before = rooms.objects(repo)
    with merging.quarantine(rooms.of(repo), repo.oid("main")) as place:
        tree = merging.merge(place, repo.oid("top"), repo.oid("bottom")).tree
        merging.merge(place, repo.oid("top"), repo.oid("rewritten"))
        [commit] = merging.commits(place, [(tree, [repo.oid("top"), repo.oid("bottom")])])
        assert merging.merge(place, commit, repo.oid("elsewhere")).clean
        folder = place.folder
    assert rooms.objects(repo) == before
    assert rooms.status_of("git", "cat-file", "-e", tree, cwd=repo.path) != 0
    assert not Path(folder).exists()


def test_the_quarantine_goes_with_an_error(repo: Repo) -> None:
    with pytest.raises(GitError), merging.quarantine(rooms.of(repo), repo.oid("main")) as place:
        merging.commits(place, [("f" * 40, ("not an id",))])
    assert not Path(place.folder).exists()


def test_make_believe_commits(repo: Repo) -> None:
    tree, parents = repo.oid("top^{tree}"), [repo.oid("main"), repo.oid("top")]
    with merging.quarantine(rooms.of(repo), repo.oid("main")) as place:
        one, two = merging.commits(place, [(tree, parents), (tree, parents[:1])])
        assert one != two and merging.commits(place, []) == []
        assert merging.merge(place, one, repo.oid("bottom")) == merging.merge(place, two, repo.oid("bottom"))


def test_attributes_are_those_of_the_base(repo: Repo) -> None:
    """A union driver that the base asks for, at the top and in a folder; a branch's own counts no more than in git."""
    repo.commit("union", {".gitattributes": "log merge=union\n", "sub/.gitattributes": "* merge=union\n"})
    repo.commit("start", {"log": "start\n", "sub/log": "start\n", "plain": "start\n"})
    for name in ("one", "two"):
        repo.branch(name, {"log": f"start\n{name}\n", "sub/log": f"start\n{name}\n"})
    merge = merged(repo, "one", "two")
    assert merge.clean
    with merging.quarantine(rooms.of(repo), repo.oid("main")) as place:
        assert merging.merge(place, repo.oid("one"), repo.oid("two")).tree == merge.tree
        logs = merging.blobs(place, [f"{merge.tree}:log", f"{merge.tree}:sub/log"])
    assert logs == ["start\none\ntwo\n"] * 2
    assert not merged(repo, "one", "two", base="main~2").clean


def test_attributes_of_the_main_worktree_do_not_count(repo: Repo) -> None:
    repo.write({".gitattributes": "* merge=union\n"})
    assert not merged(repo, "top", "rewritten").clean


@pytest.mark.parametrize("name", ["a:b", '"quoted', "back\\slash:x", 'q"u:o', "sp ace", "\udcff"])
def test_repositories_with_odd_paths(tmp_path: Path, make_repo: Callable[..., Repo], name: str) -> None:
    repo = make_repo(tmp_path / name, {"file": LONG})
    repo.branch("top", {"file": LONG.replace("line 0\n", "top\n")})
    repo.branch("bottom", {"file": LONG.replace("line 19\n", "bottom\n")})
    assert merged(repo, "top", "bottom").clean
    with merging.quarantine(rooms.of(repo), repo.oid("main")) as place:
        merge = merging.merge(place, repo.oid("top"), repo.oid("bottom"))
        [commit] = merging.commits(place, [(merge.tree, [repo.oid("top")])])
        assert merging.changes(place, repo.oid("top^{tree}"), [merge.tree])[0][1] == Lines(1, 1)
        assert merging.merge(place, commit, repo.oid("bottom")).clean


def test_odd_file_names_in_conflicts(repo: Repo) -> None:
    names = ["-dash", "new\nline", "\udcff", "ü", "sp ace"]
    repo.commit("odd", dict.fromkeys(names, "x\n"))
    for who in ("one", "two"):
        repo.git("checkout", "-q", "-b", who, "main")
        repo.commit(who, dict.fromkeys(names, f"{who}\n"))
    repo.git("checkout", "-q", "main")
    assert merged(repo, "one", "two").paths == tuple(sorted(names))


def test_unrelated_histories(repo: Repo) -> None:
    """git refuses them, and the answers of a whole batch with them."""
    oid, main = repo.git("commit-tree", "-m", "root", repo.oid("main^{tree}")), repo.oid("main")
    refused = merging.Merge(False, "", why="no common history")
    with merging.quarantine(rooms.of(repo), main) as place:
        answers = merging.merges(place, [(main, repo.oid("top")), (main, oid), (main, repo.oid("bottom"))])
    assert answers[1] == refused and [answer.clean for answer in answers] == [True, False, True]


def test_users_renames_and_styles_are_heard_as_git_merge_hears_them(repo: Repo, tmp_path: Path) -> None:
    repo.config({"merge.renames": "false", "merge.conflictStyle": "diff3"})
    repo.git("checkout", "-q", "-b", "renamed", "main")
    repo.git("mv", "file", "moved")
    repo.commit("renamed")
    repo.git("checkout", "-q", "main")
    merge = merged(repo, "top", "renamed")
    assert (merge.tree if merge.clean else None) == plain(repo, tmp_path, "top", "renamed")


# ------------------------------------------------------------------------------------------------------------- changes


def test_changes_are_those_of_git_diff(repo: Repo, tmp_path: Path) -> None:
    repo.git("checkout", "-q", "-b", "all", "main")
    repo.git("mv", "other", "moved")
    (repo.path / "file").chmod(0o755)
    (repo.path / "image").write_bytes(bytes(range(256)) * 4)
    repo.commit("all kinds", {"new\nline": "a\nb\n", "\udcff": "x\n", "-dash": "", "sub/deep": "x\n"})
    trees = [repo.oid(f"{name}^{{tree}}") for name in (*NAMES, "all", "main", "top")]
    with merging.quarantine(rooms.of(repo), repo.oid("main")) as place:
        found = merging.changes(place, repo.oid("main^{tree}"), trees)
        assert merging.changes(place, trees[0], []) == []
    for tree, (rows, lines) in zip(trees, found, strict=True):
        stat = repo.git("diff", "--numstat", "--no-renames", "-z", "main", tree).split("\0")
        counts = [line.split("\t")[:2] for line in stat if line]
        assert lines == Lines(*(sum(int(pair[n]) for pair in counts if pair[n] != "-") for n in (0, 1)))
        names = repo.git("diff", "--name-only", "--no-renames", "-z", "main", tree)
        assert [row.path for row in rows] == [name for name in names.split("\0") if name]
    assert found[NAMES.index("gone")][0] == (
        Change("file", "100644", "000000", repo.oid("main:file"), "0" * 40),
        Change("new", "000000", "100644", "0" * 40, repo.oid("gone:new")),
    )
    assert found[-2] == ((), Lines()) and found[-1] == found[0]
    assert next(row for row in found[-3][0] if row.path == "file").new_mode == "100755"


def test_where_nothing_temporary_can_be_written_nothing_is_written_into_the_worktree(tmp_path: Path) -> None:
    """In a mount namespace of its own, where the system lets us make one."""
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}})
    script = f"""
        mount --bind '{tmp_path}' '{tmp_path}' || exit 99
        for place in /tmp /var/tmp /usr/tmp /dev/shm; do
            [ ! -d "$place" ] || {{ mount --rbind "$place" "$place" && mount -o remount,ro,bind "$place"; }} || exit 99
        done
        cd '{repo.path}' && PYTHONPATH='{kit.ROOT}' '{sys.executable}' -P -m git_fleet "$@"
    """
    if shutil.which("unshare") is None:
        pytest.skip("no unshare")
    for deed in (["check"], ["land"]):
        done = subprocess.run(
            ["unshare", "-rm", "sh", "-c", script, "sh", *deed],
            cwd="/",
            env=kit.environment(None),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode in (1, 99):
            pytest.skip("no mount namespaces here")
        assert done.returncode == 128, done.stderr
        assert "no folder for temporary files can be written to" in done.stderr and "TMPDIR=" in done.stderr
    assert repo.git("status", "--porcelain") == "" and repo.git("log", "--format=%s", "-1", "main").strip() != "a"
