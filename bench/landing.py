"""Landing against a loop of plain git that does the same: the same tree comes out, or it is an error."""

import subprocess

import pairs
import radar

SHAPE = radar.Shape(branches=90, files=5000, own=3, candidates=0.0, group=2)


def _git(main: str, *args: str) -> str:
    return subprocess.run(["git", *args], cwd=main, check=True, capture_output=True, text=True).stdout.strip()


def merges(folder: str, fleet: str) -> None:
    """90 clean branches without a gate, against a loop of `git merge --no-ff` in a worktree."""
    main, line = f"{folder}/app", f"{folder}/line"
    radar.generate(main, SHAPE)
    for key, value in (("user.name", "Bench"), ("user.email", "bench@example.invalid"), ("gc.auto", "0")):
        _git(main, "config", key, value)
    _git(main, "reset", "-q", "--hard")
    _git(main, "worktree", "add", "-q", "-b", "line", line, "main")
    with open(f"{main}/PLAN.md", "w", encoding="utf-8") as file:
        rows = "".join(f"| {number} | feature/{number} | |\n" for number in range(SHAPE.branches))
        file.write(f"| Task | Branch | Status |\n|---|---|---|\n{rows}")
    _git(main, "config", "fleet.plan", "PLAN.md")
    start = _git(main, "rev-parse", "main")
    loop = "".join(f"git merge -q --no-ff --no-edit feature/{number}\n" for number in range(SHAPE.branches))

    def again() -> None:
        for top in (main, line):
            _git(top, "reset", "-q", "--hard", start)

    ratio = pairs.compare(
        f"land of {SHAPE.branches} clean branches in {SHAPE.files} files against a loop of git merge --no-ff",
        lambda: pairs.once([fleet, "land", "--no-gate"], main),
        lambda: pairs.once(["sh", "-ec", loop], line),
        runs=5,
        prepare=again,
        wanted="at least 4",
    )
    again()
    pairs.once([fleet, "land", "--no-gate"], main)
    pairs.once(["sh", "-ec", loop], line)
    trees = [_git(main, "rev-parse", f"{name}^{{tree}}") for name in ("main", "line")]
    same = "yes" if trees[0] == trees[1] else "NO"
    print(f"the same tree: {same}; overhead over the bare merges {1 / ratio - 1:+.0%} (wanted: at most +15%)")
