"""20000 rows through scylla-driver or cassandra-driver: HOST PORT CONTROL_URL ROWS; prints what it saw as JSON."""

from __future__ import annotations

import json
import sys
import time
import urllib.request
import uuid

from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
from cassandra.concurrent import execute_concurrent_with_args
from cassandra.policies import RoundRobinPolicy, TokenAwarePolicy

WAIT_S = 20


def counts(control: str, path: str = "", body: bytes | None = None) -> dict:
    with urllib.request.urlopen(urllib.request.Request(control + path, data=body), timeout=20) as answer:
        return json.load(answer)


def connect(host: str, port: int) -> Cluster:
    profile = ExecutionProfile(load_balancing_policy=TokenAwarePolicy(RoundRobinPolicy()), request_timeout=60)
    return Cluster([host], port=port, protocol_version=4, execution_profiles={EXEC_PROFILE_DEFAULT: profile})


def wait_for_shards(session) -> dict[str, list[int]]:
    """Connections of each node against its shards, once they agree or time is up."""
    deadline = time.monotonic() + WAIT_S
    while True:
        pools = {
            pool.host.address: [getattr(pool, "open_count", 1), info.shards_count]
            for pool in session.get_pools()
            if (info := getattr(pool.host, "sharding_info", None))
        }
        if all(have == want for have, want in pools.values()) or time.monotonic() > deadline:
            return pools
        time.sleep(0.05)


def main() -> None:
    host, port, control, rows = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    cluster = connect(host, port)
    session = cluster.connect()
    session.execute(
        "CREATE KEYSPACE ks WITH replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': 2}"
    )
    session.execute("CREATE TABLE ks.kv (key uuid PRIMARY KEY, value blob)")
    insert = session.prepare("INSERT INTO ks.kv (key, value) VALUES (?, ?)")
    select = session.prepare("SELECT key, value FROM ks.kv WHERE key = ?")
    pools = wait_for_shards(session)
    keys = [uuid.uuid4() for _ in range(rows)]
    written = execute_concurrent_with_args(session, insert, [(key, key.bytes * 4) for key in keys], concurrency=100)
    counts(control, "reset", b"{}")
    read = execute_concurrent_with_args(session, select, [(key,) for key in keys], concurrency=100)
    said = {
        "hosts": len(cluster.metadata.all_hosts()),
        "pools": pools,
        "written": sum(success for success, _ in written),
        "read": sum(
            success and [tuple(row) for row in found] == [(key, key.bytes * 4)]
            for key, (success, found) in zip(keys, read, strict=True)
        ),
        "counts": counts(control)["total"],
    }
    cluster.shutdown()
    print(json.dumps(said))


main()
