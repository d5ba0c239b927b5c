"""A real Apache Cassandra cluster on this machine's loopback addresses, for as long as its owner wants it."""

from __future__ import annotations

import os
import ssl
import sys
import time
from typing import TYPE_CHECKING

from cqlsurge.database.embedded.certificates import Certificates, certificates
from cqlsurge.database.embedded.config import ClusterConfig, write_node
from cqlsurge.database.embedded.jars import ensure_jars
from cqlsurge.database.embedded.java import find_java
from cqlsurge.database.embedded.node import Node, require_running, wait_until_ended
from cqlsurge.database.embedded.probe import Login, answers
from cqlsurge.database.embedded.runs import RunFolder, open_run
from cqlsurge.errors import EmbeddedError, RunError, UsageError
from cqlsurge.host.ports import PortLease, lease_port

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cqlsurge.database.embedded.jars import Jars

DATA_CENTRE = "datacenter1"
MAX_NODES = 8
START_TIMEOUT_S = 240.0
STOP_TIMEOUT_S = 30.0
KILL_TIMEOUT_S = 5.0
POLL_S = 0.1


def start(
    nodes: int = 1,
    *,
    port: int = 0,
    keep: Path | None = None,
    tls: bool = False,
    client_certificates: bool = False,
    auth: bool = False,
    heap_mb: int | None = None,
    address: str | None = None,
    progress: Callable[[str], None] = lambda _text: None,
) -> EmbeddedCluster:
    """Start a cluster and wait until each node answers and sees the others; fetch Cassandra first if need be.

    `port` is every node's CQL port (0: any that is free on all their addresses). `keep` is a folder whose data outlives
    the cluster. `tls` encrypts CQL; with `client_certificates` each client must show one. `auth` demands the default
    superuser's name and password. `heap_mb` is each JVM's largest heap in MiB. `address` is where a single node listens
    instead of loopback: whoever reaches it there is let in. `progress` is told what goes on, a line at a time. Whatever
    ends this call or this process, no node outlives it.

    Raises UsageError or RunError (EmbeddedError mostly), each with the cure.
    """
    _require_possible(nodes, heap_mb)
    if address is not None and nodes > 1:
        raise UsageError("an address other than loopback is for one node: use --nodes 1")
    run = open_run(nodes, keep)
    leases: list[PortLease] = []
    try:
        addresses = [address] if address else [f"127.0.0.{number}" for number in range(1, nodes + 1)]
        leases.append(lease_port(addresses, port))
        leases.append(_storage_port(addresses, run))
        jars = ensure_jars(progress)
        java = find_java(progress)
        config = ClusterConfig(
            addresses=addresses,
            cql_port=leases[0].port,
            storage_port=leases[1].port,
            heap_mb=heap_mb or default_heap_mb(nodes),
            auth=auth,
            certificates=certificates(run.path / "tls", addresses) if tls else None,
            client_certificates=client_certificates,
        )
        cluster = EmbeddedCluster(config, _nodes(config, run, java, jars), run, leases, progress)
    except BaseException:
        for lease in leases:
            lease.release()
        run.close()
        raise
    try:
        cluster.launch()
    except BaseException:
        cluster.abort()
        raise
    return cluster


