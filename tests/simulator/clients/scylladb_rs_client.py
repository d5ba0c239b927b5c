"""20000 rows through scylladb-rs-driver (the Rust driver): HOST PORT CONTROL_URL ROWS; prints what it saw as JSON."""

from __future__ import annotations

import asyncio
import json
import sys
import uuid

from scylla.session_builder import SessionBuilder

WORKERS = 100


async def main() -> None:
    host, port, rows = sys.argv[1], int(sys.argv[2]), int(sys.argv[4])
    session = await SessionBuilder().contact_points([(host, port)]).connect()
    for text in (
        "CREATE KEYSPACE ks WITH replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': 2}",
        "CREATE TABLE ks.kv (key uuid PRIMARY KEY, value blob)",
    ):
        await session.execute(text)
    insert = await session.prepare("INSERT INTO ks.kv (key, value) VALUES (?, ?)")
    select = await session.prepare("SELECT key, value FROM ks.kv WHERE key = ?")
    keys = [uuid.uuid4() for _ in range(rows)]
    done = {"written": 0, "read": 0}

    async def write(key: uuid.UUID) -> None:
        await session.execute(insert, (key, key.bytes * 4))
        done["written"] += 1

    async def read(key: uuid.UUID) -> None:
        result = await session.execute(select, (key,))
        row = await result.first_row()
        done["read"] += row is not None and bytes(row["value"]) == key.bytes * 4

    for work in (write, read):
        waiting = iter(keys)

        async def worker(work=work, waiting=waiting) -> None:
            for key in waiting:
                await work(key)

        await asyncio.gather(*(worker() for _ in range(WORKERS)))
    print(json.dumps(done))


asyncio.run(main())
