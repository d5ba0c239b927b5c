"""The engine `acsylla`: the C++ driver under asyncio."""

from __future__ import annotations

import asyncio
from importlib import metadata
from pathlib import Path
from typing import Any
from uuid import UUID

import acsylla
from acsylla import errors

from cqlsurge.load.engines.contract import EngineError, Setup, Target
from cqlsurge.load.engines.coroutines import CoroutineEngine, Fault, Rows
from cqlsurge.load.engines.requests import check_binds, refuse_pages
from cqlsurge.load.outcomes.classes import (
    CLIENT_TIMEOUT,
    CONNECTION,
    INVALID,
    PROTOCOL,
    SERVER_TIMEOUT,
    UNAUTHORIZED,
    UNAVAILABLE,
    class_of_code,
)

CONNECT_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 1.0

# The driver refuses what does not fit its queue of pending requests: as many as one process may ever have in flight.
QUEUE_SIZE = 1 << 16

UUID_TYPES = frozenset({"uuid", "timeuuid"})

_FAULTS: dict[type[BaseException], Fault] = {
    errors.CassErrorLibRequestTimedOut: Fault(CLIENT_TIMEOUT),
    errors.CassErrorLibNoHostsAvailable: Fault(CONNECTION, sent=False),
    errors.CassErrorLibRequestQueueFull: Fault(CONNECTION, sent=False),
    errors.CassErrorLibNoStreams: Fault(CONNECTION, sent=False),
    errors.CassErrorLibNoAvailableIoThread: Fault(CONNECTION, sent=False),
    errors.CassErrorLibWriteError: Fault(CONNECTION),
    errors.CassErrorLibUnexpectedResponse: Fault(PROTOCOL),
    errors.CassErrorServerServerError: Fault(class_of_code(0x0000)),
    errors.CassErrorServerProtocolError: Fault(PROTOCOL),
    errors.CassErrorServerBadCredentials: Fault(UNAUTHORIZED),
    errors.CassErrorServerUnauthorized: Fault(UNAUTHORIZED),
    errors.CassErrorServerUnavailable: Fault(UNAVAILABLE),
    errors.CassErrorServerOverloaded: Fault(class_of_code(0x1001)),
    errors.CassErrorServerIsBootstrapping: Fault(class_of_code(0x1002)),
    errors.CassErrorServerTruncateError: Fault(class_of_code(0x1003)),
    errors.CassErrorServerWriteTimeout: Fault(SERVER_TIMEOUT),
    errors.CassErrorServerReadTimeout: Fault(SERVER_TIMEOUT),
    errors.CassErrorServerReadFailure: Fault(class_of_code(0x1300)),
    errors.CassErrorServerFunctionFailure: Fault(class_of_code(0x1400)),
    errors.CassErrorServerWriteFailure: Fault(class_of_code(0x1500)),
    errors.CassErrorServerSyntaxError: Fault(INVALID),
    errors.CassErrorServerInvalidQuery: Fault(INVALID),
    errors.CassErrorServerConfigError: Fault(INVALID),
    errors.CassErrorServerUnprepared: Fault(class_of_code(0x2500)),
}


def classify(error: BaseException) -> Fault | None:
    """What the driver's exception means; None for one that is no answer to a request."""
    known = _FAULTS.get(type(error))
    if known is not None:
        return known
    if isinstance(error, errors.CassErrorSourceSsl):
        return Fault(CONNECTION)
    # Codes of a server's own, such as ScyllaDB's rate limit, have no class of theirs in this driver.
    return Fault(PROTOCOL) if isinstance(error, errors.CassErrorSourceServer) else None


