"""Trees under test, several at once, each in its lane. One thread a lane runs gates; this one alone writes things down.

The journal knows of every lane before it is there, and of every gate before it begins.
"""

import itertools
import os
import queue
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import NamedTuple

from git_fleet.journal import database
from git_fleet.model.events import AtGate, AtWork, Event, Gated, Gating, Note
from git_fleet.model.landing import GateResult
from git_fleet.model.settings import Gate
from git_fleet.operations import environment, lanes, running
from git_fleet.operations import gate as gates
from git_fleet.operations.gate import Subject
from git_fleet.operations.run import Run
from git_fleet.repo import logs, pids

Policy = Callable[[Mapping[int, bool], Collection[int]], Sequence[int]]
"""(what is known: position -> green?, what runs) -> the positions that should be under test; none: it is decided."""

TICK_S = 1.0


class _Job:
    """A subject in a lane, as the thread that runs its gates and the one that waits for it see it."""

    def __init__(self, subject: Subject, todo: Sequence[Gate], lane: int, place: int, total: int) -> None:
        self.subject, self.todo, self.lane, self.place, self.total = subject, todo, lane, place, total
        self.stop, self._stopper = os.pipe()
        self.may_begin: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self.cancelled = False
        self.at: tuple[Gate, float] | None = None
        self.gate_process: tuple[int, str | None] | None = None
        self.results: list[GateResult] = []
        self.thread: threading.Thread | None = None

    def cancel(self) -> None:
        if not self.cancelled:
            self.cancelled = True
            os.write(self._stopper, b"x")
            self.may_begin.put(False)  # it may wait for a leave that nobody is going to give

    def close(self) -> None:
        if self.thread:
            self.thread.join()
        for fd in (self.stop, self._stopper):
            os.close(fd)


class _Begins(NamedTuple):
    """A gate waits to begin: its process has this number."""

    job: _Job
    gate: Gate
    pid: int


class _Ran(NamedTuple):
    job: _Job
    gate: Gate
    result: GateResult


class _Ended(NamedTuple):
    job: _Job
    error: Exception | None


