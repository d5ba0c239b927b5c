"""The simulator as its users have it: a process, its files, signals, sockets, faults on the wire, control URL.

How: `python -m cqlsurge.simulator` is started for each group of tests; a plain blocking client talks to it. Times are
only compared with what the simulator itself logged, or as "at least".
"""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from simulated import ROOT, Client, simulated

from cqlsurge.load.cql import requests as q
from cqlsurge.load.cql.errors import ProtocolError
from cqlsurge.load.cql.extensions import Extensions
from cqlsurge.load.cql.frames import encode_frame
from cqlsurge.load.cql.primitives import Endpoint
from cqlsurge.load.cql.responses import decode_response
from cqlsurge.load.cql.results import Rows, Void

INSERT = "INSERT INTO ks.kv (key, value) VALUES (?, ?)"
KEY = bytes(16)


@pytest.fixture(scope="module")
def three():
    with simulated("--nodes=3", "--shards=4") as server, server.client() as client:
        client.make_table()
        yield server


@pytest.fixture
def clean(three):
    yield three
    three.post("faults/clear")
    three.post("latency", spec=[])
    three.post("stall", spec=[])
    three.post("node", node=2, up=True)
    three.post("shard-port", node=2, open=True)


def sharding(client):
    return Extensions.from_supported(client.ask(q.Options()).options)


def test_the_shard_follows_the_clients_port(three):
    with three.client() as client:
        aware_port = sharding(client).shard_aware_port
    for offset in range(4):
        for port in range(40000 + offset, 48000, 4):
            try:
                aware = Client(three.host, aware_port, ("127.0.0.1", port))
            except OSError:
                continue
            with aware:
                assert sharding(aware).sharding.shard == port % 4
            break


def test_the_plain_port_fills_up_the_shards(three):
    clients = [Client("127.0.0.3", three.port) for _ in range(4)]
    try:
        assert sorted(sharding(client).sharding.shard for client in clients) == [0, 1, 2, 3]
    finally:
        for client in clients:
            client.close()


def test_all_nodes_hold_the_same_rows(three):
    with three.client() as one, three.client("127.0.0.2") as two:
        one.query(INSERT, KEY, b"here")
        assert two.query("SELECT value FROM ks.kv WHERE key = ?", KEY).rows == [(b"here",)]


def test_pipelined_requests_are_all_answered(three):
    with three.client() as client:
        statement = client.prepare(INSERT).statement_id
        for stream in range(500):
            client.send(q.Execute(statement, q.QueryParameters(values=(KEY, b"x" * 1000))), stream)
        assert sorted(client.frame().stream for _ in range(500)) == list(range(500))


def test_an_unknown_version_ends_the_connection(three):
    with Client(three.host, three.port) as client:
        client.socket.sendall(bytes.fromhex("050000030100000000"))
        assert decode_response(client.frame()).code == 0x000A
        with pytest.raises(ConnectionError):
            client.frame()


def test_counts_and_their_reset(three):
    with three.client() as client:
        three.post("reset")
        statement = client.prepare(INSERT).statement_id
        client.execute(statement, KEY, b"")
    total = three.get()["total"]
    assert (total["write"], total["prepare"]) == (1, 1)
    assert total["right"] + total["wrong_shard"] + total["wrong_node"] == 1
    assert [node["address"] for node in three.get()["nodes"]] == ["127.0.0.1", "127.0.0.2", "127.0.0.3"]


