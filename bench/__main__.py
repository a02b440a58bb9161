"""`make bench`: the figures that this project promises, side by side with plain git in the same run.

    python bench [startup] [status] [add] [remove] [check] [flask] [many] [radar] [plan] [large] [coupling]
                 [speculation] [blame] [land]

Prints, never judges: machines differ, and a timed test lies.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile

import couplings
import gates
import landing
import pairs
import radar

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FLEET = shutil.which("git-fleet") or os.path.join(os.path.dirname(sys.executable), "git-fleet")
WORKTREES = 20
FILES = 5000


def git(cwd: str, *args: str) -> None:
    subprocess.run(["git", *args], cwd=cwd, check=True, capture_output=True)


def repository(folder: str, *, files: int = FILES) -> str:
    """A repository with a tree of `files` small files in directories of fifty; its path."""
    main = os.path.join(folder, "app")
    os.makedirs(main)
    git(main, "init", "-q", "-b", "main")
    for number in range(files):
        part, name = divmod(number, 50)
        path = f"{main}/src/m{part // 10}/p{part}/f{name}.py"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write("".join(f"line {line} of {number}\n" for line in range(40)))
    git(main, "config", "user.name", "Bench")
    git(main, "config", "user.email", "bench@example.invalid")
    git(main, "config", "gc.auto", "0")
    git(main, "add", "-A")
    git(main, "commit", "-q", "-m", "start")
    return main


def worktrees(main: str, count: int) -> list[str]:
    """Linked worktrees with a commit each, their indexes refreshed."""
    tops = []
    for number in range(count):
        top = f"{os.path.dirname(main)}/app-{number}"
        git(main, "worktree", "add", "-q", "-b", f"feature/{number}", top)
        with open(f"{top}/src/m0/p{number % 10}/f{number % 50}.py", "a", encoding="utf-8") as file:
            file.write(f"changed by {number}\n")
        git(top, "commit", "-q", "-a", "-m", f"change {number}")
        tops.append(top)
    subprocess.run(["sleep", "1.1"], check=True)
    for top in tops:
        git(top, "status")
    return tops


def startup(folder: str) -> None:
    main = repository(folder, files=20)
    for number in range(3):
        git(main, "worktree", "add", "-q", "-b", f"feature/{number}", f"{folder}/app-{number}")
    pairs.cpu("git-fleet --version", lambda: pairs.once([FLEET, "--version"], main), wanted="at most 60 ms processor")
    pairs.cpu("git-fleet -h", lambda: _tolerant([FLEET, "-h"], main))
    pairs.cpu("status of 3 tasks", lambda: pairs.once([FLEET, "status"], main), wanted="at most 160 ms processor")


def _tolerant(argv: list[str], cwd: str) -> pairs.Run:
    return pairs.once(["sh", "-c", '"$@"; exit 0', "sh", *argv], cwd)


def status(folder: str) -> None:
    main = repository(folder)
    tops = worktrees(main, WORKTREES)
    loop = "".join(f"git -C '{top}' status --porcelain=v2 --branch\n" for top in tops)
    pairs.compare(
        f"status --json of {WORKTREES} worktrees of {FILES} files against a loop of git status",
        lambda: pairs.once([FLEET, "status", "--json"], main),
        lambda: pairs.once(["sh", "-c", loop], main),
        runs=15,
        wanted="at least 1.5",
    )


def add(folder: str) -> None:
    main = repository(folder)
    names = [f"task{number}" for number in range(8)]
    for name in names:
        git(main, "config", f"fleet.{name}.branch", f"feature/{name}")
        git(main, "config", f"fleet.{name}.worktree", f"../app-{name}")
    loop = "".join(f"git worktree add -q -b feature/{name} ../app-{name}\n" for name in names)

    def clear() -> None:
        for name in names:
            subprocess.run(["rm", "-rf", f"{folder}/app-{name}"], check=True)
        git(main, "worktree", "prune")
        for name in names:
            subprocess.run(["git", "branch", "-q", "-D", f"feature/{name}"], cwd=main, capture_output=True, check=False)
            git(main, "update-ref", "-d", f"refs/fleet/base/feature/{name}")

    pairs.compare(
        f"add of 8 worktrees of {FILES} files against a loop of git worktree add",
        lambda: pairs.once([FLEET, "add", "--all"], main),
        lambda: pairs.once(["sh", "-c", loop], main),
        runs=5,
        prepare=clear,
        wanted="at least 1.11",
    )


def remove(folder: str) -> None:
    main, top = repository(folder), f"{folder}/task"
    for number in range(900):
        os.makedirs(f"{folder}/node_modules/p{number}")
        for name in range(50):
            with open(f"{folder}/node_modules/p{number}/{name}.js", "w", encoding="utf-8") as file:
                file.write(f"{number} {name}\n" * 20)
    git(main, "config", "fleet.task.branch", "task")
    git(main, "config", "fleet.task.worktree", top)
    with open(f"{main}/.git/info/exclude", "w", encoding="utf-8") as file:
        file.write("node_modules\n")
    git(main, "worktree", "add", "-q", "-b", "task", top)
    git(top, "commit", "-q", "--allow-empty", "-m", "task")
    git(main, "merge", "-q", "--no-ff", "task")

    def again() -> None:
        if not os.path.isdir(top):
            git(main, "worktree", "add", "-q", top, "task")
        if not os.path.isdir(f"{top}/node_modules"):
            subprocess.run(["cp", "-a", f"{folder}/node_modules", top], check=True)

    back = []

    def there_and_back() -> pairs.Run:
        gone = pairs.once([FLEET, "remove", "task"], main)
        back.append(pairs.once([FLEET, "undo"], main).wall)
        return gone

    pairs.compare(
        f"remove of a worktree of {FILES} files and 45,000 in node_modules against git worktree remove",
        there_and_back,
        lambda: pairs.once(["git", "worktree", "remove", top], main),
        runs=5,
        prepare=again,
        wanted="at least 1.2",
    )
    print(f"undo, which brings it back: {statistics.median(back) * 1000:.0f} ms")


def check(folder: str) -> None:
    radar.check(folder, FLEET)


def flask(folder: str) -> None:
    radar.flask(folder, FLEET)


def many(folder: str) -> None:
    radar.many(folder, FLEET)


def in_status(folder: str) -> None:
    main = repository(folder)
    tops = worktrees(main, WORKTREES)
    radar.status(main, f"{WORKTREES} clean worktrees")
    for number, top in enumerate(tops):
        with open(f"{top}/src/m0/p{number % 7}/f{number % 49}.py", "a", encoding="utf-8") as file:
            file.write(f"not committed by {number}\n")
    radar.status(main, f"{WORKTREES} worktrees with uncommitted work")
    shared = "src/m5/p50/f0.py"
    for top, line in zip(tops[:2], (1, 38), strict=True):
        with open(f"{top}/{shared}", encoding="utf-8") as file:
            lines = file.read().splitlines(keepends=True)
        lines[line] = "changed\n"
        with open(f"{top}/{shared}", "w", encoding="utf-8") as file:
            file.writelines(lines)
    for what, path in (("nobody has changed", "src/m5/p51/f0.py"), ("two have changed, and that merges", shared)):
        argv = [FLEET, "check", "--hook", path]
        pairs.cpu(f"check --hook of a file that {what}", lambda argv=argv: pairs.once(argv, tops[0]), wanted="150 ms")


def plan(folder: str) -> None:
    main = repository(folder)
    stream = ["reset refs/heads/main\nfrom refs/heads/main^0\n"]
    for number in range(2000):
        stream.append(
            f"commit refs/heads/main\ncommitter B <b@example.invalid> {1700000000 + number} +0000\ndata 1\nx\n"
        )
        for at in (number, number * 7 + 1, number * 31 + 2):
            part, name = divmod(at % FILES, 50)
            text = f"{number}\n"
            stream.append(f"M 100644 inline src/m{part // 10}/p{part}/f{name}.py\ndata {len(text)}\n{text}\n")
    subprocess.run(["git", "fast-import", "--quiet"], cwd=main, input="".join(stream).encode(), check=True)
    for number in range(20):
        git(main, "config", f"fleet.{number}.owns", f"src/m{number % 10}/p{number}/")
    looked = pairs.cpu("plan", lambda: pairs.once([FLEET, "plan", "--json"], main))
    not_looked = pairs.cpu("plan --history=0", lambda: pairs.once([FLEET, "plan", "--json", "--history=0"], main))
    spent = (looked - not_looked) * 1000
    print(f"2000 commits of a tree of {FILES} files: {spent:.0f} ms processor (wanted: at most 1500)")


def large(folder: str) -> None:
    main = repository(folder, files=20)
    with open(f"{main}/PLAN.md", "w", encoding="utf-8") as file:
        file.write("| Issue | Files owned | Depends on |\n|---|---|---|\n")
        for number in range(10_000):
            needs = ", ".join(f"#{number - step}" for step in (1, 7, 50) if number >= step * 4)
            file.write(f"| #{number} | `src/m{number}/`, `docs/m{number}.md` | {needs or '-'} |\n")
    git(main, "config", "fleet.plan", "PLAN.md")
    converted = subprocess.run([FLEET, "plan", "--to", "yaml"], cwd=main, check=True, capture_output=True).stdout
    with open(f"{main}/PLAN.yaml", "wb") as file:
        file.write(converted)
    for name in ("PLAN.md", "PLAN.yaml"):
        what = f"plan --json of 10,000 tasks with 30,000 needs in {name}"
        argv = [FLEET, "plan", "--json", "--plan", name]
        pairs.cpu(what, lambda argv=argv: pairs.once(argv, main), runs=5, wanted="under 2 s")


def coupling(folder: str) -> None:
    bundles = os.environ.get("FLEETS") or os.path.join(os.path.dirname(ROOT), "shared", "fleets")
    for name in ("flask", "pre-commit"):
        bundle = os.path.join(bundles, f"{name}.bundle")
        if not os.path.isfile(bundle):
            print(f"{bundle} is not here: FLEETS names the folder of the bundles")
            continue
        subprocess.run(["git", "clone", "-q", "-b", "main", bundle, f"{folder}/{name}"], check=True)
        couplings.judge(f"{folder}/{name}")


def land(folder: str) -> None:
    landing.merges(folder, FLEET)


def speculation(folder: str) -> None:
    gates.speculation(folder, repository(folder, files=200), FLEET)


def blame(folder: str) -> None:
    gates.counts(folder, repository(folder, files=20), FLEET)


SECTIONS = (
    ("startup", startup),
    ("status", status),
    ("add", add),
    ("remove", remove),
    ("check", check),
    ("flask", flask),
    ("many", many),
    ("radar", in_status),
    ("plan", plan),
    ("large", large),
    ("coupling", coupling),
    ("speculation", speculation),
    ("blame", blame),
    ("land", land),
)


def main() -> None:
    wanted = sys.argv[1:] or [name for name, _ in SECTIONS]
    for name, section in SECTIONS:
        if name in wanted:
            folder = tempfile.mkdtemp(prefix="git-fleet-bench-")
            try:
                section(folder)
            finally:
                shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
