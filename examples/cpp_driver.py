"""The C++ driver under asyncio: the same bounded concurrency as asyncio_bounded.py, with requests made outside Python.

uv run --with acsylla python examples/cpp_driver.py [ADDRESS] [COUNT]
"""

import asyncio
import sys
import time
import uuid

import acsylla

CONCURRENCY = 100
VALUE = bytes(1000)


async def worker(session, insert, numbers):
    """Writes the rows that it gets from the iterator, which all workers share."""
    for number in numbers:
        await session.execute(insert.bind([uuid.UUID(int=number), VALUE]))


async def load(session, insert, count):
    """Writes rows 0 to count - 1."""
    numbers = iter(range(count))
    await asyncio.gather(*(worker(session, insert, numbers) for _ in range(CONCURRENCY)))


async def main():
    """Connects, warms up with a quarter of the rows, measures."""
    address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9042"
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 50_000
    host, _, port = address.partition(":")
    session = await acsylla.create_cluster([host], port=int(port or 9042), protocol_version=4).create_session()
    await session.execute(
        acsylla.create_statement(
            "CREATE KEYSPACE IF NOT EXISTS examples WITH replication ="
            " {'class': 'NetworkTopologyStrategy', 'replication_factor': 1}"
        )
    )
    await session.execute(
        acsylla.create_statement("CREATE TABLE IF NOT EXISTS examples.kv (key uuid PRIMARY KEY, value blob)")
    )
    insert = await session.create_prepared("INSERT INTO examples.kv (key, value) VALUES (?, ?)")
    await load(session, insert, count // 4)
    started_s, cpu_s = time.perf_counter(), time.process_time()
    await load(session, insert, count)
    took_s, cpu_s = time.perf_counter() - started_s, time.process_time() - cpu_s
    print(f"{count / took_s:,.0f} ops/s, {cpu_s * 1e6 / count:.1f} us of CPU per operation")
    await session.close()


if __name__ == "__main__":
    asyncio.run(main())
