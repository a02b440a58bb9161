"""`python -m git_fleet` is `git-fleet`."""

from git_fleet.start import main

if __name__ == "__main__":
    main()
