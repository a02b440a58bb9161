"""The collision radar on the screen and as JSON."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from git_fleet.model.check import Check, Line, Strayed
from git_fleet.model.fleet import Base, Lines, Pair, PairVerdict, Radar
from git_fleet.model.landing import Action, OrderStep
from git_fleet.model.plan import Source, SourceKind
from git_fleet.model.sight import BASE as WITH_BASE
from git_fleet.model.sight import Hunk, Sight, Tip
from git_fleet.output import check, frame, hunks, matrix
from git_fleet.output.style import Style

BASE = Base("main", "1a2b3c4" + "0" * 33, "2" * 40)
PLAN = Source(SourceKind.MARKDOWN, "/w/app/PLAN.md")


def line(id_: str, title: str = "", *drift: Strayed, worktree: str | None = None) -> Line:
    return Line(id_, title, Tip(id_, f"refs/heads/{title or id_}", "a" * 40, worktree), drift)


def sight(**more: Any) -> Sight:
    whole = Sight(
        radar=Radar({}, {}, {}, {}, ()),
        changed={},
        dirty=frozenset(),
        operations={},
        behind={},
        lines={"42": Lines(1, 2)},
        order=(),
        stops=0,
        notes=(),
        compared=0,
        remembered=0,
        pairs_total=0,
        hunks={},
    )
    return whole._replace(**more)


LINES = (
    line("42", "count", worktree="/w/app-42"),
    line("43", "docs", Strayed("setup.py", ("42",)), Strayed("b.py"), Strayed("c.py")),
    line("44", "clear"),
    line("45", "old one", worktree="/w/app 45"),
    line("46", "odd"),
    line("47", "lost"),
)
SIGHT = sight(
    radar=Radar(
        base_conflicts={"45": ("a.py",)},
        merged={},
        changes={},
        lines={},
        pairs=(
            Pair(("42", "43"), PairVerdict.CLEAN, ("README.md",), first="43"),
            Pair(("42", "44"), PairVerdict.CONFLICT, ("cli.py", "x\x1b.py"), kinds=("content", "add/add")),
            Pair(("43", "46"), PairVerdict.UNKNOWN, ("cli.py",), why="the merge driver 'odd' is not installed"),
            Pair(("44", "46"), PairVerdict.CLEAN, ("cli.py",)),
        ),
        base_kinds={"45": ("content",)},
        unknown={"47": "objects are missing in this shallow clone"},
    ),
    dirty=frozenset({"42"}),
    operations={"44": "rebase"},
    behind={"45": 3},
    order=(
        OrderStep("43", Action.LAND, "before 42: only this order merges"),
        OrderStep("42", Action.LAND, "conflicts with 44, which stops"),
        OrderStep("44", Action.STOP, "conflicts with 42, which lands first"),
    ),
    stops=1,
    notes=("46 and 42 were compared by their history",),
    compared=4,
    remembered=2,
    pairs_total=6,
)
WHOLE = Check(BASE, "/w/app", PLAN, LINES, SIGHT)


def test_the_screen_keeps_three_things_apart() -> None:
    assert check.text(WHOLE, Style()).splitlines() == [
        "main at 1a2b3c4, plan from PLAN.md",
        "",
        "    main  42  43  44",
        "42  .",
        "43  .     .",
        "44  .     x   .",
        "46  .     .   ?   .",
        "45  x",
        "47  ?",
        ". merges  x conflicts  ? unknown",
        "",
        "with a sibling:",
        "  43 docs has to land before 42 count: they merge in that order only",
        "  42 count and 44 clear conflict in cli.py, x\\x1b.py (content, add/add)",
        "  43 docs and 46 odd: unknown, the merge driver 'odd' is not installed",
        "",
        "behind the base:",
        "  45 old one conflicts with main in a.py (content), 3 commits behind",
        "    to resolve it: git -C '/w/app 45' merge main",
        "  47 lost: unknown, objects are missing in this shallow clone",
        "",
        "drift:",
        "  43 docs changed setup.py, owned by 42",
        "  43 docs changed b.py, c.py, which nobody owns",
        "",
        "note: 44 clear is in the middle of a rebase",
        "note: 46 and 42 were compared by their history",
        "",
        "landing order, 1 stop:",
        "#  id  title  step   reason",
        "1  43  docs   lands  before 42: only this order merges",
        "2  42  count  lands  conflicts with 44, which stops",
        "3  44  clear  stops  conflicts with 42, which lands first",
        "",
        "6 branches, 6 pairs, 4 that could conflict, 2 of them known from before: "
        "1 conflict with a sibling, 1 with the base, 1 drifting, 2 unknown",
    ]


def test_what_to_type_next() -> None:
    assert check.hints(WHOLE) == [
        "to see both sides of each conflict: git fleet check -v",
        "to resolve the conflict of 45 with the base: git -C '/w/app 45' merge main",
        "to see who owns what: git fleet plan",
    ]
    assert check.hints(WHOLE._replace(lines=LINES[:1], sight=sight())) == []


def test_colour_adds_nothing_but_colour() -> None:
    painted = check.text(WHOLE, Style(color=True))
    assert "\033[33mx\033[m" in painted
    assert "\033[33m  43 docs changed setup.py, owned by 42\033[m" in painted
    assert re.sub("\033\\[[0-9]*m", "", painted) == check.text(WHOLE, Style())


@pytest.mark.parametrize("columns", [12, 15, 20, 40, 80])
def test_the_matrix_fits_the_terminal(columns: int) -> None:
    drawn = check.text(WHOLE, Style(width=columns)).split("\n\n")[1]
    rows = drawn.splitlines()
    assert (drawn == "matrix not shown: 6 branches do not fit") is (columns == 12)
    assert columns == 12 or max(map(len, rows[:-1])) <= columns


CONFLICT = {frozenset(("b0", "b9")): PairVerdict.CONFLICT}


def test_without_room_the_troubled_stay_and_the_others_are_counted() -> None:
    ids = [f"b{number}" for number in range(10)]
    assert matrix.half(ids, "main", CONFLICT, {}, Style(width=14)).splitlines() == [
        "    main  b0",
        "b0  .",
        "b9  .     x",
        ". merges  x conflicts; 8 branches without a conflict not shown",
    ]


def test_long_names_are_numbered() -> None:
    ids = ["feature/with-a-long-name", "feature/another-long-name", "feature/third"]
    assert matrix.half(ids, "main", {}, {}, Style(width=45)).splitlines() == [
        "                            main 1 2",
        "1 feature/with-a-long-name  .",
        "2 feature/another-long-name .    .",
        "3 feature/third             .    . .",
        ". merges",
    ]


def test_what_fits_nowhere_is_a_list() -> None:
    many = tuple(line(f"b{number}") for number in range(200))
    pairs = tuple(Pair(("b0", f"b{at}"), PairVerdict.CONFLICT, ("a",)) for at in range(1, 200))
    radar = Radar({}, {}, {}, {}, pairs)
    screen = check.text(Check(BASE, "/w/app", None, many, sight(radar=radar)), Style())
    assert screen.split("\n\n")[1] == "matrix not shown: 200 branches do not fit"
    assert screen.count("conflict in a") == 199


@pytest.mark.parametrize(
    ("source", "said", "hinted"),
    [
        (None, "nothing to check: no branch but the base", False),
        (PLAN, "nothing to check: no task has begun, and no other branch has a worktree", True),
        (
            Source(SourceKind.WORKTREES),
            "nothing to check: no branch but the base is checked out in a worktree",
            True,
        ),
    ],
)
def test_nothing_to_check(source: Source | None, said: str, hinted: bool) -> None:
    nothing = Check(BASE, "/w/app", source, (), sight(), notes=("no branch matches 'x'",) if source is None else ())
    blocks = check.text(nothing, Style()).split("\n\n")
    assert blocks[1] == said
    assert blocks[2:] == (["note: no branch matches 'x'"] if source is None else [])
    assert bool(check.hints(nothing)) is hinted
    assert nothing.well


@pytest.mark.parametrize(
    ("answer", "well"),
    [
        (WHOLE._replace(lines=LINES[:1], sight=sight()), True),
        (WHOLE._replace(lines=LINES[1:2], sight=sight()), False),
        (WHOLE._replace(lines=(), sight=sight(radar=SIGHT.radar._replace(pairs=(), unknown={}))), False),
        (WHOLE._replace(lines=(), sight=sight(radar=SIGHT.radar._replace(pairs=(), base_conflicts={}))), False),
        (WHOLE._replace(lines=(), sight=sight(radar=Radar({}, {}, {}, {}, SIGHT.radar.pairs[:1]))), True),
        (WHOLE._replace(lines=(), sight=sight(radar=Radar({}, {}, {}, {}, SIGHT.radar.pairs[1:2]))), False),
        (WHOLE._replace(lines=(), sight=sight(radar=Radar({}, {}, {}, {}, SIGHT.radar.pairs[2:3]))), False),
    ],
)
def test_well_means_no_conflict_no_drift_and_nothing_unknown(answer: Check, well: bool) -> None:
    assert answer.well is well


def test_verbose_shows_both_sides() -> None:
    found = {
        ("42", "44"): (Hunk("cli.py", 3, "one\n\ttwo\n", "three\n"), Hunk("x\x1b.py", None, None, "n\x1b\n")),
        (WITH_BASE, "45"): (Hunk("a.png", None, "", ""),),
    }
    screen = check.text(WHOLE._replace(sight=SIGHT._replace(hunks=found)), Style(width=40, verbose=True))
    assert screen.split("\n\n")[2].splitlines()[1:10] == [
        "  43 docs has to land before 42 count: they merge in that order only",
        "  42 count and 44 clear conflict in cli.py, x\\x1b.py (content, add/add)",
        "  cli.py, line 3:",
        "    42 count         | 44 clear",
        "    one              | three",
        "        two          |",
        "  x\\x1b.py:",
        "    42 count         | 44 clear",
        "    (no such file)   | n\\x1b",
    ]
    assert "  44 clear and 46 odd both change cli.py, and merge" in screen
    assert screen.split("\n\n")[3].splitlines()[3:6] == [
        "  a.png:",
        "    main             | 45 old one",
        "    (not text)       | (not text)",
    ]


def test_long_hunks_are_cut() -> None:
    sides = hunks.side_by_side([Hunk("a", 1, "l\n" * 30, "w" * 99)], "us", "them", Style(width=40)).splitlines()
    assert len(sides) == 1 + 1 + 20 + 1
    assert sides[-1] == "    … 10 more lines"
    assert max(map(len, sides)) <= 40


def test_the_document(conform: Callable[[str, dict[str, object]], Any]) -> None:
    document = conform("check", check.document(WHOLE))
    assert document["base"] == {"branch": "main", "commit": BASE.commit}
    assert document["tasks"][1] == {
        "id": "43",
        "ref": "refs/heads/docs",
        "tip": "a" * 40,
        "worktree": None,
        "dirty": False,
        "behind": None,
        "base_conflict": [],
        "base_kinds": [],
        "drift": ["setup.py", "b.py", "c.py"],
        "drift_owners": {"setup.py": ["42"], "b.py": [], "c.py": []},
    }
    assert [task["dirty"] for task in document["tasks"]] == [True, *[False] * 5]
    assert (document["tasks"][3]["base_conflict"], document["tasks"][3]["base_kinds"]) == (["a.py"], ["content"])
    assert document["tasks"][2]["operation"] == "rebase"
    assert (document["tasks"][5]["base_conflict"], document["tasks"][5]["unknown"]) == (
        None,
        "objects are missing in this shallow clone",
    )
    assert document["pairs"][:3] == [
        {"tasks": ["42", "43"], "verdict": "clean", "paths": ["README.md"], "kinds": [], "first": "43"},
        {
            "tasks": ["42", "44"],
            "verdict": "conflict",
            "paths": ["cli.py", "x\x1b.py"],
            "kinds": ["content", "add/add"],
        },
        {
            "tasks": ["43", "46"],
            "verdict": "unknown",
            "paths": ["cli.py"],
            "kinds": [],
            "why": "the merge driver 'odd' is not installed",
        },
    ]
    assert document["summary"] == {
        "tasks": 6,
        "pairs": 6,
        "compared": 4,
        "remembered": 2,
        "conflicts": 1,
        "unknown": 2,
        "base_conflicts": 1,
        "drift": 1,
    }
    assert (document["order"], document["stops"]) == (["43", "42", "44"], ["44"])
    assert document["reasons"]["44"] == "conflicts with 42, which lands first"


def test_frames_are_drawn_over_each_other() -> None:
    first = frame.drawn("a\nb", "", 10)
    assert first == "\033[?2026ha\033[K\nb\033[K\n\033[J\033[?2026l"
    wrapped = f"\033[33m{'x' * 11}\033[m\nb"
    assert frame.drawn("a", wrapped, 10) == "\033[?2026h\033[3A\ra\033[K\n\033[J\033[?2026l"


def test_a_frame_is_never_higher_than_the_terminal() -> None:
    long = "\n".join(str(number) for number in range(50))
    fitted = frame.fitted(long, "the end", columns=80, height=10)
    assert fitted.splitlines()[-2:] == ["(43 more lines: run it without --watch)", "the end"]
    assert frame.rows(fitted, 80) == 9
    assert frame.fitted("a", "b", columns=80, height=10) == "a\nb"
