"""Measures what each lesson of docs/best-practices.md gives, and writes the tables there.

    uv run python benchmarks/lessons.py rungs          each example and each engine on the embedded Cassandra
    uv run python benchmarks/lessons.py settings       scylla-driver's settings, one at a time, on the null server
    uv run python benchmarks/lessons.py timer          what the driver's timers cost, and one line that would change it
    uv run python benchmarks/lessons.py techniques     ways to call the driver, on the null server
    uv run python benchmarks/lessons.py protocol       v5, v4 and compression, on the embedded Cassandra
    uv run python benchmarks/lessons.py concurrency    1 to 1000 in flight, on the embedded Cassandra
    uv run python benchmarks/lessons.py processes      one process and two, on the null server
    uv run python benchmarks/lessons.py paging         page sizes, on the embedded Cassandra
    uv run python benchmarks/lessons.py tables         writes the tables from what was measured

Cases run in rounds, in another order each round, and each round goes three times through the case that the others are
compared with. A change is computed within its round, so that the machine's drift falls out of it. It is given as the
median over the rounds and their range: in bold where all rounds agree on its sign and it is larger than any change
between the base and "(the same again)", else as "not resolved", and plain where there are fewer than 3 rounds. Rounds
are added to those of docs/lessons.json (--fresh: instead of them). The null server (3 nodes x 2 shards) has the last
core, the client the first.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import random
import re
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lessons_cases import GROUPS, Case, Group
from lessons_tables import DATA, write_tables
from wire_null import start_null

from cqlsurge.database.embedded import start
from cqlsurge.errors import CqlsurgeError
from cqlsurge.host.facts import host_facts
from cqlsurge.load.engines.registry import engine_info
from cqlsurge.processes.environments import ensure
from cqlsurge.processes.interpreters import find_pypy

ROOT = Path(__file__).resolve().parent.parent
FIGURES = re.compile(r"([\d,]+) (?:ops|rows)/s, ([\d.]+) us of CPU")
RUN_S = 120


@contextmanager
def server(name):
    """The address of a fresh server of this name."""
    if name == "cassandra":
        with start(progress=say) as cassandra:
            yield cassandra.address
        return
    with tempfile.TemporaryDirectory() as folder:
        options = argparse.Namespace(nodes=3, shards=2, blob_size=1000)
        process, address = start_null(options, folder)
        try:
            yield address
        finally:
            process.terminate()
            process.wait()


def say(text):
    """To those who wait."""
    print(text, file=sys.stderr, flush=True)


def python_for(runtime):
    """An interpreter that has what the case needs; None where there is none."""
    if runtime == "cpython":
        return sys.executable
    pypy = find_pypy()
    if runtime in {"pypy", "bare pypy"} and pypy is None:
        return None
    if runtime == "bare pypy":
        return pypy.path
    # The packages of the engine of this name are those of its example, too.
    engine = "scylla-driver" if runtime == "pypy" else runtime
    return str(ensure(engine_info(engine), pypy.path if runtime == "pypy" else sys.executable, say))


def run(case: Case, address, python):
    """(CPU us an operation, operations a second) of one run."""
    first = address.split(",")[0]
    pinned = {} if case.all_cores else {"preexec_fn": lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})}
    if case.engine:
        return run_engine(case, address)
    if case.example:
        command = [python, str(ROOT / "examples" / case.example), first, *map(str, case.words)]
    else:
        command = [python, str(ROOT / "benchmarks" / "lessons_client.py"), json.dumps({"address": first, **case.job})]
    result = subprocess.run(command, capture_output=True, text=True, timeout=RUN_S, check=False, **pinned)
    if result.returncode:
        raise SystemExit(f"{case.label}: {result.stderr or result.stdout}")
    if case.example:
        rate, cpu_us = FIGURES.search(result.stdout).groups()
        return float(cpu_us), float(rate.replace(",", ""))
    figures = json.loads(result.stdout)
    return round(figures["cpu_us_per_op"], 3), round(figures["ops_s"], 1)


def run_engine(case, address):
    """The same of a run of cqlsurge: CPU of its load process in the measured phase."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "run.json")
        command = [
            sys.executable, str(ROOT / "program.py"), address, "--quiet", "--processes", "1", "--no-compression",
            "--keyspace", "lessons_wire", "--blob-size", "1000", "--consistency", "LOCAL_ONE", "--concurrency", "100",
            *map(str, case.words), "--json", str(path),
        ]  # fmt: skip
        result = subprocess.run(command, capture_output=True, text=True, timeout=RUN_S, check=False)
        if result.returncode:
            raise SystemExit(f"{case.label}: {result.stderr or result.stdout}")
        document = json.loads(path.read_text())
    return round(document["client"]["cpu_us_per_op"], 3), round(document["throughput_ops_s"], 1)


def measure(name, group: Group, rounds, *, fresh):
    """Adds rounds of a group to the file; an interrupted round is not in it, those before it are."""
    kept = json.loads(DATA.read_text()) if DATA.exists() else {}
    cases = [(case, python) for case in group.cases if (python := python_for(case.runtime))]
    labels = [case.label for case, _ in cases]
    samples = {} if fresh else kept.get(name, {}).get("samples", {})
    if set(samples) != set(labels):
        samples = {label: [] for label in labels}
    base = [pair for pair in cases if pair[0].label == group.base]
    with server(group.server) as address:
        run(cases[0][0], address, cases[0][1])  # warms the server
        for number in range(rounds):
            order = random.sample(cases, len(cases))
            order = [*base, *order[: len(order) // 2], *base, *order[len(order) // 2 :]]
            round_of = {label: [] for label in labels}
            for case, python in order:
                figures = run(case, address, python)
                round_of[case.label].append(figures)
                say(f"  {number + 1}/{rounds} {case.label}: {figures[0]:.2f} us, {figures[1]:,.0f} a second")
            for label, figures in round_of.items():
                mean = [sum(values) / len(figures) for values in zip(*figures, strict=True)]
                samples[label].append([round(value, 2) for value in mean])
            keep(name, samples)


def keep(name, samples):
    """Writes a group's rounds into the file, after each round."""
    host = host_facts()
    kept = json.loads(DATA.read_text()) if DATA.exists() else {}
    kept[name] = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": f"{host['cpu']}, {host['cores']} cores, Linux {host['kernel']}",
        "software": f"CPython {platform.python_version()}, scylla-driver {version('scylla-driver')}",
        "samples": samples,
    }
    DATA.write_text(json.dumps(kept, indent=None, separators=(",", ":")).replace('"samples"', '\n"samples"') + "\n")


def main():
    """Reads the command line and measures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("group", choices=(*GROUPS, "tables"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--fresh", action="store_true", help="forget the rounds that the file has")
    args = parser.parse_args()
    try:
        if args.group != "tables":
            measure(args.group, GROUPS[args.group], args.rounds, fresh=args.fresh)
        write_tables()
    except CqlsurgeError as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
