"""What `explain` tells: populations and sizes that are those of the rows made, and what can be checked and why not."""

import re

from cqlsurge.workload.checks import what_is_checked
from cqlsurge.workload.explain import explain
from cqlsurge.workload.loader import load_file


def test_populations_and_sizes():
    text = explain(load_file("wide", {"partitions": "100", "rows": "50", "size": "100"}))
    assert "partitions  100; rows each: 50; 5.00 K rows" in text
    size = float(re.search(r"sizes +([\d.]+) B a row", text)[1])
    assert 116 <= size <= 180  # 8 + 8 + 100 bytes of values, and what a row costs beside them
    assert "phase load: 5,000 operations" in text


def test_hit_rates_and_checks():
    text = explain(load_file("ycsb-d", {"records": "100"}))
    assert "finds rows always" in text
    assert "the first bytes of column field0" in text
    kv = explain(load_file("kv", {"keys": "100"}))
    assert "--verify checks keys, value" in kv


def test_why_something_is_not_checked():
    users = load_file("users", {"users": "100"})
    checked, unchecked = what_is_checked(users, users.statement("user"))
    assert checked == ["keys"]
    assert unchecked == [
        "email, name, home, tags, scores, attributes, place: partial writes leave cells of several versions"
    ]
    _, unchecked = what_is_checked(users, users.statement("similar"))
    assert unchecked == ["rows: it names no partition, so that which rows come is not known"]
    series = load_file("timeseries", {})
    assert what_is_checked(series, series.statement("hour"))[0] == ["keys", "order", "value", "unit", "note"]
