"""The merge-order script: the same landing with plain git and a POSIX shell.

Nothing of a name is ever shell text: what the shell sees is quoted, what a terminal or a comment sees is escaped.
"""

from collections.abc import Sequence

from git_fleet.model.fleet import Base
from git_fleet.model.landing import Action, Step, merge_message
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

# pin <label> <ref> <tip>: the branch is where it was, or has landed. In a fresh clone only a remote has it.
pin() {
    landed "$3" && return
    now=$(git rev-parse --verify --quiet "$2^{commit}") ||
        now=$(git for-each-ref --format='%(objectname)' "refs/remotes/*/${2#refs/heads/}" | grep -F -x "$3") ||
        refuse "$1: the branch is gone, or elsewhere at its remote; to have it where it was: git branch <branch> $3"
    [ "${now%%[!0-9a-f]*}" = "$3" ] || refuse "$1: the branch moved from $3 to $now; ask git fleet for a new script"
}

# pin_base <label> <ref> <commit> <tips>: beyond the commit lie only merges of the tips, from an earlier run.
pin_base() {
    [ "$(git symbolic-ref --quiet HEAD)" = "$2" ] || refuse "$1 is not the branch checked out here"
    git rev-parse --verify --quiet MERGE_HEAD >/dev/null && refuse "a merge waits here: git commit or git merge --abort"
    # Untracked files are let be: this script may be one of them.
    changes=$(git status --porcelain --untracked-files=no) || refuse 'git status failed'
    [ -z "$changes" ] || refuse "uncommitted changes here: commit them elsewhere first"
    landed "$3" || refuse "$1 no longer contains $3; ask git fleet for a new script"
    git rev-list --first-parent --parents "$3..HEAD" | while read -r _ _ second _; do
        case " $4 " in
            *" $second "*) ;;
            *) exit 1 ;;
        esac
    done || refuse "$1 moved on from $3; ask git fleet for a new script"
}

# gate <name> <command> <label>
gate() {
    say "$1 runs on $3"
    sh -c "$2" </dev/null && return
    say "error: $1 failed on $3"
    return 5
}

# land <label> <tip> <subject> <trailer> <paths where a conflict is expected>
land() {
    if landed "$2"; then
        say "$1 has landed already"
        return
    fi
    [ -z "$5" ] || say "$1 is expected to conflict in: $5"
    before=$(git rev-parse HEAD)
    if git merge --no-ff --no-log -m "$3" -m "$4" "$2"; then
        gates "$1" && return
        say "hint: to take this merge back: git reset --keep $before"
        exit 5
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

# certify <tree> <tips of the stops>: without anything resolved by hand, the result is known beforehand.
certify() {
    for tip in $2; do
        landed "$tip" && return
    done
    made=$(git rev-parse 'HEAD^{tree}')
    [ "$made" = "$1" ] && return
    say "error: the tree is $made, and should be $1"
    exit 1
}
"""


def script(base: Base, steps: Sequence[Step], gates: Sequence[Gate], tree: str | None, *, version: str) -> str:
    """A POSIX shell script that lands `steps` on `base` in their order, final newline included.

    `tree` is what the steps that land without a human make of the base; None: not known, not checked.
    It is to be written as bytes with surrogateescape: branch names need not be UTF-8.
    """
    lands = [step for step in steps if step.action is Action.LAND]
    stops = [step for step in steps if step.action is Action.STOP]
    lines = [
        *_introduction(base, steps, version),
        _START,
        *_gates(base, gates),
        "",
        "# The shell reads all of this before it does any of it: a merge may change the file it stands in.",
        "main() {",
        *(f"    {line}" for line in _body(base, lands, stops, tree, gated=bool(gates))),
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


def _body(base: Base, lands: Sequence[Step], stops: Sequence[Step], tree: str | None, *, gated: bool) -> list[str]:
    tips = _quoted(" ".join(step.tip for step in (*lands, *stops)))
    label = _quoted(safe(base.branch))
    return [
        'cd "$(git rev-parse --show-toplevel)" || exit 3',
        f"pin_base {label} {_quoted(base.ref)} {base.commit} {tips}",
        *(f"pin {_quoted(_label(step))} {_quoted(_ref(step))} {step.tip}" for step in (*lands, *stops)),
        *([f"gates {label} || exit 5"] if gated else []),
        *(line for step in lands for line in _land(step, base)),
        *([f"certify {tree} {_quoted(' '.join(step.tip for step in stops))}"] if tree else []),
        *(line for step in stops for line in _land(step, base)),
        "say 'all landed'",
    ]


def _land(step: Step, base: Base) -> list[str]:
    subject, _, trailer = merge_message(step.branch, step.id, base.branch, step.agent).rstrip("\n").partition("\n\n")
    expected = words.listed(step.conflicts) or ("paths unknown" if step.action is Action.STOP else "")
    return [
        f"FLEET_TASK={_quoted(step.id)} FLEET_TITLE={_quoted(step.title)} FLEET_BRANCH={_quoted(step.branch)}",
        " ".join(["land", _quoted(_label(step)), step.tip, *map(_quoted, (subject, trailer, expected))]),
    ]


def _label(step: Step) -> str:
    return safe(f"{step.id} {step.branch}")


def _ref(step: Step) -> str:
    return step.branch if step.branch.startswith("refs/") else f"refs/heads/{step.branch}"


def _quoted(text: str) -> str:
    """One word of the shell; in double quotes where single ones would be hard to read."""
    from shlex import quote

    return f'"{text}"' if "'" in text and not set(text) & set('"$`\\!') else quote(text)
