"""Uuids, dates and times, addresses, decimals."""

from __future__ import annotations

import datetime
from uuid import UUID

from cqlsurge.load.workload.expressions import Expr, const
from cqlsurge.workload.calls import Call
from cqlsurge.workload.generators.form import Generator
from cqlsurge.workload.names import RangeExpr

_EPOCH_DAY = datetime.date(1970, 1, 1).toordinal()
_DAY_MS = 86_400_000
#: 2026-01-01, where numbers begin to be times
START_DAY = datetime.date(2026, 1, 1).toordinal() - _EPOCH_DAY


def number_of(call: Call, at: int) -> Expr:
    """An argument as a whole number; a range draws one."""
    found = call.built(at)
    if isinstance(found, RangeExpr):
        low, high = call.range(at)
        return Expr("range", "int", (call.word(),), (low, high - low + 1))
    return call.integer(at)


def uuid(call: Call) -> Expr:
    """uuid(x), uuid('...'), uuid()."""
    call.count(0, 1, "uuid(p), or uuid() for a random one")
    if call.args:
        given = call.expr(0)
        if given.kind == "text" and given.op == "const":
            try:
                return const(str(UUID(given.data)), "uuid")
            except ValueError:
                call.fail(f"{given.data!r} is no uuid", call.args[0])
        number = call.integer(0)
    else:
        number = Expr("range", "int", (call.word(),), (0, 1 << 62))
    return Expr("uuid", "uuid", (number,), call.stream())


def timeuuid(call: Call) -> Expr:
    """timeuuid(x): of the x-th millisecond from 2026 on; timeuuid(a_timestamp, x)."""
    call.count(0, 2, "timeuuid(p): one for each p, in their order; timeuuid(at, p): of a time, told apart by p")
    number = call.integer(0) if call.args else Expr("range", "int", (call.word(),), (0, 1 << 40))
    if number.kind == "timestamp":
        other = call.integer(1) if len(call.args) > 1 else number
        return Expr("timeuuid", "timeuuid", (number, other), call.stream())
    ms = call.builder.made("add", "int", number, const(START_DAY * _DAY_MS))
    return Expr("timeuuid", "timeuuid", (ms, number), call.stream())


def date(call: Call) -> Expr:
    """date('2026-01-01'), date(days), date(a_timestamp)."""
    call.count(1, 1, "date('2026-01-01'), or date(days since 1970)")
    given = call.built(0)
    if isinstance(given, Expr) and given.kind == "text":
        if given.op != "const":
            call.fail("a date is written date('2026-01-01')", call.args[0])
        try:
            return const(datetime.date.fromisoformat(given.data).toordinal() - _EPOCH_DAY, "date")
        except ValueError as error:
            call.fail(f"{given.data!r} is no date: {error}", call.args[0])
    number = number_of(call, 0)
    if number.kind == "timestamp":
        return call.builder.made("floordiv", "date", number, const(_DAY_MS))
    return call.builder.made("add", "date", number, const(0))


