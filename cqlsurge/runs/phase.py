"""One phase of load over all load processes: numbers dealt, reports taken, the end awaited, the lost ones noticed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cqlsurge.processes.dealer import Dealer
from cqlsurge.processes.group import ProcessGroup
from cqlsurge.processes.tally import Row, Tally
from cqlsurge.results.listener import FASTER, PAUSE, SLOWER, STOP, Listener, Progress, WorkerProgress
from cqlsurge.runs.interrupts import Interrupts

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

Message = dict[str, Any]


@dataclass
class PhasePlan:
    """What a phase is. `message` is the body of the `phase` message but for phase and start_ns (messages.py)."""

    name: str
    total: int | None
    message: Message
    headline: str = "service"
    writes_below: int = 0  # numbers below this are (or may be) writes whose rows a later run may look for


@dataclass
class PhaseResult:
    """What a phase came to: its tally, who had which numbers, and whether somebody asked it to stop."""

    tally: Tally
    dealer: Dealer
    interrupted: bool = False
    lost: list[str] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)


class PhaseRun:
    """Runs one phase.

    `on_tick` is called about ten times a second, to watch the cluster and to save results; `on_row` with each second.
    """

    def __init__(
        self,
        group: ProcessGroup,
        plan: PhasePlan,
        interrupts: Interrupts,
        listener: Listener,
        on_tick: Callable[[PhaseResult], None] = lambda result: None,
        on_row: Callable[[Row], None] | None = None,
    ) -> None:
        self.group, self.plan = group, plan
        self._interrupts, self._listener, self._on_tick = interrupts, listener, on_tick
        count = len(group.processes)
        group.synchronize()
        start_ns = time.monotonic_ns() + group.start_delay_ns
        groups = [host.workers for host in group.hosts]
        tally = Tally(count, start_ns, plan.headline, on_row, groups, group.give_way)
        self.result = PhaseResult(tally, Dealer(plan.total, count))
        self._heard_s = [time.monotonic()] * count
        self._silent: set[int] = set()
        self._stop_by_s: float | None = None
        self._stops_seen = interrupts.requested
        self._factor, self._paused = 1.0, False
        self._share = 1.0  # of the rate of all, for each process that is left
        self._lost: dict[str, list[int]] = {}
        self._leaving: dict[int, str] = {}
        self._reported_s = -1

    def run(self) -> PhaseResult:
        """The phase, from its start to the end of its last process."""
        tally = self.result.tally
        for process in self.group.processes:
            if process.ended:
                self._lose(process.index, "it ended before the phase")
        message = {**self.plan.message, "type": "phase", "phase": self.plan.name, "start_ns": tally.start_ns}
        self.group.send_all(message)
        for process in self.group.alive:
            self._deal(process.index)
        while self._going:
            for index, heard in self.group.poll(TICK_S):
                self._heard_s[index] = time.monotonic()
                self._take(index, heard)
            self._tell_lost()
            for wish in self._listener.wishes():
                self._obey(wish)
            self._watch()
            self._report()
            self._on_tick(self.result)
        self._tell_lost()
        tally.finish()
        return self.result

    @property
    def _going(self) -> bool:
        return any(not worker.ended and worker.lost is None for worker in self.result.tally.workers)

    def _take(self, index: int, message: Message | None) -> None:
        worker = self.result.tally.workers[index]
        if message is None:
            if worker.lost is None and not worker.ended:
                process = self.group.processes[index]
                words = f": {process.last_words}" if process.last_words else ""
                self._lose(index, f"{process.exit_text()}{words}")
        elif message["type"] in {"snapshot", "end"}:
            self.result.tally.take(index, message)
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
        worker = self.result.tally.workers[index]
        if worker.previous is not None and worker.last is not None and worker.interval_s() > STOOD_STILL_S:
            t_s = round((worker.previous["t_ns"] - self.result.tally.start_ns) / 1e9, 3)
            text = f"{self.group.processes[index].label} stood still for {worker.interval_s():.1f} s"
            self.result.events.append({"t_s": t_s, "event": text, "stood_still": index})

    def _deal(self, index: int) -> None:
        block = self.result.dealer.deal(index)
        if block is not None:
            self.group.send(index, {"type": "range", "start": block[0], "count": block[1]})
        if self.result.dealer.exhausted:
            self.group.send(index, {"type": "range_end"})

    def _lose(self, index: int, how: str) -> None:
        self.result.tally.lose(index, how)
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
            self._listener.warn(text)
        self._lost.clear()
        workers = self.result.tally.workers
        left = sum(worker.lost is None for worker in workers)
        if left and self.plan.message.get("pacing") is not None:
            self._share = len(workers) / left
            self._set_rate(f"the whole rate is with {left} of {len(workers)} processes")

    def _set_rate(self, text: str, **more: Any) -> None:
        """Tells all processes what their own rate is to be multiplied by, and notes why."""
        self.group.send_all({"type": "rate", "factor": self._wish * self._share})
        t_s = round((time.monotonic_ns() - self.result.tally.start_ns) / 1e9, 3)
        self.result.events.append({"t_s": t_s, "event": text, **more})
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
            self.group.send_all({"type": "stop", "drain_s": drain_s})
        for text in self.group.troubles():
            self.result.lost.append(text)
            self._listener.warn(f"{text}; the load is stopped")
            self.group.send_all({"type": "stop", "drain_s": STOP_DRAIN_S})
        for index, worker in enumerate(self.result.tally.workers):
            if not worker.ended and worker.lost is None:
                self._watch_silence(index, now_s)

    def _watch_silence(self, index: int, now_s: float) -> None:
        silent_s = now_s - max(self._heard_s[index], self.result.tally.start_ns / 1e9)
        if silent_s < SILENT_S:
            self._silent.discard(index)
        elif index not in self._silent:
            self._silent.add(index)
            self._listener.warn(f"{self.group.processes[index].label} has said nothing for {silent_s:.0f} s")
        too_late = self._stop_by_s is not None and now_s > self._stop_by_s
        if silent_s > LOST_S or too_late:
            self.group.processes[index].kill()
            self._lose(index, "did not stop in time" if too_late else f"silent for {silent_s:.0f} s")

    def _report(self) -> None:
        """Tells the listener how far it is, each second and when something was changed."""
        tally = self.result.tally
        if tally.seconds.last_s == self._reported_s:
            return
        self._reported_s = tally.seconds.last_s
        last = tally.seconds.recent[-1] if tally.seconds.recent else {}
        errors = tally.total("failed") + tally.total("unknown")
        paced = self.plan.message.get("pacing") is not None
        self._listener.progress(
            Progress(
                phase=self.plan.name,
                elapsed_s=(time.monotonic_ns() - tally.start_ns) / 1e9,
                done=tally.total("ok") + errors,
                total=self.plan.total,
                duration_s=self.plan.message.get("duration_s"),
                warmup_s=self.plan.message.get("warmup_s", 0.0),
                rate_ops_s=last["ok"] / max(last["span_s"], 0.001) if last else 0.0,
                errors=errors,
                error_classes=tally.by_class("errors"),
                p50_us=last.get("p50_us", 0.0),
                p99_us=last.get("p99_us", 0.0),
                p99_9_us=last.get("p99_9_us", 0.0),
                headline=self.plan.headline,
                in_flight=tally.in_flight,
                backlog=tally.total("due") - tally.total("issued") - tally.total("skipped"),
                rate_factor=self._wish if paced else None,
                workers=[WorkerProgress(one.rate_ops_s(), one.busy(), one.lost is not None) for one in tally.workers],
                hosts=[(host.name, list(host.workers)) for host in self.group.hosts],
                node_rates_ops_s=tally.node_rates_ops_s(),
                recent=tally.seconds.recent,
            )
        )
