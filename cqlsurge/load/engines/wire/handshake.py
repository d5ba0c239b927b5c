"""From a new socket to a connection that can carry load: OPTIONS, STARTUP, authentication, PREPARE of each statement.

A generator of requests that is sent the frames of their answers; it knows no socket.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from cqlsurge.load.cql.compression import Compressor, lz4_support
from cqlsurge.load.cql.errors import ProtocolError
from cqlsurge.load.cql.extensions import RATE_LIMIT_ERROR, TABLETS_ROUTING, Extensions
from cqlsurge.load.cql.frames import Frame
from cqlsurge.load.cql.requests import CQL_VERSION, AuthResponse, Options, Prepare, Request, Startup
from cqlsurge.load.cql.responses import Authenticate, AuthSuccess, Ready, Response, Supported, decode_response
from cqlsurge.load.cql.results import Prepared
from cqlsurge.load.cql.server_errors import BAD_CREDENTIALS, UNAUTHORIZED, ErrorResponse

if TYPE_CHECKING:
    from cqlsurge.load.engines.contract import Target

_HOPELESS = (BAD_CREDENTIALS, UNAUTHORIZED)


class HandshakeError(Exception):
    """The server would not have us; `hopeless` when trying again cannot help (wrong credentials)."""

    def __init__(self, text: str, hopeless: bool = False) -> None:
        super().__init__(text)
        self.hopeless = hopeless


class Shards(NamedTuple):
    """A node's shards as SUPPORTED announces them; `port` is the shard-aware one, if it may be used."""

    total: int
    ignore_msb: int
    port: int | None


@dataclass
class Greeting:
    """What came of a handshake. shard: which one answered; shards: how the node's shards are laid out (None: it has
    none); tells_tablets: of requests that belong elsewhere; statement_ids: in order.
    """

    shard: int | None = None
    shards: Shards | None = None
    compressor: Compressor | None = None
    rate_limit_code: int | None = None
    tells_tablets: bool = False
    statement_ids: list[bytes] = field(default_factory=list)


Steps = Generator[Request, Frame, Greeting]


def handshake(target: Target, statements: Sequence[str]) -> Steps:
    """The whole of it. Raises HandshakeError, ProtocolError."""
    greeting = Greeting()
    supported = _expect(decode_response((yield Options())), Supported, "OPTIONS").options
    offered = Extensions.from_supported(supported)
    greeting.shard, greeting.shards = _shards_of(offered, encrypted=target.tls is not None)
    options = {"CQL_VERSION": CQL_VERSION, "DRIVER_NAME": "cqlsurge"}
    if target.compression and "lz4" in supported.get("COMPRESSION", []) and lz4_support().block is not None:
        greeting.compressor = Compressor()
        options["COMPRESSION"] = Compressor.name
    if offered.rate_limit_code is not None:
        greeting.rate_limit_code = offered.rate_limit_code
        options[RATE_LIMIT_ERROR] = ""
    if offered.tablets_routing:
        greeting.tells_tablets = True
        options[TABLETS_ROUTING] = ""
    answer = decode_response((yield Startup(options)), greeting.compressor)
    if isinstance(answer, Authenticate):
        yield from _authenticate(target, answer, greeting.compressor)
    else:
        _expect(answer, Ready, "STARTUP")
    for statement in statements:
        answer = decode_response((yield Prepare(statement)), greeting.compressor, greeting.rate_limit_code)
        greeting.statement_ids.append(_expect(answer, Prepared, f"PREPARE of {statement!r}").statement_id)
    return greeting


def _authenticate(
    target: Target, asked: Authenticate, compressor: Compressor | None
) -> Generator[Request, Frame, None]:
    """SASL PLAIN, which all of Cassandra's and ScyllaDB's password authenticators speak."""
    if target.username is None or target.password is None:
        name = asked.authenticator.rsplit(".", 1)[-1]
        raise HandshakeError(f"the server asks for a user name and password ({name}): give them", hopeless=True)
    token = b"\0" + target.username.encode() + b"\0" + target.password.encode()
    _expect(decode_response((yield AuthResponse(token)), compressor), AuthSuccess, "authentication")


def _expect(answer: Response, wanted: type, asked: str):  # type: ignore[no-untyped-def]  # noqa: ANN202
    if isinstance(answer, wanted):
        return answer
    if isinstance(answer, ErrorResponse):
        raise HandshakeError(f"{asked}: {answer.message}", hopeless=answer.code in _HOPELESS)
    raise ProtocolError(f"{type(answer).__name__} answers {asked}")


def _shards_of(offered: Extensions, *, encrypted: bool) -> tuple[int | None, Shards | None]:
    """The shard that this connection leads to and what the node says of all of them; Nones where there are none."""
    if offered.sharding is None:
        return None, None
    port = offered.shard_aware_port_ssl if encrypted else offered.shard_aware_port
    return offered.sharding.shard, Shards(offered.sharding.nr_shards, offered.sharding.ignore_msb, port)