class Trials:
    """Get one from `opened`."""

    def __init__(self, run: Run, chosen: Sequence[Gate], width: int, lane: str | None) -> None:
        self.width = width
        self.runs = 0
        self.seconds = 0.0
        self.history: list[bool] = []
        """Green or red, in the order in which it became known."""
        self._run = run
        self._gates = chosen
        self._digest = gates.environment_digest()
        self._known: dict[str, GateResult] = {}
        self._red: dict[str, GateResult] = {}
        """Trees that were red and are tested once more."""
        self._looked_up: set[str] = set()
        self._unwritten: list[tuple[str, str, str, database.GateRow, str | None]] = []
        """Results that the journal does not know yet: they are written while the next gate runs."""
        self._lanes: list[str | None] = [lane] if lane else [None] * width
        self._own_lanes = lane is None
        self._jobs: list[_Job] = []
        self._messages: queue.SimpleQueue[_Begins | _Ran | _Ended | Event] = queue.SimpleQueue()
        self._numbers = itertools.count(1)
        self._useful = 0.0
        self._active = 0.0
        self._active_since = 0.0
        self._began_s = 0.0

    @property
    def saved_s(self) -> float:
        """Seconds of gates that count, less the time in which they ran."""
        return max(0.0, self._useful - self._active)

    def known(self, subject: Subject) -> GateResult | None:
        """What the gates say of its tree, now or earlier; None where they were not all asked."""
        if subject.tree not in self._known and subject.tree not in self._looked_up:
            self._looked_up.add(subject.tree)
            rows = [(gate, self._passed_before(subject, gate)) for gate in self._gates]
            if all(row for _, row in rows):
                for gate, row in rows:
                    assert row is not None
                    self._unwritten.append((subject.tree, gate.command, self._digest, row, subject.task))
                    self._run.say(Gated(subject.what, gate.name, row.verdict, row.seconds, row.log, cached=True))
                flaky = any(row and row.verdict == "flaky" for _, row in rows)
                seconds = sum(row.seconds for _, row in rows if row)
                self._known[subject.tree] = GateResult("", "flaky" if flaky else "passed", seconds, cached=True)
        return self._known.get(subject.tree)

    def test(self, subject: Subject) -> GateResult:
        """What the gates say of one tree."""
        self.search([subject], lambda known, _: () if known else (0,))
        return self._known[subject.tree]

    def again(self, subject: Subject) -> GateResult:
        """The gates on a red tree once more, as often as `fleet.gateRetries` says: the first pass makes it flaky."""
        self._write_down()
        red = self._known[subject.tree]
        for _ in range(0 if gates.is_hopeless(red) else self._run.context.settings.gate_retries):
            self._red[subject.tree] = self._known.pop(subject.tree)
            if self.test(subject).verdict != "failed":
                break
        return self._known[subject.tree]

    def forget_failures(self) -> None:
        """Red trees may be tested again: one of them turned out to be flaky."""
        self._red.update({tree: result for tree, result in self._known.items() if result.verdict == "failed"})
        self._known = {tree: result for tree, result in self._known.items() if result.verdict != "failed"}

    def search(self, subjects: Sequence[Subject], policy: Policy) -> dict[int, bool]:
        """Test what the policy asks for, until it asks for nothing more: position -> green?"""
        under: dict[int, _Job] = {}
        while True:
            results = {place: self.known(subject) for place, subject in enumerate(subjects)}
            verdicts = {place: result.verdict != "failed" for place, result in results.items() if result}
            under = {place: job for place, job in under.items() if job in self._jobs and not job.cancelled}
            wanted = policy(verdicts, under.keys())
            for place, job in under.items():
                if place not in wanted:
                    job.cancel()
            for place in wanted:
                if place not in under and (begun := self._start(subjects, place)) is not None:
                    under[place] = begun
            if not wanted and not self._jobs:
                return verdicts
            self._wait()

    def _start(self, subjects: Sequence[Subject], place: int) -> _Job | None:
        """A job for it, if there is a lane, and nobody tests the same tree already."""
        subject = subjects[place]
        busy = {job.lane for job in self._jobs}
        free = next((lane for lane in range(len(self._lanes)) if lane not in busy), None)
        if free is None or any(job.subject.tree == subject.tree for job in self._jobs):
            return None
        todo = [gate for gate in self._gates if self._passed_before(subject, gate) is None]
        job = _Job(subject, todo, free, place, len(subjects) - 1)
        if not self._jobs:
            self._active_since = time.monotonic()
            self._began_s = self._began_s or time.time()
        fresh = self._lanes[free] is None
        if fresh:
            others = [path for path in self._lanes if path]
            run = self._run
            self._lanes[free] = lanes.open_for_gates(
                run.context.repository, run.journal, run.operation, subject.commit, others, run.say
            )
        job.thread = threading.Thread(target=self._work, args=(job, self._lanes[free], fresh), daemon=True)
        self._jobs.append(job)
        job.thread.start()
        return job

    def _passed_before(self, subject: Subject, gate: Gate) -> database.GateRow | None:
        row = self._run.journal.gate_result(subject.tree, gate.command, self._digest)
        return row if row and row.verdict != "failed" else None

    def _work(self, job: _Job, lane: str, fresh: bool) -> None:
        """In the lane's thread: the gates one after the other, up to the first that fails."""
        context = self._run.context
        error: Exception | None = None
        try:
            if not fresh and self._own_lanes:
                lanes.switch(context.repository, lane, job.subject.commit, self._messages.put)
            slot = environment.slot(context.repository, lane, self._messages.put)
            env = gates.environment(context, job.subject, lane, job.lane + 1, slot)
            for gate in job.todo:
                if job.cancelled:
                    break
                result = self._run_gate(job, lane, gate, env)
                self._messages.put(_Ran(job, gate, result))
                if result.verdict == "failed":
                    break
        except Exception as raised:  # handed to the one who waits
            error = raised
        self._messages.put(_Ended(job, error))

    def _run_gate(self, job: _Job, lane: str, gate: Gate, env: dict[str, str]) -> GateResult:
        context = self._run.context

        def started(pid: int) -> bool:
            self._messages.put(_Begins(job, gate, pid))
            return job.may_begin.get()

        try:
            number = next(self._numbers)
            log = gates.log_path(context.repository, self._run.operation, number, job.subject, gate)
        except OSError as error:
            return GateResult(gate.name, "failed", 0.0, None, f"cannot start: {error.strerror}")
        return gates.once(context.settings, gate, lane=lane, env=env, log=log, started=started, stop=job.stop)

    def _wait(self) -> None:
        """Take the next message, or say that time goes by."""
        if self._messages.empty():
            self._write_down()
        try:
            message = self._messages.get(timeout=TICK_S)
        except queue.Empty:
            self._show()
            return
        match message:
            case _Begins(job, gate, pid):
                self._let_begin(job, gate, pid)
            case _Ran(job, gate, result):
                self._take(job, gate, result)
            case _Ended(job, error):
                self._end(job, error)
            case event:
                self._run.say(event)

    def _let_begin(self, job: _Job, gate: Gate, pid: int) -> None:
        if job.cancelled:
            return
        self.runs += 1
        job.gate_process = (pid, pids.identity(pid))
        self._note_gates()
        job.at = (gate, time.time())
        self._run.say(Gating(job.subject.what, gate.name))
        self._show()
        job.may_begin.put(True)

    def _note_gates(self) -> None:
        begun = [job.gate_process for job in self._jobs if job.gate_process]
        running.note_gates(self._run.context.repository, self._run.operation, begun)

    def _write_down(self) -> None:
        """One write to the disk for all that came meanwhile."""
        if self._unwritten:
            self._run.journal.record_gates(self._unwritten)
            self._unwritten.clear()

    def _take(self, job: _Job, gate: Gate, result: GateResult) -> None:
        self.seconds += result.seconds
        job.at = None
        if job.cancelled:
            return
        self._useful += result.seconds
        red = self._red.get(job.subject.tree)
        if red and red.gate == gate.name and result.verdict == "passed":
            result = result._replace(verdict="flaky", log=red.log)
        job.results.append(result)
        row = database.GateRow(result.verdict, result.seconds, result.log)
        self._unwritten.append((job.subject.tree, gate.command, self._digest, row, job.subject.task))
        self._run.say(Gated(job.subject.what, *result))

    def _end(self, job: _Job, error: Exception | None) -> None:
        job.close()
        self._jobs.remove(job)
        if not self._jobs:
            self._active += time.monotonic() - self._active_since
        if not job.cancelled:
            if error is not None:
                raise error
            self._known[job.subject.tree] = _together(job.results)
            self.history.append(self._known[job.subject.tree].verdict != "failed")
        self._show()

    def _show(self) -> None:
        jobs = sorted((job for job in self._jobs if job.at), key=lambda job: job.lane)
        at_gates = [
            AtGate(job.lane + 1, job.subject.what, job.at[0].name, job.at[1], job.place, job.total)
            for job in jobs
            if job.at
        ]
        self._run.say(AtWork(tuple(at_gates)))

    def close(self) -> None:
        """End what runs, remove the lanes."""
        for job in self._jobs:
            job.cancel()
        while self._jobs:
            with suppress(Exception):  # what a cancelled job fails with is nobody's business
                self._wait()
        if self._own_lanes:
            for path in filter(None, self._lanes):
                if not lanes.discard(self._run.context.repository, path, self._run.say):
                    self._run.say(Note(f"a gate made files that cannot be removed, in the lane '{path}'"))
        self._note_end()
        running.note_gates(self._run.context.repository, self._run.operation, [])
        self._write_down()

    def _note_end(self) -> None:
        """In one write: that no lane is left, and what the gates took, after what those before them took."""
        facts: dict[str, object] = {"lanes": []} if self._own_lanes else {}
        if self.runs:
            took = running.GateTime(
                self._began_s, round(self._active, 3), round(self.seconds, 3), round(self.saved_s, 3)
            )
            known = self._run.journal.operation(self._run.operation)
            facts["gate_times"] = [*(running.gate_times(known) if known else ()), took]
        if facts:
            running.note(self._run.journal, self._run.operation, **facts)


def _together(results: Sequence[GateResult]) -> GateResult:
    """One result for all gates: the first that failed, else a pass."""
    seconds = sum(result.seconds for result in results)
    failed = next((result for result in results if result.verdict == "failed"), None)
    flaky = next((result for result in results if result.verdict == "flaky"), None)
    return (failed or flaky or GateResult("", "passed", 0.0))._replace(seconds=seconds)


@contextmanager
def opened(run: Run, chosen: Sequence[Gate], width: int, lane: str | None = None) -> Iterator[Trials]:
    """Trials in at most `width` lanes, which are gone at the end; or in the one `lane` as it is, which stays."""
    logs.prune(f"{run.context.repository.fleet_dir}/logs")
    trials = Trials(run, chosen, width, lane)
    try:
        yield trials
    finally:
        trials.close()
