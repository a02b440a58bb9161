"""Repositories of every kind, all with the same history, so that the same story can be played in each.

A kind is a function that makes a `Site` in a folder; where the git here cannot make that kind it skips, visibly.
"""

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import kit
import pytest
from kit import Repo

from git_fleet.repo import location

LONG = "".join(f"line {number}\n" for number in range(20))
FILES = {
    "file": LONG,
    "other": LONG,
    "three/deep": LONG,
    "away/far": LONG,
    ".gitignore": "*.log\n",
}


class Site(NamedTuple):
    """A repository as somebody stands in it: where that is, where worktrees of tasks go, and his environment."""

    repo: Repo
    here: Path
    """Where commands are typed."""
    trees: Path
    """The folder of the tasks' worktrees."""
    env: Mapping[str, str] = {}
    checkout: Path | None = None
    """The worktree that has the base checked out; None: nobody has."""

    def tree(self, task: str) -> Path:
        return self.trees / task

    def git(self, *args: str, cwd: Path | None = None, check: bool = True) -> str:
        """Plain git, in the same environment."""
        done = subprocess.run(
            ["git", *args], cwd=cwd or self.here, env=kit.environment(self.env), capture_output=True, check=False
        )
        assert not check or done.returncode == 0, (args, done.stderr)
        return done.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")


Kind = Callable[[Path], Site]

NEWER_GIT = os.environ.get("FLEET_NEWER_GIT")
"""A folder with a `bin/git` newer than the distribution's: `.ci/run` makes one. Else the git on PATH has to do."""


def site(repo: Repo, **more: object) -> Site:
    """The ordinary case: somebody stands at the top of the main worktree, on the base."""
    usual = Site(repo, repo.path, repo.path.parent, {}, repo.path)
    return usual._replace(**more)  # type: ignore[arg-type]


def seed(folder: Path) -> Repo:
    """Something to clone: three commits."""
    repo = kit.make_repo(folder / "seed", {"file": "old\n"})
    repo.commit("second", {"gone": "x\n"})
    repo.commit("start", {**FILES, "gone": None})
    repo.git("config", "uploadpack.allowFilter", "true")
    return repo


def cloned(folder: Path, *options: str, url: bool = True) -> Repo:
    there = seed(folder)
    folder.joinpath("work").mkdir()
    there.git("clone", "-q", *options, f"file://{there.path}" if url else str(there.path), str(folder / "work/app"))
    return kit.adopt(folder / "work/app")


# ------------------------------------------------------------------------------------------------- where its parts are


def ordinary(folder: Path) -> Site:
    return site(kit.make_repo(folder / "app", FILES))


def bare(folder: Path) -> Site:
    repo = cloned(folder, "--bare")
    return site(repo, checkout=None)


def bare_with_worktrees(folder: Path) -> Site:
    """As many lay out their clones: a bare repository, the base and every branch beside it."""
    repo = cloned(folder, "--bare")
    repo.git("worktree", "add", "-q", "../main", "main")
    return site(repo, here=folder / "work/main", checkout=folder / "work/main")


def bare_in_a_dot_folder(folder: Path) -> Site:
    """The other layout: `.bare`, and a file `.git` beside it."""
    there = seed(folder)
    (folder / "app").mkdir()
    there.git("clone", "-q", "--bare", str(there.path), str(folder / "app/.bare"))
    (folder / "app/.git").write_text("gitdir: ./.bare\n")
    repo = kit.adopt(folder / "app")
    repo.git("worktree", "add", "-q", "main", "main")
    return site(repo, here=folder / "app/main", trees=folder / "app", checkout=folder / "app/main")


def bare_as_a_dot_folder(folder: Path) -> Site:
    """And the third: the bare repository is called `.git`."""
    there = seed(folder)
    there.git("clone", "-q", "--bare", str(there.path), str(folder / "app/.git"))
    repo = kit.adopt(folder / "app")
    repo.git("worktree", "add", "-q", "main", "main")
    return site(repo, here=folder / "app/main", trees=folder / "app", checkout=folder / "app/main")


def in_a_linked_worktree(folder: Path) -> Site:
    made = ordinary(folder)
    made.repo.git("worktree", "add", "-q", "--detach", "../aside")
    return made._replace(here=folder / "aside")


