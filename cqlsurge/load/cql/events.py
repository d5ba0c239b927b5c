"""EVENT bodies (native_protocol_v4.spec, section 4.2.6; CLIENT_ROUTES_CHANGE: ScyllaDB's protocol-extensions.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable, ClassVar, Union

from cqlsurge.load.cql import primitives as p
from cqlsurge.load.cql.errors import ProtocolError
from cqlsurge.load.cql.frames import OP_EVENT
from cqlsurge.load.cql.primitives import Endpoint
from cqlsurge.load.cql.schema_change import SchemaChange

if TYPE_CHECKING:
    from cqlsurge.load.cql.primitives import Reader


@dataclass(frozen=True)
class TopologyChange:
    """NEW_NODE or REMOVED_NODE."""

    change: str
    node: Endpoint
    event_type: ClassVar[str] = "TOPOLOGY_CHANGE"
    opcode: ClassVar[int] = OP_EVENT

    def encode_body(self) -> bytes:
        return p.write_string(self.event_type) + p.write_string(self.change) + p.write_inet(self.node)

    @classmethod
    def decode(cls, reader: Reader) -> TopologyChange:
        return cls(reader.string(), reader.inet())


@dataclass(frozen=True)
class StatusChange:
    """UP or DOWN."""

    change: str
    node: Endpoint
    event_type: ClassVar[str] = "STATUS_CHANGE"
    opcode: ClassVar[int] = OP_EVENT

    def encode_body(self) -> bytes:
        return p.write_string(self.event_type) + p.write_string(self.change) + p.write_inet(self.node)

    @classmethod
    def decode(cls, reader: Reader) -> StatusChange:
        return cls(reader.string(), reader.inet())


@dataclass(frozen=True)
class SchemaChangeEvent:
    """Someone changed the schema."""

    change: SchemaChange
    event_type: ClassVar[str] = "SCHEMA_CHANGE"
    opcode: ClassVar[int] = OP_EVENT

    def encode_body(self) -> bytes:
        return p.write_string(self.event_type) + self.change.encode()

    @classmethod
    def decode(cls, reader: Reader) -> SchemaChangeEvent:
        return cls(SchemaChange.decode(reader))


@dataclass(frozen=True)
class ClientRoutesChange:
    """ScyllaDB: UPDATE_NODES for these connections and hosts."""

    change: str
    connection_ids: tuple[str, ...]
    host_ids: tuple[str, ...]
    event_type: ClassVar[str] = "CLIENT_ROUTES_CHANGE"
    opcode: ClassVar[int] = OP_EVENT

    def encode_body(self) -> bytes:
        head = p.write_string(self.event_type) + p.write_string(self.change)
        return head + p.write_string_list(self.connection_ids) + p.write_string_list(self.host_ids)

    @classmethod
    def decode(cls, reader: Reader) -> ClientRoutesChange:
        return cls(reader.string(), tuple(reader.string_list()), tuple(reader.string_list()))


Event = Union[TopologyChange, StatusChange, SchemaChangeEvent, ClientRoutesChange]

_DECODERS: dict[str, Callable[[Reader], Event]] = {
    TopologyChange.event_type: TopologyChange.decode,
    StatusChange.event_type: StatusChange.decode,
    SchemaChangeEvent.event_type: SchemaChangeEvent.decode,
    ClientRoutesChange.event_type: ClientRoutesChange.decode,
}


def decode_event(reader: Reader) -> Event:
    """The body of an EVENT. Raises ProtocolError, also for a type that we never register for."""
    event_type = reader.string()
    decoder = _DECODERS.get(event_type)
    if decoder is None:
        raise ProtocolError(f"unknown event type {event_type[:40]!r}")
    return decoder(reader)
