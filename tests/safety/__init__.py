"""The harness that proves that nothing is ever lost."""

import os

TORTURE = float(os.environ.get("FLEET_TORTURE", "0"))
"""Minutes."""
