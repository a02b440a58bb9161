"""Questions put to git: typed answers, whatever names and configuration are like."""

import os
import random
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import rooms
from kit import DATE, Repo, make_repo

from git_fleet.analysis import ancestry
from git_fleet.model.errors import Fatal, GitError
from git_fleet.model.fleet import Branch, Worktree
from git_fleet.repo import git, lineage

ODD = ("a\u2028b", "a\x85b", "-dash", "it's", "$(x)", "ü", "a\u00a0b")


@pytest.fixture
def repo(tmp_path: Path, make_repo: Callable[..., Repo]) -> Repo:
    return make_repo(tmp_path / "app", {"file": "x\n"})


def test_branches_with_tip_tree_and_age(repo: Repo) -> None:
    oid = repo.branch("feature/x", {"new": "x\n"})
    found = git.branches(rooms.of(repo), ("refs/heads/feature/",))
    assert found == {
        "refs/heads/feature/x": Branch("refs/heads/feature/x", oid, repo.oid(f"{oid}^{{tree}}"), 1767323045)
    }
    assert found["refs/heads/feature/x"].short == "feature/x"


def test_refs_that_are_no_commits_are_no_branches(repo: Repo) -> None:
    repo.git("update-ref", "refs/fleet/odd", repo.oid("main^{tree}"))
    assert git.branches(rooms.of(repo), ("refs/fleet/",)) == {}
    assert git.refs(rooms.of(repo), "refs/fleet/") == {"refs/fleet/odd": repo.oid("main^{tree}")}


def test_odd_names_are_whole(repo: Repo) -> None:
    oid = repo.oid("main")
    for name in ODD:
        repo.git("update-ref", f"refs/heads/{name}", oid)
    expected = {f"refs/heads/{name}" for name in (*ODD, "main")}
    found = rooms.of(repo)
    assert set(git.branches(found)) == set(git.refs(found, "refs/heads/")) == expected
    assert set(git.refs_containing(found, oid, "refs/heads/")) == expected
    assert all(git.resolve(found, ref) == oid for ref in expected)


def test_no_branch_at_all(tmp_path: Path, make_repo: Callable[..., Repo]) -> None:
    assert git.branches(rooms.of(make_repo(tmp_path / "empty"))) == {}


# ----------------------------------------------------------------------------------------------------------- worktrees


def test_worktrees_of_every_kind(repo: Repo, tmp_path: Path) -> None:
    for name in ("plain", "locked", "silent", "gone", "detached"):
        repo.git("worktree", "add", "-q", *(("--detach",) if name == "detached" else ()), f"../{name}")
    repo.git("worktree", "lock", "--reason", "agent 7", "../locked")
    repo.git("worktree", "lock", "../silent")
    for path in (tmp_path / "gone" / "file", tmp_path / "gone" / ".git"):
        path.unlink()
    (tmp_path / "gone").rmdir()
    head = repo.oid("main")
    found = {Path(tree.path).name: tree for tree in git.worktrees(rooms.of(repo))}
    gone = found.pop("gone")
    assert gone.prunable is not None and gone.branch == "refs/heads/gone"
    assert found == {
        "app": Worktree(str(repo.path), head, "refs/heads/main", main=True),
        "plain": Worktree(str(tmp_path / "plain"), head, "refs/heads/plain"),
        "locked": Worktree(str(tmp_path / "locked"), head, "refs/heads/locked", locked="agent 7"),
        "silent": Worktree(str(tmp_path / "silent"), head, "refs/heads/silent", locked=""),
        "detached": Worktree(str(tmp_path / "detached"), head, None),
    }


