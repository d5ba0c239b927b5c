"""The rows of the simulated cluster: one copy for all nodes, in memory, with Cassandra's last-write-wins rules.

A cell is (write time in us, value or None for a deletion, expiry in us or None). Keys are serialized values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable, Iterator

ClusteringKey = tuple[bytes, ...]
NEVER = -(1 << 63)


class Cell(NamedTuple):
    timestamp_us: int
    value: bytes | None
    expires_us: int | None = None


class Row:
    """One row: its cells by column, the write that made it (INSERT's row marker), and the last deletion of it all."""

    __slots__ = ("cells", "deleted_us", "marker")

    def __init__(self) -> None:
        self.cells: dict[str, Cell] = {}
        self.marker: Cell | None = None
        self.deleted_us = NEVER

    def put(self, column: str, cell: Cell) -> None:
        """Keep the later of two writes; at the same time a deletion, else the greater value, wins."""
        old = self.cells.get(column)
        if old is None or cell.timestamp_us > old.timestamp_us:
            self.cells[column] = cell
        elif cell.timestamp_us == old.timestamp_us and old.value is not None:
            self.cells[column] = cell if cell.value is None or cell.value > old.value else old

    def mark(self, cell: Cell) -> None:
        if self.marker is None or cell.timestamp_us >= self.marker.timestamp_us:
            self.marker = cell

    def delete(self, timestamp_us: int) -> None:
        self.deleted_us = max(self.deleted_us, timestamp_us)

    def live(self, after_us: int, now_us: int) -> dict[str, Cell] | None:
        """The cells that still count, given the partition's deletion; None when the row is gone."""
        floor = max(after_us, self.deleted_us)
        cells = {name: cell for name, cell in self.cells.items() if _alive(cell, floor, now_us)}
        if cells or (self.marker is not None and _alive(self.marker, floor, now_us)):
            return cells
        return None


def _alive(cell: Cell, floor_us: int, now_us: int) -> bool:
    expired = cell.expires_us is not None and cell.expires_us <= now_us
    return cell.value is not None and cell.timestamp_us > floor_us and not expired


class Partition:
    """The rows of one partition key, and its static cells."""

    __slots__ = ("deleted_us", "rows", "statics")

    def __init__(self) -> None:
        self.rows: dict[ClusteringKey, Row] = {}
        self.statics = Row()
        self.deleted_us = NEVER

    def row(self, clustering: ClusteringKey) -> Row:
        row = self.rows.get(clustering)
        if row is None:
            row = self.rows[clustering] = Row()
        return row

    def live_rows(self, now_us: int) -> Iterator[tuple[ClusteringKey, dict[str, Cell]]]:
        for clustering, row in self.rows.items():
            cells = row.live(self.deleted_us, now_us)
            if cells is not None:
                yield clustering, cells

    def live_statics(self, now_us: int) -> dict[str, Cell]:
        return self.statics.live(self.deleted_us, now_us) or {}


PartitionKey = tuple[bytes, ...]


class Store:
    """Partitions by table and partition key."""

    def __init__(self) -> None:
        self._tables: dict[uuid.UUID, dict[PartitionKey, Partition]] = {}

    def find(self, table: uuid.UUID, key: PartitionKey) -> Partition | None:
        partitions = self._tables.get(table)
        return partitions.get(key) if partitions else None

    def partition(self, table: uuid.UUID, key: PartitionKey) -> Partition:
        """The partition, made if it is not there."""
        partitions = self._tables.get(table)
        if partitions is None:
            partitions = self._tables[table] = {}
        partition = partitions.get(key)
        if partition is None:
            partition = partitions[key] = Partition()
        return partition

    def all(self, table: uuid.UUID) -> Iterable[tuple[PartitionKey, Partition]]:
        return list(self._tables.get(table, {}).items())

    def forget(self, table: uuid.UUID) -> None:
        """Truncate or drop."""
        self._tables.pop(table, None)