def timestamp(call: Call) -> Expr:
    """timestamp('2026-01-01 12:00'), timestamp(a_date), timestamp(ms)."""
    call.count(1, 1, "timestamp('2026-01-01T12:00'), timestamp(a_date), or timestamp(ms since 1970)")
    given = call.built(0)
    if isinstance(given, Expr) and given.kind == "text":
        if given.op != "const":
            call.fail("a time is written timestamp('2026-01-01T12:00')", call.args[0])
        try:
            moment = datetime.datetime.fromisoformat(given.data)
        except ValueError as error:
            call.fail(f"{given.data!r} is no time: {error}", call.args[0])
        moment = moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
        since = moment - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
        return const(since // datetime.timedelta(milliseconds=1), "timestamp")
    number = number_of(call, 0)
    if number.kind == "date":
        return call.builder.made("mul", "timestamp", number, const(_DAY_MS))
    return call.builder.made("add", "timestamp", number, const(0))


def time(call: Call) -> Expr:
    """time('12:30:00'), time(ns), time()."""
    call.count(0, 1, "time('12:30'), time(nanoseconds since midnight), or time() for a random one")
    day_ns = _DAY_MS * 1_000_000
    if not call.args:
        return Expr("range", "time", (call.word(),), (0, day_ns))
    given = call.built(0)
    if isinstance(given, Expr) and given.kind == "text":
        try:
            at = datetime.time.fromisoformat(str(given.data))
        except ValueError as error:
            call.fail(f"{given.data!r} is no time of day: {error}", call.args[0])
        return const(((at.hour * 60 + at.minute) * 60 + at.second) * 1_000_000_000 + at.microsecond * 1000, "time")
    return call.builder.made("mod", "time", number_of(call, 0), const(day_ns))


def duration(call: Call) -> Expr:
    """duration(months, days, ns)."""
    call.count(3, 3, "duration(months, days, nanoseconds), all of one sign")
    return Expr("duration", "duration", tuple(number_of(call, at) for at in range(3)))


def inet(call: Call) -> Expr:
    """inet(), inet(x)."""
    call.count(0, 1, "inet() for a random IPv4 address, inet(x) for one of each x, inet('10.0.0.1')")
    if call.args:
        given = call.built(0)
        if isinstance(given, Expr) and given.kind == "text":
            import ipaddress

            try:
                return const(str(ipaddress.ip_address(str(given.data))), "inet")
            except ValueError:
                call.fail(f"{given.data!r} is no address", call.args[0])
    number = (
        number_of(call, 0) if call.args else Expr("range", "int", (call.word(),), (1 << 24, 0xDF000000 - (1 << 24)))
    )
    return Expr("inet", "inet", (number,), 4)


def inet6(call: Call) -> Expr:
    """inet6(), inet6(x)."""
    call.count(0, 1, "inet6() for a random IPv6 address, inet6(x) for one of each x")
    number = number_of(call, 0) if call.args else Expr("range", "int", (call.word(),), (0, 1 << 63))
    return Expr("inet", "inet", (number,), 6)


def decimal(call: Call) -> Expr:
    """decimal(a..b, scale)."""
    call.count(1, 2, "decimal(1..100k, 2): 0.01 to 1000.00")
    scale = call.whole(1) if len(call.args) > 1 else 0
    if not -1000 <= scale <= 1000:
        call.fail(f"{scale} digits behind the point; from -1000 to 1000", call.args[1])
    return Expr("decimal", "decimal", (number_of(call, 0),), scale)


def varint(call: Call) -> Expr:
    """varint(bytes)."""
    call.count(1, 1, "varint(20): a whole number of 20 bytes")
    size = call.whole(0)
    if not 1 <= size <= 1000:
        call.fail(f"{size} bytes; from 1 to 1000", call.args[0])
    return Expr("varint", "varint", (call.word(),), size)


TIMES = (
    Generator("uuid", "uuid(x)", "a uuid (version 4) for each number x; uuid() a random one", "uuid(p)", uuid),
    Generator("timeuuid", "timeuuid(x) or timeuuid(at, x)", "a timeuuid for each x, in their order, 1 ms apart from "
              "2026 on; or of a timestamp", "timeuuid(p)", timeuuid),
    Generator("date", "date('2026-01-01') or date(days)", "a date; + adds days", "date('2026-01-01') + p % 7", date),
    Generator("time", "time('12:30') or time()", "a time of day; + adds nanoseconds", "time()", time),
    Generator("timestamp", "timestamp('2026-01-01T12:00') or timestamp(a_date)", "a point in time; + adds milliseconds",
              "timestamp('2026-01-01') + r * 1000", timestamp),
    Generator("duration", "duration(months, days, ns)", "a duration; its parts may be ranges", "duration(0, 1..30, 0)",
              duration),
    Generator("inet", "inet() or inet(x)", "an IPv4 address", "inet()", inet),
    Generator("inet6", "inet6() or inet6(x)", "an IPv6 address", "inet6(p)", inet6),
    Generator("decimal", "decimal(a..b, scale)", "a decimal: a whole number, so many of its digits behind the point",
              "decimal(1..100k, 2)", decimal),
    Generator("varint", "varint(n)", "a whole number of n bytes, of either sign", "varint(20)", varint),
)  # fmt: skip
