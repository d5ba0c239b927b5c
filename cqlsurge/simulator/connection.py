"""One client connection, without its socket: request frames in, answers out."""

from __future__ import annotations

import hmac
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from cqlsurge.load.cql import frames
from cqlsurge.load.cql import requests as q
from cqlsurge.load.cql import server_errors as e
from cqlsurge.load.cql.envelope import seal_frame
from cqlsurge.load.cql.errors import ProtocolError
from cqlsurge.load.cql.extensions import TABLETS_PAYLOAD, encode_tablet
from cqlsurge.load.cql.primitives import UNSET
from cqlsurge.load.cql.responses import Authenticate, AuthSuccess, Ready, Supported
from cqlsurge.simulator import failures
from cqlsurge.simulator.cql.lexer import CqlSyntaxError
from cqlsurge.simulator.execution.request import Context, Outcome
from cqlsurge.simulator.features import Features, negotiated, supported
from cqlsurge.simulator.schema import SchemaError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cqlsurge.load.cql.frames import Frame
    from cqlsurge.load.cql.primitives import Value
    from cqlsurge.load.cql.requests import QueryParameters, Request
    from cqlsurge.load.cql.responses import Response
    from cqlsurge.simulator.cluster import Cluster
    from cqlsurge.simulator.execution.compiled import Compiled
    from cqlsurge.simulator.inject.faults import Fault
    from cqlsurge.simulator.schema import Table
    from cqlsurge.simulator.topology import SimulatedNode

AUTHENTICATOR = "org.apache.cassandra.auth.PasswordAuthenticator"
EVENT_TYPES = frozenset({"TOPOLOGY_CHANGE", "STATUS_CHANGE", "SCHEMA_CHANGE", "CLIENT_ROUTES_CHANGE"})


class Answer(NamedTuple):
    """A response frame, the fault that befalls it on its way, and whether the connection ends after it."""

    frame: bytes
    stream: int
    fault: Fault | None = None
    close: bool = False

    @property
    def plain(self) -> bool:
        """Whether it is sent as it is and the connection goes on."""
        return not self.close and (self.fault is None or self.fault.kind == "error")


class Peer(NamedTuple):
    """Where a connection comes from and what it reached."""

    address: str
    port: int
    node: SimulatedNode
    shard: int


