"""What bound a run: server, client, concurrency or rate; with what shows it, and what to change. Pure.

Reasons are data: what was seen, what it may mean, what to do about it; `lines` renders them. How it is judged, and
where it cannot be, stands in docs/latency.md.
"""

from __future__ import annotations

import math
from typing import Any

from cqlsurge.results.evidence import Evidence
from cqlsurge.results.rows import GaveWay
from cqlsurge.units import show_count, show_us

Reason = dict[str, str]
#: bound_by, whether that is sure, why, advice
Case = tuple[str, bool, list[Reason], str]

#: what is asked for has come, but for this share or for what came in this much time; half of it was no later than that
KEPT_SHARE = 0.99
KEPT_SLACK_S = 0.05
#: from here on a process wants its core all the time
FULL_DEMAND = 0.9
#: a process that waits for a core for so much of the time waits for that rather than for answers
STARVED = 0.5
#: a p99 of which more than this is the client's own is told
RECEIVED_LATE = 0.1
#: from here on most operations in flight are at the client
CLIENT_SHARE = 0.5
#: in flight on average, of what may be
FULL_FLIGHT = 0.6
STALLED_SHARE = 0.3
#: median over fastest service time: below the first hardly anything queues, above the second much does
NO_QUEUE, LONG_QUEUE = 2.5, 5.0
#: operations in flight to each node or shard that can hardly make a queue
FEW = 4
#: in flight in a process, enough for an engine that batches to be at its best
MANY = 256
#: up to here a shard has time to spare
IDLE_REACTOR = 0.8
#: hosts that are named for one reason
HOSTS_NAMED = 3
#: times in which nothing went on that are named
STILL_NAMED = 4
SERVER_ERRORS = ("overloaded", "rate_limited", "server_timeout", "client_timeout", "unavailable")


def judge(evidence: Evidence) -> dict[str, Any]:
    """{bound_by, sure, reasons: [{code, saw, may_mean, do}], advice, figures}; `sure` is False where it is a guess."""
    bound_by, sure, reasons, advice = _case(evidence)
    if bound_by == "client":
        reasons = [*_limiting_hosts(evidence), *reasons]
    reasons = [*reasons, *_received_late(evidence), *_conditions(evidence), *_host_conditions(evidence)]
    advice = " ".join(part for part in (advice, *dict.fromkeys(each["do"] for each in reasons)) if part)
    return {"bound_by": bound_by, "sure": sure, "reasons": reasons, "advice": advice, "figures": evidence.figures()}


def _received_late(evidence: Evidence) -> list[Reason]:
    delay_us, p99_us = evidence.receive_delay_p99_us, evidence.service.p99_us
    if delay_us is None or delay_us <= RECEIVED_LATE * p99_us:
        return []
    saw = f"1 answer in 100 lay in the client's socket for up to {show_us(delay_us)}, of a p99 of {show_us(p99_us)}"
    return [_reason("received_late", saw, "more than a tenth of this p99 is the client's own")]


def _case(evidence: Evidence) -> Case:
    if not evidence.finished and evidence.issued:
        return _nothing(evidence)
    if evidence.succeeded == 0 and evidence.finished:
        classes = ", ".join(f"{name} {count:,}" for name, count in evidence.errors.items())
        reason = _reason("no_success", f"not one of {evidence.finished:,} operations succeeded: {classes}")
        return "server", False, [reason], "See the errors first: the figures are theirs."
    return _open(evidence) if evidence.rate is not None else _closed(evidence)


def _nothing(evidence: Evidence) -> Case:
    """Operations were issued, and none ended in the measured time."""
    if evidence.duration_s:
        saw = f"no operation ended in the {evidence.duration_s:.1f} s that were measured"
        return "server", False, [_reason("nothing_measured", saw)], "Measure for longer: --duration."
    saw = f"nothing was measured: all {evidence.issued:,} operations went into the {evidence.warmup_s:g} s of warm-up"
    do = "Ask for more --operations, or a shorter --warmup."
    return "client", False, [_reason("nothing_measured", saw)], do


def lines(verdict: dict[str, Any]) -> list[str]:
    """A verdict in words: the first line says what bound the run, the others why and what to change."""
    said = [reason["saw"] + (f": {reason['may_mean']}" if reason["may_mean"] else "") for reason in verdict["reasons"]]
    advice = [verdict["advice"]] if verdict["advice"] else []
    likely = "" if verdict["sure"] else " (likely, not certain)"
    if verdict["reasons"] and verdict["reasons"][0]["code"] in {"nothing_measured", "no_success"}:
        return ["cannot be told", *said, *advice]
    return [f"{verdict['bound_by']}{likely}", *said, *advice]


