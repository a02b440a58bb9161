"""Plans in Markdown: read whole, refused with their place, written cell by cell."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from git_fleet.model.errors import PlanError, Refused
from git_fleet.model.plan import Row
from git_fleet.plan import markdown

LAB = """\
# The plan

| Issue | Branch | Worktree | Files owned | Depends on | Status |
|-------|--------|----------|-------------|------------|--------|
| #42 count | `feature/42-count` | `tasks-app-42-count` | `cli.py` (dispatch + new fn) | — | queued |
| #43 docs | `feature/43-docs` | `tasks-app-43-docs` | `README.md`, `CHANGELOG.md` | — | queued |
| #44 clear | `feature/44-clear` | `tasks-app-44-clear` | `cli.py` (dispatch + new fn) | #42 | queued |

What follows.
"""

Write = Callable[[str | bytes], str]


@pytest.fixture
def plan(tmp_path: Path) -> Write:
    def write(text: str | bytes) -> str:
        path = tmp_path / "PLAN.md"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return write


def text_of(path: str) -> str:
    return Path(path).read_bytes().decode()


def test_the_lab(plan: Write) -> None:
    assert markdown.read(plan(LAB)) == (
        Row("42", "count", "feature/42-count", "tasks-app-42-count", ("cli.py",), (), "queued", line=5),
        Row("43", "docs", "feature/43-docs", "tasks-app-43-docs", ("README.md", "CHANGELOG.md"), (), "queued", line=6),
        Row("44", "clear", "feature/44-clear", "tasks-app-44-clear", ("cli.py",), ("42",), "queued", line=7),
    )


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("tail", ["", "after"])
def test_only_the_status_cells_change(plan: Write, mark: str, end: str, tail: str) -> None:
    before = mark + LAB.replace("\n", end).removesuffix(end) + tail
    path = plan(before)
    assert markdown.set_status(path, {"44": "landed", "42": "active"})
    after = before.replace("(dispatch + new fn) | — | queued", "(dispatch + new fn) | — | active").replace(
        "#42 | queued", "#42 | landed"
    )
    assert text_of(path) == after


@pytest.mark.parametrize(
    ("row", "after"),
    [
        ("| 1 | b | queued   |", "| 1 | b | landed   |"),
        ("| 1 | b | —      |", "| 1 | b | landed |"),
        ("| 1 | b | — |", "| 1 | b | landed |"),
        ("| 1 | b |  ✅  |", "| 1 | b |  landed |"),
        ("| 1 | b |        |", "| 1 | b | landed |"),
        ("| 1 | b | |", "| 1 | b | landed |"),
        ("| 1 | b ||", "| 1 | b | landed |"),
        ("| 1 | b |", "| 1 | b | landed |"),
        ("| 1 |", "| 1 | | landed |"),
        ("1", "1 | | landed"),
        ("1 | b", "1 | b | landed"),
        ("1|b|queued", "1|b|landed"),
        ("| 1 | b | a \\| b | more | cells |", "| 1 | b | landed | more | cells |"),
        ("  | 1 | b\\|c | x |  ", "  | 1 | b\\|c | landed |  "),
    ],
)
def test_a_status_cell_of_any_shape(plan: Write, row: str, after: str) -> None:
    head = "| id | branch | status |\n|:--|--:|---|\n"
    path = plan(f"{head}{row}\n")
    assert markdown.set_status(path, {"1": "landed"})
    assert text_of(path) == f"{head}{after}\n"
    (read,) = markdown.read(path)
    assert read.status == "landed"


def test_a_plan_without_status_column_stays_as_it_is(plan: Write) -> None:
    path = plan("| id | branch |\n|---|---|\n| 1 | b |\n")
    before = os.stat(path)
    assert not markdown.set_status(path, {"1": "landed"})
    assert os.stat(path).st_mtime_ns == before.st_mtime_ns


def test_a_row_that_is_gone_is_refused_and_nothing_written(plan: Write) -> None:
    path = plan(LAB)
    with pytest.raises(Refused, match="no row for 45 any more"):
        markdown.set_status(path, {"42": "landed", "45": "landed"})
    assert text_of(path) == LAB


def test_writing_keeps_the_mode_and_leaves_a_link_a_link(plan: Write, tmp_path: Path) -> None:
    path = plan(LAB)
    os.chmod(path, 0o640)
    link = tmp_path / "link.md"
    link.symlink_to("PLAN.md")
    assert markdown.set_status(str(link), {"42": "active"})
    assert link.is_symlink()
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o640
    assert sorted(os.listdir(tmp_path)) == ["PLAN.md", "link.md"]
    assert markdown.read(path)[0].status == "active"


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=8)
TITLES = st.lists(WORDS, max_size=3).map(" ".join).filter(lambda text: text[:1] not in tuple("-–—:"))
PATHS = WORDS.filter(lambda text: text.casefold() not in ("—", "–", "-", "none", "n/a"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(title=TITLES, owns=st.lists(PATHS, unique=True, max_size=3), closed=st.booleans(), titled=st.booleans())
def test_an_appended_row_reads_as_it_was(plan: Write, title: str, owns: list[str], closed: bool, titled: bool) -> None:
    header = "Title | " if titled else ""
    table = f"Issue | {header}Branch | Files | Status\n--- | {'--- | ' if titled else ''}--- | --- | ---\n#1 | x\n"
    before = "".join(f"| {line} |\n" for line in table.splitlines()) if closed else table
    path = plan(before)
    row = Row("auth", title if title.casefold() not in ("none", "n/a") else None, "feature/auth", owns=tuple(owns))
    row = row._replace(title=row.title or None)
    markdown.append(path, row)
    assert markdown.read(path)[-1] == row._replace(line=4)
    assert text_of(path).startswith(before.removesuffix("\n"))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_append_keeps_to_the_style_of_the_table(plan: Write, end: str) -> None:
    path = plan(LAB.replace("\n", end))
    markdown.append(path, Row("45", "retry uploads", owns=("src/a|b/", "x"), needs=("42", "43")))
    new = r"| #45 retry uploads | —      | —        | `src/a\|b/`, `x` | #42, #43   | —      |"
    before, after = LAB.replace("\n", end).split(f"{end}{end}What")
    assert text_of(path) == f"{before}{end}{new}{end}{end}What{after}"


def test_append_to_a_table_without_rows_and_without_last_newline(plan: Write) -> None:
    path = plan("id | needs\r\n---|---")
    markdown.append(path, Row("fix", needs=("41",)))
    assert text_of(path) == "id | needs\r\n---|---\r\nfix | 41"


def test_append_refuses_what_the_table_cannot_hold(plan: Write) -> None:
    before = "| id | branch |\n|---|---|\n"
    path = plan(before)
    with pytest.raises(Refused, match="cannot hold what task 45 says: owns"):
        markdown.append(path, Row("45", "x", owns=("src/",)))
    assert text_of(path) == before


def test_a_new_plan_reads_as_its_rows(plan: Write) -> None:
    rows = (
        Row("42", "count words", "feature/42-count", "../x", ("cli.py", "docs/**"), (), None, estimate="45m"),
        Row("auth", "fix `it` | *now*", "auth", None, (), ("42",), priority="3"),
        Row("7"),
    )
    path = plan(markdown.document(rows))
    assert [row._replace(line=None) for row in markdown.read(path)] == list(rows)
    assert markdown.read(plan(markdown.document(()))) == ()


def test_row_of_title() -> None:
    assert markdown.row_of_title("45 retry uploads") == Row("45", "retry uploads")
    assert markdown.row_of_title("retry uploads") == Row("retry-uploads", "retry uploads")


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        ("# | Task | Files", "1 | Count words | `a`", Row("1", "Count words", owns=("a",))),
        ("TASK | ID | Needs", "Count words | 1 | 2", Row("1", "Count words", needs=("2",))),
        ("**Issue** | `Branch` | State", "#1 x | b | —", Row("1", "x", "b")),
        ("Id | Description | Folder | Dependencies", "a | b (c) | w | -", Row("a", "b (c)", worktree="w")),
        ("Task | Owns | Run", "fix login | a | rm -rf /", Row("fix-login", "fix login", owns=("a",))),
        (
            "Task | Files (paths) | Owner | Prompt | Checklist | Estimated time | Priority",
            "JIRA-7 Fix | a | claude | `p.md` | c.md | ~45 min | 3",
            Row(
                "JIRA-7",
                "Fix",
                owns=("a",),
                agent="claude",
                prompt="p.md",
                checklist="c.md",
                estimate="~45 min",
                priority="3",
            ),
        ),
    ],
)
def test_headers_and_their_synonyms(plan: Write, header: str, row: str, expected: Row) -> None:
    dashes = "|".join("---" for _ in header.split("|"))
    assert markdown.read(plan(f"{header}\n{dashes}\n{row}\n\n")) == (expected._replace(line=3),)


def test_a_table_that_is_no_plan_does_no_harm_and_an_empty_row_is_none(plan: Write) -> None:
    path = plan("| id | colour |\n|--|--|\n| 1 | red |\n\n| id | needs |\n|--|--|\n| | — |\n| 1 | 2 |\n| — | 1 |\n")
    assert markdown.read(path) == (Row("1", needs=("2",), line=8), Row("", needs=("1",), line=9))


HEAD = b"| id | branch |\n|----|--------|\n"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "1: no plan here"),
        (b"just words\n", "1: no plan here"),
        (b"```\n" + HEAD + b"```\n", "1: no plan here"),
        (HEAD + b"\n" + HEAD, "4: a second plan table; the first is in line 1"),
        (HEAD + b"| 1 | a\xff |\n", "3: column 8: byte 0xFF is not UTF-8"),
        (HEAD + b"| 1 | \xed\xa0\x80 |\n", "3: column 7: byte 0xED is not UTF-8"),
        (HEAD + b"\nx\0\n", "4: column 2: control character U+0000"),
        (HEAD + b"| 1 | \x1b[2J |\n", "3: column 7: control character U+001B"),
        (HEAD + "| 1 | \x9b |\n".encode(), "3: column 7: control character U+009B"),
        (HEAD + "| 1 | a\u202eb |\n".encode(), "3: column 8: invisible character U+202E"),
        (HEAD + "| 1\u200b | a |\n".encode(), "3: column 4: invisible character U+200B"),
        (HEAD + "| 1 | a\ufeff |\n".encode(), "3: column 8: invisible character U+FEFF"),
        (HEAD + b"<<<<<<< HEAD\n| 1 | a |\n=======\n| 1 | b |\n>>>>>>> x\n", "3: conflict markers"),
        (HEAD + b"| 1 | " + b"x" * 65_536 + b" |\n", "3: a cell of more than 64 KiB"),
        (HEAD + b"| 1 | x |\n" * 20_001, "20003: more than 20,000 rows"),
        (b"\n" * 200_001, "200001: more than 200,000 lines"),
        (b"x" * (16 * 1024 * 1024 + 1), " larger than 16 MiB"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
def test_a_plan_that_cannot_be_read_says_where(plan: Write, data: bytes, message: str) -> None:
    with pytest.raises(PlanError) as error:
        markdown.read(plan(data))
    assert error.value.message.startswith(f"PLAN.md:{message}")


def test_invisible_characters_outside_the_table_are_nobodys_business(plan: Write) -> None:
    assert len(markdown.read(plan("👩\u200d🚀\n\n| id | branch |\n|--|--|\n| 1 | é漢 |\n"))) == 1


@pytest.mark.parametrize("kind", ["missing", "directory", "fifo", "device"])
def test_what_is_no_regular_file_is_refused_without_waiting(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "PLAN.md"
    if kind == "directory":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    with pytest.raises(PlanError, match=r"PLAN\.md: (cannot read the plan|no regular file)"):
        markdown.read(str(path))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text("|-:`#4a, \\\n\r(x)<>*[]", max_size=60))
def test_whatever_stands_around_it_only_the_status_cell_changes(plan: Write, noise: str) -> None:
    row = "| 1 | `b` | queued |"
    path = plan(f"{noise}\n\n| id | branch | status |\n|--|--|--|\n{row}\n\n{noise}")
    before = text_of(path)
    try:
        markdown.read(path)
    except PlanError:
        return
    assert markdown.set_status(path, {"1": "landed"})
    assert text_of(path) == before.replace(row, "| 1 | `b` | landed |")
