"""Seals every test: home, configuration, identity, dates, editor, locale, working directory; checks each repository."""

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import kinds
import kit
import pytest
from warm import Warm


def pytest_configure() -> None:
    """Signals mean what they mean at a terminal, also where the tests were started in the background."""
    for number in (signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def program_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the `git-fleet` executable of this checkout."""
    folder = tmp_path_factory.mktemp("bin")
    kit.install_program(folder)
    return folder


@pytest.fixture(autouse=True)
def sealed(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, program_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    home = tmp_path_factory.mktemp("home")
    environment = kit.sealed_environment(home, program_folder, os.environ)
    for name in set(os.environ) - set(environment) - {"PYTEST_CURRENT_TEST"}:
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    kit.forget_repositories()
    yield
    for repo in kit.forget_repositories():
        if repo.changed_by_fleet and repo.path.is_dir():
            repo.fsck()


@pytest.fixture
def newer_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """The git that FLEET_NEWER_GIT names, if it does, comes first."""
    if kinds.NEWER_GIT is not None:
        monkeypatch.setenv("PATH", os.path.join(kinds.NEWER_GIT, "bin"), prepend=os.pathsep)


@pytest.fixture
def make_repo() -> Callable[..., kit.Repo]:
    """`make_repo(path, files)`; the same as `kit.make_repo`."""
    return kit.make_repo


@pytest.fixture(scope="module")
def warm() -> Iterator[Warm]:
    """The program, loaded once for the many calls of a module."""
    program = Warm()
    yield program
    program.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests/safety tried and found. Here, since with several workers only this file is known where it is told."""
    total: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", None) == "teardown":
                for name, count in report.user_properties:
                    if name.startswith("safety:"):
                        total[name.removeprefix("safety:")] += count
    if total:
        terminalreporter.section("safety")
        terminalreporter.line(", ".join(f"{count} {name}" for name, count in total.items()))
