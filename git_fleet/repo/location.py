"""Which repository are we in? Asked once, of git itself, with the environment as it came; scrubbed ever after."""

import os

from git_fleet.model.errors import Fatal
from git_fleet.model.fleet import Repository
from git_fleet.repo import process

OLDEST_GIT = (2, 39)
"""`merge-tree --stdin` and `patch-id --verbatim` came with it."""
_NOTE = "fleet/main"

_QUESTIONS = (
    "--path-format=absolute",
    "--git-dir",
    "--git-common-dir",
    "--is-bare-repository",
    "--show-object-format",
    "--show-toplevel",
)


def git_program() -> str:
    """The absolute path of git. Raises Fatal when there is none on PATH."""
    found = process.which("git")
    if found is None:
        raise Fatal("git is not on PATH")
    return found


def version() -> tuple[int, ...]:
    """(2, 39, 5)"""
    words = process.run([git_program(), "version"], cwd="/", env={"LC_ALL": "C"}).stdout.split()
    return tuple(int(part) for part in "".join(words[2:3]).split(".")[:3] if part.isdigit())


def refuse_too_old() -> None:
    """Raises Fatal for a git that lacks what we need; asked only where something failed, to cost nothing before."""
    here = version()
    if here < OLDEST_GIT:
        said, needed = (".".join(map(str, number)) for number in (here, OLDEST_GIT))
        raise Fatal(
            f"git {said} is too old: git fleet needs {needed}", ["install a newer git, or put it first on PATH"]
        )


def locate() -> Repository:
    """The repository that git would use here. Raises Fatal with git's own reason when there is none."""
    try:
        here = os.getcwd()
    except FileNotFoundError:
        raise Fatal("the current directory is gone", ["cd to a directory that exists"]) from None
    # The one question that hears GIT_DIR: it may be what the user typed (`git --git-dir=… fleet`). What other variables
    # say of other places holds for the command that set them.
    heard = ("GIT_DIR", "GIT_WORK_TREE") if "GIT_DIR" in os.environ else ()
    told = {"LC_ALL": "C", **{name: os.environ[name] for name in heard if name in os.environ}}
    asked = process.run([git_program(), "rev-parse", *_QUESTIONS], cwd=here, env=told)
    answers = asked.stdout.split("\n")[:-1]  # splitlines would also split at what Unicode calls a line
    if answers[:1] == [_QUESTIONS[0]]:  # rev-parse repeats what it does not know
        refuse_too_old()
    if len(answers) < 4:
        raise Fatal(_reason(asked.stderr), _advice(asked.stderr))
    if len(answers) != (4 if asked.status else 5):  # without a worktree, git fails at the last question
        answers = _one_by_one(here, told)
    git_dir, common_dir, bare, object_format = answers[:4]
    top = os.path.realpath(answers[4]) if len(answers) > 4 and answers[4] else None
    git_dir, common_dir = os.path.realpath(git_dir), os.path.realpath(common_dir)
    is_bare = bare == "true" and git_dir == common_dir
    if is_bare and not heard:
        _refuse_embedded(common_dir)
    return Repository(
        common_dir=common_dir,
        git_dir=git_dir,
        top=top,
        main=_main_worktree(common_dir, git_dir, top, bare=is_bare),
        bare=is_bare,
        object_format=object_format,
    )


def _one_by_one(here: str, told: dict[str, str]) -> list[str]:
    """The same answers where a path holds a line break: git has no `-z` for them."""
    how, *questions = _QUESTIONS
    asked = [process.run([git_program(), "rev-parse", how, one], cwd=here, env=told) for one in questions]
    return [one.stdout.removesuffix("\n") for one in asked]


def _refuse_embedded(bare: str) -> None:
    """Raises Fatal for a bare repository that is content of another: whoever wrote that would decide what runs here."""
    around = [git_program(), "-c", "core.fsmonitor=false", "-C", os.path.dirname(bare)]
    tracked = process.run([*around, "ls-files", "--error-unmatch", "--", f"{bare}/HEAD"], cwd=os.path.dirname(bare))
    if tracked.status == 0:
        raise Fatal(
            f"'{bare}' is a file tree of the repository around it, which happens to be a bare repository",
            ["leave that folder, or if you trust what is in it: git --git-dir=. fleet …"],
        )


def _main_worktree(common_dir: str, git_dir: str, top: str | None, *, bare: bool) -> str:
    if bare:
        return common_dir
    if top and git_dir == common_dir:
        return top
    if os.path.basename(common_dir) == ".git":
        return os.path.dirname(common_dir)
    return _of_a_git_directory_elsewhere(common_dir)


def _of_a_git_directory_elsewhere(common_dir: str) -> str:
    """The main worktree, asked for in a linked one: a submodule's configuration names it, else what `add` noted does.

    git itself does not know of `init --separate-git-dir`; where nobody does, it is the git directory, as git has it.
    """
    key = ("config", "--file", f"{common_dir}/config", "--type=path", "core.worktree")
    told = process.run([git_program(), *key], cwd=common_dir).stdout.removesuffix("\n")
    if told:
        return os.path.realpath(os.path.join(common_dir, told))
    try:
        with open(f"{common_dir}/{_NOTE}", encoding="utf-8", errors="surrogateescape", newline="") as file:
            noted = file.read()
    except OSError:
        return common_dir
    its = process.run([git_program(), "-C", noted, "rev-parse", _QUESTIONS[0], "--git-dir"], cwd=common_dir)
    return noted if os.path.realpath(its.stdout.removesuffix("\n")) == common_dir else common_dir


def note_main(repository: Repository) -> None:
    """Remember the main worktree of a repository whose git directory lies elsewhere, for calls in linked ones."""
    path = f"{repository.common_dir}/{_NOTE}"
    usual = repository.bare or os.path.basename(repository.common_dir) == ".git"
    if usual or repository.main == repository.common_dir or not os.path.isdir(os.path.dirname(path)):
        return
    with open(f"{path}.new", "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        file.write(repository.main)
    os.replace(f"{path}.new", path)


def _said(stderr: str) -> list[str]:
    """What git said, by line; the list that a line with a colon begins belongs to that line."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    if lines and lines[0].startswith("fatal: ") and lines[0].endswith(":"):
        return [" ".join(lines)]
    return lines


def _reason(stderr: str) -> str:
    said = _said(stderr)
    return said[0].removeprefix("fatal: ").rstrip(".") if said else "not a git repository"


def _advice(stderr: str) -> list[str]:
    """Git's own advice on foreign ownership is kept: it names the exact command."""
    advice = _said(stderr)[1:]
    if advice or "not a git repository" not in _reason(stderr):
        return advice or ["put right what git names; git status is to work here first"]
    return ["run it inside a git repository, or name one: git -C <directory> fleet …"]
