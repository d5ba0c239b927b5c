"""What a schema statement changed: the common part of RESULT and EVENT (native_protocol_v4.spec, section 4.2.5.5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cqlsurge.load.cql import primitives as p
from cqlsurge.load.cql.errors import ProtocolError

if TYPE_CHECKING:
    from cqlsurge.load.cql.primitives import Reader

_NAMED = frozenset({"TABLE", "TYPE"})
_WITH_ARGUMENTS = frozenset({"FUNCTION", "AGGREGATE"})


@dataclass(frozen=True)
class SchemaChange:
    """`change` is CREATED, UPDATED or DROPPED; `target` KEYSPACE, TABLE, TYPE, FUNCTION or AGGREGATE.

    `name` is that of the target in its keyspace (None for a keyspace), `arguments` the types of a function's.
    """

    change: str
    target: str
    keyspace: str
    name: str | None = None
    arguments: tuple[str, ...] | None = None

    def encode(self) -> bytes:
        head = p.write_string(self.change) + p.write_string(self.target) + p.write_string(self.keyspace)
        if self.name is not None:
            head += p.write_string(self.name)
        return head if self.arguments is None else head + p.write_string_list(self.arguments)

    @classmethod
    def decode(cls, reader: Reader) -> SchemaChange:
        change, target, keyspace = reader.string(), reader.string(), reader.string()
        if target == "KEYSPACE":
            return cls(change, target, keyspace)
        if target in _NAMED:
            return cls(change, target, keyspace, reader.string())
        if target in _WITH_ARGUMENTS:
            return cls(change, target, keyspace, reader.string(), tuple(reader.string_list()))
        raise ProtocolError(f"unknown target {target!r} of a schema change")
