"""One phase of load over all load processes: numbers dealt, reports taken, the end awaited, the lost ones noticed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cqlsurge.load.outcomes.ranges import Ranges
from cqlsurge.processes.dealer import Dealer
from cqlsurge.processes.group import ProcessGroup
from cqlsurge.results.counts import PhaseCounts
from cqlsurge.results.figures import Numbers, Open
from cqlsurge.results.listener import FASTER, PAUSE, SLOWER, STOP, Listener, Progress, WorkerProgress
from cqlsurge.results.seconds import Second
from cqlsurge.runs.interrupts import Interrupts
from cqlsurge.runs.phases import PhasePlan

TICK_S = 0.1
STOP_DRAIN_S = 1.0
#: a process that has not ended this long after its drain is ended
STOP_GRACE_S = 0.7
SILENT_S = 5.0
#: load processes report each second: one that comes so long after the last has not run in between
STOOD_STILL_S = 2.5
LOST_S = 30.0
#: lost processes that are named one by one
NAMED = 4
#: one step of a change of rate asked for while the run goes
RATE_STEP = 1.1
#: the last answers are awaited for so long before it is said that they are
AWAITED_S = 1.0

Message = dict[str, Any]


@dataclass
class PhaseResult:
    """What a phase came to: its counts, who had which numbers, and whether somebody asked it to stop."""

    plan: PhasePlan
    counts: PhaseCounts
    dealer: Dealer
    interrupted: bool = False
    lost: list[str] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether it did all that it was to do, so that the next phase may follow."""
        return not self.interrupted and not self.lost and (self.plan.measured or self._all_ok)

    @property
    def _all_ok(self) -> bool:
        return self.counts.total("ok") >= (self.plan.total or 0)

    def open_numbers(self) -> Open:
        """The numbers that are not known to have ended, and those that may be handed out before this is asked again."""
        found = Ranges()
        for index, process in enumerate(self.counts.processes):
            # Of a process that stopped in good order it is known what became of all that it issued.
            ended = process.ended and process.lost is None
            position = process.total("issued") if ended else (process.last or {}).get("settled", 0)
            for first, past in self.dealer.ranges_from(index, position):
                found.add(first, past)
        for first, past in self.dealer.waiting:
            found.add(first, past)
        ranges = [[first, past] for first, past in found.pairs()]
        return Open(ranges, self.dealer.next, list(self.dealer.soon))

    def numbers(self) -> Numbers:
        """What became of the operation numbers: writes that failed, are unknown, open or were never issued."""
        processes, dealer, plan = self.counts.processes, self.dealer, self.plan
        lost = [index for index, process in enumerate(processes) if process.lost is not None]
        abandoned = sum(dealer.handed(index) - processes[index].total("issued") for index in lost)
        if len(lost) == len(processes):
            abandoned += dealer.left
        if not plan.writes:
            return Numbers(abandoned, plan.written_before)
        merged: Ranges = self.counts.unacknowledged()
        for index, process in enumerate(processes):
            # A process that stopped in good order has named what it left in flight itself.
            position = process.total("issued") if process.lost is None else (process.last or {}).get("settled", 0)
            for first, past in dealer.ranges_from(index, position):
                merged.add(first, past)
        for first, past in dealer.waiting:
            merged.add(first, past)
        below = dealer.next if plan.total is None else plan.total
        merged.add(dealer.next, below)
        return Numbers(abandoned, below, merged)


class Observer:
    """Who is told how a phase goes, to watch, to write down, or to end it. The base does nothing."""

    #: whether `second` is to be called, with the histograms of all kinds
    hears_seconds = False

    def begin(self, phase: PhaseRun) -> None:
        """The phase is about to begin."""

    def tick(self, phase: PhaseRun) -> None:
        """Called about ten times a second."""

    def second(self, second: Second) -> None:
        """A second is complete; the last one is of what came when issuing was over."""


