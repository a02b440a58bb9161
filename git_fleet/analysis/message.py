"""What the commits of a landing say: their text and their trailers. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from git_fleet.model.errors import Fatal
from git_fleet.model.landing import Author, Step, merge_message

PLACEHOLDERS = ("id", "title", "branch", "base", "commits")
MOST_SUBJECTS = 50


class Written(NamedTuple):
    """A commit of a branch, as a squash tells of it."""

    author: Author
    subject: str
    others: tuple[str, ...] = ()
    """`Name <mail>` of everybody in its `Co-authored-by` trailers."""


def refuse_unknown_placeholders(template: str | None) -> None:
    """Raises Fatal for a template that names something that we do not know."""
    unknown = [name for name in re.findall(r"\{(\w+)\}", template or "") if name not in PLACEHOLDERS]
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        raise Fatal(f"bad value for 'fleet.message': '{{{unknown[0]}}}' stands for nothing; there are {known}")


def of_merge(step: Step, base: str, template: str | None, subjects: Sequence[str] = ()) -> str:
    """The message of a merge, trailers left out where a template makes it: git puts those in."""
    return (
        _filled(template, step, base, subjects) if template else merge_message(step.branch, step.id, base, step.agent)
    )


def of_squash(step: Step, base: str, template: str | None, subjects: Sequence[str]) -> str:
    """The message of a squash without its trailers: the task, and what its commits said."""
    if template:
        return _filled(template, step, base, subjects)
    number = f"#{step.id}" if step.id.isdecimal() else step.id
    subject = f"{step.title} ({number})" if step.title and step.title != step.id else step.branch
    return f"{subject}\n\n{_listed(subjects)}\n"


def _listed(subjects: Sequence[str]) -> str:
    lines = [f"* {subject}" for subject in subjects[:MOST_SUBJECTS]]
    more = len(subjects) - len(lines)
    return "\n".join([*lines, *([f"* and {more} more"] if more else [])])


def _filled(template: str, step: Step, base: str, subjects: Sequence[str]) -> str:
    values = {
        "id": step.id,
        "title": step.title or step.id,
        "branch": step.branch,
        "base": base,
        "commits": _listed(subjects),
    }
    return re.sub(r"\{(\w+)\}", lambda match: values[match[1]], template).strip("\n") + "\n"


def trailers(step: Step, co_authors: Iterable[str] = ()) -> tuple[str, ...]:
    """The marks of a landed commit: its task, its agent, and who wrote it besides its author."""
    agent = (f"Fleet-Agent: {step.agent}",) if step.agent else ()
    return (f"Fleet-Task: {step.id}", *agent, *(f"Co-authored-by: {who}" for who in co_authors))


def authorship(written: Sequence[Written], user: Author) -> tuple[Author, tuple[str, ...]]:
    """(the author of a squash, everybody else who wrote it).

    Work of one person stays his. Work of several is the user's who lands it; he is not named again.
    """
    authors: Mapping[str, Author] = {one.author.mail.lower(): one.author for one in written}
    author = next(iter(authors.values())) if len(authors) == 1 else user
    known = {author.mail.lower(), user.mail.lower()}
    everybody = [f"{one.name} <{one.mail}>" for one in authors.values()]
    everybody += [other for one in written for other in one.others]
    found: dict[str, str] = {}
    for who in everybody:
        found.setdefault(_mail(who), who)
    return author, tuple(who for mail, who in found.items() if mail not in known)


def ends_in_prose(message: str) -> bool:
    """Is it certain that a message has no trailers yet? Where it may have, git decides how others join them."""
    paragraphs = re.split(r"\n[ \t]*\n", message.strip("\n"))
    return len(paragraphs) == 1 or not re.search(r"^[\w-]+[ \t]*:|^\(cherry picked|^---", paragraphs[-1], re.MULTILINE)


def joined(message: str, trailers: Sequence[str]) -> str:
    """A message that ends in prose, with trailers after it."""
    return message.rstrip() + "\n\n" + "".join(f"{trailer}\n" for trailer in trailers)


def _mail(who: str) -> str:
    return who.rpartition("<")[2].rstrip("> ").lower()
