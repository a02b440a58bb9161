"""What history changes together."""

import time

from git_fleet.analysis import coupling, ownership
from git_fleet.analysis.coupling import LEAST_SUPPORT, MOST_PATHS
from git_fleet.model.plan import Coupling, Footprint, Hot, Overlap, Task

FILES = ("CHANGELOG.md", "README.md", "cli.py", "docs/a.md", "docs/b.md", "setup.py")


def task(id: str, *owns: str, needs: tuple[str, ...] = ()) -> Task:
    return Task(id, "", "", f"b{id}", f"/w/{id}", owns=owns, needs=needs)


def commits(*paths: str, times: int = 1, merge: bool = False) -> list[Footprint]:
    return [Footprint(paths, merge)] * times


def found(tasks: list[Task], history: list[Footprint], overlaps: tuple[Overlap, ...] = ()) -> tuple[Coupling, ...]:
    return coupling.couplings(tasks, ownership.claims(tasks, FILES), history, overlaps)


def test_paths_of_two_tasks_that_change_together_are_told() -> None:
    tasks = [task("42", "cli.py"), task("43", "README.md", "docs/"), task("44", "setup.py")]
    history = [
        *commits("cli.py", "README.md", times=6),
        *commits("cli.py", "docs/a.md", times=7),
        *commits("cli.py", times=2),
        *commits("README.md", times=2),
        *commits("setup.py", times=9),
        *commits("docs/b.md"),
    ]
    assert found(tasks, history) == (Coupling(("42", "43"), ("cli.py", "docs/"), 7, 0.88),)
    assert found(list(reversed(tasks)), history) == (Coupling(("43", "42"), ("docs/", "cli.py"), 7, 0.88),)


def test_few_and_precise() -> None:
    tasks = [task("1", "cli.py"), task("2", "README.md")]
    enough = commits("cli.py", "README.md", times=LEAST_SUPPORT)
    assert found(tasks, enough) != ()
    assert found(tasks, enough[1:]) == ()  # too seldom
    assert found(tasks, [*enough, *commits("cli.py", times=4), *commits("README.md", times=4)]) == ()  # too unsure
    assert found(tasks, [*enough, *commits("README.md", times=21)]) == ()  # README.md changes with everything
    assert found(tasks, commits("cli.py", "README.md", times=9, merge=True)) == ()
    wide = [f"x{n}" for n in range(MOST_PATHS - 1)]
    assert found(tasks, commits("cli.py", "README.md", *wide, times=9)) == ()


def test_what_is_known_already_is_not_told_again() -> None:
    history = commits("cli.py", "README.md", times=9)
    chain = [task("1", "cli.py"), task("2", needs=("1",)), task("3", "README.md", needs=("2",))]
    assert found(chain, history) == ()
    tasks = [task("1", "cli.py"), task("2", "README.md", "cli.py")]
    assert found(tasks, history, (Overlap(("1", "2"), ("cli.py",)),)) == ()
    assert found([task("1", "cli.py", "README.md")], history) == ()


def test_hot_files() -> None:
    tasks = [task("1", "CHANGELOG.md"), task("2", "*.md"), task("3", "cli.py", "setup.py")]
    claims = ownership.claims(tasks, FILES)
    history = [
        *commits("CHANGELOG.md", "cli.py", times=12),
        *commits("docs/a.md", times=28),
        *commits("setup.py", times=9),
        *commits("README.md", times=71),
        *commits("cli.py", times=15, merge=True),
        *commits("CHANGELOG.md", times=5, merge=True),
        *commits(times=500, merge=True),
    ]
    assert coupling.hot(claims, history) == (
        Hot("cli.py", 0.75, ("3",)),
        Hot("README.md", 0.59, ("2",)),
        Hot("CHANGELOG.md", 0.1, ("1", "2")),
    )
    assert coupling.hot(claims, commits("cli.py", times=9)) == ()


def test_a_file_is_hot_that_was_in_many_past_conflicts() -> None:
    tasks = [task("1", "CHANGELOG.md", "setup.py"), task("2", "cli.py")]
    claims = ownership.claims(tasks, FILES)
    conflicts = [("cli.py", "setup.py")] * 2 + [("cli.py",)] * 2 + [("docs/a.md",)] * 12
    assert coupling.hot(claims, (), conflicts) == (Hot("cli.py", 0.0, ("2",), 0.25),)
    assert coupling.hot(claims, (), conflicts[:2]) == ()  # two are too few to say anything


def test_two_thousand_commits_and_ten_thousand_tasks_take_no_time() -> None:
    files = [f"src/m{n // 50:03}/f{n % 50:02}.py" for n in range(5_000)]
    tasks = [task(str(n), files[n % 5_000]) for n in range(10_000)]
    claims = ownership.claims(tasks, files)
    history = [Footprint(tuple(files[(n * 7 + m * 31) % 5_000] for m in range(6))) for n in range(2_000)]
    began = time.process_time()
    coupling.couplings(tasks, claims, history, ())
    assert time.process_time() - began < 2
