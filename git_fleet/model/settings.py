"""What the user's git configuration says, with every default filled in."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Gate(NamedTuple):
    """A command that must succeed on the merged tree; `name` is "gate" for a plain `fleet.gate`, or "gate 2"."""

    name: str
    command: str


DISPOSABLE = (
    "node_modules",
    "__pycache__",
    "*.py[co]",
    ".venv",
    ".tox",
    ".nox",
    ".eggs",
    "*.egg-info",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
    ".gradle",
    ".next",
    ".nuxt",
    ".svelte-kit",
    ".parcel-cache",
    ".turbo",
    ".eslintcache",
    "*.tsbuildinfo",
    ".ccache",
    ".sass-cache",
    ".DS_Store",
    "Thumbs.db",
)
"""Ignored files that programs make again by themselves; whatever may be somebody's only copy is not among them."""


class Settings(NamedTuple):
    """`fleet.*` of the git configuration. Names are those of the keys."""

    plan: str | None = None
    base: str | None = None
    branch: str = "feature/{id}-{slug}"
    worktree: str = "../{repo}-{id}-{slug}"
    limit: int | None = None
    review_s: float = 900.0
    strategy: str = "merge"
    message: str | None = None
    """The template for the message of a merge or a squash."""
    gates: tuple[Gate, ...] = ()
    gate_mode: str = "each"
    gate_jobs: int = 1
    gate_timeout_s: float = 3600.0
    gate_retries: int = 1
    copy: tuple[str, ...] = ()
    """Patterns of ignored files that a new worktree gets, too."""
    setup: tuple[str, ...] = ()
    """Shell commands that are run in it."""
    ports: int = 10
    """How many a worktree gets."""
    port_base: int = 20000
    disposable: tuple[str, ...] = DISPOSABLE
    """The defaults first; an empty value of the key forgets all before it, as in git."""
    agent: str | None = None
    """Who works where the plan names nobody."""
    agents: Mapping[str, str] = MappingProxyType({})
    """name -> shell command"""
    quiet_after_s: float = 600.0
    write_status: bool = True
    sign: bool = False
    """`commit.gpgSign`."""
    color: str = "auto"
    """`color.fleet`, else `color.ui`."""
    hints: bool = True
    rows: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    """The `[fleet "<id>"]` sections in order: (id, ((key in lower case, value), …))."""
