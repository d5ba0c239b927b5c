"""What answers at an ADDRESS is named as what it is, and one bad contact point does not spoil the others.

How: little servers of other kinds on loopback, and the simulator where CQL is needed.
"""

from __future__ import annotations

import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cqlsurge.database import contact_points, secrets
from cqlsurge.database.address import parse_address, parse_translations
from cqlsurge.database.connect import connect
from cqlsurge.database.contact_points import find_contact_points
from cqlsurge.database.embedded.certificates import Certificates, certificates
from cqlsurge.database.secrets import Security, read_security
from cqlsurge.database.topology import nodes_of
from cqlsurge.errors import ClusterError, UsageError
from cqlsurge.settings import Settings
from tests.database.listeners import Talk, answers_lines, greets, hangs_up, listener, silent
from tests.simulator.simulated import Simulated, simulated

PLAIN = Security()


@pytest.fixture(scope="module")
def server() -> Iterator[Simulated]:
    with simulated("--like=cassandra", "--port=0") as running:
        yield running


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Their server's only name is localhost: no address."""
    return certificates(tmp_path_factory.mktemp("certificates"), [])


@pytest.fixture(scope="module")
def encrypted(files: Certificates) -> Iterator[Simulated]:
    with simulated("--like=cassandra", "--port=0", "--tls", str(files.server), str(files.server)) as running:
        yield running


