"""cqlsurge: load for ScyllaDB and Apache Cassandra from Python, and the truth about what was measured.

    from cqlsurge import Settings, run

Nothing is imported until it is asked for: load processes on other interpreters import this package for `cqlsurge.load`
alone.
"""

__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:  # true for type checkers, which know the name; `typing` itself would be an import
    from cqlsurge.api import Interrupted as Interrupted
    from cqlsurge.api import Latency as Latency
    from cqlsurge.api import Operations as Operations
    from cqlsurge.api import Result as Result
    from cqlsurge.api import compare as compare
    from cqlsurge.api import run as run
    from cqlsurge.api_limits import Curves as Curves
    from cqlsurge.api_limits import Found as Found
    from cqlsurge.api_limits import curve as curve
    from cqlsurge.api_limits import find as find
    from cqlsurge.errors import CqlsurgeError as CqlsurgeError
    from cqlsurge.limits.search import Bounds as Bounds
    from cqlsurge.results.compare import Comparison as Comparison
    from cqlsurge.results.listener import Listener as Listener
    from cqlsurge.results.listener import Progress as Progress
    from cqlsurge.runs.curve import CurvePlan as CurvePlan
    from cqlsurge.settings import Settings as Settings

_HOMES = {
    "Bounds": "cqlsurge.limits.search",
    "Comparison": "cqlsurge.results.compare",
    "CqlsurgeError": "cqlsurge.errors",
    "CurvePlan": "cqlsurge.runs.curve",
    "Curves": "cqlsurge.api_limits",
    "Found": "cqlsurge.api_limits",
    "Interrupted": "cqlsurge.api",
    "Latency": "cqlsurge.api",
    "Listener": "cqlsurge.results.listener",
    "Operations": "cqlsurge.api",
    "Progress": "cqlsurge.results.listener",
    "Result": "cqlsurge.api",
    "Settings": "cqlsurge.settings",
    "compare": "cqlsurge.api",
    "curve": "cqlsurge.api_limits",
    "find": "cqlsurge.api_limits",
    "run": "cqlsurge.api",
}


def __getattr__(name: str) -> object:
    """The names of the Python API, imported when first asked for (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'cqlsurge' has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> "list[str]":
    return sorted([*globals(), *_HOMES])
