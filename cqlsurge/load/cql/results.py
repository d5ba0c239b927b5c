"""RESULT bodies (native_protocol_v4.spec, section 4.2.5): Void, Rows, SetKeyspace, Prepared, SchemaChangeResult.

Cells stay bytes; values.py turns them into Python values. Bytes behind a message are left unread, as the
specification asks of clients.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable, ClassVar, NamedTuple, Optional, Union

from cqlsurge.load.cql import primitives as p
from cqlsurge.load.cql.errors import ProtocolError, WireValueError
from cqlsurge.load.cql.frames import OP_RESULT
from cqlsurge.load.cql.schema_change import SchemaChange
from cqlsurge.load.cql.type_options import read_type, write_type

if TYPE_CHECKING:
    from cqlsurge.load.cql.primitives import Reader
    from cqlsurge.load.cql.types import CqlType

KIND_VOID = 1
KIND_ROWS = 2
KIND_SET_KEYSPACE = 3
KIND_PREPARED = 4
KIND_SCHEMA_CHANGE = 5

METADATA_GLOBAL_TABLE = 0x1
METADATA_MORE_PAGES = 0x2
METADATA_NONE = 0x4

Cell = Optional[bytes]
Row = tuple[Cell, ...]


class Column(NamedTuple):
    """One column or bind marker."""

    keyspace: str
    table: str
    name: str
    type: CqlType


@dataclass(frozen=True)
class Void:
    """Done, and nothing to say."""

    opcode: ClassVar[int] = OP_RESULT

    def encode_body(self) -> bytes:
        return p.write_int(KIND_VOID)

    @classmethod
    def decode(cls, reader: Reader) -> Void:
        return cls()


@dataclass(frozen=True)
class SetKeyspace:
    """USE was done."""

    keyspace: str
    opcode: ClassVar[int] = OP_RESULT

    def encode_body(self) -> bytes:
        return p.write_int(KIND_SET_KEYSPACE) + p.write_string(self.keyspace)

    @classmethod
    def decode(cls, reader: Reader) -> SetKeyspace:
        return cls(reader.string())


@dataclass(frozen=True)
class SchemaChangeResult:
    """A schema statement was done."""

    change: SchemaChange
    opcode: ClassVar[int] = OP_RESULT

    def encode_body(self) -> bytes:
        return p.write_int(KIND_SCHEMA_CHANGE) + self.change.encode()

    @classmethod
    def decode(cls, reader: Reader) -> SchemaChangeResult:
        return cls(SchemaChange.decode(reader))


@dataclass(frozen=True)
class Rows:
    """Rows of `column_count` cells each. `columns` is None where the metadata was skipped."""

    column_count: int
    rows: list[Row]
    columns: tuple[Column, ...] | None = None
    paging_state: bytes | None = None
    opcode: ClassVar[int] = OP_RESULT

    @classmethod
    def of(cls, columns: tuple[Column, ...], rows: list[Row], paging_state: bytes | None = None) -> Rows:
        """Rows with their metadata."""
        return cls(len(columns), rows, columns, paging_state)

    def encode_body(self) -> bytes:
        if not self.column_count and self.rows:
            raise WireValueError("rows without columns")
        parts = [
            p.write_int(KIND_ROWS),
            _encode_result_metadata(self.columns, self.column_count, self.paging_state),
            p.write_int(len(self.rows)),
        ]
        for row in self.rows:
            if len(row) != self.column_count:
                raise WireValueError(f"a row of {len(row)} cells under {self.column_count} columns")
            parts += map(p.write_bytes, row)
        return b"".join(parts)

    @classmethod
    def decode(cls, reader: Reader) -> Rows:
        count, columns, paging_state = _decode_result_metadata(reader)
        row_count = reader.int32()
        # Also what bounds the loop below: a row without cells would take no bytes.
        if row_count < 0 or (row_count and not 0 < count * row_count * 4 <= reader.remaining):
            raise ProtocolError(f"{row_count} rows of {count} cells announced where {reader.remaining} bytes are left")
        cells = range(count)
        rows = [tuple([reader.blob() for _ in cells]) for _ in range(row_count)]
        return cls(count, rows, columns, paging_state)


@dataclass(frozen=True)
class Prepared:
    """A prepared statement. `pk_indexes` are the bind markers of the partition key, empty where one is not bound.

    `flags` are the bits of the bind metadata beyond the global-table one, such as ScyllaDB's LWT mark.
    `result_columns` is None where the statement returns no rows.
    """

    statement_id: bytes
    columns: tuple[Column, ...] = ()
    pk_indexes: tuple[int, ...] = ()
    result_columns: tuple[Column, ...] | None = None
    flags: int = 0
    opcode: ClassVar[int] = OP_RESULT

    def encode_body(self) -> bytes:
        table = _common_table(self.columns)
        flags = self.flags | (METADATA_GLOBAL_TABLE if table else 0)
        parts = [
            p.write_int(KIND_PREPARED),
            p.write_short_bytes(self.statement_id),
            p.write_int(flags - (1 << 32) if flags & 0x80000000 else flags),
            p.write_int(len(self.columns)),
            p.write_int(len(self.pk_indexes)),
            *map(p.write_short, self.pk_indexes),
            _encode_columns(self.columns, table),
            _encode_result_metadata(self.result_columns, len(self.result_columns or ()), None),
        ]
        return b"".join(parts)

    @classmethod
    def decode(cls, reader: Reader) -> Prepared:
        statement_id = reader.short_bytes()
        flags = reader.int32() & 0xFFFFFFFF
        count = reader.count("bind markers")
        pk_indexes = tuple([reader.short() for _ in range(reader.count("partition key indexes", 2))])
        columns = _decode_columns(reader, count, bool(flags & METADATA_GLOBAL_TABLE))
        result_columns = _decode_result_metadata(reader)[1]
        return cls(statement_id, columns, pk_indexes, result_columns, flags & ~METADATA_GLOBAL_TABLE)


def _common_table(columns: tuple[Column, ...]) -> tuple[str, str] | None:
    tables = {(column.keyspace, column.table) for column in columns}
    return tables.pop() if len(tables) == 1 else None


def _encode_columns(columns: tuple[Column, ...], table: tuple[str, str] | None) -> bytes:
    parts = [p.write_string(table[0]), p.write_string(table[1])] if table else []
    for column in columns:
        if not table:
            parts += [p.write_string(column.keyspace), p.write_string(column.table)]
        parts += [p.write_string(column.name), write_type(column.type)]
    return b"".join(parts)


def _decode_columns(reader: Reader, count: int, global_table: bool) -> tuple[Column, ...]:
    table = (reader.string(), reader.string()) if global_table else None
    columns = []
    for _ in range(count):
        keyspace, name = table or (reader.string(), reader.string())
        columns.append(Column(keyspace, name, reader.string(), read_type(reader)))
    return tuple(columns)


def _encode_result_metadata(columns: tuple[Column, ...] | None, count: int, paging_state: bytes | None) -> bytes:
    table = _common_table(columns) if columns else None
    flags = (
        (METADATA_GLOBAL_TABLE if table else 0)
        | (METADATA_MORE_PAGES if paging_state is not None else 0)
        # Without names too: Cassandra and ScyllaDB leave the bit of their one table set where they leave the names out.
        | (METADATA_NONE | METADATA_GLOBAL_TABLE if columns is None else 0)
    )
    head = p.write_int(flags) + p.write_int(count)
    if paging_state is not None:
        head += p.write_bytes(paging_state)
    return head if columns is None else head + _encode_columns(columns, table)


def _decode_result_metadata(reader: Reader) -> tuple[int, tuple[Column, ...] | None, bytes | None]:
    flags = reader.int32()
    count = reader.int32()
    if count < 0:
        raise ProtocolError(f"{count} columns announced")
    paging_state = (reader.blob() or b"") if flags & METADATA_MORE_PAGES else None
    if flags & METADATA_NONE:
        return count, None, paging_state
    return count, _decode_columns(reader, count, bool(flags & METADATA_GLOBAL_TABLE)), paging_state


Result = Union[Void, Rows, SetKeyspace, Prepared, SchemaChangeResult]

_DECODERS: dict[int, Callable[[Reader], Result]] = {
    KIND_VOID: Void.decode,
    KIND_ROWS: Rows.decode,
    KIND_SET_KEYSPACE: SetKeyspace.decode,
    KIND_PREPARED: Prepared.decode,
    KIND_SCHEMA_CHANGE: SchemaChangeResult.decode,
}


def decode_result(reader: Reader) -> Result:
    """The body of a RESULT. Raises ProtocolError."""
    kind = reader.int32()
    decoder = _DECODERS.get(kind)
    if decoder is None:
        raise ProtocolError(f"unknown kind {kind} of a RESULT")
    return decoder(reader)
