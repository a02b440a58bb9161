"""Landed already? Trees and patch ids in, a proof or nothing out."""

import pytest

from git_fleet.analysis.proof import Kind, Own, There, prove

BASE = "b" * 40
THREE = [There("3" * 40, "t3", "p3"), There("2" * 40, "t2", "p2"), There("1" * 40, "t1", "p1")]


def kind(own: Own, since: list[There] = THREE) -> tuple[str, str] | None:
    proof = prove(own, BASE, since)
    return proof and (proof.kind.value, proof.commit[:1])


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (Own("t2"), ("same tree", "2")),
        (Own("t"), None),
        (Own("t", whole="p2"), ("squashed", "2")),
        (Own("t", patches=("p1", "p3")), ("rebased", "3")),
        (Own("t", patches=("p1", "p4")), None),
        (Own("t", adds_nothing=True), ("adds nothing", "b")),
        (Own("t", patches=("p1",), whole="p1"), ("squashed", "1")),
    ],
)
def test_what_proves(own: Own, expected: tuple[str, str] | None) -> None:
    assert kind(own) == expected


def test_a_branch_that_changes_nothing_has_no_proof_by_its_patches() -> None:
    assert kind(Own("t", patches=(), whole=None)) is None


@pytest.mark.parametrize("own", [Own("t1"), Own("t", whole="p1"), Own("t", patches=("p1",))])
def test_what_was_taken_back_has_not_landed(own: Own) -> None:
    taken = own._replace(takes_back=(("p1", "p2"),))
    assert kind(taken) is None
    assert kind(taken._replace(adds_nothing=True)) == ("adds nothing", "b")


def test_what_was_taken_back_and_brought_again_has_landed() -> None:
    again = [There("4" * 40, "t4", "p1"), *THREE]
    own = Own("t", whole="p1", takes_back=(("p1", "p2"),))
    assert kind(own, again) == ("squashed", "4")


def test_a_branch_that_takes_back_its_own_is_not_misled() -> None:
    own = Own("t", patches=("p1", "p2"), takes_back=(("p1", "p2"), ("p2", "p1")))
    assert kind(own) == ("rebased", "2")


def test_the_sentence_names_the_commit() -> None:
    proof = prove(Own("t", patches=("p1", "p2")), BASE, THREE)
    assert proof is not None and proof.kind is Kind.REBASED
    assert proof.sentence == "landed already, rebased: each of its 2 changes is in the base, the last as 2222222222"
