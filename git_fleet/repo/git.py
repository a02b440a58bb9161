"""git's command line, asked questions: one function each, typed answers. What changes things is in `changing.py`,
what only simulates merges in `merging.py`.

Only formats made for programs are parsed (`-z`, porcelain, exit codes), never messages. Machine calls pin what a
user's configuration could bend.
"""

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from git_fleet.model.errors import Fatal, GitError
from git_fleet.model.fleet import Branch, Repository, Worktree
from git_fleet.repo import process
from git_fleet.repo.location import git_program, refuse_too_old

PINNED = (
    *("--no-optional-locks", "--literal-pathspecs", "-c", "core.quotePath=false", "-c", "log.showSignature=false"),
    *("-c", "core.warnAmbiguousRefs=false"),  # else git looks, for each object id, whether a ref has that name
)
ENVIRONMENT = MappingProxyType({"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"})
_NO_SUCH_KEY = 5
_PAUSES_S = (0.0, 0.02, 0.05, 0.1, 0.2)
"""For so long an entry that is half written may be another git's that writes it right now."""
_USAGE = 129
OFFLINE = MappingProxyType({"GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none"})
"""A partial clone fetches nothing for this question; older gits know the second alone."""
ORIGINS = "refs/fleet/base/"
"""`refs/fleet/base/<branch>` is the commit of the base that the branch was started from."""


def private_dir(worktree: str, written_at: str | None = None) -> str | None:
    """The private git directory of a worktree, from its `.git`; None if that is missing or makes no sense.

    `written_at`: where the folder was when git wrote that, if it was moved since.
    """
    link = os.path.join(worktree, ".git")
    if os.path.isdir(link):
        return link
    try:
        with open(link, encoding="utf-8", errors="surrogateescape", newline="") as file:
            label, _, path = file.read(8192).partition(": ")
    except OSError:
        return None
    at = written_at or worktree
    return os.path.normpath(os.path.join(at, path.rstrip("\r\n"))) if label == "gitdir" else None


def own_names(git_dir: str, *names: str) -> list[str]:
    """Those of git's own names in a worktree, such as CHERRY_PICK_HEAD, that are there: files, or in a reftable, which
    git alone reads."""
    found = [name for name in names if os.path.exists(f"{git_dir}/{name}")]
    if found or not os.path.isdir(f"{git_dir}/reftable"):
        return found
    argv = (git_program(), *PINNED, f"--git-dir={git_dir}", "for-each-ref", "--include-root-refs")
    told = process.run([*argv, "--format=%(refname)", *names], cwd=git_dir, env=ENVIRONMENT)
    return [name for name in names if name in told.stdout.split("\n")]


def short(ref: str) -> str:
    """A branch's name without `refs/heads/`."""
    return ref.removeprefix("refs/heads/")


def ask(
    repository: Repository,
    *args: str,
    cwd: str | None = None,
    stdin: str | None = None,
    env: Mapping[str, str] | None = None,
    inherit: Sequence[int] = (),
    pinned: Sequence[str] = PINNED,
) -> process.Result:
    """Run git and hand back whatever came. Without `cwd`, on the repository as such; with it, in that worktree.

    The git directory is always named: a worktree that lost its `.git` must not be taken for a part of the repository
    around it. Raises Fatal for such a worktree.
    """
    place = repository.common_dir if cwd is None else (env or {}).get("GIT_DIR") or private_dir(cwd)
    if place is None:
        raise Fatal(f"'{cwd}' is no worktree any more: its '.git' is gone or makes no sense", ["git worktree repair"])
    return process.run(
        [git_program(), *pinned, f"--git-dir={place}", *args],
        cwd=cwd or repository.common_dir,
        env={**ENVIRONMENT, **(env or {})},
        stdin=stdin,
        inherit=inherit,
    )


def answer(
    repository: Repository,
    *args: str,
    cwd: str | None = None,
    stdin: str | None = None,
    env: Mapping[str, str] | None = None,
    inherit: Sequence[int] = (),
) -> str:
    """Standard output of a git command that must succeed. Raises GitError."""
    result = ask(repository, *args, cwd=cwd, stdin=stdin, env=env, inherit=inherit)
    if result.status == _USAGE:
        refuse_too_old()
    if result.status:
        raise GitError(args, result.status, result.stderr)
    return result.stdout


