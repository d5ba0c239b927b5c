"""The system tables' own definitions, in CQL; columns and types as ScyllaDB 2026.1 and Cassandra 5.0 have them."""

from __future__ import annotations

LOCAL = """
CREATE TABLE system.local (
    key text PRIMARY KEY, bootstrapped text, broadcast_address inet, broadcast_port int, cluster_name text,
    cql_version text, data_center text, gossip_generation int, host_id uuid, listen_address inet, listen_port int,
    native_protocol_version text, partitioner text, rack text, release_version text, rpc_address inet, rpc_port int,
    schema_version uuid, supported_features text, tokens set<text>, truncated_at map<uuid, blob>)
"""
PEERS = """
CREATE TABLE system.peers (
    peer inet PRIMARY KEY, data_center text, host_id uuid, preferred_ip inet, rack text, release_version text,
    rpc_address inet, schema_version uuid, supported_features text, tokens set<text>)
"""
PEERS_V2 = """
CREATE TABLE system.peers_v2 (
    peer inet, peer_port int, data_center text, host_id uuid, native_address inet, native_port int, preferred_ip inet,
    preferred_port int, rack text, release_version text, schema_version uuid, tokens set<text>,
    PRIMARY KEY (peer, peer_port))
"""
TABLETS = """
CREATE TABLE system.tablets (
    table_id uuid, last_token bigint, base_table uuid static, keyspace_name text static, table_name text static,
    tablet_count int static, new_replicas frozen<list<frozen<tuple<uuid, int>>>>,
    replicas frozen<list<frozen<tuple<uuid, int>>>>, session uuid, stage text, transition text,
    PRIMARY KEY (table_id, last_token))
"""
CLIENTS = """
CREATE TABLE system.clients (
    address inet, port int, client_type text, connection_stage text, driver_name text, driver_version text,
    hostname text, protocol_version int, shard_id int, ssl_enabled boolean, username text,
    client_options frozen<map<text, text>>, PRIMARY KEY (address, port, client_type))
"""
VERSIONS = "CREATE TABLE system.versions (key text PRIMARY KEY, build_id text, build_mode text, version text)"
SIZE_ESTIMATES = """
CREATE TABLE system.size_estimates (
    keyspace_name text, table_name text, range_start text, range_end text, mean_partition_size bigint,
    partitions_count bigint, PRIMARY KEY (keyspace_name, table_name, range_start, range_end))
"""
COMPACTION_HISTORY = """
CREATE TABLE system.compaction_history (
    id uuid PRIMARY KEY, bytes_in bigint, bytes_out bigint, columnfamily_name text, compacted_at timestamp,
    keyspace_name text, rows_merged map<int, bigint>)
"""
KEYSPACES = """
CREATE TABLE system_schema.keyspaces (
    keyspace_name text PRIMARY KEY, durable_writes boolean, replication frozen<map<text, text>>)
"""
TABLES = """
CREATE TABLE system_schema.tables (
    keyspace_name text, table_name text, bloom_filter_fp_chance double, caching frozen<map<text, text>>, comment text,
    compaction frozen<map<text, text>>, compression frozen<map<text, text>>, crc_check_chance double,
    dclocal_read_repair_chance double, default_time_to_live int, extensions frozen<map<text, blob>>,
    flags frozen<set<text>>, gc_grace_seconds int, id uuid, max_index_interval int, memtable_flush_period_in_ms int,
    min_index_interval int, read_repair_chance double, speculative_retry text, PRIMARY KEY (keyspace_name, table_name))
"""
COLUMNS = """
CREATE TABLE system_schema.columns (
    keyspace_name text, table_name text, column_name text, clustering_order text, column_name_bytes blob, kind text,
    position int, type text, PRIMARY KEY (keyspace_name, table_name, column_name))
"""
TYPES = """
CREATE TABLE system_schema.types (
    keyspace_name text, type_name text, field_names frozen<list<text>>, field_types frozen<list<text>>,
    PRIMARY KEY (keyspace_name, type_name))
"""
VIEWS = """
CREATE TABLE system_schema.views (
    keyspace_name text, view_name text, base_table_id uuid, base_table_name text, bloom_filter_fp_chance double,
    caching frozen<map<text, text>>, comment text, compaction frozen<map<text, text>>,
    compression frozen<map<text, text>>, crc_check_chance double, dclocal_read_repair_chance double,
    default_time_to_live int, extensions frozen<map<text, blob>>, gc_grace_seconds int, id uuid,
    include_all_columns boolean, max_index_interval int, memtable_flush_period_in_ms int, min_index_interval int,
    read_repair_chance double, speculative_retry text, where_clause text, PRIMARY KEY (keyspace_name, view_name))
"""
FUNCTIONS = """
CREATE TABLE system_schema.functions (
    keyspace_name text, function_name text, argument_types frozen<list<text>>, argument_names frozen<list<text>>,
    body text, called_on_null_input boolean, language text, return_type text,
    PRIMARY KEY (keyspace_name, function_name, argument_types))
"""
AGGREGATES = """
CREATE TABLE system_schema.aggregates (
    keyspace_name text, aggregate_name text, argument_types frozen<list<text>>, final_func text, initcond text,
    return_type text, state_func text, state_type text,
    PRIMARY KEY (keyspace_name, aggregate_name, argument_types))
"""
INDEXES = """
CREATE TABLE system_schema.indexes (
    keyspace_name text, table_name text, index_name text, kind text, options frozen<map<text, text>>,
    PRIMARY KEY (keyspace_name, table_name, index_name))
"""
TRIGGERS = """
CREATE TABLE system_schema.triggers (
    keyspace_name text, table_name text, trigger_name text, options frozen<map<text, text>>,
    PRIMARY KEY (keyspace_name, table_name, trigger_name))
"""
SCYLLA_TABLES = """
CREATE TABLE system_schema.scylla_tables (
    keyspace_name text, table_name text, cdc frozen<map<text, text>>, in_memory boolean, partitioner text,
    per_partition_rate_limit frozen<map<text, text>>, tablets frozen<map<text, text>>, version uuid,
    PRIMARY KEY (keyspace_name, table_name))
"""
SCYLLA_KEYSPACES = """
CREATE TABLE system_schema.scylla_keyspaces (
    keyspace_name text PRIMARY KEY, consistency text, initial_tablets int, storage_options frozen<map<text, text>>,
    storage_type text)
"""
VIRTUAL_KEYSPACES = "CREATE TABLE system_virtual_schema.keyspaces (keyspace_name text PRIMARY KEY)"
VIRTUAL_TABLES = """
CREATE TABLE system_virtual_schema.tables (
    keyspace_name text, table_name text, comment text, PRIMARY KEY (keyspace_name, table_name))
"""
VIRTUAL_COLUMNS = """
CREATE TABLE system_virtual_schema.columns (
    keyspace_name text, table_name text, column_name text, clustering_order text, column_name_bytes blob, kind text,
    position int, type text, PRIMARY KEY (keyspace_name, table_name, column_name))
"""

_BOTH = (
    LOCAL, PEERS, SIZE_ESTIMATES, COMPACTION_HISTORY, KEYSPACES, TABLES, COLUMNS, TYPES, VIEWS, FUNCTIONS, AGGREGATES,
    INDEXES, TRIGGERS,
)  # fmt: skip
SCYLLA = (*_BOTH, TABLETS, CLIENTS, VERSIONS, SCYLLA_TABLES, SCYLLA_KEYSPACES)
CASSANDRA = (*_BOTH, PEERS_V2, VIRTUAL_KEYSPACES, VIRTUAL_TABLES, VIRTUAL_COLUMNS)