def _reason(code: str, saw: str, may_mean: str = "", do: str = "") -> Reason:
    return {"code": code, "saw": saw, "may_mean": may_mean, "do": do}


def _open(evidence: Evidence) -> Case:
    """A run with a rate."""
    rate, came = show_count(evidence.rate or 0.0), show_count(evidence.finished_ops_s)
    half, most = show_us(evidence.wait_p50_us), show_us(evidence.wait_p99_us)
    lag = f"half were sent within {half} of being due, 99% within {most}"
    if _kept(evidence):
        reasons = [_reason("rate_kept", f"{came} of {rate} ops/s asked for came", lag)]
        if evidence.busy_share >= FULL_DEMAND and evidence.ops_per_send is not None:
            reasons.append(_low_rate(evidence))
        return "rate", True, reasons, ""
    if evidence.gave_way is not None:
        missed = _gave_way(evidence.gave_way, rate, came)
    elif _came(evidence):
        missed = _reason("rate_late", f"{came} of {rate} ops/s asked for came, but late", lag)
    else:
        missed = _reason("rate_missed", f"only {came} of {rate} ops/s asked for came", lag)
    left = [
        f"{count:,} {name}"
        for name, count in (
            ("late", evidence.late),
            ("skipped", evidence.skipped),
            ("in the backlog", evidence.backlog),
        )
        if count
    ]
    reasons = [missed, *([_reason("behind", f"operations fell behind: {', '.join(left)}")] if left else [])]
    if evidence.in_flight >= FULL_FLIGHT * evidence.concurrency:
        bound_by, sure, more, _ = _closed(evidence)
    elif _stood_still(evidence):
        bound_by, sure, more = "server", True, [_stalls(evidence), _client_work(evidence)]
    elif (evidence.unwritable_share or 0.0) >= 0.5 or evidence.wait_mean_us < evidence.service.mean_us:
        # Sent when due, or waiting for a socket that takes more.
        bound_by, sure, more = "server", True, [_client_work(evidence)]
    else:
        # There was room for more in flight and somewhere to send it: nobody else can have been late.
        bound_by, sure, more = "client", True, [_client_work(evidence)]
    return bound_by, sure, reasons + more, _open_advice(evidence, bound_by)


def _gave_way(where: GaveWay, rate: str, came: str) -> Reason:
    saw = f"from {where.t_s:.0f} s on, at {show_count(where.rate_ops_s)} ops/s, answers fell behind"
    end = f"in the end, at {show_count(where.last_ops_s)} ops/s, by {show_us(where.behind_s * 1e6)}"
    return _reason(
        "gave_way", f"{saw}; {end}; {came} of {rate} ops/s asked for came", "more than that cannot be carried"
    )


def _kept(evidence: Evidence) -> bool:
    return _came(evidence) and evidence.wait_p50_us <= KEPT_SLACK_S * 1e6 and evidence.gave_way is None


def _came(evidence: Evidence) -> bool:
    """Whether all came that was asked for, but for what is on its way for the usual time."""
    on_the_way_s = min(KEPT_SLACK_S + evidence.service.mean_us / 1e6, evidence.asked_s / 2)
    slack = max(1.0, (evidence.rate or 0.0) * on_the_way_s)
    return evidence.finished >= (evidence.asked or 0) * KEPT_SHARE - slack and not evidence.skipped


def _stood_still(evidence: Evidence) -> bool:
    """Whether much of the waiting was for a server that stood still, rather than for a client that was busy."""
    if evidence.pauses or evidence.demand_share >= FULL_DEMAND:
        return False
    return evidence.service.stalled_share >= max(STALLED_SHARE, 1.5 * (evidence.waited_share or 0.0))


def _open_advice(evidence: Evidence, bound_by: str) -> str:
    if bound_by == "concurrency":
        return f"try --concurrency {_needed(evidence, evidence.rate or 0.0)}."
    if bound_by == "client":
        return _more_client(evidence)
    return f"the server took {show_count(evidence.finished_ops_s)} ops/s: ask for less, or give it more."


def _closed(evidence: Evidence) -> Case:
    """A run in which each of so many places waits for an answer before its next operation."""
    if _stood_still(evidence):
        return "server", True, [_stalls(evidence), _client_work(evidence)], ""
    few = evidence.concurrency <= 2 and evidence.concurrency * evidence.processes <= FEW * evidence.targets
    if evidence.concurrency == 1 or few:
        text = f"{_in_flight(evidence)}: each waits for its answer before the next begins"
        return "concurrency", few, [_reason("few_in_flight", text), _client_work(evidence)], _raise(evidence)
    if _client_bound(evidence):
        return "client", True, [_client_work(evidence)], _more_client(evidence)
    if _limiting_hosts(evidence):
        return "client", True, [_client_work(evidence)], _more_client(evidence)
    if strained := _server_strain(evidence):
        return "server", True, [*strained, _client_work(evidence)], ""
    return _by_queue(evidence)


