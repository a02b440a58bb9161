"""The collision radar against plain git: generated fleets, a real one, and what it adds to status."""

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from itertools import combinations
from typing import NamedTuple

import pairs

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
REAL = os.environ.get("FLEETS") or os.path.join(os.path.dirname(ROOT), "shared", "fleets")
LINES = 120


class Shape(NamedTuple):
    """A fleet to generate: branches, files in the tree, files that each branch has to itself, part of all pairs that
    shares a file, branches that share one file."""

    branches: int
    files: int
    own: int
    candidates: float
    group: int


def _name(number: int) -> str:
    return f"src/m{number // 500}/p{number // 50}/f{number % 50}.py"


def _blob(text: str) -> str:
    return f"data {len(text)}\n{text}\n"


def _text(number: int, edits: Mapping[int, str]) -> str:
    return "".join(edits.get(line, f"line {line} of file {number}\n") for line in range(LINES))


def _edits(shape: Shape) -> list[dict[int, dict[int, str]]]:
    """For each branch: file -> line -> text."""
    chance = random.Random(1)
    order = list(range(shape.files))
    chance.shuffle(order)
    waiting = iter(order)
    plan: list[dict[int, dict[int, str]]] = []
    for branch in range(shape.branches):
        plan.append({next(waiting): {chance.randrange(LINES): f"changed by {branch}\n"} for _ in range(shape.own)})
    found: set[tuple[int, int]] = set()
    while len(found) < shape.candidates * shape.branches * (shape.branches - 1) / 2:
        file = next(waiting)
        some = sorted(chance.sample(range(shape.branches), shape.group))
        for branch in some:
            plan[branch][file] = {chance.randrange(LINES): f"changed by {branch}\n"}
        found.update(combinations(some, 2))
    return plan


def generate(main: str, shape: Shape) -> None:
    """A repository with `feature/<n>`, all begun one commit before where main is now."""
    subprocess.run(["git", "init", "-q", "-b", "main", main], check=True)
    out = ["commit refs/heads/main\nmark :1\ncommitter B <b@example.invalid> 1700000000 +0000\ndata 1\ns\n"]
    out += [f"M 644 inline {_name(number)}\n{_blob(_text(number, {}))}" for number in range(shape.files)]
    for branch, edits in enumerate(_edits(shape)):
        out.append(f"commit refs/heads/feature/{branch}\ncommitter B <b@example.invalid> 1700000100 +0000\ndata 1\nb\n")
        out.append("from :1\n")
        out += [f"M 644 inline {_name(file)}\n{_blob(_text(file, lines))}" for file, lines in edits.items()]
    out.append("commit refs/heads/main\ncommitter B <b@example.invalid> 1700000200 +0000\ndata 1\nm\nfrom :1\n")
    out.append(f"M 644 inline README\n{_blob('moved on')}")
    subprocess.run(["git", "fast-import", "--quiet"], cwd=main, input="".join(out).encode(), check=True)


def _branches(main: str, pattern: str) -> list[str]:
    argv = ["git", "for-each-ref", "--format=%(objectname)", f"refs/heads/{pattern}"]
    return subprocess.run(argv, cwd=main, check=True, capture_output=True, text=True).stdout.split()


def _batch(main: str, pattern: str, objects: str) -> Callable[[], pairs.Run]:
    """One `git merge-tree --stdin` over all pairs of tips, its objects in a folder that is new each time."""
    listed = f"{os.path.dirname(main)}/pairs"
    with open(listed, "w", encoding="ascii") as file:
        file.writelines(f"{one} {other}\n" for one, other in combinations(_branches(main, pattern), 2))
    env = {"GIT_OBJECT_DIRECTORY": objects, "GIT_ALTERNATE_OBJECT_DIRECTORIES": f"{main}/.git/objects"}
    line = f"git merge-tree --write-tree --stdin -z < '{listed}' > /dev/null"

    def run() -> pairs.Run:
        shutil.rmtree(objects, ignore_errors=True)
        os.makedirs(objects)
        done = pairs.once(["sh", "-c", line], main, env)
        shutil.rmtree(objects)
        return done

    return run


def _check(fleet: str, main: str, pattern: str, *, cold: bool) -> Callable[[], pairs.Run]:
    def run() -> pairs.Run:
        if cold:
            shutil.rmtree(f"{main}/.git/fleet", ignore_errors=True)
        return pairs.once([fleet, "check", "--json", "--refs", pattern], main)

    return run


def check(folder: str, fleet: str) -> None:
    main = f"{folder}/app"
    generate(main, Shape(branches=160, files=5000, own=6, candidates=0.10, group=17))
    cold = _check(fleet, main, "feature/*", cold=True)
    name = "check of 160 branches, 5,000 files, 10 % candidates, cold"
    batch = _batch(main, "feature/*", f"{folder}/objects")
    pairs.compare(f"{name}, against one batch of all pairs", cold, batch, runs=3, wanted="at least 5")
    if os.access("/dev/shm", os.W_OK):
        batch = _batch(main, "feature/*", f"/dev/shm/git-fleet-bench-{os.getpid()}")
        pairs.compare(f"{name}, against the same batch with its objects in memory", cold, batch, runs=3)
    single = _single(main, f"{folder}/objects")
    pairs.compare(f"{name}, against a process a pair", cold, single, runs=1, wanted="at least 50", warm_up=False)
    pairs.compare("check after one branch moved, against cold", _warm(fleet, main), cold, runs=5, wanted="at least 10")
    looks = [_looks(main) for _ in range(5)]
    again, first = (sorted(times)[2] for times in zip(*looks, strict=True))
    print(
        f"the next look of --watch after one branch moved: {again * 1000:.0f} ms, the first: {first * 1000:.0f} ms, "
        f"{sorted(cold / warm for warm, cold in looks)[2]:.1f} times as long"
    )


