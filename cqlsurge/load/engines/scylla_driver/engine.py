"""The engine `scylla-driver`: chooses the technique, and measures what the timing of `batch` costs."""

from __future__ import annotations

from typing import Any

from cassandra.query import UNSET_VALUE

from cqlsurge.load.engines.contract import Engine, EngineError, Setup, Work
from cqlsurge.load.engines.registry import check_technique, engine_info
from cqlsurge.load.engines.requests import check_binds, refuse_pages
from cqlsurge.load.engines.scylla_driver import session as driver
from cqlsurge.load.engines.scylla_driver.blocking import run_batch, run_sync, timing_cost_us
from cqlsurge.load.engines.scylla_driver.values import bind_of
from cqlsurge.load.engines.scylla_driver.window import Window

REQUEST_TIMEOUT_S = 10.0

#: techniques that leave the driver's settings as they come
AS_IT_COMES = ("window-default", "batch")
DEFAULTS_NOTE = "the driver's defaults but for compression: some errors are retried on the next node unseen"
BATCH_NOTE = (
    "no request timeout: execute_concurrent sets none, so the driver's heartbeat gives up a silent node after 30-60 s"
)


class ScyllaDriverEngine(Engine):
    """Options: technique (window, window-default, batch or sync), request_timeout_s (10; not for batch)."""

    name = "scylla-driver"

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        try:
            self._technique = check_technique(engine_info(self.name), setup.options.get("technique"))
        except ValueError as error:
            raise EngineError(str(error)) from error
        self._timeout_s = float(setup.options.get("request_timeout_s") or REQUEST_TIMEOUT_S)
        self._cluster: Any = None

    def open(self) -> dict[str, Any]:
        """See Engine."""
        # window sweeps for timeouts itself, execute_concurrent sets none.
        timeout_s = None if self._technique == "window" else self._timeout_s
        tuned = self._technique not in AS_IT_COMES
        self._cluster, self._session = driver.connect(self.setup, tuned=tuned, request_timeout_s=timeout_s)
        self._statements = [driver.prepare(self._session, kind) for kind in self.setup.workload.kinds]
        check_binds(self.setup.workload, self.name, self._bind, UNSET_VALUE, bind_of)
        if not self._technique.startswith("window"):
            refuse_pages(self.setup.workload, f"technique {self._technique}")
        notes = [] if tuned else [DEFAULTS_NOTE]
        if self._technique == "batch":
            notes += [BATCH_NOTE, timing_note(self.setup)]
        return driver.facts(self._session, self.setup.target, self._technique, notes)

    def _bind(self, kind: int, values: list[Any]) -> None:
        self._statements[kind].bind(values)

    def run(self, work: Work) -> None:
        """See Engine."""
        parts = (work, self._session, self._statements)
        if self._technique in {"window", "window-default"}:
            retries = self._technique in AS_IT_COMES
            Window(*parts, int(self._timeout_s * 1e9), retries=retries).run()
        elif self._technique == "batch":
            run_batch(*parts)
        else:
            run_sync(*parts)

    def close(self) -> None:
        """See Engine."""
        if self._cluster is not None:
            driver.shut_down(self._cluster)


def timing_note(setup: Setup) -> str:
    """What it costs to time the operations of a batch one by one."""
    cost_us = timing_cost_us(setup.workload)
    return f"each operation is timed by a proxy around execute_async, which costs {cost_us:.1f} us of CPU"
