"""How long to wait before trying again: exponential, with full jitter so that many clients do not come back at once."""

from __future__ import annotations


def full_jitter_s(attempt: int, base_s: float, cap_s: float, share: float) -> float:
    """Seconds to wait after failed attempt number `attempt` (from 1); `share` is a random number, 0 to 1.

    U(0, min(cap, base * 2 ** (attempt - 1))): the "full jitter" of the AWS Architecture Blog, "Exponential Backoff And
    Jitter", 2015.
    """
    # Far beyond any cap; keeps the power a small number.
    doublings = min(attempt - 1, 30)
    return min(cap_s, base_s * (1 << doublings)) * share
