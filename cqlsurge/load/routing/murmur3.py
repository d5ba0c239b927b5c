"""The partitioner's token of a routing key, by the fastest way this interpreter has.

`token(key) -> int` and `token_of_halves(first, second) -> int` are signed 64 bits and never the smallest such integer
(Cassandra maps it to the largest). An empty key gives 0, as in ScyllaDB; Cassandra refuses empty keys.
`IMPLEMENTATION` names what was chosen: "intop" (PyPy), "c" (the driver's extension) or "ints".
"""

from __future__ import annotations

try:
    from .murmur3_intop import token, token_of_halves

    IMPLEMENTATION = "intop"
except ImportError:
    try:
        from .murmur3_c import token, token_of_halves

        IMPLEMENTATION = "c"
    except ImportError:
        from .murmur3_ints import token, token_of_halves

        IMPLEMENTATION = "ints"

__all__ = ["IMPLEMENTATION", "token", "token_of_halves"]
