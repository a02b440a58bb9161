"""`land --script`: played in a plain clone it makes what `land` makes, by every strategy; hostile names and all."""

import subprocess
from pathlib import Path

import kit
import pytest
import rooms
from kit import Repo

STRATEGIES = pytest.mark.parametrize("strategy", ["merge", "squash", "rebase", "ff"])


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """`a` has two commits of two people, `b` stands on `a` and edits the same file, `x` stands alone."""
    repo = rooms.fleet(tmp_path, {"a": {"a": "1\n", "file": "a\n"}, "x": {"x": "x\n"}})
    repo.git("branch", "-m", "x", "x'$y")
    repo.commit("a: and\n\nmore", {"a": "2\n"}, rooms.tree(repo, "a"))
    repo.git("commit", "-q", "--amend", "--no-edit", "--author", "O'N <o@n.example>", cwd=rooms.tree(repo, "a"))
    repo.branch("b", {"file": "a and b\n"}, start="a")
    repo.config({"fleet.b.needs": "a", "fleet.b.title": "on 'top' of $a", "fleet.gate": "test ! -e broken"})
    repo.config({"fleet.x.branch": "x'$y"})
    return repo


def played(repo: Repo, text: str, place: Path, shell: str = "dash") -> tuple[subprocess.CompletedProcess[bytes], Repo]:
    """The script, piped into a shell in a clone; a second time it has nothing to do."""
    if not place.exists():
        subprocess.run(["git", "clone", "-q", repo.path, place], check=True)
    clone = kit.adopt(place)
    done = subprocess.run([shell], input=text.encode("utf-8", "surrogateescape"), cwd=place, capture_output=True)
    return done, clone


def story(repo: Repo, start: str) -> str:
    return repo.git("log", "--format=%T %an <%ae>%n%B", "--topo-order", f"{start}..main")


@STRATEGIES
def test_it_makes_what_land_makes(repo: Repo, tmp_path: Path, strategy: str) -> None:
    if strategy == "ff":
        repo.config({"fleet.x.status": "dropped"})  # it does not descend from the others
    text = repo.fleet("land", "--script", "--strategy", strategy, check=0).out
    done, clone = played(repo, text, tmp_path / "clone")
    assert done.returncode == 0, done.stderr.decode()
    start = repo.oid("main")
    repo.fleet("land", "--strategy", strategy, check=0)
    assert clone.oid("main^{tree}") == repo.oid("main^{tree}")
    assert story(clone, start) == story(repo, start)
    again, _ = played(repo, text, tmp_path / "clone")
    assert again.returncode == 0 and again.stderr.count(b"has landed already") == (2 if strategy == "ff" else 3)
    assert clone.git("status", "--porcelain") == ""


@pytest.mark.parametrize("strategy", ["squash", "rebase"])
def test_what_changed_in_between_is_refused(repo: Repo, tmp_path: Path, strategy: str) -> None:
    text = repo.fleet("land", "--script", "--strategy", strategy, check=0).out
    subprocess.run(["git", "clone", "-q", repo.path, tmp_path / "clone"], check=True)
    Repo(tmp_path / "clone").commit("meanwhile", {"other": "x\n"})
    done, clone = played(repo, text, tmp_path / "clone")
    assert done.returncode == 3 and b"moved on from" in done.stderr
    assert clone.git("log", "-1", "--format=%s") == "meanwhile"


@pytest.mark.parametrize("strategy", ["merge", "squash", "rebase"])
def test_a_red_gate_ends_it_on_the_base(repo: Repo, tmp_path: Path, strategy: str) -> None:
    repo.config({"fleet.gate": "! grep -q 2 a"})
    text = repo.fleet("land", "--script", "--strategy", strategy, check=0).out
    done, clone = played(repo, text, tmp_path / "clone")
    assert done.returncode == 5 and b"failed on a a" in done.stderr
    assert clone.git("symbolic-ref", "HEAD") == "refs/heads/main"
    hint = done.stderr.decode().rpartition("hint: to take this merge back: git ")[2].split()
    clone.git(*hint)
    assert "a" not in clone.git("ls-tree", "--name-only", "HEAD").split()


@pytest.mark.parametrize("strategy", ["merge", "squash"])
def test_a_predicted_conflict_is_told_and_resolved_by_hand(tmp_path: Path, strategy: str) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"file": "a\n"}, "b": {"file": "b\n"}, "c": {"c": "x\n"}})
    text = repo.fleet("land", "--script", "--strategy", strategy, check=0).out
    done, clone = played(repo, text, tmp_path / "clone")
    assert done.returncode == 4 and b"b b is expected to conflict in: file" in done.stderr
    assert "<<<<<<<" in clone.read("file")
    clone.write({"file": "both\n"})
    clone.git("add", "file")
    clone.git("commit", "-q", "--no-edit", "--cleanup=strip")
    done, _ = played(repo, text, tmp_path / "clone")
    assert done.returncode == 0, done.stderr
    start = repo.oid("main")
    repo.fleet("land", "--strategy", strategy, check=4)
    (tmp_path / "app-lane-1" / "file").write_text("both\n")
    repo.git("add", "file", cwd=tmp_path / "app-lane-1")
    repo.fleet("land", "--continue", check=0)
    assert story(clone, start) == story(repo, start)


def test_what_does_not_rebase_is_left_to_its_author(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"file": "a\n"}, "b": {"file": "b\n"}})
    text = repo.fleet("land", "--script", "--strategy=rebase", check=0).out
    done, clone = played(repo, text, tmp_path / "clone")
    assert done.returncode == 4 and b"b b is expected to conflict in: file" in done.stderr
    assert b"git rebase main b" in done.stderr and clone.git("status", "--porcelain") == ""
    assert clone.oid("main^{tree}") == repo.oid("a^{tree}")
