"""What importers read from CQL: statements, markers with the names that servers give them, tables, CREATE TABLE."""

from __future__ import annotations

import pytest

from cqlsurge.workload.cql_text import (
    if_not_exists,
    markers,
    qualify,
    quote_name,
    split_statements,
    without_comments,
)
from cqlsurge.workload.tables import read_create_table


def test_statements_are_cut_at_semicolons_outside_of_literals_and_comments() -> None:
    text = "A 'x;y' -- no; cut\n; B /* ; */ \"q;\" ; // end;\n ;"
    assert split_statements(text) == ["A 'x;y' -- no; cut", 'B /* ; */ "q;"']


@pytest.mark.parametrize(
    ("cql", "names"),
    [
        ("select * from t where pk = ? and ck >= ? and ck < ? limit ?", ["pk", "ck", "ck", None]),
        ("select * from t where pk in (?, ?) and ck = ?", ["pk", "pk", "ck"]),
        ("select * from t where pk IN ? and tags contains key ?", ["pk", "tags"]),
        ('INSERT INTO t (pk, "C0", v) VALUES (?, ?, ?) USING TTL ?', ["pk", "C0", "v", None]),
        ("update t using timestamp ? set v = ?, n = n + ?, s = s - ? where pk = ? if v != ?",
         [None, "v", "n", "s", "pk", "v"]),
        ("select * from t where pk = :pk // a ? comment\n and v = 'is it?' and w = ?", ["pk", "w"]),
        ("select * from t where token(pk) > ?", [None]),
        ("delete from t where (a, b) > (?, ?)", [None, None]),
        ("update t set m = {'a': ?}, l = [?] where k = ?", [None, None, "k"]),
    ],
)  # fmt: skip
def test_markers_have_the_names_that_servers_give(cql: str, names: list[str | None]) -> None:
    assert [marker.name for marker in markers(cql)] == names


@pytest.mark.parametrize(
    ("cql", "qualified"),
    [
        ("SELECT * FROM t WHERE a = 1", "SELECT * FROM ks.t WHERE a = 1"),
        ("SELECT * FROM other.t", "SELECT * FROM other.t"),
        ("UPDATE t SET on_off = 1", "UPDATE ks.t SET on_off = 1"),
        ("CREATE TABLE IF NOT EXISTS t (a int PRIMARY KEY)", "CREATE TABLE IF NOT EXISTS ks.t (a int PRIMARY KEY)"),
        ("CREATE INDEX ON t (a)", "CREATE INDEX ON ks.t (a)"),
        ("CREATE INDEX i ON t (a)", "CREATE INDEX i ON ks.t (a)"),
        (
            "CREATE MATERIALIZED VIEW v AS SELECT * FROM t WHERE a IS NOT NULL PRIMARY KEY (a)",
            "CREATE MATERIALIZED VIEW ks.v AS SELECT * FROM ks.t WHERE a IS NOT NULL PRIMARY KEY (a)",
        ),
        ("CREATE TYPE address (street text)", "CREATE TYPE ks.address (street text)"),
        ("DELETE v FROM t WHERE type = 1", "DELETE v FROM ks.t WHERE type = 1"),
        ("ALTER TABLE t WITH comment = 'from t'", "ALTER TABLE ks.t WITH comment = 'from t'"),
    ],
)
def test_tables_without_keyspace_get_it(cql: str, qualified: str) -> None:
    assert qualify(cql, "ks") == qualified


def test_comments_are_left_out_but_not_what_looks_like_one() -> None:
    assert without_comments("SELECT 'http://x -- y' /* z */ FROM t -- end") == "SELECT 'http://x -- y'   FROM t"


def test_creations_become_repeatable() -> None:
    assert if_not_exists("create table t (a int)") == "create table IF NOT EXISTS t (a int)"
    assert if_not_exists("CREATE CUSTOM INDEX ON t (a)") == "CREATE CUSTOM INDEX IF NOT EXISTS ON t (a)"
    assert if_not_exists("CREATE TABLE IF NOT EXISTS t (a int)") == "CREATE TABLE IF NOT EXISTS t (a int)"
    assert if_not_exists("ALTER TABLE t ADD b int") == "ALTER TABLE t ADD b int"


def test_names_are_quoted_where_needed() -> None:
    assert [quote_name(name) for name in ("abc", "C0", "a-b", 'q"q', "table", "1a")] == [
        "abc", '"C0"', '"a-b"', '"q""q"', '"table"', '"1a"',
    ]  # fmt: skip


def test_create_table_is_read() -> None:
    table = read_create_table(
        """CREATE TABLE IF NOT EXISTS "Ks-1".events ( -- comment
        b varchar, a blob, at timestamp, "Seq" int, s text static, tags frozen<set<text>>, m map<text, int>,
        v vector<float, 3>, who address,
        PRIMARY KEY ((a, b), at, "Seq")) WITH CLUSTERING ORDER BY (at DESC, "Seq" ASC) AND default_time_to_live = 60""",
        "ks",
    )
    assert table.cql_name == '"Ks-1".events'
    assert [column.name for column in table.columns] == ["a", "b", "at", "Seq", "m", "s", "tags", "v", "who"]
    assert [column.kind for column in table.columns[:6]] == [
        "partition_key", "partition_key", "clustering", "clustering", "regular", "static",
    ]  # fmt: skip
    assert [column.descending for column in table.key] == [False, False, True, False]
    assert table.default_ttl_s == 60
    by_name = {column.name: column for column in table.columns}
    assert str(by_name["b"].type) == "text"
    assert str(by_name["tags"].type) == "set<text>"
    assert by_name["tags"].is_frozen
    assert by_name["who"].type is None


@pytest.mark.parametrize(
    "wrong", ["SELECT 1", "CREATE TABLE t (a int", "CREATE TABLE t (a int, PRIMARY KEY (b))", "CREATE TABLE t (a int)"]
)
def test_what_is_no_create_table_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError):
        read_create_table(wrong, "ks")
