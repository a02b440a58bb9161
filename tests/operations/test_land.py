"""`land`: the base moves once, with its checkout, or not at all."""

import subprocess
from pathlib import Path

import kit
import pytest
import rooms
from kit import Repo


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return rooms.fleet(tmp_path, {"a": {"a": "x\n", "file": "changed\n"}, "b": {"b": "x\n"}})


def landed(repo: Repo, *args: str) -> list[str]:
    return repo.fleet("land", "--json", *args, check=0).json["result"]["landed"]  # type: ignore[no-any-return]


def test_it_is_what_git_merge_makes(repo: Repo, tmp_path: Path) -> None:
    repo.git("worktree", "add", "-q", "--detach", "../scratch", "main")
    for name in ("a", "b"):
        repo.git("merge", "-q", "--no-ff", "-m", f"Merge branch '{name}'", name, cwd=tmp_path / "scratch")
    expected = repo.git("log", "--format=%T %s", "-6", "HEAD", cwd=tmp_path / "scratch")
    tips = [repo.oid("a"), repo.oid("b")]
    assert landed(repo) == ["a", "b"]
    assert repo.git("log", "--format=%T %s", "-6", "main") == expected
    assert repo.git("log", "-1", "--format=%B", "main") == "Merge branch 'b'\n\nFleet-Task: b\n"
    assert [repo.oid("main^2"), repo.oid("main^1^2")] == tips[::-1]


def test_the_checkout_of_the_base_goes_along(repo: Repo) -> None:
    landed(repo)
    assert (repo.read("a"), repo.read("file"), repo.git("status", "--porcelain")) == ("x\n", "changed\n", "")
    assert repo.git("log", "-1", "--walk-reflogs", "--format=%gs", "HEAD") == "fleet land: a, b: Fast-forward"


def test_a_base_that_is_nowhere_checked_out(repo: Repo) -> None:
    repo.git("checkout", "-q", "--detach")
    before = repo.snapshot().files
    assert landed(repo) == ["a", "b"]
    assert repo.snapshot().files == before and repo.show("file") == "changed\n"


def test_a_base_in_a_linked_worktree(repo: Repo, tmp_path: Path) -> None:
    repo.git("checkout", "-q", "-b", "own")
    repo.git("worktree", "add", "-q", "../base", "main")
    assert landed(repo) == ["a", "b"]
    assert (tmp_path / "base" / "file").read_text() == "changed\n" and repo.read("file") == rooms.LONG
    assert repo.git("status", "--porcelain", cwd=tmp_path / "base") == ""


def test_a_base_that_is_checked_out_twice_is_refused(repo: Repo) -> None:
    repo.git("worktree", "add", "-q", "--force", "../again", "main")
    before = repo.snapshot()
    refused = repo.fleet("land", check=3)
    assert "'main' is checked out twice" in refused.err
    assert repo.snapshot() == before


def _under_way(repo: Repo, kind: str, top: Path) -> str:
    """Main is being rebased, or bisected, there; the command that gives it up."""
    if kind == "bisect":
        repo.git("bisect", "start", "-q", "HEAD", "HEAD~1", cwd=top)
        return "bisect reset"
    assert rooms.status_of("git", "rebase", "-q", "--force-rebase", "--exec=false", "HEAD~1", cwd=top) == 1
    return "rebase --abort"


@pytest.mark.parametrize(("kind", "where"), [("rebase", "app"), ("rebase", "base"), ("bisect", "app")])
def test_a_base_that_is_being_rebased_is_refused(repo: Repo, tmp_path: Path, kind: str, where: str) -> None:
    """It is nowhere checked out then, and to give the rebase up would put it back, without what had landed."""
    repo.commit("second", {"second": "x\n"})
    if where != "app":
        repo.git("switch", "-q", "-c", "elsewhere")
        repo.git("worktree", "add", "-q", "../base", "main")
    end = _under_way(repo, kind, tmp_path / where)
    before = repo.snapshot()
    for args in (["land"], ["land", "--dry-run"]):
        assert f"a {kind} of 'main' is in progress in '{tmp_path / where}'" in repo.fleet(*args, check=3).err
    assert repo.snapshot() == before and rooms.operations(repo) == []
    repo.git(*end.split(), cwd=tmp_path / where)
    repo.fleet("land", check=0)
    _under_way(repo, kind, tmp_path / where)
    landed = repo.snapshot()
    for args in (["undo"], ["undo", "--dry-run"]):
        assert f"a {kind} of 'main' is in progress" in repo.fleet(*args, check=3).err
    assert repo.snapshot() == landed
    repo.git(*end.split(), cwd=tmp_path / where)
    repo.fleet("undo", check=0)


