"""What `add` brings into a new worktree besides the files of its branch, and what becomes of that."""

import os
import signal
from pathlib import Path

import kit
import pytest
import rooms
from kit import Repo
from warm import Warm


@pytest.fixture
def repo(tmp_path: Path, warm: Warm) -> Repo:
    repo = rooms.Quick(rooms.fleet(tmp_path, {"a": None, "b": None}, copy="/config/"), warm)
    repo.commit("ignore", {".gitignore": "*.log\n.env\n/config/x\n", "config/t": "x\n", ".worktreeinclude": ".env\n"})
    repo.write({".env": "TOKEN=1\n", "sub/.env": "x\n", "config/x": "secret\n", "draft": "mine\n", "big.log": "x\n"})
    return repo


def content(tree: Path) -> dict[str, str]:
    """What git does not track there."""
    found = kit.Repo(tree).git("ls-files", "-o", "-z").split("\0")[:-1]
    return {name: (tree / name).read_text() for name in found}


def test_what_is_asked_for_is_copied(repo: Repo) -> None:
    """By the configuration and by a tracked file; what is not ignored stays where it is."""
    before = repo.snapshot()
    said = repo.fleet("add", "--dry-run", "a", "b", check=0).err
    assert "would copy 3 ignored files into a\n" in said and repo.snapshot() == before
    said = repo.fleet("add", "a", "b", check=0).err
    assert "copied 3 ignored files into b\n" in said
    for task in "ab":
        assert content(rooms.tree(repo, task)) == {".env": "TOKEN=1\n", "sub/.env": "x\n", "config/x": "secret\n"}
        assert repo.git("status", "--porcelain", cwd=rooms.tree(repo, task)) == ""
    one, two = (rooms.tree(repo, "a") / ".env").stat(), (repo.path / ".env").stat()
    assert one.st_nlink == 1 and one.st_ino != two.st_ino
    assert "copied" not in repo.fleet("add", "a", check=0).err


