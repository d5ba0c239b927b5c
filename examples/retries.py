"""Retries that are safe: idempotent writes with a fixed timestamp, a deadline, backoff with jitter, three outcomes.

python examples/retries.py [ADDRESS] [COUNT]
"""

import asyncio
import random
import sys
import time
import uuid

from cassandra import DriverException, OperationTimedOut, Timeout, Unavailable, WriteFailure
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable
from cassandra.connection import ConnectionException
from cassandra.policies import FallthroughRetryPolicy
from cassandra.protocol import ErrorMessage, OverloadedErrorMessage, ServerError

CONCURRENCY = 100
ATTEMPTS = 5
VALUE = bytes(1000)
# After these a write may or may not have been done. Sent again with the same timestamp it changes nothing.
UNKNOWN = (OperationTimedOut, Timeout, WriteFailure, ConnectionException, ServerError)
REFUSED = (Unavailable, NoHostAvailable, OverloadedErrorMessage)
outcomes = {"ok": 0, "failed": 0, "unknown": 0, "retries": 0}


def execute(session, statement, values):
    """The answer as an asyncio future."""
    loop = asyncio.get_running_loop()
    answer = loop.create_future()
    future = session.execute_async(statement, values)
    future.add_callbacks(
        lambda rows: loop.call_soon_threadsafe(answer.set_result, rows),
        lambda error: loop.call_soon_threadsafe(answer.set_exception, error),
    )
    return answer


async def write(session, insert, number):
    """One row, with retries; counts how it ended."""
    values = (uuid.UUID(int=number), VALUE, time.time_ns() // 1000)  # one timestamp for all attempts
    maybe_done = False
    for attempt in range(ATTEMPTS):
        try:
            await execute(session, insert, values)
            outcomes["ok"] += 1
            return
        except (*UNKNOWN, *REFUSED) as error:
            maybe_done = maybe_done or isinstance(error, UNKNOWN)
        except (DriverException, ErrorMessage):  # the statement itself is wrong: no retry helps
            break
        if attempt < ATTEMPTS - 1:
            outcomes["retries"] += 1
            await asyncio.sleep(random.uniform(0, min(2.0, 0.02 * 2**attempt)))
    outcomes["unknown" if maybe_done else "failed"] += 1


async def load(session, insert, count):
    """Writes rows 0 to count - 1."""
    numbers = iter(range(count))

    async def worker():
        for number in numbers:
            await write(session, insert, number)

    await asyncio.gather(*(worker() for _ in range(CONCURRENCY)))


def main():
    """Connects and measures."""
    address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9042"
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 50_000
    host, _, port = address.partition(":")
    # The driver's own policy sends some requests again without asking whether that is safe.
    profile = ExecutionProfile(retry_policy=FallthroughRetryPolicy(), request_timeout=10)
    cluster = Cluster([host], port=int(port or 9042), execution_profiles={EXEC_PROFILE_DEFAULT: profile})
    session = cluster.connect()
    session.execute(
        "CREATE KEYSPACE IF NOT EXISTS examples WITH replication ="
        " {'class': 'NetworkTopologyStrategy', 'replication_factor': 1}"
    )
    session.execute("CREATE TABLE IF NOT EXISTS examples.kv (key uuid PRIMARY KEY, value blob)")
    insert = session.prepare("INSERT INTO examples.kv (key, value) VALUES (?, ?) USING TIMESTAMP ?")
    started_s, cpu_s = time.perf_counter(), time.process_time()
    asyncio.run(load(session, insert, count))
    took_s, cpu_s = time.perf_counter() - started_s, time.process_time() - cpu_s
    print(f"{count / took_s:,.0f} ops/s, {cpu_s * 1e6 / count:.1f} us of CPU per operation")
    print(", ".join(f"{number} {outcome}" for outcome, number in outcomes.items()))
    cluster.shutdown()


if __name__ == "__main__":
    main()
