"""The routing key of a partition: what the token is computed from."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_LENGTH = struct.Struct(">H")
COMPONENT_BYTES_MAX = 65535


def routing_key(components: Sequence[bytes]) -> bytes:
    """The routing key of a partition key's serialized columns, in partition-key order.

    One column: its bytes as they are. Several: each as a 2-byte length, the bytes and a zero byte.
    ValueError if a component is longer than 65535 bytes, which no server accepts in a key.
    """
    for component in components:
        if len(component) > COMPONENT_BYTES_MAX:
            raise ValueError(f"a partition key column has {len(component)} bytes; the most is {COMPONENT_BYTES_MAX}")
    if len(components) == 1:
        return components[0]
    return b"".join([_LENGTH.pack(len(component)) + component + b"\0" for component in components])
