"""Conditional writes on a real Cassandra: applied or not is counted apart, and may be expected."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cqlsurge.cli.main import main

if TYPE_CHECKING:
    from cqlsurge.database.embedded import EmbeddedCluster

pytestmark = pytest.mark.cassandra

USERS = 300
WORKLOAD = """
workload: lwt
params: {{users: {users}}}
schema: |
  CREATE KEYSPACE IF NOT EXISTS {keyspace} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}};
  CREATE TABLE IF NOT EXISTS {keyspace}.users (id uuid PRIMARY KEY, name text, version int);
tables:
  {keyspace}.users: {{partitions: users, columns: {{id: uuid(p), name: word(50), version: v}}}}
statements:
  register:
    insert: {keyspace}.users
    if_not_exists: true
    serial_consistency: LOCAL_SERIAL
  again:
    insert: {keyspace}.users
    if_not_exists: true
    outcomes: {{not_applied: {not_applied}}}
phases:
  load: {{mix: register, operations: all, expect: {{register.applied: 100%}}}}
  run: {{mix: again, pick: {{any: uniform}}, operations: 200}}
"""


def run(cassandra: EmbeddedCluster, tmp_path: Path, *words: str, not_applied: str = "ok") -> tuple[int, dict[str, Any]]:
    file, result = tmp_path / "lwt.yaml", tmp_path / "run.json"
    keyspace = f"lwt_{abs(hash(tmp_path)) % 10**9}"
    file.write_text(WORKLOAD.format(users=USERS, keyspace=keyspace, not_applied=not_applied))
    options = ["--quiet", "--processes", "1", "--concurrency", "8", "--force", "--json", str(result)]
    code = main(["run", cassandra.address, "--workload", str(file), *options, *words])
    return code, json.loads(result.read_text())


@pytest.mark.parametrize("engine", ["wire", "scylla-driver"])
def test_what_was_applied_is_counted_apart(
    cassandra: EmbeddedCluster, tmp_path: Path, engine: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, document = run(cassandra, tmp_path, "--engine", engine, "--expect", "again.applied = 0%")
    assert code == 0, document["error_examples"]
    assert document["phases"][0]["statements"]["register"]["applied"] == USERS
    again = document["statements"]["again"]
    assert (again["ok"], again["applied"], again["not_applied"]) == (200, 0, 200)
    assert [one["holds"] for one in document["expectations"]] == [True, True]
    assert "0 applied, 200 not" in capsys.readouterr().out


def test_what_must_be_applied_and_is_not_has_failed(cassandra: EmbeddedCluster, tmp_path: Path) -> None:
    code, document = run(cassandra, tmp_path, not_applied="error")
    assert code == 1
    assert document["errors"] == {"not_applied": 200}
    assert document["operations"]["failed"] == 200
    assert document["operations"]["retries"] == 0


def test_an_expectation_that_fails_is_told(
    cassandra: EmbeddedCluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, document = run(cassandra, tmp_path, "--expect", "again.applied > 99%")
    assert code == 1
    assert not document["expectations"][-1]["holds"]
    assert "again.applied > 99%: did not hold, it was 0.000%" in capsys.readouterr().out
