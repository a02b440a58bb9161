"""`git fleet add`: branch and worktree for tasks."""

import click

from git_fleet import front
from git_fleet.model.errors import Exit, Usage


@click.command("add")
@click.argument("tasks", nargs=-1, metavar="[<task>…]")
@click.option("--ready", is_flag=True, help="Every task whose needs have landed.")
@click.option("--wave", type=click.IntRange(min=1), metavar="<n>", help="Every task of this wave.")
@click.option("--all", "everything", is_flag=True, help="Every task that has not landed.")
@click.option("--allow-overlap", is_flag=True, help="Also where a task at work owns the same paths.")
@click.option("--owns", multiple=True, metavar="<pattern>", help="With a new task: paths that it owns.")
@click.option("--needs", multiple=True, metavar="<task>", help="With a new task: what must land before it.")
@front.dry_option
@front.plan_option
@front.common
def command(
    tasks: tuple[str, ...],
    ready: bool,
    wave: int | None,
    everything: bool,
    allow_overlap: bool,
    owns: tuple[str, ...],
    needs: tuple[str, ...],
    dry_run: bool,
    plan_file: str | None,
) -> int:
    """Create a branch from the base and a worktree for each task, or for a new one: "45 retry uploads".

    What is there as planned is left. Exits with 3 when a task was refused; the others are made. Exits with 1 when one
    is there, but could not be set up.
    """
    from git_fleet.operations import context as contexts
    from git_fleet.operations import create, outlook

    if not (tasks or ready or wave or everything):
        raise Usage("which tasks?", ["git fleet add --ready, or name them: git fleet add 42"])
    context = contexts.find(plan_file)
    before = outlook.view(context)
    contexts.refuse_broken_plan(before)
    row = create.typed(context, tasks, owns, needs)
    if row is not None:
        context, tasks = create.with_row(context, row), (row.id,)
    elif owns or needs:
        raise Usage("--owns and --needs describe a new task", ['git fleet add "45 retry uploads" --owns src/upload/'])
    view = outlook.view(context) if row is not None else before
    create.refuse_bad_row(before, view)
    request = create.Request(create.Selection(tasks, ready, wave, everything), allow_overlap, row)
    make = create.dry_run if dry_run else create.add
    outcome = make(context, view, request, front.listener())
    front.answer_raw("".join(f"{path}\n" for path in outcome.paths))
    if outcome.not_set_up:
        front.hint([f"git fleet add {' '.join(one.task for one in outcome.not_set_up)}   # tries it again"])
    return Exit.REFUSED if outcome.refused else Exit.NO if outcome.not_set_up else Exit.DONE
