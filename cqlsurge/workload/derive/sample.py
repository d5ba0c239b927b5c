"""A sample of a table's rows by token ranges all over the ring: whole partitions, read only, bounded in every way."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cqlsurge.errors import ClusterError
from cqlsurge.load.cql.types import NativeType
from cqlsurge.workload.cql_text import quote_name
from cqlsurge.workload.tables import CLUSTERING, PARTITION, REGULAR, Column, Table

if TYPE_CHECKING:
    from cassandra.cluster import ResultSet, Session

RING = 1 << 64
SLICES = 64
PAGE_ROWS = 1000
#: texts and blobs that may be held at a time
MOST_BYTES = 256 << 20

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Limits:
    """Where sampling ends: rows, rows a second, seconds."""

    rows: int = 100_000
    rows_per_s: float = 20_000
    time_s: float = 300


@dataclass
class Sample:
    """Rows by their columns, row counts of whole partitions, and how much of the ring these come from (0 to 1).

    `statics` are values of static columns, one a partition; `ttls_s` what is left of the TTLs of rows that have one,
    and `without_ttl` how many have none. `cut` tells how many partitions were too large to be read whole.
    """

    rows: dict[str, list[Any]]
    statics: dict[str, list[Any]]
    partition_rows: list[int] = field(default_factory=list)
    covered: float = 0.0
    ttls_s: list[int] = field(default_factory=list)
    without_ttl: int = 0
    cut: int = 0
    held_bytes: int = 0

    @property
    def row_count(self) -> int:
        """How many rows there are in it."""
        return sum(self.partition_rows)

    @property
    def partitions(self) -> int:
        """How many partitions the table has, by the part that was read."""
        if not self.covered:
            return len(self.partition_rows)
        return max(len(self.partition_rows), round(len(self.partition_rows) / self.covered))


class Sampler:
    """Reads one table."""

    def __init__(
        self, session: Session, table: Table, limits: Limits, seed: int = 1, progress: Progress | None = None
    ) -> None:
        self.session, self.table, self.limits = session, table, limits
        self.progress = progress or (lambda rows, of: None)
        self.key = table.of_kind(PARTITION)
        self.clustering = table.of_kind(CLUSTERING)
        self.ttl_of = _with_ttl(table)
        self._random = random.Random(seed)
        self._statement = self._prepare()
        kinds = {column.name: column.kind for column in table.columns}
        statics = [name for name, kind in kinds.items() if kind == "static"]
        self.sample = Sample({name: [] for name in kinds if name not in statics}, {name: [] for name in statics})

    def _prepare(self) -> Any:
        from cassandra import ConsistencyLevel, DriverException
        from cassandra.protocol import ErrorMessage

        key = ", ".join(quote_name(column.name) for column in self.key)
        names = [quote_name(column.name) for column in self.table.columns]
        ttl = [f"TTL({quote_name(self.ttl_of.name)})"] if self.ttl_of else []
        cql = (
            f"SELECT token({key}), {', '.join([*names, *ttl])} FROM {self.table.cql_name} "
            f"WHERE token({key}) > ? AND token({key}) <= ? LIMIT ?"
        )
        try:
            statement = self.session.prepare(cql)
        except (DriverException, ErrorMessage) as error:
            raise ClusterError(f"{self.table.cql_name} cannot be read: {error}") from error
        statement.consistency_level = ConsistencyLevel.LOCAL_ONE
        statement.fetch_size = PAGE_ROWS
        return statement

    def read(self) -> Sample:
        """The sample. Raises ClusterError."""
        from cassandra import DriverException
        from cassandra.cluster import NoHostAvailable
        from cassandra.protocol import ErrorMessage

        started = time.monotonic()
        slices = list(range(SLICES))
        self._random.shuffle(slices)
        width = RING // SLICES
        for number in slices:
            left = self.limits.rows - self.sample.row_count
            if left <= 0 or self.sample.held_bytes > MOST_BYTES or time.monotonic() - started > self.limits.time_s:
                break
            low = number * width - (RING >> 1)
            high = low + width if number < SLICES - 1 else (RING >> 1) - 1
            try:
                self._read_slice(low, high, min(left, max(PAGE_ROWS, self.limits.rows // 16)), started)
            except (DriverException, NoHostAvailable, ErrorMessage) as error:
                raise ClusterError(f"{self.table.cql_name} cannot be read on: {error}") from error
        return self.sample

    def _read_slice(self, low: int, high: int, limit: int, started: float) -> None:
        """Reads whole partitions of a slice until it ends or has given `limit` rows; the last one then is left out."""
        result: ResultSet = self.session.execute(self._statement, (low, high, limit))
        partition: list[Any] = []
        token, last_whole, count = low, low, 0
        while True:
            for row in result.current_rows:
                values = tuple(row)
                count += 1
                if partition and not self._same(partition[-1], values):
                    self._take(partition)
                    last_whole = token
                    partition = []
                token = values[0]
                partition.append(values)
            self.progress(min(self.limits.rows, self.sample.row_count + len(partition)), self.limits.rows)
            if not result.has_more_pages:
                break
            self._pace(started, count)
            result.fetch_next_page()
        if count < limit:
            if partition:
                self._take(partition)
            last_whole = high
        elif partition:
            self.sample.cut += 1
            if last_whole == low:
                # One partition is all that was seen: better its beginning than nothing.
                self._take(partition)
                last_whole = token
        self.sample.covered += (last_whole - low) / RING

    def _same(self, one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
        end = 1 + len(self.key)
        return one[:end] == other[:end]

    def _take(self, partition: Sequence[tuple[Any, ...]]) -> None:
        """Adds a partition's rows."""
        columns = self.table.columns
        first_clustering = len(self.key) + 1
        rows = 0
        for values in partition:
            if self.clustering and values[first_clustering] is None:
                continue  # a partition that has static columns only
            rows += 1
            for column, value in zip(columns, values[1:], strict=False):
                if column.name in self.sample.rows:
                    self.sample.rows[column.name].append(value)
                    if isinstance(value, (str, bytes)):
                        self.sample.held_bytes += len(value)
            if self.ttl_of is not None:
                if values[-1] is not None:
                    self.sample.ttls_s.append(values[-1])
                else:
                    self.sample.without_ttl += 1
        self.sample.partition_rows.append(rows)
        for column, value in zip(columns, partition[0][1:], strict=False):
            if column.name in self.sample.statics:
                self.sample.statics[column.name].append(value)

    def _pace(self, started: float, count: int) -> None:
        due_s = (self.sample.row_count + count) / self.limits.rows_per_s
        ahead_s = due_s - (time.monotonic() - started)
        if ahead_s > 0:
            time.sleep(min(ahead_s, 1.0))


def _with_ttl(table: Table) -> Column | None:
    """The first column whose TTL can be asked for."""
    for column in table.of_kind(REGULAR):
        if isinstance(column.type, NativeType) and not column.is_counter:
            return column
    return None
