"""Whatever is in the environment, whoever calls: the repository that is meant, no other, and nothing raw on a terminal.

A decoy repository stands beside ours, and every variable that git knows points at it; it must stay as it is, byte for
byte, and our answers must be right.
"""

import json
import os
import pty
import stat
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import kit
import pytest
from kit import ROOT, Completed, Repo
from warm import Warm


class Place(NamedTuple):
    """Our repository with two tasks at work, and the decoy."""

    repo: Repo
    decoy: Repo
    warm: Warm

    def fleet(self, *args: str, cwd: Path | None = None, env: dict[str, str] | None = None) -> Completed:
        return self.warm.run(*args, cwd=cwd or self.repo.path, env=kit.environment(env))

    def tree(self, task: str) -> Path:
        return self.repo.path.parent / task

    def rows(self, env: dict[str, str] | None = None, cwd: Path | None = None) -> dict[str, tuple[object, ...]]:
        """What `status` says of each task."""
        done = self.fleet("status", "--json", env=env, cwd=cwd)
        assert done.status == 0, (env, done.err)
        return facts(done.out)


def facts(document: str) -> dict[str, tuple[object, ...]]:
    wanted = ("state", "ahead", "behind", "staged", "unstaged", "untracked", "worktree", "conflicts_with", "tip")
    return {row["id"]: tuple(row.get(key) for key in wanted) for row in json.loads(document)["tasks"]}


@pytest.fixture
def place(warm: Warm, tmp_path: Path) -> Place:
    repo = kit.make_repo(tmp_path / "ours/app", {"file": "x\n"})
    repo.config({"fleet.branch": "{id}", "fleet.worktree": "../{id}"})
    for task in ("1", "2", "3"):
        repo.config({f"fleet.{task}.title": f"task {task}"})
    for task in ("1", "2"):
        repo.git("worktree", "add", "-q", "-b", task, f"../{task}")
        repo.commit(task, {f"{task}.txt": "x\n", "file": f"{task}\n"}, repo.path.parent / task)
    repo.write({"new": "y\n"}, repo.path.parent / "1")
    decoy = kit.make_repo(tmp_path / "theirs/decoy", {"decoy.txt": "x\n"})
    decoy.git("worktree", "add", "-q", "-b", "1", "../1")
    decoy.config({"fleet.branch": "stolen/{id}"})
    return Place(repo, decoy, warm)


def bytes_of(folder: Path) -> dict[str, object]:
    """Every file below with its content, mode and time."""
    found: dict[str, object] = {}
    for top, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.join(top, name)
            status = os.lstat(path)
            content = Path(path).read_bytes() if stat.S_ISREG(status.st_mode) else b""
            found[path] = (status.st_mode, status.st_mtime_ns, content)
    return found


# ------------------------------------------------------------------------------------------------------------ variables

OF_OTHERS = {
    "GIT_ATTR_SOURCE": "HEAD",
    "GIT_CEILING_DIRECTORIES": "DECOY",
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_GLOBAL": "DECOY/.git/config",
    "GIT_CONFIG_SYSTEM": "DECOY/.git/config",
    "GIT_DEFAULT_HASH": "sha256",
    "GIT_DEFAULT_REF_FORMAT": "reftable",
    "GIT_DIFF_OPTS": "-u0",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM": "1",
    "GIT_EXTERNAL_DIFF": "false",
    "GIT_GLOB_PATHSPECS": "1",
    "GIT_ICASE_PATHSPECS": "1",
    "GIT_INDEX_VERSION": "4",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_MERGE_VERBOSITY": "5",
    "GIT_NAMESPACE": "theirs",
    "GIT_NOGLOB_PATHSPECS": "1",
    "GIT_NOTES_REF": "refs/notes/theirs",
    "GIT_OPTIONAL_LOCKS": "1",
    "GIT_QUARANTINE_PATH": "DECOY/.git/objects",
    "GIT_REFLOG_ACTION": "rebase (finish): returning to refs/heads/x onto 0",
    "GIT_REF_PARANOIA": "1",
    "GIT_TEMPLATE_DIR": "DECOY",
    "GIT_TRACE": "1",
    "GIT_WORK_TREE": "DECOY",
}
"""Variables beyond `git rev-parse --local-env-vars`, and values. Where a trace goes is the user's own word."""

