"""A list of issues as rows: the little that is taken, and that nothing hostile gets through."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit import Repo, make_repo

from git_fleet.model.errors import PlanError
from git_fleet.model.plan import Row
from git_fleet.plan import issues

BODY = """\
We want this. Depends on #41 and #7, blocked by: #99.

Files: `src/auth/`, cli.py and `rm -rf`

```
depends on #1000
Files: code.py
```

## Files

- `docs/guide.md` (new), see `two words`
- README.md without a code span

## Notes

- `not.py`
"""


def listed(*found: Any) -> issues.Issues:
    return issues.parsed(json.dumps(found).encode(), "issues.json")


def issue(number: Any = 42, title: Any = "count", body: Any = "", **more: Any) -> dict[str, Any]:
    return {"number": number, "title": title, "body": body, **more}


def test_what_is_taken_from_an_issue() -> None:
    labels = [{"name": "bug"}, {"name": "P0"}, {"name": "Priority: 10"}]
    found = listed(
        issue(body=BODY.replace("\n", "\r\n"), labels=labels), issue(41, " two\u3000words ", None), issue(7, "x")
    )
    assert found == issues.Issues(
        (
            Row("42", "count", owns=("src/auth/", "docs/guide.md"), needs=("41", "7"), priority="10"),
            Row("41", "two words"),
            Row("7", "x"),
        ),
        ("42 waits for 99, which is not in the list: left out",),
    )


def test_a_files_line_of_plain_words() -> None:
    assert listed(issue(body="**Files:** src/a.py, docs/; word")).rows[0].owns == ("src/a.py", "docs/")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "1: column 1: no JSON"),
        (b"[\n{]", "2: column 2: no JSON"),
        (b"{}", "1: no list of issues"),
        (b"[" * 200_000, "1: no list of issues: too deep"),
        (b'[{"number": NaN}]', "1: no list of issues: NaN is no JSON"),
        (b'[{"number": 1, "number": 2}]', "1: no list of issues: a key stands twice"),
        (b"[" + b"9" * 5000 + b"]", "1: no list of issues: Exceeds the limit"),
        (b'["\xff"]', "1: column 3: byte 0xFF is not UTF-8"),
        (b"[1]", " issue 1 of the list: it is no object"),
        (b'[{"title": "x"}]', " issue 1 of the list: 'number'"),
        (b'[{"number": true, "title": "x"}]', " issue 1 of the list: 'number'"),
        (b'[{"number": -1, "title": "x"}]', " issue 1 of the list: 'number'"),
        (b'[{"number": 1, "title": 2}]', " issue 1 of the list: 'title' and 'body'"),
        (b'[{"number": 1, "title": "x", "body": []}]', " issue 1 of the list: 'title' and 'body'"),
        (b'[{"number": 1, "title": "x", "labels": [1]}]', " issue 1 of the list: 'labels'"),
        (
            b'[{"number": 1, "title": "a\\u001b[2J"}]',
            " issue 1 of the list: the title holds a control character U+001B",
        ),
        (b'[{"number": 1, "title": "a\\nb"}]', " issue 1 of the list: the title holds a control character U+000A"),
        (b'[{"number": 1, "title": "\\u202e"}]', " issue 1 of the list: the title holds an invisible character U+202E"),
        (b'[{"number": 1, "title": "\\ud800"}]', " issue 1 of the list: the title holds bytes that are not UTF-8"),
        (json.dumps([issue(1, "x" * 1001)]).encode(), " issue 1 of the list: the title is longer than 1,000"),
        (json.dumps([issue(), issue()]).encode(), " issue 42 is there twice"),
        (json.dumps([issue(n) for n in range(1, 2002)]).encode(), " more than 2,000 issues"),
        (b" " * (16 * 1024 * 1024 + 1), " larger than 16 MiB"),
    ],
    ids=lambda value: repr(value[:24]),
)
def test_hostile_lists_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(PlanError) as error:
        issues.parsed(data, "issues.json")
    assert error.value.message.startswith(f"issues.json:{message}")


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["number", "title", "body", "labels", "name"]) | st.text(), inner, max_size=4)
    ),
)


@given(st.lists(JSON, max_size=3).map(lambda found: json.dumps(found).encode()) | st.binary(max_size=40))
def test_any_list_is_rows_or_an_error_of_the_plan(data: bytes) -> None:
    try:
        found = issues.parsed(data, "x")
    except PlanError:
        return
    assert all(row.id.isdecimal() for row in found.rows)


@given(st.text(max_size=300))
def test_a_body_never_breaks_anything_and_paths_stay_in_the_tree(body: str) -> None:
    row = listed(issue(body=f"Files: {body}\n## Files\n`{body}`")).rows[0]
    assert not any(path.startswith(("/", "-", "~")) or ".." in path.split("/") for path in row.owns)


def test_a_plan_from_standard_input_and_from_a_file(tmp_path: Path) -> None:
    repo: Repo = make_repo(tmp_path / "app", {"cli.py": ""})
    text = json.dumps([issue(42, body="Files: cli.py"), issue(43, "docs", "blocked by #42, depends on #9")])
    dry = repo.fleet("init", "--from-issues", "-", "--dry-run", stdin=text, check=0)
    assert dry.out == f"would start a plan in {repo.path}/.git/config: 2 tasks\n  42  count\n  43  docs\n"
    done = repo.fleet("init", "--from-issues", "-", stdin=text, check=0)
    assert "43 waits for 9, which is not in the list: left out\n" in done.err
    assert repo.fleet("plan", "--json", check=0).json["waves"] == [["42"], ["43"]]
    repo = make_repo(tmp_path / "other", {"list.json": text})
    repo.fleet("init", "--markdown", "PLAN.md", "--from-issues", "list.json", check=0)
    plan = repo.fleet("plan", "--plan", "PLAN.md", "--json", check=0).json
    assert [(task["id"], task["owns"], task["needs"]) for task in plan["tasks"]] == [
        ("42", ["cli.py"], []),
        ("43", [], ["42"]),
    ]


def test_nothing_is_written_from_a_list_that_is_refused(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "app", {"cli.py": ""})
    before = repo.read(".git/config")
    done = repo.fleet("init", "--from-issues", "-", stdin="{}", check=128)
    assert done.err.startswith("fatal: standard input:1: no list of issues")
    assert repo.read(".git/config") == before
