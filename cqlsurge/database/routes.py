"""How each node is reached from here: as it announces itself, or as --translate and the contact points say."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from cqlsurge.database.address import Usable
from cqlsurge.database.contact_points import ContactPoint, Refused, addresses_of
from cqlsurge.load.engines.scylla_driver.endpoints import Place


class Routes:
    """Each contact point keeps its port, and its name is the one that its certificate must bear."""

    def __init__(
        self,
        points: Sequence[tuple[str, int]],
        found: Sequence[ContactPoint],
        translations: Mapping[str, Usable],
        *,
        encrypted: bool,
    ) -> None:
        self._translations, self._encrypted = translations, encrypted
        self._default_port = found[0].port
        self._ports = {one.address: one.port for one in reversed(found)}
        self._names: dict[str, str] = {}
        for host, port in points:
            with suppress(Refused):  # told already
                for address in addresses_of(host):
                    self._ports.setdefault(address, port)
                    if not is_ip(host):
                        self._names.setdefault(address, host)

    def of_contact_point(self, point: ContactPoint) -> Place:
        """Its own."""
        return Place(point.address, point.port, self._name(point.address))

    def of_node(self, row: dict[str, Any], announced: str, port: int | None) -> Place:
        """Where a node is that announces this address, and this port or none."""
        usable = self._translations.get(announced)
        if usable is None:
            return Place(announced, port or self._port(announced), self._name(announced))
        own_port = usable.port or port or self._port(usable.host)
        return Place(usable.host, own_port, self._name(usable.host), forwarded=usable.port is not None)

    def _port(self, host: str) -> int:
        return self._ports.get(host, self._default_port)

    def _name(self, host: str) -> str:
        if not self._encrypted:
            return ""
        return self._names.get(host, "") if is_ip(host) else host


def is_ip(host: str) -> bool:
    """Whether it is an address and no name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
