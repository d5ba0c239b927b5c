"""Workloads by name."""

from __future__ import annotations

from cqlsurge.load.workload import kv, operations
from cqlsurge.load.workload.model import Workload, WorkloadSpec


def build(spec: WorkloadSpec) -> Workload:
    """The workload that a plan names; KeyError for a name that this version does not know."""
    return {"kv": kv.from_parameters, "spec": operations.from_parameters}[spec.name](spec.parameters)