def test_nothing_is_written_through_a_link_of_the_branch(repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    repo.git("worktree", "add", "-q", "-b", "a", "../tmp", "main")
    repo.git("rm", "-rq", "config", cwd=tmp_path / "tmp")
    (tmp_path / "tmp/config").symlink_to("../outside")
    repo.commit("a link", cwd=tmp_path / "tmp")
    repo.git("worktree", "remove", "../tmp")
    said = repo.fleet("add", "a", check=0).err
    assert "copied 2 ignored files into a, but not: config/x (its branch does not ignore it)" in said
    assert list((tmp_path / "outside").iterdir()) == []


def test_nothing_is_written_into_a_submodule_of_the_branch(repo: Repo, tmp_path: Path) -> None:
    repo.git("worktree", "add", "-q", "-b", "a", "../tmp", "main")
    repo.git("rm", "-rq", "config", cwd=tmp_path / "tmp")
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{repo.oid('main')},config", cwd=tmp_path / "tmp")
    repo.git("commit", "-q", "-m", "a submodule", cwd=tmp_path / "tmp")
    repo.git("worktree", "remove", "--force", "../tmp")
    assert "copied 2 ignored files into a, but not: config/x (" in repo.fleet("add", "a", check=0).err
    assert list((rooms.tree(repo, "a") / "config").iterdir()) == []


def test_what_the_branch_does_not_ignore_would_be_committed_by_accident(repo: Repo) -> None:
    repo.branch("a", {".gitignore": "/config/x\n", "sub/.env": "the branch's\n"})
    said = repo.fleet("add", "a", check=0).err
    assert "copied 1 ignored file into a, but not: .env (" in said and "sub/.env (" in said
    assert content(rooms.tree(repo, "a")) == {"config/x": "secret\n"}
    assert (rooms.tree(repo, "a") / "sub/.env").read_text() == "the branch's\n"


def test_patterns_that_cannot_be_read(repo: Repo, tmp_path: Path) -> None:
    (repo.path / ".worktreeinclude").unlink()
    (repo.path / ".worktreeinclude").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").write_text("draft\n")
    before = repo.snapshot()
    assert "'.worktreeinclude'" in repo.fleet("add", "a", check=128).err.replace(f"{repo.path}/", "")
    assert repo.snapshot() == before


def test_a_bare_repository_has_them_where_the_base_is(tmp_path: Path) -> None:
    rooms.fleet(tmp_path, {}).git("clone", "-q", "--bare", ".", "../hub.git")
    hub = kit.adopt(tmp_path / "hub.git")
    hub.config({"fleet.branch": "{id}", "fleet.worktree": "../{id}", "fleet.a.title": "a", "fleet.copy": "*.log"})
    hub.fleet("add", "a", check=0, oracle=False)
    hub.fleet("undo", check=0, oracle=False)
    hub.git("worktree", "add", "-q", "../main", "main")
    (tmp_path / "main/x.log").write_text("x\n")
    hub.fleet("add", "a", check=0, oracle=False)
    assert content(tmp_path / "a") == {"x.log": "x\n"}


def test_a_copy_is_in_nobodys_way_until_it_is_changed(repo: Repo) -> None:
    repo.fleet("add", "a", "b", check=0)
    repo.fleet("undo", check=0)
    repo.fleet("undo", check=0)
    assert (rooms.tree(repo, "a") / ".env").read_text() == "TOKEN=1\n"
    for task in "ab":
        repo.commit(f"{task}: done", {task: "x\n"}, rooms.tree(repo, task))
    repo.fleet("land", check=0)
    repo.write({".env": "TOKEN=mine\n"}, rooms.tree(repo, "b"))
    verdicts = repo.fleet("remove", "--dry-run", "--json", "a", "b", check=3).json["verdicts"]
    told = {one["id"]: (one["verdict"], sorted(one["evidence"]["copies"])) for one in verdicts}
    assert told == {"a": ("remove", [".env", "config/x", "sub/.env"]), "b": ("keep", ["config/x", "sub/.env"])}
    assert "b stays: ignored: .env\n" in repo.fleet("remove", "b", check=3).err
    assert "with .env" in repo.fleet("remove", "a", check=0).err
    repo.fleet("undo", check=0)
    assert (rooms.tree(repo, "a") / ".env").read_text() == "TOKEN=1\n"
    (repo.path / ".env").unlink()
    assert "a stays: ignored: .env\n" in repo.fleet("remove", "a", check=3).err


# ------------------------------------------------------------------------------------------------------------- set up


def test_commands_run_once_in_the_new_worktree(repo: Repo, tmp_path: Path) -> None:
    """After files and copies, with the task's environment and without an input."""
    script = (
        'cat; cat .env file >made.log; echo "$FLEET_TASK,$FLEET_SLOT,$FLEET_PORT,$FLEET_WORKTREE,$GIT_DIR" >>made.log'
    )
    repo.config({"fleet.setup": [script, f'echo "$PWD" >>"{tmp_path}/second"; git fleet add a b']})
    repo.commit("prompts", {"a.md": "do it\n"})
    assert "would set up a, b: cat; cat" in repo.fleet("add", "--dry-run", "a", "b", check=0).err
    repo.fleet("add", "a", "b", check=0, env={"GIT_DIR": str(repo.common_dir())})
    told = f"a,1,20010,{rooms.tree(repo, 'a')},"
    assert (rooms.tree(repo, "a") / "made.log").read_text() == f"TOKEN=1\n{rooms.LONG}{told}\n"
    assert sorted((tmp_path / "second").read_text().splitlines()) == [str(rooms.tree(repo, id)) for id in "ab"]
    again = repo.fleet("add", "a", "b", check=0).err
    assert "setting up" not in again and len((tmp_path / "second").read_text().splitlines()) == 2


def test_one_that_fails_leaves_the_worktree_and_is_tried_again(repo: Repo, tmp_path: Path) -> None:
    repo.config(
        {"fleet.setup": ["echo before", f'echo "$FLEET_TASK says no"; test -e "{tmp_path}/ready"', "touch x.log"]}
    )
    failed = repo.fleet("add", "a", check=1)
    [why] = [line for line in failed.err.splitlines() if line.startswith("error: ")]
    assert (
        why.startswith('error: a is there, but was not set up: \'echo "$FLEET_TASK says no"') and "exit status 1" in why
    )
    assert Path(why.rpartition("log: ")[2]).read_text() == "a says no\n"
    assert "hint: git fleet add a   # tries it again\n" in failed.err and failed.out == f"{rooms.tree(repo, 'a')}\n"
    assert rooms.operations(repo) == [("add", "done")] and not (rooms.tree(repo, "a") / "x.log").exists()
    (tmp_path / "ready").touch()
    repo.fleet("add", "a", check=0)
    assert (rooms.tree(repo, "a") / "x.log").exists() and rooms.operations(repo) == [("add", "done")]


def test_a_file_of_the_branch_names_no_commands(repo: Repo, tmp_path: Path) -> None:
    repo.commit(
        "bait", {".gitconfig": f'[fleet]\n\tsetup = touch "{tmp_path}/ran"\n', ".worktreeinclude": "!touch ran\n"}
    )
    repo.fleet("add", "a", check=0)
    assert not (tmp_path / "ran").exists()


def test_none_for_once(repo: Repo, tmp_path: Path) -> None:
    repo.config({"fleet.setup": f'touch "{tmp_path}/ran"'})
    repo.run("git", "-c", "fleet.setup=", "fleet", "add", "a", check=0)
    repo.fleet("add", "a", check=0)
    assert not (tmp_path / "ran").exists()


def test_one_that_hangs_ends_with_all_that_it_started(repo: Repo, tmp_path: Path) -> None:
    repo.config({"fleet.setup": f'sleep 300 & echo $! >"{tmp_path}/pid"; wait', "fleet.gateTimeout": "1s"})
    assert "timed out after 1 s" in repo.fleet("add", "a", check=1).err
    kit.wait_for(lambda: not Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}").exists())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_the_next_add_goes_on(repo: Repo, tmp_path: Path, number: int) -> None:
    """Of more tasks than there are processors some have not begun: they never do."""
    script = f'test -e "{tmp_path}/go" && exit; echo $$ >>"{tmp_path}/pids"; sleep 300'
    repo.config({"fleet.setup": script, **{f"fleet.t{number}.title": "t" for number in range(os.cpu_count() or 2)}})
    running = repo.start("add", "--all")
    kit.wait_for(lambda: (tmp_path / "pids").exists() and (tmp_path / "pids").read_text().endswith("\n"))
    assert running.kill(number) in (-number, 128 + number)
    begun = (tmp_path / "pids").read_text().split()
    assert len(begun) <= (os.cpu_count() or 2) and not any(Path(f"/proc/{pid}").exists() for pid in begun)
    (tmp_path / "go").touch()
    assert "setting up a, b" in repo.fleet("add", "a", "b", check=0).err
    assert rooms.operations(repo) == [("add", "done")]


def test_one_is_set_up_by_one_alone(repo: Repo, tmp_path: Path) -> None:
    repo.config({"fleet.setup": f'touch "{tmp_path}/begun"; until test -e "{tmp_path}/go"; do sleep 0.02; done'})
    first = repo.start("add", "a")
    kit.wait_for((tmp_path / "begun").exists)
    assert "a is being set up already" in repo.fleet("add", "a", check=0).err
    (tmp_path / "go").touch()
    assert first.wait() == 0


def test_one_that_outlived_who_started_it_ends_before_it_runs_again(repo: Repo, tmp_path: Path) -> None:
    script = f'echo $$ >>"{tmp_path}/pids"; test -e "{tmp_path}/go" || sleep 300'
    repo.config({"fleet.setup": script})
    running = repo.start("add", "a")
    kit.wait_for(lambda: (tmp_path / "pids").exists() and (tmp_path / "pids").read_text().endswith("\n"))
    [first] = (tmp_path / "pids").read_text().split()
    running.kill()
    assert Path(f"/proc/{first}").exists()
    (tmp_path / "go").touch()
    repo.fleet("add", "a", check=0)
    kit.wait_for(lambda: not Path(f"/proc/{first}").exists())


def test_a_setup_that_takes_its_worktree_away_has_failed(repo: Repo) -> None:
    repo.config({"fleet.setup": 'cd .. && rm -rf "$FLEET_WORKTREE"'})
    said = repo.fleet("add", "a", check=1).err
    assert f"a command took '{rooms.tree(repo, 'a')}' away" in said
