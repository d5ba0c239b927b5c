"""The simulator as a process holds it: started, answered for on the control URL, stopped."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from cqlsurge.simulator.control import ControlServer
from cqlsurge.simulator.server import Server

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from cqlsurge.simulator.cluster import Cluster
    from cqlsurge.simulator.request_log import RequestLog

CONTROL_ANSWER_S = 10


class Controlled:
    """What the control URL can ask of a cluster: each method takes the JSON body and gives the answer."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._cluster = server.cluster
        self._actions: dict[tuple[str, str], Callable[[Any], Awaitable[Any]]] = {
            ("GET", ""): self.state,
            ("POST", "reset"): self.reset,
            ("POST", "faults"): self.faults,
            ("POST", "faults/clear"): self.clear_faults,
            ("POST", "latency"): self.latency,
            ("POST", "stall"): self.stall,
            ("POST", "node"): self.node,
            ("POST", "shard-port"): self.shard_port,
            ("POST", "tablets"): self.tablets,
            ("POST", "unprepare"): self.unprepare,
        }

    async def answer(self, method: str, path: str, body: Any) -> Any:
        action = self._actions.get((method, path))
        if action is None:
            known = ", ".join(f"{verb} {name or '/'}" for verb, name in self._actions)
            raise LookupError(f"there is no {method} {path or '/'}; there are {known}")
        return await action(body)

    async def state(self, _: Any) -> Any:
        """Counts, faults with how often they struck, and delays."""
        return {
            **self._cluster.counts.state(),
            "faults": self._cluster.faults.state(),
            "struck": self._cluster.faults.struck,
            "latency": self._cluster.delays.latency_specs,
            "stall": self._cluster.delays.stall_specs,
        }

    async def reset(self, _: Any) -> Any:
        """All counts to zero."""
        self._cluster.counts.reset()
        self._cluster.faults.struck.clear()
        return {}

    async def faults(self, body: Any) -> Any:
        """{"spec": "overloaded:p=0.1"} or {"spec": [...]}: from now on."""
        added = [self._cluster.faults.add(spec, self._cluster.elapsed_ns()) for spec in _specs(body)]
        await self._server.settle()
        return {"faults": [fault.number for fault in added]}

    async def clear_faults(self, _: Any) -> Any:
        self._cluster.faults.clear()
        await self._server.settle()
        return {}

    async def latency(self, body: Any) -> Any:
        """{"spec": [...]} replaces all; an empty list ends them."""
        self._cluster.delays.set_latency(_specs(body))
        return {}

    async def stall(self, body: Any) -> Any:
        """As latency."""
        self._cluster.delays.set_stalls(_specs(body), self._cluster.elapsed_ns())
        return {}

    async def node(self, body: Any) -> Any:
        """{"node": 2, "up": false}."""
        node = self._cluster.node(_field(body, "node", int))
        if _field(body, "up", bool):
            self._server.forced_down.discard(node.index)
        else:
            self._server.forced_down.add(node.index)
        await self._server.settle()
        return {"up": node.up}

    async def shard_port(self, body: Any) -> Any:
        """{"node": 2, "open": false}: connections stay, new ones are refused."""
        node = self._cluster.node(_field(body, "node", int))
        if _field(body, "open", bool):
            self._server.shard_ports_closed.discard(node.index)
        else:
            self._server.shard_ports_closed.add(node.index)
        await self._server.settle()
        return {}

    async def tablets(self, body: Any) -> Any:
        """{"move": 3}: so many tablets of each table go elsewhere."""
        count = _field(body, "move", int)
        return {"moved": self._cluster.move_tablets(count)}

    async def unprepare(self, body: Any) -> Any:
        """{"node": 2}: it forgets all prepared statements."""
        self._cluster.executor.forget_prepared(self._cluster.node(_field(body, "node", int)))
        return {}


def _field(body: Any, name: str, kind: type) -> Any:
    value = body.get(name) if isinstance(body, dict) else None
    if not isinstance(value, kind):
        raise ValueError(f"the body must be a JSON object with {name!r}, a {kind.__name__}")
    return value


def _specs(body: Any) -> Sequence[str]:
    value = body.get("spec") if isinstance(body, dict) else None
    specs = [value] if isinstance(value, str) else value
    if not isinstance(specs, list) or not all(isinstance(spec, str) for spec in specs):
        raise ValueError("the body must be a JSON object with 'spec', a text or a list of texts")
    return specs


async def serve(
    cluster: Cluster,
    stopping: asyncio.Event,
    announce: Callable[[str], None],
    log: RequestLog | None = None,
    seed: int = 0,
) -> None:
    """Serve until `stopping` is set; `announce` gets the control URL once every node answers."""
    server = Server(cluster, log, seed)
    controlled = Controlled(server)
    loop = asyncio.get_running_loop()

    def answer(method: str, path: str, body: Any) -> Any:
        """Called in the control server's threads; done in the loop's."""
        coroutine = controlled.answer(method, path, body)
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(CONTROL_ANSWER_S)

    await server.start()
    control = ControlServer(answer)
    control.start()
    try:
        announce(control.url)
        await server.run(stopping)
    finally:
        await loop.run_in_executor(None, control.close)
        await server.stop()
