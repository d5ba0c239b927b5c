"""Rows of the system tables, made from topology and schema each time they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cqlsurge.load.cql.extensions import MURMUR3
from cqlsurge.simulator.topology import SCYLLA_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from cqlsurge.simulator.schema import Schema, Table
    from cqlsurge.simulator.topology import SimulatedNode, Topology

Row = dict[str, Any]

# What CREATE TABLE leaves unsaid.
TABLE_DEFAULTS: Row = {
    "bloom_filter_fp_chance": 0.01,
    "caching": {"keys": "ALL", "rows_per_partition": "ALL"},
    "comment": "",
    "compaction": {"class": "SizeTieredCompactionStrategy"},
    "compression": {"sstable_compression": "org.apache.cassandra.io.compress.LZ4Compressor"},
    "crc_check_chance": 1.0,
    "dclocal_read_repair_chance": 0.0,
    "default_time_to_live": 0,
    "extensions": {},
    "flags": {"compound"},
    "gc_grace_seconds": 864000,
    "max_index_interval": 2048,
    "memtable_flush_period_in_ms": 0,
    "min_index_interval": 128,
    "read_repair_chance": 0.0,
    "speculative_retry": "99.0PERCENTILE",
}


class SystemRows:
    """`rows(table name, node)` of any system table, as dicts of Python values; absent columns are null."""

    def __init__(self, topology: Topology, schema: Schema, clients: Callable[[SimulatedNode], Iterable[Row]]) -> None:
        self.topology = topology
        self.schema = schema
        self._makers: dict[str, Callable[[SimulatedNode], Iterable[Row]]] = {
            "system.local": self._local,
            "system.peers": self._peers,
            "system.peers_v2": self._peers_v2,
            "system.tablets": self._tablets,
            "system.clients": clients,
            "system.versions": self._versions,
            "system_schema.keyspaces": self._keyspaces,
            "system_schema.tables": self._tables,
            "system_schema.columns": self._columns,
            "system_schema.types": self._types,
            "system_schema.scylla_tables": self._scylla_tables,
            "system_schema.scylla_keyspaces": self._scylla_keyspaces,
        }

    def rows(self, table: Table, node: SimulatedNode) -> list[Row]:
        maker = self._makers.get(f"{table.keyspace}.{table.name}")
        return list(maker(node)) if maker else []

    def _common(self, node: SimulatedNode) -> Row:
        return {
            "data_center": node.datacenter,
            "host_id": node.host_id,
            "rack": node.rack,
            "release_version": self.topology.release_version,
            "rpc_address": node.address,
            "schema_version": self.schema.version,
            "tokens": {str(token) for token in node.tokens},
        }

    def _local(self, node: SimulatedNode) -> Iterator[Row]:
        yield {
            **self._common(node),
            "key": "local",
            "bootstrapped": "COMPLETED",
            "broadcast_address": node.address,
            "broadcast_port": 7000,
            "cluster_name": self.topology.cluster_name,
            "cql_version": "3.3.1" if self.topology.scylla else "3.4.7",
            "gossip_generation": 1,
            "listen_address": node.address,
            "listen_port": 7000,
            "native_protocol_version": "4" if self.topology.scylla else "5",
            "partitioner": MURMUR3,
            "rpc_port": self.topology.port,
            "supported_features": "TABLETS" if self.topology.scylla else None,
        }

    def _others(self, node: SimulatedNode) -> Iterator[SimulatedNode]:
        return (other for other in self.topology.nodes if other is not node)

    def _peers(self, node: SimulatedNode) -> Iterator[Row]:
        for other in self._others(node):
            yield {**self._common(other), "peer": other.address, "preferred_ip": other.address}

    def _peers_v2(self, node: SimulatedNode) -> Iterator[Row]:
        for other in self._others(node):
            yield {
                **self._common(other),
                "peer": other.address,
                "peer_port": 7000,
                "native_address": other.address,
                "native_port": self.topology.port,
            }

    def _versions(self, _: SimulatedNode) -> Iterator[Row]:
        yield {"key": "local", "version": SCYLLA_VERSION, "build_mode": "release", "build_id": "simulated"}

    def _tablets(self, _: SimulatedNode) -> Iterator[Row]:
        for table in self.schema.tables():
            tablets = table.placement.tablets if table.placement else None
            if tablets is None:
                continue
            for last, replicas in zip(tablets.last_tokens, tablets.replica_sets):  # noqa: B905
                yield {
                    "table_id": table.id,
                    "last_token": last,
                    "keyspace_name": table.keyspace,
                    "table_name": table.name,
                    "tablet_count": len(tablets),
                    "replicas": list(replicas),
                }

    def _keyspaces(self, _: SimulatedNode) -> Iterator[Row]:
        for keyspace in self.schema.keyspaces.values():
            yield {
                "keyspace_name": keyspace.name,
                "durable_writes": keyspace.durable_writes,
                "replication": keyspace.replication,
            }

    def _tables(self, _: SimulatedNode) -> Iterator[Row]:
        for table in self.schema.tables():
            known = {name: value for name, value in table.options.items() if name in TABLE_DEFAULTS}
            names = {"keyspace_name": table.keyspace, "table_name": table.name, "id": table.id}
            yield {**TABLE_DEFAULTS, **known, **names}

    def _columns(self, _: SimulatedNode) -> Iterator[Row]:
        for table in self.schema.tables():
            for column in table.in_order():
                clustered = column.kind == "clustering"
                yield {
                    "keyspace_name": table.keyspace,
                    "table_name": table.name,
                    "column_name": column.name,
                    "column_name_bytes": column.name.encode(),
                    "clustering_order": ("desc" if column.descending else "asc") if clustered else "none",
                    "kind": column.kind,
                    "position": column.position,
                    "type": column.text,
                }

    def _types(self, _: SimulatedNode) -> Iterator[Row]:
        for keyspace in self.schema.keyspaces.values():
            for kind in keyspace.types.values():
                yield {
                    "keyspace_name": keyspace.name,
                    "type_name": kind.type.name,
                    "field_names": [name for name, _ in kind.fields],
                    "field_types": [text for _, text in kind.fields],
                }

    def _scylla_tables(self, _: SimulatedNode) -> Iterator[Row]:
        for table in self.schema.tables():
            yield {"keyspace_name": table.keyspace, "table_name": table.name, "version": table.id}

    def _scylla_keyspaces(self, _: SimulatedNode) -> Iterator[Row]:
        for keyspace in self.schema.keyspaces.values():
            if keyspace.tablets:
                yield {"keyspace_name": keyspace.name, "initial_tablets": keyspace.tablets}