def test_a_folder_that_belongs_to_another_repository(repo: Repo, tmp_path: Path) -> None:
    """A copy is told by where the `.git` leads; how that is spelt, or that it leads nowhere, makes no stranger."""
    repo.git("worktree", "add", "-q", "../plain")
    link, ours = tmp_path / "plain/.git", f"{repo.path}/.git"
    shutil.copytree(repo.path, tmp_path / "copy")
    [_, seen] = git.worktrees(rooms.of(Repo(tmp_path / "copy")))
    assert seen.foreign == ours and seen.prunable == f"it belongs to another repository: '{ours}'"
    (tmp_path / "alias").symlink_to(repo.path)
    (tmp_path / "else").mkdir()
    for said in (ours, "../app/.git", f"{tmp_path}/alias/.git", f"{tmp_path}/gone/.git"):
        link.write_text(f"gitdir: {said}/worktrees/plain\n")
        [_, seen] = git.worktrees(rooms.of(repo))
        assert (said, seen.foreign, seen.prunable) == (said, None, None)
    link.unlink()
    repo.git("clone", "-q", "--bare", ".", str(link))
    [_, seen] = git.worktrees(rooms.of(repo))
    assert seen.foreign == str(link)


@pytest.mark.parametrize("name", ["new\nline", "sp ace", "-dash", "\udcff", "branch refs", "a\u2028b"])
def test_worktrees_with_odd_names(repo: Repo, tmp_path: Path, name: str) -> None:
    repo.git("worktree", "add", "-q", "-b", "side", "--", tmp_path / name)
    assert [tree.path for tree in git.worktrees(rooms.of(repo))] == [str(repo.path), str(tmp_path / name)]


def test_before_the_first_commit(tmp_path: Path, make_repo: Callable[..., Repo]) -> None:
    [only] = git.worktrees(rooms.of(make_repo(tmp_path / "empty")))
    assert (only.head, only.branch, only.main) == (None, "refs/heads/main", True)


def test_a_bare_repository_comes_first(repo: Repo, tmp_path: Path) -> None:
    repo.git("clone", "-q", "--bare", ".", "../hub.git")
    [only] = git.worktrees(rooms.of(Repo(tmp_path / "hub.git")))
    assert (only.path, only.bare, only.main) == (str(tmp_path / "hub.git"), True, True)


def test_a_half_written_entry_is_named(repo: Repo) -> None:
    """git 2.39 dies of an entry without `commondir` or `HEAD`; we say which folder to look into."""
    repo.git("worktree", "add", "-q", "../side")
    found = rooms.of(repo)
    (repo.path / ".git/worktrees/side/HEAD").write_text("")
    (repo.path / ".git/worktrees/side/commondir").write_text("")
    try:
        git.worktrees(found)
    except Fatal as error:
        assert str(repo.path / ".git/worktrees/side") in error.message
        assert error.hints[0].startswith("git fleet doctor")


def test_an_entry_that_is_being_written_is_waited_for(repo: Repo) -> None:
    """Another git makes a worktree at this moment, and dies of nothing."""
    repo.git("worktree", "add", "-q", "../side")
    found, commondir = rooms.of(repo), repo.path / ".git/worktrees/side/commondir"
    whole = commondir.read_text()
    commondir.write_text("")
    threading.Timer(0.1, commondir.write_text, (whole,)).start()
    assert [os.path.basename(tree.path) for tree in git.worktrees(found)] == ["app", "side"]


# ------------------------------------------------------------------------------------------------------- configuration


def test_configuration_is_written_and_read_back(repo: Repo) -> None:
    found = rooms.of(repo)
    values = ["cli.py", 'with "quotes" # and ; and \\', " spaces ", ""]
    git.config_set(found, "fleet.a.b.owns", values)
    assert git.config_get_all(found, "fleet.a.b.owns") == values
    git.config_set(found, "fleet.a.b.owns", values[:1])
    assert git.config_entries(found, r"^fleet\.") == [("fleet.a.b.owns", "cli.py")]
    git.config_set(found, "fleet.a.b.owns", [])
    assert git.config_get_all(found, "fleet.a.b.owns") == []


