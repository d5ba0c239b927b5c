"""Shard-aware port: whether the driver has a connection to each shard of each node, and how it got them.

python examples/shard_aware.py [ADDRESS] [COUNT]
"""

import sys
import time
import uuid

from cassandra.cluster import Cluster
from cassandra.concurrent import execute_concurrent_with_args

VALUE = bytes(1000)


def main():
    """Connects, waits for the connections, says which shards have one, writes COUNT rows."""
    address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9042"
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    host, _, port = address.partition(":")
    # The ordinary port is right here: the driver learns the shard-aware one from the nodes. Behind NAT or a published
    # Docker port the client's port is changed on its way and picks a wrong shard:
    # shard_aware_options={"disable_shardaware_port": True} makes the driver go without.
    cluster = Cluster([host], port=int(port or 9042))
    session = cluster.connect()
    if not cluster.is_shard_aware():
        print("no shards: this is no ScyllaDB")
    else:
        deadline_s = time.monotonic() + 10
        while any(node["connected"] < node["shards_count"] for node in cluster.shard_aware_stats().values()):
            if time.monotonic() > deadline_s:
                break
            time.sleep(0.1)
        for name, node in cluster.shard_aware_stats().items():
            print(f"{name}: {node['connected']} of {node['shards_count']} shards have a connection")
    session.execute(
        "CREATE KEYSPACE IF NOT EXISTS examples WITH replication ="
        " {'class': 'NetworkTopologyStrategy', 'replication_factor': 1}"
    )
    session.execute("CREATE TABLE IF NOT EXISTS examples.kv (key uuid PRIMARY KEY, value blob)")
    insert = session.prepare("INSERT INTO examples.kv (key, value) VALUES (?, ?)")
    started_s, cpu_s = time.perf_counter(), time.process_time()
    rows = ((uuid.UUID(int=number), VALUE) for number in range(count))
    execute_concurrent_with_args(session, insert, rows, concurrency=100)
    took_s, cpu_s = time.perf_counter() - started_s, time.process_time() - cpu_s
    print(f"{count / took_s:,.0f} ops/s, {cpu_s * 1e6 / count:.1f} us of CPU per operation")
    cluster.shutdown()


if __name__ == "__main__":
    main()
