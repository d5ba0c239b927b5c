"""The lines of code that the ladder shows: those for scylla-driver and our own frames are run on the real Cassandra."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cassandra.cluster import Session

from cqlsurge.database.connect import connect
from cqlsurge.database.embedded import EmbeddedCluster
from cqlsurge.database.secrets import Security
from cqlsurge.results.techniques import PAGE, RUNGS
from tests.simulator.simulated import Client

ROOT = Path(__file__).resolve().parents[2]
INSERT = "INSERT INTO ladder_code.kv (key, value) VALUES (?, ?)"
ROWS = [(uuid.UUID(int=number), b"value %d" % number) for number in range(250)]


@pytest.fixture(scope="module")
def session(cassandra: EmbeddedCluster) -> Iterator[Session]:
    cluster, session = connect([(cassandra.host, cassandra.port)], Security(None, None, None))
    session.execute(
        "CREATE KEYSPACE ladder_code WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': 1}"
    )
    session.execute("CREATE TABLE ladder_code.kv (key uuid PRIMARY KEY, value blob)")
    yield session
    cluster.shutdown()


@pytest.mark.cassandra
@pytest.mark.parametrize("name", ["one-at-a-time", "batch", "window-default"])
def test_it_writes_all_rows(name: str, session: Session) -> None:
    session.execute("TRUNCATE ladder_code.kv")
    exec(RUNGS[name].code, {"session": session, "insert": session.prepare(INSERT), "rows": ROWS})
    assert sorted(session.execute("SELECT key, value FROM ladder_code.kv")) == ROWS


@pytest.mark.cassandra
def test_the_tuned_settings_connect(cassandra: EmbeddedCluster) -> None:
    code = RUNGS["window"].code.replace('["127.0.0.1"]', f'["{cassandra.host}"], port={cassandra.port}')
    names: dict[str, Any] = {}
    exec(code, names)
    cluster = names["cluster"]
    try:
        rows = cluster.connect().execute("SELECT key FROM system.local").all()
        assert rows == [("local",)]
    finally:
        cluster.shutdown()


@pytest.mark.cassandra
def test_frames_from_a_template(cassandra: EmbeddedCluster, session: Session) -> None:
    session.execute("TRUNCATE ladder_code.kv")
    with Client(cassandra.host, cassandra.port) as client:
        from cqlsurge.load.cql.requests import Startup

        client.ask(Startup({"CQL_VERSION": "3.0.0"}))
        prepared = client.prepare(INSERT)
        code = RUNGS["wire"].code.split("# In a program")[1].partition("\n")[2]
        exec(code, {"socket": client.socket, "insert_id": prepared.statement_id, "rows": ROWS})
        streams = {client.frame().stream for _ in ROWS}
    assert streams == set(range(len(ROWS)))
    assert sorted(session.execute("SELECT key, value FROM ladder_code.kv")) == ROWS


def test_all_of_it_is_python_or_commands() -> None:
    for rung in RUNGS.values():
        if not rung.code.startswith("uv "):
            compile(rung.code, rung.name, "exec")


def test_what_rungs_refer_to_is_there() -> None:
    page = ROOT / PAGE
    if not page.exists():
        pytest.skip(f"no {PAGE}")
    heads = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9 _-]", "", head.lower()).replace(" ", "-") for head in heads}
    assert {rung.section for rung in RUNGS.values()} <= anchors
    assert all((ROOT / "examples" / rung.example).exists() for rung in RUNGS.values() if rung.example)
