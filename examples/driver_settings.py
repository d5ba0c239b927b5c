"""The driver tuned for many small requests: the callback window of callback_window.py with other settings.

python examples/driver_settings.py [ADDRESS] [COUNT]
"""

import itertools
import sys
import threading
import time
import uuid

from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
from cassandra.policies import FallthroughRetryPolicy
from cassandra.query import tuple_factory

CONCURRENCY = 100
VALUE = bytes(1000)


def connect(address):
    """A tuned session. What each setting is worth: docs/best-practices.md#driver-settings."""
    host, _, port = address.partition(":")
    profile = ExecutionProfile(
        request_timeout=None,  # no timer per request: look for requests without an answer once in a while instead
        retry_policy=FallthroughRetryPolicy(),  # no retries that you do not see
        row_factory=tuple_factory,  # the default makes a class of named tuples for each answer
    )
    cluster = Cluster(
        [host],
        port=int(port or 9042),
        protocol_version=4,  # no checksums, no failed first connect on ScyllaDB
        compression=False,  # unless rows are large and the network slow
        execution_profiles={EXEC_PROFILE_DEFAULT: profile},
    )
    return cluster.connect()


def load(session, insert, count):
    """Writes rows 0 to count - 1. Callbacks run on the driver's thread; next() on an iterator is atomic, += is not."""
    numbers, answers = itertools.count(), itertools.count(1)
    done, errors = threading.Event(), []

    def send_next():
        number = next(numbers)
        if number < count:
            future = session.execute_async(insert, (uuid.UUID(int=number), VALUE))
            future.add_callbacks(on_answer, on_error)

    def on_answer(_rows):
        if next(answers) == count:
            done.set()
        elif not errors:
            send_next()

    def on_error(error):
        errors.append(error)
        done.set()

    for _ in range(CONCURRENCY):
        send_next()
    if count:
        done.wait()
    if errors:
        raise errors[0]


def main():
    """Connects, warms up with a quarter of the rows, measures."""
    address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9042"
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 50_000
    session = connect(address)
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
    session.cluster.shutdown()


if __name__ == "__main__":
    main()
