"""A load process from its first message to its last."""

from __future__ import annotations

import os
import platform
import signal
import socket
import sys
import time
import traceback
from typing import Any

from cqlsurge import __version__
from cqlsurge.load.engines.contract import Engine, EngineError, Setup, Target, Work
from cqlsurge.load.engines.control import Control
from cqlsurge.load.engines.garbage import watch_garbage
from cqlsurge.load.engines.recorder import Recorder
from cqlsurge.load.engines.registry import load_engine
from cqlsurge.load.engines.source import Source
from cqlsurge.load.outcomes.ranges import Ranges
from cqlsurge.load.pacing.schedule import Pacer
from cqlsurge.load.worker.messages import VERSION, LineChannel, Message, standard_channel
from cqlsurge.load.workload.model import Workload, WorkloadSpec
from cqlsurge.load.workload.registry import build


def main() -> int:
    """Talks with the parent over the standard streams; gives the exit code."""
    # A terminal's Ctrl-C is the parent's business: it says `stop`.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    channel = standard_channel()
    watch_garbage()
    channel.send(hello())
    try:
        serve(channel)
    except EOFError:
        return 0
    except EngineError as error:
        channel.send({"type": "failed", "text": str(error), "bug": None})
        return 1
    except Exception as error:
        bug = traceback.format_exc()
        sys.stderr.write(bug)
        channel.send({"type": "failed", "text": f"{type(error).__name__}: {error}", "bug": bug})
        return 3
    return 0


def hello() -> Message:
    """Who this process is, and what its clocks say."""
    return {
        "type": "hello",
        "version": VERSION,
        "cqlsurge": __version__,
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "monotonic_ns": time.monotonic_ns(),
        "unix_ns": time.time_ns(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }


def serve(channel: LineChannel) -> None:
    """Opens the engine that the plan names, and runs one phase after another until told to exit."""
    plan = channel.wait()
    if plan.get("version") != VERSION:
        raise EngineError(f"this load process speaks version {VERSION} of the messages, not {plan.get('version')}")
    pin(plan.get("core"))
    workload = build(WorkloadSpec(**plan["workload"]))
    engine = load_engine(plan["engine"])(
        Setup(
            workload=workload,
            target=Target.from_json(plan["target"]),
            options=plan["options"],
            seed=plan["seed"],
            worker=plan["worker"],
            workers=plan["workers"],
            host_place=tuple(plan.get("host_place") or (plan["worker"], plan["workers"])),
        )
    )
    try:
        facts = engine.open()
        channel.send({"type": "ready", "facts": facts, "monotonic_ns": time.monotonic_ns()})
        while True:
            message = channel.wait()
            if message["type"] == "exit":
                return
            if message["type"] == "phase":
                run_phase(channel, engine, workload, plan, message)
    finally:
        engine.close()


def run_phase(channel: LineChannel, engine: Engine, workload: Workload, plan: Message, phase: Message) -> None:
    """One phase: waits for its start, lets the engine run, and reports its end."""
    source = Source(lambda: channel.send({"type": "need", "phase": phase["phase"]}))
    if phase.get("workload") is not None:
        workload = build(WorkloadSpec(**phase["workload"]))
    recorder = Recorder(workload.kinds, phase["start_ns"])
    allowed = Ranges(phase.get("may_be_missing", []))
    if allowed:
        recorder.may_be_missing = lambda number: workload.locate(number)[1] in allowed
    control = Control(
        channel,
        recorder,
        source,
        phase=phase["phase"],
        start_ns=phase["start_ns"],
        warmup_ns=int(phase.get("warmup_s", 0) * 1e9),
        duration_ns=_nanoseconds(phase.get("duration_s")),
        drain_ns=_nanoseconds(phase.get("drain_s", 12.0)) or 0,
    )
    work = Work(
        workload=workload,
        source=source,
        recorder=recorder,
        control=control,
        concurrency=phase["concurrency"],
        start_ns=phase["start_ns"],
        pacer=_pacer(phase.get("pacing"), plan),
        max_backlog=phase.get("max_backlog"),
        verify_share=phase.get("verify_share", 0.0),
        spin=phase.get("spin", True),
    )
    wait_until(phase["start_ns"])
    control.poll(time.monotonic_ns())
    engine.run(work)
    control.finish(time.monotonic_ns())


def wait_until(start_ns: int) -> None:
    """Sleeps until the agreed start, so that all load processes begin together."""
    remaining_s = (start_ns - time.monotonic_ns()) / 1e9
    if remaining_s > 0:
        time.sleep(remaining_s)


def pin(core: int | None) -> None:
    """Binds this process to one core where the system allows it."""
    if core is not None and hasattr(os, "sched_setaffinity"):
        try:
            os.sched_setaffinity(0, {core})
        except OSError:
            pass  # not ours to choose here (a container's limit): the kernel places the process


def _nanoseconds(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds * 1e9)


def _pacer(pacing: dict[str, Any] | None, plan: Message) -> Pacer | None:
    if pacing is None:
        return None
    return Pacer.from_json(pacing, seed=plan["seed"], part=plan["worker"], parts=plan["workers"])
