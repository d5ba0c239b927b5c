"""Tokens to statements: queries, writes and batches by recursive descent; definitions stand in ddl.py."""

from __future__ import annotations

from typing import Any

from cqlsurge.simulator.cql import ast, ddl
from cqlsurge.simulator.cql.reader import Reader
from cqlsurge.simulator.cql.terms import read_name_list, read_term

_FUNCTIONS = {"count", "token", "writetime", "ttl"}


def parse(text: str) -> tuple[ast.Statement, tuple[ast.Marker, ...]]:
    """The statement of a CQL text and its bind markers in order. Raises CqlSyntaxError."""
    reader = Reader(text)
    statement = _statement(reader)
    reader.take_symbol(";")
    if reader.token.kind != "end":
        reader.fail()
    return statement, tuple(reader.markers)


def _statement(reader: Reader) -> ast.Statement:
    word = reader.word()
    if word == "select":
        return _select(reader)
    if word in ("insert", "update", "delete"):
        return _write(reader)
    if word == "begin":
        return _batch(reader)
    if word == "use":
        reader.advance()
        return ast.Use(reader.name())
    if word == "truncate":
        reader.advance()
        reader.take("table") or reader.take("columnfamily")
        return ast.Truncate(reader.table())
    return ddl.definition(reader)


def _select(reader: Reader) -> ast.Select:
    reader.expect("select")
    distinct = reader.take("distinct")
    selectors: list[ast.Selector] = []
    if not reader.take_symbol("*"):
        selectors.append(_selector(reader))
        while reader.take_symbol(","):
            selectors.append(_selector(reader))
    reader.expect("from")
    table = reader.table()
    where = _where(reader) if reader.take("where") else ()
    descending = None
    per_partition_limit = limit = None
    while True:
        if reader.take("order"):
            descending = _order(reader)
        elif reader.take("per"):
            reader.expect("partition", "limit")
            per_partition_limit = read_term(reader)
        elif reader.take("limit"):
            limit = read_term(reader)
        elif reader.take("allow"):
            reader.expect("filtering")
        elif reader.take("bypass"):
            reader.expect("cache")
        elif reader.take("using"):
            reader.expect("timeout")
            read_term(reader)
        else:
            break
    return ast.Select(table, tuple(selectors), where, distinct, descending, limit, per_partition_limit)


def _selector(reader: Reader) -> ast.Selector:
    name = reader.name()
    function: str | None = None
    columns: tuple[str, ...] = (name,)
    if reader.take_symbol("("):
        if name not in _FUNCTIONS:
            reader.fail(f"unknown function {name}")
        function = name
        if name == "count" and (reader.take_symbol("*") or reader.take_kind("number")):
            columns = ()
            reader.symbol(")")
        else:
            columns = read_name_list(reader, ")")
    alias = reader.name() if reader.take("as") else None
    return ast.Selector(function, columns, alias)


def _order(reader: Reader) -> bool:
    """Whether rows come in reverse clustering order, judged by the first column named."""
    reader.expect("by")
    directions = []
    while True:
        reader.name()
        directions.append(reader.take("desc"))
        if not directions[-1]:
            reader.take("asc")
        if not reader.take_symbol(","):
            return directions[0]


def _where(reader: Reader) -> tuple[ast.Relation, ...]:
    relations = [_relation(reader)]
    while reader.take("and"):
        relations.append(_relation(reader))
    return tuple(relations)


def _relation(reader: Reader) -> ast.Relation:
    if reader.take_symbol("("):
        form, columns = "tuple", read_name_list(reader, ")")
    else:
        name = reader.name()
        if name == "token" and reader.take_symbol("("):
            form, columns = "token", read_name_list(reader, ")")
        else:
            form, columns = "column", (name,)
    if reader.take("in"):
        return ast.Relation(form, columns, "in", read_term(reader))
    for operator in ("<=", ">=", "!=", "=", "<", ">"):
        if reader.take_symbol(operator):
            return ast.Relation(form, columns, operator, read_term(reader))
    return reader.fail()


