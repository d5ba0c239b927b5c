"""Mixed load for minutes while every fault of the simulator comes and goes, from a seed; then the accounts are checked.

    uv run python benchmarks/soak.py --duration 20m --seed 1 --runtime pypy
    uv run python benchmarks/soak.py --duration 20m --seed 1 --runtime cpython
    uv run python benchmarks/soak.py --duration 1h --seed 1 --runtime pypy --tls        encrypted, as most clusters are
    uv run python benchmarks/soak.py --duration 20m --seed 1 --plan          what would happen when; runs nothing

A simulator of 3 nodes with 2 shards and tablets, `program.py --mode mixed --verify` against it at a rate, and rounds of
some seconds: in each, some faults at 1%, some in bursts, and what the control URL can do beside (nodes down, tablets
moved, the shard-aware port closed, statements forgotten, late answers, stalls). Each kind comes before any comes again.
The last part is calm. Printed: each law, PASS or FAIL, with its figures; the exit code is 1 where one is broken.

Errors by class lie between what the simulator sent and that less what was lost with connections and deadlines; where no
connection breaks they are equal, which tests/integration/test_wire_faults.py holds for each error.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from watching import Watch

from cqlsurge.database.embedded.certificates import certificates
from cqlsurge.load.outcomes import classes
from cqlsurge.results.document import broken_laws
from cqlsurge.simulator.inject.faults import ERRORS, TRANSPORT
from cqlsurge.units import parse_count, parse_duration_s

ROOT = Path(__file__).resolve().parent.parent
NODES, SHARDS = 3, 2
CONCURRENCY = 2048
KEYS = 20_000
REQUEST_TIMEOUT_S = 1.0
#: the calm at the end: long enough for what was cut off to be noticed and made again
CALM_S = 8.0
#: beyond its duration a run may take its drain, its start and its end
SPARE_S = 45.0
RSS_GROWTH, LONG_S = 1.05, 300.0
#: what the simulator does on its own as well, so that only a lower bound of its answers is known
NATURAL = (classes.UNPREPARED, classes.UNAVAILABLE)
OTHERS = (
    "down", "late", "lognormal", "stall", "node", "unprepare", "shard-port", "tablets", "prepare-error", "prepare-drop",
)  # fmt: skip
DECK = (*ERRORS, "error=0x4242", *TRANSPORT, *OTHERS)


def plan(seed, duration_s):
    """[(second, path of the control URL, body)] in order of time: a function of its arguments alone."""
    draw = random.Random(f"soak {seed}")
    longest_s = min(6.0, duration_s / 10)
    deck, events, now_s = [], [], 1.0
    while now_s < duration_s - CALM_S - longest_s:
        length_s = draw.uniform(longest_s / 3, longest_s)
        for _ in range(draw.choice((1, 3, 5, 7))):
            if not deck:
                deck = draw.sample(DECK, len(DECK))
            events += ((now_s, path, body) for path, body in switch_on(deck.pop(), length_s, draw))
        now_s += length_s
        events += ((now_s, path, body) for path, body in switch_off())
    return events


def switch_on(kind, length_s, draw):
    """The requests that let one kind of trouble begin, of a round that takes so long."""
    node = draw.randint(1, NODES)
    if kind in OTHERS:
        length_ms = int(length_s * 1000)
        return {
            "down": [("faults", {"spec": f"down:node={node},for={length_ms // 2}ms"})],
            "late": [("latency", {"spec": [f"lognormal:median=400ms,sigma=1,node={node}"]})],
            "lognormal": [("latency", {"spec": ["lognormal:median=5ms,sigma=1"]})],
            "stall": [("stall", {"spec": f"{length_ms // 6}ms:every={length_ms // 2}ms,node={node}"})],
            "node": [("node", {"node": node, "up": False})],
            "unprepare": [("unprepare", {"node": number}) for number in range(1, NODES + 1)],
            "shard-port": [
                ("shard-port", {"node": node, "open": False}),
                ("faults", {"spec": f"reset:count=5,node={node}"}),
            ],
            "tablets": [("tablets", {"move": 8})],
            "prepare-error": [("unprepare", {"node": node}), ("faults", {"spec": "server_error:op=prepare,p=0.7"})],
            "prepare-drop": [("unprepare", {"node": node}), ("faults", {"spec": "drop:op=prepare,count=2"})],
        }[kind]
    how = draw.choice(("p=0.01", "p=0.01", "p=0.6,for=150ms", "p=0.3,every=1s,for=100ms", f"p=0.02,node={node}"))
    if kind == "drip":
        how += f",pause={draw.choice((1, 5, 20))}ms"
    return [("faults", {"spec": f"{kind}:{how}"})]


def switch_off():
    """The requests that end all trouble."""
    yield "faults/clear", {}
    yield "latency", {"spec": []}
    yield "stall", {"spec": []}
    for number in range(1, NODES + 1):
        yield "node", {"node": number, "up": True}
        yield "shard-port", {"node": number, "open": True}


class Simulator:
    """A running simulator, and its control URL."""

    def __init__(self, address, url, pid):
        self.address, self.url, self.pid = address, url, pid

    def ask(self, path="", body=None):
        """GET the state, or POST to a path."""
        data = json.dumps(body or {}).encode() if path else None
        with urllib.request.urlopen(urllib.request.Request(self.url + path, data=data), timeout=30) as answer:
            return json.load(answer)


def certificate_files(folder, encrypted):
    """Words for the simulator and for program.py, and files, of a certificate of all nodes' addresses; or none."""
    if not encrypted:
        return [], []
    paths = certificates(Path(folder), [f"127.0.0.{node}" for node in range(1, NODES + 1)])
    return ["--tls", str(paths.server), str(paths.server)], ["--tls", "--tls-ca", str(paths.ca)]


