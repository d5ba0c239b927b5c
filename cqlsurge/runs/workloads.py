"""The workload of a run with --workload: its spec, the phases that are run, and what load processes are told of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from cassandra.cluster import Cluster, Session

from cqlsurge.conditions import Condition, condition
from cqlsurge.database.address import parse_address, parse_translations
from cqlsurge.database.connect import connect
from cqlsurge.database.secrets import read_security
from cqlsurge.database.tables import table_finder
from cqlsurge.errors import UsageError
from cqlsurge.host.cores import core_count
from cqlsurge.load.compiled.batches import MOST_PARTS
from cqlsurge.load.pacing.notation import parse as parse_rate
from cqlsurge.load.pacing.schedule import pacing_json
from cqlsurge.load.workload.mix import Mix
from cqlsurge.load.workload.operations import SpecWorkload
from cqlsurge.load.workload.picks import Picker
from cqlsurge.load.workload.python import Workload
from cqlsurge.load.workload.spec import PhaseSpec, StatementSpec, TableSpec, WorkloadSpec
from cqlsurge.options import mix_of
from cqlsurge.processes.dealer import LARGEST
from cqlsurge.runs.phases import DRAIN_GRACE_S, POPULATE_CONCURRENCY, PhasePlan, conditions
from cqlsurge.runs.table_workload import PREFIX, load_table, read_source, text_of_table
from cqlsurge.settings import DEFAULT_OPERATIONS, RATE_CONCURRENCY, Settings, options
from cqlsurge.workload.document import nearest
from cqlsurge.workload.loader import load_python
from cqlsurge.workload.phases import MOST_STATEMENTS, finished
from cqlsurge.workload.schema import FindTable, MissingTable
from cqlsurge.workload.sources import Source, load_source, source_text

#: blocks of numbers that a process has at hand, at the most
BLOCKS_AT_HAND = 3
LARGEST_BLOCK, SMALLEST_BLOCK = 4096, 64


@dataclass(frozen=True)
class RunWorkload:
    """A workload as it is run. `settings`: the run's, with what the last phase says where they do not.

    notes: what an import did otherwise, for people.
    """

    spec: WorkloadSpec
    phases: tuple[PhaseSpec, ...]
    statements: tuple[str, ...]
    settings: Settings
    notes: tuple[str, ...] = ()

    @property
    def table(self) -> TableSpec:
        """The table that routing goes by: the first that the last phase uses."""
        first = self.spec.statement(self.phases[-1].mix[0][0])
        return self.spec.table((first.children or (first,))[0].table)

    def parameters(self, phase: str, allowance: int = 0) -> dict[str, Any]:
        """What load processes are told of the workload in a phase."""
        level = self.settings.consistency
        return {
            "name": "spec",
            "parameters": {
                "spec": self.spec.to_json(),
                "phase": phase,
                "seed": self.settings.seed,
                "allowance": allowance,
                "consistency": level,
                "statements": list(self.statements),
            },
        }

    @property
    def facts(self) -> dict[str, Any]:
        """What the result tells of the workload: JSON-able, without the spec's tables of numbers."""
        return {
            "name": self.spec.name,
            "params": json.loads(json.dumps(dict(self.spec.params))),
            "phases": [phase.name for phase in self.phases],
            "mix": dict(self.phases[-1].mix),
            "fingerprint": self.spec.fingerprint,
            "statements": {name: self._statement_facts(name) for name in self.statements},
        }

    def _statement_facts(self, name: str) -> dict[str, Any]:
        statement = self.spec.statement(name)
        reads = statement.kind == "select"
        return {
            "cql": statement.cql,
            "table": statement.table,
            "reads": reads,
            "expected_hit_rate": expected_hit_rate(self.spec, self.phases[-1], statement) if reads else None,
        }

    def interpreted(self, phase: str) -> SpecWorkload:
        """The operations of a phase, one by one."""
        return SpecWorkload(
            self.spec, phase, self.settings.seed, consistency=self.settings.consistency, statements=self.statements
        )

    def plans(self, processes: int, may_be_missing: Sequence[tuple[int, int]] = ()) -> list[PhasePlan]:
        """The phases as load processes carry them out; the last one is measured."""
        return [self._plan(phase, processes, list(may_be_missing)) for phase in self.phases]

    def _plan(self, phase: PhaseSpec, processes: int, may_be_missing: list[tuple[int, int]]) -> PhasePlan:
        settings, last = self.settings, phase is self.phases[-1]
        rate = settings.rate if last else phase.rate or None
        concurrency = settings.in_flight_limit if last else self._concurrency(phase)
        total = (settings.operations if last else phase.operations) or None
        block, allowance = 0, 0
        if self._reads_written(phase):
            block = LARGEST_BLOCK if total is None else total // (processes * 64)
            block = max(SMALLEST_BLOCK, min(LARGEST_BLOCK, block))
            allowance = processes * (BLOCKS_AT_HAND * block + min(concurrency, block))
        message = {
            "workload": self.parameters(phase.name, allowance),
            "concurrency": concurrency,
            "pacing": None if rate is None else pacing_json(parse_rate(rate), settings.arrivals),
            "warmup_s": settings.warmup if last else phase.warmup_s,
            "duration_s": settings.duration if last else phase.duration_s or None,
            "drain_s": settings.request_timeout + DRAIN_GRACE_S,
            "max_backlog": settings.max_backlog if last else None,
            "verify_share": settings.verify_share if settings.verify is not None else 0.0,
            "may_be_missing": may_be_missing,
            "spin": settings.spin,
        }
        headline = phase.latency or ("service" if rate is None else "response")
        writes = all(self.spec.statement(name).writes for name, weight in phase.mix if weight)
        return PhasePlan(
            phase.name,
            total,
            message,
            headline,
            measured=last,
            writes=writes,
            block=block or LARGEST,
            expect=_conditions(phase.expect) + (conditions(settings.expect) if last else ()),
            stop_if=_conditions(phase.stop_if) + (conditions(settings.stop_if) if last else ()),
        )

    def _concurrency(self, phase: PhaseSpec) -> int:
        if phase.rate:
            return RATE_CONCURRENCY
        return (
            self.settings.concurrency or phase.concurrency or max(self.settings.in_flight_limit, POPULATE_CONCURRENCY)
        )

    def _reads_written(self, phase: PhaseSpec) -> bool:
        picks = [pick for _, pick in phase.picks] + [self.spec.statement(name).pick for name, _ in phase.mix]
        return any(pick is not None and pick.how == "written" for pick in picks)

    def missing_partitions(self, document: dict[str, Any]) -> list[tuple[int, int]]:
        """The partitions that an earlier run of this workload may have left unwritten. Raises UsageError."""
        told = document.get("workload") or {}
        if told.get("name") != self.spec.name or told.get("params") != dict(self.spec.params):
            raise UsageError(
                f"--verify {self.settings.verify}: that run was of another workload, or of other parameters"
            )
        if document["phase"] not in [phase.name for phase in self.spec.phases]:
            return []
        workload = SpecWorkload(self.spec, document["phase"], document["seed"])
        found = set()
        for first, past in document["unacknowledged"]["ranges"]:
            for number in range(first, min(past, first + LOOKED_AT)):
                found.add(workload.locate(number)[1])
        return [(partition, partition + 1) for partition in sorted(found)]


