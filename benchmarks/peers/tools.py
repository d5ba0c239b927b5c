"""The load programs beside cqlsurge: where each is found, how it is told to do the work, what it says about it.

The work is cqlsurge's workload `kv`, or what of it the tool can do: rows of a 16-byte key and a 1000-byte value,
written or read by whole key over the population in order. `limits` tells where a tool's work differs.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.side_by_side import COMMON, ROOT
from cqlsurge.errors import UsageError

KEYSPACE = "peers"
VALUE_SIZE = 1000
ENDLESS = "2000000000"
# What YCSB may need to connect, which it counts as part of its time.
CONNECTS_S = 3


@dataclass(frozen=True)
class Job:
    """What each tool is asked to do. `folder` is its working directory."""

    host: str
    port: int
    mode: str
    duration_s: int
    concurrency: int
    keys: int
    folder: Path


@dataclass(frozen=True)
class Said:
    """A tool's own figures of a run; its CPU where it tells it."""

    ops_s: float
    p99_ms: float
    cpu_us_per_op: float | None = None


@dataclass(frozen=True)
class Tool:
    """One load program.

    `programs` are its names on PATH, `get` one line on how to have it, `table` where it writes rows of `columns`.
    `command(program, job)` gives the words that start it, `said(output, folder)` its figures from what it printed or
    left in its folder; the figures missing, it raises ValueError, KeyError or OSError.
    """

    name: str
    programs: tuple[str, ...]
    get: str
    table: str
    columns: str
    limits: str
    command: Callable[[str, Job], list[str]]
    said: Callable[[str, Path], Said]

    @property
    def variable(self) -> str:
        """The environment variable that may name the program."""
        return "CQLSURGE_PEER_" + re.sub(r"\W", "_", self.name.upper())

    def find(self) -> str | None:
        """The program that `variable` names, else the first that is on PATH. Raises UsageError."""
        named = os.environ.get(self.variable)
        if named and not shutil.which(named):
            raise UsageError(f"{self.variable} names {named}, which is no program that can be run")
        return named or next((path for name in self.programs if (path := shutil.which(name))), None)


def found(pattern: str, output: str) -> re.Match[str]:
    """A pattern in what a tool printed, over several lines. Raises ValueError."""
    match = re.search(pattern, output, re.MULTILINE | re.DOTALL)
    if match is None:
        raise ValueError(f"no {pattern!r} in what it printed")
    return match


def figure(pattern: str, output: str) -> float:
    """The number that a pattern's group finds, without thousands separators. Raises ValueError."""
    return float(found(pattern, output)[1].replace(",", ""))


def cqlsurge(label: str, options: list[str]) -> Tool:
    """A row of cqlsurge itself: the options say engine and interpreter."""

    def command(program: str, job: Job) -> list[str]:
        return [
            program, str(ROOT / "program.py"), f"{job.host}:{job.port}", *COMMON, *options, "--mode", job.mode,
            "--duration", f"{job.duration_s}s", "--concurrency", str(job.concurrency), "--keys", str(job.keys),
            "--keyspace", KEYSPACE, "--table", "cqlsurge", "--json", str(job.folder / "run.json"),
        ]  # fmt: skip

    def said(_output: str, folder: Path) -> Said:
        document = json.loads((folder / "run.json").read_text())
        p99_ms = document["latency_us"]["all"]["service"]["p99"] / 1000
        return Said(document["throughput_ops_s"], p99_ms, document["client"]["cpu_us_per_op"])

    return Tool(label, (sys.executable,), "", "cqlsurge", "key uuid PRIMARY KEY, value blob", "", command, said)


def latte_command(program: str, job: Job) -> list[str]:
    """One thread; its script kv.rn beside this file."""
    return [
        program, "run", "--quiet", "--functions", job.mode, "--threads", "1", "--concurrency", str(job.concurrency),
        "--duration", f"{job.duration_s}s", "--consistency", "LOCAL_QUORUM", "-P", f"keys={job.keys}",
        "-P", f"size={VALUE_SIZE}", "-P", f'table="{KEYSPACE}.latte"', "--output", str(job.folder / "latte.json"),
        str(Path(__file__).with_name("kv.rn")), f"{job.host}:{job.port}",
    ]  # fmt: skip


def latte_said(_output: str, folder: Path) -> Said:
    """From its JSON report."""
    report = json.loads((folder / "latte.json").read_text())
    result, requests = report["result"], report["result"]["request_count"]
    p99_ms = result["cycle_latency"]["percentiles"][report["percentiles"].index(99.0)]["value"]
    return Said(requests / result["elapsed_time_s"], p99_ms, result["cpu_time_s"] * 1e6 / requests)


