"""What there is to read of a branch: its commits, and its changes since it left the base."""

from collections.abc import Iterator
from typing import NamedTuple, NoReturn

from git_fleet.model.fleet import Repository
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


def dates(repository: Repository, tip: str, without: str) -> tuple[tuple[int, str], ...] | None:
    """(seconds since 1970, mail) of the authors of what `tip` has and `without` lacks, merges left out; None where
    some of it is gone."""
    listed = git.ask(repository, "log", "--no-merges", "--format=%at %ae", f"{without}..{tip}", "--", env=git.OFFLINE)
    if listed.status:
        return None
    lines = (line.partition(" ") for line in listed.stdout.split("\n")[:-1])
    return tuple((int(seconds), mail) for seconds, _, mail in lines)


def changes(repository: Repository, base: str, tip: str) -> tuple[Stat, ...]:
    """Every file that a branch changed since it left the base."""
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
