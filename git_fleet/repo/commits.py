"""What the commits of a branch say, and who wrote them."""

from collections.abc import Sequence
from typing import NamedTuple

from git_fleet.model.landing import Author
from git_fleet.repo import merging

_FIELD, _ITEM = "\x1f", "\x1e"


class CommitText(NamedTuple):
    """A commit as it reads."""

    commit: str
    author: Author
    subject: str
    co_authors: tuple[str, ...]
    message: str


_FORMAT = "%H%x1f{name}%x1f{mail}%x1f%ad%x1f%s%x1f%(trailers:key=Co-authored-by,valueonly,separator=%x1e)%x1f%B"


def own(place: merging.Quarantine, tip: str, known: Sequence[str]) -> list[CommitText]:
    """The commits of `tip` that none of `known` has, oldest first, merges left out; under the names of the mailmap."""
    asked = "".join(f"{commit}\n" for commit in (tip, *(f"^{commit}" for commit in known)))
    options = ("--no-merges", "--topo-order", "--reverse", "--stdin")
    return _read(_log(place, _FORMAT.format(name="%aN", mail="%aE"), *options, stdin=asked))


def of(place: merging.Quarantine, commits: Sequence[str]) -> list[CommitText]:
    """These commits, in this order, under the names that they bear."""
    if not commits:
        return []
    asked = "".join(f"{commit}\n" for commit in commits)
    return _read(_log(place, _FORMAT.format(name="%an", mail="%ae"), "--no-walk=unsorted", "--stdin", stdin=asked))


def user(place: merging.Quarantine) -> Author:
    """The one who lands, under the name of the mailmap. Raises GitError when git does not know him."""
    name, _, rest = merging.answer(place, "var", "GIT_AUTHOR_IDENT").strip().rpartition(" <")
    mail, _, date = rest.partition("> ")
    told = merging.answer(place, *_mailmap(place), "check-mailmap", f"{name} <{mail}>").strip()
    name, _, mail = told.rpartition("<")
    return Author(name.strip(), mail.rstrip(">"), date)


def with_trailers(place: merging.Quarantine, message: str, trailers: Sequence[str]) -> str:
    """A message with trailers added to those that it has, as git does it; what is there is not repeated."""
    words = [word for trailer in trailers for word in ("--trailer", trailer)]
    how = ("--no-divider", "--where=end", "--if-exists=addIfDifferent", "--if-missing=add")
    return merging.answer(place, "interpret-trailers", *how, *words, stdin=message)


def _log(place: merging.Quarantine, form: str, *options: str, stdin: str) -> str:
    words = ("log", "-z", "--no-color", "--date=raw", f"--format={form}", *options)
    return merging.answer(place, *_mailmap(place), *words, stdin=stdin)


def _mailmap(place: merging.Quarantine) -> tuple[str, str]:
    return "-c", f"mailmap.blob={place.base}:.mailmap"


def _read(listed: str) -> list[CommitText]:
    found = []
    for record in listed.split("\0"):
        if record.count(_FIELD) >= 6:
            commit, name, mail, date, subject, others, message = record.split(_FIELD, 6)
            co_authors = tuple(other.strip() for other in others.split(_ITEM) if other.strip())
            found.append(CommitText(commit, Author(name, mail, date), subject, co_authors, message.rstrip("\n") + "\n"))
    return found
