"""Ids, slugs, templates, places, durations."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_fleet.model.fleet import Repository
from git_fleet.model.plan import Row, Severity
from git_fleet.model.settings import Settings
from git_fleet.plan import names

REPOSITORY = Repository("/w/app/.git", "/w/app/.git", "/w/app", "/w/app", False, "sha1")


@given(st.text())
def test_a_slug_is_safe_anywhere(text: str) -> None:
    assert re.fullmatch(r"(?:[a-z0-9]+(?:-[a-z0-9]+)*)?", names.slugify(text))
    assert len(names.slugify(text)) <= 40


def test_slugs() -> None:
    assert names.slugify("Füge Ärger zu: `x`!") == "fuge-arger-zu-x"
    assert names.slugify("日本") == ""
    assert names.slugify("a" * 39 + " bc") == "a" * 39


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#42 count", ("42", "count")),
        ("#42", ("42", None)),
        ("42: count words", ("42", "count words")),
        ("42 — count", ("42", "count")),
        ("JIRA-7 Fix it", ("JIRA-7", "Fix it")),
        ("auth", ("auth", None)),
        ("#auth log in", ("auth", "log in")),
        ("Fix the login", ("fix-the-login", "Fix the login")),
        ("42 -1 is wrong", ("42", "-1 is wrong")),
        ("", ("", None)),
    ],
)
def test_id_and_title(text: str, expected: tuple[str, str | None]) -> None:
    assert names.split_title(text) == expected


@pytest.mark.parametrize(
    ("branch", "id", "title"),
    [
        ("feature/42-count", "42", "count"),
        ("42_count-words", "42", "count words"),
        ("pr/3184", "3184", None),
        ("fix-login", "fix-login", None),
        ("me/JIRA-7-fix-it", "JIRA-7", "fix it"),
        ("fix-2-things", "fix-2-things", None),
        ("feature/ünï", "n", None),
        ("日本", "task", None),
    ],
)
def test_what_a_branch_tells(branch: str, id: str, title: str | None) -> None:
    assert names.row_of_branch(branch) == Row(id, title, branch)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("45m", 2700),
        ("2h", 7200),
        ("1h30m", 5400),
        ("90s", 90),
        ("1d", 28800),
        ("45", 2700),
        ("~30 min", 1800),
        ("1.5 hours", 5400),
        ("2 days 1 hr", 61200),
        ("", None),
        ("soon", None),
        ("1h soon", None),
        ("-5m", None),
        ("9" * 5000, None),
    ],
)
def test_estimates(text: str, seconds: int | None) -> None:
    assert names.seconds(text) == seconds


@pytest.mark.parametrize(
    ("row", "branch", "worktree"),
    [
        (Row("42", "count"), "feature/42-count", "/w/app-42-count"),
        (Row("42"), "feature/42", "/w/app-42"),
        (Row("42", "日本"), "feature/42", "/w/app-42"),
        (Row("auth", "Auth"), "feature/auth", "/w/app-auth"),
        (Row("42", "count", "x/y", "bare"), "x/y", "/w/bare"),
        (Row("42", "count", "x/y", "./in"), "x/y", "/w/app/in"),
        (Row("42", "count", "x/y", "trees/a/../b/"), "x/y", "/w/app/trees/b"),
        (Row("42", "count", "x/y", "../a/b"), "x/y", "/w/a/b"),
        (Row("42", "count", "x/y", "/else/where"), "x/y", "/else/where"),
        (Row("42", "count", "x/y", "~/trees/a"), "x/y", "/home/me/trees/a"),
    ],
)
def test_gaps_are_filled(row: Row, branch: str, worktree: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    task, problems = names.complete(row, Settings(), REPOSITORY, own_config=True)
    assert (task.branch, task.worktree, problems) == (branch, worktree, ())


@pytest.mark.parametrize(
    ("template", "row", "expected"),
    [
        ("topic/{slug}", Row("42", "count"), "topic/count"),
        ("topic/{slug}", Row("42"), "topic/42"),
        ("{slug}-{id}", Row("42"), "42"),
        ("{repo}/{slug}/{id}", Row("42"), "app/42"),
        ("{id}/{slug}", Row("42"), "42"),
        ("{id}/{other}", Row("42"), "42/{other}"),
    ],
)
def test_templates(template: str, row: Row, expected: str) -> None:
    task, _ = names.complete(row, Settings(branch=template), REPOSITORY, own_config=True)
    assert task.branch == expected


def test_the_template_is_the_users_own_even_for_a_plan_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    settings = Settings(worktree="~/trees/{repo}/{id}")
    task, problems = names.complete(Row("42"), settings, REPOSITORY, own_config=False)
    assert (task.worktree, problems) == ("/home/me/trees/app/42", ())


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("place", [".", "/w/app", "x/..", "../app", ".git/x", "/w/app/.git", "a/.git/b", "..", "/"])
def test_places_that_nobody_may_give(place: str, own: bool) -> None:
    _, problems = names.complete(Row("42", worktree=place, line=7), Settings(), REPOSITORY, own_config=own)
    assert [(one.severity, one.code, one.tasks, one.line) for one in problems] == [
        (Severity.ERROR, "path-escapes", ("42",), 7)
    ]


@pytest.mark.parametrize("place", ["/etc/x", "../../x", "~/x", "~", "/w-other/x"])
def test_places_that_only_the_users_own_configuration_may_give(place: str) -> None:
    row = Row("42", worktree=place)
    assert names.complete(row, Settings(), REPOSITORY, own_config=True)[1] == ()
    assert [one.code for one in names.complete(row, Settings(), REPOSITORY, own_config=False)[1]] == ["path-escapes"]


def test_numbers_that_make_no_sense() -> None:
    row = Row("42", estimate="soon", priority="high", line=3)
    task, problems = names.complete(row, Settings(), REPOSITORY, own_config=False)
    assert (task.estimate_s, task.priority) == (None, 0)
    assert [(one.code, one.line) for one in problems] == [("bad-estimate", 3), ("bad-priority", 3)]
