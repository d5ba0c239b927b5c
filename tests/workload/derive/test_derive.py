"""Workloads derived from tables of a real Cassandra: awkward data, every type, odd names; shapes near, no values."""

from __future__ import annotations

import random
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from cassandra.cluster import Cluster, Session

from cqlsurge.cli.main import main
from cqlsurge.database.tables import read_table
from cqlsurge.errors import ClusterError, UsageError
from cqlsurge.load.workload.operations import SpecWorkload
from cqlsurge.workload.derive.ddl import ddl_of
from cqlsurge.workload.derive.document import derived_text
from cqlsurge.workload.derive.learn import Learned, learn_table
from cqlsurge.workload.derive.sample import Limits, Sample, Sampler
from cqlsurge.workload.loader import load_workload
from cqlsurge.workload.tables import split_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cqlsurge.database.embedded import EmbeddedCluster

pytestmark = pytest.mark.cassandra
SIMPLE = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
TYPES = (
    "ascii", "bigint", "blob", "boolean", "date", "decimal", "double", "duration", "float", "inet", "int", "smallint",
    "text", "time", "timestamp", "timeuuid", "tinyint", "uuid", "varint", "list<int>", "set<text>", "map<text, int>",
    "frozen<list<frozen<set<int>>>>", "tuple<int, text>", "frozen<address>", "map<text, frozen<address>>",
    "vector<float, 3>",
)  # fmt: skip


@pytest.fixture(scope="module")
def session(cassandra: EmbeddedCluster) -> Iterator[Session]:
    cluster = Cluster([cassandra.host], port=cassandra.port, protocol_version=4)
    made = cluster.connect()
    made.execute(f"CREATE KEYSPACE IF NOT EXISTS derive WITH replication = {SIMPLE}")
    made.execute("CREATE TYPE IF NOT EXISTS derive.address (street text, zip int)")
    yield made
    cluster.shutdown()


def fill(session: Session, table: str, columns: str, rows: list[tuple[Any, ...]]) -> None:
    marks = ", ".join("?" * len(rows[0]))
    statement = session.prepare(f"INSERT INTO derive.{table} ({columns}) VALUES ({marks})")
    pending = []
    for row in rows:
        pending.append(session.execute_async(statement, row))
        if len(pending) == 200:
            for future in pending:
                future.result()
            pending = []
    for future in pending:
        future.result()


def sample_of(session: Session, table: str, rows: int = 100_000) -> Sample:
    return Sampler(session, read_table(session, "derive", table), Limits(rows, 1e9, 60)).read()


def learned(session: Session, table: str) -> tuple[Sample, Learned]:
    sample = sample_of(session, table)
    found = learn_table(read_table(session, "derive", table), sample)
    assert found is not None
    return sample, found


def loads(session: Session, text_of: Any, *names: str) -> SpecWorkload:
    """The derived file, read, and some of its operations made."""
    tables = [read_table(session, "derive", name) for name in names]
    session.cluster.refresh_schema_metadata()
    spec = load_workload(text_of(tables, ddl_of(session.cluster, tables)), "derived.yaml", {})
    for phase in spec.phases:
        made = SpecWorkload(spec, phase.name, 1)
        for number in range(200):
            made.operation(number)
    return made


