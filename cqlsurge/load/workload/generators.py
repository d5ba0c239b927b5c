"""What generators give: texts, uuids, addresses, numbers of other bases, collections. See `interpreter.py`."""

from __future__ import annotations

import decimal
import ipaddress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Callable
from uuid import UUID

from cqlsurge.load.cql.primitives import UNSET
from cqlsurge.load.cql.type_names import parse_type
from cqlsurge.load.workload.cassandra_stress import cell_bytes, cells_seed, key_bytes
from cqlsurge.load.workload.collation import sort_key
from cqlsurge.load.workload.helpers import Words
from cqlsurge.load.workload.letters import spelled
from cqlsurge.load.workload.mixing import MASK
from cqlsurge.load.workload.vocabulary import PHRASE_WORDS, phrase_words, vocabulary_word

if TYPE_CHECKING:
    from cqlsurge.load.workload.expressions import Expr
    from cqlsurge.load.workload.interpreter import Context, Interpreter

#: 1582-10-15 to 1970-01-01 in ticks of 100 ns (RFC 9562, section 5.1)
UUID_EPOCH_TICKS = 0x01B21DD213814000
LEAST_TAGGED = 16


def _blob(run: Interpreter, expr: Expr, at: Context) -> bytes:
    """args: word, size; data: alphabet, stream of the tag or ""."""
    word, size = [run.evaluate(arg, at) for arg in expr.args]
    alphabet, tag = expr.data
    size = max(0, size)
    if tag and size >= LEAST_TAGGED:
        return run.tag(tag, at).to_bytes(8, "big") + run.piece(alphabet, word, size - 8)
    return run.piece(alphabet, word, size)


def _text(run: Interpreter, expr: Expr, at: Context) -> str:
    """As `blob`, with a tag of 16 hexadecimal digits."""
    word, size = [run.evaluate(arg, at) for arg in expr.args]
    alphabet, tag = expr.data
    size = max(0, size)
    if tag and size >= LEAST_TAGGED:
        return f"{run.tag(tag, at):016x}" + run.piece(alphabet, word, size - 16).decode()
    return run.piece(alphabet, word, size).decode()


def _letters(run: Interpreter, expr: Expr, at: Context) -> bytes | str:
    """args: a number, a word of it, size; data: alphabet. Letters of each number's own, the rest from the pool."""
    number, word, size = [run.evaluate(arg, at) for arg in expr.args]
    own = spelled(expr.data, number, max(0, size))
    found = own + run.piece(expr.data, word, max(0, size) - len(own))
    return found if expr.kind == "bytes" else found.decode()


def _stress_key(run: Interpreter, expr: Expr, at: Context) -> bytes:
    """args: a seed; data: size."""
    return key_bytes(run.evaluate(expr.args[0], at), expr.data)


def _stress_blob(run: Interpreter, expr: Expr, at: Context) -> bytes:
    """args: a seed; data: size of the key, salt of the column, size."""
    key_size, column_salt, size = expr.data
    return cell_bytes(cells_seed(key_bytes(run.evaluate(expr.args[0], at), key_size)), column_salt, size)


def _phrase(run: Interpreter, expr: Expr, at: Context) -> str:
    """args: word, number of words; data: vocabulary."""
    word, count = [run.evaluate(arg, at) for arg in expr.args]
    words = phrase_words(run.seed, expr.data)
    first = (word >> 20) & (PHRASE_WORDS - 1)
    return " ".join([words[(first + index) & (PHRASE_WORDS - 1)] for index in range(max(0, count))])


def _vocabulary(run: Interpreter, expr: Expr, at: Context) -> str:
    return vocabulary_word(expr.data, max(0, run.evaluate(expr.args[0], at)))


def _string(run: Interpreter, expr: Expr, at: Context) -> str:
    """data: "" as Python writes it, "0N" filled with zeros to N digits, "x" or "0Nx" in hexadecimal (unsigned)."""
    value = run.evaluate(expr.args[0], at)
    if expr.data:
        return format(value & MASK if expr.data.endswith("x") else value, expr.data)
    return str(value)


def _concat(run: Interpreter, expr: Expr, at: Context) -> str:
    return "".join([run.evaluate(arg, at) for arg in expr.args])


def _uuid(run: Interpreter, expr: Expr, at: Context) -> UUID:
    """A random-looking uuid (version 4) of a number, one of its own for each; data: the streams' name."""
    number = run.evaluate(expr.args[0], at)
    first = run.mixed(expr.data + " first half", number) & (MASK ^ (0xF0 << 48)) | 0x40 << 48
    second = run.mixed(expr.data + " second half", number) & (MASK ^ 0xC0) | 0x80
    return UUID(bytes=first.to_bytes(8, "little") + second.to_bytes(8, "little"))


def _timeuuid(run: Interpreter, expr: Expr, at: Context) -> UUID:
    """args: ms since 1970, a number that tells those of one ms apart; data: the stream of clock and node."""
    ms, number = [run.evaluate(arg, at) for arg in expr.args]
    ticks = (ms * 10_000 + UUID_EPOCH_TICKS) & ((1 << 60) - 1)
    high = (ticks >> 48) & 0xFFF | 0x1000
    first = (ticks & 0xFFFFFFFF) << 32 | ((ticks >> 32) & 0xFFFF) << 16 | high
    second = run.mixed(expr.data, number) & (MASK >> 2) | 1 << 63
    return UUID(int=first << 64 | second)


