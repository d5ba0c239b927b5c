"""The Grafana dashboard asks for what a run tells, in the language of Prometheus; checked by promtool where it is.

How: the exposition is read by the parser of Prometheus's client; queries are put to a real Prometheus, if installed.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from cqlsurge.load.latency.layout import index_of, new_counts
from cqlsurge.results.openmetrics import Metrics, exposition

FILE = Path(__file__).resolve().parents[2] / "docs" / "grafana-dashboard.json"
VARIABLES = {"$__rate_interval": "1m", "$instance": ".*"}


@pytest.fixture(scope="module")
def dashboard() -> Any:
    return json.loads(FILE.read_text())


def expressions(dashboard: Any) -> Iterator[str]:
    for panel in dashboard["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    yield from (annotation["expr"] for annotation in dashboard["annotations"]["list"])


def told() -> dict[str, set[str]]:
    """The labels of each sample that a run tells."""
    counts = new_counts()
    counts[index_of(1000)] = 1
    metrics = Metrics(
        outcomes={"write": {"ok": 1, "failed": 0, "unknown": 0}}, errors={"overloaded": 1}, nodes={"a": 1},
        cpu_s={"0": 1.0}, histograms={"write": {"response": counts}}, phase="measure", phase_start_s=1.0,
    )  # fmt: skip
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(exposition(metrics)):
        for sample in family.samples:
            found.setdefault(sample.name, {"instance"}).update(sample.labels)
    return found


def test_each_query_is_about_what_a_run_tells(dashboard: Any) -> None:
    known = told()
    for expression in expressions(dashboard):
        for name, selector in re.findall(r"(cqlsurge_[a-z_]+)(?:\{([^}]*)\})?", expression):
            assert name in known, expression
            assert {part.partition("=")[0].rstrip("!~") for part in selector.split(",") if part} <= known[name]
        for labels in re.findall(r"by \(([^)]*)\)", expression):
            assert all(any(label.strip() in names for names in known.values()) for label in labels.split(","))


def test_panels_lie_beside_each_other(dashboard: Any) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)
    assert all(panel["datasource"]["uid"] == "${datasource}" for panel in dashboard["panels"])


def test_prometheus_takes_each_query(dashboard: Any, tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    rules = []
    for at, expression in enumerate(expressions(dashboard)):
        for variable, value in VARIABLES.items():
            expression = expression.replace(variable, value)
        rules.append({"record": f"cqlsurge:query{at}", "expr": expression})
    file = tmp_path / "rules.yml"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))  # YAML holds JSON
    done = subprocess.run([promtool, "check", "rules", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
