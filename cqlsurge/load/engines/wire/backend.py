"""The ways of handling bytes: cffi arenas on PyPy, numpy blocks on CPython, else parts and join.

The engine chooses one for the process and hands it to all that depends on it. CQLSURGE_WIRE_NUMPY=0 in the environment
leaves numpy alone: for tests, and to measure what it is worth.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable

from cqlsurge.load.compiled.parts import PartsProgram
from cqlsurge.load.engines.wire import buffers_python, loop
from cqlsurge.load.engines.wire.plan import Plan
from cqlsurge.load.workload.mixing import INTOP

if TYPE_CHECKING:
    from cqlsurge.load.compiled.clock import Clock
    from cqlsurge.load.compiled.program import Program
    from cqlsurge.load.compiled.statement import Lowered
    from cqlsurge.load.engines.contract import Node
    from cqlsurge.load.engines.wire.connection import Connection
    from cqlsurge.load.engines.wire.load import Load
    from cqlsurge.load.workload.model import Workload

    Turn = Callable[[Load, Any, int], None]


def _plain_turn(load: Load, inbox: Any, stamps: Clock) -> Turn:
    return loop.turn


@dataclass(frozen=True)
class Backend:
    """How connections, frames and answers are made and taken.

    compile: a workload's program; plan: what the loop asks of it, for one phase; turn: once round the loop.
    """

    name: str
    connection: Callable[[Node, int], Connection]
    inbox: Callable[[], Any]
    compile: Callable[[Lowered], Program]
    plan: Callable[[Workload, Any], Plan] = Plan
    turn: Callable[[Load, Any, Clock], Turn] = _plain_turn
    flush_bytes: int = buffers_python.FLUSH_BYTES


def parts(why: str = "") -> Backend:
    """The way that works everywhere."""
    name = f"parts and join ({why})" if why else "parts and join"
    return Backend(name, buffers_python.JoinConnection, buffers_python.Inbox, PartsProgram)


def arenas() -> Backend:
    """cffi arenas. Raises ImportError off PyPy, and where cffi is not installed."""
    from cqlsurge.load.compiled.arena import ArenaProgram
    from cqlsurge.load.engines.wire import buffers_cffi

    return Backend(
        "cffi arenas",
        buffers_cffi.ArenaConnection,
        buffers_cffi.Inbox,
        ArenaProgram,
        flush_bytes=buffers_cffi.FLUSH_BYTES,
    )


def blocks() -> Backend:
    """numpy blocks. Raises ImportError where numpy is not installed."""
    from cqlsurge.load.compiled.arrays import ArrayProgram
    from cqlsurge.load.engines.wire import connection_numpy, plan_numpy
    from cqlsurge.load.engines.wire.loop_numpy import Turner

    def turn(load: Load, inbox: Any, stamps: Clock) -> Turn:
        plan = load.plan
        return Turner(load, plan, inbox, stamps).turn if isinstance(plan, plan_numpy.BlockPlan) else loop.turn

    return Backend(
        "numpy blocks",
        connection_numpy.SlotConnection,
        connection_numpy.Inbox,
        ArrayProgram,
        plan_numpy.BlockPlan,
        turn,
    )


def choose() -> Backend:
    """The best one of this interpreter."""
    if INTOP:
        try:
            return arenas()
        except ImportError:
            return parts("cffi is not installed")
    if os.environ.get("CQLSURGE_WIRE_NUMPY") == "0":
        return parts()
    try:
        return blocks()
    except ImportError:
        return parts("numpy is not installed")
