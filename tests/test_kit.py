"""The oracle must be able to fail: each kind of loss is caught, each kind of keeping is not."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import kit
import pytest
from kit import Repo, make_repo

TABLE = "# Plan\n\n| Issue | Status | Branch |\n|---|---|---|\n| #42 count | queued | `a` |\n\nend\n"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = make_repo(tmp_path / "app", {"a.txt": "one\n", ".gitignore": "*.db\n", "PLAN.md": TABLE})
    repo.git("worktree", "add", "-q", "-b", "side", "../app-side")
    return repo


def side(repo: Repo) -> Path:
    return repo.path.parent / "app-side"


def delete_untracked(repo: Repo) -> None:
    (side(repo) / "new.txt").unlink()


def delete_ignored(repo: Repo) -> None:
    (side(repo) / "local.db").unlink()


def truncate(repo: Repo) -> None:
    (side(repo) / "new.txt").write_text("")


def remove_worktree(repo: Repo) -> None:
    repo.git("worktree", "remove", "--force", "../app-side")


def drop_staged(repo: Repo) -> None:
    repo.git("reset", "-q", cwd=side(repo))


def lose_commit(repo: Repo) -> None:
    repo.git("reset", "-q", "--hard", "HEAD~1", cwd=side(repo))


def lose_detached(repo: Repo) -> None:
    repo.git("checkout", "-q", "side", cwd=side(repo))
    repo.git("reflog", "expire", "--expire=now", "--all")


def rewrite_plan(repo: Repo) -> None:
    repo.write({"PLAN.md": TABLE.replace("`a`", "`b`").replace("end", "more"), "a.txt": "one\n"})
    repo.git("add", "-A")


def work(repo: Repo) -> None:
    """Uncommitted work of every kind in the side worktree."""
    repo.write({"new.txt": "new\n", "local.db": "rows\n", "staged.txt": "staged\n"}, side(repo))
    repo.git("add", "staged.txt", cwd=side(repo))
    (side(repo) / "staged.txt").write_text("edited since\n")


@pytest.mark.parametrize("harm", [delete_untracked, delete_ignored, truncate, remove_worktree, drop_staged])
def test_lost_content_is_caught(repo: Repo, harm: Callable[[Repo], None]) -> None:
    work(repo)
    with pytest.raises(kit.Lost), kit.oracle(repo):
        harm(repo)


def test_lost_commit_is_caught(repo: Repo) -> None:
    repo.commit("work", {"b.txt": "b\n"}, side(repo))
    with pytest.raises(kit.Lost, match="lost commits"), kit.oracle(repo):
        lose_commit(repo)


def test_a_commit_on_a_detached_head_is_caught(repo: Repo) -> None:
    repo.git("checkout", "-q", "--detach", cwd=side(repo))
    repo.commit("work", {"b.txt": "b\n"}, side(repo))
    with pytest.raises(kit.Lost, match="lost commits"), kit.oracle(repo):
        lose_detached(repo)


def test_a_commit_known_to_a_reflog_alone_is_caught(repo: Repo) -> None:
    repo.commit("work", {"b.txt": "b\n"}, side(repo))
    lose_commit(repo)
    with kit.oracle(repo):
        pass
    with pytest.raises(kit.Lost, match="lost commits"), kit.oracle(repo):
        repo.git("reflog", "expire", "--expire=now", "--all")


def test_a_plan_rewritten_beyond_its_status_is_caught(repo: Repo) -> None:
    repo.write({"PLAN.md": TABLE.replace("end", "typed by a person")})
    with pytest.raises(kit.Lost, match=r"PLAN\.md"), kit.oracle(repo):
        rewrite_plan(repo)


def test_status_cells_and_new_rows_are_allowed(repo: Repo) -> None:
    typed = TABLE.replace("end", "typed by a person")
    repo.write({"PLAN.md": typed})
    with kit.oracle(repo):
        row = "| #42 count | landed, at last | `a` |\n"
        repo.write({"PLAN.md": typed.replace("| #42 count | queued | `a` |\n", row + "| 45 | | `c` |\n")})


def test_what_is_kept_is_allowed(repo: Repo) -> None:
    """In the trash, under a keep ref, or committed: not lost."""
    work(repo)
    tip = repo.commit("all of it", cwd=side(repo))
    repo.write({"new.txt": "newer\n"}, side(repo))
    with kit.oracle(repo):
        trash = repo.common_dir() / "fleet" / "trash" / "1"
        trash.mkdir(parents=True)
        os.rename(side(repo), trash / "app-side")
        repo.git("update-ref", "refs/fleet/keep/1/head", tip)
        repo.git("worktree", "prune")
        repo.git("branch", "-D", "side")


def test_a_changed_tracked_file_is_lost_only_if_uncommitted(repo: Repo) -> None:
    with kit.oracle(repo):
        repo.commit("clean file replaced by a committed change", {"a.txt": "two\n"})
    repo.write({"a.txt": "typed by a person\n"})
    with pytest.raises(kit.Lost, match=r"a\.txt"), kit.oracle(repo):
        repo.git("checkout", "-q", "--", "a.txt")


@pytest.mark.parametrize("name", ["index", "fleet/cache", "refs/heads/new"])
def test_a_reader_that_writes_is_caught(repo: Repo, name: str) -> None:
    with kit.frozen(repo):
        repo.git("--no-optional-locks", "status", "--short")
    with pytest.raises(kit.Lost, match=name), kit.frozen(repo):
        path = repo.common_dir() / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(path.read_bytes() + b"x" if path.exists() else b"x")


@pytest.mark.parametrize(
    ("args", "reads"),
    [
        (["status", "--json"], True),
        (["plan"], True),
        (["plan", "set", "42", "owns", "x"], False),
        (["land", "--dry-run"], True),
        (["land"], False),
        (["add", "--ready"], False),
        (["-h"], True),
        (["-q", "remove", "42"], False),
        (["undo"], False),
    ],
)
def test_readers_are_known(args: list[str], reads: bool) -> None:
    assert kit.is_reader(args) is reads


def test_branch_makes_a_branch_and_touches_nothing_else(repo: Repo) -> None:
    before = repo.snapshot()
    tip = repo.branch("x/y", {"a.txt": "changed\n", "sub/new.txt": "ü\n", "PLAN.md": None})
    after = repo.snapshot()
    assert after == before._replace(refs={**before.refs, "refs/heads/x/y": tip})
    assert repo.git("diff", "--name-status", "main", "x/y").split("\n") == ["D\tPLAN.md", "M\ta.txt", "A\tsub/new.txt"]
    assert repo.show("sub/new.txt", "x/y") == "ü\n"


def test_the_seal_hides_the_machine(tmp_path: Path) -> None:
    seen = subprocess.run(
        [sys.executable, "-c", "import os; print(*sorted(k for k in os.environ if k.startswith(('GIT_', 'XDG_'))))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert "GIT_DIR" not in seen and "COLUMNS" not in os.environ
    assert Path.cwd() == tmp_path
    origins = subprocess.run(
        ["git", "config", "--show-origin", "-l"], capture_output=True, text=True, check=True
    ).stdout
    assert {line.split("\t")[0] for line in origins.splitlines()} == {f"file:{os.environ['HOME']}/.gitconfig"}
