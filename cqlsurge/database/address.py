"""ADDRESS as people write it: host[:port][,host[:port]...], IPv6 in brackets."""

from __future__ import annotations

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


def parse_translations(text: str | None) -> dict[str, str]:
    """`FROM=TO,...` as a table of addresses. Raises UsageError."""
    table = {}
    for part in (text or "").split(","):
        if part.strip():
            announced, equals, usable = (piece.strip() for piece in part.partition("="))
            if not (announced and equals and usable):
                raise UsageError(f"{part!r} is no translation: write FROM=TO,...")
            table[announced] = usable
    return table
