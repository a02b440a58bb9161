"""The main job played in a throw-away repository, with scripted stand-ins for three agents.

Everything typed is real: the program itself and git, run as children. Yields lines; the front door prints them.
"""

import os
import sys
from collections.abc import Iterator, Mapping

from git_fleet.model.errors import Fatal, Refused
from git_fleet.repo import process

_NAME = "tasks-app"

_CLI = """\
import sys


def main(command, *words):
    if command == "add":
        print("added", *words)
    elif command == "list":
        print("nothing to do")
    elif command == "done":
        print("done", *words)
    else:
        sys.exit(f"unknown command: {command}")


main(*sys.argv[1:])
"""

_PLAN = """\
| Issue | Branch | Worktree | Files owned | Depends on | Status |
|-------|--------|----------|-------------|------------|--------|
| #42 count | `feature/42-count` | `tasks-app-42-count` | `cli.py` (dispatch + new fn) | — | queued |
| #43 docs | `feature/43-docs` | `tasks-app-43-docs` | `README.md`, `CHANGELOG.md` | — | queued |
| #44 clear | `feature/44-clear` | `tasks-app-44-clear` | `cli.py` (dispatch + new fn) | — | queued |
"""

_FILES = (
    ("cli.py", _CLI),
    ("README.md", "# tasks-app\n\nA list of tasks: `add`, `list`, `done`.\n"),
    ("test.sh", 'set -e\npython3 cli.py add milk | grep "added milk"\npython3 cli.py list\n'),
    ("PLAN.md", _PLAN),
)

_SETTINGS = (
    ("user.name", "Demo"),
    ("user.email", "demo@example.com"),
    ("commit.gpgSign", "false"),
    ("core.hooksPath", os.devnull),
    ("fleet.plan", "PLAN.md"),
    ("fleet.gate", "sh test.sh"),
)

_ELSE = "    else:\n"


