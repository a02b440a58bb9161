"""`git fleet check`: who is in whose way, by real merges, while the work is still going on."""

from typing import NamedTuple

import click

from git_fleet import front
from git_fleet.model.check import Check
from git_fleet.model.errors import Exit, FleetError, Usage
from git_fleet.operations import context as contexts
from git_fleet.operations.context import Context
from git_fleet.output import words
from git_fleet.output.escape import safe

_POLL_S = 0.25
"""How often a watcher looks whether anything has moved."""


@click.command("check")
@click.argument("tasks", nargs=-1, metavar="[<task>…]")
@click.option("--refs", multiple=True, metavar="<pattern>", help="Check these branches, whatever the plan says.")
@click.option("--onto", metavar="<branch>", help="Take this branch for the base.")
@click.option("--committed", is_flag=True, help="Leave uncommitted work out.")
@click.option("--hook", metavar="<file>", help="May this file be written here? Exit with 2 if not.")
@click.option(
    "--watch",
    is_flag=False,
    flag_value="2",
    metavar="<seconds>",
    help="Look again and again, at least every 2 seconds.",
)
@front.plan_option
@front.json_option
@front.common
def command(
    tasks: tuple[str, ...],
    refs: tuple[str, ...],
    onto: str | None,
    committed: bool,
    hook: str | None,
    watch: str | None,
    plan_file: str | None,
    as_json: bool,
) -> int:
    """Show real conflicts of branches with the base and with each other, uncommitted work included, and drift.

    Without <task>, of every task in flight and every worktree. One <task> is checked against all others, several
    against each other. Exits with 1 when there is a conflict, drift, or something that git cannot tell.
    """
    if hook is not None:
        if refs or onto or committed or watch or as_json:
            raise Usage("--hook stands alone, with further files")
        return _hook((hook, *tasks), plan_file)
    if refs and (tasks or plan_file):
        raise Usage("--refs names branches: it goes with no task and no plan")
    asked = _Asked(tasks, refs, onto, committed, plan_file)
    if watch is None:
        return _shown(asked, as_json=as_json)
    if as_json:
        raise Usage("--watch is for people: not with --json")
    return _watched(asked, _seconds(watch))


class _Asked(NamedTuple):
    """What the command line asks for."""

    tasks: tuple[str, ...]
    refs: tuple[str, ...]
    onto: str | None
    committed: bool
    plan_file: str | None

    def look(self, *, hunks: bool) -> tuple[Check, Context]:
        """One look, from scratch."""
        from git_fleet.operations import check

        context = contexts.find_without_plan(self.onto)
        if self.refs:
            return check.of_refs(context, self.refs, committed=self.committed, hunks=hunks), context
        context = contexts.with_marks(contexts.with_plan(context, self.plan_file))
        from git_fleet.operations import outlook

        view = outlook.view(context)
        found = check.of_fleet(context, view, self.tasks, committed=self.committed, hunks=hunks)
        return found, context


def _shown(asked: _Asked, *, as_json: bool) -> int:
    from git_fleet.output import check as speech

    found, context = asked.look(hunks=front.verbose() and not as_json)
    if as_json:
        front.answer_json(speech.document(found))
    else:
        front.answer(speech.text(found, front.style(context.settings.color)))
        front.hint(speech.hints(found), wanted=context.settings.hints)
    return Exit.DONE if found.well else Exit.NO


def _hook(files: tuple[str, ...], plan_file: str | None) -> int:
    from git_fleet.operations import hook

    answer = hook.judge(files, plan_file)
    if answer.block:
        front.complain(safe(answer.block))
        return Exit.BLOCK
    if answer.note and front.verbose():
        front.note(answer.note)
    return Exit.DONE


def _watched(asked: _Asked, seconds: float) -> int:
    """Until interrupted. A look that fails is a frame too: somebody may be in the middle of an edit."""
    import time

    from git_fleet.operations import glance, pulse

    repository, _ = glance.find()
    began, frame = time.monotonic(), ""
    while True:
        beat, start = pulse.take(repository), time.monotonic()
        screen = _screen(asked)
        looked = time.monotonic()
        while True:
            now = time.monotonic()
            footer = (
                f"watching for {words.age(now - began)}; looked {words.age(now - looked)} ago in {looked - start:.2f}s"
            )
            frame = front.redraw(screen, footer, frame)
            due = now - looked >= seconds and not asked.committed
            if due or pulse.take(repository) != beat:
                break
            time.sleep(min(_POLL_S, seconds))


def _screen(asked: _Asked) -> str:
    from git_fleet.output import check as speech
    from git_fleet.output import sentences

    try:
        found, context = asked.look(hunks=front.verbose())
    except FleetError as error:
        return "\n".join(sentences.error(error))
    return speech.text(found, front.style(context.settings.color))


def _seconds(word: str) -> float:
    """Raises Usage for what is no interval, and where nobody could watch."""
    import re

    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,3})?", word) or float(word) == 0:
        raise Usage(f"'{word}' is no number of seconds: --watch=<seconds>, tasks before it")
    if not front.on_terminal():
        raise Usage("--watch needs a terminal on standard output; elsewhere use --json")
    return float(word)