def _single(main: str, objects: str) -> Callable[[], pairs.Run]:
    """A `git merge-tree` for every pair, all objects in a folder that is new each time, as in the batch."""
    script = f"{os.path.dirname(main)}/single.sh"
    with open(script, "w", encoding="ascii") as file:
        for one, other in combinations(_branches(main, "feature/*"), 2):
            file.write(f"git merge-tree --write-tree {one} {other} > /dev/null\n")
        file.write("exit 0\n")
    env = {"GIT_OBJECT_DIRECTORY": objects, "GIT_ALTERNATE_OBJECT_DIRECTORIES": f"{main}/.git/objects"}

    def run() -> pairs.Run:
        os.makedirs(objects)
        done = pairs.once(["sh", script], main, env)
        shutil.rmtree(objects)
        return done

    return run


_LOOKS = """
import sys, time
from git_fleet.operations import check, context
def look():
    began = time.perf_counter()
    check.of_refs(context.find_without_plan(None), ("feature/*",))
    return time.perf_counter() - began
first = look()
print(flush=True)
sys.stdin.readline()
print(look(), first)
"""


def _looks(main: str) -> tuple[float, float]:
    """Seconds of a look after one branch moved, and of the first, cold, in one process."""
    shutil.rmtree(f"{main}/.git/fleet", ignore_errors=True)
    argv = [sys.executable, "-c", _LOOKS]
    env = {**os.environ, "PYTHONPATH": ROOT}
    with subprocess.Popen(argv, cwd=main, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin and child.stdout
        child.stdout.readline()
        _move(main, random.randrange(10**6))
        child.stdin.write("\n")
        child.stdin.close()
        warm, cold = map(float, child.stdout.readline().split())
    return warm, cold


def _warm(fleet: str, main: str) -> Callable[[], pairs.Run]:
    turn = iter(range(10**6))
    again = _check(fleet, main, "feature/*", cold=False)

    def run() -> pairs.Run:
        again()
        _move(main, next(turn))
        return again()

    return run


def _move(main: str, number: int) -> None:
    """One branch gets another commit."""
    blob = _blob(_text(4999, {3: f"moved {number}\n"}))
    text = (
        f"commit refs/heads/feature/7\ncommitter B <b@example.invalid> {1700001000 + number} +0000\ndata 1\nw\n"
        f"from refs/heads/feature/7^0\nM 644 inline {_name(4999)}\n{blob}"
    )
    subprocess.run(["git", "fast-import", "--quiet", "--force"], cwd=main, input=text.encode(), check=True)


def flask(folder: str, fleet: str) -> None:
    bundle = f"{REAL}/flask.bundle"
    if not os.path.exists(bundle):
        print(f"flask: {bundle} is not here; FLEETS names the folder of the bundles")
        return
    main = f"{folder}/flask"
    subprocess.run(["git", "clone", "-q", "-b", "main", bundle, main], check=True)
    subprocess.run(["git", "fetch", "-q", "origin", "refs/heads/pr/*:refs/heads/pr/*"], cwd=main, check=True)
    ours, theirs = [], []
    cold, batch = _check(fleet, main, "pr/*", cold=True), _batch(main, "pr/*", f"{folder}/objects")
    pairs.compare(
        "check of flask's 30 pull requests, cold, against one batch of all pairs",
        lambda: _kept(cold(), ours),
        lambda: _kept(batch(), theirs),
        runs=7,
    )
    gap = sorted(mine.wall - other.wall for mine, other in zip(ours[1:], theirs[1:], strict=True))
    print(f"flask: ours less the batch's, median: {gap[len(gap) // 2] * 1000:.0f} ms (wanted: at most 150)")


def _kept(run: pairs.Run, into: list[pairs.Run]) -> pairs.Run:
    into.append(run)
    return run


def many(folder: str, fleet: str) -> None:
    main = f"{folder}/app"
    generate(main, Shape(branches=1000, files=20000, own=4, candidates=0.01, group=10))
    began = time.perf_counter()
    child = subprocess.Popen([fleet, "check", "--refs", "feature/*", "--json"], cwd=main, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - began
    print(
        f"check of 1,000 branches of five files, 1 % candidates, exit {os.waitstatus_to_exitcode(status)}: "
        f"{seconds:.1f} s, {used.ru_maxrss >> 10} MiB (wanted: at most 60 s, 500 MB)"
    )


_ADDED = """
import sys, time
from git_fleet.operations import glance
first = glance.begin()
from git_fleet.analysis import view
from git_fleet.operations import context, sight, survey
dirt = first.dirt()
spent = []
def timed(look):
    def call(*args, **options):
        began = time.perf_counter()
        try:
            return look(*args, **options)
        finally:
            spent.append(time.perf_counter() - began)
    return call
sight.look = timed(sight.look)
seen = context.with_plan(context.of(first.repository, first.worktrees), None)
survey.fleet(seen, view.view(seen.plan), lambda: dirt)
print(spent[0])
"""


def status(main: str, what: str) -> None:
    """What the radar adds to `status` in a repository with linked worktrees."""
    env = {**os.environ, "PYTHONPATH": ROOT}
    found = []
    for _ in range(10):
        argv = [sys.executable, "-c", _ADDED]
        found.append(float(subprocess.run(argv, cwd=main, env=env, check=True, capture_output=True, text=True).stdout))
    print(f"the radar in status of {what}, cold: adds {sorted(found)[5] * 1000:.0f} ms (wanted: at most 100)")
