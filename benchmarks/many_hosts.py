"""Many group on one scheduler: do their snapshots, one a second each, arrive and merge without growing lag?

    uv run python benchmarks/many_hosts.py                        200 hosts for 30 s
    uv run python benchmarks/many_hosts.py --hosts 400 --duration 20
    uv run python benchmarks/many_hosts.py --parent-only          what the parent alone could take

Each host is a Dask worker of its own with an agent of its own and a load process of its own (engine `fake`, a few
operations a second); the Dask workers share a few processes, since this is one machine. Lag is from when a snapshot was
taken to when the parent had it; what is above a steady level would show that the parent falls behind. `--parent-only`
feeds the parent's side (JSON, histograms, rows) with snapshots as quickly as it takes them.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median, quantiles

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from distributed import Client

from cqlsurge.load.engines.recorder import Recorder
from cqlsurge.load.pacing.notation import parse
from cqlsurge.load.pacing.schedule import pacing_json
from cqlsurge.load.worker.messages import VERSION
from cqlsurge.load.workload.kv import KeyValue
from cqlsurge.processes.dask_hosts import open_hosts
from cqlsurge.results.counts import PhaseCounts
from cqlsurge.results.figures import figures_of
from cqlsurge.results.host_figures import host_figures
from cqlsurge.results.listener import Listener
from cqlsurge.runs.documents import facts_of
from cqlsurge.runs.interrupts import Interrupts
from cqlsurge.runs.phase import PhaseRun
from cqlsurge.runs.phases import PhasePlan
from cqlsurge.settings import Settings

KV = {"seed": 1, "keyspace": "ks", "table": "kv", "mode": "write", "keys": 1_000_000, "blob_size": 32}
TARGET = {"contact_points": [], "local_dc": "dc", "keyspace": "ks", "table": "kv", "nodes": []}
WORKERS_A_PROCESS = 50
START_S = 180


def dask(stack, *words):
    """A process of Dask's command line."""
    process = subprocess.Popen([sys.executable, "-m", "dask", *words], stderr=subprocess.DEVNULL)
    stack.callback(process.wait)
    stack.callback(process.terminate)
    return process


def start_dask(stack, hosts):
    """The address of a scheduler with so many workers, each on a loopback address of its own."""
    file = Path(stack.enter_context(tempfile.TemporaryDirectory()), "scheduler.json")
    dask(stack, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file))
    while not (file.exists() and file.read_text().endswith("}")):
        time.sleep(0.1)
    address = json.loads(file.read_text())["address"]
    common = {"nthreads": 1, "memory_limit": 0, "dashboard": False, "silence_logs": "CRITICAL"}
    for first in range(0, hosts, WORKERS_A_PROCESS):
        spec = {
            str(at): {
                "cls": "distributed.Worker",
                "opts": {
                    **common, "host": f"127.1.{at // 250}.{at % 250 + 1}", "dashboard_address": "127.0.0.1:0",
                },
            }
            for at in range(first, min(hosts, first + WORKERS_A_PROCESS))
        }  # fmt: skip
        dask(stack, "spec", address, "--spec", json.dumps(spec))
    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(hosts, timeout=START_S)
    return address


def make_ready(group, args):
    """Every process has the engine `fake`."""
    count = len(group.processes)
    options = {"service_ns": 1_000_000, "sigma": 0.5}
    for index in range(count):
        plan = {
            "type": "plan", "version": VERSION, "engine": "fake", "seed": 1, "worker": index, "workers": count,
            "workload": {"name": "kv", "parameters": KV}, "target": TARGET, "core": None, "options": options,
        }  # fmt: skip
        group.send(index, plan)
    ready = 0
    while ready < count:
        ready += sum(message is not None and message["type"] == "ready" for _, message in group.poll(1))


