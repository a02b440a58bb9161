"""How text may look: width, colour, signs. Chosen once by the front door and passed down."""

from typing import NamedTuple

COOL = "36"
"""Waits: nothing to do."""
WARM = "33"
"""Act: somebody should look."""
DIM = "2"
"""Done with."""
BOLD = "1"


class Style(NamedTuple):
    """`width`: columns of the terminal, None when there is none (then nothing is cut or left out)."""

    width: int | None = None
    color: bool = False
    ascii: bool = False
    wide: bool = False
    """Show every column whatever the width."""
    verbose: bool = False

    @property
    def limit(self) -> int | None:
        """Columns that a table may take; None for as many as it needs."""
        return None if self.wide or not self.width or self.width < 0 else self.width


def ellipsis(style: Style) -> str:
    """What stands where text was cut; the only sign that is not a word."""
    return "..." if style.ascii else "…"


def paint(text: str, tone: str, style: Style) -> str:
    """`text` in one of the tones above; unchanged without colour, without tone, or when empty."""
    return f"\033[{tone}m{text}\033[m" if style.color and tone and text else text