@pytest.mark.parametrize("kind", ["modified", "staged", "untracked", "ignored", "merging"])
def test_work_in_the_way_is_refused(repo: Repo, kind: str) -> None:
    if kind == "merging":
        repo.branch("side", {"other": "theirs\n"})
        repo.git("merge", "--no-commit", "--no-ff", "side")
    elif kind == "ignored":
        (repo.path / ".git/info").mkdir(exist_ok=True)
        (repo.path / ".git/info/exclude").write_text("a\n")
    name = {"modified": "file", "staged": "file", "merging": "unrelated"}.get(kind, "a")
    repo.write({name: "mine\n"})
    if kind == "staged":
        repo.git("add", "file")
    before = repo.snapshot()
    refused = repo.fleet("land", check=3)
    assert ("a merge is in progress" if kind == "merging" else f"in the way: {name}") in refused.err
    assert repo.snapshot() == before and rooms.operations(repo) == []


def test_a_folder_of_work_where_a_file_lands_is_refused(repo: Repo) -> None:
    repo.write({"a/mine": "mine\n"})
    before = repo.snapshot()
    repo.fleet("land", check=3)
    assert repo.snapshot() == before


def test_the_order_that_somebody_wants(tmp_path: Path) -> None:
    work = {"a": {"file": "a\n"}, "b": {"file": "b\n", "other": "b\n"}, "c": {"other": "c\n"}, "d": {"d": "x\n"}}
    repo = rooms.fleet(tmp_path, work)
    ours = repo.fleet("land", "--dry-run", "--json", check=0).json
    assert (ours["result"]["landed"], "order" in ours) == (["a", "c", "d"], False)
    dry = repo.fleet("land", "--dry-run", "--order", "d, b", "--json", check=0).json
    assert dry["result"]["landed"] == ["d", "b"] and dry["result"]["stopped"] == ["a", "c"]
    assert dry["order"] == {"stops": 2, "fewest_stops": 1, "conflicts": 2, "fewest_conflicts": 2}
    done = repo.fleet("land", "--order", "d,b", check=4)
    assert "the order given stops 2 times, the best stops 1 time" in done.out
    assert "in the order given" in done.out
    assert repo.oid("main^2") == repo.oid("b") and repo.oid("main~1^2") == repo.oid("d")
    (tmp_path / "app-lane-1" / "file").write_text("both\n")
    repo.git("add", "file", cwd=tmp_path / "app-lane-1")
    again = repo.fleet("land", "--continue", "--json", check=4).json
    assert again["result"]["stopped"] == ["c"] and "order" not in again


def test_an_order_against_the_needs_is_refused(repo: Repo) -> None:
    repo.config({"fleet.a.needs": "b"})
    refused = repo.fleet("land", "--order", "a,b", check=3)
    assert "the order has a before b, which it needs" in refused.err and "--order b,a" in refused.err
    assert repo.fleet("land", "--order", "a,a", check=129) and repo.fleet("land", "--order", "", check=129)
    assert "no task 'x'" in repo.fleet("land", "--order", "x", check=128).err
    assert repo.fleet("land", "--continue", "--order", "a", check=129)
    assert "git fleet land --order a" in repo.fleet("land", "--order", "a", "--dry-run", check=0).err
    assert landed(repo, "--order", "a") == ["b", "a"]


def commits_meanwhile(repo: Repo, times: int) -> str:
    """A gate during which somebody commits to the base's checkout, the first few times."""
    log = repo.path.parent / "gates"
    commit = f"(cd '{repo.path}' && echo more >>other && git commit -q -a -m meanwhile)"
    return f"echo >>'{log}'; test $(wc -l <'{log}') -gt {times} || {commit}"


