"""Floor 2, thought: pure functions from values to values. No git, clock, environment or files."""