def tls(files: Certificates, **more: object) -> Security:
    return Security(tls={"ca_file": str(files.ca), "check_hostname": True, **more})


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def refusal(address: str, security: Security = PLAIN) -> str:
    with pytest.raises(ClusterError) as error:
        find_contact_points(parse_address(address), security)
    text = str(error.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize(
    ("talk", "words"),
    [
        (greets(b"SSH-2.0-OpenSSH_9.6\r\n"), "is an SSH server, not a CQL port"),
        (greets(b"J\x00\x00\x00\x0a8.0.36\x00"), "is a MySQL server"),
        (greets(b"220 mail.example ESMTP\r\n"), "is a mail or FTP server"),
        (answers_lines(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "is an HTTP server, not a CQL port"),
        (answers_lines(b"-ERR unknown command 'GET'\r\n"), "is a Redis server"),
        (hangs_up, r"closes the connection: is it a CQL port, and does it want TLS \(--tls\)\?"),
        (greets(b"\x00\x01\x02\x03\x04\x05"), "speaks something else than CQL"),
    ],
)
def test_strangers_are_named(talk: Talk, words: str) -> None:
    with listener(talk) as port, pytest.raises(ClusterError, match=f"^127.0.0.1:{port} {words}"):
        find_contact_points([("127.0.0.1", port)], PLAIN)


def test_one_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contact_points, "ANSWER_TIMEOUT_S", 2.0)
    with listener(silent) as port:
        assert refusal(f"127.0.0.1:{port}").startswith(f"no answer from 127.0.0.1:{port} within 2 s: is it a CQL port")


def test_a_tls_port_and_a_plain_port_are_told_apart(
    encrypted: Simulated, server: Simulated, files: Certificates
) -> None:
    assert "speaks TLS: give --tls" in refusal(encrypted.address)
    assert "speaks CQL without TLS: leave --tls and its files away" in refusal(server.address, tls(files))
    with listener(greets(b"SSH-2.0-OpenSSH_9.6\r\n")) as port:
        assert f"127.0.0.1:{port} is an SSH server" in refusal(f"127.0.0.1:{port}", tls(files))


def test_a_client_certificate_that_is_missing_or_strange_is_named(files: Certificates, tmp_path: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=files.ca)
    context.load_cert_chain(files.server)
    context.verify_mode = ssl.CERT_REQUIRED
    others = certificates(tmp_path / "others", [])
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context.minimum_version = context.maximum_version = version
        with listener(greets(b"x"), context) as port:
            text = refusal(f"localhost:{port}", tls(files))
            assert text == f"localhost:{port} asks for a client certificate: give --tls-cert and --tls-key"
            strange = {"cert_file": str(others.client_certificate), "key_file": str(others.client_key)}
            assert "does not accept our client certificate" in refusal(f"localhost:{port}", tls(files, **strange))


def test_the_certificate_is_checked_against_the_name_that_was_given(encrypted: Simulated, files: Certificates) -> None:
    cluster, session = connect([("localhost", encrypted.port)], tls(files))
    try:
        assert session.execute("SELECT cluster_name FROM system.local").one() is not None
        nodes = nodes_of(cluster)
    finally:
        cluster.shutdown()
    assert [(node.address, node.certificate_name) for node in nodes] == [("127.0.0.1", "localhost")]
    text = refusal(encrypted.address, tls(files))
    assert "is for another name" in text
    assert "--no-tls-check-host" in text
    assert "is not trusted" in refusal(f"localhost:{encrypted.port}", Security(tls={}))


def test_each_contact_point_keeps_its_port(server: Simulated) -> None:
    notes: list[str] = []
    dead = free_port()
    points = parse_address(f"127.0.0.9:{dead},{server.address},no-such-host.invalid")
    cluster, _session = connect(points, PLAIN, note=notes.append)
    try:
        assert [(node.address, node.port) for node in nodes_of(cluster)] == [(server.host, server.port)]
    finally:
        cluster.shutdown()
    assert len(notes) == 2
    assert notes[0].startswith(f"nothing answers at 127.0.0.9:{dead}")
    assert notes[1].startswith("the name 'no-such-host.invalid' has no address")
    assert all(note.endswith("going on without it") for note in notes)


def test_all_addresses_of_a_name_are_tried(server: Simulated, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the name service is made up: two addresses, of which the second is alive."""
    real = socket.getaddrinfo

    def lookup(host: str, port: object, *args: object, **options: object) -> object:
        if host == "two-addresses.example":
            return [*real("127.0.0.9", port, *args, **options), *real(server.host, port, *args, **options)]
        return real(host, port, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    (found,) = find_contact_points([("two-addresses.example", server.port)], PLAIN)
    assert (found.given, found.address) == ("two-addresses.example", server.host)


def test_where_none_answers_each_is_told(server: Simulated) -> None:
    with listener(greets(b"SSH-2.0-x\r\n")) as port:
        text = refusal(f"127.0.0.1:{port},127.0.0.9:{port}")
    assert f"127.0.0.1:{port} is an SSH server" in text
    assert f"nothing answers at 127.0.0.9:{port}" in text


def test_translated_ports_are_taken(server: Simulated) -> None:
    """As behind port forwarding: what the node announces leads to its shard-aware port no more."""
    translations = parse_translations(f"{server.host}=127.0.0.1:{server.port}")
    cluster, _session = connect(parse_address(server.address), PLAIN, translations)
    try:
        (node,) = nodes_of(cluster)
    finally:
        cluster.shutdown()
    assert (node.address, node.port, node.shard_aware_port) == ("127.0.0.1", server.port, None)


def encrypt_key(files: Certificates, folder: Path) -> Path:
    path = folder / "encrypted.pem"
    command = ["openssl", "pkcs8", "-topk8", "-in", str(files.client_key), "-out", str(path), "-passout", "pass:sesame"]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("there is no openssl")
    return path


def test_an_encrypted_key_is_opened_or_refused_in_one_line(
    encrypted: Simulated, files: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = encrypt_key(files, tmp_path)
    settings = Settings(tls_ca=str(files.ca), tls_cert=str(files.client_certificate), tls_key=str(key))
    monkeypatch.delenv(secrets.KEY_VARIABLE, raising=False)
    with pytest.raises(UsageError, match=r"is encrypted: set CQLSURGE_TLS_KEY_PASSWORD"):
        read_security(settings)
    monkeypatch.setenv(secrets.KEY_VARIABLE, "open")
    with pytest.raises(ClusterError, match=r"is the pass phrase of --tls-key right\?"):
        find_contact_points([("localhost", encrypted.port)], read_security(settings))
    monkeypatch.setenv(secrets.KEY_VARIABLE, "sesame")
    security = read_security(settings)
    assert "sesame" not in repr(security)
    assert find_contact_points([("localhost", encrypted.port)], security)