def test_the_control_url_needs_its_token(three):
    base = three.control.rsplit("/", 2)[0]
    for path in ("/", "/guessed/", "/guessed/reset"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(base + path, timeout=10)


def test_the_control_url_says_what_is_wrong(three):
    assert "no fault 'frob'" in three.refused("faults", spec="frob")
    assert "'spec'" in three.refused("faults")
    assert "there is no node 9" in three.refused("node", node=9, up=False)
    assert "there is no POST frob" in three.refused("frob")


def test_a_node_goes_down_and_comes_back(clean):
    with clean.client() as watcher, clean.client("127.0.0.2") as client:
        watcher.ask(q.Register(("STATUS_CHANGE",)))
        assert clean.post("node", node=2, up=False) == {"up": False}
        with pytest.raises(ConnectionError):
            client.query("SELECT * FROM system.local")
        with pytest.raises(OSError):
            Client("127.0.0.2", clean.port)
        assert clean.post("node", node=2, up=True) == {"up": True}
        with clean.client("127.0.0.2") as again:
            assert isinstance(again.query("SELECT * FROM system.local"), Rows)
        watcher.query("SELECT * FROM system.local")
        seen = [(event.change, event.node) for event in watcher.events]
        assert seen == [(change, Endpoint("127.0.0.2", clean.port)) for change in ("DOWN", "UP")]


def test_the_shard_aware_port_can_be_closed(clean):
    with clean.client("127.0.0.2") as client:
        port = sharding(client).shard_aware_port
        with Client("127.0.0.2", port) as before:
            clean.post("shard-port", node=2, open=False)
            with pytest.raises(OSError):
                Client("127.0.0.2", port)
            assert sharding(before).shard_aware_port == port
            clean.post("node", node=2, up=False)
            clean.post("node", node=2, up=True)
            with pytest.raises(OSError):
                Client("127.0.0.2", port)
        clean.post("shard-port", node=2, open=True)
        Client("127.0.0.2", port).close()


def test_a_restarted_node_has_forgotten_its_statements(clean):
    with clean.client("127.0.0.3") as client:
        statement = client.prepare(INSERT).statement_id
        assert client.execute(statement, KEY, b"") == Void()
        clean.post("unprepare", node=3)
        assert client.execute(statement, KEY, b"").code == 0x2500


def broken(server, spec, messages=1):
    """What a client sees of one write under a fault: the frames it gets, then the error that ends it, if any."""
    with server.client() as client:
        statement = client.prepare(INSERT).statement_id
        server.post("faults", spec=spec)
        client.socket.settimeout(0.5)
        found = []
        try:
            client.send(q.Execute(statement, q.QueryParameters(values=(KEY, b""))), 9)
            while len(found) < messages:
                found.append(client.frame())
        except (OSError, ProtocolError) as error:
            return found, error, len(client.decoder._buffer)
        return found, None, 0


def test_reset(clean):
    _, error, _ = broken(clean, "reset")
    assert isinstance(error, ConnectionResetError)


def test_reset_in_the_middle_of_a_frame(clean):
    _, error, received = broken(clean, "reset-mid-frame")
    assert isinstance(error, ConnectionResetError)
    assert received in (0, 6)  # the half may be lost with the reset, as in real life


def test_nothing_comes_behind_half_a_frame(clean):
    """Else a client would take the next answer for the other half."""
    with clean.client() as client:
        statement = client.prepare(INSERT).statement_id
        clean.post("faults", spec="reset-mid-frame:count=1")
        execute = q.Execute(statement, q.QueryParameters(values=(KEY, b"")))
        client.socket.sendall(b"".join(encode_frame(execute.opcode, execute.encode_body(), each) for each in range(9)))
        with pytest.raises(ConnectionError):
            client.frame()


def test_truncated_frame(clean):
    found, error, received = broken(clean, "truncated")
    assert (found, received) == ([], 6)
    assert isinstance(error, ConnectionError)
    assert not isinstance(error, ConnectionResetError)


@pytest.mark.parametrize("spec", ["drop", "half-open"])
def test_silence(clean, spec):
    assert isinstance(broken(clean, spec)[1], TimeoutError)


def test_after_half_open_nothing_is_answered(clean):
    with clean.client() as client:
        statement = client.prepare(INSERT).statement_id
        clean.post("faults", spec="half-open:count=1")
        client.socket.settimeout(0.3)
        for _ in range(2):
            client.send(q.Execute(statement, q.QueryParameters(values=(KEY, b""))))
            with pytest.raises(TimeoutError):
                client.frame()


def test_garbage(clean):
    found, error, received = broken(clean, "garbage")
    assert isinstance(error, (ProtocolError, TimeoutError)) or found or received


def test_wrong_stream(clean):
    found, _, _ = broken(clean, "wrong-stream")
    assert [frame.stream for frame in found] == [9 ^ 0x4000]


def test_duplicate(clean):
    found, error, _ = broken(clean, "duplicate", messages=2)
    assert (error, [frame.stream for frame in found]) == (None, [9, 9])


def test_drip_keeps_answers_whole_and_in_order(clean):
    with clean.client() as client:
        statement = client.prepare(INSERT).statement_id
        clean.post("faults", spec="drip:count=1,pause=2ms")
        began = time.monotonic()
        for stream in (1, 2, 3):
            client.send(q.Execute(statement, q.QueryParameters(values=(KEY, b""))), stream)
        assert [client.frame().stream for _ in range(3)] == [1, 2, 3]
        assert time.monotonic() - began >= 12 * 0.002


def test_an_unprepared_storm_ends_with_its_count(clean):
    with clean.client() as client:
        statement = client.prepare(INSERT).statement_id
        clean.post("faults", spec="unprepared:count=3")
        codes = [getattr(client.execute(statement, KEY, b""), "code", None) for _ in range(5)]
        assert codes == [0x2500] * 3 + [None] * 2
        assert clean.get()["faults"][0]["fired"] == 3
        clean.post("faults/clear")
        assert clean.get()["struck"]["unprepared:op=data"] >= 3


def test_latency_and_stalls_by_the_control_url(clean):
    with clean.client() as client:
        clean.post("latency", spec="fixed:20ms,node=1")
        began = time.monotonic()
        client.query("SELECT * FROM system.local")
        assert time.monotonic() - began >= 0.02
        clean.post("latency", spec=[])
        clean.post("stall", spec="200ms")
        client.query("SELECT * FROM system.local")
        assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize("options", [[], ["--null"]], ids=["simulator", "null"])
def test_the_log_agrees_with_what_a_client_measures(tmp_path, options):
    """No answer can reach the client before it was sent, and the injected delay is in each answer's time."""
    log = tmp_path / "log"
    measured = {}
    with simulated("--latency=fixed:3ms", f"--log-requests={log}", *options) as server, server.client() as client:
        client.make_table()
        statement = client.prepare(INSERT).statement_id
        for stream in range(100, 150):
            began = time.monotonic_ns()
            client.send(q.Execute(statement, q.QueryParameters(values=(KEY, b""))), stream)
            client.frame()
            measured[stream] = (began, time.monotonic_ns())
    lines = [line.split(",") for line in log.read_text().splitlines()]
    assert lines[0] == ["stream", "node", "shard", "client_port", "received_ns", "sent_ns", "injected_ns"]
    logged = {int(line[0]): [int(field) for field in line[4:]] for line in lines[1:] if int(line[0]) >= 100}
    assert logged.keys() == measured.keys()
    for stream, (received, sent, injected) in logged.items():
        began, ended = measured[stream]
        assert began <= received <= sent <= ended
        assert injected == 3_000_000
        # The loop's clock works in floating seconds: a microsecond of grace.
        assert sent - received >= injected - 1000


def test_further_signals_do_not_cut_off_a_null_servers_end(tmp_path):
    with simulated("--null", f"--log-requests={tmp_path / 'log'}") as server:
        while server.process.poll() is None:
            server.process.terminate()
            time.sleep(0.001)


def test_down_by_schedule():
    with simulated("--nodes=2", "--fault=down:node=2,from=0s,for=1500ms") as server:
        deadline = time.monotonic() + 20
        states = []
        while True not in states[1:] and time.monotonic() < deadline:
            states.append(server.get()["nodes"][1]["up"])
            time.sleep(0.02)
        assert states[-1]
        assert not all(states)
        with server.client("127.0.0.2") as client:
            assert isinstance(client.query("SELECT * FROM system.local"), Rows)


def test_it_ends_with_standard_input():
    with simulated("--until-stdin-closes", stdin=subprocess.PIPE) as server:
        server.process.stdin.close()
        assert server.process.wait(20) == 0


@pytest.mark.parametrize("number", [2, 15])
def test_it_ends_on_signals_and_frees_its_port(number):
    with simulated() as server:
        os.kill(server.process.pid, number)
        assert server.process.wait(20) == 0
        with socket.create_server((server.host, server.port)):
            pass


def test_two_at_once_take_different_ports():
    with simulated("--nodes=2") as one, simulated("--nodes=2") as two:
        assert one.port != two.port
        assert max(one.port, two.port) < 32768


def run_cli(*options, **variables):
    command = [sys.executable, "-m", "cqlsurge.simulator", *options]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, env={**os.environ, **variables}, check=False
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--nodes=0"], "--nodes 0 cannot be"),
        (["--like=cassandra", "--shards=2"], "neither shards nor tablets"),
        (["--null", "--fault=drop"], "--null knows no"),
        (["--auth=user"], "needs a password"),
        (["--fault=frob"], "no fault 'frob'"),
        (["--tls", "/no/cert", "/no/key"], "cannot use /no/cert"),
        (["--ready-file=/no/folder/file"], "cannot write"),
    ],
)
def test_wrong_usage_is_one_line_and_code_2(options, words):
    done = run_cli(*options)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert words in done.stderr


