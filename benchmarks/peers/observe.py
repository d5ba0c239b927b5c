"""A load program under observation, the same way for each: nothing of what it says is needed.

The database counts: the operations on the tool's table come from its virtual tables `system_views.local_*_latency`. The
kernel counts: CPU time and memory are sums over the tool's process and all its descendants, from /proc (psutil).

- Start-up is the time from the start of the process to the first operation that the database counts, and the CPU until
  then; the database is asked every 10 ms.
- CPU per operation and operations per second are of a window that begins SETTLE_S after the first operation, so that
  compilers at run time (JVM, PyPy) have done most of their work, and ends MARGIN_S before the asked duration is over.
- Memory is the highest sum of resident sets that a look every half second saw, of the whole run.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass

import psutil

SETTLE_S = 2.0
MARGIN_S = 0.5
POLL_S = 0.01
LOOK_S = 0.5
PATIENCE_S = 60
ERROR = re.compile(r"(error|exception): ", re.IGNORECASE)


class Failed(Exception):
    """The tool did not do the work; the text says why."""


@dataclass(frozen=True)
class Observed:
    """What was seen of a run; `operations` and `cpu_s` are of the whole of it, `output` what it printed."""

    startup_s: float
    startup_cpu_s: float
    ops_s: float
    cpu_us_per_op: float
    memory_mb: float
    operations: int
    cpu_s: float
    output: str


@dataclass(frozen=True)
class Moment:
    """A look at a running tool."""

    time_s: float
    operations: int
    cpu_s: float


class Counter:
    """Operations of a kind on a table, as a single-node database counts them."""

    def __init__(self, session, keyspace, table, mode):
        self.session = session
        query = f"SELECT count FROM system_views.local_{mode}_latency WHERE keyspace_name = ? AND table_name = ?"
        self.statement = session.prepare(query).bind((keyspace, table))
        self.before = 0
        self.before = self.count()

    def count(self):
        """Operations since this counter was made."""
        row = self.session.execute(self.statement).one()
        return (row.count if row else 0) - self.before


def observe(command, folder, counter, duration_s):
    """Runs a tool on the first core that we may use, and watches it. Raises Failed."""
    first = {min(os.sched_getaffinity(0))}
    log = folder / "output.txt"
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True, preexec_fn=lambda: os.sched_setaffinity(0, first),
        )  # fmt: skip
    try:
        watch = Watch(process, counter, duration_s)
        watch.follow()
    except BaseException as error:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if isinstance(error, Failed):
            raise Failed(f"{error}; it said: {telling_line(log)}") from None
        raise
    text = log.read_text(errors="replace")
    if watch.exit_code or watch.start is None or watch.end is None:
        raise Failed(f"exit code {watch.exit_code}, {counter.count()} operations; it said: {telling_line(log)}")
    return watch.observed(text)


def telling_line(log):
    """The first line of what a tool printed that names an error, else the last that is not empty."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return next((line for line in lines if ERROR.search(line)), lines[-1] if lines else "nothing")


class Watch:
    """The looks at one process, until it ends."""

    def __init__(self, process, counter, duration_s):
        self.process = process
        self.tree = psutil.Process(process.pid)
        self.counter = counter
        self.duration_s = duration_s
        self.began_s = time.monotonic()
        self.first = self.start = self.end = None
        self.memory_mb = 0.0
        self.exit_code = None
        self.cpu_s = 0.0
        self.next_look_s = 0.0

    def follow(self):
        """Look until the process has ended. Raises Failed when it does not end in time."""
        while True:
            pid, status, usage = os.wait4(self.process.pid, os.WNOHANG)
            if pid:
                self.exit_code = self.process.returncode = os.waitstatus_to_exitcode(status)
                self.cpu_s = usage.ru_utime + usage.ru_stime
                return
            now_s = time.monotonic()
            if now_s > self.began_s + self.duration_s + PATIENCE_S:
                raise Failed(f"it had not ended {PATIENCE_S} s after its time")
            self.look(now_s)
            time.sleep(POLL_S)

    def look(self, now_s):
        """Take the moments that are due, and the memory now and then."""
        if self.first is None:
            if self.counter.count():
                self.first = self.moment()
        elif self.start is None:
            if now_s > self.first.time_s + SETTLE_S:
                self.start = self.moment()
        elif self.end is None and now_s > self.first.time_s + self.duration_s - MARGIN_S:
            self.end = self.moment()
        if now_s > self.next_look_s:
            self.next_look_s = now_s + LOOK_S
            self.memory_mb = max(self.memory_mb, sum(self.each(lambda one: one.memory_info().rss)) / 2**20)

    def moment(self):
        """Operations and CPU as of now."""
        cpu_s = sum(sum(times[:4]) for times in self.each(lambda one: one.cpu_times()))
        return Moment(time.monotonic(), self.counter.count(), cpu_s)

    def each(self, ask):
        """What each process of the tree answers; one that ends meanwhile answers nothing."""
        answers = []
        for one in [self.tree, *self.tree.children(recursive=True)]:
            try:
                answers.append(ask(one))
            except psutil.NoSuchProcess:
                pass
        return answers

    def observed(self, output):
        """The figures, after the end."""
        operations = self.end.operations - self.start.operations
        return Observed(
            startup_s=self.first.time_s - self.began_s,
            startup_cpu_s=self.first.cpu_s,
            ops_s=operations / (self.end.time_s - self.start.time_s),
            cpu_us_per_op=(self.end.cpu_s - self.start.cpu_s) * 1e6 / operations,
            memory_mb=self.memory_mb,
            operations=self.counter.count(),
            cpu_s=self.cpu_s,
            output=output,
        )
