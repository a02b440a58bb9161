"""What a branch becomes on the base, by each strategy: trees, messages, authors, history."""

from pathlib import Path
from typing import Any

import pytest
import rooms
from kit import Repo

FILE = rooms.LONG
ALICE, BOB = "Alice <alice@example.com>", "Bob <bob@example.com>"
STRATEGIES = ("merge", "squash", "rebase", "ff")


def edited(number: int, text: str = "changed") -> str:
    return FILE.replace(f"line {number}\n", f"{text}\n")


def commit(repo: Repo, task: str, subject: str, files: dict[str, str | None], author: str = "") -> str:
    """A commit in a task's worktree, by somebody and at a time of his own."""
    tree = rooms.tree(repo, task)
    repo.write(files, tree)
    repo.git("add", "-A", cwd=tree)
    who = (f"--author={author}", "--date=2025-05-05T05:05:05+02:00") if author else ()
    repo.git("commit", "-q", "--allow-empty", "-m", subject, *who, cwd=tree)
    return repo.git("rev-parse", "HEAD", cwd=tree)


def land(repo: Repo, *args: str, check: int = 0) -> Any:
    """The answer; the real run makes what the dry run said."""
    said = repo.fleet("land", "--dry-run", "--json", *args).json
    done = repo.fleet("land", "--json", *args, check=check).json
    assert [(s["id"], s["action"], s.get("tree")) for s in said["steps"]] == [
        (s["id"], s["action"], s.get("tree")) for s in done["steps"]
    ]
    assert repo.oid("main^{tree}") == done["result"]["tree"] == said["result"]["tree"]
    return done


def shown(repo: Repo, form: str, commits: str = "main") -> list[str]:
    return repo.git("log", "--reverse", f"--format={form}", commits).split("\n")


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_makes_the_same_tree(tmp_path: Path, strategy: str) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n", "file": edited(2)}, "b": {"b": "x\n", "file": edited(15)}})
    if strategy == "ff":
        repo.git("rebase", "-q", "a", cwd=rooms.tree(repo, "b"))
    repo.config({"fleet.strategy": strategy})
    done = land(repo)
    assert (done["strategy"], done["result"]["landed"]) == (strategy, ["a", "b"])
    assert repo.show("file") == edited(2).replace("line 15\n", "changed\n")
    assert repo.git("rev-list", "--count", "--merges", "main") == ("2" if strategy == "merge" else "0")
    assert rooms.states(repo) == {"a": "landed", "b": "landed"}
    assert repo.fleet("land", "--json", check=0).json["steps"] == []
    repo.fleet("remove", "a", "b", check=0)
    assert rooms.states(repo) == {"a": "landed", "b": "landed"}


@pytest.mark.parametrize("strategy", ["squash", "rebase"])
def test_undo_and_again(tmp_path: Path, strategy: str) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}})
    repo.config({"fleet.strategy": strategy})
    before = repo.snapshot()
    land(repo)
    after = repo.snapshot()
    repo.fleet("undo", check=0)
    assert (repo.snapshot().refs, rooms.states(repo)) == (before.refs, {"a": "active"})
    repo.fleet("undo", check=0)
    assert (repo.snapshot().refs, rooms.states(repo)) == (after.refs, {"a": "landed"})


def test_the_option_beats_the_setting(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}}, strategy="rebase")
    assert land(repo, "--strategy=merge")["strategy"] == "merge"
    assert repo.oid("main^2") == repo.oid("a")


def test_a_squash_of_several_authors(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"42": {"a": "x\n"}}, strategy="squash", **{"42.agent": "claude"})
    repo.git("config", "--replace-all", "fleet.42.title", "count words")
    repo.commit("mailmap", {".mailmap": f"{BOB} Robert <rob@example.org>\n"})
    commit(repo, "42", "second", {"b": "x\n"}, ALICE)
    commit(repo, "42", "third\n\nCo-authored-by: Carol <carol@example.com>", {"c": "x\n"}, "Robert <rob@example.org>")
    commit(repo, "42", "fourth", {"d": "x\n"}, "alice <ALICE@example.com>")
    land(repo)
    assert repo.git("log", "-1", "--format=%an <%ae>|%cn|%P", "main") == (
        f"A U Thor <author@example.com>|A U Thor|{repo.oid('main~1')}"
    )
    assert repo.git("log", "-1", "--format=%B", "main") == (
        "count words (#42)\n\n* 42: done\n* second\n* third\n* fourth\n\n"
        f"Fleet-Task: 42\nFleet-Agent: claude\nCo-authored-by: {ALICE}\nCo-authored-by: {BOB}\n"
        "Co-authored-by: Carol <carol@example.com>\n"
    ).replace(ALICE, "alice <ALICE@example.com>")


