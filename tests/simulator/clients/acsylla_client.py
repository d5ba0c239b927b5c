"""20000 rows through acsylla (the C++ driver): HOST PORT CONTROL_URL ROWS; prints what it saw as JSON."""

from __future__ import annotations

import asyncio
import json
import sys
import uuid

import acsylla

WORKERS = 100


async def main() -> None:
    host, port, rows = sys.argv[1], int(sys.argv[2]), int(sys.argv[4])
    cluster = acsylla.create_cluster([host], port=port, protocol_version=4, request_timeout=60, connect_timeout=20)
    session = await cluster.create_session()
    for text in (
        "CREATE KEYSPACE ks WITH replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': 2}",
        "CREATE TABLE ks.kv (key uuid PRIMARY KEY, value blob)",
    ):
        await session.execute(acsylla.create_statement(text))
    insert = await session.create_prepared("INSERT INTO ks.kv (key, value) VALUES (?, ?)")
    select = await session.create_prepared("SELECT key, value FROM ks.kv WHERE key = ?")
    keys = [uuid.uuid4() for _ in range(rows)]
    done = {"written": 0, "read": 0}

    async def write(key: uuid.UUID) -> None:
        statement = insert.bind()
        statement.bind(0, str(key))
        statement.bind(1, key.bytes * 4)
        await session.execute(statement)
        done["written"] += 1

    async def read(key: uuid.UUID) -> None:
        statement = select.bind()
        statement.bind(0, str(key))
        row = (await session.execute(statement)).first()
        done["read"] += row is not None and row.column_value("value") == key.bytes * 4

    for work in (write, read):
        waiting = iter(keys)

        async def worker(work=work, waiting=waiting) -> None:
            for key in waiting:
                await work(key)

        await asyncio.gather(*(worker() for _ in range(WORKERS)))
    await session.close()
    print(json.dumps(done))


asyncio.run(main())
