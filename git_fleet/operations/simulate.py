"""The certificate: fold the branches onto the base, one after the other, and write down every tree. Nothing is kept.

What follows from what was seen already (branches that have nothing to do with each other, conflicts) is foretold, many
steps at a time; git then merges them all in one go, and what it says is what counts.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from git_fleet.model.errors import GitError
from git_fleet.model.fleet import Base, Branch, Change, Radar
from git_fleet.model.landing import Action, OrderStep, Step
from git_fleet.model.plan import Task
from git_fleet.operations.combine import combine
from git_fleet.repo import lineage, merging, objects
from git_fleet.repo.merging import Merge, Quarantine
from git_fleet.repo.objects import Made
from git_fleet.repo.trees import Growing


class Foreseen(NamedTuple):
    """What is known before: what each branch changes in the base, and with whom that has anything to do. By ref."""

    changes: Mapping[str, tuple[Change, ...]]
    near: Mapping[str, Collection[str]]


def foreseen(sight: Radar) -> Foreseen:
    """What one look has shown."""
    near: dict[str, set[str]] = {}
    for pair in sight.pairs:
        for one, other in (pair.keys, pair.keys[::-1]):
            near.setdefault(one, set()).add(other)
    return Foreseen(sight.changes, near)


def fold(
    place: Quarantine,
    base: Base,
    order: Sequence[OrderStep],
    tasks: Mapping[str, Task],
    branches: Mapping[str, Branch],
    known: Foreseen | None = None,
    *,
    strategy: str = "merge",
    start: Sequence[str] = (),
) -> tuple[Step, ...]:
    """A step for each place in the order, with the tree after it. Those that merge after all land; those that do not
    stop, and what needs them is parked. Those that stop come after those that land, the parked ones last.

    The trees stay in the quarantine. `known` makes it quicker, never different. `start` are commits that count as
    landed although the base lacks them: those of branches that were squashed or rebased.
    """
    one = _Fold(place, base, tasks, branches, known or Foreseen({}, {}), start)
    waiting = list(order)
    while waiting:
        if strategy in ("merge", "squash"):
            del waiting[: one.advance(waiting)]
        else:
            entry = one.below(waiting) if strategy == "ff" else waiting[0]
            waiting.remove(entry)
            one.advance_one(entry, strategy)
    return (*one.landing, *sorted(one.rest, key=lambda step: step.action is not Action.STOP))


class _Expected(NamedTuple):
    """A step that is to be merged, and the tree that it makes; None: it does not merge, or nobody knows."""

    entry: OrderStep
    tree: str | None


class _Fold:
    """The line as far as it got, and what became of each step."""

    def __init__(
        self,
        place: Quarantine,
        base: Base,
        tasks: Mapping[str, Task],
        branches: Mapping[str, Branch],
        known: Foreseen,
        start: Sequence[str],
    ) -> None:
        self.landing: list[Step] = []
        self.rest: list[Step] = []
        self._place = place
        self._tasks = tasks
        self._branches = branches
        self._known = known
        self._last = Made(base.tree, (base.commit, *start), "x\n")  # on its own, so that every line is made in one way
        self._tree = base.tree
        self._refs: set[str] = set()
        self._stopped: set[str] = set()
        self._guess: Growing | None = None
        self._guessed = base.tree
        try:
            paths = {change.path for changes in known.changes.values() for change in changes}
            self._guess = Growing(place, base.tree, sorted(paths))
        except (GitError, ValueError):  # git is asked step by step then
            pass

    def below(self, waiting: Sequence[OrderStep]) -> OrderStep:
        """The first step, or that on which it stands: whatever is fast-forwarded takes along what it descends from."""
        tip = self._branch(waiting[0]).tip
        commits = lineage.beside(self._place.repository, self._tip(), [tip])
        places = {self._branch(entry).tip: entry for entry in reversed(waiting)}
        return next((places[commit] for commit in reversed(commits) if commit in places), waiting[0])

    def advance_one(self, entry: OrderStep, strategy: str) -> None:
        """Deal with one step by a strategy in which every commit counts."""
        step = self._step(entry)
        if self._parked(step):
            return
        line = objects.lines(self._place, [self._last])[0] if strategy != "ff" else self._tip()
        found = combine(self._place, strategy, (line, self._tree), step.tip, step.id)
        if found.empty:
            reason = "nothing to land: the base has each of its changes"
            self.rest.append(step._replace(action=Action.SKIP, reason=reason))
        elif found.clean:
            self._last, self._tree = Made(found.tree, (line, step.tip), "x\n"), found.tree
            self.landing.append(step._replace(action=Action.LAND, tree=found.tree, reason=_why_lands(step)))
        else:
            self._stopped.add(step.id)
            self.rest.append(
                step._replace(action=Action.PARK, reason=found.why) if found.why else _stop(step, found.paths)
            )

    def _tip(self) -> str:
        """What the next branch has to descend from, to be fast-forwarded to."""
        return self.landing[-1].tip if self.landing else self._last.parents[0] or ""

    def _parked(self, step: Step) -> bool:
        waits = [need for need in self._tasks[step.id].needs if need in self._stopped]
        if waits:
            self._stopped.add(step.id)
            reason = f"needs {', '.join(waits)}, which do not land"
            self.rest.append(step._replace(action=Action.PARK, reason=reason))
        return bool(waits)

    def advance(self, waiting: Sequence[OrderStep]) -> int:
        """Deal with the next steps, as many as can be in one go; how many."""
        if self._parked(self._step(waiting[0])):
            return 1
        expected = self._foretell(waiting)
        pairs = [(line, self._branch(one.entry).tip) for one, line in zip(expected, self._lines(expected), strict=True)]
        merged = zip(expected, pairs, merging.merges(self._place, pairs), strict=True)
        for number, (one, (line, tip), merge) in enumerate(merged, 1):
            if merge.why and number > 1:  # is it the merge, or what was foretold before it? It is asked again
                self._guess = None
                return number - 1
            self._take(one.entry, merge, Made(merge.tree, (line, tip), "x\n"))
            if (merge.tree if merge.clean else None) != one.tree:
                return number
        return len(expected)

    def _foretell(self, waiting: Sequence[OrderStep]) -> list[_Expected]:
        """The next steps whose outcome can be told, and one more: git's answer to that is the next beginning."""
        expected: list[_Expected] = []
        refs, stops = set(self._refs), set(self._stopped)
        tree = self._tree
        for entry in waiting:
            ref = self._tasks[entry.id].ref
            if stops.intersection(self._tasks[entry.id].needs):
                break
            if entry.action is Action.LAND and not refs.isdisjoint(self._known.near.get(ref, ())):
                expected.append(_Expected(entry, None))
                break
            if entry.action is Action.LAND:
                grown = self._grown(tree, ref)
                expected.append(_Expected(entry, grown))
                if grown is None:
                    break
                tree = grown
                refs.add(ref)
            else:
                expected.append(_Expected(entry, None))
                stops.add(entry.id)
        return expected

    def _grown(self, tree: str, ref: str) -> str | None:
        """The tree with what a branch changes in it; None where nobody can say."""
        changes = self._known.changes.get(ref)
        if self._guess is None or changes is None:
            return None
        try:
            if self._guessed != tree:
                self._guess.write()
                there = merging.changes(self._place, self._guessed, [tree])[0][0]
                self._guessed = self._guess.grow(there)
            self._guessed = self._guess.grow(changes) if self._guessed == tree else self._guessed
        except (GitError, ValueError):
            self._guess = None
            return None
        return self._guessed

    def _lines(self, expected: Sequence[_Expected]) -> list[str]:
        """The line's commit before each step, as expected."""
        wanted = [self._last]
        places = []
        for one in expected:
            places.append(len(wanted) - 1)
            if one.tree is not None:
                wanted.append(Made(one.tree, (None, self._branch(one.entry).tip), "x\n"))
        if self._guess is not None:
            self._guess.write()
        made = objects.lines(self._place, wanted[: places[-1] + 1])
        return [made[at] for at in places]

    def _take(self, entry: OrderStep, merge: Merge, after: Made) -> None:
        """What git says of a step; `after` is the line's next commit if it lands."""
        step = self._step(entry)
        if merge.clean:
            self._last, self._tree = after, merge.tree
            self._refs.add(self._tasks[entry.id].ref)
            self.landing.append(step._replace(action=Action.LAND, tree=merge.tree, reason=_why_lands(step)))
            return
        self._stopped.add(entry.id)
        no_use = step._replace(action=Action.PARK, reason=f"git cannot merge it: {merge.why}")
        self.rest.append(no_use if merge.why else _stop(step, merge.paths))

    def _step(self, entry: OrderStep) -> Step:
        task = self._tasks[entry.id]
        return Step(
            entry.id,
            task.branch,
            self._branch(entry).tip,
            entry.action,
            entry.reason,
            title=task.title,
            agent=task.agent,
        )

    def _branch(self, entry: OrderStep) -> Branch:
        return self._branches[self._tasks[entry.id].ref]


def _stop(step: Step, paths: Sequence[str]) -> Step:
    if step.action is Action.STOP:
        return step._replace(conflicts=tuple(paths))
    reason = "merges with each of the others alone, but not with all that land before it"
    return step._replace(action=Action.STOP, reason=reason, conflicts=tuple(paths))


def _why_lands(step: Step) -> str:
    return step.reason if step.action is Action.LAND else "merges after all, once the others have landed"
