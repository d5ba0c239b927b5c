"""All that a run leaves behind, from real runs of the wire engine on the simulator.

How: one run with a rate writes document, histogram log and metrics; the document is held to its JSON Schema, the log is
read by our reader, by hdrhistogram's and by HdrHistogram's own processor (its jar comes with Cassandra), the metrics by
Prometheus's parser while the run goes. Another run is steered as by keys.
"""

from __future__ import annotations

import json
import math
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from wire_support import Simulator, simulator

from cqlsurge.cli.report import comparisons
from cqlsurge.database.embedded.cache import cache_directory
from cqlsurge.load.latency.histogram import add, summary
from cqlsurge.load.latency.layout import new_counts
from cqlsurge.results.files import read_document
from cqlsurge.results.listener import FASTER, PAUSE, STOP, Listener, Progress
from cqlsurge.runs.run import run
from cqlsurge.settings import Settings
from cqlsurge.show.report.page import render
from tests.hdr_logs import read_log

SCHEMA = json.loads(files("cqlsurge.results").joinpath("schema.json").read_text(encoding="utf-8"))
PROCESSOR = "org.HdrHistogram.HistogramLogProcessor"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with simulator(tmp_path_factory.mktemp("simulator"), "--nodes", "2", "--shards", "2") as running:
        yield running


def settings(server: Simulator, **more: Any) -> Settings:
    common: dict[str, Any] = {
        "address": f"{server.host}:{server.port}", "mode": "mixed", "populate": False, "keys": 500, "processes": 2,
        "runtime": "cpython",
    }  # fmt: skip
    return Settings.from_json({**common, **more})


@dataclass
class Outcome:
    """A run's document, where its files are, and what was scraped while it went."""

    document: Any
    folder: Path
    scraped: list[str] = field(default_factory=list)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def outcome(server: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder, port = tmp_path_factory.mktemp("outputs"), free_port()
    asked = settings(
        server, rate="400", duration=4.0, warmup=1.0, json=str(folder / "run.json"), hdr_log=str(folder / "run.hlog"),
        metrics=str(port),
    )  # fmt: skip
    scraped: list[str] = []

    def scrape() -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not any("latency_seconds_count" in text for text in scraped):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                    scraped.append(answer.read().decode())
            except OSError:
                time.sleep(0.2)

    thread = threading.Thread(target=scrape)
    thread.start()
    document = run(asked)
    thread.join()
    return Outcome(document, folder, scraped)


def test_the_document_is_as_its_schema_says(outcome: Outcome) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    saved = read_document(str(outcome.folder / "run.json"))
    jsonschema.validate(saved, SCHEMA, jsonschema.Draft202012Validator)
    assert saved == json.loads(json.dumps(outcome.document))
    assert saved["timeline"][0]["warmup"]
    in_time = sum(row["ok"] for row in saved["timeline"])
    assert in_time + saved["stragglers"]["ok"] == saved["operations"]["ok"]


def log_summaries(path: Path) -> dict[str, Any]:
    merged: dict[str, list[int]] = {}
    with open(path, encoding="utf-8") as log:
        for interval in read_log(log):
            add(merged.setdefault(interval.tag, new_counts()), interval.counts)
    return {tag: summary(counts) for tag, counts in merged.items()}


def test_the_log_adds_up_to_the_document(outcome: Outcome) -> None:
    found = log_summaries(outcome.folder / "run.hlog")
    latencies = outcome.document["latency_us"]
    assert found == {f"{kind}:{name}": latencies[kind][name] for kind in ("write", "read") for name in latencies[kind]}


def test_the_log_is_read_by_hdrhistogram_for_python(outcome: Outcome) -> None:
    hdrh_log = pytest.importorskip("hdrh.log")
    histogram = pytest.importorskip("hdrh.histogram")
    merged = histogram.HdrHistogram(64, 3600 * 10**9, 3)
    reader = hdrh_log.HistogramLogReader(str(outcome.folder / "run.hlog"), merged)
    while (interval := reader.get_next_interval_histogram()) is not None:
        if interval.get_tag() == "write:service":
            merged.add(interval)
    ours = outcome.document["latency_us"]["write"]["service"]
    assert merged.get_total_count() == ours["count"]
    assert merged.get_value_at_percentile(100) / 1000 == ours["max"]
    # This library rounds the rank where HdrHistogram takes the next one up: ask for that rank exactly.
    rank = math.ceil(0.99 * ours["count"])
    assert merged.get_value_at_percentile(100 * rank / ours["count"]) / 1000 == ours["p99"]


def test_the_log_opens_in_hdrhistograms_own_processor(outcome: Outcome) -> None:
    jars = sorted(cache_directory().glob("cassandra-*/HdrHistogram-*.jar"))
    java = shutil.which("java")
    if not jars or java is None:
        pytest.skip("no java on PATH, or no jar of HdrHistogram: they come with the embedded Cassandra")
    command = [java, "-cp", str(jars[-1]), PROCESSOR, "-i", str(outcome.folder / "run.hlog"), "-tag", "read:response"]
    said = subprocess.run(
        [*command, "-outputValueUnitRatio", "1000", "-percentilesOutputTicksPerHalf", "200"],
        capture_output=True, text=True, check=True, timeout=60,
    ).stdout  # fmt: skip
    rows = [line.split() for line in said.splitlines()]
    # After the table of intervals, the percentiles: value, percentile, count, 1 / (1 - percentile).
    p99 = [row[0] for row in rows if len(row) == 4 and row[1] == "0.990000000000"]
    assert p99 == [f"{outcome.document['latency_us']['read']['response']['p99']:.3f}"]


def test_metrics_are_scraped_while_it_goes(outcome: Outcome) -> None:
    families = {family.name: family for family in text_string_to_metric_families(outcome.scraped[-1])}
    assert {"cqlsurge_operations", "cqlsurge_node_operations", "cqlsurge_latency_seconds"} <= set(families)
    ok = sum(one.value for one in families["cqlsurge_operations"].samples if one.labels["outcome"] == "ok")
    assert 0 < ok <= outcome.document["operations"]["ok"]


def test_a_port_in_use_and_a_log_of_another_kind_are_found_out_before(server: Simulator, tmp_path: Path) -> None:
    from cqlsurge.errors import ResultError, UsageError

    (tmp_path / "notes").write_text("notes")
    with pytest.raises(ResultError, match="--hdr-log"):
        run(settings(server, operations=10, hdr_log=str(tmp_path / "notes")))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UsageError, match="name another port"):
            run(settings(server, operations=10, metrics=str(taken.getsockname()[1])))


