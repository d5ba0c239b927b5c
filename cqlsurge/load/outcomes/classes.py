"""Error classes, and what an error says about the fate of its operation.

Codes: CQL native protocol v4 specification, section 9; ScyllaDB's rate limit code is negotiated (SUPPORTED). A write
whose fate is not known is `unknown`, a read that gave nothing is `failed` (the three outcomes of Jepsen's clients).
"""

from __future__ import annotations

CLIENT_TIMEOUT = "client_timeout"
SERVER_TIMEOUT = "server_timeout"
UNAVAILABLE = "unavailable"
OVERLOADED = "overloaded"
RATE_LIMITED = "rate_limited"
CONNECTION = "connection"
UNPREPARED = "unprepared"
BOOTSTRAPPING = "bootstrapping"
INVALID = "invalid"
UNAUTHORIZED = "unauthorized"
PROTOCOL = "protocol"
MISSING = "missing"
WRONG = "wrong"
NOT_APPLIED = "not_applied"

CLASSES = (
    CLIENT_TIMEOUT,
    SERVER_TIMEOUT,
    UNAVAILABLE,
    OVERLOADED,
    RATE_LIMITED,
    CONNECTION,
    UNPREPARED,
    BOOTSTRAPPING,
    INVALID,
    UNAUTHORIZED,
    PROTOCOL,
    MISSING,
    WRONG,
    NOT_APPLIED,
)

OK = "ok"
FAILED = "failed"
UNKNOWN = "unknown"

_BY_CODE = {
    0x000A: PROTOCOL,
    0x0100: UNAUTHORIZED,
    0x1000: UNAVAILABLE,
    0x1001: OVERLOADED,
    0x1002: BOOTSTRAPPING,
    0x1100: SERVER_TIMEOUT,
    0x1200: SERVER_TIMEOUT,
    0x2000: INVALID,
    0x2100: UNAUTHORIZED,
    0x2200: INVALID,
    0x2300: INVALID,
    0x2400: INVALID,
    0x2500: UNPREPARED,
}

# The server refused before it did anything, or a condition did not hold: the write did not happen.
_REFUSED = frozenset(
    [UNAVAILABLE, RATE_LIMITED, UNPREPARED, BOOTSTRAPPING, INVALID, UNAUTHORIZED, PROTOCOL, NOT_APPLIED]
)


def class_of_code(code: int, rate_limit_code: int | None = None) -> str:
    """The class of a server's error code; codes without a class of their own are `code_0xNNNN`."""
    if rate_limit_code is not None and code == rate_limit_code:
        return RATE_LIMITED
    return _BY_CODE.get(code) or f"code_0x{code & 0xFFFFFFFF:04X}"


def outcome_of(error_class: str, *, writes: bool, sent: bool = True) -> str:
    """`failed` where the operation surely had no effect (or was a read), else `unknown`."""
    return UNKNOWN if writes and sent and error_class not in _REFUSED else FAILED
