"""Any sequence of commands, edits, kills and plain git against a model of what must be so. SAFETY 3.8.

The model knows every token that somebody wrote: each has to be found in a worktree, in the trash, or in what a
reference holds, unless plain git was told to destroy it. It knows, too, what each command makes of a task.
"""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import hypothesis
import kit
import pytest
import rooms
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from kit import Repo

from safety import SEEDS, TORTURE
from safety.trial import TRACEBACK, Programs, Tally, World, bricked, unfinished

TASKS = ("a", "b", "c")
EXAMPLES, STEPS = (20, 30) if TORTURE else (5, 12)
CODES = (0, 3, 4, 75, 128)
task = st.sampled_from(TASKS)
COMMANDS = st.one_of(
    st.tuples(st.sampled_from(("add", "land", "remove")), task),
    st.sampled_from([("land",), ("clean",), ("undo",), ("add", "--all")]),
)


DESTROYS = ("branch -D {id}", "worktree remove --force {tree}")
FOREIGN = (
    "commit",
    "branch by-hand-{number} {id}",
    "branch -m {id} {id}-away",
    "branch -m {id}-away {id}",
    "worktree move {tree} {to}",
    "worktree prune --expire=now",
    "gc --quiet --prune=now",
    "pack-refs --all",
    *DESTROYS,
)


class Trouble(AssertionError):
    """What the tally counts: `lost`, `bricked`, `doubled` or `wrong`."""

    def __init__(self, kind: str, what: str) -> None:
        super().__init__(f"{kind}: {what}")
        self.kind = kind


class Seen(NamedTuple):
    """What there is of a task, as plain git tells."""

    tip: str | None = None
    tree: str | None = None
    """Where its worktree is, if the folder is there."""
    ahead: bool = False
    """It has commits that the base lacks."""
    landed: bool = False
    dirty: bool = False

    @property
    def state(self) -> str:
        if self.landed:
            return "landed"
        if self.tip and self.tree:
            return "active"
        return "missing" if self.tip or self.tree else "ready"


