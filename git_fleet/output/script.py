"""The merge-order script: the same landing with plain git and a POSIX shell.

Nothing of a name is ever shell text: what the shell sees is quoted, what a terminal or a comment sees is escaped.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from git_fleet.model.fleet import Base
from git_fleet.model.landing import Action, Step, Told, merge_message
from git_fleet.model.settings import Gate
from git_fleet.output import words
from git_fleet.output.escape import safe

_START = r"""
set -u

say() {
    printf '%s\n' "$*" >&2
}

refuse() {
    say "error: $*"
    exit 3
}

landed() {
    git merge-base --is-ancestor "$1" HEAD 2>/dev/null
}

# came <task>: a commit that names it lies beyond the base's commit, from an earlier run.
came() {
    git log --format='%(trailers:key=Fleet-Task,valueonly)' "$start..HEAD" | grep -F -x -q -e "$1"
}

# pin <label> <ref> <tip> <task>: the branch is where it was, or has landed. In a fresh clone only a remote has it.
pin() {
    if landed "$3" || came "$4"; then
        return
    fi
    now=$(git rev-parse --verify --quiet "$2^{commit}") ||
        now=$(git for-each-ref --format='%(objectname)' "refs/remotes/*/${2#refs/heads/}" | grep -F -x "$3") ||
        refuse "$1: the branch is gone, or elsewhere at its remote; to have it where it was: git branch <branch> $3"
    [ "${now%%[!0-9a-f]*}" = "$3" ] || refuse "$1: the branch moved from $3 to $now; ask git fleet for a new script"
}

# ours <commit> <second parent> <tips>: did an earlier run make it, or fast-forward to it?
ours() {
    for tip in $3; do
        [ "$2" = "$tip" ] || git merge-base --is-ancestor "$1" "$tip" 2>/dev/null && return
    done
    task=$(git show -s --format='%(trailers:key=Fleet-Task,valueonly)' "$1")
    [ -n "$task" ] && printf '%s\n' "$tasks" | grep -F -x -q -e "$task"
}

# pin_base <label> <ref> <commit> <tips>: beyond the commit lies only what an earlier run has landed.
pin_base() {
    start=$3
    [ "$(git symbolic-ref --quiet HEAD)" = "$2" ] || refuse "$1 is not the branch checked out here"
    git rev-parse --verify --quiet MERGE_HEAD >/dev/null && refuse "a merge waits here: git commit or git merge --abort"
    # Untracked files are let be: this script may be one of them.
    changes=$(git status --porcelain --untracked-files=no) || refuse 'git status failed'
    [ -z "$changes" ] || refuse "uncommitted changes here: commit them elsewhere first"
    landed "$3" || refuse "$1 no longer contains $3; ask git fleet for a new script"
    git rev-list --first-parent --parents "$3..HEAD" | while read -r commit _ second _; do
        ours "$commit" "$second" "$4" || exit 1
    done || refuse "$1 moved on from $3; ask git fleet for a new script"
}

# gate <name> <command> <label>
gate() {
    say "$1 runs on $3"
    sh -c "$2" </dev/null && return
    say "error: $1 failed on $3"
    return 5
}

# tested <label>: the gates say yes; else it ends here.
tested() {
    gates "$1" && return
    say "hint: to take this merge back: git reset --keep $before"
    exit 5
}

# new <label> <tip>: it has not landed yet.
new() {
    before=$(git rev-parse HEAD)
    if landed "$2" || came "$FLEET_TASK"; then
        say "$1 has landed already"
        return 1
    fi
}

# land <label> <tip> <message> <paths where a conflict is expected>
land() {
    new "$1" "$2" || return 0
    [ -z "$4" ] || say "$1 is expected to conflict in: $4"
    if git merge --no-ff --no-log -m "$3" "$2"; then
        tested "$1"
        return
    fi
    git rev-parse --verify --quiet MERGE_HEAD >/dev/null || {
        say "error: git could not merge $1"
        exit 1
    }
    say "stopped at $1: resolve the conflict here and git add the files"
    say "hint: then git commit --no-edit --cleanup=strip, and run this script again"
    say "hint: to leave it out: git merge --abort, and delete its line from this script"
    exit 4
}

