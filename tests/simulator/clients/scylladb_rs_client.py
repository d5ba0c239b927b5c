"""20000 rows through scylladb-rs-driver (the Rust driver): HOST PORT CONTROL_URL ROWS; prints what it saw as JSON."""

from __future__ import annotations

import asyncio
import json
import sys
import time
import urllib.request
import uuid

from scylla.session_builder import SessionBuilder

WORKERS = 100


def wait_for_shards(control: str) -> None:
    """Until each shard has a connection: this driver begins without them, and opens them beside the first requests."""
    while True:
        with urllib.request.urlopen(control) as answer:
            nodes = json.load(answer)["nodes"]
        if all(shard["connections"] for node in nodes for shard in node["shards"]):
            return
        time.sleep(0.02)


async def main() -> None:
    host, port, control, rows = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    session = await SessionBuilder().contact_points([(host, port)]).connect()
    await asyncio.to_thread(wait_for_shards, control)
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
