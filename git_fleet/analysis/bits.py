"""Sets of small numbers as the bits of one int: a thousand branches are a set of 125 bytes."""

from collections.abc import Iterable, Iterator


def bits(mask: int) -> Iterator[int]:
    """The places of the bits that are set, lowest first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def mask_of(places: Iterable[int]) -> int:
    """The int with these bits set."""
    mask = 0
    for place in places:
        mask |= 1 << place
    return mask
