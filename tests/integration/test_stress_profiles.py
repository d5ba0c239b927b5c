"""Profiles of cassandra-stress on a real Cassandra: load, then all operations alike, without an error.

How: each profile is imported, and the plain interpreter's operations are sent by scylla-driver, so that what is said
here holds for any engine. Rows are found where the profile says that there are some.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cassandra.cluster import Cluster, Session
from cassandra.query import UNSET_VALUE, BatchStatement, BatchType, BoundStatement, SimpleStatement

from cqlsurge.load.cql.primitives import UNSET
from cqlsurge.load.workload.operations import SpecWorkload
from cqlsurge.workload.imports.cassandra_stress.profile import read_profile
from cqlsurge.workload.imports.files import import_stress
from cqlsurge.workload.loader import load_workload

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cqlsurge.database.embedded import EmbeddedCluster

pytestmark = [pytest.mark.cassandra, pytest.mark.long, pytest.mark.timeout(240)]
PROFILES = Path(__file__).parent.parent / "workload" / "imports" / "profiles"
SEEDS, MIXED = 150, 400
BATCHES = {"logged": BatchType.LOGGED, "unlogged": BatchType.UNLOGGED, "counter": BatchType.COUNTER}
#: reads that must find what the load has written: all rows of the partition
WHOLE = {
    "narrow": "day", "views": "read_user", "indexes": "by_id", "comments": "read-all", "lists": "read",
}  # fmt: skip
#: reads that find something, at the least
SOME = {
    "counters": "all-hours", "wide": "head", "six_clustering": "partition", "all_types": "read", "lwt": "serial_read",
    "lwt_view": "read_view", "sets": "read",
}  # fmt: skip


@pytest.fixture(scope="module")
def session(cassandra: EmbeddedCluster) -> Iterator[Session]:
    cluster = Cluster([cassandra.host], port=cassandra.port, protocol_version=4)
    yield cluster.connect()
    cluster.shutdown()


class Run:
    """Sends a workload's operations, one after the other."""

    def __init__(self, session: Session, name: str, line: str) -> None:
        self.session = session
        imported = import_stress(line, str(PROFILES / f"{name}.yaml"))
        spec = load_workload(imported.text, f"{name}.yaml", {})
        for cql in spec.schema:
            session.execute(cql, timeout=60)
        self.made = SpecWorkload(spec, "run", 1)
        self.prepared = [self._prepare(statement) for statement in self.made.statements]
        #: by statement: operations, rows, and those that found all rows of their partition
        self.operations: Counter[str] = Counter()
        self.rows: Counter[str] = Counter()
        self.whole: Counter[str] = Counter()

    def _prepare(self, statement: Any) -> list[Any]:
        if statement.batch:
            return [self.session.prepare(child.cql) for child in statement.children]
        return [self.session.prepare(statement.cql) if statement.prepared else SimpleStatement(statement.cql)]

    def send(self, count: int) -> None:
        for number in range(count):
            operation = self.made.operation(number)
            statement, prepared = self.made.statements[operation.kind], self.prepared[operation.kind]
            self.operations[statement.name] += 1
            if statement.batch:
                batch = BatchStatement(BATCHES[statement.batch])
                for child, cells in operation.batch:
                    batch.add(bound(prepared[child], cells))
                self.session.execute(batch)
                self.rows[statement.name] += len(operation.batch)
                continue
            query = bound(prepared[0], operation.cells) if statement.prepared else prepared[0]
            rows = len(list(self.session.execute(query)))
            self.rows[statement.name] += rows
            table = self.made.spec.table(statement.table)
            self.whole[statement.name] += rows == self.made.run.row_counts[table.name](operation.partition)


def bound(prepared: Any, cells: Sequence[Any]) -> BoundStatement:
    """A statement with cells as they are."""
    made = BoundStatement(prepared)
    made.values = [UNSET_VALUE if cell is UNSET else cell for cell in cells]
    return made


def test_each_profile_is_tried() -> None:
    assert sorted([*WHOLE, *SOME]) == sorted(path.stem for path in PROFILES.glob("*.yaml"))


@pytest.mark.parametrize("name", [*WHOLE, *SOME])
def test_a_profile_loads_and_runs(session: Session, name: str) -> None:
    text = (PROFILES / f"{name}.yaml").read_text(encoding="utf-8")
    profile = read_profile(text, name)
    load = Run(session, name, f"user ops(insert=1) n={SEEDS} -pop seq=1..{SEEDS}")
    load.send(SEEDS)
    ops = ",".join(f"{one}=1" for one in ["insert", *profile.queries, *profile.token_ranges])
    mixed = Run(session, name, f"user ops({ops}) n={MIXED} -pop seq=1..{SEEDS}")
    mixed.send(MIXED)
    assert set(mixed.operations) == {"insert", *profile.queries, *profile.token_ranges}
    if name in WHOLE:
        assert mixed.whole[WHOLE[name]] == mixed.operations[WHOLE[name]]
    else:
        assert mixed.rows[SOME[name]] > 0