def in_a_subfolder(folder: Path) -> Site:
    made = ordinary(folder)
    return made._replace(here=made.repo.path / "three")


def git_directory_elsewhere(folder: Path) -> Site:
    (folder / "far/away").mkdir(parents=True)
    return site(kit.make_repo(folder / "app", FILES, "--separate-git-dir", str(folder / "far/away/app.git")))


def behind_a_link(folder: Path) -> Site:
    (folder / "real").mkdir()
    made = kit.make_repo(folder / "real/app", FILES)
    (folder / "link").symlink_to("real")
    return site(made, here=folder / "link/app")


def under_an_odd_name(folder: Path) -> Site:
    odd = folder / os.fsdecode(b"a b'c\"d $(id)\n\xc3\xa9\xff;%s:-x")
    odd.mkdir()
    return site(kit.make_repo(odd / "app", FILES))


def a_submodule(folder: Path) -> Site:
    there, outer = seed(folder), kit.make_repo(folder / "outer", {"top": "x\n"})
    outer.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(there.path), "lib/app")
    outer.git("commit", "-q", "-m", "a submodule")
    repo = kit.adopt(outer.path / "lib/app")
    return site(repo)


def with_submodules(folder: Path) -> Site:
    repo = kit.make_repo(folder / "app", FILES)
    repo.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(seed(folder).path), "lib")
    repo.git("commit", "-q", "-m", "a submodule")
    return site(repo)


def with_a_repository_inside(folder: Path) -> Site:
    """A bare repository among the tracked files, as test data often are."""
    made = ordinary(folder)
    inner = seed(folder)
    made.repo.git("clone", "-q", "--bare", str(inner.path), "fixtures/app.git")
    for empty in ("refs/heads", "refs/tags", "branches"):
        where = made.repo.path / "fixtures/app.git" / empty
        where.mkdir(exist_ok=True, parents=True)
        (where / ".keep").touch()
    made.repo.commit("test data", {})
    return made._replace(here=made.repo.path / "fixtures")


# ------------------------------------------------------------------------------------------------------- how it is kept


def shallow(folder: Path) -> Site:
    return site(cloned(folder, "--depth=1"))


def partial(folder: Path) -> Site:
    return site(cloned(folder, "--filter=blob:none"))


def treeless(folder: Path) -> Site:
    return site(cloned(folder, "--filter=tree:0"))


def alternates(folder: Path) -> Site:
    return site(cloned(folder, "--shared", url=False))


def sha256(folder: Path) -> Site:
    return site(kit.make_repo(folder / "app", FILES, "--object-format=sha256"))


REFTABLES, RELATIVE_LINKS, REFLOGS_WRITTEN = (2, 45), (2, 48), (2, 51)
"""The gits that brought them."""


def needs_git(oldest: tuple[int, ...]) -> None:
    """Skips where there is none that new; where FLEET_NEWER_GIT names one, it has to be."""
    if location.version() < oldest:
        assert NEWER_GIT is None, f"the git in {NEWER_GIT} is older than {oldest}"
        pytest.skip(f"the git here is older than {'.'.join(map(str, oldest))}, and FLEET_NEWER_GIT names no other")


def reftable(folder: Path) -> Site:
    needs_git(REFTABLES)
    return site(kit.make_repo(folder / "app", FILES, "--ref-format=reftable"))


def reftable_bare(folder: Path) -> Site:
    needs_git(REFTABLES)
    return site(cloned(folder, "--bare", "--ref-format=reftable"), checkout=None)


def relative_worktrees(folder: Path) -> Site:
    needs_git(RELATIVE_LINKS)
    made = ordinary(folder)
    made.repo.git("config", "worktree.useRelativePaths", "true")
    return made


def packed(folder: Path) -> Site:
    """All refs and objects in files of many, with a commit graph."""
    repo = seed(folder)
    repo.git("gc", "-q", "--prune=now")
    repo.git("commit-graph", "write", "--reachable")
    repo.git("multi-pack-index", "write")
    return site(repo)


def replaced(folder: Path) -> Site:
    """A commit that git is told to take for another."""
    repo = seed(folder)
    repo.git("replace", "--graft", "main")
    return site(repo)