def _conditions(written: Sequence[tuple[str, str, str]]) -> tuple[Condition, ...]:
    return tuple([condition(*one) for one in written])


def expected_hit_rate(spec: WorkloadSpec, phase: PhaseSpec, statement: StatementSpec) -> float | None:
    """The share of a statement's reads that must find a row, None where the model does not tell."""
    mix = Mix([weight for _, weight in phase.mix], 1, phase.name)
    how = Picker(spec, phase, statement, 1, mix).pick_spec.how
    table = spec.table(statement.table)
    if how == "new":
        return 0.0
    goes = table.expires or any(one.kind == "delete" and one.table == table.name for one in spec.statements)
    if goes or statement.filtered or statement.covers in {"table", "range"} or min(table.rows) == 0:
        return None
    return 1.0 if table.name in phase.loaded or how == "written" else None


#: numbers of a range that are looked at one by one
LOOKED_AT = 1_000_000


def open_workload(settings: Settings) -> RunWorkload | None:
    """The workload that the settings name, None where they name none.

    Where it has tables that its file does not make, the cluster at ADDRESS is asked. Raises UsageError.
    """
    if settings.workload is None:
        return None
    try:
        source = _load(settings, None)
    except MissingTable:
        if settings.address is None:
            raise
        with _connected(settings) as (_cluster, session):
            source = _load(settings, table_finder(session))
    made = prepared(source.spec, with_imported(settings, source.settings))
    report = source.report
    notes = [f"mended: {line}" for line in report.mended] + [f"cannot be: {line}" for line in report.refused]
    return replace(made, notes=tuple(notes))


def workload_text(settings: Settings) -> str:
    """The file of the workload that the settings name. Raises UsageError or ClusterError."""
    if not isinstance(settings.workload, str):
        raise UsageError("--print-workload needs --workload, --stress or --table KEYSPACE.TABLE")
    if settings.workload.startswith(PREFIX):
        with _of_table(settings) as (cluster, session):
            return text_of_table(cluster, session, read_source(settings.workload))
    params = dict(pair.split("=", 1) for pair in settings.param)
    return source_text(settings.workload, params, settings.mix or "")


@contextmanager
def _connected(settings: Settings) -> Iterator[tuple[Cluster, Session]]:
    """The database at ADDRESS, asked before the run is planned."""
    points = parse_address(str(settings.address))
    cluster, session = connect(points, read_security(settings), parse_translations(settings.translate))
    try:
        yield cluster, session
    finally:
        cluster.shutdown()


