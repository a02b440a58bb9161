"""What is asked for at every keystroke starts fast: the slow libraries stay unloaded."""

import os
import re
import subprocess
import sys
from pathlib import Path

import kit
import lab
import pytest

SLOW = ("pygit2", "tabulate", "importlib.metadata", "asyncio", "logging", "dataclasses", "pathspec")


def imported(cwd: Path, *args: str) -> tuple[int, frozenset[str]]:
    """Exit code, and every module that the program loaded, from the interpreter's own account."""
    done = subprocess.run(
        [sys.executable, "-P", "-X", "importtime", "-m", "git_fleet", *args],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(kit.ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, frozenset(re.findall(r"^import time: +\d+ \| +\d+ \| +(\S+)$", done.stderr, re.M))


def forbidden(modules: frozenset[str], names: tuple[str, ...]) -> list[str]:
    return sorted(
        module for module in modules if any(module == name or module.startswith(f"{name}.") for name in names)
    )


@pytest.mark.parametrize(
    ("args", "status", "names"),
    [
        (["-h"], 129, (*SLOW, "sqlite3", "subprocess", "json")),
        (["--version"], 0, (*SLOW, "sqlite3", "subprocess", "json")),
        (["path", "42"], 0, (*SLOW, "sqlite3")),
        (["completion", "bash"], 0, (*SLOW, "sqlite3")),
        (["check", "--hook", "cli.py"], 0, (*SLOW, "sqlite3")),
        (["check", "--json"], 0, ("tabulate", "pygit2", "importlib.metadata", "asyncio", "logging")),
        (["status", "-h"], 129, (*SLOW, "sqlite3")),
        (["status", "--json"], 0, ("tabulate", "importlib.metadata", "asyncio", "logging")),
        (["plan", "--json"], 1, ("tabulate", "pygit2", "importlib.metadata", "asyncio", "logging")),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_slow_libraries_stay_unloaded(tmp_path: Path, args: list[str], status: int, names: tuple[str, ...]) -> None:
    repo = lab.with_config(tmp_path)
    code, modules = imported(repo.path, *args)
    assert code == status
    assert "click" in modules
    assert forbidden(modules, names) == []


def test_the_account_is_read_rightly(tmp_path: Path) -> None:
    repo = lab.with_config(tmp_path)
    _, modules = imported(repo.path, "plan")
    assert "tabulate" in modules
    assert forbidden(modules, SLOW)
