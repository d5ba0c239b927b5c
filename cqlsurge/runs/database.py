"""The database of a run: the one at ADDRESS, or our own; connected, its schema ready, described for the engines."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cassandra.cluster import Cluster, Session

from cqlsurge.database.address import parse_address, parse_translations
from cqlsurge.database.connect import connect, plain_errors
from cqlsurge.database.schema import prepare_schema
from cqlsurge.database.secrets import Security, read_security
from cqlsurge.database.topology import (
    Identity,
    Tablets,
    TopologyWatch,
    choose_dc,
    identify,
    nodes_of,
    nodes_with_shards,
    replication_of,
    tablets_of,
)
from cqlsurge.load.engines.contract import Node, Target
from cqlsurge.results.listener import Listener
from cqlsurge.runs.compression import chosen_compression
from cqlsurge.runs.statement_check import prepare_all
from cqlsurge.runs.workload_schema import prepare_workload
from cqlsurge.runs.workloads import RunWorkload
from cqlsurge.settings import Settings

if TYPE_CHECKING:
    from cqlsurge.database.embedded.cluster import EmbeddedCluster


@dataclass
class Database:
    """A connected database. `target` is what engines need; `facts` what the result tells.

    own: our own, if it was started for this run; embedded: whether it is our own, whoever started it. tables: the names
    (keyspace.table) of all that is loaded.
    """

    cluster: Cluster
    session: Session
    target: Target
    identity: Identity
    watch: TopologyWatch
    own: EmbeddedCluster | None
    embedded: bool
    tables: tuple[str, ...]
    _tablets_changed: bool = False

    @property
    def facts(self) -> dict[str, Any]:
        """The result's cluster{}."""
        nodes = self.target.nodes
        return {
            "product": self.identity.product,
            "version": self.identity.version,
            "name": self.identity.name,
            "embedded": self.embedded,
            "nodes": len(nodes),
            "dcs": sorted({node.dc for node in nodes}),
            "dc": self.target.local_dc,
            "shards": sum(node.shards for node in nodes),
            "placement": _placement(self.target.tablets),
            "replication": dict(self.target.replication),
            "addresses": [f"{node.address}:{node.port}" for node in nodes],
            "tls": self.target.tls is not None,
        }

    @property
    def tables_there(self) -> set[str]:
        """Those of `tables` that the driver has heard of: it is told of changes of the schema."""
        keyspaces = self.cluster.metadata.keyspaces
        parts = {name: name.replace('"', "").split(".", 1) for name in self.tables}
        return {
            name for name, (keyspace, table) in parts.items()
            if keyspace in keyspaces and table in keyspaces[keyspace].tables
        }  # fmt: skip

    def topology_message(self) -> dict[str, Any]:
        """The nodes as they are now, for the load processes: tokens and tablets only where they are others."""
        known = {node.host_id: node.tokens for node in self.target.nodes}
        self.target = replace(self.target, nodes=nodes_of(self.cluster))
        nodes = [dict(vars(node)) for node in self.target.nodes]
        for node in nodes:
            if known.get(node["host_id"]) == node["tokens"]:
                del node["tokens"]
        message: dict[str, Any] = {"type": "topology", "nodes": nodes}
        if self._tablets_changed:
            self._tablets_changed = False
            message["tablets"] = self.target.tablets
        return message

    def read_tablets(self) -> Tablets | None:
        """The table's tablets as they are now; may take long, and be called from any thread."""
        return tablets_of(self.session, self.target.keyspace, self.target.table)

    def take_tablets(self, tablets: Tablets | None) -> bool:
        """Takes up tablets that were read; whether they are others than before. Without any nothing is known."""
        if not tablets or tablets == self.target.tablets:
            return False
        self._tablets_changed = True
        self.target = replace(self.target, tablets=tablets)
        return True

    def close(self) -> None:
        """Ends the control plane's connections."""
        self.watch.close()
        self.cluster.shutdown()


def open_database(
    settings: Settings,
    stack: ExitStack,
    listener: Listener,
    shared: str = "",
    workload: RunWorkload | None = None,
) -> Database:
    """Connects (starting our own Cassandra where no address is given) and prepares the schema.

    `shared`: where our own is that was started for several runs, of which this is one without an address. What must be
    ended again is put on the stack. Raises UsageError, ClusterError or EmbeddedError.
    """
    security = read_security(settings)
    translations = parse_translations(settings.translate)
    address = settings.address or shared
    points = parse_address(address) if address else []
    own = None if address else _start_embedded(stack, listener)
    if own is not None:
        address = own.address
        points = parse_address(address)
    listener.stage(f"connecting to {address}")
    cluster, session = connect(points, security, translations, listener.note)
    stack.callback(cluster.shutdown)
    with plain_errors("looking at the database"):
        nodes = nodes_with_shards(cluster)
        dc = choose_dc(settings.dc, nodes)
        counts = {name: sum(node.dc == name for node in nodes) for name in {node.dc for node in nodes}}
        if workload is None:
            prepare_schema(session, settings, dc, counts)
        else:
            prepare_workload(
                session,
                workload.spec,
                listener,
                create=settings.create,
                truncate=settings.truncate,
                nodes_by_dc=counts,
                own=own is not None,
            )
            for note in prepare_all(session, workload.spec):
                listener.note(note)
        keyspace, table = routed_table(settings, workload)
        compression = chosen_compression(settings, workload).on
        database = Database(
            cluster=cluster,
            session=session,
            target=_target(settings, session, nodes, dc, security, keyspace, table, compression),
            identity=identify(session),
            watch=TopologyWatch(cluster),
            own=own,
            embedded=settings.address is None,
            tables=tuple(each.name for each in workload.spec.tables) if workload else (f"{keyspace}.{table}",),
        )
    stack.callback(database.close)
    if database.target.tablets == ():
        listener.note(
            f"system.tablets cannot be read by {settings.user or 'anybody'}: which node serves what is learned from the"
            " server's answers; GRANT SELECT ON system.tablets lets the first requests find their way as well"
        )
    return database


def _placement(tablets: Tablets | None) -> str:
    if tablets is None:
        return "ring"
    return f"{len(tablets)} tablets" if tablets else "tablets, learned from answers"


def routed_table(settings: Settings, workload: RunWorkload | None) -> tuple[str, str]:
    """The keyspace and the table that routing goes by."""
    if workload is None:
        return settings.keyspace, settings.table
    keyspace, _, table = workload.table.name.partition(".")
    return keyspace, table


def _start_embedded(stack: ExitStack, listener: Listener) -> EmbeddedCluster:
    from cqlsurge.database.embedded.cluster import (
        start,  # only a run without ADDRESS needs it and its optional packages
    )

    cluster = start(progress=listener.stage)
    stack.callback(cluster.stop)
    return cluster


def _target(
    settings: Settings,
    session: Session,
    nodes: tuple[Node, ...],
    dc: str,
    security: Security,
    keyspace: str,
    table: str,
    compression: bool,
) -> Target:
    return Target(
        contact_points=tuple((str(point.address), int(point.port)) for point in session.cluster.contact_points),
        local_dc=dc,
        keyspace=keyspace,
        table=table,
        nodes=nodes,
        replication=replication_of(session, keyspace),
        tablets=tablets_of(session, keyspace, table),
        username=security.user,
        password=security.password,
        tls=security.tls,
        compression=compression,
        address_map={announced: to.host for announced, to in parse_translations(settings.translate).items()},
    )
