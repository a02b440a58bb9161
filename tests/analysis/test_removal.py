"""May it go? A decision table: one harm at a time, then several."""

import pytest

from git_fleet.analysis.removal import of_stale_entry, verdict
from git_fleet.model.fleet import Dirt
from git_fleet.model.removal import Facts, Fate, Verdict

GOOD = Facts("a", "/a", landed=True, proof="landed: 1234567890 is in main", unlanded=0, dirt=Dirt())
MANY = tuple(f"f{number}" for number in range(8))


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (GOOD._replace(landed=False), "'a' has not landed"),
        (GOOD._replace(unlanded=1), "'a' has 1 commit that the base lacks"),
        (GOOD._replace(landed=False, unlanded=2), "'a' has 2 commits that the base lacks"),
        (GOOD._replace(locked=""), "it is locked"),
        (GOOD._replace(locked="agent 7"), "it is locked: agent 7"),
        (GOOD._replace(inside=("a repository is in it: /a/b",)), "a repository is in it: /a/b"),
        (GOOD._replace(shown=True), "'a' is HEAD of the bare repository"),
        (GOOD._replace(standing_in=True), "you stand in it"),
        (GOOD._replace(taken_over="/x/.git"), "its '.git' leads to '/x/.git', which is not its entry"),
        (GOOD._replace(processes=("7 (sleep)", "8 (vi)")), "in use by process 7 (sleep), 8 (vi)"),
        (GOOD._replace(in_use=("/main",)), "'a' is in use in '/main'"),
        (GOOD._replace(stashes=("stash@{0}",)), "stash@{0} was made on 'a'"),
        (GOOD._replace(other_branch="b"), "it is on 'b', not on 'a'"),
        (GOOD._replace(gone=True, away="/usb"), "its folder is gone, and so is '/usb': a disk may be away"),
        (GOOD._replace(foreign=True), "it is not in the plan, and git fleet has not made it"),
        (GOOD._replace(unkept=(("HEAD", "1234"),)), "what is checked out there is on no branch"),
        (GOOD._replace(unkept=(("refs/worktree/x", "1234"),)), "what refs/worktree/x holds is on no branch"),
        (GOOD._replace(dirt=Dirt(staged=("x",))), "staged: x"),
        (GOOD._replace(dirt=Dirt(unstaged=("x", "y"))), "modified: x, y"),
        (GOOD._replace(dirt=Dirt(untracked=("x",))), "untracked: x"),
        (GOOD._replace(dirt=Dirt(unmerged=("x",))), "unmerged: x"),
        (GOOD._replace(dirt=Dirt(ignored=MANY)), "ignored: f0, f1, f2, f3, f4 and 3 more"),
        (GOOD._replace(dirt=Dirt(hidden=("x",))), "modified, though marked as unchanged: x"),
        (GOOD._replace(dirt=Dirt(unreadable=("x",))), "cannot be read: x"),
        (GOOD._replace(dirt=Dirt(operation="rebase")), "a rebase is in progress"),
    ],
)
def test_one_harm_keeps_it(facts: Facts, reason: str) -> None:
    assert verdict(facts)[:2] == (Fate.KEEP, (reason,))
    assert verdict(facts).hints


@pytest.mark.parametrize("facts", [GOOD._replace(dirt=None), GOOD._replace(unlanded=None)])
def test_what_cannot_be_seen_is_not_removed(facts: Facts) -> None:
    assert verdict(facts) == Verdict(Fate.UNKNOWN, ("git cannot tell what is in it",), ("git fleet doctor",))


@pytest.mark.parametrize("facts", [GOOD, GOOD._replace(worktree=None, dirt=None)])
def test_what_is_proven_goes(facts: Facts) -> None:
    assert verdict(facts) == Verdict(Fate.REMOVE, ("landed: 1234567890 is in main",))


def test_without_a_worktree_only_the_branch_counts() -> None:
    facts = GOOD._replace(worktree=None, dirt=Dirt(unstaged=("x",)), locked="x", standing_in=True)
    assert verdict(facts).fate is Fate.REMOVE
    assert verdict(facts._replace(unlanded=1)).hints == ("git fleet land a",)


def test_a_harm_counts_more_than_what_cannot_be_seen() -> None:
    hints = ("git worktree unlock /a",)
    assert verdict(GOOD._replace(dirt=None, locked="x")) == Verdict(Fate.KEEP, ("it is locked: x",), hints)


def test_every_reason_in_order() -> None:
    dirt = Dirt(("s",), ("m",), ("n",), ("u",), ("i",), ("h",), "merge")
    facts = Facts(
        "a", "/a", unlanded=1, dirt=dirt, locked="x", inside=("in",), standing_in=True, unkept=(("HEAD", "1"),)
    )
    assert verdict(facts).reasons == (
        "'a' has 1 commit that the base lacks",
        "in",
        "you stand in it",
        "it is locked: x",
        "what is checked out there is on no branch",
        "unmerged: u",
        "staged: s",
        "modified: m",
        "untracked: n",
        "ignored: i",
        "modified, though marked as unchanged: h",
        "a merge is in progress",
    )


def test_what_can_be_made_again_is_no_reason() -> None:
    assert verdict(GOOD._replace(disposable=("node_modules/",))).fate is Fate.REMOVE


def test_an_entry_without_its_folder_goes_whatever_its_branch_has() -> None:
    facts = Facts("a", "/a", tip="1", unlanded=3, dirt=Dirt(), gone=True)
    assert of_stale_entry(facts) == Verdict(Fate.REMOVE, ("its folder is gone",))
    assert of_stale_entry(facts._replace(locked="")).reasons == ("it is locked",)
    assert of_stale_entry(facts._replace(dirt=Dirt(staged=("x",)))).reasons == ("staged: x",)
    assert of_stale_entry(facts._replace(dirt=None)).fate is Fate.UNKNOWN
