"""A plan in YAML: what is read, what is refused with its line, and that what is written reads as it was."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_fleet.model.errors import Fatal, PlanError
from git_fleet.model.plan import Problem, Row, Severity
from git_fleet.plan import orchestration
from git_fleet.plan.sheet import Sheet

WHOLE = """\
task: Tidy up
subtasks:
  - id: 007   # text, however it looks
    description: >
      count
      lines
    agent: claude
    dependencies: []
    estimated_time: 45m
    owns: [cli.py, 'docs/**/*.md']
  - {id: "#43", title: docs, needs: "007, 41", files: README.md, prompt: ~, priority: 10, status: yes}
integration:
  strategy: merge
  validation_tests: [unit, lint]
"""


def parsed(text: str) -> Sheet:
    return orchestration.parsed(text.encode(), "plan.yaml")


def test_a_whole_plan() -> None:
    assert parsed(WHOLE) == Sheet(
        rows=(
            Row("007", "count lines", owns=("cli.py", "docs/**/*.md"), agent="claude", estimate="45m", line=3),
            Row("43", "docs", owns=("README.md",), needs=("007", "41"), status="yes", priority="10", line=11),
        ),
        title="Tidy up",
        strategy="merge",
        tests=("unit", "lint"),
    )


def test_commands_and_unknown_keys_are_left_aside() -> None:
    found = parsed("task: x\nhook: a\nsubtasks:\n- id: 1\n  run: touch /tmp/x\n  colour: red\n- id: 2\n  run: b\n")
    assert [row.id for row in found.rows] == ["1", "2"]
    assert found.problems == (
        Problem(Severity.WARNING, "command-ignored", "key 'hook' is ignored: a plan never carries a command", (), 2),
        Problem(Severity.WARNING, "command-ignored", "key 'run' is ignored: a plan never carries a command", (), 5),
        Problem(Severity.WARNING, "unknown-key", "key 'colour' is unknown and ignored", (), 6),
    )
    assert found.others == ("key hook", "key run", "key colour")


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nsubtasks: [*b]\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1: no plan here: the file is empty"),
        ("just words\n", "1: a plan in YAML has to be a mapping"),
        ("task: x\n", "1: no plan here: the key 'subtasks' is missing"),
        ("subtasks:\n- 1\n", "2: a subtask has to be a mapping"),
        ("subtasks:\n  a: b\n", "2: 'subtasks' has to be a list"),
        ("subtasks:\n- id: [1]\n", "2: 'id' has to be one value"),
        ("subtasks:\n- owns: {a: b}\n", "2: 'owns' has to be a list"),
        ("subtasks:\n- owns: a\n  files: b\n", "3: 'owns' and 'files' say the same thing"),
        ("subtasks:\n- id: 1\n  id: 2\n", "3: key 'id' twice; first in line 2"),
        ("task: a\ntask: b\nsubtasks: []\n", "2: key 'task' twice; first in line 1"),
        ("subtasks:\n- [a]: b\n", "2: a key that is no text"),
        (BOMB, "1: anchor '&a'"),
        ("subtasks: [*a]\n", "1: alias '*a'"),
        ("subtasks:\n- id: !!python/object/apply:os.system [x]\n", "2: tag 'tag:yaml.org,2002:python/object"),
        ("subtasks:\n- id: !!str 1\n", "2: tag"),
        ("subtasks:\n- <<: {id: 1}\n  needs: !x y\n", "3: tag '!x'"),
        ("subtasks: []\n---\nsubtasks: []\n", "3: a second document"),
        ("subtasks: [\n", "2: no YAML"),
        ("subtasks:\n- id: 1\n\tx: 2\n", "3: no YAML"),
        ("subtasks: " + "[" * 9 + "]" * 9, "1: more than 8 levels deep"),
        ("subtasks: " + "[" * 100_000, "1: more than 8 levels deep"),
        ("subtasks:\n- id: a\u202eb\n", "2: column 8: invisible character U+202E"),
        ('subtasks:\n- id: "a\\u202eb"\n', "2: a value holds an invisible character U+202E"),
        ('subtasks:\n- id: "a\\x1b[2J"\n', "2: a value holds a control character U+001B"),
        ("subtasks:\n- id: \x00\n", "2: column 7: control character U+0000"),
        ("subtasks:\n<<<<<<< HEAD\n- id: 1\n", "2: conflict markers"),
        (f"subtasks:\n- id: {'x' * 65_537}\n", "2: a value of more than 64 KiB"),
        ("subtasks:\n" + "- {}\n" * 20_001, "20002: more than 20,000 subtasks"),
        ("#" * (4 * 1024 * 1024 + 1), " larger than 4 MiB"),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else "",
)
def test_what_is_no_plain_data_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(PlanError) as error:
        parsed(text)
    assert error.value.message.startswith(f"plan.yaml:{message}")


def test_without_the_library_the_way_to_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(Fatal, match="needs PyYAML") as error:
        parsed(WHOLE)
    assert "pip install 'git-fleet[yaml]'" in error.value.hints[0]


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Zl", "Zp", "Cs")), min_size=1).filter(
    lambda text: text == text.strip() and text.casefold() not in ("—", "–", "-", "none", "n/a", "")
)
WORD = st.text("abcXYZ019._/*!?~&%@`'\"-", min_size=1, max_size=8).filter(lambda text: text not in ("-",))
ROW = st.builds(
    Row,
    id=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,5}", fullmatch=True).filter(lambda id: id.casefold() != "none"),
    title=st.none() | TEXT,
    branch=st.none() | WORD,
    worktree=st.none() | WORD,
    owns=st.lists(TEXT, max_size=3, unique=True).map(tuple),
    needs=st.lists(WORD, max_size=3, unique=True).map(tuple),
    status=st.none() | TEXT,
    agent=st.none() | TEXT,
    prompt=st.none() | WORD,
    checklist=st.none() | WORD,
    estimate=st.none() | WORD,
    priority=st.none() | WORD,
    line=st.none(),
)


@given(st.lists(ROW, max_size=4), st.none() | TEXT, st.lists(TEXT, max_size=2, unique=True))
def test_what_is_written_reads_as_it_was(rows: list[Row], strategy: str | None, tests: list[str]) -> None:
    sheet = Sheet(tuple(rows), title="Plan", strategy=strategy, tests=tuple(tests))
    read = parsed(orchestration.document(sheet))
    assert read._replace(rows=tuple(row._replace(line=None) for row in read.rows)) == sheet