def _by_queue(evidence: Evidence) -> Case:
    """Neither the client nor the server is plainly at its limit: what the answers' times say.

    A load that keeps a line of constant length sees the same long times from first to last, so the absence of a spread
    proves nothing when much is in flight.
    """
    service = evidence.service
    saw = f"half of the answers took {show_us(service.p50_us)}, the fastest {show_us(service.floor_us)}"
    reactor = evidence.server.get("reactor_utilization")
    if evidence.queueing >= LONG_QUEUE and (reactor is None or reactor > IDLE_REACTOR):
        return (
            "server",
            True,
            [_reason("queue", saw, "operations wait in line at the server"), _client_work(evidence)],
            "",
        )
    each = evidence.concurrency * evidence.processes / evidence.targets
    if reactor is not None and reactor <= IDLE_REACTOR:
        idle = _reason("server_idle", f"the server's busiest shard was only {reactor:.0%} busy")
        return "concurrency", True, [idle, _client_work(evidence)], _raise(evidence)
    if each <= FEW and evidence.queueing <= NO_QUEUE:
        reason = _reason("no_queue", saw, "hardly anything waits in line at the server")
        return "concurrency", False, [reason, _client_work(evidence)], _raise(evidence)
    if evidence.local and (evidence.host.get("busy_share") or 0.0) >= 0.95 and evidence.demand_share < FULL_DEMAND:
        full = _reason("no_core_left", "the machine that it runs on, this one, had no core to spare")
        return "server", False, [full, _client_work(evidence)], ""
    reason = _reason("no_spread", saw, "either a steady line at the server, or none")
    advice = f"{_raise(evidence)} If throughput stays the same, it is the server."
    return "server", False, [reason, _client_work(evidence)], advice


def _client_bound(evidence: Evidence) -> bool:
    if evidence.client_share is None:
        return evidence.demand_share >= FULL_DEMAND or (evidence.waited_share or 0.0) >= STARVED
    return evidence.client_share >= CLIENT_SHARE


def _server_strain(evidence: Evidence) -> list[Reason]:
    """What the server says itself, or lets us see by its errors."""
    found = []
    server = evidence.server
    if server.get("unanswered", 0) > server.get("samples", 0):
        found.append(_reason("server_silent", "the server did not answer in time when it was asked how it is"))
    for pool, pending in server.get("pending", {}).items():
        if pending >= 1:
            found.append(_reason("server_pending", f"{pending:.0f} requests waited on average in the server's {pool}"))
    if (reactor := server.get("reactor_utilization")) is not None and reactor >= 0.95:
        found.append(_reason("server_busy", f"the server's busiest shard was {reactor:.0%} busy"))
    if (share := evidence.error_share(*SERVER_ERRORS)) >= 0.01:
        found.append(_reason("server_errors", f"{share:.1%} of the operations timed out or were refused"))
    if (evidence.unwritable_share or 0.0) >= 0.5:
        found.append(_reason("unwritable", "sockets were full for much of the time", "the server reads too slowly"))
    return found


def _stalls(evidence: Evidence) -> Reason:
    share = f"{evidence.service.stalled_share:.0%} of the waiting went into answers that took over"
    limit = show_us(max(10_000.0, 10 * evidence.service.p50_us))
    return _reason("stalls", f"{share} {limit}", "the server, or the way to it, stood still at times")


def _in_flight(evidence: Evidence) -> str:
    many = "1 operation" if evidence.concurrency == 1 else f"{evidence.concurrency} operations"
    return f"{many} in flight in each of {evidence.processes} processes"


def _client_work(evidence: Evidence) -> Reason:
    """How hard the client worked, and whether that says anything."""
    saw = f"the load processes used {evidence.busy_share:.0%} of a core each"
    if (evidence.waited_share or 0.0) >= 0.05:
        saw += f" and waited for one {evidence.waited_share:.0%} of the time"
    if evidence.client_share is None:
        return _reason("client_work", saw)
    saw += f", {evidence.ops_per_wake:.1f} operations each time round"
    if evidence.client_share >= CLIENT_SHARE:
        return _reason("client_busy", saw, f"{evidence.client_share:.0%} of what was in flight waited for them")
    if evidence.demand_share >= FULL_DEMAND:
        return _reason("client_wakes", saw, "they woke for each answer; more at once would cost them less")
    return _reason("client_work", saw)


def _low_rate(evidence: Evidence) -> Reason:
    saw = f"busy load processes, at {evidence.ops_per_send:.1f} operations a send"
    return _reason("busy_is_no_sign", saw, "they wake for each answer; below capacity that says nothing")


