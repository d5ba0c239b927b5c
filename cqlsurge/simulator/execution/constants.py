"""Constants of CQL text as Python values of a column's type."""

from __future__ import annotations

import datetime
import decimal
import math
import re
import uuid
from typing import TYPE_CHECKING, Any

from cqlsurge.load.cql import types as t
from cqlsurge.simulator.schema import SchemaError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cqlsurge.load.cql.types import CqlType
    from cqlsurge.simulator.cql.ast import Literal

_WHOLE = {t.TINYINT, t.SMALLINT, t.INT, t.BIGINT, t.COUNTER, t.VARINT}
_TIME = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?")
_UTC = datetime.timezone.utc  # noqa: UP017 (the null server runs on PyPy 3.9 too)
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=_UTC)


def constant(literal: Literal, cql_type: CqlType) -> Any:
    """The value of a literal. SchemaError where the type takes no such literal."""
    if literal.kind == "null":
        return None
    reader = _READERS.get(literal.kind)
    try:
        if reader is not None:
            return reader(literal.value, cql_type)
    except (ValueError, decimal.InvalidOperation, OverflowError):
        pass
    raise SchemaError(f"Invalid {literal.kind} constant ({literal.value}) for a value of type {cql_type}")


def _string(text: str, cql_type: CqlType) -> Any:
    if cql_type in (t.TEXT, t.ASCII, t.INET):
        return text
    if cql_type == t.TIMESTAMP:
        return _timestamp_ms(text)
    if cql_type == t.DATE:
        return (datetime.date.fromisoformat(text) - datetime.date(1970, 1, 1)).days
    if cql_type == t.TIME:
        return _time_ns(text)
    raise ValueError(text)


def _timestamp_ms(text: str) -> int:
    text = re.sub(r"([+-]\d\d)(\d\d)$", r"\1:\2", text.replace("Z", "+00:00"))
    moment = datetime.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=_UTC)
    return (moment - _EPOCH) // datetime.timedelta(milliseconds=1)


def _time_ns(text: str) -> int:
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(text)
    hours, minutes, seconds = int(match[1]), int(match[2]), int(match[3])
    return ((hours * 60 + minutes) * 60 + seconds) * 1_000_000_000 + int((match[4] or "").ljust(9, "0"))


def _number(text: str, cql_type: CqlType) -> Any:
    if cql_type in _WHOLE or cql_type in (t.TIMESTAMP, t.TIME):
        return int(text)
    if cql_type == t.DATE:
        # A bare number counts from the smallest date, as the wire does.
        return int(text) - (1 << 31)
    return _float(text, cql_type)


def _float(text: str, cql_type: CqlType) -> Any:
    if cql_type in (t.FLOAT, t.DOUBLE):
        return {"nan": math.nan, "infinity": math.inf}.get(text) or float(text)
    if cql_type == t.DECIMAL:
        return decimal.Decimal(text)
    raise ValueError(text)


def _blob(text: str, cql_type: CqlType) -> bytes:
    if cql_type != t.BLOB:
        raise ValueError(text)
    return bytes.fromhex(text[2:])


def _uuid(text: str, cql_type: CqlType) -> uuid.UUID:
    if cql_type not in (t.UUID, t.TIMEUUID):
        raise ValueError(text)
    return uuid.UUID(text)


def _bool(value: bool, cql_type: CqlType) -> bool:
    if cql_type != t.BOOLEAN:
        raise ValueError(value)
    return value


_NANOSECONDS = {
    "h": 3_600_000_000_000, "m": 60_000_000_000, "s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "µs": 1_000, "ns": 1,
}  # fmt: skip


def _duration(text: str, cql_type: CqlType) -> tuple[int, int, int]:
    if cql_type != t.DURATION:
        raise ValueError(text)
    sign = -1 if text.startswith("-") else 1
    months = days = nanoseconds = 0
    for count, unit in re.findall(r"([0-9]+)(mo|ms|us|µs|ns|[ywdhms])", text.lower()):
        if unit in ("y", "mo"):
            months += int(count) * (12 if unit == "y" else 1)
        elif unit in ("w", "d"):
            days += int(count) * (7 if unit == "w" else 1)
        else:
            nanoseconds += int(count) * _NANOSECONDS[unit]
    return sign * months, sign * days, sign * nanoseconds


_READERS: dict[str, Callable[[Any, CqlType], Any]] = {
    "string": _string,
    "number": _number,
    "float": _float,
    "blob": _blob,
    "uuid": _uuid,
    "bool": _bool,
    "duration": _duration,
}
