"""Workloads that are built in Python, as trees like those of files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from cqlsurge.load.workload.python import Said, Workload
from cqlsurge.workload.document import Node, Place, WorkloadError


def node_of(said: Said) -> Node:
    """What was said in Python as a node, with the line where it was said."""
    place = Place(os.path.basename(said.file), said.line)
    if isinstance(said.value, dict):
        entries = {name: node_of(one) for name, one in said.value.items()}
        return Node(place, entries=entries, keys={name: node.place for name, node in entries.items()})
    if isinstance(said.value, list):
        return Node(place, items=tuple(node_of(one) for one in said.value))
    return Node(place, text=str(said.value))


def root_of(workload: Workload) -> Node:
    """The whole workload as a tree."""
    root = Said(dict(workload.entries), workload.file, 1)
    return node_of(root)


def run_file(path: str) -> tuple[Workload, str]:
    """(the workload that a Python file builds, the file's text). Raises WorkloadError."""
    place = Place(path)
    try:
        source = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        place.fail(str(getattr(error, "strerror", None) or error))
    names: dict[str, Any] = {"__name__": "cqlsurge_workload", "__file__": path}
    try:
        exec(compile(source, path, "exec"), names)
    except WorkloadError:
        raise
    except SyntaxError as error:
        Place(path, error.lineno or 1, error.offset or 1).fail(f"this is no Python: {error.msg}")
    except Exception as error:
        Place(path, _line_in(error, path)).fail(f"{type(error).__name__}: {error}")
    found = [value for value in names.values() if isinstance(value, Workload)]
    if len(found) != 1:
        place.fail(f"the file builds {len(found)} workloads; it must build one: w = Workload('name', ...)")
    return found[0], source


def _line_in(error: BaseException, path: str) -> int:
    line, trace = 1, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == path:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