def _raise(evidence: Evidence) -> str:
    """How many more in flight, and what that could bring at most (Little's law)."""
    wanted = 64 if evidence.concurrency <= 16 else 4 * evidence.concurrency
    ceiling = wanted * evidence.processes / max(evidence.service.p50_us, 1e-3) * 1e6
    return f"try --concurrency {wanted}: if answers stay as fast, that gives up to {show_count(ceiling)} ops/s."


def _needed(evidence: Evidence, rate: float) -> int:
    """Places in each process for a rate at the service time seen, with half as many again to spare."""
    return max(1, math.ceil(1.5 * rate * evidence.service.mean_us / 1e6 / max(1, evidence.processes)))


def _more_client(evidence: Evidence) -> str:
    batching = evidence.ops_per_wake is not None and evidence.rate is None and evidence.concurrency < MANY
    deeper = f" Or try --concurrency {4 * evidence.concurrency}: it would do more each time round." if batching else ""
    if evidence.processes > evidence.cores:
        return f"{evidence.processes} load processes share {evidence.cores} core(s): give them more cores.{deeper}"
    if evidence.processes < evidence.cores:
        return f"try --processes {evidence.cores}.{deeper}"
    return f"add cores, or loaders on other hosts.{deeper}"


def _stillness(evidence: Evidence) -> list[Reason]:
    """Times in which nothing went on, at the client or, where that ran, at the server; the first few of them."""
    if evidence.pauses:
        what = "it was stopped or had no core: the long latencies of that time are its own"
        return [_reason("stood_still", text, what) for text in evidence.pauses[:STILL_NAMED]]
    return [
        _reason(
            "silence", f"no answer came from {begin:.0f} s to {end:.0f} s", "the server, or the way to it, stood still"
        )
        for begin, end in evidence.silences[:STILL_NAMED]
    ]


def _conditions(evidence: Evidence) -> list[Reason]:
    """What was not as it should be, whatever bound the run."""
    host = evidence.host
    found = [_reason("node_away", text, "the others had its part of the work") for text in evidence.absent]
    found += [_reason("unbalanced", text) for text in evidence.unbalanced]
    found += _stillness(evidence)
    if (steal := host.get("steal_share") or 0.0) >= 0.02:
        do = "Use a machine of its own."
        found.append(
            _reason("steal", f"other guests took {steal:.0%} of this machine's CPU", "latencies are too long", do)
        )
    if (throttled := host.get("throttled_s") or 0.0) >= 0.01 * evidence.duration_s and throttled > 0:
        text = f"the CPU quota held this program back for {throttled:.1f} s"
        found.append(_reason("throttled", text, "latencies are too long", "Raise the quota, or use fewer --processes."))
    if evidence.local and (host.get("busy_share") or 0.0) >= FULL_DEMAND:
        text = f"the server runs on this machine too, whose cores were {host['busy_share']:.0%} busy"
        found.append(_reason("shared_machine", text, "they take each other's time"))
    elif (evidence.waited_share or 0.0) >= 0.2:
        text = f"load processes waited for a core {evidence.waited_share:.0%} of the time"
        do = "End other programs, or use fewer --processes."
        found.append(_reason("pressure", text, "latencies are too long", do))
    if (evidence.garbage_share or 0.0) >= 0.1:
        text = f"garbage collection took {evidence.garbage_share:.0%} of the time"
        found.append(_reason("garbage", text, "the highest latencies may be its pauses"))
    return found


def _limiting_hosts(evidence: Evidence) -> list[Reason]:
    """The loaders that were at their limit while others may not have been."""
    found = []
    for name, one in evidence.hosts:
        if _client_bound(one):
            steal = f", {one.host['steal_share']:.0%} steal" if one.host.get("steal_share") is not None else ""
            saw = f"host {name} was at its limit: its load processes used {one.busy_share:.0%} of a core each{steal}"
            found.append(_reason("host_limit", saw))
    return _together(found)


def _host_conditions(evidence: Evidence) -> list[Reason]:
    """What was not as it should be on single loaders, where they are not all this machine."""
    if evidence.host:
        return []
    found = [
        _reason(reason["code"], f"host {name}: {reason['saw']}", reason["may_mean"], reason["do"])
        for name, one in evidence.hosts
        for reason in _conditions(one)
    ]
    return _together(found)


def _together(reasons: list[Reason]) -> list[Reason]:
    """Reasons of one code beyond the third as one: there may be hundreds of hosts."""
    kept: dict[str, list[Reason]] = {}
    for reason in reasons:
        kept.setdefault(reason["code"], []).append(reason)
    found = []
    for code, same in kept.items():
        found += same[:HOSTS_NAMED]
        if len(same) > HOSTS_NAMED:
            found.append(_reason(code, f"the same on {len(same) - HOSTS_NAMED} more hosts"))
    return found
