"""Faults on command: which request meets which, by probability, by schedule and by place.

A spec is `KIND[:p=0.01,node=2,shard=0,op=write,from=5s,for=1s,every=60s,count=100,pause=5ms]`.
KIND is an error's name or number (`error=0x1003`), or what happens to the answer or its connection (TRANSPORT), or
`down`: the node is gone while the schedule says so. `from` counts from when the fault was given.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cqlsurge.errors import UsageError
from cqlsurge.simulator.inject.specs import duration_ns, integer, number, parse_spec

if TYPE_CHECKING:
    import random

# name -> code of native_protocol_v4.spec section 9; rate_limit is ScyllaDB's, its code is learned from SUPPORTED
ERRORS = {
    "server_error": 0x0000,
    "protocol_error": 0x000A,
    "bad_credentials": 0x0100,
    "unavailable": 0x1000,
    "overloaded": 0x1001,
    "bootstrapping": 0x1002,
    "truncate_error": 0x1003,
    "write_timeout": 0x1100,
    "read_timeout": 0x1200,
    "read_failure": 0x1300,
    "function_failure": 0x1400,
    "write_failure": 0x1500,
    "cdc_write_failure": 0x1600,
    "cas_write_unknown": 0x1700,
    "syntax_error": 0x2000,
    "unauthorized": 0x2100,
    "invalid": 0x2200,
    "config_error": 0x2300,
    "already_exists": 0x2400,
    "unprepared": 0x2500,
    "rate_limit": 0xF000,
}
TRANSPORT = {
    "reset": "the connection is reset instead of an answer",
    "reset-mid-frame": "half of the answer, then a reset",
    "truncated": "half of the answer, then an orderly end of the connection",
    "half-open": "neither answers nor reads from this connection any more",
    "drop": "no answer",
    "drip": "the answer comes byte by byte, with a pause after each (pause=5ms)",
    "garbage": "random bytes instead of an answer",
    "wrong-stream": "the answer carries another stream id",
    "duplicate": "the answer comes twice",
}
OPERATIONS = ("data", "read", "write", "batch", "prepare", "all")
_OPTIONS = {"p", "node", "shard", "op", "from", "for", "every", "count", "pause"}


@dataclass
class Fault:
    """One rule; times in ns since the simulator's start."""

    number: int
    text: str
    kind: str
    code: int | None
    probability: float
    node: int | None
    shard: int | None
    operation: str
    from_ns: int
    for_ns: int | None
    every_ns: int
    left: int | None
    pause_ns: int
    fired: int = 0

    def due(self, now_ns: int) -> bool:
        """Whether the schedule has it on."""
        since = now_ns - self.from_ns
        if since < 0 or self.left == 0:
            return False
        if self.every_ns:
            since %= self.every_ns
        return self.for_ns is None or since < self.for_ns

    def concerns(self, node: int, shard: int, operation: str) -> bool:
        if (self.node is not None and self.node != node) or (self.shard is not None and self.shard != shard):
            return False
        if self.operation == "data":
            return operation in ("read", "write", "batch")
        return self.operation in ("all", operation)


def parse_fault(text: str, fault_number: int, now_ns: int) -> Fault:
    """The rule of a spec; UsageError says what is wrong with it."""
    spec = parse_spec(text, _OPTIONS)
    code = ERRORS.get(spec.kind.replace("-", "_"))
    if spec.kind == "error":
        try:
            code = int(spec.value, 0)
        except ValueError:
            raise UsageError(f"{text!r}: an error's number is for example error=0x1001, or use its name") from None
    if code is None and spec.kind not in TRANSPORT and spec.kind != "down":
        kinds = ", ".join([*ERRORS, *TRANSPORT, "down"])
        raise UsageError(f"{text!r}: no fault {spec.kind!r}; there are {kinds}, and error=NUMBER")
    operation = spec.options.get("op", "data")
    if operation not in OPERATIONS:
        raise UsageError(f"{text!r}: op is one of {', '.join(OPERATIONS)}")
    probability = number(spec, "p", 1.0)
    if probability > 1:
        raise UsageError(f"{text!r}: p is a probability, from 0 to 1")
    return Fault(
        number=fault_number,
        text=text,
        kind="error" if code is not None else spec.kind,
        code=code,
        probability=probability,
        node=integer(spec, "node"),
        shard=integer(spec, "shard"),
        operation=operation,
        from_ns=now_ns + duration_ns(spec.options.get("from", "0s")),
        for_ns=duration_ns(spec.options["for"]) if "for" in spec.options else None,
        every_ns=duration_ns(spec.options["every"]) if "every" in spec.options else 0,
        left=integer(spec, "count"),
        pause_ns=duration_ns(spec.options.get("pause", "5ms")),
    )


class Faults:
    """All rules given so far, the first that fits a request wins.

    `struck` counts how often by `KIND:op=OP`, of rules that were cleared too.
    """

    def __init__(self, draw: random.Random) -> None:
        self._random = draw
        self._given = 0
        self.rules: list[Fault] = []
        self.struck: Counter[str] = Counter()

    def add(self, text: str, now_ns: int = 0) -> Fault:
        fault = parse_fault(text, self._given + 1, now_ns)
        self._given += 1
        self.rules.append(fault)
        return fault

    def clear(self) -> None:
        self.rules.clear()

    def pick(self, node: int, shard: int, operation: str, now_ns: int) -> Fault | None:
        """The fault that a request meets, counted; None for most."""
        for fault in self.rules:
            if fault.kind == "down" or not fault.concerns(node, shard, operation) or not fault.due(now_ns):
                continue
            if fault.probability < 1 and self._random.random() >= fault.probability:
                continue
            fault.fired += 1
            self.struck[f"{fault.text.partition(':')[0]}:op={fault.operation}"] += 1
            if fault.left is not None:
                fault.left -= 1
            return fault
        return None

    def node_is_down(self, node: int, now_ns: int) -> bool:
        """Whether a `down` rule has this node off now."""
        return any(fault.kind == "down" and fault.node in (None, node) and fault.due(now_ns) for fault in self.rules)

    def state(self) -> list[dict[str, object]]:
        return [{"number": fault.number, "spec": fault.text, "fired": fault.fired} for fault in self.rules]
