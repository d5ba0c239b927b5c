"""The HdrHistogram interval log of a run: written as it goes, so that it can be read while it goes.

A line a second for each kind and latency, tagged `write:service`. All of a tag's lines together hold what the result
document's histogram of that kind and latency holds.
"""

from __future__ import annotations

from cqlsurge.errors import ResultError
from cqlsurge.load.latency.hdr import log_head, log_line
from cqlsurge.results.files import OutputFile, is_standard_output, marked
from cqlsurge.results.seconds import Histograms

COMMENT = "[cqlsurge]"
KIND = marked("histogram log", "#[Histogram log format")


class HdrLog:
    """A log file. Opened before the run; `begin` puts an empty log in the place of what stood there."""

    def __init__(self, path: str, *, force: bool = False) -> None:
        if is_standard_output(path):
            raise ResultError("--hdr-log needs a file, not -")
        self._place = OutputFile(path, "--hdr-log", KIND, force=force)
        self.failed = False

    def begin(self, start_s: float) -> None:
        """Starts the log at a time in seconds since 1970. Raises ResultError."""
        self._place.write_text(log_head(start_s, COMMENT))

    def write(self, start_s: float, length_s: float, histograms: Histograms) -> None:
        """Adds an interval; `start_s` counts from the log's start. Raises ResultError."""
        lines = [
            log_line(f"{kind}:{name}", start_s, length_s, counts)
            for kind, by_latency in histograms.items()
            for name, counts in by_latency.items()
            if any(counts)
        ]
        self._place.add("".join(lines))
