"""Where a run tells its figures: the file of its document, the histogram log, and metrics over HTTP."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from cqlsurge.errors import ResultError, UsageError
from cqlsurge.host.http_server import Answer, Threaded, handler
from cqlsurge.options import parse_listen
from cqlsurge.results.files import ResultFile
from cqlsurge.results.hdr_log import HdrLog
from cqlsurge.results.listener import Listener
from cqlsurge.results.openmetrics import CONTENT_TYPE, Metrics, exposition, metrics_of
from cqlsurge.results.seconds import Second
from cqlsurge.runs.phase import Observer, PhaseRun
from cqlsurge.settings import Settings

#: a scrape waits at most this long for the session's thread to tell the figures
FRESH_S = 2.0


class Outputs(Observer):
    """Opened before the run. `file` is for the document, None where no file was named."""

    def __init__(self, settings: Settings, stack: ExitStack, listener: Listener) -> None:
        """Raises ResultError and UsageError where something cannot be written or listened on."""
        self.file = ResultFile(settings.json, force=settings.force) if settings.json else None
        self._listener = listener
        self._log = HdrLog(settings.hdr_log, force=settings.force) if settings.hdr_log else None
        self._server = MetricsServer(*parse_listen(settings.metrics)) if settings.metrics else None
        self.hears_seconds = self._log is not None
        self._logging, self._start_ns, self._start_s = False, 0, 0.0
        if self._server is not None:
            stack.callback(self._server.close)
            listener.note(f"metrics at http://{self._server.host}:{self._server.port}/metrics")

    def begin(self, phase: PhaseRun) -> None:
        """See Observer."""
        self._start_s = time.time() + (phase.result.counts.start_ns - time.monotonic_ns()) / 1e9
        if self._log is not None and phase.plan.measured:
            self._logging = True
            self._told(self._log.begin, self._start_s)

    def tick(self, phase: PhaseRun) -> None:
        """See Observer: answers scrapes that wait."""
        if self._server is not None:
            self._server.serve(lambda: exposition(self._metrics(phase)))

    def _metrics(self, phase: PhaseRun) -> Metrics:
        return metrics_of(phase.result.counts, phase.plan.name, self._start_s, len(phase.result.events))

    def second(self, second: Second) -> None:
        """See Observer."""
        if self._log is None or self._log.failed or not self._logging:
            return
        self._start_ns = self._start_ns or second.begin_ns
        self._told(self._log.write, (second.begin_ns - self._start_ns) / 1e9, second.span_s, second.kinds)

    def _told(self, write: Callable[..., None], *what: Any) -> None:
        """Writes to the log; where that cannot be, the log ends and the load goes on."""
        assert self._log is not None
        try:
            write(*what)
        except ResultError as error:
            self._log.failed = True
            self._listener.warn(f"--hdr-log: {error}; the log ends here, the run goes on")


class MetricsServer:
    """Serves /metrics. Its threads only pass on text: the figures are told by the session's own thread."""

    def __init__(self, host: str, port: int) -> None:
        self._asked, self._fresh = threading.Event(), threading.Event()
        self._text = "# EOF\n"
        try:
            self._http = Threaded((host, port), handler(self._respond))
        except OSError as error:
            raise UsageError(f"--metrics {host}:{port}: {error.strerror}; name another port") from error
        self.host, self.port = str(self._http.server_address[0]), int(self._http.server_address[1])
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.5}, daemon=True).start()

    def _respond(self, method: str, path: str, body: bytes) -> Answer:
        if path != "metrics":
            return Answer(404, "only /metrics is here")
        self._fresh.clear()
        self._asked.set()
        self._fresh.wait(FRESH_S)
        return Answer(200, self._text, CONTENT_TYPE)

    def serve(self, render: Callable[[], str]) -> None:
        """Tells the figures if somebody has asked."""
        if self._asked.is_set():
            self._asked.clear()
            self._text = render()
            self._fresh.set()

    def close(self) -> None:
        """Listens no more."""
        self._http.shutdown()
        self._http.server_close()
