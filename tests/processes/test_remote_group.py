"""Phases over several hosts without a database: shares, losses, a scheduler that goes, hosts that are refused.

How: real Dask processes on loopback (127.0.0.2 and up stand for hosts), real load processes with the engine `fake`,
real signals.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

pytest.importorskip("distributed", reason="the extra `cluster` is not installed")

import dask.config
from distributed.security import Security

from cqlsurge.errors import UsageError
from cqlsurge.load.pacing.notation import parse
from cqlsurge.load.pacing.schedule import pacing_json
from cqlsurge.processes.dask_hosts import open_hosts
from cqlsurge.processes.remote_group import RemoteGroup
from cqlsurge.results.host_figures import dense
from cqlsurge.results.listener import Listener
from cqlsurge.runs.interrupts import Interrupts
from cqlsurge.runs.phase import PhaseRun
from cqlsurge.settings import Settings
from tests.processes.hosts import (
    PASSWORD,
    DaskProcess,
    Heard,
    Ticks,
    look,
    make_ready,
    measures_of,
    parent_of,
    plan,
    runs,
    wait_for,
)


@pytest.fixture(scope="module")
def group() -> Iterator[RemoteGroup]:
    """Three hosts of a process each. The last test that uses it loses one."""
    with open_hosts(Settings(hosts="local:3"), lambda text: None) as group:
        look(group)
        group.start([1, 1, 1])
        make_ready(group, service_ns=500_000)
        yield group


def test_every_number_becomes_one_operation(group: RemoteGroup) -> None:
    result = PhaseRun(group, plan(20_001), Interrupts(), Listener()).run()
    measures = measures_of(group, result)
    assert (measures.operations["ok"], measures.operations["in_flight"]) == (20_001, 0)
    assert sorted(block for given in result.dealer.given for block in given)[-1][0] < 20_001
    assert sum(count for given in result.dealer.given for _, count in given) == 20_001
    assert all(host["operations"]["ok"] for host in measures.hosts)
    assert measures.client["start_skew_ms"] < 50
    assert [host["workers"] for host in measures.hosts] == [[0], [1], [2]]


def test_histograms_are_the_sum_of_the_hosts(group: RemoteGroup) -> None:
    result = PhaseRun(group, plan(3_000), Interrupts(), Listener()).run()
    groups = [dense(group) for group in result.counts.of_hosts]
    for kind, by_latency in result.counts.histograms.items():
        for name, counts in by_latency.items():
            assert counts == [sum(cell) for cell in zip(*(group[kind][name] for group in groups), strict=True)]


def test_nothing_is_lost_that_is_said_while_the_watch_ends(group: RemoteGroup) -> None:
    def watch(phase: PhaseRun) -> None:
        group.begin_watch()
        group.end_watch()

    result = PhaseRun(group, plan(20_001), Interrupts(), Listener(), [Ticks(watch)]).run()
    assert measures_of(group, result).operations["ok"] == 20_001


def test_a_request_to_stop_reaches_all_hosts(group: RemoteGroup) -> None:
    interrupts = Interrupts()
    asked_s = 0.0

    def ask_once(phase: PhaseRun) -> None:
        nonlocal asked_s
        if not asked_s and phase.result.counts.timeline.rows:
            asked_s = time.monotonic()
            interrupts.request()

    result = PhaseRun(group, plan(None), interrupts, Listener(), [Ticks(ask_once)]).run()
    assert time.monotonic() - asked_s < 3
    assert result.interrupted
    assert not result.lost
    measures_of(group, result)


@pytest.mark.long
def test_the_others_take_over_the_rate_of_a_lost_host(group: RemoteGroup) -> None:
    heard = Heard()
    victim = group.processes[1].pid
    killed_s = 0.0

    def kill_once(phase: PhaseRun) -> None:
        nonlocal killed_s
        if not killed_s and len(phase.result.counts.timeline.rows) == 2:
            killed_s = time.monotonic() - phase.result.counts.start_ns / 1e9
            os.kill(parent_of(victim), signal.SIGKILL)
            os.kill(victim, signal.SIGKILL)

    message = {"pacing": pacing_json(parse("900")), "duration_s": 8.0, "concurrency": 1000}
    result = PhaseRun(group, plan(None, **message), Interrupts(), heard, [Ticks(kill_once)]).run()
    assert len(heard.warnings) == 1
    assert "on local2) is lost: host local2: the connection to its Dask worker broke" in heard.warnings[0]
    measures = measures_of(group, result)
    assert [host["lost"] is not None for host in measures.hosts] == [False, True, False]
    later = [row for row in result.counts.timeline.rows if killed_s + 3 <= row["t_s"] - 1 and row["t_s"] <= 8]
    rate_ops_s = sum(row["ok"] for row in later) / sum(row["span_s"] for row in later)
    assert rate_ops_s == pytest.approx(900, rel=0.1)
    assert measures.numbers.unacknowledged or not measures.operations["abandoned"]


@pytest.mark.long
def test_a_lost_scheduler_ends_the_load_in_good_order(tmp_path: Path) -> None:
    """Over TLS. Before that: hosts with another version, or without the engine, are refused by name."""
    security = Security.temporary()
    for name in ("ca_file", "client_cert", "client_key"):
        (tmp_path / name).write_text(getattr(security, f"tls_{name}"))
    files = ["--tls-ca-file", "ca_file", "--tls-cert", "client_cert", "--tls-key", "client_key"]
    files = [word if word.startswith("--") else str(tmp_path / word) for word in files]
    other = tmp_path / "other" / "cqlsurge"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text('__version__ = "0.0.1"\n')
    names = {"ca-file": "ca_file", "client.cert": "client_cert", "client.key": "client_key"}
    client = {f"distributed.comm.tls.{name}": str(tmp_path / file) for name, file in names.items()}
    with ExitStack() as stack:
        stack.enter_context(dask.config.set(client))
        words = ["scheduler", "--host", "127.0.0.1", "--port", "0", "--protocol", "tls", *files]
        scheduler = stack.enter_context(DaskProcess(*words))
        settings = Settings(dask=scheduler.wait_for("Scheduler at:").split()[-1])
        bare = {"PATH": "/usr/bin:/bin", "UV": "", "XDG_CACHE_HOME": str(tmp_path)}

        def worker(host: str, **environment: str) -> DaskProcess:
            words = ["worker", str(settings.dask), "--host", host, "--nthreads", "1", "--no-nanny", *files]
            return stack.enter_context(DaskProcess(*words, "--death-timeout", "60", **environment))

        workers = [worker("127.0.0.2", **bare), worker("127.0.0.4", **bare)]
        stranger = worker("127.0.0.3", PYTHONPATH=str(other.parent))
        for one in (*workers, stranger):
            one.wait_for("Registered to")
        with pytest.raises(UsageError, match=r"^host 127.0.0.3 has cqlsurge 0.0.1: all need cqlsurge"):
            stack.enter_context(open_hosts(settings, lambda text: None))
        stranger.kill()
        group = stack.enter_context(open_hosts(settings, lambda text: None))
        assert [host.name for host in group.hosts] == ["127.0.0.2", "127.0.0.4"]
        with pytest.raises(UsageError, match=r"host 127.0.0.2: engine acsylla .* host 127.0.0.4: engine acsylla needs"):
            look(group, engine="acsylla", runtime="cpython")
        look(group)
        group.start([1, 1])
        make_ready(group, service_ns=500_000)
        pids = [process.pid for process in group.processes]
        killed_s = 0.0

        def kill_once(phase: PhaseRun) -> None:
            nonlocal killed_s
            if not killed_s and phase.result.counts.timeline.rows:
                killed_s = time.monotonic()
                scheduler.kill()

        result = PhaseRun(group, plan(None), Interrupts(), Heard(), [Ticks(kill_once)]).run()
        assert time.monotonic() - killed_s < 10
        assert "scheduler" in result.lost[0]
        measures = measures_of(group, result)
        # All that was sent is known: the hosts ended in good order.
        assert measures.operations["in_flight"] == 0
        assert all(worker.last is not None and worker.last["type"] == "end" for worker in result.counts.processes)
        said = "".join(one.child.stderr.read() for one in workers if one.child.stderr is not None)
    wait_for(lambda: not any(map(runs, pids)), 10)
    assert "worker" in said
    assert PASSWORD not in said
