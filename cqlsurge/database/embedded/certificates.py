"""TLS for the embedded database: a certificate authority of its own, a server certificate and a client certificate.

Cassandra takes them as PEM (org.apache.cassandra.security.PEMBasedSslContextFactory), so no key store is needed.
"""

from __future__ import annotations

import datetime
import ipaddress
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cqlsurge.errors import EmbeddedError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import Certificate, CertificateBuilder

VALID_DAYS = 825


@dataclass(frozen=True)
class Certificates:
    """Paths of PEM files."""

    ca: Path
    server: Path  # private key, then certificate
    client_certificate: Path
    client_key: Path


def certificates(folder: Path, addresses: Sequence[str]) -> Certificates:
    """The certificates in a folder, made on first use; the server's names are localhost and the addresses.

    Raises EmbeddedError where the package cryptography is not installed.
    """
    files = Certificates(
        folder / "ca.pem", folder / "server.pem", folder / "client-certificate.pem", folder / "client-key.pem"
    )
    if not files.client_key.exists():
        try:
            _make(files, addresses)
        except ImportError:
            raise EmbeddedError(
                "TLS certificates are made with the package cryptography; add it: pip install 'cqlsurge[embedded]'"
            ) from None
    return files


def _make(files: Certificates, addresses: Sequence[str]) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    def builder(subject: str, key: EllipticCurvePrivateKey) -> CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name(subject))
            .issuer_name(name("cqlsurge embedded CA"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=VALID_DAYS))
        )

    def leaf(subject: str, key: EllipticCurvePrivateKey, usage: x509.ObjectIdentifier) -> CertificateBuilder:
        return (
            builder(subject, key)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        )

    def pem(certificate: Certificate) -> bytes:
        return certificate.public_bytes(Encoding.PEM)

    def private(key: EllipticCurvePrivateKey) -> bytes:
        return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    ca_key, server_key, client_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    ca = (
        builder("cqlsurge embedded CA", ca_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(False, False, False, False, False, True, True, False, False), critical=True
        )  # certificates and revocations are all that it signs
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    names: list[x509.GeneralName] = [x509.DNSName("localhost")]
    names += [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
    server = leaf("cqlsurge embedded server", server_key, ExtendedKeyUsageOID.SERVER_AUTH).add_extension(
        x509.SubjectAlternativeName(names), critical=False
    )
    client = leaf("cqlsurge embedded client", client_key, ExtendedKeyUsageOID.CLIENT_AUTH)
    files.ca.parent.mkdir(mode=0o700, exist_ok=True)
    _write(files.ca, pem(ca))
    _write(files.server, private(server_key) + pem(server.sign(ca_key, hashes.SHA256())))
    _write(files.client_certificate, pem(client.sign(ca_key, hashes.SHA256())))
    _write(files.client_key, private(client_key))


def _write(path: Path, content: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(content)
