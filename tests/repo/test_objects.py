"""Trees and commits by our own reckoning are git's, byte for byte; what is kept of a quarantine is whole."""

import random
from pathlib import Path

import kit
import pytest
import rooms
from kit import Repo

from git_fleet.model.errors import GitError
from git_fleet.model.fleet import Change
from git_fleet.repo import git, merging, objects
from git_fleet.repo.objects import Made
from git_fleet.repo.trees import Growing

FILES = {"a": "1\n", "a.b": "1\n", "a-b/c": "1\n", "deep/er/est": "1\n", "deep/x": "1\n", "é/\udcff ü": "1\n"}


@pytest.fixture(params=["sha1", "sha256"])
def repo(request: pytest.FixtureRequest, tmp_path: Path) -> Repo:
    return kit.make_repo(tmp_path / "app", FILES, f"--object-format={request.param}")


def changes(repo: Repo, old: str, new: str) -> list[Change]:
    with merging.quarantine(rooms.of(repo), old) as place:
        return list(merging.changes(place, repo.oid(f"{old}^{{tree}}"), [repo.oid(f"{new}^{{tree}}")])[0][0])


def test_a_tree_that_grows_is_what_git_writes(repo: Repo) -> None:
    """Files and folders appear, go, and take each other's place; git's odd order of folders included."""
    chance = random.Random(3)
    names = ["a", "a.b", "a-b/c", "a/b", "a/b/c", "deep", "deep/er", "deep/er/est", "deep/x", "z", "é/\udcff ü", "é/n"]
    start = repo.oid("main")
    steps = []
    for number in range(40):
        path = repo.path / chance.choice(names)
        for above in (path, *path.parents):
            if above != repo.path and above.is_file():
                above.unlink()
        if path.is_dir() or chance.random() < 0.3:
            repo.git(
                "rm", "-rfq", "--ignore-unmatch", "--", path.name, cwd=path.parent if path.parent.is_dir() else None
            )
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{number}\n")
            path.chmod(chance.choice((0o644, 0o755)))
        steps.append(repo.commit(f"{number}"))
    repository = rooms.of(repo)
    with merging.quarantine(repository, start) as place:
        line = Growing(place, repo.oid(f"{start}^{{tree}}"), ["a", "deep/x"])
        for old, new in zip([start, *steps], steps, strict=False):
            assert line.grow(changes(repo, old, new)) == repo.oid(f"{new}^{{tree}}")
        line.write()
        line.write()
        assert merging.answer(place, "ls-tree", "-r", repo.oid("main^{tree}"))


def test_what_no_tree_can_hold_is_said(repo: Repo) -> None:
    repository = rooms.of(repo)
    with merging.quarantine(repository, repo.oid("main")) as place, pytest.raises(ValueError, match="line break"):
        Growing(place, repo.oid("main^{tree}"), ["a\nb/c"])


def test_commits_are_those_of_commit_tree(repo: Repo) -> None:
    tree, base = repo.oid("main^{tree}"), repo.oid("main")
    message = "Größe ✓\n\nFleet-Task: 1\n"
    by_git = [repo.git("commit-tree", "-p", base, "-F", "-", tree, stdin=message)]
    by_git.append(repo.git("commit-tree", "-p", by_git[0], "-p", base, "-F", "-", tree, stdin=message))
    wanted = [Made(tree, (base,), message), Made(tree, (None, base), message)]
    with merging.quarantine(rooms.of(repo), base) as place:
        assert objects.commits(place, wanted, sign=False) == by_git
        repo.config({"i18n.commitEncoding": "ISO-8859-1"})
        other = objects.commits(place, wanted, sign=False)
        assert other != by_git and "encoding ISO-8859-1" in merging.answer(place, "cat-file", "commit", other[1])


def test_without_an_identity_nothing_is_made(repo: Repo) -> None:
    repo.config({"user.name": ""})
    with merging.quarantine(rooms.of(repo), repo.oid("main")) as place, pytest.raises(GitError):
        objects.commits(place, [Made(repo.oid("main^{tree}"), (), "x\n")], sign=False)


HOLDER = "operation 7"


def packs(repo: Repo, suffix: str = ".keep") -> list[Path]:
    return [path for path in (repo.common_dir() / "objects/pack").iterdir() if path.suffix == suffix]


def prune(repo: Repo) -> None:
    repo.git("gc", "--quiet", "--prune=now")


def test_what_is_kept_is_whole_and_nothing_else_stays(repo: Repo) -> None:
    repository, base = rooms.of(repo), repo.oid("main")
    before = rooms.objects(repo)
    with merging.quarantine(repository, base) as place:
        blobs = [merging.answer(place, "hash-object", "-w", "--stdin", stdin=f"{n}\n").strip() for n in range(3)]
        line = Growing(place, repo.oid("main^{tree}"), ["a"])
        tree = line.grow([Change(f"new/{n}", "0", "100644", "", blob) for n, blob in enumerate(blobs)])
        line.write()
        kept, forgotten = objects.lines(place, [Made(tree, (base,), "x\n"), Made(tree, (None,), "y\n")])
        assert rooms.objects(repo) == before
        objects.keep(place, [kept], [base], HOLDER)
        objects.keep(place, [], [base], HOLDER)
    assert len(repo.git("ls-tree", "-r", kept).split("\n")) == len(FILES) + 3
    assert rooms.status_of("git", "cat-file", "-e", forgotten, cwd=repo.path) == 1
    assert git.resolve(repository, kept) == kept
    repo.fsck()


def test_no_gc_takes_what_is_kept_until_it_is_released(repo: Repo) -> None:
    repository, base = rooms.of(repo), repo.oid("main")
    with merging.quarantine(repository, base) as place:
        [commit] = objects.lines(place, [Made(repo.oid("main^{tree}"), (base,), "x\n")])
        objects.keep(place, [commit], [base], HOLDER)
    prune(repo)
    assert repo.git("cat-file", "-t", commit) == "commit" and len(packs(repo)) == 1
    objects.release(repository, "operation 70")
    prune(repo)
    assert repo.git("cat-file", "-t", commit) == "commit"
    objects.release(repository, HOLDER)
    prune(repo)
    assert packs(repo) == [] and rooms.status_of("git", "cat-file", "-e", commit, cwd=repo.path) == 1


def test_what_was_gone_before_it_was_kept_is_said(repo: Repo) -> None:
    """git makes nothing in a quarantine that the repository has, though it be held by nothing there."""
    repository, base = rooms.of(repo), repo.oid("main")
    blob = repo.git("hash-object", "-w", "--stdin", stdin="dangling\n")
    with merging.quarantine(repository, base) as place:
        assert merging.answer(place, "hash-object", "-w", "--stdin", stdin="dangling\n").strip() == blob
        line = Growing(place, repo.oid("main^{tree}"), ["a"])
        tree = line.grow([Change("new", "0", "100644", "", blob)])
        line.write()
        [commit] = objects.lines(place, [Made(tree, (base,), "x\n")])
        assert objects.whole(place, [tree], [base])
        prune(repo)
        assert not objects.whole(place, [tree], [base])
        with pytest.raises(GitError):
            objects.keep(place, [commit], [base], HOLDER)
    assert packs(repo) == []
