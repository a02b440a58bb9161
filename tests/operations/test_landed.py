"""What landed elsewhere is recognised, and nothing else is."""

from pathlib import Path

import kit
import pytest
import rooms
from kit import Repo

from git_fleet.operations import landed

FILE = rooms.LONG


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return kit.make_repo(tmp_path / "app", {"file": FILE, "other": FILE})


def edited(number: int, text: str = "changed") -> str:
    return FILE.replace(f"line {number}\n", f"{text}\n")


def proofs(repo: Repo, *branches: str) -> dict[str, str | None]:
    tips = {f"refs/heads/{name}": repo.oid(name) for name in branches}
    found = landed.proofs(rooms.of(repo), repo.oid("main"), tips)
    assert list(found) == list(tips)
    return {ref.removeprefix("refs/heads/"): proof and proof.kind.value for ref, proof in found.items()}


def work(repo: Repo, name: str, *steps: dict[str, str | None], start: str = "main") -> None:
    """A branch with a commit for each step; `main` stays checked out."""
    repo.git("checkout", "-q", "-b", name, start)
    for number, files in enumerate(steps):
        repo.commit(f"{name} {number}", files)
    repo.git("checkout", "-q", "main")


def squash(repo: Repo, name: str) -> str:
    repo.git("merge", "-q", "--squash", name)
    return repo.commit(f"{name} (#1)")


def test_merged_and_fast_forwarded(repo: Repo) -> None:
    work(repo, "merged", {"a": "x\n"})
    work(repo, "forward", {"b": "x\n"})
    repo.git("merge", "-q", "--ff-only", "forward")
    repo.git("merge", "-q", "--no-ff", "merged")
    repo.git("branch", "empty")
    repo.git("branch", "empty-old", "main~1")
    assert proofs(repo, "merged", "forward", "empty", "empty-old") == {
        "merged": "merged",
        "forward": "merged",
        "empty": None,
        "empty-old": None,
    }


def test_a_started_branch_without_commits(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}, "zero": None})
    repo.git("merge", "-q", "--no-ff", "a")
    repo.fleet("add", "zero", check=0)
    repo.commit("more", {"file": "more\n"})
    assert proofs(repo, "a", "zero") == {"a": "merged", "zero": None}


def test_squashed_elsewhere_then_the_base_went_on(repo: Repo) -> None:
    work(repo, "s", {"file": edited(3)}, {"new": "x\n", "file": edited(4)})
    commit = squash(repo, "s")
    repo.commit("on the same lines", {"file": edited(4, "again")})
    found = landed.proofs(rooms.of(repo), repo.oid("main"), {"refs/heads/s": repo.oid("s")})["refs/heads/s"]
    assert found is not None and (found.kind, found.commit) == ("same tree", commit)


def test_squashed_onto_a_base_that_had_moved(repo: Repo) -> None:
    work(repo, "s", {"file": edited(3)}, {"new": "x\n", "file": edited(4)})
    repo.commit("elsewhere", {"other": edited(1)})
    commit = squash(repo, "s")
    repo.commit("on the same lines", {"file": edited(4, "again")})
    found = landed.proofs(rooms.of(repo), repo.oid("main"), {"refs/heads/s": repo.oid("s")})["refs/heads/s"]
    assert found is not None and (found.kind, found.commit) == ("squashed", commit)


def test_rebased_elsewhere(repo: Repo) -> None:
    work(repo, "r", {"file": edited(3)}, {"other": edited(9)}, {"new": "x\n"})
    repo.commit("moved", {"z": "1\n"})
    repo.git("cherry-pick", "main..r")
    repo.commit("on the same lines", {"file": edited(3, "again"), "new": "y\n"})
    assert proofs(repo, "r") == {"r": "rebased"}


