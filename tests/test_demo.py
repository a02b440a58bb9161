"""The demo plays through on a machine where git knows nobody, and leaves nothing."""

import os
import subprocess
from pathlib import Path

import kit


def demo(cwd: Path, *args: str, **env: str | None) -> kit.Completed:
    done = subprocess.run(
        ["git", "fleet", "demo", *args],
        cwd=cwd,
        env=kit.environment(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return kit.Completed(done.returncode, done.stdout, done.stderr)


def test_the_demo_plays_the_lab_and_leaves_nothing(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    played = demo(tmp_path, TMPDIR=str(scratch), GIT_CONFIG_GLOBAL="/dev/null", GIT_DIR=None)
    assert (played.status, played.err) == (0, "")
    typed = [line[2:] for line in played.out.splitlines() if line.startswith("$ ")]
    assert [line for line in typed if line.startswith("git fleet")] == [
        "git fleet plan",
        "git fleet add --ready",
        "git fleet add 44 --allow-overlap",
        "git fleet status",
        "git fleet status",
        "git fleet land",
        "git fleet land --continue",
        "git fleet remove 42 43 44",
        "git fleet log",
    ]
    assert "<<<<<<<" in played.out and "(exit status 4)" in played.out
    assert not any("\x1b" in line for line in played.out)
    assert os.listdir(scratch) == [] and sorted(os.listdir(tmp_path)) == ["scratch"]


def test_keep_leaves_a_whole_repository(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    played = demo(tmp_path, "--keep", TMPDIR=str(scratch))
    assert played.status == 0, played.err
    repo = kit.adopt(Path(played.out.splitlines()[-1].rpartition("cd ")[2]))
    assert repo.path.parent.parent == scratch
    assert '"count"' in repo.show("cli.py") and '"clear"' in repo.show("cli.py")
    assert len(repo.worktrees()) == 1
    repo.fsck()


def test_a_named_directory_must_be_empty(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "work.txt").write_text("mine\n")
    refused = demo(tmp_path, "mine")
    assert refused.status == 3 and "mine" in refused.err and refused.out == ""
    assert os.listdir(tmp_path / "mine") == ["work.txt"]


def test_the_demo_ignores_the_repository_around_it(tmp_path: Path) -> None:
    around = kit.make_repo(tmp_path / "around", {"a.txt": "a\n"})
    before = kit.listing(around.path)
    played = demo(around.path, str(tmp_path / "new"), GIT_DIR=str(around.path / ".git"))
    assert played.status == 0, played.err
    assert kit.listing(around.path) == before
    assert (tmp_path / "new" / "tasks-app" / "cli.py").is_file()
