"""Reading a whole table: token ranges side by side, each page asked for while the one before is used.

python examples/paging.py [ADDRESS] [COUNT] [PAGE_SIZE]
"""

import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

from cassandra.cluster import Cluster
from cassandra.concurrent import execute_concurrent_with_args

RANGES = 16
AT_ONCE = 4
FIRST, LAST = -(2**63), 2**63 - 1


def rows_of(session, select, first, last):
    """Yields the rows with tokens in (first, last], a page in hand and the next on its way."""
    statement = select.bind((first, last))
    page = session.execute(statement)
    while True:
        rows, state = page.current_rows, page.paging_state
        coming = session.execute_async(statement, paging_state=state) if state else None
        yield from rows
        if coming is None:
            return
        page = coming.result()


def main():
    """Writes the rows, reads them all, measures the reading."""
    address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9042"
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 50_000
    host, _, port = address.partition(":")
    cluster = Cluster([host], port=int(port or 9042))
    session = cluster.connect()
    session.execute(
        "CREATE KEYSPACE IF NOT EXISTS examples WITH replication ="
        " {'class': 'NetworkTopologyStrategy', 'replication_factor': 1}"
    )
    session.execute("CREATE TABLE IF NOT EXISTS examples.paged (key uuid PRIMARY KEY, value blob)")
    session.execute("TRUNCATE examples.paged")
    insert = session.prepare("INSERT INTO examples.paged (key, value) VALUES (?, ?)")
    rows = ((uuid.UUID(int=number), bytes(100)) for number in range(count))
    execute_concurrent_with_args(session, insert, rows, concurrency=100)

    select = session.prepare("SELECT key, value FROM examples.paged WHERE token(key) > ? AND token(key) <= ?")
    select.fetch_size = int(sys.argv[3]) if len(sys.argv) > 3 else 1000
    ends = [FIRST + (LAST - FIRST) * at // RANGES for at in range(RANGES + 1)]
    started_s, cpu_s = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = sum(
            pool.map(lambda at: sum(1 for _ in rows_of(session, select, ends[at], ends[at + 1])), range(RANGES))
        )
    took_s, cpu_s = time.perf_counter() - started_s, time.process_time() - cpu_s
    print(f"{found:,} rows: {found / took_s:,.0f} rows/s, {cpu_s * 1e6 / found:.1f} us of CPU per row")
    cluster.shutdown()


if __name__ == "__main__":
    main()
