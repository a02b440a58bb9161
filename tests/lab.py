"""The lab: `tasks-app`, its plan of three tasks, and the three scripted agents that work on them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kit import Repo, make_repo

CLI = """\
import os
import sys

STORE = os.environ.get("TASKS_FILE", "tasks.txt")


def load():
    return open(STORE).read().splitlines() if os.path.exists(STORE) else []


def save(tasks):
    with open(STORE, "w") as store:
        store.writelines(f"{task}\\n" for task in tasks)


def main(command, *words):
    tasks = load()
    if command == "add":
        save([*tasks, " ".join(words)])
    elif command == "list":
        print(*tasks, sep="\\n")
    elif command == "done":
        save([task for task in tasks if task != " ".join(words)])
    else:
        sys.exit(f"unknown command: {command}")


main(*sys.argv[1:])
"""

TEST = """\
set -e
TASKS_FILE=$(mktemp)
export TASKS_FILE
trap 'rm -f "$TASKS_FILE"' EXIT
python3 cli.py add milk
test "$(python3 cli.py list)" = milk
python3 cli.py done milk
test -z "$(python3 cli.py list)"
"""

README = "# tasks-app\n\nKeeps a list of tasks.\n\n- `add <task>`\n- `list`\n- `done <task>`\n"

PLAN = """\
# Plan

| Issue | Branch | Worktree | Files owned | Depends on | Status |
|-------|--------|----------|-------------|------------|--------|
| #42 count | `feature/42-count` | `tasks-app-42-count` | `cli.py` (dispatch + new fn) | — | queued |
| #43 docs | `feature/43-docs` | `tasks-app-43-docs` | `README.md`, `CHANGELOG.md` | — | queued |
| #44 clear | `feature/44-clear` | `tasks-app-44-clear` | `cli.py` (dispatch + new fn) | — | queued |

One agent a row.
"""

TITLES = {"42": "count", "43": "docs", "44": "clear"}
OWNS = {"42": ["cli.py"], "43": ["README.md", "CHANGELOG.md"], "44": ["cli.py"]}
BODY = {"count": "print(len(tasks))", "clear": "save([])"}
ELSE = "    else:\n"


def make(folder: Path, files: Mapping[str, str] | None = None) -> Repo:
    """The repository as the issue has it, no plan yet, with its gate."""
    repo = make_repo(folder / "tasks-app", {"cli.py": CLI, "README.md": README, "test.sh": TEST, **(files or {})})
    repo.config({"fleet.gate": "sh test.sh"})
    return repo


def with_markdown(folder: Path) -> Repo:
    repo = make(folder, {"PLAN.md": PLAN})
    repo.config({"fleet.plan": "PLAN.md"})
    return repo


def with_config(folder: Path) -> Repo:
    repo = make(folder)
    for task, title in TITLES.items():
        repo.config({f"fleet.{task}.title": title, f"fleet.{task}.owns": OWNS[task]})
    return repo


def with_worktrees(folder: Path) -> Repo:
    """No plan at all: branches and worktrees by plain git."""
    repo = make(folder)
    for task in TITLES:
        repo.git("worktree", "add", "-q", "-b", branch(task), worktree(repo, task))
    return repo


def branch(task: str) -> str:
    return f"feature/{task}-{TITLES[task]}"


def worktree(repo: Repo, task: str) -> Path:
    return repo.path.parent / f"tasks-app-{task}-{TITLES[task]}"


def edit(repo: Repo, task: str) -> None:
    """What the task's agent writes: its own branch of the dispatch at the same place, or the documents."""
    tree, title = worktree(repo, task), TITLES[task]
    if title == "docs":
        repo.write({"README.md": README + "\nSee CHANGELOG.md.\n", "CHANGELOG.md": "# Changes\n\n- documented\n"}, tree)
        return
    text = (tree / "cli.py").read_text()
    repo.write(
        {"cli.py": text.replace(ELSE, f'    elif command == "{title}":\n        {BODY[title]}\n{ELSE}', 1)}, tree
    )


def work(repo: Repo, task: str) -> str:
    """Edit and commit; return the commit."""
    edit(repo, task)
    return repo.commit(f"{TITLES[task]}: done", cwd=worktree(repo, task))


def keep_both(path: Path) -> None:
    """Resolve git's conflict markers the obvious way."""
    lines = path.read_text().splitlines(keepends=True)
    path.write_text(
        "".join(line for line in lines if not line.startswith(("<<<<<<<", "|||||||", "=======", ">>>>>>>")))
    )


def lane(repo: Repo) -> Path:
    return repo.path.parent / "tasks-app-lane-1"


def reports(status: Any) -> dict[str, Any]:
    """The rows of `status --json` by id; a worktree that no task names, by its branch."""
    return {row["id"] or row["branch"]: row for row in (*status["tasks"], *status["unplanned"])}
