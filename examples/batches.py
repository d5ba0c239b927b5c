"""Batches with a barrier: many requests at once, and the next batch when the last of them is answered.

python examples/batches.py [ADDRESS] [COUNT]
"""

import sys
import time
import uuid

from cassandra.cluster import Cluster
from cassandra.concurrent import execute_concurrent_with_args

CONCURRENCY = 100
VALUE = bytes(1000)


def load(session, insert, count):
    """Writes rows 0 to count - 1."""
    for first in range(0, count, CONCURRENCY):
        rows = [(uuid.UUID(int=number), VALUE) for number in range(first, min(first + CONCURRENCY, count))]
        execute_concurrent_with_args(session, insert, rows, concurrency=CONCURRENCY)


def main():
    """Connects, warms up with a quarter of the rows, measures."""
    address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9042"
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 50_000
    host, _, port = address.partition(":")
    cluster = Cluster([host], port=int(port or 9042))
    session = cluster.connect()
    session.execute(
        "CREATE KEYSPACE IF NOT EXISTS examples WITH replication ="
        " {'class': 'NetworkTopologyStrategy', 'replication_factor': 1}"
    )
    session.execute("CREATE TABLE IF NOT EXISTS examples.kv (key uuid PRIMARY KEY, value blob)")
    insert = session.prepare("INSERT INTO examples.kv (key, value) VALUES (?, ?)")
    load(session, insert, count // 4)
    started_s, cpu_s = time.perf_counter(), time.process_time()
    load(session, insert, count)
    took_s, cpu_s = time.perf_counter() - started_s, time.process_time() - cpu_s
    print(f"{count / took_s:,.0f} ops/s, {cpu_s * 1e6 / count:.1f} us of CPU per operation")
    cluster.shutdown()


if __name__ == "__main__":
    main()