@dataclass(eq=False)
class Connection:
    """The protocol's state machine for one client."""

    cluster: Cluster
    peer: Peer
    state: str = "new"  # new, startup (waits for credentials), ready
    features: Features = field(default_factory=Features)
    options: dict[str, str] = field(default_factory=dict)
    username: str = "anonymous"
    keyspace: str | None = None
    events: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.counts = self.cluster.counts.of(self.peer.node.index, self.peer.shard)

    def answer(self, frame: Frame) -> Answer:
        """The response to one request; what is wrong with it becomes an ERROR."""
        try:
            request = q.decode_request(frame, self.features.compressor)
            self._check_state(request)
        except ProtocolError as error:
            return self.protocol_error(error, frame.stream)
        ready, operation = self._look_up(request)
        fault = self._fault(request, ready, operation)
        setattr(self.counts, operation, getattr(self.counts, operation) + 1)
        payload = None
        if fault is not None and fault.kind == "error":
            message: Response = failures.error_response(fault.code or 0, request, operation, self.features)
        else:
            message, payload = self._message(request, ready)
        if message.opcode == frames.OP_ERROR:
            self.counts.errors += 1
        return Answer(self._seal(message, frame.stream, payload), frame.stream, fault)

    def protocol_error(self, error: ProtocolError, stream: int) -> Answer:
        """ERROR 0x000A in a v4 frame, whatever version the client spoke; then the connection ends."""
        message = e.ErrorResponse(e.PROTOCOL_ERROR, str(error))
        self.counts.errors += 1
        return Answer(frames.encode_frame(frames.OP_ERROR, message.encode_body(), stream), stream, close=True)

    def _seal(self, message: Response, stream: int, payload: dict[str, bytes | None] | None) -> bytes:
        compressor = self.features.compressor if self.state == "ready" else None
        body = message.encode_body()
        return seal_frame(message.opcode, body, stream, payload=payload, compressor=compressor, always=True)

    def _check_state(self, request: Request) -> None:
        if isinstance(request, q.Options) or self.state == "ready":
            return
        expected = q.Startup if self.state == "new" else q.AuthResponse
        if not isinstance(request, expected):
            wanted = "STARTUP" if self.state == "new" else "AUTH_RESPONSE"
            raise ProtocolError(f"Unexpected message {type(request).__name__.upper()}, expecting {wanted}")

    def _look_up(self, request: Request) -> tuple[Compiled | SchemaError | CqlSyntaxError | None, str]:
        """The statement of a request, or why there is none, and the kind of operation to count."""
        if isinstance(request, q.Execute):
            ready = self.cluster.executor.prepared(self.peer.node, request.statement_id)
            return ready, _kind(ready)
        if isinstance(request, q.Query):
            try:
                ready = self.cluster.executor.compiled(request.query, self.keyspace)
            except (SchemaError, CqlSyntaxError) as error:
                return error, "other"
            return ready, _kind(ready)
        if isinstance(request, q.Prepare):
            return None, "prepare"
        return None, "batch" if isinstance(request, q.Batch) else "other"

    def _fault(self, request: Request, ready: Any, operation: str) -> Fault | None:
        faults = self.cluster.faults
        if not faults.rules or isinstance(request, (q.Startup, q.Options, q.AuthResponse)):
            return None
        return faults.pick(self.peer.node.index + 1, self.peer.shard, operation, self.cluster.elapsed_ns())

    def _message(self, request: Request, ready: Any) -> tuple[Response, dict[str, bytes | None] | None]:
        context = self._context(request)
        try:
            outcome = self._outcome(request, ready, context)
        except CqlSyntaxError as error:
            return e.ErrorResponse(e.SYNTAX_ERROR, str(error)), None
        except SchemaError as error:
            return failures.schema_error(error), None
        except failures.Unavailable as error:
            return error.response, None
        if outcome.keyspace is not None:
            self.keyspace = outcome.keyspace
        if outcome.change is not None:
            self.cluster.announce_schema_change(outcome.change)
        payload = None
        if context.touched and isinstance(request, (q.Execute, q.Batch)):
            payload = self._judge(context.touched)
        return outcome.message, payload

    def _context(self, request: Request) -> Context:
        context = Context(self.peer.node, time.time_ns() // 1000, self.keyspace)
        if isinstance(request, (q.Query, q.Execute)):
            parameters = request.parameters
            context.timestamp_us = parameters.timestamp_us
            context.page_size = parameters.page_size
            context.paging_state = parameters.paging_state
            context.skip_metadata = parameters.skip_metadata
            context.guard = self.cluster.guard(parameters.consistency)
        elif isinstance(request, q.Batch):
            context.timestamp_us = request.timestamp_us
            context.guard = self.cluster.guard(request.consistency)
        return context

    def _outcome(self, request: Request, ready: Any, context: Context) -> Outcome:
        executor = self.cluster.executor
        if isinstance(ready, Exception):
            raise ready
        if isinstance(request, q.Execute):
            if ready is None:
                return Outcome(failures.unprepared(request.statement_id))
            context.values = _in_order(request.parameters, ready)
            return executor.run(ready, context)
        if isinstance(request, q.Query):
            context.values = _in_order(request.parameters, ready)
            return executor.run(ready, context)
        if isinstance(request, q.Prepare):
            mark = self.features.lwt_mark
            return Outcome(executor.prepare(request.query, self.keyspace, self.peer.node, mark_lwt=mark))
        if isinstance(request, q.Batch):
            return self._batch(request, context)
        return Outcome(self._administer(request))

    def _batch(self, request: q.Batch, context: Context) -> Outcome:
        executor = self.cluster.executor
        parts: list[tuple[Compiled, Sequence[Value]]] = []
        for part in request.statements:
            if isinstance(part.statement, str):
                ready: Compiled | None = executor.compiled(part.statement, self.keyspace)
            else:
                ready = executor.prepared(self.peer.node, part.statement)
            if ready is None:
                return Outcome(failures.unprepared(part.statement if isinstance(part.statement, bytes) else b""))
            parts.append((ready, part.values))
        return executor.run_batch(parts, context)

    def _administer(self, request: Request) -> Response:
        """STARTUP, OPTIONS, AUTH_RESPONSE and REGISTER."""
        cluster, peer = self.cluster, self.peer
        if isinstance(request, q.Options):
            return Supported(supported(cluster.topology, peer.node, peer.shard, tls=cluster.tls is not None))
        if isinstance(request, q.Startup):
            try:
                self.features = negotiated(request.options, scylla=cluster.topology.scylla)
            except ValueError as error:
                return e.ErrorResponse(e.PROTOCOL_ERROR, str(error))
            self.options = request.options
            self.state = "startup" if cluster.credentials else "ready"
            return Authenticate(AUTHENTICATOR) if cluster.credentials else Ready()
        if isinstance(request, q.AuthResponse):
            return self._authenticate(request.token or b"")
        if isinstance(request, q.Register):
            unknown = set(request.event_types) - EVENT_TYPES
            if unknown:
                return e.ErrorResponse(e.PROTOCOL_ERROR, f"Invalid value '{unknown.pop()}' for Event.Type")
            self.events |= frozenset(request.event_types)
            return Ready()
        raise AssertionError(f"no answer to {request}")

    def _authenticate(self, sasl: bytes) -> Response:
        """SASL PLAIN: authorization id, user and password, each after a zero byte."""
        credentials = self.cluster.credentials
        parts = sasl.split(b"\0")
        if credentials is None or len(parts) != 3:
            return e.ErrorResponse(e.BAD_CREDENTIALS, "Invalid SASL PLAIN token")
        user_fits = hmac.compare_digest(parts[1], credentials.user.encode())
        if not user_fits or not hmac.compare_digest(parts[2], credentials.password.encode()):
            text = f"Provided username {parts[1].decode(errors='replace')} and/or password are incorrect"
            return e.ErrorResponse(e.BAD_CREDENTIALS, text)
        self.state = "ready"
        self.username = credentials.user
        return AuthSuccess()

    def _judge(self, touched: Sequence[tuple[Table, int]]) -> dict[str, bytes | None] | None:
        """Count whether the first partition's replicas are here; the tablet's, where the client asked to be told."""
        table, key_token = touched[0]
        placement = table.placement
        if placement is None:
            return None
        node, shard = self.peer.node.index, self.peer.shard
        owners = placement.owners(key_token)
        if (node, shard) in owners:
            self.counts.right += 1
            return None
        if any(owner == node for owner, _ in owners):
            self.counts.wrong_shard += 1
        else:
            self.counts.wrong_node += 1
        tablet = placement.tablet(key_token) if self.features.tablets else None
        return {TABLETS_PAYLOAD: encode_tablet(tablet)} if tablet else None


def _kind(ready: Compiled | None) -> str:
    """System tables are not data: faults leave them alone unless told otherwise."""
    if ready is None or (ready.table is not None and ready.table.placement is None):
        return "other"
    return ready.operation


def _in_order(parameters: QueryParameters, ready: Compiled) -> Sequence[Value]:
    """Bound values by position, also where they came with names."""
    values = parameters.values or ()
    if parameters.names is None:
        return values
    named = dict(zip(parameters.names, values))  # noqa: B905
    return [named.get(column.name, UNSET) for column in ready.markers]
