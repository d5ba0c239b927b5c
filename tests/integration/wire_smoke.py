"""The wire engine on any interpreter that load processes may have: plain asserts, no pytest, no package.

Reads {target, keys, blob_size, fill, in_flight} as JSON from standard input; writes all keys, reads all of them with
every value checked, then a mixed load with a rate; prints one line of JSON.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from cqlsurge.load.engines.contract import Setup, Target, Work
from cqlsurge.load.engines.control import Control
from cqlsurge.load.engines.recorder import Recorder
from cqlsurge.load.engines.source import Source
from cqlsurge.load.engines.wire.engine import WireEngine
from cqlsurge.load.pacing.schedule import Pacer
from cqlsurge.load.pacing.shapes import Shape
from cqlsurge.load.workload.kv import KeyValue


class Quiet:
    """A parent that says nothing."""

    def send(self, message):
        pass

    def receive(self):
        return []


def main():
    """One job."""
    job = json.load(sys.stdin)

    def workload(mode):
        return KeyValue(
            seed=5,
            keyspace="wire",
            table="kv",
            mode=mode,
            keys=job["keys"],
            blob_size=job["blob_size"],
            fill=job["fill"],
            consistency="ONE",
        )

    def phase(mode, count, pacer=None, **more):
        load, source = workload(mode), Source()
        source.add(0, count)
        source.end()
        start_ns = time.monotonic_ns()
        recorder = Recorder(load.kinds, start_ns)
        control = Control(Quiet(), recorder, source, start_ns=start_ns)
        engine.run(Work(load, source, recorder, control, job["in_flight"], start_ns, pacer=pacer, **more))
        assert recorder.issued == recorder.finished == count, (recorder.issued, recorder.finished)
        assert sum(kind.ok for kind in recorder.kinds) == count, recorder.errors
        assert sum(target.issued for target in recorder.targets) == count
        return recorder

    engine = WireEngine(Setup(workload("write"), Target.from_json(job["target"]), {}))
    facts = engine.open()
    phase("write", job["keys"])
    read = phase("read", job["keys"], verify_share=1.0)
    assert read.kinds[1].rows == job["keys"]
    sampled = phase("read", job["keys"], verify_share=0.25)
    assert sampled.kinds[1].rows == job["keys"]
    paced = phase("mixed", 2000, Pacer(Shape("4000", [], 4_000_000)))
    assert paced.due == 2000
    engine.close()
    print(json.dumps({"facts": facts, "python": sys.version.split()[0], "name": sys.implementation.name}))


if __name__ == "__main__":
    main()
