"""The harness that proves that nothing is ever lost."""

import os

TORTURE = int(os.environ.get("FLEET_TORTURE", "0"))
"""How many seeds there are; with any, all steps of all deeds are disturbed, which takes hours. 0: what CI does."""
_part, _, _of = os.environ.get("FLEET_SHARE", "1/1").partition("/")
SHARE = slice(int(_part) - 1, None, int(_of))
"""Of what only torture tries, `2/8` tries every eighth from the second on: eight such runs try all of it."""
SEEDS = range(TORTURE)[SHARE] if TORTURE else range(1)