THEIR_VALUES = {
    "GIT_ALTERNATE_OBJECT_DIRECTORIES": "DECOY/.git/objects",
    "GIT_COMMON_DIR": "DECOY/.git",
    "GIT_CONFIG": "DECOY/.git/config",
    "GIT_CONFIG_PARAMETERS": "'core.worktree'='DECOY' 'core.bare'='true'",
    "GIT_GRAFT_FILE": "DECOY/decoy.txt",
    "GIT_IMPLICIT_WORK_TREE": "0",
    "GIT_INDEX_FILE": "DECOY/.git/index",
    "GIT_INTERNAL_SUPER_PREFIX": "theirs/",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OBJECT_DIRECTORY": "DECOY/.git/objects",
    "GIT_PREFIX": "../../theirs/",
    "GIT_REPLACE_REF_BASE": "refs/heads/",
    "GIT_SHALLOW_FILE": "DECOY/decoy.txt",
}
READS = (("plan",), ("check",), ("land", "--dry-run"), ("log",), ("path", "1"))


def values(place: Place) -> dict[str, dict[str, str]]:
    """By variable, the environment that sets it; every variable that git calls local to a repository is there."""
    listed = place.repo.git("rev-parse", "--local-env-vars").split()
    texts = {name: "DECOY" for name in listed if name != "GIT_DIR"} | THEIR_VALUES | OF_OTHERS
    found = {name: {name: text.replace("DECOY", str(place.decoy.path))} for name, text in texts.items()}
    found["GIT_CONFIG_COUNT"] |= {"GIT_CONFIG_KEY_0": "core.worktree", "GIT_CONFIG_VALUE_0": str(place.decoy.path)}
    return found


def test_every_variable_alone(place: Place) -> None:
    """Answers are those of the usual environment, and the decoy is never touched."""
    expected, before = place.rows(), bytes_of(place.decoy.path.parent)
    assert [row[0] for row in expected.values()] == ["active", "active", "ready"]
    for name, env in values(place).items():
        for cwd in (place.repo.path, place.tree("1")):
            assert place.rows(env, cwd) == expected, name
    assert bytes_of(place.decoy.path.parent) == before


def test_all_of_them_at_once_and_every_command(place: Place) -> None:
    env = {key: value for one in values(place).values() for key, value in one.items()}
    rival = {"GIT_GLOB_PATHSPECS", "GIT_CONFIG_GLOBAL", "GIT_INDEX_FILE"}  # a plain git dies of the first
    env = {key: value for key, value in env.items() if key not in rival}
    place.fleet("check")  # it remembers merges, and says so
    told = {words: place.fleet(*words).out for words in READS}
    before = bytes_of(place.decoy.path.parent)
    assert {words: place.fleet(*words, env=env).out for words in READS} == told
    assert place.fleet("add", "3", env=env).status == 0
    assert place.repo.git("status", "--porcelain", cwd=place.tree("3")) == ""
    place.repo.commit("3", {"3.txt": "x\n"}, place.tree("3"))
    merged = place.repo.git("merge-tree", "--write-tree", "main", "3")
    assert place.fleet("land", "3", env=env).status == 0
    assert place.repo.oid("main^{tree}") == merged
    assert place.repo.git("status", "--porcelain") == ""
    assert place.fleet("remove", "3", env=env).status == 0
    assert place.fleet("undo", env=env).status == 0
    assert place.repo.git("log", "-g", "-1", "--format=%gs", "main").startswith("fleet")
    assert bytes_of(place.decoy.path.parent) == before


