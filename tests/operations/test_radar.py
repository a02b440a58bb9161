"""The radar against `git merge` in a checkout: kinds of conflicts that were planted, and branches on branches."""

import subprocess
from pathlib import Path

import kit
import pytest
import rooms
from kit import Repo

from git_fleet.analysis import ancestry
from git_fleet.model.fleet import Base, Lines, PairVerdict, Radar
from git_fleet.operations import radar
from git_fleet.repo import git, lineage

LONG = rooms.LONG
BINARY = bytes(range(256))


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = kit.make_repo(tmp_path / "app", {"file": LONG, "other": LONG, "sub/deep": LONG, "run.sh": "true\n"})
    (repo.path / "image").write_bytes(BINARY)
    repo.commit("image")
    return repo


def look(repo: Repo, *names: str) -> Radar:
    """What the radar sees; keys are short branch names."""
    found = rooms.of(repo)
    heads = git.branches(found)
    main = heads["refs/heads/main"]
    tips = {name: heads[f"refs/heads/{name}"] for name in names}
    oids = list(dict.fromkeys(branch.tip for branch in tips.values()))
    family = ancestry.distances(lineage.graph(found, main.tip, oids), main.tip, oids)
    return radar.look(found, Base("main", main.tip, main.tree), tips, family)


def really(repo: Repo, tmp_path: Path, *names: str) -> list[str]:
    """Conflicting paths of merging all these into main, one after the other, in a checkout."""
    tree = tmp_path / "scratch"
    repo.git("worktree", "add", "-q", "--detach", tree, "main")
    paths: list[str] = []
    for name in names:
        if rooms.status_of("git", "merge", "-q", "--no-ff", "-m", "x", name, cwd=tree):
            paths = sorted({line.split("\t")[1] for line in repo.git("ls-files", "-u", cwd=tree).splitlines()})
    repo.git("worktree", "remove", "--force", tree)
    return paths


def commit_on(repo: Repo, name: str, script: str, start: str = "main") -> None:
    """A branch with one commit of what a shell script does to a checkout."""
    repo.git("checkout", "-q", "-b", name, start)
    subprocess.run(["sh", "-ec", script], cwd=repo.path, check=True)
    repo.commit(name)
    repo.git("checkout", "-q", "main")


