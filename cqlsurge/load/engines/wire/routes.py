"""The router of a pool, kept up with nodes and tablets while a load goes on: it is made in pieces between ticks.

Tablets come whole from the control plane where it may read system.tablets, and one by one from answers of the server to
requests that it had to pass on (TABLETS_ROUTING_V1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cqlsurge.load.engines.wire.router import Router, router_steps
from cqlsurge.load.routing.steps import Piecework, run_through
from cqlsurge.load.routing.tablets import TabletMap

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cqlsurge.load.cql.extensions import TabletRange
    from cqlsurge.load.engines.contract import Node, Target
    from cqlsurge.load.engines.wire.connection import Connection

#: what making a router may take of the loop's time at each tick
BUDGET_NS = 1_000_000


class Routes:
    """`router` is the one in use; a new one takes its place when it is done. `tablets` None: the table has none."""

    def __init__(self, target: Target) -> None:
        self.router: Router
        self.tablets: TabletMap[str] | None = None
        self._stale = False
        self._work: Piecework | None = None
        self._made_from: tuple[Any, ...] = ()
        self.take_tablets(target)

    def take_tablets(self, target: Target) -> None:
        """The table's tablets as the control plane read them; what was learned stays where it could not read any."""
        if target.tablets:
            self.tablets = TabletMap.from_rows(target.tablets)
            self._stale = True
        elif target.tablets is not None and self.tablets is None:
            self.tablets = TabletMap()
            self._stale = True

    def learn(self, tablet: TabletRange) -> None:
        """The server had to pass on a request, and tells where those of its tablet belong."""
        replicas = tuple([(str(replica.host_id), replica.shard) for replica in tablet.replicas])
        if self.tablets is None:
            self.tablets = TabletMap()
        elif self.tablets.replicas(tablet.last_token) == replicas:
            return
        self.tablets.update(tablet.first_token, tablet.last_token, replicas)
        self._stale = True

    def take_nodes(
        self, target: Target, nodes: Sequence[Node], lanes_of: Mapping[str, list[Connection]], *, at_once: bool
    ) -> None:
        """Nodes and their connections have changed, or may have: a new router is made where it would be another."""
        facts = [(node.host_id, node.dc, node.rack, node.tokens, node.shards, node.ignore_msb) for node in nodes]
        made_from = (facts, dict(lanes_of), dict(target.replication))
        if made_from == self._made_from and not self._stale:
            return
        self._made_from, self._stale = made_from, False
        self._work = None
        steps = router_steps(target, nodes, lanes_of, self.tablets)
        if at_once:
            self.router = run_through(steps)
        else:
            self._work = Piecework(steps)

    @property
    def wanted(self) -> bool:
        """Whether something was learned since the router was begun, and none is under way."""
        return self._stale and self._work is None

    def go_on(self, budget_ns: int = BUDGET_NS) -> None:
        """Some more of the router that is under way."""
        if self._work is not None and self._work.go_on(budget_ns):
            self.router, self._work = self._work.result, None
