"""Names come from strangers: what a terminal would obey, or hide, is made visible before it is shown."""

# Default ignorable in Unicode, yet not of the category "format": takes no room, so two names would look alike.
# U+FFFE and U+FFFF are no characters at all, and XML forbids them.
_INVISIBLE = (
    (0x034F, 0x034F),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x2065, 0x2065),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFF8),
    (0xFFFE, 0xFFFF),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)
_CONTROL = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def safe(text: str) -> str:
    """`text` on one line: controls, bidi marks, invisible characters and invalid bytes appear as `\\x1b`, `\\u202e`.

    Bytes that were not UTF-8 (surrogateescape) become `\\xNN`; the result can always be encoded as UTF-8.
    """
    if text.isascii() and text.isprintable():
        return text
    from unicodedata import category

    return "".join(_visible(char) if category(char) in _CONTROL or _invisible(char) else char for char in text)


def width(text: str) -> int:
    """Columns that `text` takes on a terminal: wide East Asian characters two, combining marks none."""
    if text.isascii():
        return len(text)
    from unicodedata import category, east_asian_width

    return sum(
        0 if category(char) in ("Mn", "Me") or "\u1160" <= char <= "\u11ff" else 1 + (east_asian_width(char) in "WF")
        for char in text
    )


def cut(text: str, columns: int, ellipsis: str) -> str:
    """`text` in at most `columns` columns, its end replaced by `ellipsis` where it is too long."""
    if width(text) <= columns:
        return text
    room = columns - len(ellipsis)
    if room < 1:
        return ellipsis[: max(columns, 0)]
    kept = ""
    for char in text:
        room -= width(char)
        if room < 0:
            break
        kept += char
    return kept + ellipsis


def _invisible(char: str) -> bool:
    return any(first <= ord(char) <= last for first, last in _INVISIBLE)


def _visible(char: str) -> str:
    code = ord(char)
    if char in "\n\t\r":
        return {"\n": "\\n", "\t": "\\t", "\r": "\\r"}[char]
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
