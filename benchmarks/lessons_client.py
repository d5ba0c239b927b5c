"""One measured run of scylla-driver with a chosen technique and chosen settings; `lessons.py` starts it.

    python benchmarks/lessons_client.py '{"address": "127.0.0.1:9042", "settings": ["request_timeout=None"]}'

Needs scylla-driver only, so that it runs on each interpreter. Prints {"cpu_us_per_op", "ops_s"}. A quarter of the
operations goes before the measured ones. CPU is of the whole process: the driver's thread is in it.
"""

from __future__ import annotations

import gc
import itertools
import json
import os
import socket
import sys
import threading
import time
import uuid

from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
from cassandra.concurrent import execute_concurrent_with_args
from cassandra.connection import Timer
from cassandra.policies import FallthroughRetryPolicy, RoundRobinPolicy, TokenAwarePolicy
from cassandra.query import dict_factory, tuple_factory

VALUE = os.urandom(1000)
WRITE = "INSERT INTO lessons.kv (key, value) VALUES (?, ?)"
READ = "SELECT value FROM lessons.kv WHERE key = ?"
BUFFER_SIZE = 65536

# setting -> (what it is given to, arguments)
SETTINGS = {
    "protocol_version=4": ("cluster", {"protocol_version": 4}),
    "compression=False": ("cluster", {"compression": False}),
    "token_metadata_enabled=False": ("cluster", {"token_metadata_enabled": False}),
    "schema_metadata_enabled=False": ("cluster", {"schema_metadata_enabled": False}),
    "executor_threads=8": ("cluster", {"executor_threads": 8}),
    "idle_heartbeat_interval=0": ("cluster", {"idle_heartbeat_interval": 0}),
    "TCP_NODELAY": ("cluster", {"sockopts": [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]}),
    "timestamps without a lock": ("cluster", {"timestamp_generator": lambda: time.time_ns() // 1000}),
    "request_timeout=None": ("profile", {"request_timeout": None}),
    "FallthroughRetryPolicy": ("profile", {"retry_policy": FallthroughRetryPolicy()}),
    "TokenAwarePolicy(RoundRobinPolicy())": (
        "profile",
        {"load_balancing_policy": TokenAwarePolicy(RoundRobinPolicy())},
    ),
    "RoundRobinPolicy()": ("profile", {"load_balancing_policy": RoundRobinPolicy()}),
    "tuple_factory": ("profile", {"row_factory": tuple_factory}),
    "dict_factory": ("profile", {"row_factory": dict_factory}),
    "default_fetch_size=None": ("session", {"default_fetch_size": None}),
    "use_client_timestamp=False": ("session", {"use_client_timestamp": False}),
    "in_buffer_size=65536": ("connection", {"in_buffer_size": BUFFER_SIZE}),
    "out_buffer_size=65536": ("connection", {"out_buffer_size": BUFFER_SIZE}),
    "joined sends": ("connection", {"handle_write": None}),
    "gc.freeze()": ("garbage", {"freeze": ()}),
    "gc.freeze() and gc.set_threshold(50_000)": ("garbage", {"freeze": (), "set_threshold": (50_000,)}),
    "gc.disable()": ("garbage", {"disable": ()}),
    "Timer.cancel() lets go of its callback": ("patch", {}),
}
# Those of examples/driver_settings.py.
TUNED = [
    "protocol_version=4",
    "compression=False",
    "request_timeout=None",
    "FallthroughRetryPolicy",
    "tuple_factory",
]
TEN = [
    "protocol_version=4",
    "compression=False",
    "timestamps without a lock",
    "request_timeout=None",
    "FallthroughRetryPolicy",
    "TokenAwarePolicy(RoundRobinPolicy())",
    "default_fetch_size=None",
    "in_buffer_size=65536",
    "out_buffer_size=65536",
    "gc.freeze() and gc.set_threshold(50_000)",
]


def joined(base):
    """libev's write handler, which sends all requests that wait in one go instead of one by one."""

    def handle_write(self, watcher, revents, errno=None):
        with self._deque_lock:
            if len(self.deque) > 1:
                waiting = b"".join(self.deque)
                self.deque.clear()
                self.deque.append(waiting)
        base.handle_write(self, watcher, revents, errno)

    return handle_write


def cancel(timer):
    """Timer.cancel as it could be. A timer holds its future's method and the future holds its timer: a cycle."""
    timer.canceled, timer.callback = True, None


def connect(address, names):
    """A session with the named settings, and the driver's own for all others."""
    chosen = {place: {} for place in ("cluster", "profile", "session", "connection", "garbage", "patch")}
    for name in names:
        place, arguments = SETTINGS[name]
        chosen[place].update(arguments)
    if chosen["connection"]:
        base = Cluster.connection_class
        if "handle_write" in chosen["connection"]:
            chosen["connection"]["handle_write"] = joined(base)
        chosen["cluster"]["connection_class"] = type("Chosen", (base,), chosen["connection"])
    if "Timer.cancel() lets go of its callback" in names:
        Timer.cancel = cancel
    host, _, port = address.partition(":")
    profile = ExecutionProfile(**chosen["profile"])
    cluster = Cluster([host], port=int(port), execution_profiles={EXEC_PROFILE_DEFAULT: profile}, **chosen["cluster"])
    session = cluster.connect()
    for name, value in chosen["session"].items():
        setattr(session, name, value)
    return session


def tune_garbage_collection(names):
    """After all is set up: what is there now will stay, and need not be looked at again and again."""
    for name in names:
        place, calls = SETTINGS[name]
        if place == "garbage" and sys.implementation.name == "cpython":
            gc.collect()
            for function, arguments in calls.items():
                getattr(gc, function)(*arguments)


def callbacks(execute, count, concurrency):
    """A window of `concurrency`, each answer sending the next request."""
    numbers, answers = itertools.count(), itertools.count(1)
    done, errors = threading.Event(), []

    def send_next():
        number = next(numbers)
        if number < count:
            execute(number).add_callbacks(on_answer, on_error)

    def on_answer(_rows):
        if next(answers) == count:
            done.set()
        elif not errors:
            send_next()

    def on_error(error):
        errors.append(error)
        done.set()

    for _ in range(concurrency):
        send_next()
    done.wait()
    if errors:
        raise errors[0]


def futures(execute, count, concurrency):
    """A window of futures whose oldest is waited for with result()."""
    window = [execute(number) for number in range(min(concurrency, count))]
    for number in range(count):
        place = number % concurrency
        window[place].result()
        if number + concurrency < count:
            window[place] = execute(number + concurrency)


def run(job):
    """The figures of one run."""
    session = connect(job["address"], job.get("settings", ()))
    session.execute(
        "CREATE KEYSPACE IF NOT EXISTS lessons WITH replication ="
        " {'class': 'NetworkTopologyStrategy', 'replication_factor': 1}"
    )
    session.execute("CREATE TABLE IF NOT EXISTS lessons.kv (key uuid PRIMARY KEY, value blob)")
    reads, technique = job.get("kind") == "read", job.get("technique", "callbacks")
    concurrency, count = job.get("concurrency", 100), job["count"]
    text = READ if reads else WRITE
    statement = text.replace("?", "%s") if job.get("simple") else session.prepare(text)

    def values(number):
        key = uuid.UUID(int=number)
        return (key,) if reads else (key, VALUE)

    def execute(number):
        return session.execute_async(statement, values(number))

    def load(count):
        if technique == "callbacks":
            callbacks(execute, count, concurrency)
        elif technique == "result()":
            futures(execute, count, concurrency)
        elif technique == "execute()":
            for number in range(count):
                session.execute(statement, values(number))
        else:
            # One call for all, or one call a batch, which waits for the last answer of each.
            size = concurrency if technique == "batches" else count
            for first in range(0, count, size):
                arguments = (values(number) for number in range(first, min(first + size, count)))
                execute_concurrent_with_args(session, statement, arguments, concurrency=concurrency)

    tune_garbage_collection(job.get("settings", ()))
    load(count // 4)
    started_s, cpu_s = time.perf_counter(), time.process_time()
    load(count)
    took_s, cpu_s = time.perf_counter() - started_s, time.process_time() - cpu_s
    session.cluster.shutdown()
    return {"cpu_us_per_op": cpu_s * 1e6 / count, "ops_s": count / took_s}


if __name__ == "__main__":
    print(json.dumps(run(json.loads(sys.argv[1]))))
