"""Floor 1, a door: where a plan comes from, and how a status or a new task goes back to it."""
