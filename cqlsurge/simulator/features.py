"""What a node offers in SUPPORTED and what a client took of it in STARTUP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cqlsurge.load.cql import extensions as x
from cqlsurge.load.cql.compression import Compressor, lz4_support
from cqlsurge.load.cql.server_errors import SCYLLA_RATE_LIMIT_ERROR
from cqlsurge.simulator.execution.executor import LWT_MARK
from cqlsurge.simulator.topology import IGNORE_MSB

if TYPE_CHECKING:
    from cqlsurge.simulator.topology import SimulatedNode, Topology


def supported(topology: Topology, node: SimulatedNode, shard: int, *, tls: bool) -> dict[str, list[str]]:
    """The options of SUPPORTED on a connection to a shard of a node."""
    options = {
        "CQL_VERSION": ["3.3.1" if topology.scylla else "3.4.7"],
        "COMPRESSION": ["lz4"] if lz4_support().block else [],
    }
    if not topology.scylla:
        return {**options, "PROTOCOL_VERSIONS": ["4/v4"]}
    offered = x.Extensions(
        sharding=x.Sharding(shard, topology.shard_count, IGNORE_MSB),
        shard_aware_port=topology.shard_aware_port,
        shard_aware_port_ssl=topology.shard_aware_port if tls else None,
        rate_limit_code=SCYLLA_RATE_LIMIT_ERROR,
        lwt_mask=LWT_MARK,
        tablets_routing=True,
        host_id=str(node.host_id),
    )
    return {**options, "CLIENT_OPTIONS": [""], **offered.to_supported()}


@dataclass(frozen=True)
class Features:
    """What a STARTUP asked for and gets."""

    tablets: bool = False
    lwt_mark: bool = False
    rate_limit: bool = False
    compressor: Compressor | None = None


def negotiated(options: dict[str, str], *, scylla: bool) -> Features:
    """ValueError for a compression that there is not."""
    wanted = options.get("COMPRESSION", "").lower()
    if wanted not in ("", "none", "lz4") or (wanted == "lz4" and not lz4_support().block):
        raise ValueError(f"Unknown compression algorithm: {wanted}")
    return Features(
        tablets=scylla and x.TABLETS_ROUTING in options,
        lwt_mark=scylla and x.LWT_MARK in options,
        rate_limit=scylla and x.RATE_LIMIT_ERROR in options,
        compressor=Compressor() if wanted == "lz4" else None,
    )