class Model(RuleBasedStateMachine):
    """A repository with three planned tasks, and what is known of it."""

    def __init__(self, world: World, programs: Programs, tally: Tally) -> None:
        super().__init__()
        self.repo, self.programs, self.tally = world.again(), programs, tally
        self.repo.changed_by_fleet = True
        self.tokens: list[str] = []
        self.own: dict[str, set[str]] = {id: set() for id in TASKS}
        """Commits that were made in a task's worktree."""
        self.number = 0
        self.done: list[str] = []
        """What was done, for the report."""
        self.tasks: Mapping[str, Seen] = {}
        self.back: Mapping[str, Seen] | None = None
        """What an undo comes to, if nothing happened since the last command that did something."""
        self.last: tuple[str, ...] = ()
        self.killed = False
        """A killed command may not have been put right yet."""
        self.observe()

    # ------------------------------------------------------------------------------------------------------- people

    def token(self, who: str) -> str:
        self.number += 1
        found = f"token-{self.number}-by-{who}"
        self.tokens.append(found)
        return found

    def told(self, what: str) -> None:
        self.done.append(what)
        self.tally.add("steps", 1)

    def at_work(self, id: str) -> tuple[str, Path] | None:
        """The task, else another that has a worktree, and where."""
        found = [(one, Path(tree)) for one in (id, *TASKS) if (tree := self.tasks[one].tree)]
        return found[0] if found else None

    @rule(id=task, where=st.sampled_from(["new", "file", "secret.log"]), stage=st.booleans())
    def edit(self, id: str, where: str, stage: bool) -> None:
        """A new file, a line at the end of a shared one, or an ignored one."""
        at = self.at_work(id)
        if at is None:
            return
        id, tree = at
        self.told(f"edit {id} {where}{' --stage' if stage else ''}")
        token = self.token(id)
        with open(tree / (where if where != "new" else f"new-{self.number}"), "a", encoding="ascii") as file:
            file.write(f"{token}\n")
        if stage and where != "secret.log":
            self.repo.git("add", "-A", cwd=tree)
        self.look()

    @rule(id=task, shared=st.booleans())
    def commit(self, id: str, shared: bool) -> None:
        """All that is there, and more: in a file of its own, or in one that the others change as well."""
        at = self.at_work(id)
        if at is None:
            return
        id, tree = at
        self.told(f"commit {id}{' --shared' if shared else ''}")
        name = "other" if shared and self.number % 3 == 0 else f"done-{id}"
        with open(tree / name, "a", encoding="ascii") as file:
            file.write(f"{self.token(id)}\n")
        self.own[id].add(self.repo.commit(f"{id}: {self.number}", cwd=tree))
        self.look()

    # -------------------------------------------------------------------------------------------------- the program

    @rule(words=COMMANDS)
    def command(self, words: tuple[str, ...]) -> None:
        hypothesis.assume(words != self.last)  # else the first example of all is one command over and over
        self.run(words)

    @precondition(lambda self: any(one.tree for one in self.tasks.values()))
    @rule(words=st.sampled_from([("land",), ("clean",), ("undo",)]))
    def sweep(self, words: tuple[str, ...]) -> None:
        self.run(words)

    @rule(number=st.integers(1, 6))
    def undo_older(self, number: int) -> None:
        self.run(("undo", str(number)))

    @rule(how=st.sampled_from(["--skip", "--abort", "--park"]))
    def resume(self, how: str) -> None:
        if (self.repo.path.parent / "app-lane-1").exists():
            self.run(("land", how))

    @rule(words=COMMANDS, at=st.integers(0, 45))
    def kill(self, words: tuple[str, ...], at: int) -> None:
        """At a step of its way; what it leaves is for the next command to find."""
        self.told(f"kill {' '.join(words)} at {at}")
        self.tally.points()
        ended = self.programs.one(self.repo, *words, fault={"at": at, "do": "kill"})
        self.check_code(words, ended, -9)
        self.killed = True
        self.look()

    def run(self, words: tuple[str, ...]) -> None:
        """To its end, and compare with what was foreseen."""
        self.last = words
        self.told(" ".join(words))
        before, back = self.tasks, self.back
        ended = self.programs.one(self.repo, *words)
        self.done[-1] += f" ({ended.status})"
        self.check_code(words, ended)
        known = not self.killed
        if self.killed:
            self.killed = bool(unfinished(self.repo))
        self.observe()
        if known:
            for kind, what in foreseen(words, before, back, self.tasks, ended.status):
                raise Trouble(kind, f"{what}\n{self.story()}\n{ended.err}")
        self.back = before if ended.status == 0 and self.tasks != before and known else None

    def check_code(self, words: tuple[str, ...], ended: kit.Completed, *more: int) -> None:
        if ended.status not in (*CODES, *more) or TRACEBACK in ended.err:
            raise Trouble("wrong", f"{' '.join(words)}: exit {ended.status}\n{self.story()}\n{ended.err}")
        if ended.status > 0 and not ended.err.strip():
            raise Trouble("wrong", f"{' '.join(words)}: exit {ended.status} without a word\n{self.story()}")

    # --------------------------------------------------------------------------------------------------- plain git

    @rule(what=st.sampled_from(FOREIGN), id=task)
    def foreign(self, what: str, id: str) -> None:
        """By somebody who knows nothing of us."""
        if what == "commit":
            self.told("commit on main")
            self.repo.commit("by hand", {f"base-{self.number}": f"{self.token('main')}\n"})
            self.look()
            return
        path = str(rooms.tree(self.repo, id))
        tree = self.tasks[id].tree or path
        to = path if tree != path else f"{path}-moved"
        words = [word.format(id=id, number=self.number, tree=tree, to=to) for word in what.split()]
        done = subprocess.run(["git", *words], cwd=self.repo.path, capture_output=True, check=False)
        self.told(f"git {' '.join(words)} ({done.returncode})")
        if what in DESTROYS:
            found = self.found()
            self.tokens = [token for token in self.tokens if token in found]
        self.look()

    # ------------------------------------------------------------------------------------------------------ looking

    def look(self) -> None:
        """After something that no undo can take back."""
        self.observe()
        self.back = None

    def observe(self) -> None:
        """What plain git tells of each task."""
        refs = dict(
            line.split(" ")
            for line in self.repo.git(
                "for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/heads"
            ).splitlines()
        )
        trees = [tree for tree in self.repo.worktrees()[1:] if os.path.isdir(tree.path)]
        base = set(self.repo.git("rev-list", "main").split())
        landed = set(self.repo.git("log", "--format=%(trailers:key=Fleet-Task,valueonly)", "main").split())
        found = {}
        for id in TASKS:
            path = str(rooms.tree(self.repo, id))
            on = [tree.path for tree in trees if tree.branch == f"refs/heads/{id}"] or [
                t.path for t in trees if t.path == path
            ]
            tip, tree = refs.get(id), on[0] if on else None
            dirt = self.repo.git("status", "--porcelain", "--ignored", cwd=Path(tree)) if tree else ""
            found[id] = Seen(
                tip,
                tree,
                bool(tip) and tip not in base,
                tip in base and tip in self.own[id] if tip else id in landed,
                bool(dirt),
            )
        self.tasks = found

    def found(self) -> set[str]:
        """Every token in a file of any folder, `.git` only as far as the trash, or in what a reference reaches."""
        contents = []
        for folder, names, files in os.walk(self.repo.path.parent):
            if os.path.basename(folder) == ".git":
                names[:] = ["fleet"]
                continue
            if folder.endswith("/.git/fleet"):
                names[:] = ["trash"]
                continue
            contents += [Path(folder, name).read_bytes() for name in files if name != ".git"]
        objects = self.repo.git("rev-list", "--objects", "--all")
        oids = "\n".join(line[:40] for line in objects.splitlines() if len(line) > 41)
        contents.append(self.repo.git("cat-file", "--batch", stdin=oids).encode("utf-8", "surrogateescape"))
        words = set(b"\n".join(contents).split())
        return {token for token in self.tokens if token.encode() in words}

    def story(self) -> str:
        return "\n".join(f"    {number}. {what}" for number, what in enumerate(self.done, 1))

    @invariant()
    def nothing_is_lost(self) -> None:
        lost = sorted(set(self.tokens) - self.found())
        if lost:
            raise Trouble("lost", f"{lost}\n{self.story()}")

    @invariant()
    def nothing_is_bricked(self) -> None:
        found = bricked(self.repo)
        if self.killed:
            found = [one for one in found if not one.endswith(".lock is left")]
        if found:
            raise Trouble("bricked", f"{found}\n{self.story()}")

    @invariant()
    def nothing_lands_twice(self) -> None:
        lines = self.repo.git("log", "--first-parent", "--format=%P %(trailers:key=Fleet-Task,valueonly)", "main")
        merges = [line for line in (one.partition(" ")[2] for one in lines.splitlines()) if " " in line.strip()]
        if len(merges) != len(set(merges)):
            raise Trouble("doubled", f"{merges}\n{self.story()}")

    @invariant()
    def status_says_what_is_so(self) -> None:
        ended = self.programs.one(self.repo, "status", "--json")
        if ended.status != 0:
            raise Trouble("wrong", f"status: exit {ended.status}\n{self.story()}\n{ended.err}")
        if self.killed:
            return
        rows = {row["id"]: row for row in ended.json["tasks"]}
        said = {id: rows[id]["state"] for id in TASKS}
        expected = {id: one.state for id, one in self.tasks.items()}
        if said != expected:
            raise Trouble("wrong", f"status says {said}, not {expected}\n{self.story()}")

    def teardown(self) -> None:
        """However it was left: the next commands put all right."""
        if not self.done:
            return
        for words in (("land", "--abort"), ("add", "--all"), ("undo", "99")):
            self.programs.one(self.repo, *words)
        left = unfinished(self.repo)
        if left:
            raise Trouble("wrong", f"{left}\n{self.story()}")


