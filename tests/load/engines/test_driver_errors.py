"""scylla-driver's exceptions as error classes.

How: with exceptions of the driver's own types, as it raises them; server errors are made from their wire form's fields.
"""

from __future__ import annotations

import pytest
from cassandra import (
    ConsistencyLevel,
    InvalidRequest,
    OperationTimedOut,
    ReadTimeout,
    Unauthorized,
    Unavailable,
    WriteFailure,
    WriteTimeout,
)
from cassandra.cluster import NoHostAvailable
from cassandra.connection import ConnectionBusy, ConnectionException, ConnectionShutdown
from cassandra.protocol import OverloadedErrorMessage, ServerError, SyntaxException

from cqlsurge.load.engines.scylla_driver.errors import class_of, is_busy, never_sent

DOWN = ConnectionException("Host has been marked down or removed")
UNAVAILABLE = Unavailable("no", consistency=ConsistencyLevel.THREE, required_replicas=3, alive_replicas=1)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OperationTimedOut(), "client_timeout"),
        (UNAVAILABLE, "unavailable"),
        (WriteTimeout("slow", write_type=0), "server_timeout"),
        (ReadTimeout("slow", data_retrieved=False), "server_timeout"),
        (WriteFailure("broken", write_type=0), "code_0x1500"),
        (Unauthorized("no"), "unauthorized"),
        (InvalidRequest("no table"), "invalid"),
        (OverloadedErrorMessage(0x1001, "busy", None), "overloaded"),
        (SyntaxException(0x2000, "what", None), "invalid"),
        (ServerError(0x0000, "bug", None), "code_0x0000"),
        (ConnectionShutdown("gone"), "connection"),
        (NoHostAvailable("none", {"a": DOWN}), "connection"),
        (NoHostAvailable("none", {}), "connection"),
        (ValueError("not an answer"), "protocol"),
    ],
)
def test_classes(error: Exception, expected: str) -> None:
    assert class_of(error) == expected


def test_what_nodes_said_counts_more_than_that_others_are_down() -> None:
    assert class_of(NoHostAvailable("", {"a": DOWN, "b": UNAVAILABLE})) == "unavailable"
    # One node refused, another may have written: what leaves doubt counts.
    doubt = NoHostAvailable("", {"a": UNAVAILABLE, "b": WriteTimeout("slow", write_type=0)})
    assert class_of(doubt) == "server_timeout"


def test_what_was_never_sent() -> None:
    assert never_sent(NoHostAvailable("", {"a": DOWN}))
    assert not never_sent(NoHostAvailable("", {"a": DOWN, "b": UNAVAILABLE}))
    assert not never_sent(ConnectionShutdown("gone"))
    assert not never_sent(OperationTimedOut())


def test_a_full_socket_is_no_failure() -> None:
    assert is_busy(NoHostAvailable("", {"a": ConnectionBusy("full")}))
    assert not is_busy(NoHostAvailable("", {"a": DOWN}))
    assert not is_busy(DOWN)
