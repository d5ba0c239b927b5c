"""The engine `scylladb-rs`: the Rust driver under asyncio."""

from __future__ import annotations

import asyncio
from importlib import metadata
from typing import Any

from scylla.enums import Compression, Consistency, SerialConsistency
from scylla.errors import ExecuteError, ScyllaError
from scylla.execution_profile import ExecutionProfile
from scylla.policies.address_translator import DictAddressTranslator
from scylla.policies.load_balancing import DefaultPolicy, NodeLocationPreference
from scylla.policies.retry_policy import FallthroughRetryPolicy
from scylla.policies.timestamp_generator import SimpleTimestampGenerator
from scylla.session_builder import SessionBuilder
from scylla.tls import TlsContext

from cqlsurge.load.engines.contract import EngineError, Setup, Target
from cqlsurge.load.engines.coroutines import CoroutineEngine, Fault, Rows
from cqlsurge.load.engines.requests import refuse_pages
from cqlsurge.load.outcomes.classes import (
    CLIENT_TIMEOUT,
    CONNECTION,
    INVALID,
    PROTOCOL,
    RATE_LIMITED,
    SERVER_TIMEOUT,
    UNAUTHORIZED,
    UNAVAILABLE,
    class_of_code,
)
from cqlsurge.load.workload.model import Kind

CONNECT_TIMEOUT_S = 10.0

# The driver's exceptions carry a text and nothing else; these are the Rust driver's own words, before the server's.
_PHRASES = (
    ("exceeded a client timeout", Fault(CLIENT_TIMEOUT)),
    ("Not enough nodes are alive", Fault(UNAVAILABLE)),
    ("Not enough nodes responded", Fault(SERVER_TIMEOUT)),
    ("node is overloaded", Fault(class_of_code(0x1001))),
    ("still bootstrapping", Fault(class_of_code(0x1002))),
    ("Error during truncate", Fault(class_of_code(0x1003))),
    ("non-timeout error during a read", Fault(class_of_code(0x1300))),
    ("User defined function failed", Fault(class_of_code(0x1400))),
    ("non-timeout error during a write", Fault(class_of_code(0x1500))),
    ("Rate limit was exceeded", Fault(RATE_LIMITED)),
    ("has a syntax error", Fault(INVALID)),
    ("syntactically correct but invalid", Fault(INVALID)),
    ("some configuration issue", Fault(INVALID)),
    ("bad credentials", Fault(UNAUTHORIZED)),
    ("doesn't have the right", Fault(UNAUTHORIZED)),
    ("that is not prepared", Fault(class_of_code(0x2500))),
    ("Internal server error", Fault(class_of_code(0x0000))),
    ("Invalid protocol message", Fault(PROTOCOL)),
    ("empty plan", Fault(CONNECTION, sent=False)),
    ("No connections in the pool", Fault(CONNECTION, sent=False)),
    ("pool is broken", Fault(CONNECTION, sent=False)),
    ("allocate stream id", Fault(CONNECTION, sent=False)),
    ("onnection broken", Fault(CONNECTION)),
)


def classify(error: BaseException) -> Fault | None:
    """What the driver's exception means; None for one that is no answer to a request."""
    if not isinstance(error, ExecuteError):
        return None
    words = str(error).split("Error message:")[0]
    return next((fault for phrase, fault in _PHRASES if phrase in words), Fault(PROTOCOL))


class ScyllaDbRsEngine(CoroutineEngine):
    """See CoroutineEngine."""

    name = "scylladb-rs"

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup, classify)

    def open(self) -> dict[str, Any]:
        """See Engine."""
        try:
            self._loop.run_until_complete(self._connect())
        except (ScyllaError, asyncio.TimeoutError) as error:
            raise EngineError(f"scylladb-rs cannot connect: {' '.join(str(error).split())[:300]}") from error
        refuse_pages(self.setup.workload, "engine scylladb-rs")
        target = self.setup.target
        return {
            "connections": sum(max(node.shards, 1) for node in target.nodes),
            "compression": "lz4" if target.compression else None,
            "driver": f"scylladb-rs-driver {metadata.version('scylladb-rs-driver')}",
            "protocol_version": 4,
            "notes": ["error classes are read from the driver's texts: its exceptions carry nothing else"],
        }

    async def _connect(self) -> None:
        builder = session_builder(self.setup, self._timeout_s)
        self._session = await asyncio.wait_for(_awaited(builder.connect()), CONNECT_TIMEOUT_S)
        self._prepared = [
            with_levels(await self._session.prepare(kind.statement), kind) for kind in self.setup.workload.kinds
        ]

    async def _execute(self, kind: int, values: list[Any]) -> Rows:
        result = await self._session.execute(self._prepared[kind], values, paged=False)
        if not self.setup.workload.kinds[kind].returns:
            return ()
        return [list(row.values()) for row in result.iter_current_page()]

    def close(self) -> None:
        """See Engine. The session closes its connections when it is let go."""
        self._session = None
        self._prepared = []
        self._loop.close()


async def _awaited(future: Any) -> Any:
    """A driver's future as a coroutine, which asyncio can put a limit on."""
    return await future


def with_levels(statement: Any, kind: Kind) -> Any:
    """The prepared statement at the kind's consistency."""
    statement = statement.with_consistency(getattr(Consistency, camel(kind.consistency)))
    if kind.serial_consistency:
        statement = statement.with_serial_consistency(getattr(SerialConsistency, camel(kind.serial_consistency)))
    return statement


def camel(level: str) -> str:
    """LocalQuorum for LOCAL_QUORUM."""
    return level.title().replace("_", "")


def session_builder(setup: Setup, timeout_s: float) -> Any:
    """The builder of the session. Raises EngineError for what this driver cannot do."""
    target = setup.target
    profile = ExecutionProfile(
        timeout=timeout_s,
        load_balancing_policy=DefaultPolicy(
            node_location_preference=NodeLocationPreference.datacenter(target.local_dc)
        ),
        retry_policy=FallthroughRetryPolicy(),
    )
    builder = SessionBuilder().contact_points(list(target.contact_points)).execution_profile(profile)
    builder = builder.connection_timeout(CONNECT_TIMEOUT_S).compression(Compression.Lz4 if target.compression else None)
    if any(kind.timestamp for kind in setup.workload.kinds):
        builder = builder.timestamp_generator(SimpleTimestampGenerator())
    if target.username:
        builder = builder.user(target.username, target.password or "")
    if target.address_map:
        port = target.contact_points[0][1]
        table = {(announced, port): (usable, port) for announced, usable in target.address_map.items()}
        builder = builder.address_translator(DictAddressTranslator(table))
    return builder if target.tls is None else builder.tls_context(tls_context(target))


def tls_context(target: Target) -> Any:
    """The driver's TLS settings. Raises EngineError."""
    tls = target.tls or {}
    if tls.get("check_hostname", True):
        raise EngineError(
            "engine scylladb-rs cannot check the server's host name; turn the check off or take --engine wire"
        )
    if not tls.get("ca_file"):
        raise EngineError("engine scylladb-rs does not know the system's certificate authorities; give --tls-ca")
    if tls.get("key_password"):
        raise EngineError("engine scylladb-rs cannot read an encrypted --tls-key; decrypt it or take --engine wire")
    context = TlsContext()
    context.load_verify_locations(cafile=tls["ca_file"])
    if tls.get("cert_file"):
        context.load_cert_chain(tls["cert_file"], tls.get("key_file"))
    return context
