"""One or more examples of every message and type, shared by the tests, the fuzz target and the benchmark."""

from __future__ import annotations

import decimal
import uuid

from cqlsurge.load.cql import types as t
from cqlsurge.load.cql.events import ClientRoutesChange, SchemaChangeEvent, StatusChange, TopologyChange
from cqlsurge.load.cql.natives import Duration
from cqlsurge.load.cql.primitives import UNSET, Consistency, Endpoint
from cqlsurge.load.cql.requests import (
    AuthResponse,
    Batch,
    BatchStatement,
    BatchType,
    Execute,
    Options,
    Prepare,
    Query,
    QueryParameters,
    Register,
    Startup,
)
from cqlsurge.load.cql.responses import AuthChallenge, Authenticate, AuthSuccess, Ready, Supported
from cqlsurge.load.cql.results import Column, Prepared, Rows, SchemaChangeResult, SetKeyspace, Void
from cqlsurge.load.cql.schema_change import SchemaChange
from cqlsurge.load.cql.server_errors import (
    ALREADY_EXISTS,
    BAD_CREDENTIALS,
    CAS_WRITE_UNKNOWN,
    CDC_WRITE_FAILURE,
    CONFIG_ERROR,
    FUNCTION_FAILURE,
    INVALID,
    IS_BOOTSTRAPPING,
    OVERLOADED,
    PROTOCOL_ERROR,
    READ_FAILURE,
    READ_TIMEOUT,
    SCYLLA_RATE_LIMIT_ERROR,
    SERVER_ERROR,
    SYNTAX_ERROR,
    TRUNCATE_ERROR,
    UNAUTHORIZED,
    UNAVAILABLE,
    UNPREPARED,
    WRITE_FAILURE,
    WRITE_TIMEOUT,
    AlreadyExistsDetails,
    CasWriteUnknownDetails,
    ErrorResponse,
    FunctionFailureDetails,
    RateLimitDetails,
    ReadFailureDetails,
    ReadTimeoutDetails,
    UnavailableDetails,
    UnpreparedDetails,
    WriteFailureDetails,
    WriteTimeoutDetails,
)

STATEMENT_ID = bytes(range(16))
ADDRESS = t.UserType("shop", "address", (("street", t.TEXT), ("numbers", t.SetType(t.INT))))
A_UUID = uuid.UUID("b54a8c2e-8a1c-4f7e-9e6d-0123456789ab")
A_TIMEUUID = uuid.UUID("2d3c1e80-0000-11ee-8000-0123456789ab")

# type, some value, its cell in hex
VALUES = [
    (t.ASCII, "abc", "616263"),
    (t.BIGINT, -2, "fffffffffffffffe"),
    (t.BLOB, b"\x00\xff", "00ff"),
    (t.BOOLEAN, True, "01"),
    (t.COUNTER, 7, "0000000000000007"),
    (t.DATE, -1, "7fffffff"),
    (t.DECIMAL, decimal.Decimal("-12.5"), "0000000183"),
    (t.DOUBLE, 1.5, "3ff8000000000000"),
    (t.DURATION, Duration(1, 2, 3_600_000_000_000), "0204fc068c61714000"),
    (t.FLOAT, -0.5, "bf000000"),
    (t.INET, "127.0.0.1", "7f000001"),
    (t.INET, "2001:db8::1", "20010db8000000000000000000000001"),
    (t.INT, 258, "00000102"),
    (t.SMALLINT, -2, "fffe"),
    (t.TEXT, "h\u00e9", "68c3a9"),
    (t.TEXT, "", ""),
    (t.TIME, 1, "0000000000000001"),
    (t.TIMESTAMP, -1, "ffffffffffffffff"),
    (t.TIMEUUID, A_TIMEUUID, A_TIMEUUID.hex),
    (t.TINYINT, -1, "ff"),
    (t.UUID, A_UUID, A_UUID.hex),
    (t.VARINT, 128, "0080"),
    (t.VARINT, -128, "80"),
    (t.VARINT, 0, "00"),
    (t.ListType(t.INT), [1, None], "000000020000000400000001ffffffff"),
    (t.SetType(t.TEXT), {"a"}, "000000010000000161"),
    (t.MapType(t.TEXT, t.TINYINT), {"a": 5}, "0000000100000001610000000105"),
    (t.TupleType((t.INT, t.TEXT)), (1, None), "0000000400000001ffffffff"),
    (ADDRESS, {"street": "x", "numbers": {3}}, "00000001780000000c000000010000000400000003"),
    (t.VectorType(t.FLOAT, 2), [1.0, -2.0], "3f800000c0000000"),
    (t.VectorType(t.TEXT, 2), ["a", "bc"], "0161026263"),
    (t.CustomType("com.example.Odd"), b"\x01", "01"),
]

COLUMNS = tuple(Column("shop", "things", f"c{number}", of) for number, (of, _, _) in enumerate(VALUES))
MIXED_TABLES = (Column("shop", "a", "x", t.INT), Column("shop", "b", "y", t.ListType(ADDRESS)))
ROW = tuple(bytes.fromhex(cell) for _, _, cell in VALUES)

