"""What bound a run: server, client, concurrency or rate; with the figures that show it, and what to change."""

from __future__ import annotations

from typing import Any

BUSY_SHARE = 0.9
KEPT_SHARE = 0.99


def judge(
    *, concurrency: int, rate: float | None, throughput_ops_s: float, duration_s: float, client: dict[str, Any]
) -> dict[str, Any]:
    """The verdict of a run: bound_by, reasons, and advice in words. Rates are operations per second."""
    processes = max(1, client["processes"])
    busy = (client["cpu_s"] - client["spin_s"]) / (duration_s * processes) if duration_s > 0 else 0.0
    busy_text = f"load processes used {busy:.0%} of their cores"
    if rate is not None and throughput_ops_s >= rate * KEPT_SHARE:
        return _verdict("rate", [f"{throughput_ops_s:.0f} of the {rate:.0f} operations asked for per second came"], "")
    if busy >= BUSY_SHARE:
        return _verdict("client", [busy_text], "add load processes (--processes) or loaders on other hosts")
    if rate is None and concurrency == 1:
        advice = "each process waits for one answer at a time: try --concurrency 64"
        return _verdict("concurrency", ["one operation in flight per process", busy_text], advice)
    return _verdict("server", [busy_text, f"{concurrency} operations in flight per process wait for answers"], "")


def _verdict(bound_by: str, reasons: list[str], advice: str) -> dict[str, Any]:
    return {"bound_by": bound_by, "reasons": reasons, "advice": advice}