def _inet(run: Interpreter, expr: Expr, at: Context) -> str:
    """data: 4, the low 32 bits as an address; 6, behind 2001:db8::/64."""
    number = run.evaluate(expr.args[0], at)
    if expr.data == 4:
        return str(ipaddress.IPv4Address(number & 0xFFFFFFFF))
    return str(ipaddress.IPv6Address(0x20010DB8 << 96 | number & MASK))


def _decimal(run: Interpreter, expr: Expr, at: Context) -> decimal.Decimal:
    """An unscaled integer; data: how many of its digits stand behind the point."""
    number = run.evaluate(expr.args[0], at)
    sign, digits, _ = decimal.Decimal(number).as_tuple()
    return decimal.Decimal((sign, digits, -expr.data))


def _varint(run: Interpreter, expr: Expr, at: Context) -> int:
    """args: word; data: bytes, of which the sign is the first bit."""
    return int.from_bytes(run.piece("bytes", run.evaluate(expr.args[0], at), expr.data), "big", signed=True)


def _duration(run: Interpreter, expr: Expr, at: Context) -> tuple[int, ...]:
    return tuple([run.evaluate(arg, at) for arg in expr.args])


def _elements(run: Interpreter, expr: Expr, at: Context, count: int) -> list[Any]:
    around = [replace(at, elements=(*at.elements, index)) for index in range(max(0, count))]
    return [_set(run.evaluate(expr, one)) for one in around]


def _set(value: Any) -> Any:
    """Inside another value nothing can be left alone."""
    return None if value is UNSET else value


def _list(run: Interpreter, expr: Expr, at: Context) -> list[Any]:
    """args: count, element."""
    return _elements(run, expr.args[1], at, run.evaluate(expr.args[0], at))


def _set_of(run: Interpreter, expr: Expr, at: Context) -> list[Any]:
    """As `list`, in the server's order, each once; data: the element's type."""
    key = sort_key(parse_type(expr.data, run.user_types))
    found: dict[Any, Any] = {}
    for value in _list(run, expr, at):
        found.setdefault(_hashable(key(value)), value)
    return [found[one] for one in sorted(found)]


def _map(run: Interpreter, expr: Expr, at: Context) -> list[tuple[Any, Any]]:
    """args: count, key, value: pairs in the server's order of keys, the first of equal keys; data: the key's type."""
    count = run.evaluate(expr.args[0], at)
    key = sort_key(parse_type(expr.data, run.user_types))
    found: dict[Any, Any] = {}
    pairs = zip(_elements(run, expr.args[1], at, count), _elements(run, expr.args[2], at, count))
    for one, value in pairs:
        found.setdefault(_hashable(key(one)), (one, value))
    return [found[one] for one in sorted(found)]


def _hashable(key: Any) -> Any:
    return tuple([_hashable(one) for one in key]) if isinstance(key, (list, tuple)) else key


def _tuple(run: Interpreter, expr: Expr, at: Context) -> tuple[Any, ...]:
    """A tuple, or the fields of a user type in their order."""
    return tuple([_set(run.evaluate(arg, at)) for arg in expr.args])


def _vector(run: Interpreter, expr: Expr, at: Context) -> list[Any]:
    """args: element; data: dimension."""
    return _elements(run, expr.args[0], at, expr.data)


def _maybe(run: Interpreter, expr: Expr, at: Context) -> Any:
    """args: word, value; data: below what 53-bit number the value is there."""
    return run.evaluate(expr.args[1], at) if run.evaluate(expr.args[0], at) >> 11 < expr.data else UNSET


def _null(run: Interpreter, expr: Expr, at: Context) -> Any:
    """args: word, value; data: below what 53-bit number it is null."""
    return None if run.evaluate(expr.args[0], at) >> 11 < expr.data else run.evaluate(expr.args[1], at)


def _call(run: Interpreter, expr: Expr, at: Context) -> Any:
    """A function of the helper file; data: its name."""
    return run.functions[expr.data](*[run.evaluate(arg, at) for arg in expr.args])


def _column_function(run: Interpreter, expr: Expr, at: Context) -> Any:
    """A column's function in Python, of p, r, v and words of its own; data: its name, the stream of the words."""
    name, stream = expr.data
    return run.functions[name](at.p, at.r, at.v, Words(run.seed, stream, at.p, at.r, at.v))


def _value(run: Interpreter, expr: Expr, at: Context) -> Any:
    """args: index, going round; data: which list of values."""
    values = run.values[expr.data]
    return values[run.evaluate(expr.args[0], at) % len(values)]


def _at_row(run: Interpreter, expr: Expr, at: Context) -> Any:
    """args: a word, a tree: the tree's value in another row of the partition; data: the table."""
    row = (run.evaluate(expr.args[0], at) >> 1) % max(1, run.row_counts[expr.data](at.p))
    return run.evaluate(expr.args[1], replace(at, r=row))


Generate = Callable[["Interpreter", "Expr", "Context"], Any]

GENERATORS: dict[str, Generate] = {
    "blob": _blob,
    "text": _text,
    "letters": _letters,
    "cassandra_stress_key": _stress_key,
    "cassandra_stress_blob": _stress_blob,
    "phrase": _phrase,
    "vocabulary": _vocabulary,
    "string": _string,
    "concat": _concat,
    "uuid": _uuid,
    "timeuuid": _timeuuid,
    "inet": _inet,
    "decimal": _decimal,
    "varint": _varint,
    "duration": _duration,
    "list": _list,
    "set": _set_of,
    "map": _map,
    "tuple": _tuple,
    "udt": _tuple,
    "vector": _vector,
    "maybe": _maybe,
    "null": _null,
    "call": _call,
    "column_function": _column_function,
    "value": _value,
    "at_row": _at_row,
}