class _Stage:
    """The throw-away repository and the hands that type in it."""

    def __init__(self, folder: str) -> None:
        self.main = os.path.join(folder, _NAME)
        package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        path = os.pathsep.join(part for part in (os.path.dirname(package), os.environ.get("PYTHONPATH")) if part)
        self._env = {"PYTHONPATH": path, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}

    def tree(self, name: str) -> str:
        return os.path.join(os.path.dirname(self.main), f"{_NAME}-{name}")

    def quietly(self, *argv: str, cwd: str | None = None) -> None:
        """Run what the narration does not show. Raises Fatal when it fails."""
        self._run(argv, cwd or self.main, shown=argv, expect=0)

    def typed(self, line: str, *, expect: int = 0) -> Iterator[str]:
        """Type a command in the main worktree and yield it with all that it says."""
        yield f"$ {line}"
        words = line.split()
        argv = [sys.executable, "-P", "-m", "git_fleet", *words[2:]] if words[:2] == ["git", "fleet"] else words
        done = self._run(argv, self.main, shown=words, expect=expect)
        yield from _as_seen(done)
        if expect:
            yield f"(exit status {done.status})"
        yield ""

    def write(self, folder: str, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(text)

    def read(self, *parts: str) -> str:
        with open(os.path.join(*parts), encoding="utf-8") as file:
            return file.read()

    def _run(self, argv: tuple[str, ...] | list[str], cwd: str, *, shown: object, expect: int) -> process.Result:
        done = process.run(argv, cwd=cwd, env=self._env, config=False)
        if done.status != expect:
            typed = " ".join(shown) if isinstance(shown, list | tuple) else str(shown)
            raise Fatal(f"the demo's '{typed}' ended with {done.status}, not {expect}", done.stderr.splitlines())
        return done


def _as_seen(done: process.Result) -> list[str]:
    """What a terminal shows: first what went on, then the answer, then errors and hints."""
    said = done.stderr.splitlines()
    end = next((n for n, line in enumerate(said) if line.startswith(("error: ", "fatal: ", "hint: "))), len(said))
    return [*said[:end], *done.stdout.splitlines(), *said[end:]]


def play(directory: str | None = None, *, keep: bool = False) -> Iterator[str]:
    """Play the main job and yield its narration line by line, commands as a person types them (`$ …`).

    `directory` is made to hold the repository, and stays. Without one it is a temporary folder, which stays with `keep`
    and else is removed at the end, also after a failure. Raises Refused when `directory` holds something already, Fatal
    when a command ends otherwise than the story says.
    """
    import shutil
    import tempfile

    folder = _home(directory) if directory else os.path.realpath(tempfile.mkdtemp(prefix="git-fleet-demo-"))
    throw_away = not (directory or keep)
    try:
        yield from _story(_Stage(folder))
        if throw_away:
            yield "The repository is removed now; 'git fleet demo --keep' leaves it to play with."
        else:
            yield f"The repository stays: cd {os.path.join(folder, _NAME)}"
    finally:
        if throw_away:
            shutil.rmtree(folder, ignore_errors=True)


def _home(directory: str) -> str:
    """The folder that holds the repository and its worktrees: new or empty, so that nothing is mixed up."""
    folder = os.path.realpath(directory)
    try:
        os.makedirs(folder, exist_ok=True)
        inside = os.listdir(folder)
    except OSError as error:
        raise Fatal(f"cannot make '{directory}': {error.strerror}") from error
    if inside:
        raise Refused(f"'{directory}' is not empty", ["name a directory that does not exist yet"])
    return folder


def _story(stage: _Stage) -> Iterator[str]:
    _open(stage)
    yield "A small program, its tests as the gate, and a plan of three tasks in PLAN.md."
    yield ""
    yield from stage.typed("cat PLAN.md")
    yield "What does the plan promise?"
    yield from stage.typed("git fleet plan", expect=1)
    yield "A branch and a worktree for each task that may start. 44 wants the same file as 42, so it is held back."
    yield from stage.typed("git fleet add --ready", expect=3)
    yield "Let it run at the same time all the same: then three work at once."
    yield from stage.typed("git fleet add 44 --allow-overlap")
    yield "Three agents start to write, each in its own worktree…"
    for task in ("42-count", "43-docs", "44-clear"):
        _agent_writes(stage, task)
    yield from stage.typed("git fleet status")
    yield "…and commit. Now real merges tell who is in whose way."
    for task in ("42-count", "43-docs", "44-clear"):
        stage.quietly("git", "add", "-A", cwd=stage.tree(task))
        stage.quietly("git", "commit", "-q", "-m", f"{task[3:]}: ready", cwd=stage.tree(task))
    yield from stage.typed("git fleet status")
    yield "Land them: each merge is tested in a lane before main moves. What conflicts waits for a person."
    yield from stage.typed("git fleet land", expect=4)
    yield from _resolve(stage)
    yield from stage.typed("git fleet land --continue")
    yield from stage.typed("git log --oneline --graph -12 main")
    yield "Everything is on main, so the worktrees can go. Only what has landed is removed, and it can be undone."
    yield from stage.typed("git fleet remove 42 43 44")
    yield from stage.typed("git worktree list")
    yield from stage.typed("git fleet log")


def _open(stage: _Stage) -> None:
    os.makedirs(stage.main)
    stage.quietly("git", "init", "-q", "-b", "main")
    for key, value in _SETTINGS:
        stage.quietly("git", "config", key, value)
    stage.write(stage.main, dict(_FILES))
    stage.quietly("git", "add", "-A")
    stage.quietly("git", "commit", "-q", "-m", "tasks-app")


def _agent_writes(stage: _Stage, task: str) -> None:
    tree, word = stage.tree(task), task[3:]
    if word == "docs":
        readme = stage.read(tree, "README.md")
        stage.write(
            tree, {"README.md": f"{readme}\nSee CHANGELOG.md.\n", "CHANGELOG.md": "# Changes\n\n- documented\n"}
        )
        return
    branch = f'    elif command == "{word}":\n        print("{word}:", len(words))\n'
    stage.write(tree, {"cli.py": stage.read(tree, "cli.py").replace(_ELSE, f"{branch}{_ELSE}")})


def _resolve(stage: _Stage) -> Iterator[str]:
    """A person keeps both branches of the dispatch: only the conflict markers go."""
    lane = stage.tree("lane-1")
    text = stage.read(lane, "cli.py")
    yield "The lane holds git's own conflict markers:"
    place = f"git -C ../{os.path.basename(lane)}"
    yield f"$ {place} diff"
    yield from stage._run(["git", "diff"], lane, shown=["git", "diff"], expect=0).stdout.splitlines()
    yield ""
    yield "Both branches of the dispatch are wanted: take the markers out, then"
    yield f"$ {place} add cli.py"
    yield ""
    marks = ("<<<<<<<", "|||||||", "=======", ">>>>>>>")
    stage.write(lane, {"cli.py": "".join(x for x in text.splitlines(keepends=True) if not x.startswith(marks))})
    stage.quietly("git", "add", "cli.py", cwd=lane)