def _write(reader: Reader) -> ast.Write:
    verb = reader.word()
    reader.advance()
    if verb == "insert":
        return _insert(reader)
    return _update(reader) if verb == "update" else _delete(reader)


def _insert(reader: Reader) -> ast.Write:
    reader.expect("into")
    table = reader.table()
    reader.symbol("(")
    columns = read_name_list(reader, ")")
    reader.expect("values")
    reader.symbol("(")
    values = [read_term(reader)]
    while reader.take_symbol(","):
        values.append(read_term(reader))
    reader.symbol(")")
    if len(values) != len(columns):
        reader.fail("unmatched column names/values")
    condition = None
    options: dict[str, Any] = {}
    while reader.word() in ("if", "using"):
        if reader.take("if"):
            reader.expect("not", "exists")
            condition = "not exists"
        else:
            options = _using(reader)
    assignments = tuple(ast.Assignment(columns[at], "=", value) for at, value in enumerate(values))
    return ast.Write("insert", table, assignments, condition=condition, **options)


def _using(reader: Reader) -> dict[str, Any]:
    """TTL and TIMESTAMP after USING; TIMEOUT is accepted and has no effect."""
    reader.expect("using")
    options = {}
    while True:
        word = reader.word()
        if word not in ("ttl", "timestamp", "timeout"):
            reader.fail()
        reader.advance()
        options[word] = read_term(reader)
        if not reader.take("and"):
            options.pop("timeout", None)
            return options


def _update(reader: Reader) -> ast.Write:
    table = reader.table()
    options = _using(reader) if reader.word() == "using" else {}
    reader.expect("set")
    assignments = [_assignment(reader)]
    while reader.take_symbol(","):
        assignments.append(_assignment(reader))
    reader.expect("where")
    where = _where(reader)
    return ast.Write("update", table, tuple(assignments), where, condition=_condition(reader), **options)


def _assignment(reader: Reader) -> ast.Assignment:
    column = reader.name()
    if reader.take_symbol("["):
        key = read_term(reader)
        reader.symbol("]")
        reader.symbol("=")
        return ast.Assignment(column, "=", read_term(reader), key)
    for operator in ("+=", "-="):
        if reader.take_symbol(operator):
            return ast.Assignment(column, operator[0], read_term(reader))
    reader.symbol("=")
    if reader.token.kind in ("name", "quoted") and reader.token.text == column:
        reader.advance()
        if reader.take_symbol("+"):
            return ast.Assignment(column, "+", read_term(reader))
        if reader.take_symbol("-"):
            return ast.Assignment(column, "-", read_term(reader))
        # `c = c -1`: the lexer took the sign for the number's.
        value = read_term(reader)
        return ast.Assignment(column, "+", value)
    return ast.Assignment(column, "=", read_term(reader))


def _delete(reader: Reader) -> ast.Write:
    deleted: tuple[str, ...] = ()
    if not reader.take("from"):
        names = [reader.name()]
        while reader.take_symbol(","):
            names.append(reader.name())
        deleted = tuple(names)
        reader.expect("from")
    table = reader.table()
    options = _using(reader) if reader.word() == "using" else {}
    reader.expect("where")
    where = _where(reader)
    return ast.Write("delete", table, (), where, deleted, _condition(reader), **options)


def _condition(reader: Reader) -> Any:
    if not reader.take("if"):
        return None
    if reader.take("exists"):
        return "exists"
    return _where(reader)


def _batch(reader: Reader) -> ast.Batch:
    reader.expect("begin")
    kind = "logged"
    for word in ("logged", "unlogged", "counter"):
        if reader.take(word):
            kind = word
    reader.expect("batch")
    options = _using(reader) if reader.word() == "using" else {}
    statements = []
    while reader.word() in ("insert", "update", "delete"):
        statements.append(_write(reader))
        reader.take_symbol(";")
    reader.expect("apply", "batch")
    return ast.Batch(kind, tuple(statements), options.get("timestamp"))
