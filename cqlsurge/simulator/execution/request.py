"""What a statement runs with, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cqlsurge.load.routing.keys import routing_key
from cqlsurge.load.routing.murmur3 import token

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cqlsurge.load.cql.primitives import Value
    from cqlsurge.load.cql.responses import Response
    from cqlsurge.load.cql.schema_change import SchemaChange
    from cqlsurge.simulator.schema import Table
    from cqlsurge.simulator.topology import SimulatedNode


@dataclass
class Context:
    """One request: where it arrived, its values and options, the time; `touched` gathers the tokens that it needs."""

    node: SimulatedNode
    now_us: int
    keyspace: str | None = None
    values: Sequence[Value] = ()
    timestamp_us: int | None = None
    page_size: int | None = None
    paging_state: bytes | None = None
    skip_metadata: bool = False
    guard: Callable[[Table, int], None] | None = None  # raises where too few replicas are up
    touched: list[tuple[Table, int]] = field(default_factory=list)

    def touch(self, table: Table, key: Sequence[bytes]) -> int:
        """Note a partition of a table; its token."""
        key_token = token(routing_key(key))
        if self.guard is not None:
            self.guard(table, key_token)
        self.touched.append((table, key_token))
        return key_token


@dataclass
class Outcome:
    """The answer, and what else it did: the keyspace of USE, a schema change for those who registered."""

    message: Response
    keyspace: str | None = None
    change: SchemaChange | None = None
