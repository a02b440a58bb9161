"""What a cell of a Markdown plan means, and how a value is written into one."""

import re
from typing import NamedTuple

from git_fleet.plan.names import nothing

_CODE = re.compile(r"\\(?P<literal>[!-/:-@\[-`{-~])|(?<!`)(?P<fence>`+)(?!`)(?P<code>.+?)(?<!`)(?P=fence)(?!`)")
_LINK = re.compile(r"\[([^\[\]]*)\]\((?:[^()]|\([^()]*\))*\)")
_NOTE = re.compile(r"\([^()]*\)")
_STRONG = re.compile(r"(?<!\w)(\*\*|__|\*|_)(?=\S)([^*_]+?)(?<=\S)\1(?!\w)")
_STRONG_PATH = re.compile(r"\*\*([^*/](?:[^*]*[^*/])?)\*\*")
_BREAK = r"<br\s*/?>"
_BETWEEN_PATHS = re.compile(rf"[,;]|{_BREAK}", re.I)
_BETWEEN_NEEDS = re.compile(rf"[,;&\s]|{_BREAK}|\band\b", re.I)
_PATHLIKE = re.compile(r"\S*(?:/|\w\.\w|\*)\S*")
_NUMBERED = re.compile(r"#?\S*\d\S*")
_MARKED = re.compile("[\\\\`\\[(<*_\x02\x03]")
_SPECIAL = re.compile("[\\\\`\\[(\x02\x03]")
_MARKS = re.compile("[\x02\x03]")
_HELD = re.compile("\x02([0-9]+)\x03")
_NESTED_NOTES = 4


class Parsed(NamedTuple):
    """A cell's text, notes taken out; code spans and escaped characters stand in `held`, by number, out of reach."""

    text: str
    held: tuple[str, ...]
    codes: tuple[int, ...]
    """The numbers of those that are code spans and not inside a note."""

    def put_back(self, text: str) -> str:
        """The text with what is held in its places."""
        return _HELD.sub(lambda match: self.held[int(match[1])], text)


def parse(markdown: str, *, notes: bool = True) -> Parsed:
    """Read a cell. `notes=False` keeps text in parentheses."""
    if not _SPECIAL.search(markdown):
        return Parsed(markdown, (), ())
    held: list[str] = []
    codes: list[int] = []

    def hold(match: re.Match[str]) -> str:
        code = match["code"]
        if code is not None:
            codes.append(len(held))
            code = code[1:-1] if code[0] == code[-1] == " " and code.strip() else code
        held.append(match["literal"] if code is None else code)
        return f"\x02{len(held) - 1}\x03"

    text = _LINK.sub(r"\1", _CODE.sub(hold, _MARKS.sub("", markdown)))
    for _ in range(_NESTED_NOTES if notes else 0):
        text = _NOTE.sub(" ", text)
    kept = {int(number) for number in _HELD.findall(text)}
    return Parsed(text, tuple(held), tuple(number for number in codes if number in kept))


def plain(markdown: str, *, notes: bool = True) -> str | None:
    """The cell as one plain text, emphasis and links dropped; None for nothing."""
    if not _MARKED.search(markdown):
        return nothing(" ".join(markdown.split()))
    cell = parse(markdown, notes=notes)
    text = re.sub(_BREAK, " ", _STRONG.sub(r"\2", cell.text), flags=re.I)
    return nothing(" ".join(cell.put_back(text).split()))


def value(markdown: str) -> str | None:
    """The one value of a cell: its first code span, else its text; None for nothing."""
    if not markdown:
        return None
    cell = parse(markdown)
    return nothing(cell.held[cell.codes[0]].strip()) if cell.codes else plain(markdown)


def patterns(markdown: str) -> tuple[str, ...]:
    """The owned paths of a cell: code spans, else what commas, semicolons and line breaks separate.

    Beside code spans, other words count only if they look like a path.
    """
    return _many(markdown, _BETWEEN_PATHS, _PATHLIKE)


def needs(markdown: str) -> tuple[str, ...]:
    """The needed tasks of a cell, as written, `#` dropped. Beside code spans, other words count only with a digit."""
    return tuple(need.removeprefix("#") for need in _many(markdown, _BETWEEN_NEEDS, _NUMBERED))


def _many(markdown: str, separators: re.Pattern[str], beside_code: re.Pattern[str]) -> tuple[str, ...]:
    if not markdown:
        return ()
    cell = parse(markdown)
    code = frozenset(f"\x02{number}\x03" for number in cell.codes)
    found: list[str] = []
    for part in separators.split(cell.text):
        spans = [match[0] for match in _HELD.finditer(part) if match[0] in code]
        word = part.strip()
        if not spans and (strong := _STRONG_PATH.fullmatch(word)):
            word = strong[1]
        if not code or (not spans and beside_code.fullmatch(cell.put_back(word))):
            spans = [word]
        found += [cell.put_back(span).strip() for span in spans]
    return tuple(dict.fromkeys(one for one in found if nothing(one) is not None))


def written_text(text: str | None, *, notes: bool = True) -> str:
    """Markdown that `plain` reads as this text; line breaks become blanks. `notes` as in `parse`."""
    # An underscore inside a word marks nothing.
    special = r"[\\`*\[<" + ("(" if notes else "") + r"]|(?<![^\W_])_|_(?![^\W_])"
    return _piped(re.sub(special, r"\\\g<0>", " ".join((text or "").split()))) or "—"


def written_code(*values: str) -> str:
    """Markdown in which every value is a code span."""
    return ", ".join(_piped(_span(one)) for one in values if one) or "—"


def _span(text: str) -> str:
    runs = {len(run) for run in re.findall("`+", text)}
    fence = "`" * next(length for length in range(1, len(runs) + 2) if length not in runs)
    pad = " " if text[0] in " `" or text[-1] in " `" else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _piped(markdown: str) -> str:
    return markdown.replace("|", "\\|")
