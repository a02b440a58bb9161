"""The lab's edges: what is refused and why, what a red gate and a kill leave behind, odd places to call from."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import kit
import lab
import pytest
from kit import Repo


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """The lab with its plan in the configuration, tasks 42 and 43 at work and committed."""
    repo = lab.with_config(tmp_path)
    repo.fleet("add", "42", "43", check=0)
    for task in ("42", "43"):
        lab.work(repo, task)
    return repo


# ---------------------------------------------------------------------------------------------------------------- land


def test_a_dirty_branch_is_refused_by_the_names_of_its_files(repo: Repo) -> None:
    repo.write({"notes.txt": "mine\n", "README.md": "half done\n"}, lab.worktree(repo, "43"))
    before = repo.snapshot()
    refused = repo.fleet("land", check=3)
    assert "notes.txt" in refused.err and "README.md" in refused.err and "43" in refused.err
    assert repo.snapshot() == before


def test_a_red_base_blames_nobody(repo: Repo) -> None:
    repo.git("config", "--replace-all", "fleet.gate", "test ! -e cli.py")
    before = repo.snapshot()
    red = repo.fleet("land", check=5)
    assert "main" in red.err and lab.branch("42") not in red.err
    assert_nothing_moved(repo, before)


def test_a_red_candidate_moves_nothing_and_names_its_log(repo: Repo) -> None:
    """Alone; beside others, what is green lands: the next test."""
    repo.git("config", "--replace-all", "fleet.gate", "! grep -q count cli.py || { echo the-gate-said-this; exit 1; }")
    before = repo.snapshot()
    red = repo.fleet("land", "42", "--json", check=5)
    gates = {step["id"]: step["gate"] for step in red.json["steps"]}
    assert gates["42"] == "failed" and red.json["result"]["landed"] == []
    logs = [word.strip("'\".,:()") for word in red.err.split() if "/" in word]
    assert any(os.path.isfile(path) and "the-gate-said-this" in Path(path).read_text() for path in logs), red.err
    assert_nothing_moved(repo, before)


def test_beside_a_red_candidate_what_is_green_lands(repo: Repo) -> None:
    repo.git("config", "--replace-all", "fleet.gate", "! grep -q count cli.py")
    red = repo.fleet("land", "--json", check=5).json
    assert {step["id"]: (step["action"], step["gate"]) for step in red["steps"]}["42"] == ("park", "failed")
    assert red["result"]["landed"] == ["43"]
    assert "count" not in repo.git("show", "main:cli.py")


def test_no_gate_lands_without_running_it(repo: Repo, tmp_path: Path) -> None:
    repo.git("config", "--replace-all", "fleet.gate", f"touch '{tmp_path}/gate-ran'; false")
    done = repo.fleet("land", "--no-gate", "--json", check=0).json
    assert done["result"]["landed"] == ["42", "43"]
    assert not (tmp_path / "gate-ran").exists()


def test_abort_leaves_what_landed_and_clears_the_lane(repo: Repo) -> None:
    stop_at_44(repo)
    landed = repo.snapshot()
    (lab.lane(repo) / "cli.py").write_text("half a resolution\n")
    repo.fleet("land", "--abort", check=0)
    assert repo.snapshot().refs == landed.refs
    assert not lane_has_conflict(repo)
    assert lab.reports(repo.fleet("status", "--json", check=0).json)["44"]["state"] == "active"
    assert repo.fleet("land", "--abort").status != 0


def test_abort_keeps_a_resolution_that_was_committed_in_the_lane(repo: Repo) -> None:
    stop_at_44(repo)
    lab.keep_both(lab.lane(repo) / "cli.py")
    repo.commit("resolved by hand", cwd=lab.lane(repo))
    repo.fleet("land", "--abort", check=0)  # the oracle asks for the commit


def test_a_resolution_that_the_gate_rejects_stays(repo: Repo) -> None:
    stop_at_44(repo)
    repo.git("config", "--replace-all", "fleet.gate", "! grep -q clear cli.py")
    before = repo.oid("main")
    lab.keep_both(lab.lane(repo) / "cli.py")
    repo.git("add", "cli.py", cwd=lab.lane(repo))
    red = repo.fleet("land", "--continue", check=5)
    assert "44" in red.err and repo.oid("main") == before
    assert '"clear"' in (lab.lane(repo) / "cli.py").read_text()
    repo.git("config", "--replace-all", "fleet.gate", "true")
    repo.fleet("land", "--continue", check=0)
    assert '"clear"' in repo.show("cli.py")


def test_a_conflict_that_waits_on_one_base_survives_a_landing_on_another(repo: Repo) -> None:
    repo.git("branch", "release", "main")
    repo.fleet("add", "44", "--allow-overlap", check=0)
    lab.work(repo, "44")
    repo.fleet("land", "--onto", "release", "42", "44", check=4)
    (lab.lane(repo) / "cli.py").write_text("half a resolution\n")
    repo.fleet("land", "42", check=0)  # its gate wants a lane too; the oracle asks for the file
    assert (lab.lane(repo) / "cli.py").read_text() == "half a resolution\n"


def test_skip_goes_on_with_the_others(repo: Repo) -> None:
    stop_at_44(repo)
    landed = repo.oid("main")
    repo.fleet("land", "--skip", check=0)
    assert repo.oid("main") == landed
    assert not lane_has_conflict(repo)
    assert repo.exists(lab.branch("44"))


def test_continue_refuses_what_is_not_resolved(repo: Repo) -> None:
    stop_at_44(repo)
    before = repo.oid("main")
    refused = repo.fleet("land", "--continue")
    assert refused.status in (3, 4) and "cli.py" in refused.err
    assert repo.oid("main") == before
    lab.keep_both(lab.lane(repo) / "cli.py")
    repo.git("add", "cli.py", cwd=lab.lane(repo))
    repo.fleet("land", "--continue", check=0)
    assert '"clear"' in repo.show("cli.py") and '"count"' in repo.show("cli.py")


def test_a_killed_landing_loses_nothing_and_the_next_one_says_so(repo: Repo, tmp_path: Path) -> None:
    gate = f"touch '{tmp_path}/started'; while ! test -e '{tmp_path}/go'; do sleep 0.05; done"
    repo.git("config", "--replace-all", "fleet.gate", gate)
    before, picture = repo.snapshot(), kit.picture(repo)
    running = repo.start("land")
    kit.wait_for((tmp_path / "started").exists)
    assert running.kill(signal.SIGKILL) == -signal.SIGKILL
    (tmp_path / "go").touch()
    kit.judge(repo, picture)
    assert repo.snapshot().refs == before.refs
    assert lab.reports(repo.fleet("status", "--json", check=0).json)["42"]["state"] == "active"
    again = repo.fleet("land", "--json", check=0)
    assert again.json["result"]["landed"] == ["42", "43"]
    assert "earlier" in again.err or "interrupted" in again.err or "killed" in again.err, again.err
    assert repo.git("rev-list", "--count", "--merges", "main") == "2"


def test_a_landing_killed_at_any_moment_is_finished_by_the_next(tmp_path: Path) -> None:
    def prepared(name: str) -> Repo:
        repo = lab.with_config(tmp_path / name)
        repo.fleet("add", "42", "43", check=0)
        for task in ("42", "43"):
            lab.work(repo, task)
        return repo

    repo = prepared("whole")
    began = time.monotonic()
    repo.fleet("land", "--no-gate", check=0, oracle=False)
    whole = time.monotonic() - began
    for share in (0.3, 0.45, 0.55, 0.65, 0.75, 0.85):
        repo = prepared(f"killed-{share}")
        picture = kit.picture(repo)
        running = repo.start("land", "--no-gate")
        time.sleep(whole * share)
        running.kill()
        kit.judge(repo, picture)
        again = repo.fleet("land", "--no-gate")
        if again.status:  # git's own lock, left by its death: named, never broken by age
            locks = [path for path in repo.common_dir().rglob("*.lock") if "fleet" not in path.parts]
            assert locks and any(str(lock) in again.err for lock in locks), again.err
            for lock in locks:
                lock.unlink()
            repo.fleet("land", "--no-gate", check=0)
        assert repo.git("rev-list", "--count", "--merges", "main") == "2"
        assert repo.git("status", "--porcelain") == ""
        assert "count" in repo.read("cli.py") and (repo.path / "CHANGELOG.md").is_file()


def test_a_base_that_is_dirty_where_nothing_lands_is_left_alone(repo: Repo) -> None:
    repo.write({"test.sh": lab.TEST + "# edited\n", "scratch.txt": "x\n"})
    repo.fleet("land", "--no-gate", check=0)
    assert repo.read("test.sh").endswith("# edited\n") and repo.read("scratch.txt") == "x\n"
    assert "count" in repo.read("cli.py")


def test_a_base_that_is_dirty_where_something_lands_is_refused(repo: Repo) -> None:
    repo.write({"cli.py": "typed by a person\n"})
    before = repo.snapshot()
    refused = repo.fleet("land", "--no-gate", check=3)
    assert "cli.py" in refused.err
    assert repo.snapshot() == before


def test_an_ignored_file_in_the_way_is_refused(repo: Repo) -> None:
    (repo.common_dir() / "info").mkdir(exist_ok=True)
    (repo.common_dir() / "info" / "exclude").write_text("CHANGELOG.md\n")
    repo.write({"CHANGELOG.md": "ignored, and mine\n"})
    before = repo.snapshot()
    refused = repo.fleet("land", "--no-gate", check=3)
    assert "CHANGELOG.md" in refused.err
    assert repo.snapshot() == before


# ----------------------------------------------------------------------------------------------------------------- add


def test_add_again_changes_nothing(repo: Repo) -> None:
    before = repo.snapshot()
    repo.fleet("add", "42", check=0)
    assert repo.snapshot() == before


def test_add_refuses_a_task_whose_need_has_not_landed(repo: Repo) -> None:
    repo.config({"fleet.45.title": "retry", "fleet.45.needs": "42", "fleet.45.owns": "cli.py"})
    before = repo.snapshot()
    refused = repo.fleet("add", "45", check=3)
    assert "45" in refused.err and "42" in refused.err
    assert repo.snapshot() == before
    repo.fleet("land", "42", check=0)
    repo.fleet("add", "45", check=0)
    assert repo.oid("feature/45-retry") == repo.oid("main")


@pytest.mark.parametrize("kind", ["file", "full", "link"])
def test_add_refuses_a_path_that_exists(repo: Repo, kind: str) -> None:
    place = lab.worktree(repo, "44")
    if kind == "file":
        place.write_text("mine\n")
    elif kind == "full":
        place.mkdir()
        (place / "mine.txt").write_text("mine\n")
    else:
        place.symlink_to("nowhere")
    before = repo.snapshot()
    refused = repo.fleet("add", "44", "--allow-overlap", check=3)
    assert place.name in refused.err
    assert repo.snapshot() == before and os.path.lexists(place)


def test_add_refuses_a_branch_checked_out_elsewhere(repo: Repo) -> None:
    repo.git("worktree", "add", "-q", "-b", lab.branch("44"), "../elsewhere")
    before = repo.snapshot()
    refused = repo.fleet("add", "44", "--allow-overlap", check=3)
    assert "elsewhere" in refused.err
    assert repo.snapshot() == before


def test_add_refuses_past_the_limit(repo: Repo) -> None:
    repo.config({"fleet.limit": "2"})
    before = repo.snapshot()
    refused = repo.fleet("add", "44", "--allow-overlap", check=3)
    assert "2" in refused.err and "limit" in refused.err
    assert repo.snapshot() == before


def test_add_makes_a_task_on_the_spot(repo: Repo) -> None:
    repo.fleet("add", "45 retry uploads", "--owns", "src/upload/", check=0)
    tasks = {task["id"]: task for task in repo.fleet("plan", "--json").json["tasks"]}
    made = tasks["45"]
    assert (made["title"], made["slug"], made["owns"]) == ("retry uploads", "retry-uploads", ["src/upload/"])
    assert repo.exists("feature/45-retry-uploads")
    assert (repo.path.parent / "tasks-app-45-retry-uploads" / "cli.py").is_file()


def test_a_task_added_on_the_spot_is_a_row_of_the_markdown_plan(tmp_path: Path) -> None:
    repo = lab.with_markdown(tmp_path)
    repo.fleet("add", "45 retry uploads", "--owns", "src/upload/", "--needs", "42", check=3)
    assert repo.read("PLAN.md") == lab.PLAN  # refused for its need: nothing is left of it
    repo.fleet("add", "45 retry uploads", "--owns", "src/upload/", check=0)
    new = [line for line in repo.read("PLAN.md").splitlines() if line not in lab.PLAN.splitlines()]
    assert len(new) == 1 and "45" in new[0] and "src/upload/" in new[0]


@pytest.mark.parametrize("command", [["add", "--ready"], ["land"], ["remove", "42"], ["undo"], ["init"]])
def test_a_dry_run_changes_nothing(repo: Repo, command: list[str]) -> None:
    before = repo.snapshot()
    repo.fleet(*command, "--dry-run")
    assert repo.snapshot() == before


# -------------------------------------------------------------------------------------------------------------- remove


def modified(tree: Path) -> None:
    (tree / "cli.py").write_text("mine\n")


def untracked(tree: Path) -> None:
    (tree / "mine.txt").write_text("mine\n")


def ignored(tree: Path) -> None:
    (tree / "local.db").write_text("mine\n")


def locked(tree: Path) -> None:
    subprocess.run(["git", "worktree", "lock", "--reason", "agent 7", tree], cwd=tree, check=True)


@pytest.mark.parametrize("harm", [modified, untracked, ignored, locked])
def test_remove_refuses(repo: Repo, harm: Callable[[Path], None]) -> None:
    (repo.common_dir() / "info").mkdir(exist_ok=True)
    (repo.common_dir() / "info" / "exclude").write_text("*.db\n")
    repo.fleet("land", "42", check=0)
    harm(lab.worktree(repo, "42"))
    before = repo.snapshot()
    refused = repo.fleet("remove", "42", check=3)
    assert refused.err.startswith("error: ")
    assert repo.snapshot() == before


def test_remove_refuses_commits_that_have_not_landed(repo: Repo) -> None:
    before = repo.snapshot()
    repo.fleet("remove", "42", check=3)
    repo.fleet("land", "42", check=0)
    repo.commit("one more", {"late.txt": "late\n"}, lab.worktree(repo, "42"))
    before = repo.snapshot()
    repo.fleet("remove", "42", check=3)
    assert repo.snapshot() == before


def test_remove_refuses_the_tree_you_stand_in(repo: Repo) -> None:
    repo.fleet("land", "42", check=0)
    before = repo.snapshot()
    repo.fleet("remove", "42", cwd=lab.worktree(repo, "42"), check=3)
    assert repo.snapshot() == before


# ----------------------------------------------------------------------------------------------------------- the edges


@pytest.mark.parametrize("command", [["add", "99"], ["land", "99"], ["remove", "99"], ["path", "99"]])
def test_an_unknown_task_is_named(repo: Repo, command: list[str]) -> None:
    before = repo.snapshot()
    done = repo.fleet(*command)
    assert done.status in (3, 128, 129) and "99" in done.err and done.out == ""
    assert repo.snapshot() == before


@pytest.mark.parametrize("command", ["plan", "status", "land", "log"])
def test_not_a_repository(tmp_path: Path, command: str) -> None:
    done = bare(tmp_path, "git", "fleet", command)
    assert done.status == 128 and done.err.startswith("fatal: not a git repository"), done.err


def test_usage(tmp_path: Path) -> None:
    short = bare(tmp_path, "git", "fleet", "-h")
    assert short.status == 129 and short.out.lower().startswith("usage: git fleet") and short.err == ""
    for command in ("plan", "add", "status", "land", "remove", "undo", "log", "path", "init"):
        of_one = bare(tmp_path, "git", "fleet", command, "-h")
        assert of_one.status == 129 and of_one.out.lower().startswith(f"usage: git fleet {command}"), of_one
    for wrong in (["frobnicate"], ["status", "--frobnicate"], ["land", "--onto"]):
        done = bare(tmp_path, "git", "fleet", *wrong)
        assert (done.status, done.out) == (129, ""), done
        assert wrong[-1] in done.err.lower()
    assert bare(tmp_path, "git", "fleet", "--version").out.startswith("git-fleet ")


def test_a_closed_pipe_is_141(repo: Repo) -> None:
    for number in range(40):
        repo.config({f"fleet.1{number:02}.title": "x" * 400})
    reads, writes = os.pipe()
    os.close(reads)
    done = subprocess.run(["git", "fleet", "plan", "--json"], cwd=repo.path, stdout=writes, stderr=subprocess.PIPE)
    os.close(writes)
    assert done.returncode in (141, -signal.SIGPIPE) and done.stderr == b""


def test_a_deleted_folder_is_said(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    script = f"cd '{gone}' && rmdir '{gone}' && exec git-fleet status"
    done = bare(tmp_path, "sh", "-c", script)
    assert done.status == 128 and "\nfatal: the current directory is gone\n" in done.err


def test_inherited_variables_never_reach_another_repository(repo: Repo, tmp_path: Path) -> None:
    """In an alias or hook GIT_INDEX_FILE and its kin are set: a decoy must stay as it is, to the nanosecond."""
    decoy = kit.make_repo(tmp_path / "decoy", {"decoy.txt": "decoy\n"})
    before = kit.listing(decoy.path)
    env = {"GIT_INDEX_FILE": str(decoy.path / ".git/index"), "GIT_OBJECT_DIRECTORY": str(decoy.path / ".git/objects")}
    done = repo.fleet("status", "--json", check=0, env=env)
    assert set(lab.reports(done.json)) == {"42", "43", "44"}
    repo.fleet("add", "44", "--allow-overlap", check=0, env=env)
    repo.fleet("land", check=0, env=env)
    assert kit.listing(decoy.path) == before


def test_git_dir_alone_decides_which_repository(repo: Repo, tmp_path: Path) -> None:
    """As with git itself: what stands around the current folder is not touched."""
    decoy = kit.make_repo(tmp_path / "decoy", {"decoy.txt": "decoy\n"})
    before = kit.listing(decoy.path)
    done = repo.fleet("status", "--json", env={"GIT_DIR": str(decoy.path / ".git")}, check=0).json
    assert done["base"] == {"branch": "main", "commit": decoy.oid("main")} and lab.reports(done) == {}
    assert kit.listing(decoy.path) == before


def test_git_dir_names_the_repository_and_children_forget_it(repo: Repo, tmp_path: Path) -> None:
    """`git --git-dir=…` is heard once; from then on worktrees are asked, not the variable."""
    gone = {"GIT_DIR": str(repo.common_dir() / "worktrees" / lab.worktree(repo, "42").name)}
    inside = lab.worktree(repo, "42")
    done = repo.fleet("status", "--json", cwd=inside, env=gone, check=0)
    assert {task: row.get("ahead") for task, row in lab.reports(done.json).items()} == {"42": 1, "43": 1, "44": None}
    lab.edit(repo, "43")
    (lab.worktree(repo, "43") / "only-here.txt").write_text("x\n")
    seen = lab.reports(repo.fleet("status", "--json", cwd=inside, env=gone, check=0).json)
    assert (seen["42"]["untracked"], seen["43"]["untracked"]) == (0, 1)


@pytest.mark.parametrize("hook", ["post-checkout", "pre-commit"])
def test_called_from_a_hook(repo: Repo, tmp_path: Path, hook: str) -> None:
    answer = tmp_path / "answer.json"
    (repo.common_dir() / "hooks").mkdir(exist_ok=True)
    script = repo.common_dir() / "hooks" / hook
    script.write_text(f"#!/bin/sh\ngit fleet status --json >'{answer}' 2>&1 || echo failed >>'{answer}'\n")
    script.chmod(0o755)
    tree = lab.worktree(repo, "42")
    repo.git("checkout", "-q", "-b", "aside", cwd=tree)
    repo.git("checkout", "-q", lab.branch("42"), cwd=tree)
    repo.commit("from a hook", {"new.txt": "x\n"}, tree)
    rows = lab.reports(kit.Completed(0, answer.read_text(), "").json)
    assert rows["43"]["ahead"] == 1 and rows["43"]["untracked"] == 0
    assert repo.git("status", "--porcelain", cwd=tree) == ""


HOSTILE = (
    "a;touch${IFS}PWNED",
    "$(touch${IFS}PWNED)",
    "`touch${IFS}PWNED`",
    "x|y>PWNED",
    "a'b",
    "%s%n",
    "#x",
    "\u009b31mred",
    "\u202eabc",
)


def test_hostile_branch_names_are_data(tmp_path: Path) -> None:
    repo = lab.make(tmp_path)
    for number, name in enumerate(HOSTILE):
        repo.branch(name, {f"{number}.txt": "x\n"})
        repo.git("worktree", "add", "-q", f"../tree-{number}", name)
    rows = [*(status := repo.fleet("status", "--json", check=0).json)["tasks"], *status["unplanned"]]
    assert sorted(row["branch"] for row in rows) == sorted(HOSTILE)
    for command in ("status", "plan"):
        shown = repo.fleet(command)
        assert not any(ord(char) in (0x1B, 0x9B, 0x202E) for char in shown.out + shown.err)
    script = repo.fleet("land", "--script")
    assert script.status in (0, 4)
    repo.fleet("land", check=0)
    assert all((repo.path / f"{number}.txt").is_file() for number in range(len(HOSTILE)))
    assert not list(tmp_path.rglob("PWNED*"))


def test_settings_of_one_call(repo: Repo) -> None:
    """`git -c` is heard."""
    other = repo.branch("release", {"release.txt": "x\n"})
    done = repo.run("git", "-c", "fleet.base=release", "fleet", "status", "--json", check=0, reader=True)
    assert done.json["base"] == {"branch": "release", "commit": other}


# ------------------------------------------------------------------------------------------------------------- helpers


def stop_at_44(repo: Repo) -> None:
    repo.fleet("add", "44", "--allow-overlap", check=0)
    lab.work(repo, "44")
    stopped = repo.fleet("land", "--json", check=4).json
    assert stopped["result"]["landed"] == ["42", "43"] and stopped["result"]["stopped"] == ["44"]


def lane_has_conflict(repo: Repo) -> bool:
    return lab.lane(repo).is_dir() and "U" in repo.git("status", "--porcelain", cwd=lab.lane(repo))


def assert_nothing_moved(repo: Repo, before: kit.Snapshot) -> None:
    """Refs, configuration and all files but those of a lane are as before."""
    after = repo.snapshot()
    assert (after.refs, after.config) == (before.refs, before.config)
    assert {path: oid for path, oid in after.files.items() if "-lane-" not in path} == before.files


def bare(cwd: Path, *argv: str) -> kit.Completed:
    """A call where there is no repository."""
    done = subprocess.run(argv, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return kit.Completed(done.returncode, done.stdout, done.stderr)