def test_configuration_that_is_right_already_is_not_written(repo: Repo) -> None:
    found = rooms.of(repo)
    git.config_set(found, "fleet.42.status", ["active"])
    before = (repo.path / ".git/config").stat().st_mtime_ns
    git.config_set(found, "fleet.42.status", ["active"])
    assert (repo.path / ".git/config").stat().st_mtime_ns == before


@pytest.mark.parametrize("value", ["two\nlines", "a\rb", "a\0b"])
def test_values_that_git_cannot_hold_are_refused(repo: Repo, value: str) -> None:
    with pytest.raises(Fatal, match=r"'fleet.42.title' holds a line break or NUL"):
        git.config_set(rooms.of(repo), "fleet.42.title", [value])


def test_a_value_with_line_breaks_is_read_whole(repo: Repo) -> None:
    repo.config({"fleet.gate": "one\ntwo"})
    assert git.config_entries(rooms.of(repo), r"^fleet\.gate$") == [("fleet.gate", "one\ntwo")]


# ------------------------------------------------------------------------------------------------------------- history


def test_resolve_takes_commits_only(repo: Repo) -> None:
    found, oid = rooms.of(repo), repo.oid("main")
    assert (git.resolve(found, "refs/heads/main"), git.resolve(found, oid)) == (oid, oid)
    assert git.resolve(found, "refs/heads/none") is git.resolve(found, repo.oid("main:file")) is None
    assert git.tree_of(found, oid) == repo.oid("main^{tree}")


def test_ancestors(repo: Repo) -> None:
    found, old = rooms.of(repo), repo.oid("main")
    new = repo.branch("side")
    assert (git.is_ancestor(found, old, new), git.is_ancestor(found, new, old)) == (True, False)
    assert not git.is_ancestor(found, "f" * 40, old)


def test_the_graph_is_all_that_is_not_common(repo: Repo) -> None:
    found, start = rooms.of(repo), repo.oid("main")
    one, base = repo.branch("one"), repo.commit("base moves", {"file": "y\n"})
    two = repo.branch("two", start="one")
    assert sorted(lineage.graph(found, base, [one, two])) == sorted([(two, (one,)), (one, (start,)), (base, (start,))])


def test_the_graph_of_unrelated_histories(repo: Repo) -> None:
    base = repo.oid("main")
    other = repo.git("commit-tree", "-m", "root", repo.oid("main^{tree}"))
    assert sorted(lineage.graph(rooms.of(repo), base, [other])) == sorted([(base, ()), (other, ())])


def test_first_parents(repo: Repo) -> None:
    start, side = repo.oid("main"), repo.branch("side", {"side": "x\n"})
    repo.git("merge", "-q", "--no-ff", "-m", "merge", side)
    assert git.first_parents(rooms.of(repo), "main", 5) == [repo.oid("main"), start]
    assert git.first_parents(rooms.of(repo), "main", 1) == [repo.oid("main")]


def test_trailers_name_tasks(repo: Repo) -> None:
    side = repo.branch("side", {"side": "x\n"})
    repo.git("merge", "-q", "--no-ff", "-m", "Merge\n\nFleet-Task: 42\nFleet-Task: a-b\n", side)
    merge = repo.oid("main")
    repo.commit("talks of Fleet-Task: 7 only", {"file": "y\n"})
    assert git.task_trailers(rooms.of(repo), "main", 100) == [(merge, side, "42"), (merge, side, "a-b")]
    assert git.task_trailers(rooms.of(repo), "main", 1) == []


def test_where_a_branch_began(repo: Repo) -> None:
    start = repo.oid("main")
    repo.git("checkout", "-q", "-b", "side")
    new = repo.commit("more", {"more": "x\n"})
    found = rooms.of(repo)
    assert git.oldest_reflog_entry(found, "refs/heads/side") == start
    assert git.reflog_commits(found, "refs/heads/side") == [new, start]
    assert git.oldest_reflog_entry(found, "refs/heads/none") is None
    assert git.reflog_commits(found, "refs/heads/none") == []