def without_reflogs(folder: Path) -> Site:
    made = ordinary(folder)
    made.repo.config({"core.logAllRefUpdates": "false"})
    return made


def big_index(folder: Path) -> Site:
    """Every way to write an index that is not the usual one."""
    repo = kit.make_repo(folder / "app")
    repo.config({"core.splitIndex": "true", "core.untrackedCache": "true", "index.version": "4"})
    repo.commit("start", FILES)
    return site(repo)


def many_files(folder: Path) -> Site:
    repo = kit.make_repo(folder / "app")
    repo.config({"index.skipHash": "true", "feature.manyFiles": "true"})
    repo.commit("start", FILES)
    return site(repo)


def own_configuration_by_worktree(folder: Path) -> Site:
    made = ordinary(folder)
    made.repo.config({"extensions.worktreeConfig": "true"})
    made.repo.git("config", "--unset", "core.bare")
    made.repo.git("config", "--worktree", "core.bare", "false")
    return made


# ------------------------------------------------------------------------------------------------- what is checked out


def detached(folder: Path) -> Site:
    made = ordinary(folder)
    made.repo.git("checkout", "-q", "--detach")
    return made._replace(checkout=None)


def on_an_unborn_branch(folder: Path) -> Site:
    made = ordinary(folder)
    made.repo.git("checkout", "-q", "--orphan", "newborn")
    made.repo.git("rm", "-rqf", ".")
    return made._replace(checkout=None)


def sparse(folder: Path) -> Site:
    made = ordinary(folder)
    made.repo.git("sparse-checkout", "set", "--cone", "three", "one")
    assert not (made.repo.path / "away").exists()
    return made


def sparse_index(folder: Path) -> Site:
    made = ordinary(folder)
    made.repo.git("sparse-checkout", "set", "--cone", "--sparse-index", "three", "one")
    return made


def filtered(folder: Path) -> Site:
    """Files that are kept otherwise than they are worked on, by a program that is required."""
    repo = kit.make_repo(folder / "app")
    program = {"clean": "tr 0-9 5-90-4", "smudge": "tr 0-9 5-90-4", "required": "true"}
    repo.config({f"filter.turn.{key}": value for key, value in program.items()})
    repo.commit("start", {".gitattributes": "away/* filter=turn\nthree/* filter=turn\n"})
    repo.commit("files", FILES)
    return site(repo)


def line_ends(folder: Path) -> Site:
    repo = kit.make_repo(folder / "app")
    repo.config({"core.autocrlf": "true", "core.safecrlf": "false"})
    repo.commit("start", {name: text.replace("\n", "\r\n") for name, text in FILES.items()})
    assert "\r" not in repo.show("file")
    return site(repo)


def tags_of_the_same_names(folder: Path) -> Site:
    """Every short name stands for two things."""
    made = ordinary(folder)
    first = made.repo.git("commit-tree", "-m", "not meant", "main^{tree}")
    for name in ("main", "1", "2", "3", "4", "HEAD", "heads/main"):
        made.repo.git("update-ref", f"refs/tags/{name}", first)
    return made


# ---------------------------------------------------------------------------------------------------- whose settings


def hostile_configuration(folder: Path) -> Site:
    """A user's own configuration with everything in it that bends what git says."""
    made = ordinary(folder)
    hooks = folder / "hooks"
    hooks.mkdir()
    noise = f"#!/bin/sh\necho noise; echo noise >&2; echo >>'{folder}/hooked'\n"
    for name, end in (("post-checkout", "exit 1"), ("post-index-change", "exit 1"), ("pre-auto-gc", "exit 1")):
        (hooks / name).write_text(f"{noise}{end}\n")
    for name in ("fsmonitor", "program"):
        (hooks / name).write_text(f"{noise}exit 1\n")
    for path in hooks.iterdir():
        path.chmod(0o755)
    settings = folder / "hostile"
    settings.write_text(_HOSTILE.replace("HOOKS", str(hooks)).replace("HOME", str(folder)))
    return made._replace(env={"GIT_CONFIG_GLOBAL": str(settings)})