KINDS = {
    "content": ("sed -i 's/line 5$/one/' file", "sed -i 's/line 5$/two/' file"),
    "neighbours": ("sed -i 's/line 5$/one/' file", "sed -i 's/line 6$/two/' file"),
    "far apart": ("sed -i 's/line 1$/one/' file", "sed -i 's/line 18$/two/' file"),
    "the same": ("sed -i 's/line 5$/one/' file", "sed -i 's/line 5$/one/' file"),
    "both add": ("echo one >new", "echo two >new"),
    "both add the same": ("echo one >new", "echo one >new"),
    "modify and delete": ("sed -i 's/line 5$/one/' file", "git rm -q file"),
    "both delete": ("git rm -q file", "git rm -q file"),
    "rename and modify": ("git mv file moved", "sed -i 's/line 5$/two/' file"),
    "two renames": ("git mv file one", "git mv file two"),
    "rename onto an addition": ("git mv file new", "echo two >new"),
    "rename and delete": ("git mv file moved", "git rm -q file"),
    "folder renamed, file added": ("git mv sub lib", "echo two >sub/new"),
    "file and folder": ("echo one >new", "mkdir new && echo two >new/deep"),
    "mode and content": ("chmod +x run.sh", "echo false >>run.sh"),
    "mode and mode": ("chmod +x run.sh", "chmod +x run.sh"),
    "link and content": ("rm run.sh && ln -s file run.sh", "echo false >>run.sh"),
    "binary": ("printf 'a\\0b' >image", "printf 'c\\0d' >image"),
    "nothing in common": ("sed -i 's/line 5$/one/' file", "sed -i 's/line 5$/two/' other"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_verdict_is_that_of_git_merge(repo: Repo, tmp_path: Path, kind: str) -> None:
    for name, script in zip(("one", "two"), KINDS[kind], strict=True):
        commit_on(repo, name, script)
    sight = look(repo, "one", "two")
    conflict = really(repo, tmp_path, "one", "two")
    seen = [(pair.keys, pair.verdict) for pair in sight.pairs if pair.verdict is not PairVerdict.CLEAN]
    assert seen == ([(("one", "two"), PairVerdict.CONFLICT)] if conflict else [])
    if conflict:
        assert set(sight.pairs[0].paths) & {path.removesuffix("~HEAD") for path in conflict}
    assert sight.base_conflicts == {}


@pytest.mark.parametrize("kind", ["content", "modify and delete", "far apart", "rename and modify"])
def test_the_base_is_a_branch_like_any_other(repo: Repo, tmp_path: Path, kind: str) -> None:
    for name, script in zip(("one", "two"), KINDS[kind], strict=True):
        commit_on(repo, name, script)
    repo.git("merge", "-q", "--ff-only", "two")
    sight = look(repo, "one")
    paths = really(repo, tmp_path, "one")
    assert {key: sorted(found) for key, found in sight.base_conflicts.items()} == ({"one": paths} if paths else {})
    assert set(sight.merged) == (set() if paths else {"one"})


def test_an_old_branch_counts_against_the_base_and_not_against_its_siblings(repo: Repo) -> None:
    commit_on(repo, "old", "sed -i 's/line 1$/old/' file")
    repo.commit("base rewrites its end", {"file": LONG.replace("line 19\n", "new end\n")})
    commit_on(repo, "new", "sed -i 's/new end/newer end/' file")
    assert [pair.verdict for pair in look(repo, "old", "new").pairs] in ([], [PairVerdict.CLEAN])


def test_what_a_branch_changes_and_how_many_lines(repo: Repo) -> None:
    commit_on(repo, "one", "sed -i 's/line 5$/one/' file; echo x >new; git rm -q run.sh")
    repo.commit("base moves", {"other": "x\n"})
    sight = look(repo, "one")
    assert [change.path for change in sight.changes["one"]] == ["file", "new", "run.sh"]
    assert sight.lines["one"] == Lines(2, 2)


def test_nothing_to_look_at(repo: Repo) -> None:
    assert look(repo) == radar.NOTHING


# ------------------------------------------------------------------------------------------------ branches on branches


def test_a_branch_on_top_of_another_conflicts_with_it_no_more_than_in_git(repo: Repo, tmp_path: Path) -> None:
    commit_on(repo, "below", "sed -i 's/line 5$/below/' file")
    commit_on(repo, "above", "sed -i 's/below/above/' file", start="below")
    sight = look(repo, "below", "above")
    assert really(repo, tmp_path, "below", "above") == []
    assert [(pair.verdict, pair.first) for pair in sight.pairs] in ([], [(PairVerdict.CLEAN, None)])


def test_one_order_only(repo: Repo, tmp_path: Path) -> None:
    """`below` went on after `above` began: whichever order git merges, the radar says so."""
    commit_on(repo, "below", "sed -i 's/line 5$/below/' file")
    commit_on(repo, "above", "sed -i 's/below/above/' file", start="below")
    repo.git("checkout", "-q", "below")
    repo.commit("more", {"file": LONG.replace("line 5\n", "further\n")})
    repo.git("checkout", "-q", "main")
    both = [really(repo, tmp_path, *names) for names in (("below", "above"), ("above", "below"))]
    [pair] = look(repo, "below", "above").pairs
    assert (pair.verdict is PairVerdict.CONFLICT) == all(both)


def test_a_reverted_piece_on_top(repo: Repo, tmp_path: Path) -> None:
    """Flat trees would conflict; real history knows that `above` took the line back."""
    commit_on(repo, "below", "sed -i 's/line 5$/below/' file")
    commit_on(repo, "above", "sed -i 's/below/line 5/; s/line 9$/above/' file", start="below")
    sight = look(repo, "below", "above")
    expected = PairVerdict.CONFLICT if really(repo, tmp_path, "below", "above") else PairVerdict.CLEAN
    assert {pair.verdict for pair in sight.pairs} <= {expected}


def test_status_shows_what_the_radar_sees(tmp_path: Path) -> None:
    repo = rooms.fleet(tmp_path, {"a": {"file": "a\n"}, "b": {"file": "b\n"}, "c": {"c": "x\n"}, "d": {"d": "x\n"}})
    repo.commit("base", {"d": "base\n"})
    before = rooms.objects(repo)
    rows = {row["id"]: row for row in repo.fleet("status", "--json", check=0).json["tasks"]}
    assert {task: rows[task]["conflicts_with"] for task in "abcd"} == {"a": ["b"], "b": ["a"], "c": [], "d": []}
    assert [task for task in "abcd" if rows[task]["base_conflict"]] == ["d"]
    assert rooms.objects(repo) == before
