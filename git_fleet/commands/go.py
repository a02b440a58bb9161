"""`git fleet go`: wave by wave to the end."""

import click

from git_fleet import front


@click.command("go")
@click.argument("tasks", nargs=-1, metavar="[<task>…]")
@click.option("--review", is_flag=True, help="Land only what is marked as approved.")
@click.option("--no-gate", is_flag=True, help="Do not run the gates.")
@front.dry_option
@front.wide_option
@front.plan_option
@front.json_option
@front.common
def command(
    tasks: tuple[str, ...],
    review: bool,
    no_gate: bool,
    dry_run: bool,
    wide: bool,
    plan_file: str | None,
    as_json: bool,
) -> int:
    """Bring the plan to its end: create what is ready, start the agents, wait for them, land what is done, and again.

    With <task>, these and all that they need. What fails holds up what needs it; the rest goes on. Ends when all has
    landed, or with 4 (5 when a gate threw a branch out) when only a human can go on: type it again afterwards.
    """
    from git_fleet.model.going import Deed
    from git_fleet.operations import context as contexts
    from git_fleet.operations import go, scene
    from git_fleet.output import go as speech
    from git_fleet.output import words

    context = contexts.find_without_plan()
    front.say_what_changed(context)
    wish = scene.Wish(tasks, review, not no_gate, plan_file)
    going = go.dry_run(wish) if dry_run else go.go(wish, front.listener())
    if as_json:
        front.answer_json(speech.document(going, dry=dry_run))
    else:
        front.answer(speech.text(going, front.style(context.settings.color, wide=wide), dry=dry_run))
    if dry_run and going.turn.deed is not Deed.END:
        return going.code
    failure = speech.failure(going)
    if failure is not None:
        front.complain(failure)
    options = [
        *(("--review",) if review else ()),
        *(("--no-gate",) if no_gate else ()),
        *(("--plan", words.typed(plan_file)) if plan_file else ()),
    ]
    again = " ".join(["git fleet go", *options, *map(words.typed, tasks)])
    front.hint(speech.hints(going, again), wanted=context.settings.hints or failure is not None)
    return going.code
