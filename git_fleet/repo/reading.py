"""What there is to read of a branch: its commits, and its changes since it left the base."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, NoReturn

from git_fleet.model.errors import Fatal
from git_fleet.model.fleet import Repository
from git_fleet.model.score import Authored
from git_fleet.repo import git, process
from git_fleet.repo.location import git_program


class Stat(NamedTuple):
    """Lines of one changed file, None where it is no text; `before` is its name before, where that was another."""

    path: str
    insertions: int | None
    deletions: int | None
    before: str | None = None


def subjects(repository: Repository, base: str, tip: str) -> tuple[tuple[str, str], ...]:
    """(commit, subject) of what `tip` has and `base` lacks, oldest first."""
    listed = git.answer(repository, "log", "--reverse", "--format=%H %s", f"{base}..{tip}", "--")
    return tuple((line.partition(" ")[0], line.partition(" ")[2]) for line in listed.split("\n")[:-1])


def authored(repository: Repository, tip: str, without: Sequence[str]) -> tuple[Authored, ...]:
    """When and by whom each commit was written that `tip` has and those `without` lack; merges left out, and what is
    gone."""
    asked = "".join(f"{one}\n" for one in (tip, *(f"^{commit}" for commit in without)))
    options = ("--no-merges", "--ignore-missing", "--format=%at %ae", "--stdin")
    listed = git.ask(repository, "log", *options, stdin=asked, env=git.OFFLINE)
    lines = (line.partition(" ") for line in listed.stdout.split("\n")[:-1]) if listed.status == 0 else ()
    return tuple(Authored(float(seconds), mail) for seconds, _, mail in lines if seconds.isdecimal())


def moment(repository: Repository, date: str) -> float | None:
    """A date as git reads it ("2 weeks ago"), in seconds since 1970; what it cannot read it takes for now."""
    said = git.ask(repository, "rev-parse", f"--since={date}").stdout.strip().removeprefix("--max-age=")
    return float(said) if said.isdecimal() else None


def changes(repository: Repository, base: str, tip: str) -> tuple[Stat, ...]:
    """Every file that a branch changed since it left the base. Raises Fatal where that cannot be seen."""
    if git.merge_bases(repository, base, [tip]) == [None]:
        raise Fatal(
            f"{tip[:10]} and the base at {base[:10]} have no commit in common here: no telling what was changed",
            ["git fetch --unshallow   # in a shallow clone"],
        )
    listed = git.answer(
        repository, "diff", "--numstat", "-z", "-M", "--no-ext-diff", "--no-textconv", f"{base}...{tip}", "--"
    )
    return tuple(_stats(iter(listed.split("\0"))))


def _stats(fields: Iterator[str]) -> Iterator[Stat]:
    """Reads `<+>\\t<->\\t<path>`, or for a rename `<+>\\t<->\\t` and two names."""
    for field in fields:
        if field:
            added, deleted, path = field.split("\t", 2)
            before = None if path else next(fields)
            yield Stat(path or next(fields), _number(added), _number(deleted), before)


def _number(text: str) -> int | None:
    return None if text == "-" else int(text)


def become_diff(repository: Repository, base: str, tip: str) -> NoReturn:
    """Become `git diff` of the same changes, with the user's pager and colours."""
    process.replace((git_program(), "-C", repository.main, "diff", f"{base}...{tip}", "--"))
