"""Completion in real interactive shells, as somebody types and presses TAB."""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import kit
import pexpect
import pyte
import pytest

IN_CI = os.environ.get("CI") == "true"  # read before the tests are sealed
COMPLETIONS = kit.ROOT / "completions"
COMMANDS = (
    "init",
    "plan",
    "graph",
    "add",
    "run",
    "stop",
    "logs",
    "go",
    "mark",
    "review",
    "status",
    "check",
    "land",
    "remove",
    "undo",
    "log",
    "path",
    "demo",
    "help",
    "completion",
)
CASES = (
    ("git fleet la", "git fleet land"),
    ("git fleet land --dr", "git fleet land --dry-run"),
    ("git fleet remove 5", "git fleet remove 57"),
    ("git fleet add --allow", "git fleet add --allow-overlap"),
    ("git fleet land --onto m", "git fleet land --onto main"),
    ("git fleet add --needs=5", "git fleet add --needs=57"),
    ("git fleet help tu", "git fleet help tutorial"),
    ("git fleet completion z", "git fleet completion zsh"),
    ("git fleet graph --format=m", "git fleet graph --format=mermaid"),
    ("git-fleet la", "git-fleet land"),
    ("git-fleet path 5", "git-fleet path 57"),
)


class Shell:
    """A shell in a terminal of 100 columns."""

    def __init__(self, argv: list[str], cwd: Path, env: dict[str, str]) -> None:
        self._screen = pyte.Screen(100, 40)
        self._stream = pyte.Stream(self._screen)
        self._child = pexpect.spawn(
            argv[0], argv[1:], cwd=str(cwd), env={**os.environ, **env}, dimensions=(40, 100), encoding="utf-8"
        )
        self._child.delaybeforesend = None
        self.wait("ready>")

    def type(self, text: str) -> None:
        self._child.send(text)

    def fresh_line(self) -> None:
        """A new prompt on an empty screen."""
        self._child.send("\x15\x0c")
        self.wait_for(lambda: [line for line in self.lines() if line] == ["ready>"])

    def lines(self) -> list[str]:
        return [line.rstrip() for line in self._screen.display]

    def wait(self, text: str) -> None:
        self.wait_for(lambda: any(text in line for line in self.lines()), text)

    def wait_for(self, seen: Callable[[], bool], what: str = "a fresh line") -> None:
        end = time.monotonic() + 20
        while not seen():
            assert time.monotonic() < end, f"no {what!r} on the screen:\n" + "\n".join(filter(None, self.lines()))
            try:
                self._stream.feed(self._child.read_nonblocking(4096, timeout=0.2))
            except pexpect.TIMEOUT:
                continue

    def close(self) -> None:
        self._child.close(force=True)


@pytest.fixture
def lab(tmp_path: Path) -> kit.Repo:
    repo = kit.make_repo(tmp_path / "lab", {"a": "a\n"})
    repo.git("config", "fleet.42.title", "count")
    repo.git("config", "fleet.57.title", "docs")
    repo.git("config", "fleet.57.owns", "README.md")
    repo.git("config", "fleet.base", "main")
    repo.git("config", "alias.f", "fleet")
    repo.git("config", "alias.fs", "fleet status")
    repo.git("config", "alias.ship", "!git fleet land")
    return repo


def need(there: bool, what: str) -> None:
    """Skip where something is not installed; fail under CI, which installs it."""
    if not there:
        (pytest.fail if IN_CI else pytest.skip)(f"{what} is not installed")