def _lines(listed: str) -> list[str]:
    """git's lines: str.splitlines would also split at what else Unicode calls one, and names may hold that."""
    return listed.split("\n")[:-1]


def config_entries(repository: Repository, pattern: str) -> list[tuple[str, str]]:
    """(key, value) for each key that matches the regular expression, in git's order; a bare key has value `true`.

    Sees includes, worktree configuration, `git -c` and GIT_CONFIG_COUNT.
    """
    result = ask(repository, "config", "-z", "--get-regexp", pattern)
    if result.status > 1:
        raise Fatal(_config_reason(result.stderr))
    entries = (item.partition("\n") for item in result.stdout.split("\0") if item)
    return [(key, value if newline else "true") for key, newline, value in entries]


def _config_reason(stderr: str) -> str:
    said = stderr.strip().splitlines()
    return f"the git configuration cannot be read: {said[0].removeprefix('fatal: ') if said else 'git config failed'}"


def config_get_all(repository: Repository, key: str) -> list[str]:
    """Every value of one key of the repository's own configuration file."""
    result = ask(repository, "config", "--local", "-z", "--get-all", key)
    return result.stdout.split("\0")[:-1] if result.status == 0 else []


def config_set(repository: Repository, key: str, values: Sequence[str]) -> None:
    """Make `values` all the values of `key` in the repository's own configuration file; none removes the key.

    Raises Fatal for a value that git's format cannot hold safely.
    """
    if any(char in value for value in values for char in "\r\n\0"):
        raise Fatal(f"a value of '{key}' holds a line break or NUL: not written")
    present = config_get_all(repository, key)
    if present == list(values):
        return
    if present:
        answer(repository, "config", "--local", "--unset-all", key)
    for value in values:
        answer(repository, "config", "--local", "--add", key, value)


def config_file_entries(repository: Repository, section: str, file: str | None = None) -> list[tuple[str, str]]:
    """(key, value) of all keys of the repository's own configuration file, or of `file`, in order.

    Of one section, such as `fleet`, unless it is empty. Raises GitError for a file that git cannot read.
    """
    place = ("--file", file) if file else ("--local",)
    listed = answer(repository, "config", *place, "-z", "--list").split("\0")
    pairs = (item.partition("\n") for item in listed if item)
    start = f"{section}." if section else ""
    return [(key, value if newline else "true") for key, newline, value in pairs if key.startswith(start)]


def config_file_set(repository: Repository, file: str, key: str, values: Sequence[str]) -> None:
    """Make `values` all the values of `key` in a configuration file; a section that is left empty goes with its key."""
    place = ("config", "--file", file)
    if len(values) == 1:
        answer(repository, *place, "--replace-all", key, values[0])
        return
    removed = ask(repository, *place, "--unset-all", key)
    if removed.status not in (0, _NO_SUCH_KEY):
        raise GitError((*place, "--unset-all", key), removed.status, removed.stderr)
    for value in values:
        answer(repository, *place, "--add", key, value)


def worktrees(repository: Repository) -> tuple[Worktree, ...]:
    """`git worktree list`, the main worktree (or the bare repository) first. Raises Fatal when git cannot list them."""
    for pause in _PAUSES_S:
        time.sleep(pause)
        result = ask(repository, "worktree", "list", "--porcelain", "-z")
        if result.status == 0:
            break
    else:
        refuse_too_old()
        said = result.stderr.strip().splitlines()
        reason = said[0].removeprefix("fatal: ") if said else f"exit status {result.status}"
        raise Fatal(
            f"git cannot list the worktrees: {reason}",
            ["git fleet doctor   # finds the entry, and what to do about it"],
        )
    records = [record.split("\0") for record in result.stdout.split("\0\0") if record.strip("\0")]
    found = tuple(_worktree(repository, lines, main=index == 0) for index, lines in enumerate(records))
    if found and not found[0].bare and found[0].path == repository.common_dir:
        # git takes a git directory that lies elsewhere (submodule, --separate-git-dir) for the main worktree itself
        return (found[0]._replace(path=repository.main), *found[1:])
    return found


