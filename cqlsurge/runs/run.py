"""One run, from its settings to its result. What the command line, series of runs and the Python API all call."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial

from cqlsurge import __version__
from cqlsurge.host.facts import host_facts
from cqlsurge.load.outcomes.policy import IGNORE, budgeted, parse_policies
from cqlsurge.results.document import Document, RunFacts
from cqlsurge.results.listener import Listener
from cqlsurge.runs.database import Database, open_database
from cqlsurge.runs.documents import Documents
from cqlsurge.runs.interrupts import Interrupts
from cqlsurge.runs.load_processes import LoadProcesses, start_processes
from cqlsurge.runs.outputs import Outputs
from cqlsurge.runs.phase import Observer, PhaseRun
from cqlsurge.runs.plan import RunPlan, check_target, make_plan
from cqlsurge.runs.resume import Resume, phases_left
from cqlsurge.runs.stops import ErrorStop, FigureStop, PrecisionStop, TableStop
from cqlsurge.runs.topology import LiveTopology, OwnDatabase
from cqlsurge.runs.watch import Watch, server_watch
from cqlsurge.settings import Settings


def run(
    settings: Settings,
    listener: Listener | None = None,
    interrupts: Interrupts | None = None,
    *,
    shared: str = "",
    resume: Resume | None = None,
    further: Sequence[Observer] = (),
) -> Document:
    """Carries the run out and gives its result document, `partial` or `interrupted` where it did not end by itself.

    `shared`: where our own database is, if it was started for several runs and the settings name none. `resume`:
    the run that this one takes up again. `further`: who else is told how each phase goes.
    Raises UsageError for settings that cannot be, and other CqlsurgeErrors where nothing could be measured. A request
    to stop before load begins raises KeyboardInterrupt.
    """
    listener = listener or Listener()
    interrupts = interrupts or Interrupts()
    with ExitStack() as stack:
        with interrupts.raising():
            outputs = Outputs(settings, stack, listener)
            plan = make_plan(settings.check(), stack, listener)
            database = open_database(plan.settings, stack, listener, shared, plan.workload)
            check_target(plan, database.target)
            processes = start_processes(plan, database, stack, listener)
        facts = _facts(plan, database, processes)
        listener.connected(facts.cluster, facts.engine, facts.runtime)

        topology = LiveTopology(database, stack)
        watch = Watch(processes.group, partial(server_watch, database, plan.settings.server_metrics), stack)
        precision = PrecisionStop(plan.settings)
        documents = Documents(plan.settings, facts, outputs.file, topology, watch, precision, resume)
        for text in documents.imbalances():
            listener.warn(text)

        figures = FigureStop({} if facts.workload is None else facts.workload["statements"])
        stops = [ErrorStop(plan.settings), TableStop(database), figures, precision]
        observers = [OwnDatabase(database), *stops, outputs, watch, topology, *further, documents]
        phases = phases_left(plan, resume, len(processes.group.processes))
        for phase in phases:
            result = PhaseRun(processes.group, phase, interrupts, listener, observers).run()
            if not result.complete:
                break
            if phase is not phases[-1] and plan.workload is not None:
                documents.keep(result, processes.group.hosts)
        watch.finish()
        return documents.conclude(result, processes.group.hosts, listener)


def _facts(plan: RunPlan, database: Database, processes: LoadProcesses) -> RunFacts:
    return RunFacts(
        started_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        engine=processes.engine,
        runtime=plan.runtime,
        seed=plan.settings.seed,
        settings=plan.settings.to_json(),
        host=host_facts(),
        cluster=database.facts,
        version=__version__,
        workload=None if plan.workload is None else plan.workload.facts,
    )


def exit_code(document: Document) -> int:
    """What a run's document means for the shell: 130 interrupted, 1 too many errors, a lost process, nothing measured,
    or figures that are not as expected, else 0."""
    if document["state"] == "interrupted":
        return 130
    counts = document["operations"]
    policies = parse_policies(document["settings"].get("on_error") or "")
    errors = budgeted(document["errors"], policies)
    budget = str(document["settings"]["error_budget"])
    ended = counts["ok"] + counts["failed"] + counts["unknown"]
    allowed = float(budget.rstrip("%")) / 100 * ended if budget.endswith("%") else float(budget)
    wrong = any(document["errors"].get(name) and policies.get(name) != IGNORE for name in ("wrong", "missing"))
    nothing = any(reason["code"] == "nothing_measured" for reason in document["verdict"]["reasons"])
    incomplete = document["state"] != "done" or document.get("unwritten") or nothing
    unexpected = any(not one["holds"] for one in document.get("expectations", []))
    return 1 if incomplete or errors > allowed or wrong or unexpected else 0
