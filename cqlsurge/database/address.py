"""ADDRESS as people write it: host[:port][,host[:port]...], IPv6 in brackets."""

from __future__ import annotations

from typing import NamedTuple

from cqlsurge.errors import UsageError

DEFAULT_PORT = 9042


def parse_address(text: str) -> list[tuple[str, int]]:
    """The contact points of an ADDRESS. Raises UsageError."""
    points = []
    for part in text.split(","):
        host, port = _split(part.strip())
        if not host:
            raise UsageError(f"no host in address {text!r}: write host[:port][,host[:port]...]")
        points.append((host, port))
    return points


def _split(part: str) -> tuple[str, int]:
    if part.startswith("["):
        host, bracket, rest = part[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise UsageError(f"{part!r} is no address: write IPv6 as [::1] or [::1]:9042")
        return host, _port(rest[1:]) if rest else DEFAULT_PORT
    if part.count(":") > 1:
        raise UsageError(f"{part!r} is no address: write IPv6 in brackets, [{part}]")
    host, colon, port = part.partition(":")
    return host, _port(port) if colon else DEFAULT_PORT


def _port(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise UsageError(f"{text!r} is no port: use a number from 1 to 65535")
    return int(text)


def show_address(host: str, port: int) -> str:
    """host:port, with brackets around IPv6."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Usable(NamedTuple):
    """What to connect to instead of an announced address; port: None where the node's own is right."""

    host: str
    port: int | None


def parse_translations(text: str | None) -> dict[str, Usable]:
    """`FROM=TO[:PORT],...` as a table of addresses. Raises UsageError."""
    table = {}
    for part in (text or "").split(","):
        if part.strip():
            announced, equals, usable = (piece.strip() for piece in part.partition("="))
            if not (announced and equals and usable):
                raise UsageError(f"{part!r} is no translation: write FROM=TO,...")
            table[announced.strip("[]")] = _usable(usable)
    return table


def _usable(text: str) -> Usable:
    if text.count(":") > 1 and not text.startswith("["):
        return Usable(text, None)  # IPv6 needs no brackets here, as long as no port follows
    host, port = _split(text)
    if not host:
        raise UsageError(f"{text!r} is no address to translate to: write FROM=TO[:PORT],...")
    named = text.rpartition("]")[2] if text.startswith("[") else text
    return Usable(host, port if ":" in named else None)