@contextmanager
def simulator(folder, seed, words):
    """A simulator of the soak's shape, until the block ends."""
    ready, control = Path(folder, "ready"), Path(folder, "control")
    command = [
        sys.executable, "-m", "cqlsurge.simulator", "--nodes", str(NODES), "--shards", str(SHARDS), "--tablets",
        "--seed", str(seed), "--port", "0", "--until-stdin-closes", "--ready-file", str(ready),
        "--control-file", str(control), *words,
    ]  # fmt: skip
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE)
    try:
        while not (ready.exists() and control.exists()):
            if process.poll() is not None:
                raise SystemExit("the simulator did not start")
            time.sleep(0.05)
        yield Simulator(ready.read_text().strip(), control.read_text().strip(), process.pid)
    finally:
        process.stdin.close()
        process.wait(30)


def program(server, args, folder, *words):
    """A started program.py; its result goes to run.json, all it says to run.log."""
    command = [
        sys.executable, str(ROOT / "program.py"), server.address, "--processes", "1", "--runtime", args.runtime,
        "--quiet", "--keys", str(KEYS), "--blob-size", "100", "--replication", str(NODES), "--seed", str(args.seed),
        "--json", str(Path(folder, "run.json")), *words,
    ]  # fmt: skip
    with Path(folder, "run.log").open("w") as log:
        return subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)


def begin(server, run):
    """Waits for the first requests; when they came."""
    while run.poll() is None and not received(server.ask()):
        time.sleep(0.1)
    return time.monotonic()


def received(state):
    """Requests for data that arrived."""
    return state["total"]["read"] + state["total"]["write"]


def soak(args, folder):
    """(document, simulator's state, memory, what was late or went wrong in words)."""
    server_words, client_words = certificate_files(folder, args.tls)
    with simulator(folder, args.seed, server_words) as server:
        words = ["--operations", str(KEYS), "--concurrency", "64", *client_words]
        if program(server, args, folder, *words).wait(120):
            raise SystemExit("the population could not be written: " + Path(folder, "run.log").read_text())
        server.ask("reset", {})
        run = program(
            server, args, folder, "--mode", "mixed", "--no-populate", "--verify", "--rate", str(args.rate),
            "--concurrency", str(CONCURRENCY), "--max-backlog", "20000", "--no-spin", "--error-budget", "100%",
            "--request-timeout", f"{REQUEST_TIMEOUT_S}s", "--duration", f"{args.duration}s", *client_words,
        )  # fmt: skip
        memory = Watch(run.pid, 0.5, simulator=server.pid)
        trouble = []
        began_s = begin(server, run)
        try:
            for at_s, path, body in plan(args.seed, args.duration):
                time.sleep(max(0.0, began_s + at_s - time.monotonic()))
                server.ask(path, body)
                if run.poll() is not None:
                    break
            code = run.wait(max(1.0, began_s + args.duration + SPARE_S - time.monotonic()))
            if code:
                trouble.append(f"exit code {code}")
        except subprocess.TimeoutExpired:
            trouble.append("it hangs")
        finally:
            memory.stop()
            run.kill()
            run.wait()
        log = Path(folder, "run.log").read_text()
        if "Traceback" in log:
            trouble.append(log)
        return json.loads(Path(folder, "run.json").read_text()), server.ask(), memory, trouble


def injected_by_class(struck):
    """{error class: answers of it that the simulator sent on purpose}, of requests for data."""
    counts = Counter()
    for name, count in struck.items():
        kind, _, operation = name.partition(":op=")
        code = ERRORS.get(kind, 0x4242 if kind == "error=0x4242" else None)
        if code is not None and operation == "data":
            error_class = classes.RATE_LIMITED if kind == "rate_limit" else classes.class_of_code(code)
            counts[error_class] += count
    return counts


