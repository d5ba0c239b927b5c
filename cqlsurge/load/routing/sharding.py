"""Which shard of a node owns a token (tables without tablets), and which shard a client port leads to.

Source: scylladb docs/dev/protocol-extensions.md, "biased-token-round-robin".
"""

from __future__ import annotations

_INT64_MIN = -(1 << 63)

try:
    from __pypy__.intop import int_lshift, uint_rshift

    def shard_of_token(token: int, shard_count: int, ignore_msb: int = 12) -> int:
        """The shard, 0 .. shard_count - 1, that owns a token on each node that replicates it."""
        biased = int_lshift(token ^ _INT64_MIN, ignore_msb)
        low = (biased & 0xFFFFFFFF) * shard_count
        high = uint_rshift(biased, 32) * shard_count
        shard: int = ((low >> 32) + high) >> 32
        return shard

except ImportError:

    def shard_of_token(token: int, shard_count: int, ignore_msb: int = 12) -> int:
        """The shard, 0 .. shard_count - 1, that owns a token on each node that replicates it."""
        return ((((token - _INT64_MIN) << ignore_msb) & 0xFFFFFFFFFFFFFFFF) * shard_count) >> 64


def shard_of_port(client_port: int, shard_count: int) -> int:
    """The shard that a connection from this client port gets on a shard-aware port."""
    return client_port % shard_count
