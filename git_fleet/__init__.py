"""git fleet: carry a set of branches from plan to landed."""

__version__ = "0.1.0"
