"""Where a workload comes from: a file of ours or in Python, one that comes along, a profile of cassandra-stress, or its
command line as `stress:LINE` (`stress+exact:LINE`, `stress+mend:LINE`).

Each becomes a spec; imports bring settings and a report with them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cqlsurge.load.workload.spec import WorkloadSpec
from cqlsurge.workload import builtin
from cqlsurge.workload.imports.cassandra_stress.profile import looks_like_profile
from cqlsurge.workload.imports.files import import_stress
from cqlsurge.workload.imports.report import Imported, Report
from cqlsurge.workload.loader import load_file, load_workload, read_file
from cqlsurge.workload.schema import FindTable

_STRESS = re.compile(r"stress((?:\+(?:exact|mend))*):(.*)\Z", re.DOTALL)


@dataclass
class Source:
    """A workload with what its import says: settings for what has no place in the file, and the report."""

    spec: WorkloadSpec
    settings: dict[str, Any] = field(default_factory=dict)
    report: Report = field(default_factory=Report)


def stress_source(line: str, exact: bool = False, mend: bool = False) -> str:
    """How a command line of cassandra-stress is named as a workload."""
    return f"stress{'+exact' * exact}{'+mend' * mend}:{line}"


def load_source(
    source: str, params: Mapping[str, str] | None = None, find: FindTable | None = None, mix: str = ""
) -> Source:
    """The workload that a text names. Raises UsageError, or MissingTable where a database must be asked.

    mix: operations of a profile, `insert=3,read1=1`.
    """
    imported = _imported(source, params or {}, find, mix)
    if imported is None:
        return Source(load_file(source, params, find))
    name = Path(source).name if ":" not in source else "--stress"
    return Source(load_workload(imported.text, name, {}, find=find), imported.settings, imported.report)


def source_text(source: str, params: Mapping[str, str] | None = None, mix: str = "") -> str:
    """The file that a source is or becomes. Raises as `load_source`."""
    imported = _imported(source, params or {}, None, mix)
    if imported is not None:
        return imported.text
    return builtin.text_of(source) if builtin.is_name(source) else read_file(source)[0]


def _imported(source: str, params: Mapping[str, str], find: FindTable | None, mix: str) -> Imported | None:
    stress = _STRESS.match(source)
    if stress is not None:
        exact, mend = "+exact" in stress[1], "+mend" in stress[1]
        return import_stress(stress[2].strip(), mix=mix, params=params, find_table=find, mend=mend, exact=exact)
    if source.endswith(".py") or builtin.is_name(source):
        return None
    text, _folder = read_file(source)
    if not looks_like_profile(text):
        return None
    return import_stress("", source, mix, params, find)