class AcsyllaEngine(CoroutineEngine):
    """See CoroutineEngine."""

    name = "acsylla"

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup, classify)

    def open(self) -> dict[str, Any]:
        """See Engine."""
        target = self.setup.target
        if target.address_map:
            raise EngineError("engine acsylla cannot translate addresses; take another --engine")
        try:
            self._loop.run_until_complete(self._connect())
        except (errors.CassException, OSError, asyncio.TimeoutError) as error:
            raise EngineError(f"acsylla cannot connect: {error}") from error
        refuse_pages(self.setup.workload, "engine acsylla")
        check_binds(self.setup.workload, self.name, self._bind)
        notes = ["no compression: the C++ driver has none"] if target.compression else []
        return {
            "connections": self._session.metrics().stats_total_connections,
            "compression": None,
            "driver": f"acsylla {metadata.version('acsylla')}",
            "protocol_version": 4,
            "notes": notes,
        }

    async def _connect(self) -> None:
        cluster = acsylla.create_cluster(**cluster_options(self.setup.target, self._timeout_s))
        self._session = await asyncio.wait_for(cluster.create_session(), CONNECT_TIMEOUT_S)
        self._prepared = [await self._session.create_prepared(kind.statement) for kind in self.setup.workload.kinds]
        self._settings = [
            {
                "consistency": acsylla.Consistency[kind.consistency],
                "serial_consistency": acsylla.Consistency[kind.serial_consistency] if kind.serial_consistency else None,
            }
            for kind in self.setup.workload.kinds
        ]
        self._uuids = [
            [place for place, column in enumerate(kind.returns) if column.type in UUID_TYPES]
            for kind in self.setup.workload.kinds
        ]

    def _bind(self, kind: int, values: list[Any]) -> None:
        self._prepared[kind].bind(values, **self._settings[kind])

    async def _execute(self, kind: int, values: list[Any]) -> Rows:
        result = await self._session.execute(self._prepared[kind].bind(values, **self._settings[kind]))
        return [self._row(kind, row) for row in result.all()] if result.count() else ()

    def _row(self, kind: int, row: Any) -> list[Any]:
        cells: list[Any] = row.as_list()
        for place in self._uuids[kind]:
            cells[place] = UUID(cells[place])  # the driver gives them as text
        return cells

    def close(self) -> None:
        """See Engine."""
        if self._session is not None:
            try:
                self._loop.run_until_complete(asyncio.wait_for(self._session.close(), CLOSE_TIMEOUT_S))
            except (errors.CassException, asyncio.TimeoutError):
                pass  # the server is gone: the process's end closes what is left
        self._loop.close()


def cluster_options(target: Target, timeout_s: float) -> dict[str, Any]:
    """What acsylla.create_cluster takes."""
    options: dict[str, Any] = {
        # This driver has one port for all.
        "contact_points": [host for host, port in target.contact_points if port == target.contact_points[0][1]],
        "port": target.contact_points[0][1],
        "protocol_version": 4,
        "connect_timeout": CONNECT_TIMEOUT_S,
        "request_timeout": timeout_s,
        "queue_size_io": QUEUE_SIZE,
        "load_balance_dc_aware": target.local_dc,
        "retry_policy": "fallthrough",
        "log_level": "critical",
    }
    if target.username:
        options.update(username=target.username, password=target.password or "")
    if target.tls is not None:
        options.update(tls_options(target.tls))
    return options


def tls_options(tls: Any) -> dict[str, Any]:
    """The TLS settings: this driver wants the files' text, and has no authorities of its own. Raises EngineError."""
    if not tls.get("ca_file"):
        raise EngineError("engine acsylla does not know the system's certificate authorities; give --tls-ca")
    check = (
        acsylla.SSLVerifyFlags.PEER_IDENTITY if tls.get("check_hostname", True) else acsylla.SSLVerifyFlags.PEER_CERT
    )
    texts = {"ssl_trusted_cert": "ca_file", "ssl_cert": "cert_file", "ssl_private_key": "key_file"}
    try:
        files = {name: Path(tls[key]).read_text() for name, key in texts.items() if tls.get(key)}
    except OSError as error:
        raise EngineError(f"cannot read {error.filename}: {error.strerror}") from error
    if tls.get("key_password"):
        files["ssl_private_key_password"] = tls["key_password"]
    return {"ssl_enabled": True, "ssl_verify_flags": check, **files}
