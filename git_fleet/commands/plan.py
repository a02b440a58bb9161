"""`git fleet plan`: what the plan says, and what thought makes of it."""

import click

from git_fleet import front
from git_fleet.model.errors import Exit
from git_fleet.model.plan import Severity


@click.command("plan")
@front.plan_option
@front.json_option
@front.common
def command(plan_file: str | None, as_json: bool) -> int:
    """Show tasks, waves, overlaps, joints and problems, and whether running them side by side is worth it.

    Exits with 1 when there is a problem or an overlap that no dependency excuses.
    """
    from git_fleet.analysis import view as views
    from git_fleet.operations import context as contexts
    from git_fleet.output import plan as speech

    context = contexts.find(plan_file)
    view = views.view(context.plan)
    if as_json:
        front.answer_json(speech.document(view))
    else:
        front.answer(speech.text(view, front.style(context.settings.color), here=context.repository.main))
        front.hint(speech.hints(view), wanted=context.settings.hints)
    errors = any(problem.severity is Severity.ERROR for problem in view.problems)
    return Exit.NO if errors or any(overlap.excused_by is None for overlap in view.overlaps) else Exit.DONE
