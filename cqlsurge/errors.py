"""The errors of cqlsurge: one tree.

- CqlsurgeError            shown as one line, with an exit code
  - UsageError             exit 2: what was asked for cannot be (wrong option, wrong value)
  - RunError               exit 1: the run could not start or could not end as it should
    - ClusterError         the database: unreachable, refused us, has other tables or data centres
    - EmbeddedError        the database that we bring: cannot be fetched, started or stopped
    - WorkerError          a load process: cannot start, died, said what it should not
    - ResultError          a result file: cannot be read, written or replaced

Everything else that escapes is a bug and shows its traceback.
"""

from __future__ import annotations


class CqlsurgeError(Exception):
    """Base of all own errors; the text says what is wrong and what to do, on one line."""

    exit_code = 1


class UsageError(CqlsurgeError):
    """The command line or the settings ask for something that cannot be."""

    exit_code = 2


class RunError(CqlsurgeError):
    """The run could not start, or could not end as it should."""


class ClusterError(RunError):
    """The database could not be reached, refused us, or is not what the settings say."""


class EmbeddedError(RunError):
    """The embedded database could not be fetched, started or stopped."""


class WorkerError(RunError):
    """A load process could not start, died, or broke the message protocol."""


class ResultError(RunError):
    """A result file cannot be read, written or replaced."""
