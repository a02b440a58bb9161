"""A long landing on a terminal: one live line a lane while gates run, plain lines above them, a table at the end."""

import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pyte
import pytest
import rooms
from kit import Repo


class Terminal:
    """A terminal in which somebody lands."""

    def __init__(self, repo: Repo, *args: str, columns: int = 100, term: str = "xterm") -> None:
        self.screen = pyte.Screen(columns, 40)
        self._stream = pyte.Stream(self.screen)
        env = {**os.environ, "TERM": term, "COLUMNS": ""}
        self.child = pexpect.spawn(
            "git-fleet", ["land", *args], cwd=str(repo.path), env=env, dimensions=(40, columns), encoding="utf-8"
        )

    def lines(self) -> list[str]:
        return [line.rstrip() for line in self.screen.display if line.strip()]

    def lanes(self) -> list[str]:
        return [line for line in self.lines() if line.startswith("lane ")]

    def wait(self, seen: Callable[[], bool]) -> None:
        end = time.monotonic() + 30
        while not seen():
            assert time.monotonic() < end, "\n".join(self.lines())
            try:
                self._stream.feed(self.child.read_nonblocking(65536, timeout=0.2))
            except pexpect.TIMEOUT:
                continue
            except pexpect.EOF:
                assert seen(), "\n".join(self.lines())

    def end(self) -> int:
        self.wait(lambda: not self.child.isalive())
        while True:
            try:
                self._stream.feed(self.child.read_nonblocking(65536, timeout=0.2))
            except (pexpect.TIMEOUT, pexpect.EOF):
                self.child.close()
                return int(self.child.exitstatus or 0)


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Repo]:
    repo = rooms.fleet(tmp_path, dict.fromkeys("ab"), gateJobs="2")
    for name in "ab":
        repo.branch(name, {name: "x\n"})
    wait = f"while ! test -e '{tmp_path}/go'-${{FLEET_TASK:-base}}; do sleep 0.02; done"
    repo.config({"fleetGate.unit.command": wait})
    yield repo
    for name in ("base", "a", "b"):
        (tmp_path / f"go-{name}").touch()


def test_a_live_line_for_each_lane(repo: Repo, tmp_path: Path) -> None:
    terminal = Terminal(repo)
    since = r"since \d\d:\d\d:\d\d \(\d+s\)"
    terminal.wait(lambda: len(terminal.lanes()) == 2)
    assert re.fullmatch(f"lane 1: unit runs on main, {since}", terminal.lanes()[0])
    assert re.fullmatch(f"lane 2: unit runs on a, 1 of 2, {since}", terminal.lanes()[1])
    terminal.wait(lambda: all("(2s)" in line or "(3s)" in line for line in terminal.lanes()))
    (tmp_path / "go-base").touch()
    terminal.wait(lambda: any("lane 1: unit runs on b, 2 of 2" in line for line in terminal.lanes()))
    assert len(terminal.lanes()) == 2 and terminal.lines()[0].startswith("unit passed on main in ")
    for name in "ab":
        (tmp_path / f"go-{name}").touch()
    assert terminal.end() == 0
    shown = terminal.lines()
    assert terminal.lanes() == [] and sum(line.startswith("unit passed on") for line in shown) == 3
    heads = [number for number, line in enumerate(shown) if "saved by speculation" in line]
    assert len(heads) == 1 and re.fullmatch(r" *2 +0 +0 +0 +3 +\d+\.\ds +\d+\.\ds", shown[heads[0] + 1])


def test_a_narrow_terminal_has_one_row_a_lane(repo: Repo) -> None:
    terminal = Terminal(repo, columns=30)
    terminal.wait(lambda: len(terminal.lanes()) == 2)
    assert all(line.endswith("...") for line in terminal.lanes()) and len(terminal.lines()) == 2
    terminal.child.sendintr()
    assert terminal.end() == 130
    assert terminal.lines() == ["error: interrupted"] or terminal.lines()[-2:-1] != []
    assert terminal.lanes() == []


def test_elsewhere_plain_lines(repo: Repo, tmp_path: Path) -> None:
    for name in ("base", "a", "b"):
        (tmp_path / f"go-{name}").touch()
    said = repo.fleet("land", "-v", check=0).err
    assert said.count("unit runs on") == 3 and said.count("unit passed on") == 3 and "lane 1" not in said
    assert "\033" not in said