def test_skewed_sizes_few_values_and_nulls(session: Session) -> None:
    session.execute(
        "CREATE TABLE derive.orders (id uuid PRIMARY KEY, body blob, state text, note text, price int, code int)"
    )
    draw = random.Random(1)
    states = ["delivered-to-customer", "lost", "on its way"]
    rows = [
        (
            uuid.UUID(int=draw.getrandbits(128)),
            draw.randbytes(min(4000, int(draw.paretovariate(1.2) * 20))),
            draw.choices(states, [70, 1, 29])[0],
            None if draw.random() < 0.4 else "secret " + "x" * draw.randint(0, 90),
            round(draw.lognormvariate(9, 1.5)),
            draw.choices([7_654_321, 1_234_567, 9_999_991], [5, 3, 2])[0],
        )
        for _ in range(3000)
    ]
    fill(session, "orders", "id, body, state, note, price, code", rows)
    sample, found = learned(session, "orders")
    assert sample.row_count == 3000
    assert found.partitions == 3000
    by_what = {(name, what): histogram for name, shape in found.shapes.items() for what, histogram in shape.learned}
    assert by_what["body", "length"].distance([len(row[1]) for row in rows]) < 0.05
    assert by_what["price", "value"].distance([row[4] for row in rows]) < 0.05
    assert by_what["note", "length"].distance([len(row[3]) for row in rows if row[3] is not None]) < 0.05
    shares = [sum(row[2] == state for row in rows) for state in ("delivered-to-customer", "on its way", "lost")]
    assert [piece.weight for piece in by_what["state", "share by rank"].pieces] == shares
    assert found.shapes["note"].set_share == pytest.approx(0.6, abs=0.03)
    text = derived_text([read_table(session, "derive", "orders")], (), {"derive.orders": found})
    loads(session, lambda tables, ddl: derived_text(tables, ddl, {"derive.orders": found}), "orders")
    for secret in (*states, "secret", "7654321", "1234567", "9999991", str(rows[0][0]), rows[0][1].hex()):
        assert secret not in text


def test_heavy_tailed_partitions_and_maps_of_user_types(session: Session) -> None:
    session.execute(
        "CREATE TABLE derive.carts (who text, line int, home map<text, frozen<address>>, tags set<text>, owner text "
        "static, "
        "PRIMARY KEY (who, line))"
    )
    address = session.cluster.metadata.keyspaces["derive"].user_types["address"]
    assert address is not None
    from collections import namedtuple

    made = namedtuple("made", ["street", "zip"])
    draw = random.Random(2)
    rows: list[tuple[Any, ...]] = []
    counts, elements, streets = [], [], []
    for number in range(800):
        count = min(500, int(draw.paretovariate(1.1)))
        counts.append(count)
        for line in range(count):
            size = draw.choice([1, 1, 1, 2, 5])
            homes = {
                f"home {place}": made("Elm Street " * draw.randint(1, 4), draw.randint(10_000, 99_999))
                for place in range(size)
            }
            elements.append(size)
            streets += [len(one.street) for one in homes.values()]
            rows.append((f"customer-{number:04d}-{'z' * (number % 7)}", line, homes, {"a", "b"}, f"owner {number}"))
    fill(session, "carts", "who, line, home, tags, owner", rows)
    sample, found = learned(session, "carts")
    assert sample.row_count == len(rows)
    assert found.rows.distance(counts) < 0.05
    by_what = {(name, what): histogram for name, shape in found.shapes.items() for what, histogram in shape.learned}
    assert by_what["home", "elements"].distance(elements) < 0.05
    assert by_what["home", "of street length"].distance(streets) < 0.05
    assert found.partitions == 800
    text = derived_text([read_table(session, "derive", "carts")], (), {"derive.carts": found})
    made = loads(session, lambda tables, ddl: derived_text(tables, ddl, {"derive.carts": found}), "carts")
    assert found.rows.distance([made.run.row_counts["derive.carts"](number) for number in range(4096)]) < 0.05
    for secret in ("customer-", "Elm Street", "home 1", "owner 7"):
        assert secret not in text


def test_a_bounded_sample_tells_how_much_of_the_table_it_is(session: Session) -> None:
    session.execute("CREATE TABLE derive.many (id int PRIMARY KEY, n int)")
    fill(session, "many", "id, n", [(number, number % 10) for number in range(15_000)])
    sample = sample_of(session, "many", 2000)
    assert sample.row_count <= 3000
    assert 0.02 < sample.covered < 0.3
    assert sample.partitions == pytest.approx(15_000, rel=0.2)


