"""Floor 1, doors: the only ways to git, its files and other programs. Values come out, never handles."""
