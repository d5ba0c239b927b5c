"""Whether frames are compressed, and why: asked for, or on where the workload's values shrink.

Values that do not shrink cost both sides their CPU for nothing: the server compresses every answer once LZ4 is agreed.
"""

from __future__ import annotations

from typing import NamedTuple

from cqlsurge.load.workload.model import WorkloadSpec
from cqlsurge.load.workload.registry import build
from cqlsurge.runs.phases import workload as key_value
from cqlsurge.runs.workloads import RunWorkload
from cqlsurge.settings import Settings


class Compression(NamedTuple):
    """Whether LZ4 is to be agreed on, and the reason for the result."""

    on: bool
    reason: str


def chosen_compression(settings: Settings, workload: RunWorkload | None = None) -> Compression:
    """What the settings ask for; where they leave it open, what the workload's values call for."""
    if settings.compression is not None:
        return Compression(settings.compression, "asked for" if settings.compression else "asked not to")
    if workload is not None:
        shrinks = workload.interpreted(workload.phases[-1].name).shrinks
    else:
        shrinks = build(WorkloadSpec(**key_value(settings, settings.mode))).shrinks
    if shrinks:
        return Compression(True, "the values shrink")
    return Compression(False, "the values do not shrink")
