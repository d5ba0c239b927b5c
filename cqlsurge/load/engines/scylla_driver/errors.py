"""The driver's exceptions as error classes."""

from __future__ import annotations

from cassandra import (
    AuthenticationFailed,
    CDCWriteFailure,
    FunctionFailure,
    OperationTimedOut,
    RateLimitReached,
    ReadFailure,
    ReadTimeout,
    RequestValidationException,
    Unauthorized,
    Unavailable,
    WriteFailure,
    WriteTimeout,
)
from cassandra.cluster import NoHostAvailable
from cassandra.connection import ConnectionBusy, ConnectionException
from cassandra.pool import NoConnectionsAvailable
from cassandra.protocol import ErrorMessage

from cqlsurge.load.outcomes.classes import (
    CLIENT_TIMEOUT,
    CONNECTION,
    INVALID,
    PROTOCOL,
    RATE_LIMITED,
    SERVER_TIMEOUT,
    UNAUTHORIZED,
    UNAVAILABLE,
    UNKNOWN,
    class_of_code,
    outcome_of,
)

# The first match counts: some are special cases of later ones. Codes: native_protocol_v4.spec, section 9.
_CLASSES: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    ((OperationTimedOut,), CLIENT_TIMEOUT),
    ((Unavailable,), UNAVAILABLE),
    ((ReadTimeout, WriteTimeout), SERVER_TIMEOUT),
    ((ReadFailure,), class_of_code(0x1300)),
    ((WriteFailure,), class_of_code(0x1500)),
    ((FunctionFailure,), class_of_code(0x1400)),
    ((CDCWriteFailure,), class_of_code(0x1600)),
    ((RateLimitReached,), RATE_LIMITED),
    ((Unauthorized, AuthenticationFailed), UNAUTHORIZED),
    ((RequestValidationException,), INVALID),
    ((ConnectionException, ConnectionBusy, NoConnectionsAvailable, OSError), CONNECTION),
)


def class_of(error: BaseException) -> str:
    """The class of an error that the driver gave; `protocol` for one that it should not give."""
    if isinstance(error, ErrorMessage):
        return class_of_code(error.code)
    if isinstance(error, NoHostAvailable):
        return _class_of_all(list(error.errors.values()))
    return next((name for types, name in _CLASSES if isinstance(error, types)), PROTOCOL)


def _class_of_all(causes: list[BaseException]) -> str:
    """One class for what each node said or failed to say: what a node said first, and of that what leaves doubt."""
    classes = [class_of(cause) for cause in causes]
    said = [name for name in classes if name != CONNECTION]
    doubtful = [name for name in said if outcome_of(name, writes=True) == UNKNOWN]
    return next(iter(doubtful or said), CONNECTION)


def never_sent(error: BaseException) -> bool:
    """Whether the request surely reached no node, where no retry policy had it sent twice."""
    return (
        isinstance(error, (NoHostAvailable, ConnectionBusy, NoConnectionsAvailable)) and class_of(error) == CONNECTION
    )


def is_busy(error: BaseException) -> bool:
    """Whether nodes are there, but their sockets take no more just now: nothing was sent, and nothing is broken."""
    causes = error.errors.values() if isinstance(error, NoHostAvailable) else ()
    return any(isinstance(cause, (ConnectionBusy, NoConnectionsAvailable)) for cause in causes)


def node_of(error: BaseException) -> str:
    """The address of the node that an error is about, where the driver tells."""
    if isinstance(error, OperationTimedOut) and error.last_host is not None:
        return str(error.last_host.address)
    if isinstance(error, ConnectionException) and error.endpoint is not None:
        return str(getattr(error.endpoint, "address", error.endpoint))
    return ""