def test_a_squash_of_one_author_stays_his(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": None}, strategy="squash")
    repo.git("worktree", "add", "-q", "-b", "a", "../a")
    for number in range(2):
        commit(repo, "a", f"step {number}", {f"{number}": "x\n"}, ALICE)
    land(repo)
    assert (
        repo.git("log", "-1", "--format=%an <%ae> %ad|%cn", "--date=raw", "main")
        == f"{ALICE} 1746414305 +0200|A U Thor"
    )
    assert repo.git("log", "-1", "--format=%B", "main") == "a\n\n* step 0\n* step 1\n\nFleet-Task: a\n"


def test_a_rebase_keeps_authors_dates_and_messages(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}, "b": None}, strategy="rebase")
    repo.git("worktree", "add", "-q", "-b", "b", "../b", "main")
    commit(repo, "b", "one\n\nwith a body", {"one": "x\n"}, ALICE)
    commit(repo, "b", "two\n\nSigned-off-by: Bob <bob@example.com>", {"two": "x\n"}, BOB)
    commit(repo, "b", "empty from the start", {}, BOB)
    done = land(repo)
    assert done["result"]["landed"] == ["b", "a"]
    assert shown(repo, "%an|%ad|%cn|%s|%b|%T", "main~4..main")[0].startswith(
        "Alice|Mon May 5 05:05:05 2025 +0200|A U Thor"
    )
    bodies = repo.git("log", "--reverse", "--format=%B%x00", "main~4..main~1").split("\0\n")
    assert bodies == [
        "one\n\nwith a body\n\nFleet-Task: b\n",
        "two\n\nSigned-off-by: Bob <bob@example.com>\nFleet-Task: b\n",
        "empty from the start\n\nFleet-Task: b\n\0",
    ]
    assert [step["commit"] for step in done["steps"]] == [repo.oid("main~1"), repo.oid("main")]


def test_a_rebase_leaves_out_what_is_there(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}, "b": {"b": "x\n"}}, strategy="rebase")
    commit(repo, "a", "more", {"file": edited(3)})
    commit(repo, "b", "more", {"file": edited(9)})
    repo.git("cherry-pick", "a~1")
    done = land(repo)
    assert [step["action"] for step in done["steps"]] == ["land", "land"]
    assert sorted(shown(repo, "%s", "main~3..main")) == ["b: done", "more", "more"]


@pytest.mark.parametrize("evil", [False, True])
def test_a_rebase_flattens_merges_but_loses_nothing(tmp_path: Path, evil: bool) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}}, strategy="rebase")
    repo.commit("moved", {"moved": "x\n"})
    tree = rooms.tree(repo, "a")
    repo.git("merge", "-q", "--no-commit", "main", cwd=tree)
    if evil:
        repo.write({"only-in-the-merge": "x\n"}, tree)
    repo.commit("Merge main", cwd=tree)
    commit(repo, "a", "after", {"after": "x\n"})
    if evil:
        step = land(repo)["steps"][0]
        assert step["action"] == "park" and step["reason"].startswith("rebasing would lose what its merges resolved")
        assert land(repo, "--strategy=merge")["result"]["landed"] == ["a"]
    else:
        land(repo)
        assert shown(repo, "%s", "main~3..main") == ["moved", "a: done", "after"]


def test_fast_forward_parks_what_does_not_descend(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}, "b": {"b": "x\n"}}, strategy="ff")
    done = land(repo)
    assert [(step["id"], step["action"]) for step in done["steps"]] == [("a", "land"), ("b", "park")]
    assert done["steps"][1]["reason"].endswith("nothing can be fast-forwarded: git fleet sync b")
    assert repo.oid("main") == repo.oid("a")
    repo.git("rebase", "-q", "main", cwd=rooms.tree(repo, "b"))
    assert land(repo)["result"]["landed"] == ["b"]
    assert repo.oid("main") == repo.oid("b")


