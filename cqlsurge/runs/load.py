"""The part of a run in which there is load: populating where needed, then the measured phase; saved as it goes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from cqlsurge.errors import ResultError
from cqlsurge.load.engines.contract import Node
from cqlsurge.load.outcomes.policy import STOP
from cqlsurge.processes.group import ProcessGroup
from cqlsurge.processes.tally import Row
from cqlsurge.results.document import Document, Frame, Measures, build
from cqlsurge.results.files import ResultFile
from cqlsurge.results.listener import Listener
from cqlsurge.results.shares import expected_shares, warnings, with_shares
from cqlsurge.results.until import Until
from cqlsurge.results.verdict import judge
from cqlsurge.runs.database import Database
from cqlsurge.runs.gather import gather
from cqlsurge.runs.interrupts import Interrupts
from cqlsurge.runs.measures import measure
from cqlsurge.runs.outputs import Outputs
from cqlsurge.runs.phase import STOP_DRAIN_S, PhasePlan, PhaseResult, PhaseRun
from cqlsurge.runs.plans import measure_phase, populate_phase
from cqlsurge.runs.watch import TabletWatch, Watch, server_watch
from cqlsurge.settings import Settings
from cqlsurge.units import parse_goal

SAVE_EVERY_S = 1.0
#: saving takes at most this part of the time
SAVE_SHARE = 0.02


class LoadRun:
    """The part of a run in which there is load: populating where needed, then the measured phase."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        group: ProcessGroup,
        frame: Frame,
        file: ResultFile | None,
        listener: Listener,
        interrupts: Interrupts,
        outputs: Outputs,
    ) -> None:
        self.settings, self.database, self.group, self.frame = settings, database, group, frame
        self.file, self.listener, self.interrupts, self.outputs = file, listener, interrupts, outputs
        self.started_at = datetime.now(UTC).isoformat(timespec="milliseconds")
        self.events: list[dict[str, Any]] = []
        self._save_at_s = 0.0
        self._unwritten = ""
        self._watch: Watch | None = None
        self._tablets = TabletWatch(database.read_tablets)
        self._until: Until | None = None
        self._stopped = False
        self._shares = expected_shares(database.target)
        for text in warnings([], frame.engine, self._local_nodes, 1):
            listener.warn(text)

    def run(self) -> Document:
        """Both phases, and the document of the second (or of the first, where it went no further)."""
        if self.database.target.tablets is not None:
            self._tablets.start()
        if self.settings.mode == "mixed" and self.settings.populate:
            self.listener.stage(f"writing the population of {self.settings.population} keys")
            result = self._phase(populate_phase(self.settings))
            if result.interrupted or result.lost or result.tally.total("ok") < self.settings.population:
                return self._finish(result, "populating ended early: ")
        return self._finish(self._phase(measure_phase(self.settings)))

    def _phase(self, plan: PhasePlan) -> PhaseResult:
        self._plan = plan
        measured = plan.name == "measure"
        if measured:
            self._watch = self._new_watch()
            self._until = Until(parse_goal(self.settings.until)) if self.settings.until else None
        on_row = self._on_row if measured else None
        phase = PhaseRun(self.group, plan, self.interrupts, self.listener, self._tick, on_row)
        if measured:
            self.outputs.begin(phase.result.tally.start_ns)
        return phase.run()

    @property
    def _on_row(self) -> Callable[[Row], None] | None:
        """Who wants to know of each second: the histogram log, and the stop on precision."""
        until, log = self._until, self.outputs.on_row
        if until is None:
            return log

        def told(row: Row) -> None:
            if row.measuring:
                until.add(row.counts)
            if log is not None:
                log(row)

        return told

    @property
    def _local_nodes(self) -> list[Node]:
        target = self.database.target
        return [node for node in target.nodes if node.dc == target.local_dc]

    def _new_watch(self) -> Watch:
        cassandra = self.database.identity.product == "Apache Cassandra"
        server = server_watch(self.database.session, cassandra=cassandra, metrics=self.settings.server_metrics)
        return Watch(self.group, self.settings.warmup, server)

    def _tick(self, result: PhaseResult) -> None:
        now_s = time.monotonic()
        self._look_after_own_database(result)
        self._stop_for_errors(result)
        if self._until is not None and self._until.reached and not self._stopped:
            self._stopped = True
            self.group.send_all({"type": "stop", "drain_s": self._plan.message["drain_s"]})
        self.outputs.tick(result.tally)
        if self._watch is not None:
            self._watch.tick(result)
        changes = self.database.watch.changes()
        for what, address in changes:
            t_s = round((time.monotonic_ns() - result.tally.start_ns) / 1e9, 3)
            self.events.append({"t_s": t_s, "event": f"node {what}", "address": address})
            self.listener.note(f"node {address} is {what}")
        if changes or self.database.take_tablets(self._tablets.latest):
            self.group.send_all(self.database.topology_message())
            self._shares = expected_shares(self.database.target)
        saving = self.file is not None and not self.file.streams
        if now_s >= self._save_at_s and (saving or self.listener.follows_verdict):
            self.group.give_way()
            measures, verdict = self._measured(result, "running")
            self.listener.verdict(verdict)
            if saving:
                self.group.give_way()
                document = build(self.frame, measures, verdict)
                self.group.give_way()
                self._save(document)
            self._save_at_s = time.monotonic() + max(SAVE_EVERY_S, (time.monotonic() - now_s) / SAVE_SHARE)

    def _look_after_own_database(self, result: PhaseResult) -> None:
        """Without the database that we brought there is nothing left to load: the run ends and says why."""
        if self.database.own is None or result.lost:
            return
        for text in self.database.own.poll().values():
            result.lost.append(text)
            self.listener.warn(text)
            self.group.send_all({"type": "stop", "drain_s": 0.5})

    def _stop_for_errors(self, result: PhaseResult) -> None:
        """Ends the run at the first error of a class that --on-error names with `stop`."""
        policies = self.settings.error_policies
        if result.lost or STOP not in policies.values():
            return
        for name, count in result.tally.by_class("errors").items():
            if policies.get(name) == STOP:
                text = f"the run was stopped: {count:,} operations ended in {name} (--on-error {name}=stop)"
                result.lost.append(text)
                self.listener.warn(text)
                self.group.send_all({"type": "stop", "drain_s": STOP_DRAIN_S})
                return

    def _save(self, document: Document) -> None:
        assert self.file is not None
        try:
            self.file.write(document)
            self._unwritten = ""
        except ResultError as error:
            if self._unwritten != str(error):
                self.listener.warn(f"{error}; the run goes on")
            self._unwritten = str(error)

    def _finish(self, result: PhaseResult, prefix: str = "") -> Document:
        state = "interrupted" if result.interrupted else "partial" if result.lost or prefix else "done"
        self._tablets.stop()
        if self._watch is not None:
            self._watch.finish()
        document = self._document(result, state)
        for text in result.lost:
            document["events"].append({"t_s": document["duration_s"], "event": prefix + text})
        if self.file is not None:
            self._save(document)
            if self._unwritten:
                document["unwritten"] = self._unwritten
        return document

    def _document(self, result: PhaseResult, state: str) -> Document:
        document = build(self.frame, *self._measured(result, state))
        if self._until is not None:
            document["precision"] = self._until.facts
        return document

    def _measured(self, result: PhaseResult, state: str) -> tuple[Measures, dict[str, Any]]:
        """The figures as far as they have come, and what they say bounds the run."""
        hosts = self.group.hosts
        measures = measure(result, state=state, started_at=self.started_at, phase=self._plan, hosts=hosts)
        measures.events = sorted([*self.events, *result.events], key=lambda event: float(event["t_s"]))
        measures.targets = with_shares(measures.targets, self._shares)
        evidence = gather(self.settings, self.database.target, measures, result.tally, self._watch)
        unbalanced = warnings(measures.targets, self.frame.engine, self._local_nodes, self.settings.population)
        evidence = replace(evidence, unbalanced=tuple(unbalanced))
        return measures, judge(evidence)
