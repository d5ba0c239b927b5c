"""CQL text to statements: what is taken, and that everything else is a syntax error with its place.

How: tables of texts; hypothesis feeds garbage and cut statements, whose only outcomes are a statement or the one error.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cqlsurge.simulator.cql import ast
from cqlsurge.simulator.cql.lexer import CqlSyntaxError, tokens_of
from cqlsurge.simulator.cql.parser import parse

TAKEN = [
    "SELECT * FROM system.local WHERE key='local'",
    'select a, B, "C" as d, count(*), writetime(a), token(a, b) from ks.t where a in (?, ?) and token(a) >= -5 '
    "order by b desc, c per partition limit 2 limit ? allow filtering bypass cache using timeout 2000ms;",
    "SELECT DISTINCT a FROM t WHERE (a, b) = (1, 'x')",
    "INSERT INTO t (a, b) VALUES (?, :named) IF NOT EXISTS USING TTL 5 AND TIMESTAMP ? AND TIMEOUT 5s",
    "UPDATE ks.t USING TTL ? SET a = a + 1, b = b -1, c = [1, 2], d += {'x': 0xAB}, e = null WHERE k = ? IF EXISTS",
    "DELETE a, b FROM t USING TIMESTAMP 5 WHERE k = 1 IF a = true AND b != 1.5e3",
    "BEGIN UNLOGGED BATCH USING TIMESTAMP 3 INSERT INTO t (a) VALUES (1); DELETE FROM t WHERE a = 1 APPLY BATCH;",
    "CREATE KEYSPACE IF NOT EXISTS ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1} "
    "AND durable_writes = false",
    'CREATE TABLE t (a int, b text static, c frozen<map<text, list<int>>>, d vector<float, 3>, "E" uuid, '
    "PRIMARY KEY ((a, c), \"E\")) WITH CLUSTERING ORDER BY (\"E\" DESC) AND comment = 'it''s' AND COMPACT STORAGE",
    "ALTER TABLE t ADD (x int, y text)",
    "ALTER KEYSPACE ks WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '3'}",
    "CREATE TYPE IF NOT EXISTS ks.address (street text, number int)",
    "DROP TABLE IF EXISTS ks.t",
    "TRUNCATE TABLE ks.t",
    'USE "Ks"',
    "SELECT * FROM t -- a comment\nWHERE a = 123e4567-e89b-12d3-a456-426614174000 /* another */ AND d = 1h30m",
]
REFUSED = [
    "", "SELECT", "SELECT FROM t", "SELECT * FROM", "SELECT * FROM t WHERE", "SELECT * FROM t WHERE a",
    "INSERT INTO t (a, b) VALUES (1)", "INSERT INTO t () VALUES ()", "UPDATE t SET a = 1", "DELETE FROM t",
    "CREATE TABLE t (a int PRIMARY KEY", "CREATE INDEX ON t (a)", "DROP", "SELECT * FROM t; SELECT * FROM t",
    "SELECT frobnicate(a) FROM t", "SELECT * FROM t WHERE a = 'open", "GRANT ALL ON t TO x",
    "SELECT * FROM t WHERE a ~ 1",
]  # fmt: skip


@pytest.mark.parametrize("text", TAKEN)
def test_taken(text):
    assert isinstance(parse(text)[0], ast.Statement)


@pytest.mark.parametrize("text", REFUSED)
def test_refused(text):
    with pytest.raises(CqlSyntaxError, match=r"line 1:\d+ "):
        parse(text)


def test_names_and_markers():
    statement, markers = parse('INSERT INTO T ("Quoted", plain) VALUES (:One, ?)')
    assert isinstance(statement, ast.Write)
    assert [assignment.column for assignment in statement.assignments] == ["Quoted", "plain"]
    assert markers == (ast.Marker(0, "one"), ast.Marker(1))


def test_a_sign_after_a_column_is_an_operator():
    statement, _ = parse("UPDATE t SET c = c -3 WHERE k = 1")
    assert isinstance(statement, ast.Write)
    assert statement.assignments == (ast.Assignment("c", "+", ast.Literal("number", "-3")),)


@given(st.text(max_size=60) | st.lists(st.sampled_from(" ".join(TAKEN).split()), max_size=12).map(" ".join))
def test_garbage_is_a_statement_or_a_syntax_error(text):
    try:
        parse(text)
    except CqlSyntaxError:
        pass


@pytest.mark.parametrize("text", TAKEN)
def test_cut_statements_are_statements_or_syntax_errors(text):
    for token in tokens_of(text):
        try:
            parse(text[: token.at])
        except CqlSyntaxError:
            pass