_HOSTILE = """\
[user]
    name = A U Thor
    email = author@example.com
    useConfigOnly = true
[alias]
    status = !touch HOME/PWNED
    worktree = !touch HOME/PWNED
    merge-tree = !touch HOME/PWNED
[core]
    abbrev = 4
    askPass = HOOKS/program
    commentChar = ";"
    editor = HOOKS/program
    fsmonitor = HOOKS/fsmonitor
    hooksPath = HOOKS
    logAllRefUpdates = always
    pager = HOOKS/program
    preloadIndex = true
    quotePath = true
    splitIndex = true
    untrackedCache = true
    warnAmbiguousRefs = true
    whitespace = -trailing-space,cr-at-eol
[color]
    ui = always
    branch = always
    diff = always
    grep = always
    status = always
[color "status"]
    untracked = red
[column]
    ui = always
[pager]
    branch = true
    config = true
    diff = true
    log = true
    status = true
    worktree = true
[status]
    aheadBehind = true
    branch = true
    displayCommentPrefix = true
    relativePaths = true
    renames = copies
    short = true
    showStash = true
    showUntrackedFiles = no
    submoduleSummary = true
[diff]
    algorithm = patience
    colorMoved = zebra
    colorMovedWS = allow-indentation-change
    context = 0
    dirstat = files
    external = HOOKS/program
    ignoreSubmodules = all
    interHunkContext = 9
    mnemonicPrefix = true
    noprefix = true
    relative = true
    renames = copies
    statGraphWidth = 3
    submodule = diff
    suppressBlankEmpty = true
    wordRegex = .
    wsErrorHighlight = all
[merge]
    autoStash = true
    branchdesc = true
    conflictStyle = diff3
    ff = only
    log = true
    stat = true
    suppressDest = nothing
[log]
    abbrevCommit = true
    date = relative
    decorate = full
    diffMerges = first-parent
    excludeDecoration = refs/*
    follow = true
    mailmap = true
    showRoot = false
    showSignature = true
[format]
    pretty = raw
    signOff = true
[notes]
    displayRef = refs/*
[branch]
    autoSetupMerge = always
    autoSetupRebase = always
    sort = -committerdate
[checkout]
    defaultRemote = nowhere
    guess = true
    workers = 4
[clean]
    requireForce = false
[commit]
    cleanup = scissors
    status = true
    template = HOME/absent
    verbose = 2
[fetch]
    recurseSubmodules = on-demand
[gc]
    auto = 1
    autoDetach = false
[grep]
    column = true
    fullName = true
    lineNumber = true
    patternType = fixed
[gpg]
    program = HOOKS/program
[i18n]
    commitEncoding = ISO-8859-1
    logOutputEncoding = ISO-8859-1
[init]
    defaultBranch = trunk
    templateDir = HOOKS
[interactive]
    singleKey = true
[advice]
    detachedHead = true
[pull]
    rebase = true
[push]
    default = nothing
[rebase]
    autoStash = true
    updateRefs = true
[receive]
    denyCurrentBranch = refuse
[rerere]
    autoUpdate = true
    enabled = true
[safe]
    bareRepository = explicit
[sequence]
    editor = HOOKS/program
[submodule]
    recurse = true
[tag]
    gpgSign = true
    sort = version:refname
[transfer]
    hideRefs = refs/heads
[uploadpack]
    hideRefs = refs
[worktree]
    guessRemote = true
"""

WORKING: tuple[Kind, ...] = (
    ordinary,
    bare,
    bare_with_worktrees,
    bare_in_a_dot_folder,
    bare_as_a_dot_folder,
    in_a_linked_worktree,
    in_a_subfolder,
    git_directory_elsewhere,
    behind_a_link,
    under_an_odd_name,
    a_submodule,
    with_submodules,
    with_a_repository_inside,
    shallow,
    partial,
    treeless,
    alternates,
    sha256,
    reftable,
    reftable_bare,
    relative_worktrees,
    packed,
    replaced,
    without_reflogs,
    big_index,
    many_files,
    own_configuration_by_worktree,
    detached,
    on_an_unborn_branch,
    sparse,
    sparse_index,
    filtered,
    line_ends,
    tags_of_the_same_names,
    hostile_configuration,
)
"""Kinds in which everything works as in an ordinary repository."""


