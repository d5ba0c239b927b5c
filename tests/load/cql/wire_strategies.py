"""Hypothesis strategies for every message, type and value of the codec."""

from __future__ import annotations

from hypothesis import strategies as st

from cqlsurge.load.cql import events, requests, responses, results
from cqlsurge.load.cql import server_errors as se
from cqlsurge.load.cql import types as t
from cqlsurge.load.cql.natives import Duration
from cqlsurge.load.cql.primitives import UNSET, Consistency, Endpoint
from cqlsurge.load.cql.schema_change import SchemaChange

INT = st.integers(-(1 << 31), (1 << 31) - 1)
LONG = st.integers(-(1 << 63), (1 << 63) - 1)
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
NAME = st.text("abcdefgh_1", min_size=1, max_size=8)
BYTES = st.binary(max_size=20)
CONSISTENCY = st.sampled_from(Consistency)
CELL = st.none() | BYTES
VALUE = CELL | st.just(UNSET)
TEXTS = st.lists(TEXT, max_size=4).map(tuple)
ENDPOINT = st.builds(Endpoint, st.ip_addresses().map(str), INT)
NATIVE = st.sampled_from(sorted(t.NATIVE_TYPES.values(), key=str))
CUSTOM = st.builds(t.CustomType, st.just("com.example.") | NAME.map("com.example.".__add__))
DIMENSION = st.integers(1, 4)


