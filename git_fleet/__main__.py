"""`python -m git_fleet` is `git-fleet`."""

import sys

if not sys.flags.safe_path:  # `-m` puts the current directory first, and it may be a worktree with a `click.py` in it
    del sys.path[0]

from git_fleet.start import main

if __name__ == "__main__":
    main()