OF_A_NEWER_GIT = frozenset((reftable, reftable_bare, relative_worktrees))


def names(kinds: Sequence[Callable[..., object]]) -> Iterator[str]:
    return (kind.__name__ for kind in kinds)


# ------------------------------------------------------------------------------------------------------------- refused


class Refused(NamedTuple):
    """Where nothing can be done: what is said, and what is typed next."""

    site: Site
    said: str
    hint: str


def no_repository(folder: Path) -> Refused:
    made = ordinary(folder)
    (folder / "nowhere").mkdir()
    return Refused(
        made._replace(here=folder / "nowhere"),
        "not a git repository (or any of the parent directories): .git",
        "git -C <directory> fleet",
    )


def no_commit_yet(folder: Path) -> Refused:
    return Refused(site(kit.make_repo(folder / "app")), "no base: there is no branch with a commit yet", "first commit")


def somebody_elses(folder: Path) -> Refused:
    """What git says where a repository belongs to another user; its own switch for tests, to need no second user."""
    made = ordinary(folder)
    said = f"detected dubious ownership in repository at '{made.repo.path}'"
    return Refused(made._replace(env={"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}), said, "git config --global --add safe")


def really_somebody_elses(folder: Path) -> Refused:
    if os.geteuid():
        pytest.skip("only root can give files away")
    made = ordinary(folder)
    for top, _, files in os.walk(made.repo.path):
        for path in (top, *(os.path.join(top, file) for file in files)):
            os.lchown(path, 12345, 12345)
    said = f"detected dubious ownership in repository at '{made.repo.path}'"
    return Refused(made, said, "git config --global --add safe")


def inside_a_tracked_bare_repository(folder: Path) -> Refused:
    made = with_a_repository_inside(folder)
    inner = made.repo.path / "fixtures/app.git"
    return Refused(made._replace(here=inner), f"'{inner}' is a file tree of the repository around it", "leave")


def a_bare_repository_that_the_user_forbids(folder: Path) -> Refused:
    made = bare(folder)
    made.repo.git("config", "--global", "safe.bareRepository", "explicit")
    return Refused(made, "cannot use bare repository", "git status is to work here first")


def an_extension_that_nobody_knows(folder: Path) -> Refused:
    made = ordinary(folder)
    made.repo.config({"core.repositoryFormatVersion": "1", "extensions.unheard": "true"})
    return Refused(made, "unknown repository extension found: unheard", "git status is to work here first")


def a_format_of_the_future(folder: Path) -> Refused:
    made = ordinary(folder)
    made.repo.git("config", "core.repositoryFormatVersion", "99")
    return Refused(made, "Expected git repo version <= 1, found 99", "git status is to work here first")


def a_configuration_that_is_broken(folder: Path) -> Refused:
    made = ordinary(folder)
    with open(made.repo.path / ".git/config", "a") as file:
        file.write("[core\n")
    return Refused(made, "bad config line ", "git status is to work here first")


def no_head(folder: Path) -> Refused:
    made = ordinary(folder)
    (made.repo.path / ".git/HEAD").write_text("\n")
    return Refused(made, "not a git repository (or any of the parent directories): .git", "git -C <directory> fleet")


def a_base_whose_commit_is_gone(folder: Path) -> Refused:
    made = ordinary(folder)
    tip = made.repo.oid("main")
    (made.repo.path / f".git/objects/{tip[:2]}/{tip[2:]}").unlink()
    return Refused(made, "the commits of some branches are not in the repository: refs/heads/main", "git fsck")


def called_bare_with_files(folder: Path) -> Refused:
    made = ordinary(folder)
    made.repo.git("config", "core.bare", "true")
    said = f"core.bare is true, but '{made.repo.path}' has files of the repository checked out"
    return Refused(made, said, "config core.bare false")


REFUSED: tuple[Callable[[Path], Refused], ...] = (
    no_repository,
    no_commit_yet,
    somebody_elses,
    really_somebody_elses,
    inside_a_tracked_bare_repository,
    a_bare_repository_that_the_user_forbids,
    an_extension_that_nobody_knows,
    a_format_of_the_future,
    a_configuration_that_is_broken,
    no_head,
    a_base_whose_commit_is_gone,
    called_bare_with_files,
)
