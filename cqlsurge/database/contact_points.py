"""Which of the given contact points answer in CQL, at which address; and in plain words what the others are.

The driver says "connection closed" of an SSH server, and of several points it takes one port for all. So each point is
asked for OPTIONS first (CQL v4, sections 2 and 4.1.3), by itself, all at once.
"""

from __future__ import annotations

import errno
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cqlsurge.database.address import show_address
from cqlsurge.database.secrets import Security
from cqlsurge.database.strangers import TLS_ALERT, is_cql, speaks_tls, tls_trouble, what_answers, what_speaks
from cqlsurge.errors import ClusterError
from cqlsurge.load.cql.frames import encode_frame
from cqlsurge.load.cql.requests import Options
from cqlsurge.load.engines.tls import client_context

CONNECT_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 5.0
#: a stranger that has said nothing by then is looked at by other means
SILENCE_S = 1.5


@dataclass(frozen=True)
class ContactPoint:
    """One that answers. given: the host as it was written; address: the one of its addresses that answered."""

    given: str
    address: str
    port: int


class Refused(Exception):
    """This point is not to be had; the text says what it is, with its name."""


def find_contact_points(
    points: Sequence[tuple[str, int]], security: Security, note: Callable[[str], None] = lambda text: None
) -> list[ContactPoint]:
    """Those that answer, in the order given; `note` is told of the others. Raises ClusterError where none does."""
    context = tls_context(security)
    found: list[ContactPoint | Refused] = [Refused("")] * len(points)

    def ask(at: int) -> None:
        try:
            found[at] = _contact(*points[at], context, security)
        except Refused as refused:
            found[at] = refused

    threads = [threading.Thread(target=ask, args=(at,), daemon=True) for at in range(len(points))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    good = [one for one in found if isinstance(one, ContactPoint)]
    bad = [str(one) for one in found if isinstance(one, Refused)]
    if not good:
        raise ClusterError("; ".join(dict.fromkeys(bad)))
    for text in bad:
        note(f"{text}; going on without it")
    return good


def tls_context(security: Security) -> ssl.SSLContext | None:
    """What connections are encrypted with, if at all. Raises ClusterError for files that do not fit together."""
    if security.tls is None:
        return None
    try:
        return client_context(security.tls)
    except (OSError, ssl.SSLError) as error:
        wrong_phrase = bool(security.tls.get("key_password")) and "KEY_VALUES_MISMATCH" not in str(error)
        cure = "is the pass phrase of --tls-key right?" if wrong_phrase else "check --tls-ca, --tls-cert and --tls-key"
        raise ClusterError(f"the TLS files cannot be used ({error}): {cure}") from error


def _contact(host: str, port: int, context: ssl.SSLContext | None, security: Security) -> ContactPoint:
    """The first of the host's addresses that answers. Raises Refused."""
    last = Refused("")
    for address in addresses_of(host):
        try:
            _ask(host, address, port, context, security)
        except Refused as refused:
            last = refused
        else:
            return ContactPoint(host, address, port)
    raise last


def addresses_of(host: str) -> list[str]:
    """All addresses of a host, each once. Raises Refused for a name that has none."""
    try:
        infos = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no host name"
        raise Refused(f"the name {host!r} has no address: {why}; is it spelled right?") from error
    return list(dict.fromkeys(str(info[4][0]) for info in infos))


def _ask(host: str, address: str, port: int, context: ssl.SSLContext | None, security: Security) -> None:
    """One conversation. Raises Refused."""
    where = show_address(host, port)
    try:
        plain = socket.create_connection((address, port), CONNECT_TIMEOUT_S)
    except ConnectionRefusedError as error:
        raise Refused(
            f"nothing answers at {where}: is the database up, and is the port right (9042 by default)?"
        ) from error
    except TimeoutError as error:
        raise Refused(f"{where} cannot be reached within {CONNECT_TIMEOUT_S:.0f} s: is a firewall between?") from error
    except OSError as error:
        raise Refused(f"{where} cannot be reached: {error.strerror or error}") from error
    with plain:
        if context is None:
            _ask_for_options(plain, where, (address, port))
            return
        plain.settimeout(ANSWER_TIMEOUT_S)
        try:
            encrypted = context.wrap_socket(plain, server_hostname=host)
        except OSError as error:
            raise Refused(_without_tls(error, where, (address, port), security)) from error
        with encrypted:
            try:
                heard = _hear(encrypted, ANSWER_TIMEOUT_S)
            except OSError as error:
                raise Refused(_after_handshake(error, where, host, (address, port), context, security)) from error
        _judge(heard, where, "is it a CQL port?")


def _after_handshake(
    error: OSError, where: str, host: str, place: tuple[str, int], context: ssl.SSLContext, security: Security
) -> str:
    """Why a TLS connection that stood is gone: in TLS 1.3 a server refuses a client only after the handshake.

    What we sent meanwhile may have thrown away its alert, so we listen once more without saying anything.
    """
    with_certificate = bool((security.tls or {}).get("cert_file"))
    if "ALERT" not in (getattr(error, "reason", None) or ""):
        try:
            with (
                socket.create_connection(place, CONNECT_TIMEOUT_S) as plain,
                context.wrap_socket(plain, server_hostname=host) as sock,
            ):
                _listen(sock, SILENCE_S)
        except OSError as told:
            error = told
    hint = "is it a CQL port?" if with_certificate else "does it want a client certificate (--tls-cert)?"
    text = tls_trouble(error, where, with_certificate=with_certificate)
    return text or f"{where} closes the connection after the TLS handshake: {hint}"


def _without_tls(error: OSError, where: str, place: tuple[str, int], security: Security) -> str:
    """Why no TLS connection came about."""
    stranger = tls_trouble(error, where, with_certificate=bool((security.tls or {}).get("cert_file")))
    if stranger is not None:
        return stranger
    try:
        with socket.create_connection(place, CONNECT_TIMEOUT_S) as plain:
            heard = _hear(plain, SILENCE_S)
    except OSError:
        heard = b""
    if is_cql(heard):
        return f"{where} speaks CQL without TLS: leave --tls and its files away, or name the port that encrypts"
    named = what_speaks(heard) or what_answers(place)
    if named is not None:
        return f"{where} is {named}, not a CQL port"
    return f"{where}: TLS failed ({error.strerror or error}); is it a TLS port?"


def _ask_for_options(sock: socket.socket, where: str, place: tuple[str, int]) -> None:
    """Raises Refused where no answer in CQL comes."""
    hint = "is it a CQL port, and does it want TLS (--tls)?"
    try:
        heard = _hear(sock, SILENCE_S)
        if not heard:
            named = what_answers(place)
            if named is not None:
                raise Refused(f"{where} is {named}, not a CQL port")
            heard = _listen(sock, ANSWER_TIMEOUT_S - SILENCE_S)
    except OSError as error:
        if speaks_tls(place):
            raise Refused(f"{where} speaks TLS: give --tls, with --tls-ca where the authority is your own") from error
        raise Refused(f"{where} closes the connection: {hint}") from error
    if heard[:2] == TLS_ALERT:
        raise Refused(f"{where} speaks TLS: give --tls, with --tls-ca where the authority is your own")
    _judge(heard, where, hint)


def _judge(heard: bytes, where: str, hint: str) -> None:
    """Raises Refused where the bytes begin no answer in CQL."""
    if is_cql(heard):
        return
    if not heard:
        raise Refused(f"no answer from {where} within {ANSWER_TIMEOUT_S:.0f} s: {hint}")
    named = what_speaks(heard)
    if named is not None:
        raise Refused(f"{where} is {named}, not a CQL port")
    raise Refused(f"{where} speaks something else than CQL (it begins {heard[:8]!r}): is the port right?")


def _hear(sock: socket.socket, timeout_s: float) -> bytes:
    """What comes after OPTIONS. See `_listen`."""
    sock.settimeout(timeout_s)
    sock.sendall(encode_frame(Options.opcode, Options().encode_body()))
    return _listen(sock, timeout_s)


def _listen(sock: socket.socket, timeout_s: float) -> bytes:
    """The first bytes that come; empty where none do within the time. Raises OSError at the end of the stream too."""
    sock.settimeout(timeout_s)
    try:
        data = sock.recv(4096)
    except TimeoutError:
        return b""
    if not data:
        raise ConnectionResetError(errno.ECONNRESET, "closed")
    return data