def test_auth_and_tls_together(tmp_path):
    import ssl

    certificate, key = make_certificate(tmp_path)
    environment = {**os.environ, "CQLSURGE_SIMULATOR_PASSWORD": "secret"}
    with simulated("--auth=user", "--tls", certificate, key, env=environment) as server:
        context = ssl.create_default_context(cafile=certificate)
        with socket.create_connection((server.host, server.port)) as plain:
            client = Client.__new__(Client)
            Client.__init__(client, server.host, server.port)
            client.socket.close()
            client.socket = context.wrap_socket(plain, server_hostname="127.0.0.1")
            assert type(client.ask(q.Startup())).__name__ == "Authenticate"
            assert type(client.ask(q.AuthResponse(b"\0user\0secret"))).__name__ == "AuthSuccess"
            assert sharding(client).shard_aware_port_ssl
            client.close()


def make_certificate(folder):
    """A self-signed certificate for 127.0.0.1."""
    certificate, key = str(folder / "cert"), str(folder / "key")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate]
    command += ["-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("no openssl here")
    return certificate, key


def test_a_client_that_sends_half_a_frame_harms_nobody(three):
    with Client(three.host, three.port) as half:
        half.socket.sendall(struct.pack(">BBhBi", 4, 0, 1, 7, 1000) + b"SELECT")
        with three.client() as other:
            assert isinstance(other.query("SELECT * FROM system.local"), Rows)