@pytest.mark.parametrize("checked_out", [True, False])
def test_a_base_that_moves_meanwhile_is_looked_at_again(repo: Repo, checked_out: bool) -> None:
    """What somebody commits while the gates run stays, and what lands was tested on top of it."""
    old = repo.oid("main")
    if checked_out:
        gate = commits_meanwhile(repo, 1)
    else:
        repo.git("checkout", "-q", "--detach")
        new = repo.branch("meanwhile", {"other": "by somebody\n"})
        mark = f"'{repo.path}.moved'"
        gate = f"test -e {mark} || git -C '{repo.path}' update-ref refs/heads/main {new}; touch {mark}"
    repo.config({"fleet.gate": gate})
    done = repo.fleet("land", "--json", check=0)
    assert "'main' moved meanwhile: looked at it again" in done.err
    assert done.json["result"]["landed"] == ["a", "b"]
    assert repo.git("log", "--first-parent", "--format=%s", "main").split("\n") == [
        "Merge branch 'b'",
        "Merge branch 'a'",
        "meanwhile",
        "start",
    ]
    assert rooms.operations(repo) == [("land", "done")] and len(repo.worktrees()) == 3
    repo.fleet("undo", check=0)
    assert repo.git("log", "-1", "--format=%P", "main") == old


def test_a_base_that_keeps_moving_is_busy(repo: Repo) -> None:
    """Never by force, and not for ever; trying again lands."""
    repo.config({"fleet.gate": commits_meanwhile(repo, 99)})
    done = repo.fleet("land", check=75)
    assert done.err.count("looked at it again") == 3 and "moved meanwhile" in done.err
    assert set(repo.git("log", "--format=%s", "main", "^main~4").split("\n")) == {"meanwhile"}
    assert rooms.operations(repo) == [("land", "failed")] and len(repo.worktrees()) == 3
    repo.git("config", "--unset", "fleet.gate")
    assert landed(repo) == ["a", "b"]


def test_what_a_gc_takes_meanwhile_is_made_again(tmp_path: Path) -> None:
    """What lies about in the repository, held by nothing, is not made a second time: it may go while it is in use."""
    work = {"a": {"file": f"a\n{rooms.LONG}"}, "b": {"file": f"{rooms.LONG}b\n"}}
    repo, signer = rooms.fleet(tmp_path, work), tmp_path / "signer"
    prune = f"env -i PATH=\"$PATH\" git -C '{repo.path}' prune --expire=now"
    signed = "printf '\\n[GNUPG:] SIG_CREATED ' >&2; printf -- '-----BEGIN PGP SIGNATURE-----\\n'"
    signer.write_text(f"#!/bin/sh\ncat >/dev/null\n{prune}\n{signed}\n")
    signer.chmod(0o755)
    repo.config({"commit.gpgSign": "true", "gpg.program": str(signer)})
    both = repo.git("merge-tree", "--write-tree", "a", "b")
    done = repo.fleet("land", "--json", check=0)
    assert done.json["result"] == {**done.json["result"], "tree": both, "landed": ["a", "b"]}
    assert done.err.count("objects that were in use are gone: looked at it again") == 1
    assert not list((repo.common_dir() / "objects/pack").glob("*.keep"))


@pytest.mark.parametrize("strategy", ["merge", "squash", "rebase"])
@pytest.mark.parametrize("hook", [False, True])
def test_nothing_that_a_landing_makes_is_loose(repo: Repo, strategy: str, hook: bool) -> None:
    """A gc that has looked at the refs before deletes it afterwards, however many refs it has by then."""
    repo.config({"fleet.strategy": strategy})
    if hook:
        repo.write({".git/hooks/commit-msg": "#!/bin/sh\n"})
        (repo.path / ".git/hooks/commit-msg").chmod(0o755)
    loose = repo.common_dir() / "objects"
    before = set(loose.glob("??/*"))
    landed(repo)
    repo.git("prune-packed")  # what git makes, where it is asked to, is in a pack as well
    assert set(loose.glob("??/*")) <= before and list(loose.glob("pack/*.pack"))


def test_a_branch_without_commits_has_not_landed(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}, "zero": None})
    repo.fleet("add", "zero", check=0)
    repo.fleet("land", check=0)
    assert rooms.states(repo) == {"a": "landed", "zero": "active"}
    steps = {step["id"]: step["action"] for step in repo.fleet("land", "--json", "zero", check=0).json["steps"]}
    assert steps == {"zero": "skip"}
    repo.fleet("remove", "zero", check=3)


