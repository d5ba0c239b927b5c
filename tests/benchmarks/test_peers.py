"""How: what each tool printed or wrote in a real run, shortened, is read; missing tools are listed without any."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.peers.tools import PEERS, ROOT, Said

SCYLLA_BENCH = """\
    time   ops/s  rows/s errors max    99.9th 99th   95th   90th   median mean
      1s   12017   12017      0 41ms   30ms   24ms   14ms   12ms   7.5ms  8.3ms
Results
Time (avg):	 5s
Total ops:	 53721
Total rows:	 53721
Operations/s:	 10744
Rows/s:		 10744
raw latency :
  max:		 133.234687ms
  99.9th:	 109.051903ms
  99th:		 30.769151ms
  95th:		 15.925247ms
c-o fixed latency :
  max:		 133.234687ms
  99th:		 31.769151ms
"""
CASSANDRA_STRESS = """\
Results:
Op rate                   :   14,255 op/s  [WRITE: 14,255 op/s]
Partition rate            :   14,255 pk/s  [WRITE: 14,255 pk/s]
Latency 95th percentile   :   17.6 ms [WRITE: 17.6 ms]
Latency 99th percentile   :   52.6 ms [WRITE: 52.6 ms]
Latency 99.9th percentile :  150.2 ms [WRITE: 150.2 ms]
Total errors              :          0 [WRITE: 0]
"""
YCSB = """\
[OVERALL], RunTime(ms), 7570
[OVERALL], Throughput(ops/sec), 217.56935270805812
[CLEANUP], 99thPercentileLatency(us), 7
[UPDATE], Operations, 1647
[UPDATE], 95thPercentileLatency(us), 719359
[UPDATE], 99thPercentileLatency(us), 807935
[UPDATE], Return=OK, 1647
"""
LATTE = {
    "percentiles": [50.0, 98.0, 99.0, 99.9],
    "result": {
        "elapsed_time_s": 5.00656844,
        "cpu_time_s": 1.238358058,
        "request_count": 50533,
        "cycle_latency": {
            "percentiles": [{"value": 6.578}, {"value": 37.126}, {"value": 60.359}, {"value": 99.746}],
        },
    },
}


@pytest.mark.parametrize(
    ("name", "output", "said"),
    [
        ("scylla-bench", SCYLLA_BENCH, Said(10744, 30.769151)),
        ("cassandra-stress", CASSANDRA_STRESS, Said(14255, 52.6)),
        ("YCSB", YCSB, Said(217.5694, 807.935)),
        ("latte", "", Said(10093.34, 60.359, 24.506)),
    ],
)
def test_figures_are_read_from_what_tools_say(name: str, output: str, said: Said, tmp_path: Path) -> None:
    (tmp_path / "latte.json").write_text(json.dumps(LATTE))
    (tool,) = (tool for tool in PEERS if tool.name == name)
    found = tool.said(output, tmp_path)
    assert (found.ops_s, found.p99_ms) == pytest.approx((said.ops_s, said.p99_ms), rel=1e-4)
    assert found.cpu_us_per_op == (said.cpu_us_per_op and pytest.approx(said.cpu_us_per_op, rel=1e-4))


def test_output_without_figures_is_refused(tmp_path: Path) -> None:
    for tool in PEERS:
        with pytest.raises((ValueError, OSError)):
            tool.said("Connection refused", tmp_path)


def test_missing_tools_are_listed_with_how_to_have_them(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "peers"), "--list"],
        env={**os.environ, "PATH": str(tmp_path)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for tool in PEERS:
        assert f"{tool.name}: not found; to have it: {tool.get}; or set {tool.variable}" in result.stdout
