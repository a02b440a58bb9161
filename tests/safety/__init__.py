"""The harness that proves that nothing is ever lost."""

import os

TORTURE = int(os.environ.get("FLEET_TORTURE", "0"))
"""How many seeds the races get; with any, all steps of all deeds are disturbed, which takes hours. 0: what CI does."""