class Person(Listener):
    """Presses keys at certain moments of the run."""

    def __init__(self) -> None:
        self.seen: list[Progress] = []
        self.verdicts: list[Any] = []
        self._script = {1: [FASTER, FASTER], 3: [PAUSE], 5: [PAUSE], 7: [STOP]}

    def progress(self, progress: Progress) -> None:
        self.seen.append(progress)

    def verdict(self, verdict: dict[str, Any]) -> None:
        self.verdicts.append(verdict)

    def wishes(self) -> list[str]:
        return self._script.pop(len(self.seen[-1].recent) if self.seen else 0, [])


def test_a_person_at_the_keys_changes_the_rate_and_the_document_says_so(server: Simulator) -> None:
    person = Person()
    document = run(settings(server, rate="300", duration=60.0), person)
    assert document["state"] == "interrupted"
    assert document["settings"]["rate"] == "300", "settings stay what was asked"
    told = [(event["rate_factor"], event["event"]) for event in document["events"]]
    assert told == [
        (1.1, "rate at 110% of what was asked"),
        (1.21, "rate at 121% of what was asked"),
        (0.0, "paused"),
        (1.21, "rate at 121% of what was asked"),
    ]
    assert {0.0, 1.0, 1.21} <= {round(one.rate_factor or 0.0, 2) for one in person.seen}
    assert person.verdicts
    assert len(person.seen[-1].workers) == 2
    assert len(person.seen[-1].node_rates_ops_s) == 2
    jsonschema.validate(document, SCHEMA, jsonschema.Draft202012Validator)
    assert "paused" in render([document], ["steered"])


def test_a_report_of_two_real_runs(outcome: Outcome, server: Simulator) -> None:
    other = run(settings(server, operations=500, concurrency=8))
    jsonschema.validate(other, SCHEMA, jsonschema.Draft202012Validator)
    documents = [outcome.document, other]
    page = render(documents, ["one", "other"], comparisons(documents, ["one", "other"]))
    assert "other compared with one" in page
    assert page.count('<svg class="chart"') == 5
