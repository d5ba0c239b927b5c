"""Whether a cluster takes the statements of a workload: PREPARE of each, and the types of binds compared."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from cassandra import DriverException, InvalidRequest
from cassandra.cluster import NoHostAvailable, Session
from cassandra.protocol import ErrorMessage

from cqlsurge.database.address import parse_address, parse_translations
from cqlsurge.database.connect import connect
from cqlsurge.database.secrets import read_security
from cqlsurge.database.tables import table_finder
from cqlsurge.errors import UsageError
from cqlsurge.load.cql.type_names import parse_type
from cqlsurge.load.cql.types import CqlType, UserType
from cqlsurge.load.workload.operations import user_types_of
from cqlsurge.load.workload.spec import StatementSpec, WorkloadSpec
from cqlsurge.settings import Settings
from cqlsurge.workload.sources import load_source


def check_statements(settings: Settings, path: str, params: Mapping[str, str]) -> tuple[WorkloadSpec, list[str]]:
    """(the workload, notes). Nothing is written: statements on tables that are not there are named in a note.

    Raises UsageError for what the cluster refuses.
    """
    with ExitStack() as stack:
        points = parse_address(str(settings.address))
        cluster, session = connect(points, read_security(settings), parse_translations(settings.translate))
        stack.callback(cluster.shutdown)
        spec = load_source(path, params, table_finder(session)).spec
        return spec, prepare_all(session, spec)


def prepare_all(session: Session, spec: WorkloadSpec) -> list[str]:
    """Notes on statements that could not be looked at. Raises UsageError for those that the cluster refuses."""
    notes = []
    find = table_finder(session)
    known = user_types_of(spec)
    for statement in spec.statements:
        for one in statement.children or (statement,):
            if one.kind == "ddl" or not one.prepared:
                continue
            if find(*one.table.split(".", 1)) is None:
                notes.append(f"statement {statement.name}: {one.table} is not there yet, so it was not prepared")
                continue
            try:
                prepared = session.prepare(one.cql)
            except (InvalidRequest, ErrorMessage, DriverException, NoHostAvailable) as error:
                why = " ".join(str(getattr(error, "message", None) or error).split())
                raise UsageError(f"statement {statement.name!r} is refused: {why}; its CQL is: {one.cql}") from error
            _compare(one, prepared.column_metadata or [], known)
    return notes


def _compare(statement: StatementSpec, columns: list[Any], known: Mapping[str, UserType]) -> None:
    for bind, column in zip(statement.binds, columns, strict=False):
        theirs = column.type.cql_parameterized_type().replace("varchar", "text")
        ours: CqlType = parse_type(bind.type, known)
        if str(parse_type_or(theirs, known, ours)) != str(ours):
            raise UsageError(
                f"statement {statement.name!r}: :{bind.name} is bound as {bind.type}, the server wants {theirs}"
            )


def parse_type_or(text: str, known: Mapping[str, UserType], other: CqlType) -> CqlType:
    """The type of a text, `other` where it cannot be read."""
    try:
        return parse_type(text, known)
    except ValueError:
        return other
