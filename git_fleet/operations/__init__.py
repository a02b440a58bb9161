"""Floor 3, deeds: look at the world, ask thought for steps, journal them, carry them out, say events."""
