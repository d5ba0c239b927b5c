"""The rungs of the ladder, from the naive to the best: how each is run, why it is faster, and the lines that do it.

The lines are for the reader's own program. Their names: `session` and `insert` are scylla-driver's (or the named
driver's) session and a prepared INSERT, `rows` are (key, value); each piece says what else it takes. Tests run them.
"""

from __future__ import annotations

from dataclasses import dataclass

PAGE = "docs/best-practices.md"
#: the technique of the program whose command line this one keeps
ANCESTOR = "batch"


@dataclass(frozen=True)
class Rung:
    """One way to do the same work.

    runtimes: the interpreters it may run on, the first that is there is taken; every_core: one process a core, else one
    process; places: whether --concurrency applies; why: what makes it faster than the rung below; section: of PAGE;
    example: a program under examples/, or empty; code: the lines for an application, or a command.
    """

    name: str
    title: str
    why: str
    code: str
    section: str
    engine: str = "scylla-driver"
    technique: str | None = None
    runtimes: tuple[str, ...] = ("cpython",)
    every_core: bool = False
    places: bool = True
    example: str = ""

    @property
    def where(self) -> str:
        """Where to read more: the section, and the program."""
        return f"{PAGE}#{self.section}" + (f", examples/{self.example}" if self.example else "")


ONE_AT_A_TIME = """\
for key, value in rows:
    session.execute(insert, (key, value))
"""

BATCH = """\
from itertools import islice

from cassandra.concurrent import execute_concurrent_with_args

rows = iter(rows)
while batch := list(islice(rows, 100)):
    execute_concurrent_with_args(session, insert, batch, concurrency=100)
"""

WINDOW_DEFAULT = """\
from threading import Event, Lock

def send_all(session, insert, rows, in_flight=100):
    rows, lock, left, done = iter(rows), Lock(), [in_flight], Event()

    def send_next(_answer=None):  # as a callback: each answer sends the next row
        with lock:
            row = next(rows, None)
            left[0] -= row is None
        if row is not None:
            session.execute_async(insert, row).add_callbacks(send_next, send_next)  # count errors in a second one
        elif not left[0]:
            done.set()

    for _ in range(in_flight):
        send_next()
    done.wait()

send_all(session, insert, rows)
"""

WINDOW = """\
import time
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
from cassandra.policies import FallthroughRetryPolicy
from cassandra.query import tuple_factory

class LargeBuffers(Cluster.connection_class):
    in_buffer_size = out_buffer_size = 65536  # instead of 4096

profile = ExecutionProfile(
    request_timeout=None,  # no timer for each request: look after late ones yourself
    retry_policy=FallthroughRetryPolicy(),
    row_factory=tuple_factory,
)
cluster = Cluster(
    ["127.0.0.1"],
    protocol_version=4,
    compression=False,  # where values do not shrink
    connection_class=LargeBuffers,
    schema_metadata_enabled=False,  # with one node; token-aware routing needs it
    timestamp_generator=lambda: time.time_ns() // 1000,  # the driver's own takes a lock
    execution_profiles={EXEC_PROFILE_DEFAULT: profile},
)
"""

WINDOW_PYPY = """\
uv venv --python pypy3.11 .venv-pypy
uv pip install --python .venv-pypy scylla-driver
.venv-pypy/bin/python application.py
"""

PROCESSES = """\
import os
from multiprocessing import get_context

def work(part, parts):
    cluster = connect()  # a cluster of its own in each process, made after its start
    session = cluster.connect()
    insert = session.prepare(INSERT)
    send_all(session, insert, rows_of(part, parts))  # as in window-default, on a part of the rows
    cluster.shutdown()

if __name__ == "__main__":
    cores = len(os.sched_getaffinity(0))
    with get_context("spawn").Pool(cores) as pool:
        pool.starmap(work, [(part, cores) for part in range(cores)])
"""

ACSYLLA = """\
import asyncio, acsylla

async def send_all(rows, in_flight=100):
    session = await acsylla.create_cluster(["127.0.0.1"], protocol_version=4).create_session()
    insert = await session.create_prepared(INSERT)
    rows = iter(rows)

    async def worker():
        for row in rows:
            await session.execute(insert.bind(row))

    await asyncio.gather(*(worker() for _ in range(in_flight)))
    await session.close()
"""