FULL_PARAMETERS = QueryParameters(
    Consistency.LOCAL_QUORUM,
    values=(b"k", None, UNSET, b""),
    names=("a", "b", "c", "d"),
    skip_metadata=True,
    page_size=100,
    paging_state=b"\x01\x02",
    serial_consistency=Consistency.LOCAL_SERIAL,
    timestamp_us=1_700_000_000_000_000,
)

REQUESTS = [
    Startup(),
    Startup({"CQL_VERSION": "3.0.0", "COMPRESSION": "lz4", "DRIVER_NAME": "cqlsurge"}),
    Options(),
    Query("SELECT * FROM system.local"),
    Query("SELECT h\u00e9", FULL_PARAMETERS),
    Prepare("INSERT INTO t (k, v) VALUES (?, ?)"),
    Execute(STATEMENT_ID),
    Execute(STATEMENT_ID, QueryParameters(Consistency.ONE, (b"key", b"v" * 40), timestamp_us=-1)),
    Execute(STATEMENT_ID, FULL_PARAMETERS),
    Batch(()),
    Batch(
        (BatchStatement("INSERT", (b"1", None, UNSET)), BatchStatement(STATEMENT_ID)),
        BatchType.UNLOGGED,
        Consistency.EACH_QUORUM,
        Consistency.SERIAL,
        5,
    ),
    Batch((BatchStatement(b"", (b"",)),), BatchType.COUNTER),
    Register(("TOPOLOGY_CHANGE", "STATUS_CHANGE", "SCHEMA_CHANGE")),
    AuthResponse(b"\0user\0password"),
    AuthResponse(None),
]

ERRORS = [
    *(
        ErrorResponse(code, "no details")
        for code in (
            SERVER_ERROR, PROTOCOL_ERROR, BAD_CREDENTIALS, OVERLOADED, IS_BOOTSTRAPPING, TRUNCATE_ERROR,
            CDC_WRITE_FAILURE, SYNTAX_ERROR, UNAUTHORIZED, INVALID, CONFIG_ERROR,
        )
    ),
    ErrorResponse(UNAVAILABLE, "no", UnavailableDetails(Consistency.QUORUM, 2, 1)),
    ErrorResponse(WRITE_TIMEOUT, "late", WriteTimeoutDetails(Consistency.ALL, 1, 3, "BATCH_LOG")),
    ErrorResponse(READ_TIMEOUT, "late", ReadTimeoutDetails(Consistency.TWO, 1, 2, True)),
    ErrorResponse(READ_FAILURE, "bad", ReadFailureDetails(Consistency.TWO, 1, 2, 1, False)),
    ErrorResponse(WRITE_FAILURE, "bad", WriteFailureDetails(Consistency.ANY, 0, 1, 1, "SIMPLE")),
    ErrorResponse(FUNCTION_FAILURE, "bad", FunctionFailureDetails("shop", "f", ("int", "text"))),
    ErrorResponse(CAS_WRITE_UNKNOWN, "eh", CasWriteUnknownDetails(Consistency.SERIAL, 1, 2)),
    ErrorResponse(ALREADY_EXISTS, "there", AlreadyExistsDetails("shop", "")),
    ErrorResponse(UNPREPARED, "who", UnpreparedDetails(STATEMENT_ID)),
    ErrorResponse(SCYLLA_RATE_LIMIT_ERROR, "slow", RateLimitDetails(1, True)),
]  # fmt: skip

RESULTS = [
    Void(),
    SetKeyspace("shop"),
    Rows.of(COLUMNS, [ROW, (None,) * len(ROW)]),
    Rows.of(MIXED_TABLES, [], b"state"),
    Rows(2, [(b"a", None), (b"", b"b")]),
    Rows(0, []),
    Prepared(STATEMENT_ID, COLUMNS, (0, 2), MIXED_TABLES),
    Prepared(STATEMENT_ID, MIXED_TABLES, (), None, 0x80000000),
    Prepared(b"", (), (), ()),
    SchemaChangeResult(SchemaChange("CREATED", "TABLE", "shop", "things")),
]

EVENTS = [
    TopologyChange("NEW_NODE", Endpoint("127.0.0.2", 9042)),
    StatusChange("DOWN", Endpoint("2001:db8::1", 9042)),
    SchemaChangeEvent(SchemaChange("DROPPED", "KEYSPACE", "shop")),
    SchemaChangeEvent(SchemaChange("UPDATED", "TYPE", "shop", "address")),
    SchemaChangeEvent(SchemaChange("CREATED", "FUNCTION", "shop", "f", ("int", "text"))),
    SchemaChangeEvent(SchemaChange("CREATED", "AGGREGATE", "shop", "f", ())),
    ClientRoutesChange("UPDATE_NODES", ("c1",), ("h1", "h2")),
]

RESPONSES = [
    Ready(),
    Authenticate("org.apache.cassandra.auth.PasswordAuthenticator"),
    AuthChallenge(b"token"),
    AuthChallenge(None),
    AuthSuccess(b""),
    AuthSuccess(),
    Supported({"CQL_VERSION": ["3.0.0", "3.4.6"], "COMPRESSION": ["lz4"], "TABLETS_ROUTING_V1": [""]}),
    *RESULTS,
    *EVENTS,
    *ERRORS,
]
