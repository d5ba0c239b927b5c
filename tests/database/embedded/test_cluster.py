"""The real database: one shared node and three, plus clusters of a test's own in processes that are killed.

Each JVM costs some 8 CPU seconds to start, so a test checks several things of the cluster that it has.
"""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
from cassandra import AuthenticationFailed, ConsistencyLevel
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import Cluster, NoHostAvailable
from cassandra.query import SimpleStatement
from held import Held, gone, wait_until

from cqlsurge.database.embedded import start
from cqlsurge.database.embedded.runs import remove_leftovers
from cqlsurge.errors import EmbeddedError, RunError, UsageError

pytestmark = [
    pytest.mark.cassandra,
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
]


@pytest.fixture
def hold(cassandra, tmp_path):
    """Starts holders of clusters, and ends those that a failed test leaves; asks for Cassandra, so that it is here."""
    holders: list[Held] = []

    def one(*arguments: str, **more) -> Held:
        holders.append(Held(tmp_path, *arguments, **more))
        return holders[-1]

    yield one
    for held in holders:
        held.end()


def connect(cluster, **more):
    return Cluster([cluster.host], port=cluster.port, protocol_version=4, compression=False, **more)


def test_one_node_answers_on_loopback_only_and_is_datacenter1(cassandra):
    assert cassandra.address == f"127.0.0.1:{cassandra.port}"
    assert cassandra.port < 32768
    with connect(cassandra) as driver:
        row = driver.connect().execute("SELECT data_center, release_version, tokens FROM system.local").one()
    assert row.data_center == cassandra.data_centre == "datacenter1"
    assert row.release_version.startswith("5.0.")
    assert len(row.tokens) == 16
    assert cassandra.poll() == {}
    listening = listening_addresses(cassandra.nodes[0].jvm_pid)
    assert listening
    assert all(address == "127.0.0.1" for address in listening)


def listening_addresses(pid: int) -> list[str]:
    inodes = set()
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        try:
            inodes.add(os.readlink(fd).removeprefix("socket:[").removesuffix("]"))
        except OSError:
            continue
    lines = [
        line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/{pid}/net/{name}").read_text().splitlines()
    ]
    hexes = [line[1].split(":")[0] for line in lines if line[3] == "0A" and line[9] in inodes]
    return [".".join(str(byte) for byte in reversed(bytes.fromhex(text))) for text in hexes]


def test_wrong_use_is_refused_with_the_cure(cassandra):
    with pytest.raises(UsageError, match="1 to 8 nodes, not 0"):
        start(0)
    with pytest.raises(UsageError, match="--heap 256M"):
        start(heap_mb=64)
    with pytest.raises(RunError, match=rf"port {cassandra.port} is taken .*--port 0"):
        start(port=cassandra.port)
    with pytest.raises(UsageError, match="no node 7"):
        cassandra.kill_node(7)


def test_three_nodes_survive_the_death_of_one(cassandra3):
    with connect(cassandra3) as driver:
        session = driver.connect()

        def hosts():
            driver.refresh_nodes(force_token_rebuild=True)
            return {(host.address, host.datacenter) for host in driver.metadata.all_hosts()}

        # A node tells clients of a neighbour some moments after it has seen it itself.
        wait_until(lambda: len(hosts()) == 3)
        shares = [len(host_tokens) for host_tokens in tokens_by_host(driver).values()]
        assert shares == [16, 16, 16]
        session.execute(
            "CREATE KEYSPACE deaths WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': 3}"
        )
        session.execute("CREATE TABLE deaths.t (k int PRIMARY KEY, v int)")
        session.execute(all_replicas("INSERT INTO deaths.t (k, v) VALUES (1, 1)"))
        cassandra3.kill_node(3)
        assert cassandra3.poll() == {}, "asked for, so no surprise"
        quorum = ConsistencyLevel.QUORUM
        session.execute(SimpleStatement("INSERT INTO deaths.t (k, v) VALUES (2, 2)", consistency_level=quorum))
        cassandra3.start_node(3)
        wait_until(lambda: answers_fully(session), 60)
        with pytest.raises(UsageError, match="running already"):
            cassandra3.start_node(3)


def tokens_by_host(driver):
    hosts: dict[str, list[object]] = {}
    for token, host in driver.metadata.token_map.token_to_host_owner.items():
        hosts.setdefault(host.address, []).append(token)
    return hosts


def all_replicas(text: str) -> SimpleStatement:
    return SimpleStatement(text, consistency_level=ConsistencyLevel.ALL)


def answers_fully(session) -> bool:
    try:
        return session.execute(all_replicas("SELECT v FROM deaths.t WHERE k = 1")).one().v == 1
    except Exception:  # the driver takes a while to see the node again
        return False


def test_killed_jvm_is_noticed(cassandra3):
    os.kill(cassandra3.nodes[1].jvm_pid, signal.SIGKILL)
    wait_until(lambda: cassandra3.poll())
    assert "node 2" in cassandra3.poll()[2]
    assert "ended by SIGKILL" in cassandra3.poll()[2]
    cassandra3.start_node(2)
    assert cassandra3.poll() == {}