def scylla_bench_command(program: str, job: Job) -> list[str]:
    """One connection, like the others; partitions of one row."""
    return [
        program, "-mode", job.mode, "-workload", "sequential", "-iterations", "0", "-nodes", f"{job.host}:{job.port}",
        "-keyspace", KEYSPACE, "-table", "scylla_bench", "-partition-count", str(job.keys),
        "-clustering-row-count", "1", "-clustering-row-size", str(VALUE_SIZE), "-concurrency", str(job.concurrency),
        "-connection-count", "1", "-consistency-level", "local_quorum", "-client-compression=false",
        "-duration", f"{job.duration_s}s",
    ]  # fmt: skip


def scylla_bench_said(output: str, _folder: Path) -> Said:
    """From its closing lines; `raw` latency is what the others call latency."""
    value, unit = found(r"^raw latency :.*?^ *99th:\s+([\d.]+)(µs|ms|s)\s*$", output).groups()
    return Said(figure(r"^Operations/s:\s+([\d.]+)", output), float(value) * {"µs": 0.001, "ms": 1, "s": 1000}[unit])


def cassandra_stress_command(program: str, job: Job) -> list[str]:
    """Its predefined workload, synchronous threads."""
    return [
        program, job.mode, "no-warmup", f"duration={job.duration_s}s", "cl=LOCAL_QUORUM", "keysize=16",
        "-mode", "native", "cql3", "-rate", f"threads={job.concurrency}", "-col", f"size=FIXED({VALUE_SIZE})",
        "n=FIXED(1)", "-pop", f"seq=1..{job.keys}", "-schema", f"keyspace={KEYSPACE}", "-node", job.host,
        "-port", f"native={job.port}",
    ]  # fmt: skip


def cassandra_stress_said(output: str, _folder: Path) -> Said:
    """From its closing lines."""
    return Said(
        figure(r"^Op rate\s*:\s+([\d,.]+) op/s", output),
        figure(r"^Latency 99th percentile\s*:\s+([\d,.]+) ms", output),
    )


def ycsb_command(program: str, job: Job) -> list[str]:
    """Its binding cassandra-cql, synchronous threads; writes are updates, which store whole rows here."""
    reads = int(job.mode == "read")
    properties = {
        "workload": "site.ycsb.workloads.CoreWorkload", "hosts": job.host, "port": job.port,
        "cassandra.keyspace": KEYSPACE, "table": "ycsb", "cassandra.readconsistencylevel": "LOCAL_QUORUM",
        "cassandra.writeconsistencylevel": "LOCAL_QUORUM", "recordcount": job.keys, "operationcount": ENDLESS,
        "maxexecutiontime": job.duration_s + CONNECTS_S, "readproportion": reads, "updateproportion": 1 - reads,
        "scanproportion": 0, "insertproportion": 0, "requestdistribution": "sequential", "fieldcount": 1,
        "fieldlength": VALUE_SIZE, "threadcount": job.concurrency,
    }  # fmt: skip
    words = [word for name, value in properties.items() for word in ("-p", f"{name}={value}")]
    return [program, "run", "cassandra-cql", *words]


def ycsb_said(output: str, _folder: Path) -> Said:
    """From its closing lines."""
    return Said(
        figure(r"^\[OVERALL\], Throughput\(ops/sec\), ([\d.]+)", output),
        figure(r"^\[(?:READ|UPDATE)\], 99(?:th)?PercentileLatency\(us\), ([\d.]+)", output) / 1000,
    )


PEERS = (
    Tool(
        name="latte",
        programs=("latte",),
        get="cargo install latte-cli",
        table="latte",
        columns="key uuid PRIMARY KEY, value blob",
        limits="makes each value anew, byte by byte, which is part of its CPU",
        command=latte_command,
        said=latte_said,
    ),
    Tool(
        name="scylla-bench",
        programs=("scylla-bench",),
        get="in no package registry in full; see https://github.com/scylladb/scylla-bench#install",
        table="scylla_bench",
        columns="pk bigint, ck bigint, v blob, PRIMARY KEY (pk, ck)",
        limits="keys are bigint partition and clustering keys, no uuid",
        command=scylla_bench_command,
        said=scylla_bench_said,
    ),
    Tool(
        name="cassandra-stress",
        programs=("cassandra-stress",),
        get="tools/bin of Apache Cassandra's binary tarball, https://cassandra.apache.org/download",
        table="standard1",
        columns='key blob PRIMARY KEY, "C0" blob',
        limits="keys are 16-byte blobs, no uuid (without a profile); threads that wait, no asynchronous requests",
        command=cassandra_stress_command,
        said=cassandra_stress_said,
    ),
    Tool(
        name="YCSB",
        programs=("ycsb.sh",),
        get="the release tarball, https://github.com/brianfrankcooper/YCSB/releases",
        table="ycsb",
        columns="y_id text PRIMARY KEY, field0 text",
        limits="keys and values are text, no uuid or blob; threads that wait, no asynchronous requests",
        command=ycsb_command,
        said=ycsb_said,
    ),
)

# Named in the table, but not driven: no release of it could be had from a package registry and tried here.
UNTRIED = {"NoSQLBench": "needs Java 25 or its own binary, https://github.com/nosqlbench/nosqlbench/releases"}
