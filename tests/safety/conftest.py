"""One tally for each test, printed together at the end."""

from collections import Counter
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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
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
