"""`git fleet plan set` and `drop`: what was, or would be, changed."""

from git_fleet.model.plan import Edit
from git_fleet.output.escape import safe


def text(edit: Edit, *, dry_run: bool) -> str:
    """One line: the task, the key, and its value before and after."""
    if edit.key is None:
        return safe(f"{'would drop' if dry_run else 'dropped'} {edit.task} from {edit.where}")
    if edit.before == edit.after:
        return safe(f"{edit.task}: {edit.key} is {_shown(edit.after)} already")
    change = f"{edit.task}: {edit.key} {_shown(edit.before)} -> {_shown(edit.after)}"
    return safe(f"{'would set ' if dry_run else ''}{change} in {edit.where}")


def hints(edit: Edit) -> tuple[str, ...]:
    """What to type next."""
    return (f"git fleet undo {edit.operation}   # takes it back",) if edit.operation else ()


def _shown(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values) or "unset"