def test_a_branch_that_only_caught_up_has_not_landed(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}, "zero": None, "next": None})
    repo.config({"fleet.next.needs": "zero"})
    repo.fleet("add", "zero", check=0)
    repo.fleet("land", "a", check=0)
    repo.git("merge", "-q", "main", cwd=rooms.tree(repo, "zero"))
    assert rooms.states(repo) == {"a": "landed", "zero": "active", "next": "blocked"}


def test_a_branch_that_landed_and_caught_up_has_landed(repo: Repo) -> None:
    landed(repo)
    repo.git("merge", "-q", "main", cwd=rooms.tree(repo, "a"))
    assert rooms.states(repo) == {"a": "landed", "b": "landed"}


def test_a_branch_whose_work_was_given_up_has_not_landed(repo: Repo) -> None:
    repo.commit("base moves", {"other": "x\n"})
    repo.git("reset", "-q", "--hard", "main", cwd=rooms.tree(repo, "a"))
    assert rooms.states(repo) == {"a": "active", "b": "active"}


def test_a_branch_that_was_rebased_and_fast_forwarded_has_landed(repo: Repo) -> None:
    repo.commit("base moves", {"other": "x\n"})
    repo.git("rebase", "-q", "main", cwd=rooms.tree(repo, "a"))
    repo.git("merge", "-q", "--ff-only", "a")
    assert rooms.states(repo) == {"a": "landed", "b": "active"}


def test_a_branch_that_was_fast_forwarded_by_hand_has_landed(repo: Repo) -> None:
    repo.git("merge", "-q", "--ff-only", "a")
    assert rooms.states(repo) == {"a": "landed", "b": "active"}


def test_a_branch_that_was_merged_by_hand_has_landed(repo: Repo) -> None:
    repo.git("merge", "-q", "--no-ff", "-m", "by hand", "a")
    assert rooms.states(repo) == {"a": "landed", "b": "active"}


def test_a_branch_that_is_used_again_has_not_landed(repo: Repo) -> None:
    landed(repo)
    repo.commit("more", {"more": "x\n"}, rooms.tree(repo, "a"))
    assert rooms.states(repo) == {"a": "active", "b": "landed"}
    assert landed(repo) == ["a"]
    assert repo.read("more") == "x\n"


def test_a_name_that_is_used_again_has_not_landed(repo: Repo) -> None:
    landed(repo)
    repo.fleet("remove", "a", check=0)
    assert rooms.states(repo)["a"] == "landed"
    repo.git("branch", "a", "main")
    assert rooms.states(repo)["a"] != "landed"


def test_landings_are_recognised_without_our_own_state(repo: Repo) -> None:
    """By ancestry, and by the trailers where the branch is gone."""
    landed(repo)
    repo.fleet("remove", "a", check=0)
    subprocess.run(["rm", "-r", repo.path / ".git/fleet"], check=True)
    assert rooms.states(repo) == {"a": "landed", "b": "landed"}
    subprocess.run(["rm", "-r", rooms.tree(repo, "b")], check=True)
    repo.git("worktree", "prune")
    repo.git("branch", "-q", "-D", "b")
    assert rooms.states(repo) == {"a": "landed", "b": "landed"}


def test_a_landing_that_was_reset_away_is_none(repo: Repo) -> None:
    landed(repo)
    repo.git("reset", "-q", "--hard", "main~2")
    assert rooms.states(repo) == {"a": "active", "b": "active"}


def test_needs_land_first_and_by_name_only_with_them(repo: Repo) -> None:
    repo.config({"fleet.a.needs": "b"})
    refused = repo.fleet("land", "a", check=3)
    assert "a needs b" in refused.err and "git fleet land b a" in refused.err
    assert landed(repo) == ["b", "a"]


def test_needs_that_stop_park_what_waits_for_them(tmp_path: Path) -> None:
    work = {"a": {"a": "x\n"}, "b": {"file": "b\n"}, "c": {"c": "x\n"}, "d": {"d": "x\n"}}
    repo = rooms.fleet(tmp_path, work)
    repo.commit("in the way of b", {"file": "base\n"})
    repo.config({"fleet.c.needs": "b"})
    done = repo.fleet("land", "--json", check=4).json
    assert {step["id"]: step["action"] for step in done["steps"]} == {
        "a": "land",
        "b": "stop",
        "c": "park",
        "d": "land",
    }
    assert not (repo.path / "c").exists()