def test_most_of_it_is_not_all_of_it(repo: Repo) -> None:
    work(repo, "r", {"file": edited(3)}, {"other": edited(9)}, {"new": "x\n"})
    repo.commit("moved", {"z": "1\n"})
    repo.git("cherry-pick", "r~2", "r~1")
    assert proofs(repo, "r") == {"r": None}


def test_the_same_work_by_somebody_else_adds_nothing(repo: Repo) -> None:
    work(repo, "one", {"file": edited(3), "a": "x\n"})
    repo.commit("half", {"file": edited(3), "z": "1\n"})
    repo.commit("and half", {"a": "x\n", "y": "1\n"})
    assert proofs(repo, "one") == {"one": "adds nothing"}


@pytest.mark.parametrize("moved", [False, True])
def test_what_a_merge_driver_drops_has_not_landed(repo: Repo, moved: bool) -> None:
    """A driver that keeps our side, whatever the other has: merging the branch adds nothing, and proves nothing."""
    repo.commit("attributes", {".gitattributes": "other merge=ours\nmoved merge=ours\n"})
    repo.config({"merge.ours.driver": "true"})
    changed = "file" if moved else "other"
    work(repo, "b", {changed: edited(3, "mine")})
    work(repo, "c", {"new": "x\n"})
    if moved:
        repo.git("mv", "file", "moved")
    repo.commit("theirs", {"moved" if moved else changed: edited(3, "theirs"), "new": "x\n", "z": "1\n"})
    assert repo.git("merge-tree", "main", "b") == repo.git("rev-parse", "main^{tree}")
    assert proofs(repo, "b") == {"b": None}
    assert moved or proofs(repo, "c") == {"c": "adds nothing"}


@pytest.mark.parametrize("how", ["merge", "squash"])
def test_a_branch_that_goes_on_after_it_landed(repo: Repo, how: str) -> None:
    work(repo, "b", {"file": edited(3)})
    repo.commit("moved", {"z": "1\n"})
    if how == "merge":
        repo.git("merge", "-q", "--no-ff", "b")
    else:
        squash(repo, "b")
    assert proofs(repo, "b")["b"] is not None
    repo.branch("b2", {"other": edited(5)}, start="b")
    assert proofs(repo, "b2") == {"b2": None}


def test_what_was_taken_back_has_not_landed(repo: Repo) -> None:
    work(repo, "b", {"file": edited(3)}, {"other": edited(5)})
    repo.commit("moved", {"z": "1\n"})
    commit = squash(repo, "b")
    repo.git("revert", "--no-edit", commit)
    assert proofs(repo, "b") == {"b": None}


@pytest.mark.parametrize("what", ["all", "a part"])
def test_what_was_taken_back_along_with_another_change_has_not_landed(repo: Repo, what: str) -> None:
    work(repo, "b", {"file": edited(3)}, {"other": edited(5), "new": "x\n"})
    repo.commit("moved", {"z": "1\n"})
    squash(repo, "b")
    assert proofs(repo, "b")["b"] is not None
    repo.git("revert", "--no-commit", "HEAD" if what == "all" else "b")
    repo.commit("taken back, and a version", {"version": "2\n"})
    assert proofs(repo, "b") == {"b": None}


def test_what_has_another_name_by_now_has_landed(repo: Repo) -> None:
    work(repo, "b", {"new": FILE})
    repo.commit("moved", {"z": "1\n"})
    squash(repo, "b")
    repo.git("mv", "new", "newer")
    repo.commit("renamed", {"newer": edited(4)})
    assert proofs(repo, "b") == {"b": "squashed"}


def test_a_branch_of_nothing_has_not_landed(repo: Repo) -> None:
    work(repo, "empty-commit", {})
    work(repo, "to-and-fro", {"file": edited(3)}, {"file": FILE})
    repo.commit("moved", {"z": "1\n"})
    assert proofs(repo, "empty-commit", "to-and-fro") == {"empty-commit": None, "to-and-fro": None}