def test_ttls_are_learned_and_counters_are_added_to(session: Session) -> None:
    session.execute("CREATE TABLE derive.sessions (id int PRIMARY KEY, v text)")
    for number in range(300):
        session.execute(f"INSERT INTO derive.sessions (id, v) VALUES ({number}, 'x') USING TTL {3600 + number * 10}")
    _, found = learned(session, "sessions")
    assert found.ttl_s is not None
    assert 3000 <= found.ttl_s.low <= 3600
    text = derived_text([read_table(session, "derive", "sessions")], (), {"derive.sessions": found})
    assert "USING TTL :ttl_s" in text
    loads(session, lambda tables, ddl: derived_text(tables, ddl, {"derive.sessions": found}), "sessions")
    session.execute('CREATE TABLE derive.hits (id int, "Day" int, n counter, PRIMARY KEY (id, "Day"))')
    table = read_table(session, "derive", "hits")
    text = derived_text([table])
    loads(session, derived_text, "hits")
    assert 'UPDATE derive.hits SET n = n + :n WHERE id = :id AND "Day" = :"Day"' in text


def test_every_type_odd_names_a_view_and_an_index(session: Session) -> None:
    columns = ", ".join(f'"C {place}" {kind}' for place, kind in enumerate(TYPES))
    session.execute(
        f'CREATE TABLE derive."AllTypes" ("Key" uuid, "Row" timestamp, "State" text, {columns}, s text static, '
        'PRIMARY KEY ("Key", "Row")) WITH CLUSTERING ORDER BY ("Row" DESC)'
    )
    session.execute('CREATE INDEX by_state ON derive."AllTypes" ("State")')
    table = read_table(session, "derive", "AllTypes")
    assert all(column.type is not None for column in table.columns)
    assert table.indexed == {"State": "COMPOSITES"}
    assert table.column("Row") is not None
    assert [column.descending for column in table.key] == [False, True]
    loads(session, derived_text, "AllTypes", "orders")
    text = derived_text([table])
    assert 'SELECT "Key", "Row" FROM derive."AllTypes" WHERE "State" = :"State" LIMIT 10' in text


def test_the_command_writes_a_file(
    session: Session, cassandra: EmbeddedCluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session.execute("CREATE TABLE derive.things (id text, n int, home frozen<address>, PRIMARY KEY (id, n))")
    session.execute("CREATE INDEX things_home ON derive.things (home)")
    fill(session, "things", "id, n", [(f"thing {number}", number) for number in range(100)])
    path = tmp_path / "things.yaml"
    assert main(["workload", "derive", cassandra.address, "derive.things", "--learn", "1k", "-o", str(path)]) == 0
    text = path.read_text()
    for part in (
        "CREATE KEYSPACE IF NOT EXISTS derive", "CREATE TYPE IF NOT EXISTS derive.address",
        "CREATE TABLE IF NOT EXISTS derive.things", "CREATE INDEX IF NOT EXISTS things_home", "partitions: 100\n",
    ):  # fmt: skip
        assert part in text
    assert "100 rows of 100 partitions were read, 100% of the token ring" in capsys.readouterr().err
    assert main(["workload", "derive", cassandra.address, "derive.thing"]) == 1
    assert "there is no table thing in keyspace derive; nearest is 'things'" in capsys.readouterr().err
    assert main(["workload", "derive", cassandra.address, "derive"]) == 2


def test_names_of_tables() -> None:
    assert split_name("ks.t") == ("ks", "t")
    assert split_name('"My Ks"."T.1""x"') == ("My Ks", 'T.1"x')
    for wrong in ("t", "a.b.c", ".t", "a."):
        with pytest.raises(UsageError):
            split_name(wrong)


def test_a_keyspace_that_is_not_there_names_the_nearest(session: Session) -> None:
    with pytest.raises(ClusterError, match=r"nearest is .derive"):
        read_table(session, "deriv", "t")