def checks(document, state, memory, trouble):
    """[(law, whether it holds, figures)]."""
    counts, errors, attempts = document["operations"], document["errors"], document["attempt_errors"]
    yield "it ends in time and well", not trouble and document["state"] == "done", "; ".join(trouble)
    laws = broken_laws(document)
    lost_processes = [worker["worker"] for worker in document["workers"] if worker["lost"]]
    yield "no load process is lost", document["workers"] and not lost_processes, lost_processes or "all came to the end"
    yield "conservation", not laws, "; ".join(laws) or ", ".join(f"{name} {count}" for name, count in counts.items())
    yield "nothing stays in flight", counts["in_flight"] == 0, counts["in_flight"]
    ended = counts["ok"] + counts["failed"] + counts["unknown"]
    timed = document["latency_us"]["all"]["response"]["count"]
    yield "each operation that ended was timed once", timed == ended, f"{timed} of {ended}"
    classed = sum(errors.values())
    yield "each that did not end well has a class", classed == ended - counts["ok"], classed
    # Where no connection takes an operation in time it ends without an attempt.
    made = counts["issued"] + counts["retries"]
    untried = made - counts["ok"] - sum(attempts.values()) - counts["in_flight"]
    yield "each attempt ends once", 0 <= untried <= errors.get("connection", 0), f"{made} made, {untried} never sent"
    sent = sum(target["issued"] for target in document["targets"])
    yield "each attempt was sent once", sent == made - untried, sent
    # An attempt whose answer never came is one of these.
    lost = attempts.get("connection", 0) + attempts.get("client_timeout", 0) + counts["in_flight"]
    got = received(state)
    yield "the server got what was sent", 0 <= sent - got <= lost, f"{got} of {sent}, at most {lost} lost"
    spoiled = errors.get("wrong", 0), errors.get("missing", 0)
    yield "no row is wrong or missing", spoiled == (0, 0), spoiled
    calm = [second for second in document["timeline"] if second["t_s"] < document["settings"]["duration"]][-3:]
    well = bool(calm) and not any(second["errors"] for second in calm)
    yield "all is well again in the calm at the end", well, f"ok/s {[second['ok'] for second in calm]}"
    rss = {name: memory.growth(name) for name in ("worker", "program", "simulator")}
    # In less than some minutes a young process has not found its size.
    flat = document["duration_s"] < LONG_S or 0 < rss["worker"][1] <= RSS_GROWTH * rss["worker"][0]
    sizes = ", ".join(f"{name} {first:.1f} -> {last:.1f} MB" for name, (first, last) in rss.items())
    yield "the load process keeps its size", flat, sizes
    for error_class, count in sorted(injected_by_class(state["struck"]).items()):
        counted = attempts.get(error_class, 0)
        most = counted if error_class in NATURAL else count
        yield f"{error_class} as injected", count - lost <= counted <= most, f"{counted} of {count}"


def report(args, document, state, memory, trouble):
    """Prints all; whether every law holds."""
    found = list(checks(document, state, memory, trouble))
    for law, holds, figures in found:
        print(f"{'ok  ' if holds else 'FAIL'} {law}: {figures}")
    gauges = document["workers"][0]["gauges"] if document["workers"] else {}
    print(f"struck: {dict(sorted(state['struck'].items()))}")
    print(f"attempt errors: {dict(sorted(document['attempt_errors'].items()))}")
    print(f"retries {document['operations']['retries']}, late answers {gauges.get('late_replies')}")
    passed = all(holds for _, holds, _ in found)
    how = ", TLS" if args.tls else ""
    print(f"{'PASS' if passed else 'FAIL'}: {args.duration:g} s, seed {args.seed}, {document['runtime']}{how}")
    return passed


def main():
    """Reads the command line, runs and judges."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--duration", type=parse_duration_s, default=1200.0)
    add("--seed", type=int, default=1)
    add("--runtime", default="auto", help="as for program.py (default: auto)")
    add("--rate", type=parse_count, default=3000)
    add("--tls", action="store_true", help="connections are encrypted")
    add("--plan", action="store_true", help="print what would happen when")
    add("--keep", type=Path, help="folder for the result and the log (default: none)")
    args = parser.parse_args()
    if args.plan:
        for at_s, path, body in plan(args.seed, args.duration):
            print(f"{at_s:9.3f} s  {path} {json.dumps(body)}")
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        return 0 if report(args, *soak(args, folder)) else 1


if __name__ == "__main__":
    sys.exit(main())