@pytest.mark.parametrize(("mine", "theirs"), [("a\0b", "a\0c"), ("if x:\n    y\n", "if x:\ny\n")])
def test_what_only_looks_the_same_is_not(repo: Repo, mine: str, theirs: str) -> None:
    """Other bytes of a file that is no text; other white space."""
    work(repo, "b", {"new": mine})
    repo.commit("theirs", {"new": theirs})
    repo.commit("and on", {"new": "else\n"})
    assert proofs(repo, "b") == {"b": None}


def test_a_branch_that_merged_the_base(repo: Repo) -> None:
    work(repo, "b", {"file": edited(3)})
    repo.commit("moved", {"z": "1\n"})
    repo.git("checkout", "-q", "b")
    repo.git("merge", "-q", "main")
    repo.commit("more", {"new": "x\n"})
    repo.git("checkout", "-q", "main")
    repo.commit("moved again", {"y": "1\n"})
    squash(repo, "b")
    repo.commit("on the same lines", {"file": edited(3, "again")})
    assert proofs(repo, "b") == {"b": "squashed"}


def test_another_root_has_not_landed(repo: Repo) -> None:
    repo.git("checkout", "-q", "--orphan", "other-root")
    repo.commit("root", {"new": "x\n"})
    repo.git("checkout", "-q", "main")
    repo.commit("new", {"new": "x\n"})
    assert proofs(repo, "other-root") == {"other-root": None}


def test_nothing_is_written(repo: Repo) -> None:
    work(repo, "s", {"file": edited(3)})
    repo.commit("moved", {"z": "1\n"})
    squash(repo, "s")
    objects = rooms.objects(repo)
    assert proofs(repo, "s") == {"s": "squashed"}
    assert rooms.objects(repo) == objects
    assert landed.proofs(rooms.of(repo), repo.oid("main"), {}) == {}


def test_many_branches_take_a_handful_of_processes(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    from git_fleet.repo import process

    names = [f"b{number}" for number in range(12)]
    for number, name in enumerate(names):
        repo.branch(name, {f"own-{number}": "x\n", "file": edited(number)})
    repo.commit("moved", {"z": "1\n"})
    for number in range(0, 12, 2):
        repo.git("cherry-pick", f"b{number}", "-X", "theirs")
    asked: list[str] = []
    run = process.run

    def counted(argv, **options):  # type: ignore[no-untyped-def]
        asked.append(argv)
        return run(argv, **options)

    repository = rooms.of(repo)
    monkeypatch.setattr(process, "run", counted)
    tips = {f"refs/heads/{name}": repo.oid(name) for name in names}
    found = landed.proofs(repository, repo.oid("main"), tips)
    assert [ref for ref, proof in found.items() if proof] == [f"refs/heads/b{number}" for number in range(0, 12, 2)]
    assert len(asked) <= 14, asked


def test_land_skips_it_with_the_proof_and_goes_on_with_what_needs_it(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}, "b": {"b": "x\n"}})
    repo.config({"fleet.b.needs": "a"})
    repo.commit("moved", {"z": "1\n"})
    commit = squash(repo, "a")
    repo.commit("on it goes", {"a": "y\n"})
    steps = repo.fleet("land", "--json", check=0).json["steps"]
    assert [(step["id"], step["action"]) for step in steps] == [("b", "land"), ("a", "skip")]
    assert steps[1]["reason"] == f"landed already, squashed: {commit[:10]} makes the same change"
    assert repo.show("a") == "y\n" and repo.show("b") == "x\n"


def test_remove_takes_the_proof(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"a": "x\n"}, "b": {"b": "x\n"}})
    repo.commit("moved", {"z": "1\n"})
    squash(repo, "a")
    repo.commit("more of b", {"more": "x\n"}, rooms.tree(repo, "b"))
    repo.git("cherry-pick", "b~1")
    assert "has 2 commits that the base lacks" in repo.fleet("remove", "b", check=3).err
    repo.fleet("remove", "a", check=0)
    assert not repo.exists("a") and repo.exists("b")
