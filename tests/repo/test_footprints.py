"""What commits changed, read without guessing where a name ends."""

from pathlib import Path

import kit

from git_fleet.model.fleet import Repository
from git_fleet.model.plan import Footprint
from git_fleet.repo import footprints, git


def opened(repo: kit.Repo) -> Repository:
    common = str(repo.common_dir())
    return Repository(common, common, str(repo.path), str(repo.path), False, "sha1")


def test_footprints_of_commits_and_merges(tmp_path: Path) -> None:
    repo = kit.make_repo(tmp_path / "app", {"a": "1\n2\n3\n4\n5\n", "b": "b\n", "sub/ö": "x\n"})
    start = repo.oid("main")
    side = repo.branch("side", {"a": "1\n2\n3\n4\nside\n", "side": "x\n"})
    ours = repo.commit("odd names", {"a": "main\n2\n3\n4\n5\n", "::x": "1\n", "a\nb": "1\n", start: "1\n"})
    repo.git("merge", "-q", "--no-edit", "side")
    merge = repo.oid("main")
    moved = repo.commit("moved", {"b": None, "c": "b\n"})
    plain = repo.branch("plain", {}, start="main")
    found = footprints.footprints(opened(repo), [plain, moved, merge, ours, side, start])
    assert found == {
        plain: Footprint(()),
        moved: Footprint(("b", "c")),
        merge: Footprint(("a",), merge=True),
        ours: Footprint(tuple(sorted([start, "::x", "a", "a\nb"]))),
        side: Footprint(("a", "side")),
        start: Footprint(("a", "b", "sub/ö")),
    }
    assert footprints.footprints(opened(repo), []) == {}
    assert footprints.history(opened(repo), moved, 2) == [moved, merge]
    assert git.tree_paths(opened(repo), side) == ("a", "b", "side", "sub/ö")