def default_heap_mb(nodes: int) -> int:
    """1 GiB for one node, 512 MiB for each of several; less where the machine's memory is small."""
    memory_mb = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20
    return max(256, min(1024 if nodes == 1 else 512, memory_mb // (4 * nodes)))


def _require_possible(nodes: int, heap_mb: int | None) -> None:
    """Raise UsageError for a cluster that cannot be had here."""
    if not 1 <= nodes <= MAX_NODES:
        raise UsageError(f"the embedded cluster has 1 to {MAX_NODES} nodes, not {nodes}; give --nodes in that range")
    if nodes > 1 and sys.platform != "linux":
        raise UsageError("several embedded nodes need 127.0.0.2 and up, which only Linux has; use --nodes 1 here")
    if heap_mb is not None and heap_mb < 128:
        raise UsageError(f"Cassandra does not run on a heap of {heap_mb} MiB; give --heap 256M or more")


def _storage_port(addresses: list[str], run: RunFolder) -> PortLease:
    """The port on which nodes talk: a kept cluster's peers know each other by it, so it stays the same there."""
    record = run.record()
    if record.get("nodes", len(addresses)) != len(addresses):
        raise UsageError(f"{run.path} keeps a cluster of {record['nodes']} nodes; give --nodes {record['nodes']}")
    port = record.get("storage_port", 0)
    try:
        lease = lease_port(addresses, port)
    except RunError:
        if not port:
            raise
        raise EmbeddedError(
            f"the cluster kept in {run.path} talks on port {port}, which another program has now; end that one"
        ) from None
    run.write_record({"nodes": len(addresses), "storage_port": lease.port})
    return lease


def _nodes(config: ClusterConfig, run: RunFolder, java: Path, jars: Jars) -> list[Node]:
    nodes = []
    for index, host in enumerate(config.addresses):
        folder = run.path / f"node{index + 1}"
        arguments = write_node(config, index, folder, jars)
        nodes.append(Node(index + 1, host, config.cql_port, folder, java, arguments, run.lock_fd, run.kept))
    return nodes


class EmbeddedCluster:
    """A running cluster; a context manager that stops it. Made by `start`; meant for one thread at a time."""

    def __init__(
        self,
        config: ClusterConfig,
        nodes: list[Node],
        run: RunFolder,
        leases: list[PortLease],
        progress: Callable[[str], None],
    ) -> None:
        self.nodes = nodes
        self._config = config
        self._run = run
        self._leases = leases
        self._progress = progress
        self._login = Login(self.user, self.password, self._tls_context())

    @property
    def address(self) -> str:
        """The first node, as "HOST:PORT"; drivers find the others from it."""
        return self.nodes[0].address

    @property
    def host(self) -> str:
        return self.nodes[0].host

    @property
    def port(self) -> int:
        """The CQL port, the same on every node."""
        return self._config.cql_port

    @property
    def data_centre(self) -> str:
        return DATA_CENTRE

    @property
    def user(self) -> str | None:
        """Cassandra's default superuser when `auth` is on."""
        return "cassandra" if self._config.auth else None

    @property
    def password(self) -> str | None:
        return "cassandra" if self._config.auth else None

    @property
    def tls(self) -> Certificates | None:
        """The PEM files of CA, client certificate and client key when TLS is on."""
        return self._config.certificates

    @property
    def ca_file(self) -> Path | None:
        return self.tls.ca if self.tls else None

    def __enter__(self) -> EmbeddedCluster:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def launch(self) -> None:
        """Start all nodes and wait until they are one cluster; `start` has called it."""
        self._progress(f"starting Apache Cassandra, {len(self.nodes)} node{'s' if len(self.nodes) > 1 else ''}")
        marks = {node.number: node.log_size() for node in self.nodes}
        for node in self.nodes:
            node.launch()
        self._wait_until_up(self.nodes, marks)

    def poll(self) -> dict[int, str]:
        """The nodes that ended without being asked to, each with why; cheap, to be called now and then."""
        return {node.number: node.death() for node in self.nodes if node.supervisor is not None and not node.running}

    def stop_node(self, number: int) -> None:
        """End a node in good order: it saves its data and tells the others (some 3 s)."""
        self._end(self._running_node(number), "stop", STOP_TIMEOUT_S)

    def kill_node(self, number: int) -> None:
        """End a node by SIGKILL, as a crash would."""
        self._end(self._running_node(number), "kill", KILL_TIMEOUT_S)

    def start_node(self, number: int) -> None:
        """Start an ended node again, with its data and address; returns when it answers and the others see it."""
        node = self._node(number)
        if node.running:
            raise UsageError(f"node {number} is running already")
        node.forget()
        marks = {other.number: other.log_size() for other in self.nodes}
        node.launch()
        try:
            self._wait_until_up([node], marks)
        except BaseException:
            self._end(node, "kill", KILL_TIMEOUT_S)
            raise

    def stop(self) -> None:
        """End all nodes and remove their data, unless it is kept; calling it again does nothing."""
        try:
            if self._run.kept:  # data that nobody keeps need not be saved
                self._end_all("stop", STOP_TIMEOUT_S)
        finally:
            self.abort()

    def abort(self) -> None:
        """End all nodes at once, saving nothing more."""
        self._end_all("kill", KILL_TIMEOUT_S)
        for lease in self._leases:
            lease.release()
        self._run.close()

    def _end_all(self, order: str, timeout_s: float) -> None:
        for node in self.nodes:
            node.order(order)
        wait_until_ended(self.nodes, timeout_s)

    def _end(self, node: Node, order: str, timeout_s: float) -> None:
        node.order(order)
        node.wait(timeout_s)

    def _node(self, number: int) -> Node:
        if not 1 <= number <= len(self.nodes):
            raise UsageError(f"there is no node {number}; the cluster has nodes 1 to {len(self.nodes)}")
        return self.nodes[number - 1]

    def _running_node(self, number: int) -> Node:
        node = self._node(number)
        if not node.running:
            raise UsageError(f"node {number} is not running; start it first")
        return node

    def _wait_until_up(self, starting: list[Node], marks: dict[int, int]) -> None:
        """Wait until the starting nodes answer clients, and they and all other running nodes see each other."""
        began = time.monotonic()
        silent = list(starting)
        while True:
            require_running(starting)
            for node in [node for node in silent if answers(node.host, node.port, self._login)]:
                silent.remove(node)
                self._progress(f"Cassandra node {node.number} answers after {time.monotonic() - began:.1f} s")
            running = [node for node in self.nodes if node.running]
            new = {node.host for node in starting}
            if not silent and all(
                node.sees(
                    ({other.host for other in running} if node in starting else new) - {node.host}, marks[node.number]
                )
                for node in running
            ):
                return
            if time.monotonic() - began > START_TIMEOUT_S:
                node = (silent or starting)[0]
                raise EmbeddedError(
                    f"Cassandra node {node.number} is not ready after {START_TIMEOUT_S:.0f} s; is this machine busy? "
                    f"its log says: {node.telling_lines() or 'nothing'}"
                )
            time.sleep(POLL_S)

    def _tls_context(self) -> ssl.SSLContext | None:
        if self.tls is None:
            return None
        context = ssl.create_default_context(cafile=self.tls.ca)
        context.load_cert_chain(self.tls.client_certificate, self.tls.client_key)
        return context