@pytest.mark.parametrize(
    ("strategy", "together"), [("merge", True), ("squash", True), ("squash", False), ("rebase", False)]
)
def test_stacked_branches(tmp_path: Path, strategy: str, together: bool) -> None:
    """The upper one changes what the lower one made: no conflict, although the lower one's commits are not there."""
    repo = rooms.fleet(tmp_path, {"low": {"file": edited(3), "new": "1\n"}, "up": None}, strategy=strategy)
    repo.config({"fleet.up.needs": "low"})
    repo.git("worktree", "add", "-q", "-b", "up", "../up", "low")
    commit(repo, "up", "on top", {"file": edited(3, "again"), "new": "2\n"})
    if together:
        assert land(repo)["result"]["landed"] == ["low", "up"]
    else:
        land(repo, "low")
        repo.commit("the base goes on", {"other": edited(5)})
        assert land(repo)["result"]["landed"] == ["up"]
    assert (repo.show("file"), repo.show("new")) == (edited(3, "again"), "2\n")
    assert shown(repo, "%s")[-1] == {"merge": "Merge branch 'up'", "squash": "up", "rebase": "on top"}[strategy]


def test_on_top_of_what_was_squashed_elsewhere(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"low": {"file": edited(3)}, "up": None}, strategy="squash")
    repo.config({"fleet.up.needs": "low"})
    repo.git("worktree", "add", "-q", "-b", "up", "../up", "low")
    commit(repo, "up", "on top", {"file": edited(3, "again")})
    repo.commit("moved", {"z": "x\n"})
    repo.git("merge", "-q", "--squash", "low")
    repo.commit("low (#1)")
    assert [(step["id"], step["action"]) for step in land(repo)["steps"]] == [("up", "land"), ("low", "skip")]
    assert repo.show("file") == edited(3, "again")
    assert repo.git("log", "-1", "--format=%b", "main") == "* on top\n\nFleet-Task: up\n"


@pytest.mark.parametrize("strategy", ["merge", "squash"])
def test_messages_by_template(tmp_path: Path, strategy: str) -> None:
    repo = rooms.fleet(tmp_path, {"7": {"a": "x\n"}}, strategy=strategy)
    repo.git("config", "fleet.message", "{title}: {id} from {branch} onto {base}\n\n{commits}\n\nReviewed-by: me")
    land(repo)
    assert repo.git("log", "-1", "--format=%B", "main") == (
        "7: 7 from 7 onto main\n\n* 7: done\n\nReviewed-by: me\nFleet-Task: 7\n"
    )
    repo.git("config", "fleet.message", "{oops}")
    commit(repo, "7", "more", {"b": "x\n"})
    assert "'{oops}' stands for nothing" in repo.fleet("land", check=128).err


@pytest.mark.parametrize("strategy", ["squash", "rebase"])
def test_signed_with_an_ssh_key(tmp_path: Path, strategy: str) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}, "b": {"b": "x\n"}}, strategy=strategy)
    key = tmp_path / "key"
    rooms.status_of("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key), cwd=tmp_path)
    (tmp_path / "signers").write_text(f"author@example.com {key.with_suffix('.pub').read_text()}")
    repo.config(
        {
            "gpg.format": "ssh",
            "user.signingKey": str(key),
            "gpg.ssh.allowedSignersFile": str(tmp_path / "signers"),
            "commit.gpgSign": "true",
        }
    )
    land(repo)
    assert repo.git("log", "--first-parent", "--format=%G?", "-2", "main") == "G\nG"
    before = repo.snapshot()
    repo.config({"user.signingKey": str(tmp_path / "none")})
    commit_without_signing = ("-c", "commit.gpgSign=false", "commit", "-q", "--allow-empty", "-m", "more")
    repo.write({"more": "x\n"}, rooms.tree(repo, "a"))
    repo.git("add", "-A", cwd=rooms.tree(repo, "a"))
    repo.git(*commit_without_signing, cwd=rooms.tree(repo, "a"))
    repo.fleet("land", check=128)
    assert repo.oid("main") == before.refs["refs/heads/main"]


@pytest.mark.parametrize("strategy", ["rebase"])
def test_old_encodings(tmp_path: Path, strategy: str) -> None:
    repo = rooms.fleet(tmp_path, {"a": None}, strategy=strategy)
    repo.git("worktree", "add", "-q", "-b", "a", "../a")
    tree = rooms.tree(repo, "a")
    repo.write({"a": "x\n"}, tree)
    repo.git("add", "-A", cwd=tree)
    latin = b"caf\xe9\n".decode("utf-8", "surrogateescape")
    repo.git("-c", "i18n.commitEncoding=ISO-8859-1", "commit", "-q", "-F", "-", cwd=tree, stdin=latin)
    land(repo)
    assert "café" in repo.git("log", "-1", "--format=%B", "main")


def test_a_conflict_that_was_resolved_is_squashed(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"new": "a\n"}, "b": {"new": "b\n"}}, strategy="squash")
    land(repo, check=4)
    lane = tmp_path / "app-lane-1"
    repo.write({"new": "both\n"}, lane)
    repo.git("add", "new", cwd=lane)
    repo.git("config", "fleet.strategy", "merge")
    repo.fleet("land", "--continue", check=0)
    assert shown(repo, "%s|%b") == [
        "start|",
        "a|* a: done",
        "",
        "Fleet-Task: a",
        "",
        "b|* b: done",
        "",
        "Fleet-Task: b",
        "",
    ]
    assert repo.show("new") == "both\n" and rooms.states(repo) == {"a": "landed", "b": "landed"}