class PhaseRun:
    """Runs one phase. `observers` are told in their order; they may call `stop`, `end_early` and `note`."""

    def __init__(
        self,
        group: ProcessGroup,
        plan: PhasePlan,
        interrupts: Interrupts,
        listener: Listener,
        observers: Sequence[Observer] = (),
    ) -> None:
        self.group, self.plan, self.listener = group, plan, listener
        self._interrupts, self._observers = interrupts, observers
        count = len(group.processes)
        group.synchronize()
        start_ns = time.monotonic_ns() + group.start_delay_ns
        hearing = [observer for observer in observers if observer.hears_seconds]

        def on_second(second: Second) -> None:
            for observer in hearing:
                observer.second(second)

        hosts = [host.workers for host in group.hosts]
        counts = PhaseCounts(count, start_ns, plan.headline, on_second if hearing else None, hosts, group.give_way)
        dealer = Dealer(plan.total, count, first=plan.first, again=plan.again, largest=plan.block)
        self.result = PhaseResult(plan, counts, dealer)
        self._heard_s = [time.monotonic()] * count
        self._silent: set[int] = set()
        self._stop_by_s: float | None = None
        self._stops_seen = interrupts.requested
        self._factor, self._paused = 1.0, False
        self._share = 1.0  # of the rate of all, for each process that is left
        self._lost: dict[str, list[int]] = {}
        self._leaving: dict[int, str] = {}
        self._reported_s = -1
        self._told_awaiting = False

    @property
    def t_s(self) -> float:
        """Seconds since the phase's start."""
        return round((time.monotonic_ns() - self.result.counts.start_ns) / 1e9, 3)

    def stop(self, drain_s: float = STOP_DRAIN_S) -> None:
        """Nothing more is issued; what is in flight is awaited for so long."""
        self.group.send_all({"type": "stop", "drain_s": drain_s})

    def end_early(self, text: str, drain_s: float = STOP_DRAIN_S) -> None:
        """Stops because of what the text says: the phase is not what was asked for."""
        self.result.lost.append(text)
        self.listener.warn(text)
        self.stop(drain_s)

    def note(self, event: str, **more: Any) -> None:
        """Notes what has happened just now."""
        self.result.events.append({"t_s": self.t_s, "event": event, **more})

    def run(self) -> PhaseResult:
        """The phase, from its start to the end of its last process."""
        counts = self.result.counts
        for observer in self._observers:
            observer.begin(self)
        for process in self.group.processes:
            if process.ended:
                self._lose(process.index, "it ended before the phase")
        message = {**self.plan.message, "type": "phase", "phase": self.plan.name, "start_ns": counts.start_ns}
        self.group.send_all(message)
        for process in self.group.alive:
            self._deal(process.index)
        while self._going:
            for index, heard in self.group.poll(TICK_S):
                self._heard_s[index] = time.monotonic()
                self._take(index, heard)
            self._tell_lost()
            for wish in self.listener.wishes():
                self._obey(wish)
            self._watch()
            self._report()
            for observer in self._observers:
                observer.tick(self)
        self._tell_lost()
        counts.finish()
        return self.result

    @property
    def _going(self) -> bool:
        return any(not worker.ended and worker.lost is None for worker in self.result.counts.processes)

    def _take(self, index: int, message: Message | None) -> None:
        worker = self.result.counts.processes[index]
        if message is None:
            if worker.lost is None and not worker.ended:
                process = self.group.processes[index]
                words = f": {process.last_words}" if process.last_words else ""
                self._lose(index, f"{process.exit_text()}{words}")
        elif message["type"] in {"snapshot", "end"}:
            self.result.counts.take(index, message)
            self._note_pause(index)
            if worker.ended and index in self._leaving:
                self._lose(index, self._leaving[index])
        elif message["type"] == "leaving":
            if not worker.ended:
                self._leaving[index] = message["text"]
        elif message["type"] == "need":
            self._deal(index)
        elif message["type"] == "failed":
            self._lose(index, message["text"])

    def _note_pause(self, index: int) -> None:
        """Notes that a process did not run for a while: its latencies of that time say nothing of the server."""
        worker = self.result.counts.processes[index]
        if worker.previous is not None and worker.last is not None and worker.interval_s() > STOOD_STILL_S:
            t_s = round((worker.previous["t_ns"] - self.result.counts.start_ns) / 1e9, 3)
            text = f"{self.group.processes[index].label} stood still for {worker.interval_s():.1f} s"
            self.result.events.append({"t_s": t_s, "event": text, "stood_still": index})

    def _deal(self, index: int) -> None:
        block = self.result.dealer.deal(index)
        if block is not None:
            self.group.send(index, {"type": "range", "start": block[0], "count": block[1]})
        if self.result.dealer.exhausted:
            self.group.send(index, {"type": "range_end"})

    def _lose(self, index: int, how: str) -> None:
        self.result.counts.lose(index, how)
        self._lost.setdefault(how, []).append(index)

    def _tell_lost(self) -> None:
        """Names those that were lost, together where the reason is one, and lets the others take over their rate."""
        if not self._lost:
            return
        for how, indexes in self._lost.items():
            labels = [self.group.processes[index].label for index in indexes]
            more = f" and {len(labels) - NAMED} more" if len(labels) > NAMED else ""
            text = f"{', '.join(labels[:NAMED])}{more} {'is' if len(labels) == 1 else 'are'} lost: {how}"
            self.result.lost.append(text)
            self.listener.warn(text)
        self._lost.clear()
        workers = self.result.counts.processes
        left = sum(worker.lost is None for worker in workers)
        if left and self.plan.message.get("pacing") is not None:
            self._share = len(workers) / left
            self._set_rate(f"the whole rate is with {left} of {len(workers)} processes")

    def _set_rate(self, text: str, **more: Any) -> None:
        """Tells all processes what their own rate is to be multiplied by, and notes why."""
        self.group.send_all({"type": "rate", "factor": self._wish * self._share})
        self.note(text, **more)
        self._reported_s = -1

    def _obey(self, wish: str) -> None:
        if wish == STOP:
            self._interrupts.request()
        elif self.plan.message.get("pacing") is not None:
            if wish == PAUSE:
                self._paused = not self._paused
            else:
                self._factor *= {FASTER: RATE_STEP, SLOWER: 1 / RATE_STEP}[wish]
            text = "paused" if self._paused else f"rate at {self._factor:.0%} of what was asked"
            self._set_rate(text, rate_factor=round(self._wish, 4))

    @property
    def _wish(self) -> float:
        """What the person at the screen wants the asked rate multiplied by."""
        return 0.0 if self._paused else self._factor

    def _watch(self) -> None:
        now_s = time.monotonic()
        if self._interrupts.requested > self._stops_seen:
            again = self.result.interrupted
            self._stops_seen = self._interrupts.requested
            self.result.interrupted = True
            drain_s = 0.0 if again else STOP_DRAIN_S
            self._stop_by_s = now_s + drain_s + STOP_GRACE_S
            self.stop(drain_s)
        for text in self.group.troubles():
            self.result.lost.append(text)
            self.listener.warn(f"{text}; the load is stopped")
            self.stop()
        for index, worker in enumerate(self.result.counts.processes):
            if not worker.ended and worker.lost is None:
                self._watch_silence(index, now_s)

    def _watch_silence(self, index: int, now_s: float) -> None:
        silent_s = now_s - max(self._heard_s[index], self.result.counts.start_ns / 1e9)
        if silent_s < SILENT_S:
            self._silent.discard(index)
        elif index not in self._silent:
            self._silent.add(index)
            self.listener.warn(f"{self.group.processes[index].label} has said nothing for {silent_s:.0f} s")
        too_late = self._stop_by_s is not None and now_s > self._stop_by_s
        if silent_s > LOST_S or too_late:
            self.group.processes[index].kill()
            self._lose(index, "did not stop in time" if too_late else f"silent for {silent_s:.0f} s")

    def _report(self) -> None:
        """Tells the listener how far it is, each second and when something was changed."""
        counts = self.result.counts
        self._tell_awaiting()
        if counts.timeline.last_s == self._reported_s:
            return
        self._reported_s = counts.timeline.last_s
        last = counts.timeline.recent[-1] if counts.timeline.recent else {}
        errors = counts.total("failed") + counts.total("unknown")
        paced = self.plan.message.get("pacing") is not None
        self.listener.progress(
            Progress(
                phase=self.plan.name,
                elapsed_s=(time.monotonic_ns() - counts.start_ns) / 1e9,
                done=counts.total("ok") + errors,
                total=self.plan.total,
                duration_s=self.plan.message.get("duration_s"),
                warmup_s=self.plan.message.get("warmup_s", 0.0),
                rate_ops_s=last["ok"] / max(last["span_s"], 0.001) if last else 0.0,
                errors=errors,
                error_classes=counts.by_class("errors"),
                p50_us=last.get("p50_us", 0.0),
                p99_us=last.get("p99_us", 0.0),
                p99_9_us=last.get("p99_9_us", 0.0),
                headline=self.plan.headline,
                in_flight=counts.in_flight,
                backlog=counts.backlog,
                rate_factor=self._wish if paced else None,
                workers=[
                    WorkerProgress(one.rate_ops_s(), one.busy(), one.lost is not None) for one in counts.processes
                ],
                hosts=[(host.name, list(host.workers)) for host in self.group.hosts],
                node_rates_ops_s=counts.node_rates_ops_s(),
                recent=counts.timeline.recent,
            )
        )

    def _tell_awaiting(self) -> None:
        """Says once that only the last answers are awaited, where that takes longer than a moment."""
        counts = self.result.counts
        left = [process for process in counts.processes if process.lost is None and not process.ended]
        if self._told_awaiting or not left or any(process.issuing for process in left):
            return
        if counts.in_flight and max(process.awaited_s() for process in left) >= AWAITED_S:
            self._told_awaiting = True
            self.listener.stage(f"nothing more is sent; waiting for the last {counts.in_flight:,} answers")
