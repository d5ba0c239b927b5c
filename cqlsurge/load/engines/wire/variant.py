"""Which way of handling bytes this interpreter gets: cffi on PyPy, numpy on CPython, else parts and join.

CQLSURGE_WIRE_NUMPY=0 in the environment leaves numpy alone: for tests, and to measure what it is worth.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from cqlsurge.load.engines.wire import buffers_python, kv_python
from cqlsurge.load.engines.wire.plan import KeyValuePlan, Plan
from cqlsurge.load.engines.wire.requests import PlainTemplate
from cqlsurge.load.engines.wire.verify import Checker
from cqlsurge.load.workload.kv import KeyValue
from cqlsurge.load.workload.mixing import INTOP

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Callable

    from cqlsurge.load.engines.contract import Node
    from cqlsurge.load.engines.wire.connection import Connection
    from cqlsurge.load.engines.wire.load import Load
    from cqlsurge.load.engines.wire.requests import Clock, Template
    from cqlsurge.load.workload.model import Workload

    Turn = Callable[[Load, Any, int], None]

buffers: Any = buffers_python
keyvalue: Any = kv_python
make_checker: Callable[[Plan, list[int], float], Checker] = Checker
#: plans by the block, where there is numpy
blocks: Any = None
NAME = "parts and join"
if INTOP:
    try:
        from cqlsurge.load.engines.wire import buffers_cffi, kv_cffi

        buffers, keyvalue, make_checker, NAME = buffers_cffi, kv_cffi, kv_cffi.make_checker, "cffi arenas"
    except ImportError:
        NAME = "parts and join (cffi is not installed)"
elif os.environ.get("CQLSURGE_WIRE_NUMPY") != "0":
    try:
        from cqlsurge.load.engines.wire import connection_numpy, plan_numpy

        buffers, blocks, NAME = connection_numpy, plan_numpy, "numpy blocks"
    except ImportError:
        NAME = "parts and join (numpy is not installed)"

FLUSH_BYTES: int = buffers.FLUSH_BYTES


def make_connection(node: Node, shard: int) -> Connection:
    """A connection of this interpreter's kind."""
    connection: Connection = buffers.CONNECTION(node, shard)
    return connection


def make_inbox() -> Any:
    """The process's receive buffer."""
    return buffers.Inbox()


def plan_of(workload: Workload, compressing: bool) -> Plan:
    """Frames of the key-value workload are made from words, unless they are to be compressed as a whole."""
    if not isinstance(workload, KeyValue) or compressing:
        return Plan(workload)
    if blocks is not None and blocks.suits(workload):
        plan: Plan = blocks.BlockPlan(workload)
        return plan
    return KeyValuePlan(workload)


def make_turn(load: Load, inbox: Any) -> Turn:
    """The loop that goes with a phase's plan."""
    from cqlsurge.load.engines.wire import loop

    if blocks is None or not isinstance(load.plan, blocks.BlockPlan):
        return loop.turn
    from cqlsurge.load.engines.wire.loop_numpy import Turner

    return Turner(load, load.plan, inbox).turn


def make_templates(
    workload: Workload,
    plan: Plan,
    statement_ids: Sequence[bytes],
    clock: Clock,
    compress: Callable[[bytes], bytes | None] | None,
) -> list[Template]:
    """A template for each kind, that goes with the plan."""
    if isinstance(workload, KeyValue) and isinstance(plan, KeyValuePlan):
        write, read = statement_ids
        return [keyvalue.KeyValueWrite(workload, 0, write, clock), keyvalue.KeyValueRead(workload, 1, read, clock)]
    return [
        PlainTemplate(workload, index, statement_id, clock, compress)
        for index, statement_id in enumerate(statement_ids)
    ]
