"""The code that a workload becomes, as text for people."""

from __future__ import annotations

from cqlsurge.errors import UsageError
from cqlsurge.load.compiled.clock import Clock
from cqlsurge.load.compiled.lower import lower
from cqlsurge.load.engines.wire.backend import choose
from cqlsurge.load.workload.operations import SpecWorkload
from cqlsurge.load.workload.spec import WorkloadSpec

ID_BYTES = 16


def code_text(spec: WorkloadSpec, phase: str | None, seed: int = 1) -> str:
    """What load processes of the engine `wire` run for a phase on this interpreter; None: the last phase with a mix.

    Raises UsageError for a phase that there is not.
    """
    phases = [one.name for one in spec.phases if one.mix]
    name = phase or phases[-1]
    if name not in phases:
        raise UsageError(f"no phase {name!r} with a mix in {spec.name}: it has {', '.join(phases)}")
    backend = choose()
    program = backend.compile(lower(SpecWorkload(spec, name, seed)))
    for index in range(len(program.kinds)):
        program.template(index, bytes(ID_BYTES), Clock(0, 0))
    functions = program.lowered.functions
    parts = [f"# workload {spec.name}, phase {name}: {backend.name}\n", program.source]
    if functions is not None and functions.source:
        parts.append("# called for values without a fixed number of parts\n" + functions.source)
    return "\n".join(parts).rstrip()
