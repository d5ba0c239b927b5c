"""Definitions: keyspaces, tables and user types made, changed and dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cqlsurge.simulator.cql import ast
from cqlsurge.simulator.cql.terms import read_name_list, read_term

if TYPE_CHECKING:
    from cqlsurge.simulator.cql.reader import Reader


def definition(reader: Reader) -> ast.Statement:
    """CREATE, ALTER or DROP."""
    if reader.take("create"):
        if reader.take("keyspace"):
            return _keyspace(reader)
        if reader.take("table") or reader.take("columnfamily"):
            return _table(reader)
        if reader.take("type"):
            return _type(reader)
    elif reader.take("alter"):
        if reader.take("keyspace"):
            return _keyspace(reader, alter=True)
        if reader.take("table") or reader.take("columnfamily"):
            return _alter_table(reader)
    elif reader.take("drop"):
        for word, what in (("keyspace", "keyspace"), ("table", "table"), ("columnfamily", "table"), ("type", "type")):
            if reader.take(word):
                if_exists = reader.take("if")
                if if_exists:
                    reader.expect("exists")
                name = ast.TableName(None, reader.name()) if what == "keyspace" else reader.table()
                return ast.Drop(what, name, if_exists)
    return reader.fail()


def _if_not_exists(reader: Reader) -> bool:
    if not reader.take("if"):
        return False
    reader.expect("not", "exists")
    return True


def _keyspace(reader: Reader, *, alter: bool = False) -> ast.CreateKeyspace:
    if_not_exists = _if_not_exists(reader)
    name = reader.name()
    options = _options(reader) if reader.take("with") else {}
    return ast.CreateKeyspace(name, options, if_not_exists, alter)


def _options(reader: Reader) -> dict[str, Any]:
    """`name = value AND ...` as plain Python values; CLUSTERING ORDER BY under "clustering order"."""
    options: dict[str, Any] = {}
    while True:
        if reader.take("clustering"):
            reader.expect("order", "by")
            reader.symbol("(")
            options["clustering order"] = _clustering_order(reader)
        elif reader.take("compact"):
            reader.expect("storage")
        else:
            name = reader.name()
            reader.symbol("=")
            options[name] = plain(read_term(reader))
        if not reader.take("and"):
            return options


def _clustering_order(reader: Reader) -> frozenset[str]:
    descending = set()
    while True:
        name = reader.name()
        if reader.take("desc"):
            descending.add(name)
        else:
            reader.take("asc")
        if not reader.take_symbol(","):
            reader.symbol(")")
            return frozenset(descending)


def plain(term: Any) -> Any:
    """A constant term of an option as a Python value; maps get text keys and values, as schema tables show them."""
    if isinstance(term, ast.Collection) and term.kind == "map":
        return {str(plain(key)): _text(plain(value)) for key, value in term.items}
    if isinstance(term, ast.Collection):
        return {} if not term.items else [plain(item) for item in term.items]
    if not isinstance(term, ast.Literal):
        return None
    if term.kind == "number":
        return int(term.value)
    return float(term.value) if term.kind == "float" else term.value


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _table(reader: Reader) -> ast.CreateTable:
    if_not_exists = _if_not_exists(reader)
    table = reader.table()
    reader.symbol("(")
    columns: list[tuple[str, str, bool]] = []
    partition: tuple[str, ...] = ()
    clustering: tuple[str, ...] = ()
    while not reader.take_symbol(")"):
        if columns:
            reader.symbol(",")
        if reader.take("primary"):
            reader.expect("key")
            partition, clustering = _primary_key(reader)
            continue
        name, kind, static = _column(reader)
        columns.append((name, kind, static))
        if reader.take("primary"):
            reader.expect("key")
            partition = (name,)
    options = _options(reader) if reader.take("with") else {}
    descending = options.pop("clustering order", frozenset())
    return ast.CreateTable(table, tuple(columns), partition, clustering, descending, options, if_not_exists)


def _column(reader: Reader) -> tuple[str, str, bool]:
    name = reader.name()
    kind = type_text(reader)
    return name, kind, reader.take("static")


def _primary_key(reader: Reader) -> tuple[tuple[str, ...], tuple[str, ...]]:
    reader.symbol("(")
    partition = read_name_list(reader, ")") if reader.take_symbol("(") else (reader.name(),)
    clustering: tuple[str, ...] = ()
    if reader.take_symbol(","):
        return partition, read_name_list(reader, ")")
    reader.symbol(")")
    return partition, clustering


def type_text(reader: Reader) -> str:
    """A type as the schema tables write it: `frozen<map<text, int>>`; varchar is text."""
    if reader.token.kind == "string":
        return f"'{reader.advance().text}'"
    quoted = reader.token.kind == "quoted"
    name = reader.name()
    name = f'"{name}"' if quoted else {"varchar": "text"}.get(name, name)
    if reader.take_symbol("."):
        name = reader.name()
    if not reader.take_symbol("<"):
        return name
    inner = []
    while True:
        inner.append(reader.advance().text if reader.token.kind == "number" else type_text(reader))
        if reader.take_symbol(">"):
            return f"{name}<{', '.join(inner)}>"
        reader.symbol(",")


def _alter_table(reader: Reader) -> ast.AlterTable:
    table = reader.table()
    if reader.take("with"):
        return ast.AlterTable(table, options=_options(reader))
    adding = reader.take("add")
    if not adding:
        reader.expect("drop")
    several = reader.take_symbol("(")
    added: list[tuple[str, str, bool]] = []
    dropped: list[str] = []
    while True:
        if adding:
            added.append(_column(reader))
        else:
            dropped.append(reader.name())
        if not reader.take_symbol(","):
            break
    if several:
        reader.symbol(")")
    return ast.AlterTable(table, tuple(added), tuple(dropped))


def _type(reader: Reader) -> ast.CreateType:
    if_not_exists = _if_not_exists(reader)
    name = reader.table()
    reader.symbol("(")
    fields = []
    while True:
        field_name = reader.name()
        fields.append((field_name, type_text(reader)))
        if reader.take_symbol(")"):
            return ast.CreateType(name, tuple(fields), if_not_exists)
        reader.symbol(",")
