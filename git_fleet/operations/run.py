"""One landing while it runs: what its parts hand to each other."""

from typing import NamedTuple

from git_fleet.journal import database, locks
from git_fleet.model.events import Listener
from git_fleet.model.landing import Request
from git_fleet.operations.context import Context


class Run(NamedTuple):
    """A landing under the base's lock; `operation` is its number in the journal."""

    context: Context
    journal: database.Journal
    lock: locks.Lock
    operation: int
    request: Request
    say: Listener
