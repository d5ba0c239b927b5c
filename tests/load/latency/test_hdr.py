"""The HdrHistogram encoding and log.

How: our text goes through the reference library `hdrhistogram` and back where it is installed, with equal counts and
percentiles both ways; texts that other HdrHistogram libraries use as their test vectors are decoded; broken texts are
refused. Round trips of edge counts and a log need nothing but ourselves.
"""

from __future__ import annotations

import base64
import random
from typing import Any

import pytest

from cqlsurge.load.latency import hdr, histogram, layout
from tests.hdr_logs import read_log


def drawn_counts(seed: int, count: int) -> list[int]:
    drawn = random.Random(seed)
    counts = layout.new_counts()
    for _ in range(count):
        counts[layout.index_of(int(drawn.lognormvariate(13, 2)))] += 1
    return counts


def reference() -> Any:
    return pytest.importorskip("hdrh.histogram").HdrHistogram


def reference_histogram() -> Any:
    return reference()(layout.LOWEST_DISCERNIBLE_NS, layout.HIGHEST_TRACKABLE_NS, layout.SIGNIFICANT_DIGITS)


@pytest.mark.parametrize("count", [0, 1, 1000, 100_000])
def test_the_reference_reads_what_we_write(count: int) -> None:
    counts = drawn_counts(count, count)
    theirs = reference().decode(hdr.encode(counts))
    assert theirs.get_total_count() == count
    assert theirs.counts_len == layout.COUNTS_LENGTH
    assert [theirs.get_count_at_index(index) for index in range(layout.COUNTS_LENGTH)] == counts
    if count == 100_000:  # a count at which its rounding of ranks cannot differ from rounding up
        assert theirs.get_mean_value() == pytest.approx(histogram.mean(counts))
        for wanted in (50, 90, 99, 99.9, 99.99, 100):
            assert theirs.get_value_at_percentile(wanted) == histogram.percentile(counts, wanted)


def test_we_read_what_the_reference_writes() -> None:
    theirs = reference_histogram()
    counts = layout.new_counts()
    drawn = random.Random(11)
    for _ in range(20_000):
        value = int(drawn.lognormvariate(14, 3))
        theirs.record_value(value)
        counts[layout.index_of(value)] += 1
    assert hdr.decode(theirs.encode().decode("ascii")) == counts


def test_the_reference_reads_our_log(tmp_path: Any) -> None:
    log_reader = pytest.importorskip("hdrh.log").HistogramLogReader
    counts = drawn_counts(1, 500)
    path = tmp_path / "run.hlog"
    path.write_text(hdr.log_head(1_700_000_000.0) + hdr.log_line("write:service", 2.0, 1.0, counts))
    reader = log_reader(str(path), reference_histogram())
    theirs = reader.get_next_interval_histogram()
    assert theirs.get_tag() == "write:service"
    assert theirs.get_start_time_stamp() == 1_700_000_002_000
    assert theirs.get_end_time_stamp() == 1_700_000_003_000
    assert theirs.get_total_count() == 500
    assert reader.get_next_interval_histogram() is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Test vectors of the Go, JavaScript and Vala libraries: a single 42; nothing at all; 100, 200 and 250.
        ("HISTFAAAAB542pNpmSzMwMDAxAABzFCaEUoz2X+AMIKZAEARAtM=", [(42, 1)]),
        ("HISTFAAAABl4nJNpmSzMgADMUFoEyn1h/wHCAgBDogN4", []),
        ("HISTFAAAACV4nJNpmSzMwMDAwQABzFCaEUrp2H+AsI4zMh1lZEpkAgBdIQSk", [(100, 1), (200, 1), (250, 1)]),
    ],
)
def test_vectors_of_other_libraries(text: str, expected: list[tuple[int, int]]) -> None:
    found = hdr.unpack(text)
    assert found.digits == 3
    assert found.runs == expected
    with pytest.raises(ValueError, match="digits over"):
        hdr.decode(text)


@pytest.mark.parametrize("count", [1, 63, 64, 127, 128, 8191, 8192, 2**31, 2**32, 2**55 - 1, 2**55, 2**56, 2**62 + 5])
def test_counts_of_every_length_survive(count: int) -> None:
    counts = layout.new_counts()
    for index in (0, 2, 3, 70, 9000, layout.COUNTS_LENGTH - 1):
        counts[index] = count
    assert hdr.decode(hdr.encode(counts)) == counts


def test_random_histograms_survive() -> None:
    for seed in range(20):
        drawn = random.Random(seed)
        counts = layout.new_counts()
        for _ in range(drawn.randrange(300)):
            counts[drawn.randrange(layout.COUNTS_LENGTH)] = drawn.randrange(1, 1 << drawn.randrange(1, 60))
        assert hdr.decode(hdr.encode(counts)) == counts


def test_broken_texts_are_refused() -> None:
    good = hdr.encode(drawn_counts(1, 100))
    raw = base64.b64decode(good)
    with_other_cookie = base64.b64encode(b"\x1c\x84\x93\x22" + raw[4:]).decode("ascii")
    for text in ("", "!", "AAAA", good[:40], good[:-8], with_other_cookie):
        with pytest.raises(ValueError, match="histogram"):
            hdr.decode(text)


def test_a_log_can_be_read_back() -> None:
    first, second = drawn_counts(1, 300), drawn_counts(2, 300)
    text = (
        hdr.log_head(1_700_000_000.25, "cqlsurge")
        + hdr.log_line("write:response", 0.0, 1.0, first, 123_456_789)
        + hdr.log_line("read:response", 1.0, 1.0, second)
        + f"2.000,0.500,1.250,{hdr.encode(first)}\n"
    )
    assert text.startswith("#cqlsurge\n#[Histogram log format version 1.3]\n#[StartTime: 1700000000.250 (seconds")
    found = list(read_log(text.splitlines()))
    assert [(each.tag, each.start_s, each.length_s) for each in found] == [
        ("write:response", 0.0, 1.0),
        ("read:response", 1.0, 1.0),
        ("", 2.0, 0.5),
    ]
    assert found[0].max_ms == 123.457
    assert [each.counts for each in found] == [first, second, first]


def test_bad_tags_are_named() -> None:
    for tag in ("", "a,b", "a b", "a\n"):
        with pytest.raises(ValueError, match="tag"):
            hdr.log_line(tag, 0, 1, layout.new_counts())
