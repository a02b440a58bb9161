"""The light goes out while a file of ours is written: the old one is there or the new one, never a torn one. SAFETY 77.

A model of what a disk may have kept: of a file, what was synced, and any beginning of what was not; of a folder, what
it was when it was synced, or any later state. The program's own calls are only listened to.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import rooms

from git_fleet.plan import config, files


class Disk:
    """Listens to what is synced and renamed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.synced: dict[int, bytes] = {}
        self.may_hold: dict[str, set[bytes]] = {}
        self.settled: set[str] = set()
        fsync, calls = os.fsync, {name: getattr(os, name) for name in ("rename", "replace")}

        def listening(fd: int) -> None:
            fsync(fd)
            path = os.readlink(f"/proc/self/fd/{fd}")
            if os.path.isdir(path):
                self.settled.update(name for name in self.may_hold if os.path.dirname(name) == path)
            else:
                self.synced[os.fstat(fd).st_ino] = Path(path).read_bytes()

        def moving(name: str, old: str, new: str) -> None:
            self._moved(os.fspath(old), os.fspath(new))
            calls[name](old, new)

        monkeypatch.setattr(os, "fsync", listening)
        for name in calls:
            monkeypatch.setattr(os, name, lambda old, new, name=name: moving(name, old, new))

    def _moved(self, old: str, new: str) -> None:
        whole = Path(old).read_bytes()
        kept = self.synced.get(os.stat(old).st_ino, b"")
        torn = {whole} if kept == whole else {whole[:end] for end in range(0, len(whole) + 1, 7)}
        self.may_hold.setdefault(new, {Path(new).read_bytes()}).update(torn)
        self.settled.discard(new)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    yield Disk(monkeypatch)


@pytest.mark.parametrize("size", [0, 1, 5_000, 200_000])
def test_a_plan_file(size: int, tmp_path: Path, disk: Disk) -> None:
    path, new = tmp_path / "PLAN.md", b"new\n" * size
    path.write_bytes(b"old\n" * 40)
    files.write(str(path), new)
    assert disk.may_hold == {str(path): {b"old\n" * 40, new}} and disk.settled == {str(path)}
    assert path.read_bytes() == new and [one.name for one in tmp_path.iterdir()] == ["PLAN.md"]


def test_the_configuration(tmp_path: Path, disk: Disk) -> None:
    repo = rooms.fleet(tmp_path, {})
    path = repo.path / ".git" / "config"
    old = path.read_bytes()
    config.write(rooms.of(repo), {"fleet.42.status": ["landed"], "fleet.42.title": ["count"]})
    assert disk.may_hold[str(path)] == {old, path.read_bytes()} and str(path) in disk.settled
    assert path.read_bytes() != old
