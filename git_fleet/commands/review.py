"""`git fleet review`: what to read before the next branch lands, timed; and the reader's answer."""

import click

from git_fleet import front
from git_fleet.model.errors import Usage
from git_fleet.model.fleet import State


@click.command("review")
@click.argument("task", required=False, metavar="[<task>]")
@click.option("--approve", is_flag=True, help="Say that it may land as it is.")
@click.option("--reject", is_flag=True, help="Say that it must not land; -m says why.")
@click.option("-m", "--message", "why", metavar="<why>", help="Say why; git fleet status shows it.")
@click.option("-p", "--patch", is_flag=True, help="Show its changes, too, as git diff does.")
@front.dry_option
@front.plan_option
@front.json_option
@front.common
def command(
    task: str | None,
    approve: bool,
    reject: bool,
    why: str | None,
    patch: bool,
    dry_run: bool,
    plan_file: str | None,
    as_json: bool,
) -> None:
    """Show what to read of a branch before it lands; without <task>, of the next in landing order that waits for it.

    The time runs from here to --approve or --reject; without <task>, those answer for the task in whose worktree you
    are, else for the one that you were shown last.
    """
    if approve and reject:
        raise Usage("--approve or --reject, not both")
    if reject and not (why or "").strip():
        raise Usage("--reject needs a reason", ["git fleet review --reject <task> -m '…'"])
    if why is not None and not (approve or reject):
        raise Usage("-m goes with --approve or --reject")
    if patch and (approve or reject or as_json):
        raise Usage("--patch goes with none of --approve, --reject and --json")
    if approve or reject:
        _answer(task, State.APPROVED if approve else State.REJECTED, why, plan_file, dry_run=dry_run, as_json=as_json)
    else:
        _show(task, plan_file, patch=patch, dry_run=dry_run, as_json=as_json)


def _answer(
    task: str | None, state: State, why: str | None, plan_file: str | None, *, dry_run: bool, as_json: bool
) -> None:
    from git_fleet.operations import context as contexts
    from git_fleet.operations import review
    from git_fleet.output import review as speech

    context = contexts.with_plan(contexts.find_without_plan(), plan_file)
    given = review.answer(context, task, state, why, dry=dry_run)
    if as_json:
        front.answer_json(speech.answer_document(context.base, given))
        return
    front.answer(speech.answer(given, dry=dry_run))
    front.hint([] if dry_run else ["the next: git fleet review"], wanted=context.settings.hints)


def _show(task: str | None, plan_file: str | None, *, patch: bool, dry_run: bool, as_json: bool) -> None:
    import sys

    from git_fleet.operations import context as contexts
    from git_fleet.operations import outlook, review
    from git_fleet.output import review as speech
    from git_fleet.repo import reading

    context = contexts.find(plan_file)
    view = outlook.view(context)
    contexts.refuse_broken_plan(view)
    page = review.look(context, view, task, remember=not dry_run)
    if page is not None and not dry_run:
        page = review.begin(context, page, front.listener())
    if as_json:
        front.answer_json(speech.document(context.base, page))
        return
    front.answer(speech.text(page, front.style(context.settings.color)))
    if page is None:
        return
    front.hint(speech.hints(page), wanted=context.settings.hints and not patch)
    if patch:
        sys.stdout.flush()
        reading.become_diff(context.repository, context.base.commit, page.tip)
