"""`git fleet score`: was parallel worth it?"""

import click

from git_fleet import front


@click.command("score")
@click.option("--since", metavar="<date|operation>", help="Of all that has landed since then, whatever the plan says.")
@front.wide_option
@front.plan_option
@front.json_option
@front.common
def command(since: str | None, wide: bool, plan_file: str | None, as_json: bool) -> None:
    """Say whether working in parallel was worth it: time on the clock against the work one after the other, and what
    reviews, conflicts and gates have cost.

    Of the plan's tasks that have landed. What is not known is said to be unknown. Takes no lock and writes nothing.
    """
    from git_fleet.operations import context as contexts
    from git_fleet.operations import score
    from git_fleet.output import score as speech

    context = contexts.find(plan_file)
    found = score.look(context, since)
    if as_json:
        front.answer_json(speech.document(found))
    else:
        front.answer(speech.text(found, front.style(context.settings.color, wide=wide)))
