"""`plan --to`: the plan in another form, from the rows as they stand in its source, gaps left open."""

from git_fleet.model.plan import SourceKind
from git_fleet.operations.context import Context
from git_fleet.plan import convert as forms
from git_fleet.plan import source
from git_fleet.plan.convert import Converted
from git_fleet.plan.sheet import Sheet


def convert(context: Context, form: str) -> Converted:
    """The text of the plan as `markdown`, `config` or `yaml`, and what of it that form cannot hold; read-only."""
    found = sheet(context)
    if form == "markdown":
        return forms.to_markdown(found)
    return forms.to_config(found) if form == "config" else forms.to_yaml(found)


def sheet(context: Context) -> Sheet:
    """The rows of the plan as they stand; for one made up from the worktrees, their branches and places."""
    if context.plan.source.kind is SourceKind.WORKTREES:
        return forms.of_plan(context.plan, context.repository.main)
    return source.sheet(context.plan.source, context.settings)
