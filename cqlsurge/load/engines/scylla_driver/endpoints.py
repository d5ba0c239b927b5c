"""Where scylla-driver connects for each node, and which name the node's certificate must bear.

By itself the driver takes one port for all nodes and checks certificates against IP addresses, also where a name was
given.
"""

from __future__ import annotations

from typing import Any, Callable, NamedTuple

from cassandra.connection import DefaultEndPoint, DefaultEndPointFactory

_NO_PORT = -1


class Place(NamedTuple):
    """How a node is reached. name: what its certificate must bear; "": its address. forwarded: the port is one that
    was given for it, so its other ports are not behind this address.
    """

    address: str
    port: int
    name: str = ""
    forwarded: bool = False


class NodeEndPoint(DefaultEndPoint):  # type: ignore[misc]  # the driver has no types
    """A place, as the driver has it."""

    def __init__(self, place: Place) -> None:
        super().__init__(place.address, place.port)
        self.place = place

    @property
    def ssl_options(self) -> dict[str, Any] | None:
        """The name goes into the TLS handshake too."""
        return {"server_hostname": self.place.name} if self.place.name else None


class NodeEndPoints(DefaultEndPointFactory):  # type: ignore[misc]
    """Makes them from rows of system.local and system.peers.

    `place` is given the row, the address that the node announces, and its port, None where it announces none.
    """

    def __init__(self, place: Callable[[dict[str, Any], str, int | None], Place]) -> None:
        super().__init__(_NO_PORT)
        self._place = place

    def create(self, row: dict[str, Any]) -> NodeEndPoint:
        """See EndPointFactory."""
        announced = super().create(row)
        port = None if announced.port == _NO_PORT else int(announced.port)
        return NodeEndPoint(self._place(row, str(announced.address), port))