@pytest.mark.parametrize("names", [[], ["zero", "a"], ["a"]])
def test_a_need_without_commits_has_not_landed(tmp_path: Path, names: list[str]) -> None:
    """Chosen or not, it lands nothing, so what needs it does not go ahead of it."""
    repo = rooms.fleet(tmp_path, {"zero": None, "a": {"a": "x\n"}, "b": {"b": "x\n"}})
    repo.config({"fleet.a.needs": "zero"})
    repo.fleet("add", "zero", check=0)
    for option in ("--dry-run", "--script", None):
        done = repo.fleet("land", *filter(None, [option]), *names, check=3 if names else 0)
        if names:
            assert "a needs zero, not landed yet" in done.err
            assert "zero has nothing to land yet" in done.err and "git fleet land zero" not in done.err
    assert not (repo.path / "a").exists() and (repo.path / "b").exists() is not bool(names)
    if not names:
        assert rooms.states(repo) == {"zero": "active", "a": "active", "b": "landed"}


def test_the_reason_of_what_needed_something_says_that_it_has_landed(repo: Repo) -> None:
    repo.config({"fleet.b.needs": "a"})
    landed(repo, "a")
    [step] = repo.fleet("land", "--json", "b", check=0).json["steps"]
    assert step["reason"] == "what it needs has landed, conflicts with nobody"


@pytest.mark.parametrize("where", ["branch", "base"])
def test_a_dry_run_refuses_what_landing_would(repo: Repo, where: str) -> None:
    repo.write({"file": "mine\n"}, rooms.tree(repo, "a") if where == "branch" else None)
    refused = [repo.fleet("land", *option, check=3) for option in ([], ["--dry-run"])]
    assert [line for line in refused[1].err.splitlines() if line.startswith("error")] == [
        line for line in refused[0].err.splitlines() if line.startswith("error")
    ]
    assert "first" not in refused[0].out and "a" in refused[1].out and "to land them" not in refused[1].err


def test_landing_elsewhere_is_not_landing(repo: Repo) -> None:
    """The plan's Status tells of the fleet's own base."""
    repo.git("branch", "release")
    done = repo.fleet("land", "--onto", "release", "a", check=0)
    assert repo.oid("release^2") == repo.oid("a") and "git fleet remove" not in done.err
    assert "landed" not in repo.git("config", "--list")
    assert rooms.states(repo)["a"] == "active"
    repo.fleet("undo", check=0)
    assert "fleet.a.status" not in repo.git("config", "--list")


def test_a_red_gate_shows_what_it_said(repo: Repo) -> None:
    repo.config({"fleet.gate": "test ! -e b || { printf 'one\\n\\033[31mtwo\\n'; exit 7; }", "fleet.gateRetries": "0"})
    red = repo.fleet("land", check=5)
    assert "    one\n    \\x1b[31mtwo\n" in red.err
    assert (
        "correct b and commit there, then: git fleet land\n" in red.err
        and (red.out + red.err).count(".git/fleet/logs") == 1
    )


def test_the_log_says_what_landed_and_what_became_of_the_rest(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"file": "a\n"}, "b": {"file": "b\n"}})
    repo.fleet("land", check=4)
    said = repo.fleet("status", check=0).out
    assert "a landing waits for you: task b conflicts in" in said and "--continue" in said
    repo.fleet("land", "--abort", check=0)
    assert repo.fleet("log", "--json").json["operations"][0]["summary"] == "land a; given up: b"
    assert "a landing" not in repo.fleet("status", check=0).out
    repo.commit("red", {"red": "x\n"}, rooms.tree(repo, "b"))
    repo.git("reset", "-q", "--hard", "main", cwd=rooms.tree(repo, "b"))
    repo.commit("red", {"red": "x\n"}, rooms.tree(repo, "b"))
    repo.config({"fleet.gate": "test ! -e red", "fleet.gateRetries": "0"})
    repo.fleet("land", check=5)
    assert repo.fleet("log", "--json").json["operations"][0]["summary"] == "land b; gate failed"


