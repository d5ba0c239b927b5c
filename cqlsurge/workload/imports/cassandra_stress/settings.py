"""Settings of ours that a command line of cassandra-stress asks for beside its workload."""

from __future__ import annotations

from typing import Any

from cqlsurge.workload.imports.cassandra_stress.command import Command
from cqlsurge.workload.imports.report import Report


def settings_of(command: Command, report: Report) -> dict[str, Any]:
    """Field of Settings -> value, for what has no place in a workload file."""
    found: dict[str, Any] = {"retries": command.errors.retries}
    if command.errors.ignore:
        found["error_budget"] = "100%"
        report.keep("-errors ignore: failed operations are counted, and the run goes on: --error-budget 100%")
    else:
        report.mend(
            "-errors: an operation that fails after its retries is counted and makes the exit code 1; "
            "cassandra-stress ends "
            "the run there (--on-error CLASS=stop)"
        )
    if command.rate.threads is not None:
        found["threads"] = command.rate.threads
    if command.truncate != "never":
        found["truncate"] = True
    if command.hdr_file is not None:
        found["hdr_log"] = command.hdr_file
    if command.population.contents != "arbitrary":
        report.mend(f"contents={command.population.contents}: rows of a batch come in the order of their numbers")
    if command.insert.visits.high > 1:
        report.refuse("visits=: a partition is written in one visit here; its rows are the same")
    for option, why in command.passed_over:
        report.refuse(f"{option}: {why}")
    return found
