"""The entry point. `status` mostly waits for the disk: its first look begins before the rest of the program is loaded.

Loading click takes as long as looking into four worktrees of 5,000 files.
"""

import os
import sys


def _forget_worktree() -> None:
    """With PYTHONPATH=. and the like, Python would load what lies in a worktree: a `click.py`, say."""
    try:
        here = os.getcwd()
    except FileNotFoundError:
        here = ""
    own = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    sys.path[:] = [place for place in sys.path if place == own or (os.path.isabs(place) and place != here)]


def main() -> None:
    """Run the command line of this process and exit with its code."""
    _forget_worktree()
    words = sys.argv[1:]
    early = None
    if words[:1] == ["status"] and not {"-h", "--help"} & set(words):
        from git_fleet.model.errors import FleetError
        from git_fleet.operations import glance

        try:
            early = glance.begin()
        except FleetError:  # said by the command, which looks again
            early = None
    from git_fleet import cli

    cli.main(words, early)