SCYLLADB_RS = """\
import asyncio
from scylla.session_builder import SessionBuilder

async def send_all(rows, in_flight=100):
    session = await SessionBuilder().contact_points([("127.0.0.1", 9042)]).connect()
    insert = await session.prepare(INSERT)
    rows = iter(rows)

    async def worker():
        for row in rows:
            await session.execute(insert, row)

    await asyncio.gather(*(worker() for _ in range(in_flight)))
"""

WIRE = """\
from cqlsurge import Settings, run

# As a load: all settings of `cqlsurge run`.
result = run(Settings(address="127.0.0.1", concurrency=100, processes=1, runtime="cpython", operations=100_000))
print(result.throughput_ops_s, result.latency("write", "service").p99_us)

# In a program of your own: frames from a template, many to one send. `socket` is connected, `insert_id` prepared.
from cqlsurge.load.cql.primitives import Consistency
from cqlsurge.load.cql.template import execute_template

template = execute_template(insert_id, Consistency.LOCAL_QUORUM, 2)
frames = []
for stream, (key, value) in enumerate(rows):  # fewer than 32768: each answer brings its stream back
    length = template.fixed_body_bytes + 8 + len(key.bytes) + len(value)
    head = bytearray(template.head)
    head[2:4], head[5:9] = stream.to_bytes(2, "big"), length.to_bytes(4, "big")
    frames += head, len(key.bytes).to_bytes(4, "big"), key.bytes, len(value).to_bytes(4, "big"), value, template.tail
socket.sendall(b"".join(frames))
"""

WIRE_PYPY = """\
uv python install pypy@3.11
cqlsurge run 127.0.0.1 --runtime pypy --concurrency 100 --processes 1
"""

_ALL = (
    Rung(
        "one-at-a-time",
        "scylla-driver, one request at a time",
        "The bottom: each request waits for the answer before it, so a round trip is the limit, not the CPU.",
        ONE_AT_A_TIME, "one-at-a-time", technique="sync", places=False, example="one_at_a_time.py",
    ),
    Rung(
        "batch",
        "scylla-driver, batches with a barrier",
        "Requests share the round trip; but each batch waits for its slowest answer before the next one starts.",
        BATCH, "batches-with-a-barrier", technique="batch", example="batches.py",
    ),
    Rung(
        "window-default",
        "scylla-driver, callback window",
        "Each answer sends the next request: no place stays empty while a batch ends. But by default each request has "
        "a timer, which batches do without.",
        WINDOW_DEFAULT, "callback-window", technique="window-default", example="callback_window.py",
    ),
    Rung(
        "window",
        "scylla-driver, callback window, tuned",
        "The driver does less for each request: no timer, no lock for a timestamp, plain tuples, larger buffers.",
        WINDOW, "driver-settings", technique="window", example="driver_settings.py",
    ),
    Rung(
        "window-pypy",
        "the same on PyPy",
        "PyPy compiles the driver's Python code as it runs; the program stays as it is.",
        WINDOW_PYPY, "pypy", technique="window", runtimes=("pypy",),
    ),
    Rung(
        "processes",
        "the same, one process per core",
        "Threads share one interpreter lock, processes do not: each core brings a window of its own.",
        PROCESSES, "process-per-core", technique="window", runtimes=("pypy", "cpython"), every_core=True,
        example="process_per_core.py",
    ),
    Rung(
        "acsylla",
        "acsylla: the C++ driver under asyncio, one process",
        "Encoding, routing and sockets are C++: far less CPU than the driver on CPython. Asyncio's price is left.",
        ACSYLLA, "other-languages-underneath", engine="acsylla", example="cpp_driver.py",
    ),
    Rung(
        "scylladb-rs",
        "scylladb-rs-driver: the Rust driver under asyncio, one process",
        "The same in Rust; what is left is the price of asyncio and of handing values over.",
        SCYLLADB_RS, "other-languages-underneath", engine="scylladb-rs", example="rust_driver.py",
    ),
    Rung(
        "wire",
        "our own CQL on CPython, one process",
        "No object, lock or future for a request: frames are filled in by template and many go out in one send.",
        WIRE, "speaking-cql-yourself", engine="wire", example="speak_cql.py",
    ),
    Rung(
        "wire-pypy",
        "our own CQL on PyPy, one process",
        "The same loop compiled: integers stay in registers, a frame is a copy of memory.",
        WIRE_PYPY, "speaking-cql-yourself", engine="wire", runtimes=("pypy",), example="speak_cql.py",
    ),
)  # fmt: skip
RUNGS = {rung.name: rung for rung in _ALL}
