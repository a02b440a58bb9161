"""The plans under examples/strategies mean what they say: waves, verdict and text, in a real repository."""

from pathlib import Path
from typing import Any

import kit
import pytest

STRATEGIES = kit.ROOT / "examples" / "strategies"
FILES = {
    **{f"services/{name}/main.py": "1\n" for name in ("api", "web", "cli")},
    **{f"app/{name}/main.py": "1\n" for name in ("search", "auth", "mail", "store", "api", "pages")},
    **{f"app/{name}.py": "1\n" for name in ("cli", "export", "importer", "style")},
    **{f"tests/{name}/test.py": "1\n" for name in ("auth", "mail")},
    "db/tables.sql": "1\n",
    "docs/index.md": "1\n",
    "tests/test_search.py": "1\n",
}


def repository(folder: Path, strategy: str) -> kit.Repo:
    plan = (STRATEGIES / f"{strategy}.md").read_text()
    repo = kit.make_repo(folder / "app", {**FILES, "PLAN.md": plan})
    repo.config({"fleet.plan": "PLAN.md"})
    return repo


CASES: tuple[tuple[str, int, dict[str, Any]], ...] = (
    ("independent", 0, {"waves": [["api", "web", "cli", "docs"]], "verdict": "parallel", "width": 4, "overlaps": []}),
    (
        "features",
        1,
        {"waves": [["51", "52", "54"], ["53"]], "verdict": "mixed", "width": 3, "overlaps": [["51", "53"]]},
    ),
    (
        "builder-tester",
        0,
        {
            "waves": [["build-auth", "build-mail"], ["test-auth", "test-mail"]],
            "verdict": "mixed",
            "width": 2,
            "overlaps": [["build-auth", "test-auth"], ["build-mail", "test-mail"]],
        },
    ),
    (
        "layers",
        0,
        {"waves": [["schema"], ["store", "search"], ["api", "pages"]], "verdict": "mixed", "width": 2, "overlaps": []},
    ),
)


@pytest.mark.parametrize(("strategy", "code", "expected"), CASES, ids=[case[0] for case in CASES])
def test_waves_and_verdict(strategy: str, code: int, expected: dict[str, Any], tmp_path: Path) -> None:
    plan = repository(tmp_path, strategy).fleet("plan", "--json", check=code).json
    assert plan["problems"] == []
    assert expected == {
        "waves": plan["waves"],
        "verdict": plan["advice"]["verdict"],
        "width": plan["advice"]["width"],
        "overlaps": [overlap["tasks"] for overlap in plan["overlaps"]],
    }
    assert plan["advice"]["speedup"] > 1.1


@pytest.mark.parametrize(
    ("strategy", "lines"),
    [
        (
            "independent",
            ["wave 1: api, web, cli, docs", "  4 tasks need nothing of each other and own different paths"],
        ),
        (
            "features",
            [
                "53 overlaps 51 on app/cli.py",
                "  51 export and 53 import both own app/cli.py: 53 after 51, or one of them alone",
            ],
        ),
        (
            "builder-tester",
            [
                "build-auth and test-auth share app/auth/main.py, but test-auth needs build-auth",
                "  test-mail try to break mail waits for the landing of build-mail",
            ],
        ),
        (
            "layers",
            [
                "wave 3: api, pages",
                "  api endpoints waits for the landing of store, search",
                "  the longest chain is schema → store → api: 5h of 8h of work",
            ],
        ),
    ],
)
def test_the_screen_says_why(strategy: str, lines: list[str], tmp_path: Path) -> None:
    shown = repository(tmp_path, strategy).fleet("plan").out.splitlines()
    assert [line for line in lines if line not in shown] == []


def test_a_phase_waits_for_the_one_before(tmp_path: Path) -> None:
    repo = repository(tmp_path, "layers")
    repo.config({"fleet.gate": "test -f db/tables.sql"})
    repo.fleet("add", "--ready", check=0)
    assert [tree.branch for tree in repo.worktrees()[1:]] == ["refs/heads/feature/schema-tables"]
    rows = {row["id"]: row for row in repo.fleet("status", "--json").json["tasks"]}
    assert rows["store"]["reason"] == "waits for the landing of schema"
    repo.commit("tables", {"db/tables.sql": "2\n"}, cwd=Path(repo.worktrees()[1].path))
    repo.fleet("land", check=0)
    repo.fleet("add", "--ready", check=0)
    begun = {row["id"]: row["state"] for row in repo.fleet("status", "--json").json["tasks"]}
    assert begun == {"schema": "landed", "store": "active", "search": "active", "api": "blocked", "pages": "blocked"}


def test_every_strategy_is_tested() -> None:
    assert sorted(path.stem for path in STRATEGIES.iterdir()) == sorted(case[0] for case in CASES)
