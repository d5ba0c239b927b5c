"""ScyllaDB's extensions of the protocol: the SCYLLA_* keys of SUPPORTED, STARTUP's answer to them, tablet payloads.

Source: scylladb docs/dev/protocol-extensions.md and transport/server.cc (make_supported). Without these keys a server
is Apache Cassandra, or a ScyllaDB told to hide its shards: one shard a node.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from cqlsurge.load.cql import types as t
from cqlsurge.load.cql.errors import ProtocolError
from cqlsurge.load.cql.values import decode_value, encoder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from cqlsurge.load.cql.primitives import PayloadMap

SHARD = "SCYLLA_SHARD"
NR_SHARDS = "SCYLLA_NR_SHARDS"
IGNORE_MSB = "SCYLLA_SHARDING_IGNORE_MSB"
ALGORITHM = "SCYLLA_SHARDING_ALGORITHM"
PARTITIONER = "SCYLLA_PARTITIONER"
SHARD_AWARE_PORT = "SCYLLA_SHARD_AWARE_PORT"
SHARD_AWARE_PORT_SSL = "SCYLLA_SHARD_AWARE_PORT_SSL"
RATE_LIMIT_ERROR = "SCYLLA_RATE_LIMIT_ERROR"
RATE_LIMIT_CODE = "ERROR_CODE"
LWT_MARK = "SCYLLA_LWT_ADD_METADATA_MARK"
LWT_MASK = "LWT_OPTIMIZATION_META_BIT_MASK"
TABLETS_ROUTING = "TABLETS_ROUTING_V1"
HOST_ID = "SCYLLA_HOST_ID"

BIASED_ROUND_ROBIN = "biased-token-round-robin"
MURMUR3 = "org.apache.cassandra.dht.Murmur3Partitioner"
TABLETS_PAYLOAD = "tablets-routing-v1"

_PAYLOAD_TYPE = t.TupleType((t.BIGINT, t.BIGINT, t.ListType(t.TupleType((t.UUID, t.INT)))))


@dataclass(frozen=True)
class Sharding:
    """How a node spreads tokens over its shards, and the shard that this connection ended on."""

    shard: int
    nr_shards: int
    ignore_msb: int = 12
    algorithm: str = BIASED_ROUND_ROBIN
    partitioner: str = MURMUR3

    @property
    def known(self) -> bool:
        """Whether a token's shard can be computed. Documents and servers disagree on the partitioner's package."""
        return self.algorithm == BIASED_ROUND_ROBIN and self.partitioner.endswith("Murmur3Partitioner")


@dataclass(frozen=True)
class Extensions:
    """What a server offers beyond the specification; as default nothing, like Apache Cassandra."""

    sharding: Sharding | None = None
    shard_aware_port: int | None = None
    shard_aware_port_ssl: int | None = None
    rate_limit_code: int | None = None
    lwt_mask: int | None = None
    tablets_routing: bool = False
    host_id: str | None = None

    @classmethod
    def from_supported(cls, options: Mapping[str, Sequence[str]]) -> Extensions:
        """Read them from the options of SUPPORTED. Raises ProtocolError where they contradict themselves."""
        return cls(
            sharding=_sharding(options),
            shard_aware_port=_number(options, SHARD_AWARE_PORT, 1, 0xFFFF),
            shard_aware_port_ssl=_number(options, SHARD_AWARE_PORT_SSL, 1, 0xFFFF),
            rate_limit_code=_argument(options, RATE_LIMIT_ERROR, RATE_LIMIT_CODE, -(1 << 31), (1 << 31) - 1),
            lwt_mask=_argument(options, LWT_MARK, LWT_MASK, 0, (1 << 32) - 1),
            tablets_routing=TABLETS_ROUTING in options,
            host_id=_first(options, HOST_ID) or None,
        )

    def to_supported(self) -> dict[str, list[str]]:
        """The options of SUPPORTED that say so."""
        sharding = self.sharding
        single: dict[str, object] = {
            SHARD_AWARE_PORT: self.shard_aware_port,
            SHARD_AWARE_PORT_SSL: self.shard_aware_port_ssl,
            RATE_LIMIT_ERROR: None if self.rate_limit_code is None else f"{RATE_LIMIT_CODE}={self.rate_limit_code}",
            LWT_MARK: None if self.lwt_mask is None else f"{LWT_MASK}={self.lwt_mask}",
            TABLETS_ROUTING: "" if self.tablets_routing else None,
            HOST_ID: self.host_id,
        }
        if sharding is not None:
            single[SHARD] = sharding.shard
            single[NR_SHARDS] = sharding.nr_shards
            single[IGNORE_MSB] = sharding.ignore_msb
            single[ALGORITHM] = sharding.algorithm
            single[PARTITIONER] = sharding.partitioner
        return {key: [str(value)] for key, value in single.items() if value is not None}

    def startup_options(self, *, tablets_routing: bool) -> dict[str, str]:
        """What STARTUP must carry to switch on the rate-limit error and the LWT mark, and tablet payloads if wanted.

        A tablet payload costs the server something for each misrouted request: ask only in order to use it.
        """
        options = {}
        if self.rate_limit_code is not None:
            options[RATE_LIMIT_ERROR] = ""
        if self.lwt_mask is not None:
            options[LWT_MARK] = str(self.lwt_mask)
        if tablets_routing and self.tablets_routing:
            options[TABLETS_ROUTING] = ""
        return options


def _sharding(options: Mapping[str, Sequence[str]]) -> Sharding | None:
    shard = _number(options, SHARD, 0, (1 << 31) - 1)
    nr_shards = _number(options, NR_SHARDS, 1, (1 << 31) - 1)
    ignore_msb = _number(options, IGNORE_MSB, 0, 63)
    if shard is None and nr_shards is None and ignore_msb is None:
        return None
    if shard is None or nr_shards is None or ignore_msb is None:
        raise ProtocolError(f"SUPPORTED has only some of {SHARD}, {NR_SHARDS} and {IGNORE_MSB}")
    if shard >= nr_shards:
        raise ProtocolError(f"SUPPORTED says shard {shard} of {nr_shards}")
    return Sharding(shard, nr_shards, ignore_msb, _first(options, ALGORITHM), _first(options, PARTITIONER))


def _first(options: Mapping[str, Sequence[str]], key: str) -> str:
    values = options.get(key)
    return values[0] if values else ""


def _number(options: Mapping[str, Sequence[str]], key: str, low: int, high: int) -> int | None:
    text = _first(options, key)
    return _parse(key, text, low, high) if text else None


def _argument(options: Mapping[str, Sequence[str]], key: str, name: str, low: int, high: int) -> int | None:
    """The number in `NAME=number` among the values of a key."""
    for text in options.get(key, ()):
        found, separator, number = text.strip().partition("=")
        if found == name and separator:
            return _parse(key, number, low, high)
    return None


def _parse(key: str, text: str, low: int, high: int) -> int:
    # Length first: int() of a long text is slow, and refuses at its own limit with another error.
    number = (
        int(text) if len(text) < 12 and text.isascii() and text.lstrip("-").isdigit() and "-" not in text[1:] else None
    )
    if number is None or not low <= number <= high:
        raise ProtocolError(f"SUPPORTED has {key} = {text[:40]!r}; a number from {low} to {high} is expected")
    return number


class Replica(NamedTuple):
    """A copy of a tablet: the node's host id and the shard there."""

    host_id: UUID
    shard: int


class TabletRange(NamedTuple):
    """One tablet: the tokens above `first_token` up to and including `last_token`, and who has them."""

    first_token: int
    last_token: int
    replicas: tuple[Replica, ...]


def encode_tablet(tablet: TabletRange) -> bytes:
    """The value of the custom payload key TABLETS_PAYLOAD."""
    return encoder(_PAYLOAD_TYPE)(tablet)


def decode_tablet(payload: PayloadMap | None) -> TabletRange | None:
    """The tablet that a response's custom payload tells of, if it does. Raises ProtocolError."""
    cell = (payload or {}).get(TABLETS_PAYLOAD)
    if cell is None:
        return None
    fields = decode_value(_PAYLOAD_TYPE, cell)
    if not _complete(fields, 3) or not all(_complete(pair, 2) for pair in fields[2]):
        raise ProtocolError(f"a {TABLETS_PAYLOAD} payload with nulls in it")
    first, last, replicas = fields
    return TabletRange(first, last, tuple([Replica(host_id, shard) for host_id, shard in replicas]))


def _complete(fields: tuple[object, ...] | None, count: int) -> bool:
    return fields is not None and len(fields) == count and None not in fields
