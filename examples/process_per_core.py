"""One process per core: the driver has one thread for all its connections, and Python runs one thread at a time.

python examples/process_per_core.py [ADDRESS] [COUNT] [PROCESSES]
"""

import itertools
import multiprocessing
import os
import sys
import threading
import time
import uuid
from concurrent.futures import ProcessPoolExecutor

from cassandra.cluster import Cluster

CONCURRENCY = 100  # in each process
VALUE = bytes(1000)


def connect(address):
    """Runs once in each child. The Cluster must be made there: its threads, locks and sockets do not survive a fork."""
    global session, insert
    host, _, port = address.partition(":")
    session = Cluster([host], port=int(port or 9042)).connect()
    session.execute(
        "CREATE KEYSPACE IF NOT EXISTS examples WITH replication ="
        " {'class': 'NetworkTopologyStrategy', 'replication_factor': 1}"
    )
    session.execute("CREATE TABLE IF NOT EXISTS examples.kv (key uuid PRIMARY KEY, value blob)")
    insert = session.prepare("INSERT INTO examples.kv (key, value) VALUES (?, ?)")


def load(first, count):
    """Writes `count` rows from `first` on. Callbacks run elsewhere; next() on an iterator is atomic, += is not."""
    numbers, answers = itertools.count(), itertools.count(1)
    done, errors = threading.Event(), []

    def send_next():
        number = next(numbers)
        if number < count:
            future = session.execute_async(insert, (uuid.UUID(int=first + number), VALUE))
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


def share(first, count):
    """A child's share of the work; the CPU seconds that it took."""
    cpu_s = time.process_time()
    load(first, count)
    return time.process_time() - cpu_s


def main():
    """Starts a process per core, warms up with a quarter of the rows, measures."""
    address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:9042"
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 50_000
    processes = int(sys.argv[3]) if len(sys.argv) > 3 else len(os.sched_getaffinity(0))
    each = count // processes
    firsts = range(0, each * processes, each)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, initializer=connect, initargs=(address,)) as pool:
        list(pool.map(share, firsts, [each // 4] * processes))
        started_s = time.perf_counter()
        cpu_s = sum(pool.map(share, firsts, [each] * processes))
        took_s = time.perf_counter() - started_s
    count = each * processes
    print(f"{count / took_s:,.0f} ops/s, {cpu_s * 1e6 / count:.1f} us of CPU per operation")


if __name__ == "__main__":
    main()
