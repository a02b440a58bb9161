"""`git fleet land`: what is done goes onto the base, tested, one after another."""

import os

import click

from git_fleet import __version__, front
from git_fleet.model.errors import Exit, FleetError, Usage
from git_fleet.model.events import Listener
from git_fleet.model.landing import Ending, LandOutcome, Request
from git_fleet.model.plan import PlanView
from git_fleet.operations.context import Context

_CODES = (
    (Ending.STOPPED, Exit.STOPPED),
    (Ending.GATE_FAILED, Exit.GATE),
    (Ending.BASE_RED, Exit.GATE),
)


@click.command("land")
@click.argument("tasks", nargs=-1, metavar="[<task>…]")
@front.dry_option
@click.option("--script", is_flag=True, help="Print a shell script that does the same with plain git.")
@click.option("--onto", metavar="<branch>", help="Land on this branch instead of the base.")
@click.option("--order", metavar="<task>,…", help="Land these first, in this order, and say what that costs.")
@click.option(
    "--gate",
    "only",
    metavar="<name|command>",
    multiple=True,
    help="Run this gate, or this command, instead of all gates; may be repeated.",
)
@click.option(
    "--strategy",
    type=click.Choice(("merge", "squash", "rebase", "ff")),
    help="How a branch becomes commits of the base, instead of fleet.strategy.",
)
@click.option("--push", is_flag=True, help="Push the base when all is done.")
@click.option("--no-gate", is_flag=True, help="Do not run the gates.")
@click.option(
    "--keep-going/--no-keep-going",
    default=True,
    help="When a gate throws a branch out: go on with the others (the default), or end there.",
)
@click.option("--continue", "go_on", is_flag=True, help="Land the conflict that you resolved, and go on.")
@click.option("--skip", is_flag=True, help="Leave the conflicting branch out, and go on.")
@click.option("--park", is_flag=True, help="Put the conflicting branch behind all others, and go on.")
@click.option("--abort", is_flag=True, help="End a landing that stopped; what has landed stays.")
@front.wide_option
@front.plan_option
@front.json_option
@front.common
def command(
    tasks: tuple[str, ...],
    dry_run: bool,
    script: bool,
    onto: str | None,
    order: str | None,
    only: tuple[str, ...],
    strategy: str | None,
    push: bool,
    no_gate: bool,
    keep_going: bool,
    go_on: bool,
    skip: bool,
    park: bool,
    abort: bool,
    wide: bool,
    plan_file: str | None,
    as_json: bool,
) -> int:
    """Merge branches onto the base in an order that needs the fewest hand resolutions, each tested as it will land.

    Without <task>, all that have commits. The base moves once, to what was tested. Exits with 4 when a conflict
    waits for you, with 5 when a gate threw a branch out.
    """
    from git_fleet.operations import context as contexts
    from git_fleet.operations import outlook

    said = {"continue": go_on, "skip": skip, "park": park, "abort": abort}
    hows = [how for how, wanted in said.items() if wanted]
    if len(hows) > 1 or (hows and (tasks or dry_run or script or order or strategy or push)):
        raise Usage("--continue, --skip, --park and --abort stand alone", ["git fleet land --continue"])
    if script and as_json:
        raise Usage("--script prints a script, not JSON", ["git fleet land --dry-run --json"])
    context = contexts.find(plan_file, onto)
    view = outlook.view(context)
    contexts.refuse_broken_plan(view)
    front.say_what_changed(context)
    if only and (no_gate or hows):
        raise Usage("--gate goes with none of --no-gate, --continue, --skip, --park and --abort", ["git fleet land -h"])
    if strategy:
        context = context._replace(settings=context.settings._replace(strategy=strategy))
    typed = Request(tasks, not no_gate, _listed(order), only, keep_going, context.settings.strategy, push)
    request = _checked(context, typed)
    options = (*(("--onto", onto) if onto else ()), *(("--plan", plan_file) if plan_file else ()))
    refused = None
    if script or dry_run:
        outcome, refused = _simulated(context, view, request, script=script)
    else:
        outcome = _done(context, view, request, how=hows[0] if hows else None, say=front.listener())
    if outcome is not None:
        _speak(context, outcome, (options, request), as_json=as_json, wide=wide, hints=refused is None)
    _say_where_to_go(context)
    refused = refused or _not_pushed(outcome)
    if refused is not None:
        raise refused
    return _code(outcome) if outcome else Exit.DONE