def _parametrised(inner):
    pairs = st.lists(st.tuples(NAME, inner), min_size=1, max_size=3, unique_by=lambda pair: pair[0]).map(tuple)
    return st.one_of(
        st.builds(t.ListType, inner),
        st.builds(t.SetType, inner),
        st.builds(t.MapType, inner, inner),
        st.builds(t.TupleType, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(t.UserType, NAME, NAME, pairs),
        st.builds(t.VectorType, inner, DIMENSION),
    )


TYPES = st.recursive(NATIVE | CUSTOM, _parametrised, max_leaves=5)

NATIVE_VALUES = {
    t.ASCII: st.text(st.characters(max_codepoint=127), max_size=12),
    t.BIGINT: LONG,
    t.BLOB: BYTES,
    t.BOOLEAN: st.booleans(),
    t.COUNTER: LONG,
    t.DATE: INT,
    t.DECIMAL: st.decimals(allow_nan=False, allow_infinity=False),
    t.DOUBLE: st.floats(allow_nan=False),
    t.DURATION: st.builds(Duration, *[st.integers(0, (1 << bits) - 1) for bits in (31, 31, 63)])
    | st.builds(Duration, *[st.integers(-(1 << bits), 0) for bits in (31, 31, 63)]),
    t.FLOAT: st.floats(width=32, allow_nan=False),
    t.INET: st.ip_addresses().map(str),
    t.INT: INT,
    t.SMALLINT: st.integers(-(1 << 15), (1 << 15) - 1),
    t.TEXT: TEXT,
    t.TIME: st.integers(0, 86_400_000_000_000 - 1),
    t.TIMESTAMP: LONG,
    t.TIMEUUID: st.uuids(version=1),
    t.TINYINT: st.integers(-128, 127),
    t.UUID: st.uuids(),
    t.VARINT: st.integers(),
}


def values(of, hashable=False):
    """Values of a type as the codec decodes them; `hashable` as in a set or a map's key."""
    if isinstance(of, t.NativeType):
        return NATIVE_VALUES[of]
    if isinstance(of, t.CustomType):
        return BYTES
    if isinstance(of, t.ListType):
        return st.lists(values(of.element, hashable), max_size=3).map(tuple if hashable else list)
    if isinstance(of, t.SetType):
        return st.frozensets(values(of.element, True), max_size=3).map(frozenset if hashable else set)
    if isinstance(of, t.MapType):
        found = st.dictionaries(values(of.key, True), values(of.value, hashable), max_size=3)
        return found.map(lambda pairs: tuple(pairs.items())) if hashable else found
    if isinstance(of, t.VectorType):
        size = of.dimension
        found = st.lists(values(of.element, hashable), min_size=size, max_size=size)
        return found.map(tuple) if hashable else found
    if isinstance(of, t.TupleType):
        return st.tuples(*[st.none() | values(inner, hashable) for inner in of.elements])
    fields = {name: st.none() | values(inner, hashable) for name, inner in of.fields}
    return st.tuples(*fields.values()) if hashable else st.fixed_dictionaries(fields)


def parameters():
    bound = st.lists(st.tuples(TEXT, VALUE), max_size=4).map(tuple)
    with_values = st.tuples(st.sampled_from(["none", "plain", "named"]), bound)

    def build(choice, **others):
        kind, pairs = choice
        return requests.QueryParameters(
            values=None if kind == "none" else tuple(value for _, value in pairs),
            names=tuple(name for name, _ in pairs) if kind == "named" else None,
            **others,
        )

    return st.builds(
        build,
        with_values,
        consistency=CONSISTENCY,
        skip_metadata=st.booleans(),
        page_size=st.none() | INT,
        paging_state=st.none() | BYTES,
        serial_consistency=st.none() | CONSISTENCY,
        timestamp_us=st.none() | LONG,
    )


def requests_of_a_batch():
    statement = st.builds(requests.BatchStatement, TEXT | BYTES, st.lists(VALUE, max_size=3).map(tuple))
    return st.builds(
        requests.Batch,
        st.lists(statement, max_size=4).map(tuple),
        st.sampled_from(requests.BatchType),
        CONSISTENCY,
        st.none() | CONSISTENCY,
        st.none() | LONG,
    )


def all_requests():
    return st.one_of(
        st.builds(requests.Startup, st.dictionaries(TEXT, TEXT, max_size=4)),
        st.builds(requests.Options),
        st.builds(requests.Query, TEXT, parameters()),
        st.builds(requests.Prepare, TEXT),
        st.builds(requests.Execute, BYTES, parameters()),
        requests_of_a_batch(),
        st.builds(requests.Register, TEXTS),
        st.builds(requests.AuthResponse, CELL),
    )


def columns():
    column = st.builds(results.Column, NAME, NAME, NAME, TYPES)
    same_table = st.lists(st.builds(results.Column, st.just("k"), st.just("t"), NAME, TYPES), max_size=4)
    return (st.lists(column, max_size=4) | same_table).map(tuple)


@st.composite
def rows(draw):
    found = draw(st.none() | columns())
    count = draw(st.integers(0, 4)) if found is None else len(found)
    row = st.tuples(*[CELL] * count)
    return results.Rows(count, draw(st.lists(row, max_size=4 if count else 0)), found, draw(st.none() | BYTES))


def prepared():
    return st.builds(
        results.Prepared,
        BYTES,
        columns(),
        st.lists(st.integers(0, 65535), max_size=3).map(tuple),
        st.none() | columns(),
        st.integers(0, (1 << 32) - 1).map(lambda flags: flags & ~results.METADATA_GLOBAL_TABLE),
    )


def schema_changes():
    change = st.sampled_from(["CREATED", "UPDATED", "DROPPED"])
    return st.one_of(
        st.builds(SchemaChange, change, st.just("KEYSPACE"), TEXT),
        st.builds(SchemaChange, change, st.sampled_from(["TABLE", "TYPE"]), TEXT, TEXT),
        st.builds(SchemaChange, change, st.sampled_from(["FUNCTION", "AGGREGATE"]), TEXT, TEXT, TEXTS),
    )


def all_events():
    return st.one_of(
        st.builds(events.TopologyChange, TEXT, ENDPOINT),
        st.builds(events.StatusChange, TEXT, ENDPOINT),
        st.builds(events.SchemaChangeEvent, schema_changes()),
        st.builds(events.ClientRoutesChange, TEXT, TEXTS, TEXTS),
    )


def errors():
    byte = st.integers(0, 255)
    replicas = (CONSISTENCY, INT, INT)
    details = {
        se.UNAVAILABLE: st.builds(se.UnavailableDetails, *replicas),
        se.WRITE_TIMEOUT: st.builds(se.WriteTimeoutDetails, *replicas, TEXT),
        se.READ_TIMEOUT: st.builds(se.ReadTimeoutDetails, *replicas, st.booleans()),
        se.READ_FAILURE: st.builds(se.ReadFailureDetails, *replicas, INT, st.booleans()),
        se.WRITE_FAILURE: st.builds(se.WriteFailureDetails, *replicas, INT, TEXT),
        se.FUNCTION_FAILURE: st.builds(se.FunctionFailureDetails, TEXT, TEXT, TEXTS),
        se.CAS_WRITE_UNKNOWN: st.builds(se.CasWriteUnknownDetails, *replicas),
        se.ALREADY_EXISTS: st.builds(se.AlreadyExistsDetails, TEXT, TEXT),
        se.UNPREPARED: st.builds(se.UnpreparedDetails, BYTES),
        se.SCYLLA_RATE_LIMIT_ERROR: st.builds(se.RateLimitDetails, byte, st.booleans()),
    }
    plain = st.builds(se.ErrorResponse, INT.filter(lambda code: code not in details), TEXT)
    return st.one_of(plain, *[st.builds(se.ErrorResponse, st.just(code), TEXT, of) for code, of in details.items()])


def all_responses():
    return st.one_of(
        st.builds(responses.Ready),
        st.builds(responses.Authenticate, TEXT),
        st.builds(responses.AuthChallenge, CELL),
        st.builds(responses.AuthSuccess, CELL),
        st.builds(responses.Supported, st.dictionaries(TEXT, st.lists(TEXT, max_size=3), max_size=4)),
        st.builds(results.Void),
        st.builds(results.SetKeyspace, TEXT),
        st.builds(results.SchemaChangeResult, schema_changes()),
        rows(),
        prepared(),
        all_events(),
        errors(),
    )