def test_the_repository_that_the_caller_names(place: Place) -> None:
    """As with git itself, GIT_DIR decides; from then on worktrees are asked, not the variable."""
    expected, before = place.rows(), bytes_of(place.decoy.path.parent)
    elsewhere = place.repo.path.parent
    assert place.rows({"GIT_DIR": str(place.repo.path / ".git")}, elsewhere) == expected
    assert place.rows({"GIT_DIR": str(place.repo.path / ".git/worktrees/1")}, place.tree("1")) == expected
    both = {"GIT_DIR": str(place.repo.path / ".git"), "GIT_WORK_TREE": str(place.decoy.path)}
    assert place.rows(both, elsewhere) == expected
    theirs = json.loads(place.fleet("status", "--json", env={"GIT_DIR": str(place.decoy.path / ".git")}).out)
    assert theirs["base"]["commit"] == place.decoy.oid("main")
    assert bytes_of(place.decoy.path.parent) == before


# -------------------------------------------------------------------------------------------------------------- callers

HOOKS = (
    *("applypatch-msg", "pre-applypatch", "post-applypatch", "pre-commit", "pre-merge-commit", "prepare-commit-msg"),
    *("commit-msg", "post-commit", "pre-rebase", "post-checkout", "post-merge", "pre-push", "pre-receive", "update"),
    *("post-receive", "post-update", "reference-transaction", "post-rewrite", "post-index-change", "pre-auto-gc"),
    *("push-to-checkout",),
)
OF_A_COMMIT = ("pre-commit", "prepare-commit-msg", "commit-msg", "post-commit", "pre-merge-commit")


def test_from_every_hook(place: Place, tmp_path: Path) -> None:
    """git exports other variables for nearly every hook; all see the same fleet, and none writes where git writes."""
    repo, answers = place.repo, tmp_path / "answers"
    answers.mkdir()
    folder = repo.path / ".git/hooks"
    folder.mkdir(exist_ok=True)
    for hook in HOOKS:
        # The first call of each: what a hook starts may call it again.
        (folder / hook).write_text(
            f"#!/bin/sh\nmkdir '{answers}/{hook}' 2>/dev/null || exit 0\n"
            f"git fleet path 1 >'{answers}/{hook}/path' 2>'{answers}/{hook}/err' </dev/null\n"
            f"git fleet remove 3 >/dev/null 2>'{answers}/{hook}/deed' </dev/null\necho $? >'{answers}/{hook}/status'\n"
            f"env >'{answers}/{hook}/env'\nexit 0\n"
        )
        (folder / hook).chmod(0o755)
    _call_every_hook(place)
    seen = {hook.name for hook in answers.iterdir()}
    assert seen == set(HOOKS)
    for hook in HOOKS:
        where = (answers / hook / "path").read_text()
        assert where == f"{place.tree('1')}\n", (hook, (answers / hook / "err").read_text())
        deed, status = (answers / hook / "deed").read_text(), (answers / hook / "status").read_text().strip()
        if hook in OF_A_COMMIT:
            assert (status, "a git commit is under way" in deed) == ("3", True), (hook, deed)
        else:
            assert status in ("0", "3", "75", "128"), (hook, deed)
    repo.fsck()
    assert place.rows()["1"][0] == "active"


def _call_every_hook(place: Place) -> None:
    repo, tree = place.repo, place.tree("2")
    repo.git("commit", "-q", "--allow-empty", "-m", "pre-commit and its kin", cwd=tree)
    repo.git("checkout", "-q", "-b", "aside", "2~1", cwd=tree)
    repo.git("commit", "-q", "--allow-empty", "-m", "aside", cwd=tree)
    repo.git("merge", "-q", "--no-edit", "2", cwd=tree)
    patch = repo.git("format-patch", "--stdout", "--root", "-1", "1", cwd=tree) + "\n"
    repo.git("checkout", "-q", "-b", "mail", "main", cwd=tree)
    repo.git("am", "-q", cwd=tree, stdin=patch)
    repo.git("rebase", "-q", "--force-rebase", "main", cwd=tree)
    repo.git("checkout", "-q", "2", cwd=tree)
    # `gc --auto` guesses how many loose objects there are from the number in one folder.
    texts = [text for text in (f"{number}\n" for number in range(3000)) if kit.blob_id(text.encode()).startswith("17")]
    for text in texts[:4]:
        repo.git("hash-object", "-w", "--stdin", stdin=text)
    repo.git("-c", "gc.auto=1", "-c", "gc.autoDetach=false", "gc", "--auto", "-q")
    repo.git("config", "receive.denyCurrentBranch", "updateInstead")
    there = repo.path.parent / "pusher"
    repo.git("clone", "-q", str(repo.path), str(there))
    repo.git("commit", "-q", "--allow-empty", "-m", "pushed", cwd=there)
    repo.git("push", "-q", "origin", "main", cwd=there)
    repo.git("remote", "add", "there", str(there))
    repo.git("push", "-q", "there", "2:refs/heads/pushed")