def _checked(context: Context, request: Request) -> Request:
    """The request, if it makes sense. Raises Usage."""
    from git_fleet.operations import gate

    gate.chosen(context.settings, request)
    return request


def _code(outcome: LandOutcome) -> int:
    """A gate that threw somebody out weighs more than a conflict that waits as well."""
    thrown_out = outcome.gates is not None and outcome.gates.evicted
    return Exit.GATE if thrown_out else dict(_CODES).get(outcome.ending, Exit.DONE)


def _simulated(
    context: Context, view: PlanView, request: Request, *, script: bool
) -> tuple[LandOutcome | None, FleetError | None]:
    """The certificate, and why `land` would refuse to carry it out."""
    from git_fleet.operations import gate, land, scripting
    from git_fleet.operations.prepare import dry_run, prepare
    from git_fleet.output import script as scripts
    from git_fleet.output.escape import safe
    from git_fleet.repo import merging

    with merging.quarantine(context.repository, context.base.commit) as place:
        prepared = prepare(context, view, request, place, anew=script)
        told = scripting.told(context, prepared) if script else {}
        refused = None if script else land.would_refuse(context, prepared)
    outcome = dry_run(context, prepared)
    for brought in prepared.brought:
        front.note(safe(brought))
    if not script:
        return outcome, refused
    commands = gate.chosen(context.settings, request)
    way = scripts.Way(context.settings.strategy, told, prepared.start)
    front.answer_raw(scripts.script(context.base, outcome.steps, commands, outcome.tree, version=__version__, way=way))
    return None, None


def _listed(order: str | None) -> tuple[str, ...]:
    """`a, b,c`. Raises Usage for a name that comes twice."""
    names = tuple(name.strip() for name in (order or "").split(",") if name.strip())
    if order is not None and (not names or len(set(names)) < len(names)):
        raise Usage("--order takes task ids, each once, with commas between", ["git fleet land --order 42,43"])
    return names


def _not_pushed(outcome: LandOutcome | None) -> FleetError | None:
    from git_fleet.operations import push

    return push.failure(outcome.push, outcome.base.branch) if outcome and outcome.push else None


def _say_where_to_go(context: Context) -> None:
    """Whoever stood in the lane stands nowhere now, or in the trash: the shell shows neither."""
    top = context.repository.top
    if top is not None and not os.path.isdir(top):
        from shlex import quote

        front.hint([f"you stood in the lane, which is gone: cd {quote(context.repository.main)}"])


def _done(
    context: Context,
    view: PlanView,
    request: Request,
    *,
    how: str | None,
    say: Listener,
) -> LandOutcome | None:
    from git_fleet.operations import land, push

    if how == "abort":
        land.abort(context, say)
        return None
    after_a_stop = {"continue": land.go_on, "skip": land.skip, "park": land.park}
    outcome = after_a_stop[how](context, view, say) if how else land.land(context, view, request, say)
    return push.of(context, outcome)


def _speak(
    context: Context,
    outcome: LandOutcome,
    typed: tuple[tuple[str, ...], Request],
    *,
    as_json: bool,
    wide: bool,
    hints: bool,
) -> None:
    from git_fleet.operations import context as contexts
    from git_fleet.operations import gate
    from git_fleet.output import land as speech
    from git_fleet.output.escape import safe

    if as_json:
        front.answer_json(speech.document(outcome))
    else:
        front.answer(speech.text(outcome, front.style(context.settings.color, wide=wide)))
    failure = speech.failure(outcome)
    if failure is not None:
        for line in gate.last_lines(outcome.log):
            click.echo(f"    {safe(line)}", err=True)
        if outcome.log:
            click.echo(f"all that the gate said: {safe(outcome.log)}", err=True)
        front.complain(failure)
    if hints and (failure is not None or not as_json):
        clears = contexts.is_base(context, outcome.base.branch)
        options, request = typed
        again = (*(word for gate in request.only for word in ("--gate", gate)),)
        again += () if request.keep_going else ("--no-keep-going",)
        words = speech.Typed(options, not request.gates, request.names, ",".join(request.order), again)
        told = speech.hints(outcome, words, clears=clears)
        front.hint(told, wanted=context.settings.hints or failure is not None)
