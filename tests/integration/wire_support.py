"""What the wire engine's tests share: a simulator in a process of its own, a target for it, phases of load."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cqlsurge.database.connect import connect
from cqlsurge.database.secrets import Security
from cqlsurge.database.topology import nodes_with_shards, replication_of, tablets_of
from cqlsurge.load.engines.contract import Setup, Target
from cqlsurge.load.engines.recorder import Recorder
from cqlsurge.load.engines.wire.engine import WireEngine
from cqlsurge.load.workload.kv import KeyValue
from tests.phases import run_in_process

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

START_S = 30.0


@dataclass
class Simulator:
    """A running simulator: its address, and its control URL."""

    host: str
    port: int
    url: str

    def ask(self, path: str = "", **body: Any) -> Any:
        """GET the state, or POST to a path."""
        data = json.dumps(body).encode() if path else None
        with urllib.request.urlopen(urllib.request.Request(self.url + path, data=data), timeout=20) as answer:
            return json.load(answer)


@contextmanager
def simulator(folder: Path, *options: str, **environment: str) -> Iterator[Simulator]:
    """A simulator with these options, until the block ends."""
    ready, control = folder / "ready", folder / "control"
    command = [sys.executable, "-m", "cqlsurge.simulator", "--port", "0", "--until-stdin-closes", *options]
    process = subprocess.Popen(
        [*command, "--ready-file", str(ready), "--control-file", str(control)], stdin=subprocess.PIPE, env=None
    )
    try:
        deadline = time.monotonic() + START_S
        while not (ready.exists() and control.exists() and ready.read_text() and control.read_text()):
            assert process.poll() is None, "the simulator ended"
            assert time.monotonic() < deadline, "the simulator did not start"
            time.sleep(0.02)
        host, _, port = ready.read_text().split(",")[0].strip().rpartition(":")
        yield Simulator(host, int(port), control.read_text().strip())
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(20)


def make_target(
    host: str,
    port: int,
    *,
    keyspace: str = "wire",
    replication: str = "{'class': 'NetworkTopologyStrategy', 'datacenter1': 1}",
    suffix: str = "",
    security: Security | None = None,
    **fields: Any,
) -> Target:
    """A keyspace and its table, made if they are not there, as the engine is told of them."""
    security = security or Security(None, None, None)
    cluster, session = connect([(host, port)], security)
    try:
        session.execute(f"CREATE KEYSPACE IF NOT EXISTS {keyspace} WITH replication = {replication}{suffix}")
        session.execute(f"CREATE TABLE IF NOT EXISTS {keyspace}.kv (key uuid PRIMARY KEY, value blob)")
        nodes = nodes_with_shards(cluster)
        return Target(
            contact_points=((host, port),),
            local_dc="datacenter1",
            keyspace=keyspace,
            table="kv",
            nodes=nodes,
            replication=replication_of(session, keyspace),
            tablets=tablets_of(session, keyspace, "kv"),
            username=security.user,
            password=security.password,
            tls=security.tls,
            **fields,
        )
    finally:
        cluster.shutdown()


def workload(mode: str, keys: int, blob_size: int = 64, **parameters: Any) -> KeyValue:
    """Keys and values of the tests' own keyspace."""
    return KeyValue(
        seed=7, keyspace="wire", table="kv", mode=mode, keys=keys, blob_size=blob_size, consistency="ONE", **parameters
    )


@contextmanager
def opened(target: Target, load: KeyValue, **options: Any) -> Iterator[tuple[WireEngine, dict[str, Any]]]:
    """An engine that is open, and its facts."""
    engine = WireEngine(Setup(load, target, options))
    try:
        yield engine, engine.open()
    finally:
        engine.close()


def run_phase(engine: WireEngine, load: KeyValue, count: int, concurrency: int = 32, **more: Any) -> Recorder:
    """One phase of `count` operations; the conservation law is asserted."""
    ran = run_in_process(engine, load, count, concurrency, **more)
    recorder = ran.recorder
    ran.control.finish(time.monotonic_ns())
    in_flight = recorder.issued - recorder.finished
    assert 0 <= in_flight <= concurrency
    assert in_flight == 0 or ran.control.stopping
    assert recorder.due >= recorder.issued + recorder.skipped
    if more.get("pacer") is None:
        assert recorder.due == recorder.issued
    for kind in recorder.kinds:
        timed = [message["kinds"][kind.name] for message in ran.channel.sent]
        assert timed[-1]["ok"] == kind.ok
    return recorder


def outcomes(recorder: Recorder) -> tuple[int, int, int]:
    """(ok, failed, unknown) of all kinds."""
    kinds = recorder.kinds
    return sum(k.ok for k in kinds), sum(k.failed for k in kinds), sum(k.unknown for k in kinds)