# certify <tree> <tips of the stops> <their tasks>: without anything resolved by hand, the result is known.
certify() {
    for tip in $2; do
        landed "$tip" && return
    done
    for task in $3; do
        came "$task" && return
    done
    made=$(git rev-parse 'HEAD^{tree}')
    [ "$made" = "$1" ] && return
    say "error: the tree is $made, and should be $1"
    exit 1
}
"""


_SQUASH = r"""
# squash <label> <tip> <message> <author's name> <mail> <date>: one commit, made beside the base.
squash() {
    if new "$1" "$2"; then
        tree=$(git merge-tree --write-tree --no-messages "$line" "$2") || failed "$1"
        made=$(
            if [ -n "$4" ]; then
                export GIT_AUTHOR_NAME="$4" GIT_AUTHOR_EMAIL="$5" GIT_AUTHOR_DATE="$6"
            fi
            printf '%s' "$3" | git commit-tree "$tree" -p HEAD -F -
        ) || failed "$1"
        git merge --ff-only --quiet "$made" || failed "$1"
        tested "$1"
    fi
    # Whatever stands on this branch meets its commits on the line, as if it had been merged.
    line=$(git commit-tree 'HEAD^{tree}' -p "$line" -p "$2" -m x) || failed "$1"
}

failed() {
    say "error: git could not land $1"
    exit 1
}

# squash_by_hand <label> <tip> <message> <paths where a conflict is expected>
squash_by_hand() {
    new "$1" "$2" || return 0
    say "$1 is expected to conflict in: $4"
    git merge --squash "$2"
    printf '%s' "$3" >"$(git rev-parse --git-path SQUASH_MSG)"
    say "stopped at $1: resolve what conflicts here and git add the files"
    say "hint: then git commit --no-edit --cleanup=strip, and run this script again"
    say "hint: to leave it out: git reset --merge, and delete its line from this script"
    exit 4
}
"""

_REBASE = r"""
failed() {
    say "error: git could not land $1"
    git cherry-pick --abort 2>/dev/null
    git checkout --quiet "$FLEET_BASE" --
    exit 1
}

# pick <label> <commit> <message>: again on top of HEAD, which is no branch meanwhile: the base moves at the end.
pick() {
    git cherry-pick --allow-empty --keep-redundant-commits "$2" >/dev/null || failed "$1"
    printf '%s' "$3" | git commit --amend --quiet --allow-empty --no-verify --cleanup=verbatim -F - || failed "$1"
}

# rebase_by_hand <label> <tip> <branch> <paths where a conflict is expected>
rebase_by_hand() {
    new "$1" "$2" || return 0
    say "$1 is expected to conflict in: $4"
    say "stopped at $1: git rebase $FLEET_BASE $3, resolve what conflicts, then ask git fleet for a new script"
    say "hint: to leave it out: delete its line from this script"
    exit 4
}

