"""The document of a run, whole or as far as it has come; written to its file as the run goes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from cqlsurge.errors import ResultError
from cqlsurge.processes.group import Host
from cqlsurge.results.balance import imbalances, with_shares
from cqlsurge.results.document import Document, RunFacts, build, earlier_phase
from cqlsurge.results.evidence import evidence_of
from cqlsurge.results.expectations import judged
from cqlsurge.results.figures import Figures, figures_of
from cqlsurge.results.files import ResultFile
from cqlsurge.results.host_figures import HostFacts, host_figures
from cqlsurge.results.listener import Listener
from cqlsurge.results.resumed import joined
from cqlsurge.results.statements import statements_of
from cqlsurge.results.verdict import judge
from cqlsurge.runs.phase import Observer, PhaseResult, PhaseRun
from cqlsurge.runs.resume import Resume
from cqlsurge.runs.stops import PrecisionStop
from cqlsurge.runs.topology import LiveTopology
from cqlsurge.runs.watch import Watch
from cqlsurge.settings import Settings

SAVE_EVERY_S = 1.0
#: saving takes at most this part of the time
SAVE_SHARE = 0.02


class Documents(Observer):
    """Makes the documents, and saves them once a second where there is a file that can be written again and again."""

    def __init__(
        self,
        settings: Settings,
        facts: RunFacts,
        file: ResultFile | None,
        topology: LiveTopology,
        watch: Watch,
        precision: PrecisionStop,
        resume: Resume | None = None,
    ) -> None:
        self._resume = resume
        self._settings, self._facts, self._file = settings, facts, file
        self._topology, self._watch, self._precision = topology, watch, precision
        self._save_at_s = 0.0
        self._told_until = 0
        self._unwritten = ""
        self._earlier: list[dict[str, Any]] = []
        self._expectations: list[dict[str, Any]] = []

    def tick(self, phase: PhaseRun) -> None:
        """See Observer."""
        now_s = time.monotonic()
        saving = self._file is not None and not self._file.streams
        # What is handed out must have been told: it is in doubt when the run is cut off.
        untold = saving and phase.plan.measured and phase.result.dealer.next > self._told_until
        if (now_s < self._save_at_s and not untold) or not (saving or phase.listener.follows_verdict):
            return
        self._told_until = sum(phase.result.dealer.soon) // 2
        give_way = phase.group.give_way
        give_way()
        figures = self._figures(phase.result, phase.group.hosts, whole=False)
        verdict = self._verdict(phase.result, figures)
        phase.listener.verdict(verdict)
        if saving:
            give_way()
            document = self._build(phase.result, figures, verdict, "running")
            give_way()
            self._save(document, phase.listener)
        self._save_at_s = time.monotonic() + max(SAVE_EVERY_S, (time.monotonic() - now_s) / SAVE_SHARE)

    def conclude(self, result: PhaseResult, hosts: Sequence[Host], listener: Listener) -> Document:
        """The document of the whole run, of the last phase that it came to; written where there is a file."""
        state = "interrupted" if result.interrupted else "done" if result.complete else "partial"
        if not result.plan.measured and not result.lost and state == "partial":
            result.lost.append("not all keys could be written" if self._facts.workload is None else "not all was done")
        figures = self._figures(result, hosts, whole=True)
        self._expectations += judged(result.plan.expect, figures, result.plan.headline)
        document = self._build(result, figures, self._verdict(result, figures), state)
        self._save(document, listener)
        return {**document, "unwritten": self._unwritten} if self._unwritten else document

    def imbalances(self) -> list[str]:
        """What is wrong with the connections, before there is load."""
        return imbalances([], self._facts.engine, self._topology.local_nodes, 1)

    def _figures(self, result: PhaseResult, hosts: Sequence[Host], *, whole: bool) -> Figures:
        counts, rated = result.counts, result.plan.message.get("pacing") is not None
        of_hosts = [
            host_figures(counts, facts_of(host), sparse, rated=rated, whole=whole)
            for host, sparse in zip(hosts, counts.of_hosts, strict=True)
        ]
        figures = figures_of(counts, result.numbers(), phase=result.plan.name, rated=rated, hosts=of_hosts)
        figures.targets = with_shares(figures.targets, self._topology.shares)
        told = {} if self._facts.workload is None else self._facts.workload["statements"]
        figures.statements = statements_of(counts.processes, told)
        return figures

    def keep(self, result: PhaseResult, hosts: Sequence[Host]) -> None:
        """Takes down what came of a phase that another one follows."""
        figures = self._figures(result, hosts, whole=True)
        self._expectations += judged(result.plan.expect, figures, result.plan.headline)
        self._earlier.append(earlier_phase(figures, "done"))

    def _verdict(self, result: PhaseResult, figures: Figures) -> dict[str, Any]:
        evidence = evidence_of(
            self._settings,
            self._topology.target,
            figures,
            engine=self._facts.engine,
            events=[*self._topology.events, *result.events],
            host=self._watch.host,
            server=self._watch.server,
        )
        return judge(evidence)

    def _build(self, result: PhaseResult, figures: Figures, verdict: dict[str, Any], state: str) -> Document:
        events = sorted([*self._topology.events, *result.events], key=lambda event: float(event["t_s"]))
        if state != "running":
            what = "populating" if self._facts.workload is None else f"phase {result.plan.name}"
            prefix = "" if result.plan.measured else f"{what} ended early: "
            t_s = round(figures.duration_s, 6)
            events += [{"t_s": t_s, "event": prefix + text} for text in result.lost]
        precision = self._precision.facts if result.plan.measured else None
        still_open = result.open_numbers() if result.plan.measured else None
        document = build(
            self._facts,
            figures,
            verdict,
            state=state,
            events=events,
            precision=precision,
            still_open=still_open,
            phases=self._earlier,
            expectations=self._expectations,
        )
        if self._resume is None or not result.plan.measured:
            return document
        return joined(self._resume.document, document, self._resume.gap_s)

    def _save(self, document: Document, listener: Listener) -> None:
        """Writes it to the file, if there is one; where that cannot be, it is said once, and the run goes on."""
        if self._file is None:
            return
        before, self._unwritten = self._unwritten, ""
        try:
            self._file.write(document)
        except ResultError as error:
            self._unwritten = str(error)
            if before != self._unwritten:
                listener.warn(f"{error}; the run goes on")


def facts_of(host: Host) -> HostFacts:
    """What the figures of a host need to know of it."""
    return HostFacts(
        name=host.name,
        address=host.address,
        machine=host.facts,
        runtime=host.runtime.get("name"),
        cores=len(host.cores),
        workers=host.workers,
        use=host.use,
        clock_offset_ns=host.clock_offset_ns,
        clock_error_ns=host.clock_error_ns,
        message_bytes=host.message_bytes,
        lost=host.lost,
    )