def test_a_worktree_has_a_reflog_of_its_own(repo: Repo, tmp_path: Path) -> None:
    repo.git("worktree", "add", "-q", "--detach", "../side")
    new = repo.commit("detached", {"more": "x\n"}, tmp_path / "side")
    assert new in git.reflog_commits(rooms.of(repo), "HEAD", str(tmp_path / "side"))
    assert new not in git.reflog_commits(rooms.of(repo), "HEAD")


def test_authors_once_oldest_first(repo: Repo) -> None:
    start = repo.oid("main")
    for name in ("Bo", "Al\u2028x", "Bo"):
        repo.git("-c", f"user.name={name}", "commit", "-q", "--allow-empty", "-m", "x")
    expected = ["Bo <author@example.com>", "Al\u2028x <author@example.com>"]
    assert git.authors(rooms.of(repo), start, "main") == expected
    assert DATE in repo.git("log", "-1", "--format=%aI", "main").replace("Z", "+00:00")


def test_changed_paths_with_odd_names(repo: Repo) -> None:
    start = repo.oid("main")
    names = ["-dash", "new\nline", "ü", "\udcff", ":(glob)*", "sub/deep"]
    repo.write(dict.fromkeys(names, "x\n"))
    repo.git("mv", "file", "renamed")
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", "odd")
    assert set(git.changed_paths(rooms.of(repo), start, "main")) == {*names, "file", "renamed"}


def test_symbolic_refs(repo: Repo) -> None:
    assert git.symbolic_ref(rooms.of(repo), "HEAD") == "refs/heads/main"
    assert git.symbolic_ref(rooms.of(repo), "refs/remotes/origin/HEAD") is None


def test_a_failure_is_told_in_gits_words(repo: Repo) -> None:
    with pytest.raises(GitError, match=r"^git rev-parse --verify --end-of-options: fatal: Needed a single revision"):
        git.tree_of(rooms.of(repo), "nothing")


def test_a_users_configuration_bends_nothing(repo: Repo) -> None:
    repo.config({"core.quotePath": "true", "log.showSignature": "true", "color.ui": "always", "diff.renames": "copies"})
    repo.config({"log.showRoot": "false", "diff.orderFile": "/dev/null", "core.pager": "false", "format.pretty": "raw"})
    start = repo.oid("main")
    repo.commit("odd", {"ü": "x\n"})
    found = rooms.of(repo)
    assert git.changed_paths(found, start, "main") == ["ü"]
    assert git.authors(found, start, "main") == ["A U Thor <author@example.com>"]
    assert git.reflog_commits(found, "refs/heads/main") == [repo.oid("main"), start]


def test_graph_tells_every_distance_in_any_history(tmp_path: Path) -> None:
    """Several beginnings, merges of many parents, tips inside the base and inside each other."""
    chance = random.Random(5)
    repo = make_repo(tmp_path / "app", {})
    stream = ["feature done", "blob\nmark :1000\ndata 0\n"]
    for number in range(1, 61):
        parents = sorted(chance.sample(range(1, number), min(number - 1, chance.choice([0, 1, 1, 1, 1, 2, 3]))))
        stream += [f"commit refs/heads/n{number}", f"mark :{number}"]
        stream += [f"committer A <a@example.com> {1700000000 + chance.randrange(500)} +0000", "data 0"]
        stream += [f"{'merge' if place else 'from'} :{parent}" for place, parent in enumerate(parents)] + [""]
    repo.git("fast-import", "--quiet", stdin="\n".join([*stream, "done", ""]))
    oids = [repo.oid(f"n{number}") for number in range(1, 61)]
    found = rooms.of(repo)
    for _ in range(25):
        base, *tips = chance.sample(oids, chance.choice([2, 3, 6]))
        family = ancestry.distances(lineage.graph(found, base, tips), base, tips)
        for tip in tips:
            ahead, behind = repo.git("rev-list", "--left-right", "--count", f"{tip}...{base}").split()
            assert family.distances[tip] == (int(ahead), int(behind))
