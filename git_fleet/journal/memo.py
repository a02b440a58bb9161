"""Merges that were done before, in the journal's database: a cache, so nothing here ever raises.

What is damaged, in use, or cannot be written is as if it were not there.
"""

import os
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from git_fleet.journal import database
from git_fleet.model.errors import FleetError
from git_fleet.model.fleet import Change, Lines

if TYPE_CHECKING:
    import sqlite3

Key = tuple[str, str, str]
"""Object ids: (base tree, tree, tree) for branches side by side, (base, tip, tip) for stacked ones, (base, tip, "")."""

WAIT_S = 0.2
MOST = 100_000
"""Rows that are kept: the newest."""
AT_ONCE = 300
"""Merges that one query asks for: SQLite before 3.32 takes 999 variables."""


class Row(NamedTuple):
    """A remembered merge. `first`: 1 or 2 where only the order that begins with that side merges, else 0.

    What is unknown (`why`) or need not come out the same again (not `lasting`) is not kept.
    """

    verdict: str
    paths: tuple[str, ...]
    kinds: tuple[str, ...]
    first: int = 0
    tree: str = ""
    changes: tuple[Change, ...] = ()
    lines: Lines = Lines()
    why: str | None = None
    lasting: bool = True


def recall(fleet_dir: str, scope: str, keys: Iterable[Key]) -> dict[Key, Row]:
    """What is known of these merges; `scope` stands for all that decides about a merge besides its sides."""
    path = database.path_of(fleet_dir)
    if not os.path.exists(path):
        return {}
    import sqlite3

    found: dict[Key, Row] = {}
    wanted = list(dict.fromkeys(keys))
    try:
        connection = sqlite3.connect(database.uri(path, "ro"), uri=True, timeout=WAIT_S)
        try:
            for at in range(0, len(wanted), AT_ONCE):
                some = wanted[at : at + AT_ONCE]
                asked = _SELECT.format(", ".join(["(?, ?, ?)"] * len(some)))
                for base, one, other, *row in connection.execute(asked, (scope, *(oid for key in some for oid in key))):
                    found[base, one, other] = _read(*row)
        finally:
            connection.close()
    except (sqlite3.Error, ValueError, TypeError):
        return {}
    return found


def keep(fleet_dir: str, scope: str, rows: Mapping[Key, Row]) -> None:
    """Remember merges."""
    rows = {key: row for key, row in rows.items() if row.lasting and row.why is None}
    if not rows:
        return
    import sqlite3

    path = database.path_of(fleet_dir)
    try:
        os.makedirs(fleet_dir, exist_ok=True)
        connection = sqlite3.connect(path, timeout=WAIT_S, isolation_level=None)
        try:
            database.prepare(connection, path)
            _write(connection, scope, rows)
        finally:
            connection.close()
    except (OSError, sqlite3.Error, FleetError):
        return


_SELECT = """
    SELECT base, one, other, verdict, paths, kinds, first, tree, changes, insertions, deletions FROM merge_result
    WHERE scope = ? AND (base, one, other) IN (VALUES {})
"""
_INSERT = """
    INSERT OR REPLACE INTO merge_result
    (scope, base, one, other, at_s, verdict, first, tree, insertions, deletions, kinds, paths, changes)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


def _write(connection: "sqlite3.Connection", scope: str, rows: Mapping[Key, Row]) -> None:
    now = time.time()
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(_INSERT, ((scope, *key, now, *_columns(row)) for key, row in rows.items()))
    (count,) = connection.execute("SELECT count(*) FROM merge_result").fetchone()
    if count > MOST:
        oldest = "SELECT at_s FROM merge_result ORDER BY at_s DESC LIMIT 1 OFFSET ?"
        connection.execute(f"DELETE FROM merge_result WHERE at_s < ({oldest})", (MOST // 2,))
    connection.execute("COMMIT")


def _columns(row: Row) -> tuple[str | int | bytes, ...]:
    changes = _packed(field for change in row.changes for field in change)
    kinds = "\0".join(row.kinds)
    return row.verdict, row.first, row.tree, *row.lines, kinds, _packed(row.paths), changes


def _read(
    verdict: str, paths: bytes, kinds: str, first: int, tree: str, changes: bytes, insertions: int, deletions: int
) -> Row:
    fields = iter(_unpacked(changes))
    found = tuple(Change(*five) for five in zip(fields, fields, fields, fields, fields, strict=True))
    lines = Lines(insertions, deletions)
    return Row(verdict, _unpacked(paths), tuple(kinds.split("\0") if kinds else ()), first, tree, found, lines)


def _packed(texts: Iterable[str]) -> bytes:
    return "\0".join(texts).encode("utf-8", "surrogateescape")


def _unpacked(data: bytes) -> tuple[str, ...]:
    return tuple(data.decode("utf-8", "surrogateescape").split("\0")) if data else ()