def test_a_rebase_that_stops_at_each_commit_in_the_way(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"new": "a\n", "other": edited(4, "a")}, "b": None}, strategy="rebase")
    repo.config({"fleet.b.needs": "a"})
    repo.git("worktree", "add", "-q", "-b", "b", "../b", "main")
    commit(repo, "b", "first", {"new": "b\n"}, ALICE)
    commit(repo, "b", "between", {"between": "x\n"}, ALICE)
    commit(repo, "b", "the same as a", {"other": edited(4, "a")}, ALICE)
    commit(repo, "b", "last", {"other": edited(4, "b"), "new": "b again\n"}, BOB)
    land(repo, check=4)
    lane = tmp_path / "app-lane-1"
    assert "<<<<<<<" in (lane / "new").read_text()
    assert "not resolved and added yet" in repo.fleet("land", "--continue", check=3).err
    repo.write({"new": "a and b\n"}, lane)
    repo.git("add", "new", cwd=lane)
    again = repo.fleet("land", "--continue", check=4)
    assert "the next commit of b conflicts in new" in again.err
    repo.write({"new": "all\n"}, lane)
    repo.git("add", "new", cwd=lane)
    repo.fleet("land", "--continue", check=0)
    assert shown(repo, "%an %s") == ["A U Thor start", "A U Thor a: done", "Alice first", "Alice between", "Bob last"]
    assert shown(repo, "%(trailers:key=Fleet-Task,valueonly,separator=)") == ["", "a", "b", "b", "b"]
    assert (repo.show("new"), repo.show("other")) == ("all\n", edited(4, "b"))
    assert rooms.states(repo) == {"a": "landed", "b": "landed"} and len(repo.worktrees()) == 3


def test_a_rebase_that_was_resolved_before_the_base_moved(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"new": "a\n"}, "b": {"new": "b\n"}}, strategy="rebase")
    land(repo, check=4)
    repo.commit("moved", {"moved": "x\n"})
    lane = tmp_path / "app-lane-1"
    repo.write({"new": "both\n"}, lane)
    repo.git("add", "new", cwd=lane)
    repo.fleet("land", "--continue", check=0)
    assert shown(repo, "%s") == ["start", "a: done", "moved", "b: done"]
    assert (repo.show("new"), repo.show("moved")) == ("both\n", "x\n")


def test_a_rebase_that_is_left_out(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"new": "a\n"}, "b": {"new": "b\n"}}, strategy="rebase")
    land(repo, check=4)
    repo.fleet("land", "--skip", check=0)
    assert shown(repo, "%s") == ["start", "a: done"] and len(repo.worktrees()) == 3


@pytest.mark.parametrize("strategy", ["squash", "ff"])
def test_killed_when_the_base_had_just_moved(tmp_path: Path, strategy: str) -> None:
    """Nothing was written down yet: what landed is known by the commits that the base has now."""
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}, "b": {"b": "x\n"}}, strategy=strategy)
    if strategy == "ff":
        repo.git("rebase", "-q", "a", cwd=rooms.tree(repo, "b"))
    hook = repo.path / ".git/hooks/post-merge"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nkill -9 0\n")
    hook.chmod(0o755)
    assert repo.start("land").wait() == -9
    hook.unlink()
    moved = repo.oid("main")
    assert repo.git("log", "-1", "--format=%gs", "-g", "main").startswith("fleet land")
    again = repo.fleet("land", check=0)
    assert "had been killed: it had landed a, b" in again.err
    assert repo.oid("main") == moved
    assert rooms.states(repo) == {"a": "landed", "b": "landed"}
    assert rooms.operations(repo) == [("land", "done")]
