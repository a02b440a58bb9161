"""`git fleet plan`: what the plan says, and what thought makes of it; its editing and its other forms."""

from typing import TYPE_CHECKING

import click

from git_fleet import front
from git_fleet.model.errors import Exit, Usage
from git_fleet.model.plan import Severity

if TYPE_CHECKING:
    from git_fleet.operations import edit


@click.command("plan")
@click.argument("words", nargs=-1, metavar="[set <task> <key> [<value>…] | drop <task>]")
@click.option("--to", "form", type=click.Choice(["markdown", "config", "yaml"]), help="Print the plan in this form.")
@click.option(
    "--history",
    type=click.IntRange(min=0),
    metavar="<n>",
    help="Look for couplings in this many commits of the base (2000).",
)
@front.wide_option
@front.dry_option
@front.plan_option
@front.json_option
@front.common
def command(
    words: tuple[str, ...],
    form: str | None,
    history: int | None,
    wide: bool,
    dry_run: bool,
    plan_file: str | None,
    as_json: bool,
) -> int:
    """Show tasks, waves, overlaps, joints and problems, and whether running them side by side is worth it.

    Exits with 1 when the plan has an error, or an overlap that nothing excuses.

    With set, change one value of one task (no <value>: unset it); with drop, take a task out; nothing else changes.
    """
    if words:
        if form or as_json or wide:
            raise Usage("--to, --json and --wide show the plan: they go without set and drop")
        return _edit(words, plan_file, dry_run=dry_run)
    if dry_run or (form and as_json):
        raise Usage("--dry-run goes with set and drop" if dry_run else "--to and --json are two forms: choose one")
    return _convert(form, plan_file) if form else _show(plan_file, history, as_json=as_json, wide=wide)


def _show(plan_file: str | None, history: int | None, *, as_json: bool, wide: bool) -> int:
    from git_fleet.analysis import state as states
    from git_fleet.analysis import view as views
    from git_fleet.operations import context as contexts
    from git_fleet.operations import outlook
    from git_fleet.output import plan as speech

    context = contexts.find(plan_file)
    seen = outlook.look(context, outlook.HISTORY if history is None else history)
    view = views.view(context.plan, seen)
    if as_json:
        front.answer_json(speech.document(view))
    else:
        front.answer(speech.text(view, front.style(context.settings.color, wide=wide), here=context.repository.main))
        known = states.standings(context.plan, seen.snapshot, view.overlaps) if seen.snapshot else {}
        front.hint(speech.hints(view, {one.state for one in known.values()}), wanted=context.settings.hints)
    errors = any(problem.severity is Severity.ERROR for problem in view.problems)
    return Exit.NO if errors or any(overlap.excused_by is None for overlap in view.overlaps) else Exit.DONE


def _convert(form: str, plan_file: str | None) -> int:
    from git_fleet.model.events import Note
    from git_fleet.operations import context as contexts
    from git_fleet.operations import convert

    converted = convert.convert(contexts.find(plan_file), form)
    front.answer(converted.text)
    say = front.listener()
    for what in converted.lost:
        say(Note(f"not carried over: {what}"))
    return Exit.DONE


def _edit(words: tuple[str, ...], plan_file: str | None, *, dry_run: bool) -> int:
    from git_fleet.operations import context as contexts
    from git_fleet.operations import edit
    from git_fleet.output import edit as speech

    request = _request(words, plan_file)
    context = contexts.find(plan_file)
    done = edit.would(context, request) if dry_run else edit.edit(context, request, front.listener())
    front.answer(speech.text(done, dry_run=dry_run))
    front.hint(speech.hints(done), wanted=context.settings.hints)
    return Exit.DONE


def _request(words: tuple[str, ...], plan_file: str | None) -> "edit.Request":
    from git_fleet.operations.edit import Request

    match words:
        case ("set", task, key, *values):
            return Request(task, key.lower(), tuple(values), plan_file)
        case ("drop", task):
            return Request(task, plan_file=plan_file)
        case ("set", *_):
            raise Usage("set what?", ["git fleet plan set <task> <key> [<value>…]"])
        case ("drop", *_):
            raise Usage("drop which task?", ["git fleet plan drop <task>"])
    raise Usage(
        f"'{words[0]}' is nothing that a plan does", ["git fleet plan [set <task> <key> [<value>…] | drop <task>]"]
    )