def _of_table(settings: Settings) -> AbstractContextManager[tuple[Cluster, Session]]:
    read_source(str(settings.workload))
    if settings.address is None:
        raise UsageError("--table KEYSPACE.TABLE: which database has it? Give its ADDRESS")
    return _connected(settings)


def _load(settings: Settings, find: FindTable | None) -> Source:
    params = dict(pair.split("=", 1) for pair in settings.param)
    if isinstance(settings.workload, Workload):
        return Source(load_python(settings.workload, params=params, find=find))
    if isinstance(settings.workload, WorkloadSpec):
        return Source(settings.workload)
    name = str(settings.workload)
    if name.startswith(PREFIX):
        with _of_table(settings) as (cluster, session):
            return Source(load_table(cluster, session, name, params))
    return load_source(name, params, find, settings.mix or "")


def with_imported(settings: Settings, imported: Mapping[str, Any]) -> Settings:
    """The settings with what an import asks for, where they still have their defaults.

    `threads` are operations in flight over all load processes.
    """
    defaults = {name: default for name, default, _ in options()}
    given = {
        name: value
        for name, value in imported.items()
        if name in defaults and getattr(settings, name) == defaults[name]
    }
    threads = imported.get("threads")
    if threads is not None and settings.concurrency is None:
        processes = settings.processes or min(core_count(), threads)
        given |= {"processes": processes, "concurrency": max(1, threads // processes)}
    return replace(settings, **given)


def prepared(spec: WorkloadSpec, settings: Settings) -> RunWorkload:
    """The workload with the phases, the mix and the limits that the settings ask for. Raises UsageError."""
    phases = _chosen(spec, settings)
    last = phases[-1]
    if settings.mix is not None:
        for name, _ in mix_of(settings.mix):
            if name not in [statement.name for statement in spec.statements]:
                known = [statement.name for statement in spec.statements]
                raise UsageError(f"--mix {settings.mix}: there is no statement {name!r}{nearest(name, known)}")
        spec = replace(
            spec,
            phases=tuple(
                replace(one, mix=tuple(mix_of(settings.mix))) if one.name == last.name else one for one in spec.phases
            ),
        )
        spec = finished(spec, [one.name for one in spec.phases if one.whole])
        phases = tuple(spec.phase(one.name) for one in phases)
        last = phases[-1]
    names = tuple(dict.fromkeys(name for phase in phases for name, _ in phase.mix))
    if len(names) > MOST_STATEMENTS:
        raise UsageError(
            f"{len(names)} statements in all phases; a run has {MOST_STATEMENTS} at the most: use --phases"
        )
    for name in names:
        _check_batch(spec, spec.statement(name), settings)
    return RunWorkload(spec, phases, names, _settled(settings, last))


def _check_batch(spec: WorkloadSpec, statement: StatementSpec, settings: Settings) -> None:
    if not statement.batch:
        return
    if settings.engine != "wire":
        raise UsageError(f"statement {statement.name!r} is a batch, which only the engine wire carries")
    rows = statement.rows or max(spec.table(statement.table).rows)
    parts = rows * statement.many * len(statement.children)
    if parts > MOST_PARTS and not statement.select:
        raise UsageError(
            f"statement {statement.name!r} would be a batch of {parts:,} statements; {MOST_PARTS:,} are the most: "
            "say `rows: N` in `each`"
        )


def _chosen(spec: WorkloadSpec, settings: Settings) -> tuple[PhaseSpec, ...]:
    names = (
        [name.strip() for name in settings.phases.split(",")] if settings.phases else [one.name for one in spec.phases]
    )
    known = [one.name for one in spec.phases]
    for name in names:
        if name not in known:
            raise UsageError(f"--phases {settings.phases}: there is no phase {name!r}{nearest(name, known)}")
    phases = tuple(spec.phase(name) for name in dict.fromkeys(names))
    if settings.phases is None:
        phases = tuple(phase for phase in phases if phase.mix)
    for phase in phases:
        if not phase.mix:
            raise UsageError(f"phase {phase.name!r} reads a table back and has no load: leave it out of --phases")
    return phases


def _settled(settings: Settings, last: PhaseSpec) -> Settings:
    """The settings with what the last phase says where they say nothing."""
    given = settings.operations is not None or settings.duration is not None or settings.until is not None
    operations = settings.operations if given else last.operations or None
    duration = settings.duration if given else last.duration_s or None
    if not given and operations is None and duration is None:
        operations = DEFAULT_OPERATIONS
    return replace(
        settings,
        operations=operations,
        duration=duration,
        rate=settings.rate or last.rate or None,
        concurrency=settings.concurrency or last.concurrency or None,
        warmup=settings.warmup or last.warmup_s,
    )