def test_a_running_landing_is_seen_and_waited_for(repo: Repo, tmp_path: Path) -> None:
    begun, go = tmp_path / "begun", tmp_path / "go"
    repo.config({"fleet.gate": f"touch '{begun}'; while ! test -e '{go}'; do sleep 0.02; done"})
    running = repo.start("land", "a")
    kit.wait_for(begun.exists)
    assert "a landing is running: land a (pid " in repo.fleet("status", check=0, oracle=False).out
    waiting = subprocess.Popen(["git", "fleet", "land", "b"], cwd=repo.path, stderr=subprocess.PIPE)
    assert waiting.stderr is not None and b"waits for another git fleet (pid " in waiting.stderr.readline()
    go.touch()
    waiting.communicate()
    assert (running.wait(), waiting.returncode) == (0, 0)


def test_nothing_to_land_writes_nothing(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": None})
    before = repo.snapshot()
    repo.fleet("land", check=0)
    assert repo.snapshot() == before and rooms.operations(repo) == []


def test_two_landings_at_once_land_each_branch_once(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {name: {name: "x\n"} for name in "abcd"})
    running = [repo.start("land", *names) for names in (("a", "b"), ("c", "d"), ("a", "c"))]
    assert {one.wait() for one in running} == {0}
    assert repo.git("rev-list", "--count", "--merges", "main") == "4"
    assert repo.git("status", "--porcelain") == ""


def test_a_landing_inside_its_own_gate_is_busy(repo: Repo, tmp_path: Path) -> None:
    repo.config({"fleet.gate": f"git fleet land b >'{tmp_path}/said' 2>&1; test $? = 75"})
    assert landed(repo) == ["a", "b"]
    assert "inside one of its gates" in (tmp_path / "said").read_text()


def test_gates_see_the_merged_tree_and_who_lands(repo: Repo, tmp_path: Path) -> None:
    said = 'echo "$FLEET_TASK:$FLEET_TITLE:$FLEET_BRANCH:$FLEET_BASE:$FLEET_LANDING:$(cat .git | wc -l):$(echo ?)"'
    repo.config({"fleet.gate": f'{said} >>\'{tmp_path}/said\'; test "$PWD" = "$FLEET_WORKTREE"'})
    assert landed(repo) == ["a", "b"]
    assert (tmp_path / "said").read_text().splitlines() == [":::main:1:1:?", "a:a:a:main:1:1:a", "b:b:b:main:1:1:a b"]


def test_a_tree_that_passed_is_not_tested_again(repo: Repo, tmp_path: Path) -> None:
    repo.config({"fleet.gate": f"echo x >>'{tmp_path}/runs'"})
    landed(repo, "a")
    landed(repo, "b")
    assert (tmp_path / "runs").read_text() == "x\n" * 3


def test_a_gate_that_passes_the_second_time_is_flaky(repo: Repo, tmp_path: Path) -> None:
    repo.config({"fleet.gate": f"test ! -e a || test -e '{tmp_path}/once' || {{ touch '{tmp_path}/once'; false; }}"})
    steps = repo.fleet("land", "--json", "a", check=0).json["steps"]
    assert [step["gate"] for step in steps] == ["flaky"]


def test_what_a_gate_leaves_behind_is_gone(repo: Repo, tmp_path: Path) -> None:
    repo.config({"fleet.gate": "echo x >built; echo y >file; git add built"})
    landed(repo)
    assert repo.read("file") == "changed\n" and not list(tmp_path.glob("*-lane-*"))


def test_names_odd_for_git_land(tmp_path: Path) -> None:
    repo = kit.make_repo(tmp_path / "app", {"file": "x\n"})
    for number, name in enumerate(("a\u2028b", "a\x85b", "it's", "@", "HEAD2", "tag")):
        repo.branch(name, {str(number): "x\n"})
        repo.git("worktree", "add", "-q", f"../tree-{number}", name)
    repo.git("tag", "tag", "main")
    assert len(landed(repo)) == 6
    assert repo.git("status", "--porcelain") == ""


def test_a_git_directory_elsewhere(tmp_path: Path) -> None:
    repo = kit.make_repo(tmp_path / "app", {"file": "x\n"}, f"--separate-git-dir={tmp_path}/store")
    repo.config({"fleet.branch": "{id}", "fleet.worktree": "../{id}", "fleet.a.title": "a"})
    repo.fleet("add", "a", check=0, oracle=False)
    repo.commit("a", {"a": "x\n"}, tmp_path / "a")
    repo.fleet("land", check=0, oracle=False)
    assert repo.read("a") == "x\n" and repo.git("status", "--porcelain") == ""