def start(name: str, cwd: Path, tmp_path: Path) -> Shell:
    """The shell as its user has set it up: completion files where the shell looks for them."""
    need(shutil.which(name) is not None, name)
    setup = tmp_path / "setup"
    setup.mkdir()
    if name == "bash":
        loader = Path("/usr/share/bash-completion/bash_completion")
        need(loader.is_file(), "bash-completion")
        folder = Path(os.environ["XDG_DATA_HOME"]) / "bash-completion" / "completions"
        folder.mkdir(parents=True)
        (folder / "git-fleet.bash").symlink_to(COMPLETIONS / "git-fleet.bash")
        (setup / "rc").write_text(f". {loader}\nbind 'set bell-style none'\nPS1='ready> '\n")
        return Shell(["bash", "--rcfile", str(setup / "rc"), "-i"], cwd, {"TERM": "xterm"})
    if name == "zsh":
        (setup / ".zshrc").write_text(
            f"fpath=({COMPLETIONS} $fpath)\nautoload -Uz compinit\ncompinit -u -d {setup}/dump\n"
            "unsetopt beep\nPS1='ready> '\n"
        )
        return Shell(["zsh", "-d", "-i"], cwd, {"TERM": "xterm", "ZDOTDIR": str(setup)})
    prompt = "function fish_prompt; echo -n 'ready> '; end; set -g fish_greeting; set -g fish_autosuggestion_enabled 0"
    return Shell(["fish", "-i", "-C", f"source {COMPLETIONS}/git-fleet.fish; {prompt}"], cwd, {"TERM": "xterm"})


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_words_are_completed(name: str, lab: kit.Repo, tmp_path: Path) -> None:
    shell = start(name, lab.path, tmp_path)
    for typed, wanted in CASES:
        shell.fresh_line()
        shell.type(f"{typed}\t")
        shell.wait(f"ready> {wanted}")
    shell.close()


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_commands_are_listed(name: str, lab: kit.Repo, tmp_path: Path) -> None:
    shell = start(name, lab.path, tmp_path)
    shell.fresh_line()
    shell.type("git fleet \t\t")
    shell.wait_for(lambda: set(COMMANDS) <= set(" ".join(shell.lines()).split()), "list of all commands")
    shell.close()


def test_aliases_in_bash(lab: kit.Repo, tmp_path: Path) -> None:
    shell = start("bash", lab.path, tmp_path)
    for typed, wanted in (
        ("git f la", "git f land"),
        ("git fs --wi", "git fs --wide"),
        ("git ship --dr", "git ship --dry-run"),
        ("git ship 5", "git ship 57"),
        ("git -C . fleet remove 5", "git -C . fleet remove 57"),
    ):
        shell.fresh_line()
        shell.type(f"{typed}\t")
        shell.wait(f"ready> {wanted}")
    shell.close()


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_without_a_plan_the_branches_of_linked_worktrees_are_offered(name: str, tmp_path: Path) -> None:
    repo = kit.make_repo(tmp_path / "plain", {"a": "a\n"})
    repo.git("worktree", "add", "-q", "-b", "topic/one", tmp_path / "one")
    shell = start(name, repo.path, tmp_path)
    shell.fresh_line()
    shell.type("git fleet remove t\t")
    shell.wait("ready> git fleet remove topic/one")
    shell.close()


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_tasks_of_a_plan_in_a_file_are_offered_begun_or_not_and_branches_with_them(name: str, tmp_path: Path) -> None:
    plan = "| ID | Title | Files |\n|---|---|---|\n| 57 | docs | `a` |\n| 90 | export | `b` |\n"
    repo = kit.make_repo(tmp_path / "planned", {"a": "a\n", "PLAN.md": plan})
    repo.config({"fleet.plan": "PLAN.md", "fleet.branch": "topic/{id}"})
    repo.git("worktree", "add", "-q", "-b", "topic/57", tmp_path / "57")
    shell = start(name, repo.path, tmp_path)
    for typed, wanted in (
        ("git fleet add 9", "git fleet add 90"),
        ("git fleet plan set 5", "git fleet plan set 57"),
        ("git fleet remove t", "git fleet remove topic/57"),
    ):
        shell.fresh_line()
        shell.type(f"{typed}\t")
        shell.wait(f"ready> {wanted}")
    shell.close()