def test_from_every_caller(place: Place) -> None:
    """Aliases, with and without a shell, below the top and in linked worktrees; `-C`, `-c`, `rebase --exec`, …"""
    repo, expected = place.repo, place.rows()
    config = ("-c", "alias.plain=fleet status --json", "-c", "alias.viash=!git fleet status --json")
    (repo.path / "sub").mkdir()
    (place.tree("1") / "sub").mkdir()
    git_dir = str(repo.path / ".git")
    calls = [
        (("git", *config, alias), cwd)
        for alias in ("plain", "viash")
        for cwd in (repo.path, repo.path / "sub", place.tree("1"), place.tree("1") / "sub")
    ]
    calls += [
        (("git", "-C", str(repo.path), "fleet", "status", "--json"), repo.path.parent),
        (("git", "-C", str(place.tree("1")), "fleet", "status", "--json"), place.decoy.path),
        (("git", f"--git-dir={git_dir}", "fleet", "status", "--json"), place.decoy.path),
        (("git", f"--git-dir={git_dir}", f"--work-tree={place.decoy.path}", "fleet", "status", "--json"), repo.path),
        (("git", "-c", f"core.worktree={place.decoy.path}", "fleet", "status", "--json"), repo.path),
        (("git", "--no-pager", "--literal-pathspecs", "--no-replace-objects", "fleet", "status", "--json"), repo.path),
    ]
    for argv, cwd in calls:
        done = repo.run(*argv, cwd=cwd, reader=True, check=0)
        assert facts(done.out) == expected, argv


def test_from_rebase_and_bisect(place: Place, tmp_path: Path) -> None:
    repo, answer = place.repo, tmp_path / "answer"
    tree = repo.path.parent / "aside"
    repo.git("worktree", "add", "-q", "--detach", str(tree), "1")
    expected = place.rows()
    call = f"git fleet status --json >'{answer}'"
    repo.git("rebase", "-q", "--force-rebase", "--exec", call, "main", cwd=tree)
    assert facts(answer.read_text()) == expected
    repo.git("rebase", "-q", "--force-rebase", "--exec", "git fleet add 3 && git fleet land 3", "main", cwd=tree)
    assert place.rows()["3"][0] == "active"
    entries = repo.git("log", "-g", "--format=%gs", "3").split("\n")
    assert not [line for line in entries if line.startswith("rebase")]  # what we do is no part of the rebase


def test_from_submodule_foreach(place: Place, tmp_path: Path) -> None:
    """Each submodule is a repository of its own."""
    outer = kit.make_repo(tmp_path / "outer", {"top": "x\n"})
    outer.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(place.repo.path), "inner")
    before = bytes_of(outer.path / ".git/refs")
    said = outer.git("submodule", "--quiet", "foreach", "git fleet status --json")
    assert json.loads(said)["base"]["commit"] == place.repo.oid("main")
    outer.git("submodule", "--quiet", "foreach", "git fleet add 'one thing' --owns x")
    assert (outer.path / ".git/modules/inner/refs/heads/feature").is_dir()
    assert bytes_of(outer.path / ".git/refs") == before


