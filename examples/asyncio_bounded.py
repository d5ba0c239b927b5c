"""asyncio with bounded concurrency: CONCURRENCY workers, each awaiting one answer at a time; never a task per request.

python examples/asyncio_bounded.py [ADDRESS] [COUNT]
"""

import asyncio
import sys
import time
import uuid

from cassandra.cluster import Cluster

CONCURRENCY = 100
VALUE = bytes(1000)


def execute(session, statement, values):
    """The answer as an asyncio future. The driver calls back on its own thread, hence call_soon_threadsafe."""
    loop = asyncio.get_running_loop()
    answer = loop.create_future()

    def settle(method, outcome):
        if not answer.done():  # it may have been cancelled
            method(outcome)

    future = session.execute_async(statement, values)
    future.add_callbacks(
        lambda rows: loop.call_soon_threadsafe(settle, answer.set_result, rows),
        lambda error: loop.call_soon_threadsafe(settle, answer.set_exception, error),
    )
    return answer


async def worker(session, insert, numbers):
    """Writes the rows that it gets from the iterator, which all workers share."""
    for number in numbers:
        await execute(session, insert, (uuid.UUID(int=number), VALUE))


async def load(session, insert, count):
    """Writes rows 0 to count - 1."""
    numbers = iter(range(count))
    await asyncio.gather(*(worker(session, insert, numbers) for _ in range(CONCURRENCY)))


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
    asyncio.run(load(session, insert, count // 4))
    started_s, cpu_s = time.perf_counter(), time.process_time()
    asyncio.run(load(session, insert, count))
    took_s, cpu_s = time.perf_counter() - started_s, time.process_time() - cpu_s
    print(f"{count / took_s:,.0f} ops/s, {cpu_s * 1e6 / count:.1f} us of CPU per operation")
    cluster.shutdown()


if __name__ == "__main__":
    main()
