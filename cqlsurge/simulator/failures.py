"""ERROR answers: of statements that cannot be done, of replicas that are down, and those asked for on command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cqlsurge.load.cql import requests as q
from cqlsurge.load.cql import server_errors as e
from cqlsurge.load.cql.primitives import Consistency

if TYPE_CHECKING:
    from cqlsurge.load.cql.requests import Request
    from cqlsurge.load.cql.server_errors import Details
    from cqlsurge.simulator.features import Features
    from cqlsurge.simulator.schema import SchemaError

_WRITE_TYPES = {
    q.BatchType.LOGGED: "BATCH",
    q.BatchType.UNLOGGED: "UNLOGGED_BATCH",
    q.BatchType.COUNTER: "COUNTER",
}
_CODES = {"invalid": e.INVALID, "config": e.CONFIG_ERROR}


class Unavailable(Exception):
    """Too few replicas are up for the consistency asked for."""

    def __init__(self, consistency: Consistency, required: int, alive: int) -> None:
        super().__init__(f"Cannot achieve consistency level for cl {consistency.name}")
        details = e.UnavailableDetails(consistency, required, alive)
        self.response = e.ErrorResponse(e.UNAVAILABLE, f"{self}. Requires {required}, alive {alive}", details)


def schema_error(error: SchemaError) -> e.ErrorResponse:
    if error.kind == "exists":
        return e.ErrorResponse(e.ALREADY_EXISTS, str(error), e.AlreadyExistsDetails(error.keyspace, error.table))
    return e.ErrorResponse(_CODES[error.kind], str(error))


def unprepared(statement_id: bytes) -> e.ErrorResponse:
    text = f"Prepared query with ID {statement_id.hex()} not found (either the query was not prepared on this host)"
    return e.ErrorResponse(e.UNPREPARED, text, e.UnpreparedDetails(statement_id))


def error_response(code: int, request: Request, operation: str, features: Features) -> e.ErrorResponse:
    """An ERROR of this code as if it had come of this request."""
    consistency = Consistency.ONE
    if isinstance(request, (q.Query, q.Execute)):
        consistency = request.parameters.consistency
    elif isinstance(request, q.Batch):
        consistency = request.consistency
    if code == e.SCYLLA_RATE_LIMIT_ERROR:
        # Clients that did not ask for the extension get what ScyllaDB gives them.
        if not features.rate_limit:
            return e.ErrorResponse(e.CONFIG_ERROR, "Per partition rate limit reached (simulated)")
        limited = e.RateLimitDetails(0 if operation == "read" else 1, True)
        return e.ErrorResponse(code, "Per partition rate limit reached (simulated)", limited)
    return e.ErrorResponse(code, f"simulated error 0x{code:04X}", _details(code, request, consistency))


def _details(code: int, request: Request, consistency: Consistency) -> Details | None:
    write_type = _WRITE_TYPES[request.type] if isinstance(request, q.Batch) else "SIMPLE"
    known: dict[int, Details] = {
        e.UNAVAILABLE: e.UnavailableDetails(consistency, 2, 1),
        e.WRITE_TIMEOUT: e.WriteTimeoutDetails(consistency, 0, 1, write_type),
        e.READ_TIMEOUT: e.ReadTimeoutDetails(consistency, 0, 1, False),
        e.READ_FAILURE: e.ReadFailureDetails(consistency, 0, 1, 1, False),
        e.WRITE_FAILURE: e.WriteFailureDetails(consistency, 0, 1, 1, write_type),
        e.FUNCTION_FAILURE: e.FunctionFailureDetails("simulated", "function", ("int",)),
        e.CAS_WRITE_UNKNOWN: e.CasWriteUnknownDetails(consistency, 0, 1),
        e.ALREADY_EXISTS: e.AlreadyExistsDetails("simulated", "table"),
        e.UNPREPARED: e.UnpreparedDetails(request.statement_id if isinstance(request, q.Execute) else bytes(16)),
    }
    return known.get(code)