# moved <label>: the base goes to what was picked.
moved() {
    picked=$(git rev-parse HEAD)
    git checkout --quiet "$FLEET_BASE" -- || failed "$1"
    git merge --ff-only --quiet "$picked" || failed "$1"
    tested "$1"
}
"""

_FORWARD = r"""
# forward <label> <tip>
forward() {
    new "$1" "$2" || return 0
    git merge --ff-only --quiet "$2" || {
        say "error: git could not fast-forward to $1"
        exit 1
    }
    tested "$1"
}
"""

_MORE = MappingProxyType({"squash": _SQUASH, "rebase": _REBASE, "ff": _FORWARD})
"""What the strategies need besides."""


class Way(NamedTuple):
    """How the steps land: by the strategy, with what their commits say by task id. `start` are commits that count as
    landed although the base lacks them."""

    strategy: str = "merge"
    told: Mapping[str, Told] = MappingProxyType({})
    start: tuple[str, ...] = ()


def script(
    base: Base, steps: Sequence[Step], gates: Sequence[Gate], tree: str | None, *, version: str, way: Way | None = None
) -> str:
    """A POSIX shell script that lands `steps` on `base` in their order, final newline included.

    `tree` is what the steps that land without a human make of the base; None: not known, not checked.
    It is to be written as bytes with surrogateescape: branch names need not be UTF-8.
    """
    way = way or Way()
    lands = [step for step in steps if step.action is Action.LAND]
    stops = [step for step in steps if step.action is Action.STOP]
    lines = [
        *_introduction(base, steps, version),
        _START,
        *([more] if (more := _MORE.get(way.strategy)) else []),
        *_gates(base, gates),
        "",
        "# The shell reads all of this before it does any of it: a merge may change the file it stands in.",
        "main() {",
        *(f"    {line}" for line in _body(base, lands, stops, tree, way, gated=bool(gates))),
        "}",
        "",
        "main",
    ]
    return "\n".join(lines) + "\n"


def _introduction(base: Base, steps: Sequence[Step], version: str) -> list[str]:
    return [
        "#!/bin/sh",
        f"# Written by git fleet {version}: lands these branches on {safe(base.branch)} in this order.",
        *(f"#   {step.action} {_label(step)}: {safe(step.reason)}" for step in steps),
        f"# Run it in the worktree that has {safe(base.branch)} checked out, again after every stop:",
        "# what has landed is left alone. Exit status: 0 all landed, 1 git failed or the result is not as expected,",
        "# 3 refused and nothing changed, 4 a conflict waits to be resolved, 5 a gate failed.",
        "# SC2016: names may contain $. SC2034: gates read FLEET_*. SC2317: with nothing to land, nothing calls land.",
        "# shellcheck disable=SC2016,SC2034,SC2317",
    ]


def _gates(base: Base, gates: Sequence[Gate]) -> list[str]:
    calls = [f'    gate {_quoted(safe(gate.name))} {_quoted(gate.command)} "$1"' for gate in gates]
    return [
        f"FLEET_BASE={_quoted(base.branch)}",
        "export FLEET_BASE FLEET_TASK FLEET_TITLE FLEET_BRANCH",
        "",
        "# gates <label>",
        "gates() {",
        " &&\n".join(calls) or "    :",
        "}",
    ]


def _body(
    base: Base, lands: Sequence[Step], stops: Sequence[Step], tree: str | None, way: Way, *, gated: bool
) -> list[str]:
    tips = _quoted(" ".join(step.tip for step in (*lands, *stops)))
    label = _quoted(safe(base.branch))
    tasks = "\n".join(step.id for step in (*lands, *stops))
    return [
        'cd "$(git rev-parse --show-toplevel)" || exit 3',
        f"tasks={_quoted(tasks)}",
        f"pin_base {label} {_quoted(base.ref)} {base.commit} {tips}",
        *(
            f"pin {_quoted(_label(step))} {_quoted(_ref(step))} {step.tip} {_quoted(step.id)}"
            for step in (*lands, *stops)
        ),
        *([f"gates {label} || exit 5"] if gated else []),
        *_line(base, lands, way),
        *(line for step in lands for line in _land(step, base, way)),
        *([_certify(tree, stops)] if tree else []),
        *(line for step in stops for line in _land(step, base, way)),
        "say 'all landed'",
    ]


def _line(base: Base, lands: Sequence[Step], way: Way) -> list[str]:
    """The make-believe commit on which the first branch is squashed."""
    if way.strategy != "squash" or not lands:
        return []
    parents = " ".join(f"-p {commit}" for commit in (base.commit, *way.start))
    return [f"line=$(git commit-tree '{base.commit}^{{tree}}' {parents} -m x) || exit 1"]


def _certify(tree: str, stops: Sequence[Step]) -> str:
    tips = " ".join(step.tip for step in stops)
    return f"certify {tree} {_quoted(tips)} {_quoted(' '.join(step.id for step in stops))}"


def _land(step: Step, base: Base, way: Way) -> list[str]:
    default = Told(merge_message(step.branch, step.id, base.branch, step.agent))
    told = way.told.get(step.id, default)
    who = f"FLEET_TASK={_quoted(step.id)} FLEET_TITLE={_quoted(step.title)} FLEET_BRANCH={_quoted(step.branch)}"
    label = _quoted(_label(step))
    if step.action is Action.LAND and way.strategy == "ff":
        return [who, f"forward {label} {step.tip}"]
    if step.action is Action.LAND and way.strategy == "rebase":
        picks = [f"    pick {label} {commit} {_quoted(message)}" for commit, message in told.picks]
        return [
            who,
            f"if new {label} {step.tip}; then",
            "    git checkout --quiet --detach",
            *picks,
            f"    moved {label}",
            "fi",
        ]
    if step.action is Action.LAND and way.strategy == "squash":
        author = told.author
        by = (author.name, author.mail, author.date) if author else ("", "", "")
        return [who, " ".join(["squash", label, step.tip, *map(_quoted, (told.message, *by))])]
    expected = _expected(step)
    if way.strategy == "rebase":
        return [who, " ".join(["rebase_by_hand", label, step.tip, _quoted(safe(step.branch)), _quoted(expected)])]
    how = "squash_by_hand" if way.strategy == "squash" else "land"
    return [who, " ".join([how, label, step.tip, *map(_quoted, (told.message.rstrip("\n"), expected))])]


def _expected(step: Step) -> str:
    """Where a step is expected to conflict; nothing where it is not."""
    return words.listed(step.conflicts) or ("paths unknown" if step.action is Action.STOP else "")


def _label(step: Step) -> str:
    return safe(f"{step.id} {step.branch}")


def _ref(step: Step) -> str:
    return step.branch if step.branch.startswith("refs/") else f"refs/heads/{step.branch}"


def _quoted(text: str) -> str:
    """One word of the shell; in double quotes where single ones would be hard to read."""
    from shlex import quote

    return f'"{text}"' if "'" in text and not set(text) & set('"$`\\!') else quote(text)
