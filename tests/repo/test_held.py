"""What a worktree's administrative entry keeps alive."""

from pathlib import Path

import kit
import rooms

from git_fleet.repo import git, held


def test_everything_that_an_entry_names(tmp_path: Path) -> None:
    """Reflogs, also of private references; HEAD and its like; what is staged, unmerged, and was unmerged."""
    repo = kit.make_repo(tmp_path / "app", {"one": "x\n", "two": "x\n"})
    repo.config({"core.logAllRefUpdates": "always"})
    tree = tmp_path / "side"
    repo.git("worktree", "add", "-q", "-b", "side", tree)
    repo.branch("theirs", {"one": "theirs one\n", "two": "theirs two\n"})
    repo.commit("mine", {"one": "my one\n", "two": "my two\n"}, tree)
    given_up = repo.commit("given up", {"three": "x\n"}, tree)
    repo.git("update-ref", "refs/worktree/x", given_up, cwd=tree)
    repo.git("update-ref", "refs/worktree/x", "HEAD~", cwd=tree)
    repo.git("reset", "-q", "--hard", "HEAD~", cwd=tree)
    assert rooms.status_of("git", "merge", "theirs", cwd=tree) == 1
    repo.write({"one": "resolved\n", "staged": "staged\n"}, tree)
    repo.git("add", "one", "staged", cwd=tree)
    entry = git.private_dir(str(tree)) or ""
    found = held.by(rooms.of(repo), entry)
    assert {given_up, repo.oid("side"), repo.oid("theirs")} <= set(found.commits)
    assert {repo.git("cat-file", "-p", blob) for blob in found.blobs} == {
        *("x", "theirs one", "my one", "theirs two", "my two", "resolved", "staged")
    }
    assert held.private_refs(rooms.of(repo), entry) == {"refs/worktree/x": repo.oid("side")}


def test_what_nothing_else_keeps(tmp_path: Path) -> None:
    repo = kit.make_repo(tmp_path / "app", {"one": "x\n"})
    tip, blob = repo.oid("main"), repo.git("rev-parse", "main:one")
    lost = repo.git("commit-tree", "-m", "lost", "-p", "main", "main^{tree}")
    names = {"a": tip, "b": lost, "c": blob, "d": "0" * 39 + "1"}
    assert dict(held.unkept(rooms.of(repo), names, ())) == {"b": lost, "c": blob, "d": "0" * 39 + "1"}
    assert "b" not in dict(held.unkept(rooms.of(repo), names, [lost]))