def _worktree(repository: Repository, lines: Iterable[str], *, main: bool) -> Worktree:
    labels = {label: value for label, _, value in (line.partition(" ") for line in lines)}
    head = labels.get("HEAD")
    foreign = None if main else _foreign(repository, labels["worktree"])
    return Worktree(
        path=labels["worktree"],
        head=head if head and head.strip("0") else None,
        branch=labels.get("branch"),
        main=main,
        bare="bare" in labels,
        locked=labels.get("locked"),
        prunable=labels.get("prunable") or (foreign and f"it belongs to another repository: '{foreign}'"),
        foreign=foreign,
    )


def _foreign(repository: Repository, path: str) -> str | None:
    """The other repository that a folder belongs to. git does not look: in a copy it takes those of the original."""
    private, home = private_dir(path), f"{repository.common_dir}/worktrees"
    if private is None or os.path.dirname(private) == home:
        return None
    around = os.path.dirname(os.path.realpath(private))
    try:  # by its inode: one repository may be mounted in two places
        if os.path.samefile(around, home) or not os.path.isdir(private):
            return None
    except OSError:
        return None
    return os.path.dirname(around) if os.path.basename(around) == "worktrees" else private


_BRANCH_FORMAT = "%(refname)%00%(objectname)%00%(tree)%00%(committerdate:unix)%00%(symref)"


def branches(repository: Repository, patterns: Sequence[str] = ("refs/heads/",)) -> dict[str, Branch]:
    """Branches by full ref name, in git's order; `patterns` as in for-each-ref. Only refs that are commits.

    A ref whose commit is not in the repository is left out, and so is a symbolic one: it is another name of a branch.
    """
    args = ("for-each-ref", f"--format={_BRANCH_FORMAT}")
    result = ask(repository, *args, *patterns)
    if result.status:  # git lists none where one cannot be read
        whole = without_objects(repository, refs(repository, *patterns), present=True)
        result = process.Result(0, answer(repository, *args, *whole) if whole else "", "")
    found = {}
    for line in _lines(result.stdout):
        ref, tip, tree, date, symbolic = line.split("\0")
        if tree and not symbolic:
            found[ref] = Branch(ref, tip, tree, int(date or 0))
    return found


def without_objects(repository: Repository, refs: Mapping[str, str], *, present: bool = False) -> list[str]:
    """Those of the refs whose objects are not in the repository; with `present`, those whose objects are."""
    told = answer(repository, "cat-file", "--batch-check", stdin="".join(f"{oid}\n" for oid in refs.values()))
    there = [not line.endswith(" missing") for line in _lines(told)]
    return [ref for ref, is_there in zip(refs, there, strict=True) if is_there == present]


def refs(repository: Repository, *patterns: str) -> dict[str, str]:
    """Object ids by full ref name."""
    lines = _lines(answer(repository, "for-each-ref", "--format=%(objectname) %(refname)", *patterns))
    return {ref: oid for oid, _, ref in (line.partition(" ") for line in lines)}


