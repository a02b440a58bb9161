"""One tally for each test; tests/conftest.py prints their sum at the end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from safety.trial import Programs, Tally


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Programs]:
    programs = Programs(tmp_path / "runs")
    yield programs
    programs.close()


@pytest.fixture
def tally(programs: Programs, record_property: object) -> Iterator[Tally]:
    """Fails at the end with all that was found."""
    tally = Tally()
    yield tally
    tally.counts["processes"] += programs.started
    for name, count in tally.counts.items():
        record_property(f"safety:{name}", count)  # type: ignore[operator]
    assert not tally.found, "\n".join(tally.found)
