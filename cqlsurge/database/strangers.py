"""What it is that answers where a CQL port was expected, from its first bytes, and what TLS stumbled over.

Sources: the greetings of RFC 4253 (SSH), RFC 9112 (HTTP), RESP (Redis), MySQL's protocol packet; TLS records, RFC 8446.
"""

from __future__ import annotations

import socket
import ssl

TIMEOUT_S = 2.0
#: a CQL response: direction bit and version, then after three bytes the opcode: ERROR or SUPPORTED (CQL v4, 2.1, 2.4)
_VERSIONS = range(0x81, 0x87)
_OPCODES = (0x00, 0x06)
TLS_ALERT = b"\x15\x03"
_GREETINGS = (
    (b"HTTP/", "an HTTP server"),
    (b"SSH-", "an SSH server"),
    (b"-ERR", "a Redis server"),
    (b"-NOAUTH", "a Redis server"),
    (b"-DENIED", "a Redis server"),
    (b"220", "a mail or FTP server"),
    (b"* OK", "a mail server"),
    (b"+OK", "a mail server"),
)
_CERTIFICATE_WANTED = ("CERTIFICATE_REQUIRED", "BAD_CERTIFICATE", "HANDSHAKE_FAILURE")
_CERTIFICATE_REFUSED = ("BAD_CERTIFICATE", "UNKNOWN_CA", "CERTIFICATE_UNKNOWN", "CERTIFICATE_EXPIRED", "ACCESS_DENIED")
#: OpenSSL's X509_V_ERR_*: no issuer found, or one that nobody vouches for
_UNTRUSTED = (2, 18, 19, 20, 21)
_OTHER_NAME = (62, 64)


def is_cql(heard: bytes) -> bool:
    """Whether bytes begin an answer in CQL."""
    return len(heard) >= 5 and heard[0] in _VERSIONS and heard[4] in _OPCODES


def what_speaks(heard: bytes) -> str | None:
    """What the first bytes of an answer give away; None where they say nothing."""
    for greeting, what in _GREETINGS:
        if heard.startswith(greeting):
            return what
    if heard[:1] == b"<" and b"html" in heard[:200].lower():
        return "an HTTP server"
    # A packet of 3 bytes' length, number 0, then protocol 10 and a version in ASCII.
    if heard[3:5] == b"\x00\x0a" and heard[5:6].isdigit():
        return "a MySQL server"
    return None


def what_answers(place: tuple[str, int]) -> str | None:
    """What a silent server is, asked in the plain text that HTTP and Redis wait for; None where that helps not."""
    try:
        with socket.create_connection(place, TIMEOUT_S) as sock:
            sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return what_speaks(sock.recv(4096))
    except OSError:
        return None


def speaks_tls(place: tuple[str, int]) -> bool:
    """Whether a server takes up TLS; who it is does not matter here, and nothing is said to it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with socket.create_connection(place, TIMEOUT_S) as plain, context.wrap_socket(plain):
            return True
    except ssl.SSLError as error:
        return "ALERT" in (error.reason or "")  # it refuses us, in TLS
    except OSError:
        return False


def tls_trouble(error: OSError, where: str, *, with_certificate: bool) -> str | None:
    """What TLS failed for, with its cure; None where the other side may not speak TLS at all."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _distrust(error, where)
    reason = (getattr(error, "reason", None) or "").upper()
    if not with_certificate and any(word in reason for word in _CERTIFICATE_WANTED):
        return f"{where} asks for a client certificate: give --tls-cert and --tls-key"
    if with_certificate and any(word in reason for word in _CERTIFICATE_REFUSED):
        return f"{where} does not accept our client certificate ({reason.lower().replace('_', ' ')}): check --tls-cert"
    if "PROTOCOL_VERSION" in reason or "UNSUPPORTED_PROTOCOL" in reason:
        return f"{where} has no version of TLS in common with us: it wants an older one than 1.2, or a newer"
    if "ALERT" in reason:
        return (
            f"{where} refuses TLS with us ({reason.lower().replace('_', ' ')}): check --tls-ca, --tls-cert, --tls-key"
        )
    return None


def _distrust(error: ssl.SSLCertVerificationError, where: str) -> str:
    code, message = error.verify_code, error.verify_message.rstrip(".")
    if code in _OTHER_NAME:
        return (
            f"the certificate of {where} is for another name ({message}): connect by a name that it bears, or "
            "--no-tls-check-host"
        )
    if code in _UNTRUSTED:
        return f"the certificate of {where} is not trusted ({message}): give its authority with --tls-ca"
    return f"the certificate of {where} is not valid: {message}"
