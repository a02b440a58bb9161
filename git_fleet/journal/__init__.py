"""Floor 1, doors: what happened and what was meant (SQLite), and the locks."""