def test_from_a_folder_that_is_gone(place: Place) -> None:
    for words in (*READS, ("status",), ("add", "3"), ("land",), ("remove", "1"), ("undo",), ("init",)):
        gone = place.repo.path / "gone"
        gone.mkdir()
        script = f'cd gone && rmdir "$PWD" && exec "{sys.executable}" -P -m git_fleet "$@"'
        env = kit.environment({"PYTHONPATH": str(ROOT)})
        argv = ["sh", "-c", script, "sh", *words]
        done = subprocess.run(argv, cwd=place.repo.path, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 128, (words, done)
        assert done.stderr.startswith("fatal: the current directory is gone\nhint: "), words


def test_programs_and_modules_that_lie_in_a_worktree(place: Place) -> None:
    """A `git` with `.` on PATH, a `click.py` with `.` on PYTHONPATH or under `python -m`: nothing of it runs."""
    top = place.repo.path
    for name in ("click.py", "json.py", "shutil.py", "sqlite3.py", "tabulate.py", "pygit2.py", "git_fleet_local.py"):
        (top / name).write_text("open('RAN', 'a').close()\nraise SystemExit('taken in')\n")
    for name in ("git", "sh", "git-fleet"):
        (top / name).write_text("#!/bin/sh\ntouch RAN\n")
        (top / name).chmod(0o755)
    path = f".:{os.environ['PATH']}"
    starts = ((sys.executable, "-m", "git_fleet"), (sys.executable, str(_entry_point(place.repo.path.parent))))
    for argv in starts:
        for python_path in (f"{ROOT}:.", f"{ROOT}:", f".:{ROOT}"):
            if argv[1] != "-m" and python_path.startswith("."):
                python_path = f"{ROOT}:.:"
            env = kit.environment({"PATH": path, "PYTHONPATH": python_path})
            for words in (("status", "--json"), ("add", "3")):
                done = subprocess.run([*argv, *words], cwd=top, env=env, capture_output=True, text=True, check=False)
                assert done.returncode == 0, (argv, python_path, done.stderr)
    assert not list(top.parent.rglob("RAN"))


def _entry_point(folder: Path) -> Path:
    """What an installer writes."""
    script = folder / "git-fleet"
    script.write_text("import sys\nfrom git_fleet.start import main\nsys.exit(main())\n")
    return script


# ------------------------------------------------------------------------------------------------------------ terminals

EVIL = "\x1b]52;c;ZXZpbA==\x07\x1b[2J\u009b31m\u202e\u200b"
ODD_FOLDER = f"evil{EVIL}\n\rhint: rm -rf ~"


@pytest.fixture
def evil(tmp_path: Path) -> Repo:
    """Everything that has a name has an evil one: folder, branch, file, subject, author, lock reason, title, agent."""
    repo = kit.make_repo(tmp_path / ODD_FOLDER / "app", {"file": "x\n"})
    strange = "x\u009b31m\u202ey"
    repo.config({"fleet.worktree": "../{id}", "fleet.1.title": f"title {EVIL}", "fleet.1.agent": f"agent{EVIL}"})
    repo.config({"fleet.1.branch": "1", "fleet.1.owns": f"other{EVIL}", "fleet.2.title": "two", "fleet.2.branch": "2"})
    repo.config({"fleet.gate.bad": "x", "fleet.3.title": "three", "fleet.3.branch": "no\x1bbranch"})
    repo.git("config", "--unset", "fleet.gate.bad")
    for task, name in (("1", "1"), ("2", "2"), ("9", strange)):
        repo.git("worktree", "add", "-q", "-b", name, f"../{task}")
        tree = repo.path.parent / task
        person = f"--author=evil {EVIL} <e@example.com>".replace("\n", "")
        repo.write({f"new{EVIL}{task}": "x\n", "file": f"{task}\n"}, tree)
        repo.git("add", "-A", cwd=tree)
        repo.git("commit", "-q", person, "-m", f"subject {EVIL}", cwd=tree)
    repo.write({f"dirty{EVIL}": "x\n"}, repo.path.parent / "2")
    repo.git("worktree", "lock", "--reason", f"because {EVIL}\nof it", str(repo.path.parent / "2"))
    return repo


RAW = (("land", "--script"), ("path", "../9"), ("add", "--all"))
"""Programs read these: paths and a script are what they are, unless they go to a terminal."""

SHOWN = (
    *(("plan",), ("plan", "-v"), ("status",), ("status", "--wide"), ("status", "-v"), ("check",), ("check", "-v")),
    *(("graph",), ("graph", "--format=mermaid"), ("graph", "--format=dot"), ("graph", "--format=svg")),
    *(("land", "--dry-run"), ("land",), ("land", "1"), ("land", "--dry-run", "-v"), ("log",), ("undo", "--dry-run")),
    *(("remove", "1"), ("remove", "2"), ("remove", f"nobody{EVIL}"), ("add", "--all"), ("add", "--dry-run", "--all")),
    *(("path", f"nobody{EVIL}"), (f"command{EVIL}",), ("status", f"--option{EVIL}"), ("plan", "--plan", f"p{EVIL}")),
    *(("graph", f"--format=x{EVIL}"), ("check", "--hook", f"../1/file{EVIL}"), ("land", "--onto", f"b{EVIL}")),
    *(("add", f"5 title {EVIL}", "--owns", "x"), ("check", "--refs", f"refs/{EVIL}"), ("help", f"x{EVIL}")),
    *(("add", f"--needs={EVIL}", "6 six"), ("undo", f"{EVIL}"), ("status", f"extra{EVIL}")),
    *(
        ("mark", f"{EVIL}", "1"),
        ("mark", "done", EVIL),
        ("mark", "stuck", "1", "-m", EVIL),
        ("status",),
        ("land", "-n"),
    ),
)


def is_harmless(text: str) -> bool:
    """Is there nothing in it that a terminal would obey or hide, but for line ends?"""
    return not any(
        (ord(char) < 0x20 and char != "\n") or 0x7F <= ord(char) < 0xA0 or char in "\u202e\u200b" for char in text
    )


def test_nothing_raw_is_ever_printed(warm: Warm, evil: Repo) -> None:
    """With a plan that is broken, with one that is not, and without any; the last is where the worst names can be."""
    for calls, sections in ((SHOWN[:8], ["fleet.3"]), (SHOWN, ["fleet.1", "fleet.2"]), (SHOWN[:21], [])):
        for words in calls:
            done = warm.run(*words, cwd=evil.path, env=kit.environment(None))
            assert is_harmless(done.out) or words in RAW, (words, done.out)
            assert is_harmless(done.err), (words, done.err)
            assert "\nhint: rm -rf" not in f"\n{done.err}", (words, done.err)
            assert "Traceback" not in done.err
        for section in sections:
            evil.git("config", "--remove-section", section)
    for words in (("status", "--json"), ("plan", "--json"), ("check", "--json"), ("log", "--json")):
        document = warm.run(*words, cwd=evil.path, env=kit.environment(None)).out
        assert is_harmless(document)
        json.loads(document)


def test_what_goes_to_a_terminal_is_harmless_even_where_programs_get_it_raw(evil: Repo) -> None:
    for section in ("fleet.3", "fleet.2", "fleet.1"):
        evil.git("config", "--remove-section", section)
    for words in RAW:
        piped = evil.fleet(*words)
        assert "\x9b" in piped.out, piped
        shown = on_terminal(evil, *words)
        assert is_harmless(shown.replace("\r\n", "\n")), (words, shown)


def on_terminal(repo: Repo, *words: str) -> str:
    """What a terminal gets."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        ["git", "fleet", *words],
        cwd=repo.path,
        env=kit.environment({"TERM": "xterm", "NO_COLOR": "1"}),
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    ):
        os.close(theirs)
        data = b""
        while True:
            try:
                more = os.read(ours, 65536)
            except OSError:  # nobody holds the other end any more
                break
            data += more
    os.close(ours)
    return data.decode("utf-8", "surrogateescape")