@pytest.mark.long
def test_held_cluster_with_tls_and_passwords_beside_another_and_its_killed_holder(hold, cassandra, tmp_path):
    """Two clusters at once; the driver checks the server's name; `kill -9` of the holder leaves no process behind."""
    held = hold("--tls", "--client-certificates", "--auth", "--control-file", str(tmp_path / "control"))
    address = held.wait_ready()
    assert address != cassandra.address
    host, port = address.rsplit(":", 1)
    run = held.run_folder()
    tls = run / "tls"

    def session_with(context, password="cassandra"):
        auth = PlainTextAuthProvider("cassandra", password)
        options = {"check_hostname": True}
        driver = Cluster(
            [host], port=int(port), protocol_version=4, ssl_context=context, ssl_options=options, auth_provider=auth
        )
        try:
            return driver.connect().execute("SELECT cluster_name FROM system.local").one().cluster_name
        finally:
            driver.shutdown()

    trusting = ssl.create_default_context(cafile=tls / "ca.pem")
    trusting.load_cert_chain(tls / "client-certificate.pem", tls / "client-key.pem")
    assert trusting.check_hostname
    assert session_with(trusting) == "cqlsurge"
    for wrong, password in ((trusting, "wrong"), (ssl.create_default_context(), "cassandra")):
        with pytest.raises((NoHostAvailable, AuthenticationFailed)):
            session_with(wrong, password)
    certificateless = ssl.create_default_context(cafile=tls / "ca.pem")
    with pytest.raises(NoHostAvailable):
        session_with(certificateless)
    assert (tmp_path / "control").stat().st_mode & 0o777 == 0o600

    pids = held.node_pids()
    assert len(pids) == 2
    os.kill(held.process.pid, signal.SIGKILL)
    held.process.wait()
    wait_until(lambda: all(gone(pid) for pid in pids), 5)
    assert run.exists()
    remove_leftovers()
    assert not run.exists()
    assert Path(cassandra.nodes[0].folder).exists()


@pytest.mark.long
def test_kept_data_is_there_again(hold, tmp_path):
    """Also: a second start needs no network, a node is stopped by command, and SIGTERM twice at once is once."""
    kept = tmp_path / "kept data"
    control = tmp_path / "control"
    arguments = ("--keep", str(kept), "--control-file", str(control))
    no_network = {"HTTPS_PROXY": "http://127.0.0.1:9", "CQLSURGE_MAVEN_REPOSITORY": "http://127.0.0.1:9"}
    held = hold(*arguments, environment=no_network)
    host, port = held.wait_ready().rsplit(":", 1)
    with Cluster([host], port=int(port), protocol_version=4) as driver:
        session = driver.connect()
        session.execute("CREATE KEYSPACE kept WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
        session.execute("CREATE TABLE kept.t (k int PRIMARY KEY)")
        session.execute("INSERT INTO kept.t (k) VALUES (7)")
    with pytest.raises(EmbeddedError, match="in use"):
        start(keep=kept)
    pids = held.node_pids()
    assert ask("stop", control) == (0, "node 1 is stopped")
    assert all(gone(pid) for pid in pids)
    assert ask("kill", control) == (1, "cqlsurge: node 1 is not running; start it first")
    held.process.send_signal(signal.SIGTERM)
    held.process.send_signal(signal.SIGTERM)
    assert held.process.wait(30) == 0
    assert not held.ready.exists()
    assert not control.exists()
    assert json.loads((kept / "cluster.json").read_text())["nodes"] == 1
    with pytest.raises(UsageError, match="--nodes 1"):
        start(2, keep=kept)

    with start(keep=kept) as cluster, connect(cluster) as driver:
        assert driver.connect().execute("SELECT k FROM kept.t").one().k == 7
    assert kept.exists()


def ask(action: str, control: Path) -> tuple[int, str]:
    command = [*Held.COMMAND, action, "1", "--control", str(control)]
    said = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return said.returncode, said.stdout.strip()


@pytest.mark.long
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_interrupt_while_starting_leaves_nothing(hold, how):
    held = hold()
    wait_until(lambda: held.node_pids(), 30)
    pids = held.node_pids()
    held.process.send_signal(how)
    assert held.process.wait(5) == (130 if how == signal.SIGINT else -9)
    wait_until(lambda: all(gone(pid) for pid in pids), 5)
    assert not held.ready.exists()
    remove_leftovers()


def test_killed_supervisor_takes_its_jvm_and_is_told(hold):
    held = hold()
    wait_until(lambda: held.node_pids(), 30)
    supervisor, jvm = held.node_pids()
    os.kill(supervisor, signal.SIGKILL)
    wait_until(lambda: gone(jvm), 5)
    assert held.process.wait(10) == 1
    assert "node 1" in held.said.read_text()
    assert "its supervisor was ended by SIGKILL" in held.said.read_text()


def test_failed_start_shows_what_the_log_says(cassandra, tmp_path):
    kept = tmp_path / "broken"
    (kept / "node1").mkdir(parents=True)
    (kept / "cluster.json").write_text('{"nodes": 1, "storage_port": 0}')
    (kept / "node1" / "data").write_text("a file where Cassandra needs a folder")
    with pytest.raises(EmbeddedError, match=r"node 1 .* its log says: .*data") as caught:
        start(keep=kept)
    assert "\n" not in str(caught.value)


@pytest.mark.long
def test_holder_ends_when_its_starter_is_killed(hold):
    """As with `uv run`: the shell between is killed, and the holder, no longer anyone's child, ends with its node."""
    held = hold(through_starter=True)
    wait_until(lambda: held.node_pids(), 30)
    pids = [*held.node_pids(), *held.holder_pids()]
    assert len(pids) == 3
    held.process.kill()
    held.process.wait()
    wait_until(lambda: all(gone(pid) for pid in pids), 5)


def test_help_names_defaults():
    said = subprocess.run([*Held.COMMAND, "--help"], capture_output=True, text=True, check=True).stdout
    assert "9042 on a terminal" in " ".join(said.split())
