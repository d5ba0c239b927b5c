"""Values of CQL types as pieces; whatever has no pieces is made by the plain interpreter, value by value."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Callable
from uuid import UUID

from cqlsurge.load.compiled.expressions import Numbers
from cqlsurge.load.compiled.functions import Functions, Repeated
from cqlsurge.load.compiled.graph import BOOL, FLOAT, INT, Graph, Node
from cqlsurge.load.compiled.layout import Data, Hole, Piece, Slice, cell, int_piece
from cqlsurge.load.compiled.scope import Scope, Unsupported
from cqlsurge.load.compiled.texts import not_negative, pieces_of_text
from cqlsurge.load.cql import types as t
from cqlsurge.load.cql.natives import NATIVE_CODECS
from cqlsurge.load.cql.primitives import UNSET, write_value
from cqlsurge.load.cql.type_names import parse_type
from cqlsurge.load.cql.values import encoder, fixed_bytes
from cqlsurge.load.workload.generators import UUID_EPOCH_TICKS
from cqlsurge.load.workload.mixing import MASK

if TYPE_CHECKING:
    from cqlsurge.load.cql.types import CqlType
    from cqlsurge.load.workload.expressions import Expr
    from cqlsurge.load.workload.interpreter import Interpreter

NULL, LEFT_UNSET = struct.pack(">i", -1), struct.pack(">i", -2)
_DAY_NS = 86_400_000_000_000
_DATE_CENTRE = 1 << 31
#: format of a hole, and the lowest and highest value, of the types that are whole numbers
_WHOLE: dict[CqlType, tuple[str, int, int]] = {
    t.TINYINT: ("b", -(1 << 7), (1 << 7) - 1),
    t.SMALLINT: ("h", -(1 << 15), (1 << 15) - 1),
    t.INT: ("i", -(1 << 31), (1 << 31) - 1),
    t.BIGINT: ("q", -(1 << 63), (1 << 63) - 1),
    t.COUNTER: ("q", -(1 << 63), (1 << 63) - 1),
    t.TIMESTAMP: ("q", -(1 << 63), (1 << 63) - 1),
    t.TIME: ("q", 0, _DAY_NS - 1),
    t.DATE: ("I", -_DATE_CENTRE, _DATE_CENTRE - 1),
}
#: types whose order is that of their bytes
_BY_BYTES = frozenset([t.TEXT, t.ASCII, t.BLOB])

Pieces = list[Piece]


class Cells:
    """Makes pieces for one workload."""

    def __init__(self, graph: Graph, run: Interpreter, user_types: Any) -> None:
        self.graph, self.run, self._user_types = graph, run, user_types
        self.numbers = Numbers(graph, run)
        self.functions = Functions(graph)

    def type(self, text: str) -> CqlType:
        """A type by its CQL text."""
        return parse_type(text, self._user_types)

    def value(self, expr: Expr, cql_type: CqlType, at: Scope) -> Pieces:
        """The bytes of a value that is there, without a length."""
        try:
            return self._value(expr, cql_type, at)
        except Unsupported:
            ask, encode = self.numbers.asked(expr), encoder(cql_type)
            return [Data(self.graph.call(lambda *place: encode(ask(*place)), *at.nodes()))]

    def cell(self, expr: Expr, cql_type: CqlType, at: Scope, nested: bool = False) -> Pieces:
        """A value with its length before it, which says too what is null or unset; inside others unset is null."""
        try:
            return self._cell(expr, cql_type, at, nested)
        except Unsupported:
            ask, encode = self.numbers.asked(expr), encoder(cql_type)

            def framed(*place: Any) -> bytes:
                value = ask(*place)
                if value is None or value is UNSET:
                    return NULL if value is None or nested else LEFT_UNSET
                return write_value(encode(value))

            return [Data(self.graph.call(framed, *at.nodes()))]

    def _cell(self, expr: Expr, cql_type: CqlType, at: Scope, nested: bool) -> Pieces:
        if expr.op == "const" and expr.data is None:
            return [NULL]
        if expr.op not in ("maybe", "null"):
            return cell(self.graph, self._value(expr, cql_type, at))
        if expr.args[1].op in ("maybe", "null") or (expr.args[1].op == "const" and expr.args[1].data is None):
            raise Unsupported("what may be absent in two ways")
        word = self.numbers.node(expr.args[0], at)
        below = self.graph.less(self.graph.shifted(word, 11), expr.data)
        present = below if expr.op == "maybe" else self.graph.logic("negated", below)
        absent = LEFT_UNSET if expr.op == "maybe" and not nested else NULL
        return self._optional(self._value(expr.args[1], cql_type, at), present, absent, at)

    def _optional(self, value: Pieces, present: Node, absent: bytes, at: Scope) -> Pieces:
        graph = self.graph
        if len(value) == 1 and isinstance(value[0], Slice):
            piece = value[0]
            length = graph.choose(present, piece.length, struct.unpack(">i", absent)[0])
            return [int_piece(length), Slice(piece.pool, piece.offset, graph.choose(present, piece.length, 0))]
        return [Data(self.functions.joined(at, cell(graph, value), present, absent))]

    def _value(self, expr: Expr, cql_type: CqlType, at: Scope) -> Pieces:
        if isinstance(cql_type, t.NativeType):
            return self._native(expr, cql_type, at)
        if isinstance(cql_type, (t.TupleType, t.UserType)) and expr.op in ("tuple", "udt"):
            of = cql_type.elements if isinstance(cql_type, t.TupleType) else [each for _, each in cql_type.fields]
            if len(expr.args) > len(of):
                raise Unsupported("more values than fields")
            return [piece for arg, each in zip(expr.args, of) for piece in self._cell(arg, each, at, True)]
        if isinstance(cql_type, (t.ListType, t.SetType)) and expr.op in ("list", "set"):
            return [Data(self._elements(expr, cql_type.element, at))]
        if isinstance(cql_type, t.MapType) and expr.op == "map":
            return [Data(self._pairs(expr, cql_type, at))]
        if isinstance(cql_type, t.VectorType) and expr.op == "vector":
            return self._vector(expr, cql_type, at)
        raise Unsupported(f"{expr.op} as {cql_type}")

    def _native(self, expr: Expr, cql_type: t.NativeType, at: Scope) -> Pieces:
        graph = self.graph
        if cql_type in _WHOLE:
            form, low, high = _WHOLE[cql_type]
            value = self.numbers.whole(expr, at)
            if value.low < low or value.high > high:
                raise Unsupported("a number that may not fit")
            return [Hole(form, graph.add(value, _DATE_CENTRE) if cql_type == t.DATE else value)]
        if cql_type in (t.FLOAT, t.DOUBLE):
            value = self.numbers.number(expr, at)
            if value.type not in (INT, FLOAT):
                raise Unsupported("no number")
            return [Hole("f" if cql_type == t.FLOAT else "d", graph.floating(value))]
        if cql_type == t.BOOLEAN:
            value = self.numbers.number(expr, at)
            if value.type != BOOL:
                raise Unsupported("no truth value")
            return [Hole("b", graph.choose(value, 1, 0))]
        if cql_type in _BY_BYTES:
            if expr.kind not in (("bytes",) if cql_type == t.BLOB else ("text",)):
                raise Unsupported(f"{expr.kind} as {cql_type}")
            pieces = pieces_of_text(self.numbers, expr, at)
            if cql_type == t.ASCII and not all(piece.isascii() for piece in pieces if isinstance(piece, bytes)):
                raise Unsupported("text beyond ASCII")
            return pieces
        make = _OTHERS.get((cql_type, expr.op))
        if make is not None:
            return make(self, expr, at)
        if cql_type == t.VARINT:
            return [Data(graph.call(NATIVE_CODECS[t.VARINT][0], self.numbers.whole(expr, at)))]
        raise Unsupported(f"{expr.op} as {cql_type}")

    def _elements(self, expr: Expr, element: CqlType, at: Scope) -> Node:
        inner, index = self._inside(at)
        pieces = self._cell(expr.args[1], element, inner, True)
        key = self._order(expr.args[1], element, inner) if expr.op == "set" else None
        return self.functions.repeated(at, Repeated(self._count(expr, at), index, pieces, key))

    def _pairs(self, expr: Expr, cql_type: t.MapType, at: Scope) -> Node:
        inner, index = self._inside(at)
        pieces = [
            *self._cell(expr.args[1], cql_type.key, inner, True),
            *self._cell(expr.args[2], cql_type.value, inner, True),
        ]
        key = self._order(expr.args[1], cql_type.key, inner)
        return self.functions.repeated(at, Repeated(self._count(expr, at), index, pieces, key))

    def _vector(self, expr: Expr, cql_type: t.VectorType, at: Scope) -> Pieces:
        if fixed_bytes(cql_type.element) is None or expr.args[0].op in ("maybe", "null"):
            raise Unsupported("elements of unequal size")
        inner, index = self._inside(at)
        pieces = self._value(expr.args[0], cql_type.element, inner)
        loop = Repeated(self.graph.constant(expr.data), index, pieces)
        return [Data(self.functions.repeated(at, loop, counted=False))]

    def _count(self, expr: Expr, at: Scope) -> Node:
        return not_negative(self.graph, self.numbers.whole(expr.args[0], at))

    def _inside(self, at: Scope) -> tuple[Scope, Node]:
        index = self.graph.element(len(at.elements))
        return at.inside(index), index

    def _order(self, expr: Expr, cql_type: CqlType, at: Scope) -> Pieces | Node:
        """What elements are ordered by."""
        if expr.op in ("maybe", "null"):
            raise Unsupported("an element that may be null")
        if cql_type in _BY_BYTES:
            return self._value(expr, cql_type, at)
        if cql_type in _WHOLE:
            return self.numbers.whole(expr, at)
        raise Unsupported(f"the order of {cql_type}")


def _uuid(made: Cells, expr: Expr, at: Scope) -> Pieces:
    graph = made.graph
    number = made.numbers.whole(expr.args[0], at)
    first = graph.mix(made.numbers.stream(expr.data + " first half"), number)
    second = graph.mix(made.numbers.stream(expr.data + " second half"), number)
    first = graph.bits("or", graph.bits("and", first, MASK ^ (0xF0 << 48)), 0x40 << 48)
    second = graph.bits("or", graph.bits("and", second, MASK ^ 0xC0), 0x80)
    return [Hole("W", first), Hole("W", second)]


def _timeuuid(made: Cells, expr: Expr, at: Scope) -> Pieces:
    graph = made.graph
    ms, number = [made.numbers.whole(arg, at) for arg in expr.args]
    ticks = graph.as_word(graph.add(graph.multiply(ms, 10_000), UUID_EPOCH_TICKS))
    low = graph.left(graph.bits("and", ticks, 0xFFFFFFFF), 32)
    middle = graph.left(graph.bits("and", graph.right(ticks, 32), 0xFFFF), 16)
    high = graph.bits("or", graph.bits("and", graph.right(ticks, 48), 0xFFF), 0x1000)
    second = graph.mix(made.numbers.stream(expr.data), number)
    second = graph.bits("or", graph.bits("and", second, MASK >> 2), 1 << 63)
    return [Hole("Q", graph.join(graph.join(low, middle), high)), Hole("Q", second)]


def _inet(made: Cells, expr: Expr, at: Scope) -> Pieces:
    graph = made.graph
    number = made.numbers.whole(expr.args[0], at)
    if expr.data == 4:
        return [Hole("I", graph.low_bits(number, 32))]
    return [bytes.fromhex("20010db800000000"), Hole("Q", graph.as_word(number))]


def _decimal(made: Cells, expr: Expr, at: Scope) -> Pieces:
    number = made.numbers.whole(expr.args[0], at)
    return [struct.pack(">i", expr.data), Data(made.graph.call(NATIVE_CODECS[t.VARINT][0], number))]


def _duration(made: Cells, expr: Expr, at: Scope) -> Pieces:
    encode = NATIVE_CODECS[t.DURATION][0]
    parts = [made.numbers.whole(arg, at) for arg in expr.args]
    return [Data(made.graph.call(lambda *value: encode(value), *parts))]


_OTHERS: dict[tuple[CqlType, str], Callable[[Cells, Any, Scope], Pieces]] = {
    (t.UUID, "uuid"): _uuid,
    (t.UUID, "timeuuid"): _timeuuid,
    (t.TIMEUUID, "timeuuid"): _timeuuid,
    (t.UUID, "const"): lambda made, expr, at: [UUID(expr.data).bytes],
    (t.TIMEUUID, "const"): lambda made, expr, at: [UUID(expr.data).bytes],
    (t.INET, "inet"): _inet,
    (t.DECIMAL, "decimal"): _decimal,
    (t.DURATION, "duration"): _duration,
}
