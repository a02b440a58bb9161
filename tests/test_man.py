"""The manual as people meet it: rendered by man, found by git, shown by `git fleet help`."""

import os
import shutil
import subprocess
from pathlib import Path

import kit
import pytest

IN_CI = os.environ.get("CI") == "true"  # read before the tests are sealed
MAN = kit.ROOT / "man"
PAGES = ("git-fleet.1", "gitfleet-plan.7", "gitfleet-tutorial.7")


def need(program: str) -> None:
    if shutil.which(program) is None:
        (pytest.fail if IN_CI else pytest.skip)(f"{program} is not installed")


def run(*argv: str, env: dict[str, str] | None = None) -> kit.Completed:
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env={**os.environ, **(env or {})})
    return kit.Completed(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def installed(tmp_path: Path, program_folder: Path) -> dict[str, str]:
    """The program in bin/, the pages in share/man next to it; man finds them by PATH alone."""
    prefix = tmp_path / "prefix"
    for section in ("1", "7"):
        folder = prefix / "share" / "man" / f"man{section}"
        folder.mkdir(parents=True)
        for page in MAN.glob(f"*.{section}"):
            shutil.copy(page, folder)
    shutil.copytree(program_folder, prefix / "bin")
    return {"PATH": f"{prefix}/bin{os.pathsep}{os.environ['PATH']}", "MANWIDTH": "100"}


@pytest.mark.parametrize("page", PAGES)
def test_mandoc_has_nothing_to_say(page: str) -> None:
    need("mandoc")
    assert run("mandoc", "-Tlint", "-W", "warning", str(MAN / page)) == (0, "", "")


@pytest.mark.parametrize("page", PAGES)
def test_man_renders_without_warnings(page: str) -> None:
    need("man")
    shown = run("man", "--warnings", str(MAN / page), env={"MANWIDTH": "100"})
    assert (shown.status, shown.err) == (0, "")
    assert "SEE ALSO" in shown.out and ".SH" not in shown.out and ".BR" not in shown.out


@pytest.mark.parametrize(
    "words",
    [("git", "help", "fleet"), ("git", "fleet", "--help"), ("git", "help", "git-fleet-add"), ("man", "git-fleet")],
)
def test_git_and_man_find_the_page(words: tuple[str, ...], installed: dict[str, str]) -> None:
    need("man")
    shown = run(*words, env=installed)
    assert shown.status == 0, shown.err
    assert "git fleet add [<options>]" in shown.out


@pytest.mark.parametrize("name", ["fleet-add", "fleet-land", "fleet-status"])
def test_git_help_of_a_command(name: str, installed: dict[str, str]) -> None:
    need("man")
    shown = run("git", "help", name, env=installed)
    assert shown.status == 0, shown.err
    assert shown.out.startswith("GIT-FLEET(1)")


@pytest.mark.parametrize("page", ["gitfleet-plan", "gitfleet-tutorial"])
def test_man_finds_the_guides(page: str, installed: dict[str, str]) -> None:
    need("man")
    shown = run("man", "7", page, env=installed)
    assert shown.out.startswith(f"{page.upper()}(7)"), shown.err


@pytest.mark.parametrize(
    ("topic", "title"),
    [
        ((), "GIT-FLEET(1)"),
        (("add",), "GIT-FLEET(1)"),
        (("plan-guide",), "GITFLEET-PLAN(7)"),
        (("tutorial",), "GITFLEET-TUTORIAL(7)"),
    ],
)
@pytest.mark.parametrize("known", [True, False], ids=["man-knows-it", "source-tree"])
def test_fleet_help(topic: tuple[str, ...], title: str, *, known: bool, installed: dict[str, str]) -> None:
    need("man")
    shown = run("git", "fleet", "help", *topic, env=installed if known else {"MANPATH": "/nonexistent"})
    assert (shown.status, shown.out.split()[0]) == (0, title), shown.err


def test_fleet_help_of_nothing_known() -> None:
    shown = run("git", "fleet", "help", "nosuch")
    assert (shown.status, shown.out) == (129, "")
    assert "nosuch" in shown.err and "tutorial" in shown.err


@pytest.mark.parametrize("formatter", ["mandoc", None])
def test_fleet_help_without_man(formatter: str | None, tmp_path: Path, program_folder: Path) -> None:
    """A container has no man: the page as plain text, else the options."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in filter(None, ("git", formatter)):
        need(name)
        found = shutil.which(name)
        assert found
        (programs / name).symlink_to(found)
    shown = run("git-fleet", "help", "add", env={"PATH": f"{program_folder}:{programs}"})
    assert shown.status == 0, shown.err
    assert "--allow-overlap" in shown.out
    assert ("EXIT STATUS" in shown.out) is (formatter is not None)
    assert "\b" not in shown.out and "\033" not in shown.out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_the_shipped_file(shell: str) -> None:
    names = {"bash": "git-fleet.bash", "zsh": "_git-fleet", "fish": "git-fleet.fish"}
    shown = run("git", "fleet", "completion", shell)
    assert shown == (0, (kit.ROOT / "completions" / names[shell]).read_text(), "")
