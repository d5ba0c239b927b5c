"""Workloads as people have them: files, profiles of other programs, tables. Each becomes a spec of load/workload.

What Python files build workloads from is found here by name (`from cqlsurge.workload import Workload, blob`), and what
helper functions may use. Load processes on other interpreters import this too: nothing is imported until it is asked
for.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cqlsurge.load.workload.helpers import Words as Words
    from cqlsurge.load.workload.helpers import words64 as words64
    from cqlsurge.load.workload.python import Statement as Statement
    from cqlsurge.load.workload.python import Table as Table
    from cqlsurge.load.workload.python import Workload as Workload
    from cqlsurge.load.workload.python import expr as expr


def __getattr__(name: str) -> object:
    """The names of the Python API and of the helpers, imported when first asked for (PEP 562)."""
    from importlib import import_module

    if name in {"words64", "Words"}:
        value: object = getattr(import_module("cqlsurge.load.workload.helpers"), name)
    else:
        found = import_module("cqlsurge.load.workload.python").NAMES.get(name)
        if found is None:
            raise AttributeError(f"module 'cqlsurge.workload' has no attribute {name!r}")
        value = found
    globals()[name] = value
    return value
