"""Checklists: progress and owned paths, from the task's own worktree, and from no other place."""

from pathlib import Path

import pytest
from kit import Repo, make_repo

from git_fleet.model.plan import Progress
from git_fleet.plan.checklist import Checklist, looks_like_path, parsed

LIST = """\
# Plan A

- [x] write `cli.py` (see http://example.com/x.py)
- [ ] update docs/guide.md, and README.md.
  1. [X] `src/auth/` and `--force`
* [ ] talk to somebody
- [] none
- [y] none
```
- [ ] `code.py`
```
"""


def test_items_and_their_paths() -> None:
    assert parsed(LIST) == Checklist(Progress(2, 4), ("cli.py", "docs/guide.md", "README.md", "src/auth/"))
    assert parsed("") == Checklist(Progress(0, 0), ())


@pytest.mark.parametrize("word", ["cli.py", "src/auth/", "docs/*.md", "a/b", ".github/workflows/ci.yml", "Makefile.am"])
def test_a_path(word: str) -> None:
    assert looks_like_path(word)


@pytest.mark.parametrize(
    "word",
    [
        "",
        "word",
        "3.5",
        "-x.py",
        "/etc/passwd",
        "~/x.py",
        "../x.py",
        ".git/config",
        "http://a.b/c",
        "a\u202eb.py",
        "$(id).py",
    ],
)
def test_no_path(word: str) -> None:
    assert not looks_like_path(word)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = make_repo(tmp_path / "app", {"LIST.md": "- [ ] `a.py`\n- [ ] `b.py`\n"})
    made.config({"fleet.1.title": "one", "fleet.1.checklist": "LIST.md", "fleet.1.branch": "one"})
    return made


def progress(repo: Repo) -> tuple[object, list[str], object]:
    """(of plan, owned paths, of status)"""
    task = repo.fleet("plan", "--json").json["tasks"][0]
    return task["progress"], task["owns"], repo.fleet("status", "--json", check=0).json["tasks"][0]["progress"]


def test_progress_is_that_of_the_own_worktree(repo: Repo) -> None:
    none = {"done": 0, "total": 2}
    assert progress(repo) == (none, ["a.py", "b.py"], none)
    repo.fleet("add", "1", check=0)
    tree = repo.path.parent / "app-1-one"
    repo.write({"LIST.md": "- [x] `a.py`\n- [ ] `c.py`\n- [x] `d/`\n"}, tree)
    two = {"done": 2, "total": 3}
    assert progress(repo) == (two, ["a.py", "c.py", "d/"], two)
    assert "2/3" in repo.fleet("plan").out and "2/3" in repo.fleet("status", check=0).out


def test_who_owns_something_keeps_to_it(repo: Repo) -> None:
    repo.config({"fleet.1.owns": "z.py"})
    assert progress(repo)[1] == ["z.py"]


@pytest.mark.parametrize(
    "name", ["../secret.md", "/etc/passwd", ".git/config", "missing.md", "link.md", "fifo", "folder"]
)
def test_a_checklist_elsewhere_or_of_another_kind_is_unknown(repo: Repo, name: str) -> None:
    import os

    (repo.path.parent / "secret.md").write_text("- [x] s.py\n")
    (repo.path / "link.md").symlink_to("../secret.md")
    os.mkfifo(repo.path / "fifo")
    (repo.path / "folder").mkdir()
    repo.git("config", "fleet.1.checklist", name)
    assert progress(repo) == (None, [], None)


def test_a_task_without_a_checklist_has_no_progress(repo: Repo) -> None:
    repo.git("config", "--unset", "fleet.1.checklist")
    assert "progress" not in repo.fleet("plan", "--json").json["tasks"][0]
