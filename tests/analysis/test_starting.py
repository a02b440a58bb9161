"""May an agent start, and with which command? Decision tables over values."""

import pytest

from git_fleet.analysis.starting import Refusal, command, refusal
from git_fleet.analysis.state import Standing, quiet
from git_fleet.model.fleet import State, Worktree
from git_fleet.model.plan import Task
from git_fleet.model.settings import Settings

A = Task("a", "a", "a", "f/a", "/a", needs=("b", "elsewhere"))
B = Task("b", "b", "b", "f/b", "/b")
TREE = Worktree("/a", "1" * 40, "refs/heads/f/a")
LANDED = Standing(State.LANDED, None)


@pytest.mark.parametrize(
    ("standing", "need", "why"),
    [
        *((Standing(state, TREE), LANDED, None) for state in ("active", "running", "stuck", "done", "rejected")),
        (Standing(State.ACTIVE, TREE), Standing(State.ACTIVE, None), "it needs b, not landed yet"),
        (Standing(State.LANDED, TREE), LANDED, "it has landed already"),
        (Standing(State.DROPPED, TREE), LANDED, "it is dropped"),
        (Standing(State.READY, None), LANDED, "it has no worktree"),
        (Standing(State.APPROVED, None), LANDED, "it has no worktree"),
        (Standing(State.MISSING, TREE), LANDED, "it has no worktree"),
        (
            Standing(State.ACTIVE, TREE._replace(branch="refs/heads/x")),
            LANDED,
            "'f/a' is not checked out in its worktree '/a'",
        ),
    ],
)
def test_where_an_agent_may_start(standing: Standing, need: Standing, why: str | None) -> None:
    found = refusal(A, {"a": standing._replace(state=State(standing.state)), "b": need})
    assert (found and found.why) == why and (found is None or found.hints)


@pytest.mark.parametrize(
    ("agent", "settings", "words", "expected"),
    [
        (None, Settings(), ("make all",), "make all"),
        (None, Settings(), ("echo", "a b", "$x"), "echo 'a b' '$x'"),
        ("one", Settings(agents={"one": "1", "two": "2"}, agent="two"), (), "1"),
        (None, Settings(agents={"one": "1", "two": "2"}, agent="two"), (), "2"),
        (None, Settings(agents={"one": "1"}), (), "it has no agent"),
        ("three", Settings(agents={"one": "1"}), (), "its agent 'three' has no command"),
        ("one", Settings(agents={"one": ""}), (), "its agent 'one' has no command"),
    ],
)
def test_the_command(agent: str | None, settings: Settings, words: tuple[str, ...], expected: str) -> None:
    found = command(B._replace(agent=agent), settings, words)
    assert (found.why if isinstance(found, Refusal) else found) == expected


@pytest.mark.parametrize(
    ("silent_s", "after_s", "said"),
    [(600, 600, None), (601, 600, "quiet for 10m"), (1559.0, 600, "quiet for 25m"), (2.5, 2, "quiet for 2s")],
)
def test_quiet(silent_s: float, after_s: float, said: str | None) -> None:
    assert quiet(silent_s, after_s) == said