def with_hosts(args):
    """The real thing, as far as one machine can be many."""
    with ExitStack() as stack:
        address = start_dask(stack, args.hosts)
        began_s = time.monotonic()
        group = stack.enter_context(open_hosts(Settings(dask=address), print))
        question = {"engine": "fake", "runtime": sys.executable, "files": []}
        group.look(question, divided=False, note=print, stage=print)
        group.start([1] * args.hosts)
        make_ready(group, args)
        print(f"{args.hosts} hosts ready after {time.monotonic() - began_s:.1f} s")
        lags, poll = [], group.poll

        def timed(timeout_s):
            heard = poll(timeout_s)
            now_ns = time.monotonic_ns()
            lags.extend(
                (now_ns, (now_ns - message["t_ns"]) / 1e6)
                for _, message in heard
                if message is not None and message["type"] == "snapshot"
            )
            return heard

        group.poll = timed
        message = {
            "workload": None, "concurrency": 1000, "drain_s": 2.0, "duration_s": args.duration, "spin": False,
            "pacing": pacing_json(parse(str(args.rate * args.hosts))),
        }  # fmt: skip
        cpu_s = time.process_time()
        run = PhaseRun(group, PhasePlan("measure", None, message), Interrupts(), Listener())
        result = run.run()
        cpu_s = time.process_time() - cpu_s
        report(args, result, group, lags, cpu_s)


def report(args, result, group, lags, cpu_s):
    """What came, how late, and at what cost."""
    counts = result.counts
    began_s = time.monotonic()
    hosts = [
        host_figures(counts, facts_of(host), sparse, rated=True, whole=True)
        for host, sparse in zip(group.hosts, counts.of_hosts, strict=True)
    ]
    measures = figures_of(counts, result.numbers(), rated=True, hosts=hosts)
    print(f"the figures of all hosts took {time.monotonic() - began_s:.1f} s at the end")
    print(f"{len(lags)} snapshots, lost: {result.lost}; operations {measures.operations['ok']:,}")
    for begin_s in range(0, int(args.duration), 5):
        window = [lag for at, lag in lags if begin_s <= (at - counts.start_ns) / 1e9 < begin_s + 5]
        if len(window) > 2:
            cuts = quantiles(window, n=100)
            print(
                f"  {begin_s:3}-{begin_s + 5:3} s: {len(window):5} snapshots, lag median {median(window):6.1f} ms, "
                f"p99 {cuts[98]:6.1f} ms, max {max(window):6.1f} ms"
            )
    errors_ms = [host.clock_error_ns / 1e6 for host in group.hosts]
    print(f"start skew {measures.client['start_skew_ms']:.1f} ms, clocks known to {max(errors_ms):.2f} ms at worst")
    print(f"parent: {cpu_s:.2f} CPU s in {args.duration} s, {cpu_s / max(1, len(lags)) * 1e3:.2f} ms a snapshot")
    print(f"messages: {sum(host.message_bytes for host in group.hosts) / max(1, len(lags)):,.0f} bytes a snapshot")


def parent_only(args):
    """How many snapshots a second the parent can take up, on one core."""
    draw = random.Random(1)
    workload = KeyValue(**KV)
    recorder = Recorder(workload.kinds, 0)
    for _ in range(args.operations):
        service_ns = round(draw.lognormvariate(13.8, 0.5))
        recorder.succeed(0, 0, 1000, service_ns)
    taken = recorder.take()
    for _ in recorder.encoding(taken):
        pass
    taken.update(
        type="snapshot", phase="measure", reason="", measuring=True, issuing=True, cpu_s=0.1, measured_spin_s=0.0,
        max_rss_mb=50, began_ns=0,
    )  # fmt: skip
    hosts = 200
    counts = PhaseCounts(hosts, 0, hosts=[range(at, at + 1) for at in range(hosts)])
    lines = [json.dumps({**taken, "t_ns": second * 10**9}) for second in range(1, 11)]
    began_s = time.process_time()
    for line in lines:
        for worker in range(hosts):
            counts.take(worker, json.loads(line))
    each_ms = (time.process_time() - began_s) * 1e3 / (hosts * len(lines))
    print(
        f"{args.operations} operations a snapshot, {len(lines[0]):,} bytes: {each_ms:.2f} ms of CPU each, so that one "
        f"core takes {1e3 / each_ms:,.0f} load processes' snapshots a second"
    )


def main():
    """Reads the command line and measures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=200)
    parser.add_argument("--duration", type=float, default=30.0)
    parser.add_argument("--rate", type=int, default=20, help="operations a second on each host (default 20)")
    parser.add_argument("--parent-only", action="store_true")
    parser.add_argument("--operations", type=int, default=100_000, help="in a snapshot, for --parent-only")
    args = parser.parse_args()
    print(f"{os.cpu_count()} cores, {sys.implementation.name} {sys.version.split()[0]}")
    parent_only(args) if args.parent_only else with_hosts(args)


if __name__ == "__main__":
    main()
