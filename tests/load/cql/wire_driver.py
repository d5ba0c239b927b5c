"""Values and types of scylla-driver as ours, and ours as the driver's; needs the driver."""

from __future__ import annotations

import ipaddress

from cassandra import cqltypes, util

from cqlsurge.load.cql import types as t
from cqlsurge.load.cql.type_names import class_of_type, type_of_class


def our_type(theirs):
    if issubclass(theirs, cqltypes.VectorType):  # whose own class name lacks the parameters
        return t.VectorType(our_type(theirs.subtype), theirs.vector_size)
    name = theirs.cass_parameterized_type(full=True)
    return type_of_class(name.replace("VarcharType", "UTF8Type"))  # VarcharType is a class of the driver only


def as_ours(cql_type, value):
    """A value of the driver as we give it."""
    if value is None:
        return None
    if cql_type == t.TIMESTAMP:
        return cqltypes.int64_unpack(cqltypes.DateType.serialize(value, 4))
    if cql_type == t.DATE:
        return value.days_from_epoch
    if cql_type == t.TIME:
        return value.nanosecond_time
    if cql_type == t.INET:
        return str(ipaddress.ip_address(value))
    if cql_type == t.DURATION:
        return (value.months, value.days, value.nanoseconds)
    if isinstance(cql_type, (t.ListType, t.VectorType)):
        return [as_ours(cql_type.element, item) for item in value]
    if isinstance(cql_type, t.SetType):
        return {as_ours(cql_type.element, item) for item in value}
    if isinstance(cql_type, t.MapType):
        return {as_ours(cql_type.key, key): as_ours(cql_type.value, item) for key, item in value.items()}
    if isinstance(cql_type, t.TupleType):
        return tuple([as_ours(of, item) for of, item in zip(cql_type.elements, value, strict=True)])
    return value


def as_theirs(cql_type, value):
    if cql_type == t.DATE:
        return util.Date(value)
    if cql_type == t.DURATION:
        return util.Duration(*value)
    if isinstance(cql_type, (t.ListType, t.VectorType, t.SetType)):
        return [as_theirs(cql_type.element, item) for item in value]
    if isinstance(cql_type, t.MapType):
        return {key: as_theirs(cql_type.value, item) for key, item in value.items()}
    return value


def their_type(cql_type):
    return cqltypes.lookup_casstype(class_of_type(cql_type))