def foreseen(
    words: tuple[str, ...],
    before: Mapping[str, Seen],
    back: Mapping[str, Seen] | None,
    after: Mapping[str, Seen],
    code: int,
) -> list[tuple[str, str]]:
    """Where an undisturbed command has ended otherwise than the model says: (kind, what)."""
    if words == ("undo",) and back is not None and code != 0:
        return [("wrong", f"undo ended with {code}, though nothing has moved")]
    if code not in (0, 4):
        made = [id for id in TASKS if after[id] != before[id] and words != ("add", "--all")]
        return [("wrong", f"{' '.join(words)} ended with {code} and changed {made}")] if made else []
    if words == ("undo",) and back is not None:
        return [("wrong", f"undo made {after}, not {back}")] if after != back else []
    if words[0] == "undo" or words[-1].startswith("--"):
        return []
    found = []
    for id in TASKS:
        meant = id in words or len(words) == 1
        if not may_become(words[0], before[id], after[id], code) if meant else after[id] != before[id]:
            found.append(("wrong", f"{' '.join(words)} ({code}) made of {id} {after[id]}, before: {before[id]}"))
    return found


def may_become(command: str, before: Seen, after: Seen, code: int) -> bool:
    """May a task that is meant become this?"""
    gone = before._replace(tip=None, tree=None, ahead=False, dirty=False)
    if command == "add":
        return after == before if before.landed or (before.tip and before.tree) else bool(after.tip and after.tree)
    if command == "land":
        landed = before._replace(ahead=False, landed=True)
        return after == (landed if before.ahead else before) or (code == 4 and after == before)
    if not before.tip or not before.landed or before.dirty:  # one that has something else to lose
        return after == before or (not before.tip and not before.dirty and after == gone)
    return after == gone


def two_added(folder: Path) -> Repo:
    repo = rooms.fleet(folder, dict.fromkeys(TASKS))
    repo.fleet("add", "a", "b", check=0)
    return repo


@pytest.mark.parametrize("seed", SEEDS)
def test_any_sequence(seed: int, tmp_path: Path, programs: Programs, tally: Tally) -> None:
    world = World(tmp_path / "world", two_added)
    play = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
        phases=(Phase.generate,),
    )

    def machine() -> Model:
        return Model(world, programs, tally)

    try:
        run_state_machine_as_test(hypothesis.seed(seed)(machine), settings=play)
    except Trouble as trouble:
        tally.say(trouble.kind, f"seed {seed}", str(trouble))
        raise