def resolve(repository: Repository, name: str) -> str | None:
    """The commit that a full ref name or object id stands for; None if there is none."""
    result = ask(repository, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    return result.stdout.strip() or None if result.status == 0 else None


def tree_of(repository: Repository, commit: str) -> str:
    """The id of a commit's tree."""
    return answer(repository, "rev-parse", "--verify", "--end-of-options", f"{commit}^{{tree}}").strip()


def trees_of(repository: Repository, commits: Sequence[str]) -> dict[str, str]:
    """The ids of commits' trees."""
    wanted = list(dict.fromkeys(commits))
    names = "".join(f"{commit}^{{tree}}\n" for commit in wanted)
    told = answer(repository, "cat-file", "--batch-check=%(objectname)", stdin=names) if wanted else ""
    return dict(zip(wanted, told.split(), strict=True))


def symbolic_ref(repository: Repository, name: str) -> str | None:
    """The full ref that a symbolic ref points at."""
    result = ask(repository, "symbolic-ref", "--quiet", name)
    return result.stdout.strip() if result.status == 0 else None


def is_ancestor(repository: Repository, old: str, new: str) -> bool:
    """Is the commit `old` reachable from `new`?"""
    return ask(repository, "merge-base", "--is-ancestor", old, new).status == 0


def cut_commits(repository: Repository) -> frozenset[str]:
    """The commits at which a shallow clone ends; none in a whole one."""
    try:
        with open(f"{repository.common_dir}/shallow", encoding="ascii") as file:
            return frozenset(file.read().split())
    except OSError:
        return frozenset()


def merge_bases(repository: Repository, base: str, tips: Sequence[str]) -> list[str | None]:
    """Where each tip left the base (one of the places, if there are several); None where it never was on it."""
    argv = (git_program(), *PINNED, f"--git-dir={repository.common_dir}", "merge-base", base)
    env = tuple(ENVIRONMENT.items())
    jobs = [process.Job((*argv, tip), repository.common_dir, env) for tip in tips]
    return [result.stdout.strip() or None for result in process.run_many(jobs, at_once=os.cpu_count() or 2)]


def first_parents(repository: Repository, commit: str, limit: int) -> list[str]:
    """The last `limit` commits of the first-parent chain."""
    return answer(repository, "rev-list", "--first-parent", f"--max-count={limit}", commit).split()


def task_trailers(repository: Repository, commit: str, limit: int) -> list[tuple[str, str, str]]:
    """(commit, its last parent, task id) for commits with a `Fleet-Task:` trailer in the last `limit` first parents."""
    log = answer(
        repository,
        *("log", "--first-parent", f"--max-count={limit}", "-z", "--no-color"),
        *("--format=%H%x1f%P%x1f%(trailers:key=Fleet-Task,valueonly,separator=%x2c)", commit, "--"),
    )
    rows = (record.split("\x1f") for record in log.split("\0") if record.count("\x1f") == 2)
    return [
        (oid, (parents.split() or [""])[-1], task.strip())
        for oid, parents, tasks in rows
        for task in tasks.split(",")
        if task.strip()
    ]


def oldest_reflog_entry(repository: Repository, ref: str) -> str | None:
    """Where a branch began, as far as its reflog remembers. Read from the file where there is one: no process."""
    try:
        with open(f"{repository.common_dir}/logs/{ref}", encoding="utf-8", errors="surrogateescape") as file:
            words = file.readline().split(" ", 2)
            return words[1] if len(words) == 3 else None
    except OSError:
        lines = ask(repository, "rev-list", "--walk-reflogs", ref, "--").stdout.split()
        return lines[-1] if lines else None


def own_commits(repository: Repository, ref: str) -> list[str]:
    """The commits that were made on a branch, newest first, as far as its reflog remembers."""
    entries = ask(repository, "log", "--walk-reflogs", "--format=%H %gs", ref, "--").stdout.split("\n")[:-1]
    found = []
    for oid, _, what in (entry.partition(" ") for entry in entries):
        rebased = what.startswith("rebase") and " onto " in what and not what.endswith(f" onto {oid}")
        if rebased or what.startswith(("commit", "cherry-pick", "am", "revert")):
            found.append(oid)
    return list(dict.fromkeys(found))


def authors(repository: Repository, base: str, tip: str) -> list[str]:
    """`Name <mail>` of each author of the commits that `tip` has and `base` lacks, oldest first, once."""
    listed = answer(repository, "log", "--reverse", "--format=%an <%ae>", f"{base}..{tip}", "--")
    return list(dict.fromkeys(_lines(listed)))


def changed_paths(repository: Repository, old: str, new: str) -> list[str]:
    """Paths that differ between two commits or trees, without rename detection."""
    listed = answer(repository, "diff-tree", "-r", "-z", "--name-only", "--no-renames", "--no-commit-id", old, new)
    return [path for path in listed.split("\0") if path]


def tree_paths(repository: Repository, tree: str) -> tuple[str, ...]:
    """Every file of a tree or commit, sorted as text. Raises GitError where objects are missing; nothing is fetched."""
    listed = answer(repository, "ls-tree", "-r", "-z", "--name-only", "--full-tree", tree, env=OFFLINE)
    return tuple(sorted(listed.split("\0")[:-1]))


def reflog_commits(repository: Repository, ref: str, top: str | None = None) -> list[str]:
    """Every commit that a reflog remembers; of a worktree's own HEAD where `top` is given."""
    listed = ask(repository, "log", "--walk-reflogs", "--format=%H", ref, "--", cwd=top)
    return list(dict.fromkeys(listed.stdout.split())) if listed.status == 0 else []


def refs_containing(repository: Repository, commit: str, prefix: str) -> list[str]:
    """Refs below `prefix` from which a commit is reachable."""
    return _lines(answer(repository, "for-each-ref", "--format=%(refname)", f"--contains={commit}", prefix))
