"""Logs of programs that talk without end: on the disk at once, never more than was said."""

from pathlib import Path

from git_fleet.repo import logs, process


def test_a_rolling_log_keeps_the_end_and_is_read_across_the_turn(tmp_path: Path) -> None:
    path = str(tmp_path / "log")
    parts = logs.follow(path, lambda: len(said) < 3)
    said: list[bytes] = []
    with logs.rolling(path, 20) as log:
        log.write(b"12345")
        said.append(next(parts))
        log.write(b"67890")
        log.write(b"abcde")
        said += [next(parts), next(parts)]
        assert b"".join(said) == b"1234567890abcde" and list(parts) == []
        for _ in range(1000):
            log.write(b"x" * 7)
        log.write(b"end")
    assert Path(path).read_bytes() == b"x" * 7 + b"end"
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 20
    assert b"".join(logs.follow(path, lambda: False)) == b"x" * 7 + b"x" * 7 + b"end"


def test_an_agent_that_fills_the_disk_does_not(tmp_path: Path) -> None:
    """SAFETY 111."""
    log = str(tmp_path / "log")
    process.run_watched(
        "yes | head -c 5000000; echo end",
        cwd=str(tmp_path),
        env={},
        log=log,
        timeout_s=60,
        log_cap=1 << 20,
        rolling=True,
    )
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 1 << 20
    assert Path(log).read_bytes().endswith(b"y\nend\n")


def test_the_last_line_that_says_anything(tmp_path: Path) -> None:
    path = tmp_path / "log"
    for said, last in (
        (b"", ""),
        (b"\n \n", ""),
        (b"a\nb\n\n", "b"),
        (b"x" * 9000 + b"\n10%\r20%\r", "20%"),
        (b"\xff", "\ufffd"),
    ):
        path.write_bytes(said)
        assert logs.last_line(str(path)) == last
    assert logs.last_line(str(tmp_path / "none")) == ""
