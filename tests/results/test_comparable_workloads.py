"""Runs of workloads beside each other: of different ones they are refused, parameters that differ are named."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from cqlsurge.errors import UsageError
from cqlsurge.results.comparable import judge_comparable
from tests.documents import make_document


def told(name: str = "kv", fingerprint: str = "abc", **params: int) -> Any:
    """A document of a run of a workload."""
    found = copy.deepcopy(make_document())
    found["settings"].update(workload=f"{name}.yaml", param=[], phases=None, mix=None)
    found["workload"] = {
        "name": name, "fingerprint": fingerprint, "params": params, "phases": ["run"], "mix": {"read": 1.0},
        "statements": {},
    }  # fmt: skip
    return found


def test_the_same_workload_from_another_path_is_the_same() -> None:
    other = told(keys=5)
    other["settings"]["workload"] = "elsewhere/kv.yaml"
    assert judge_comparable([told(keys=5)], [other]).differences == []


def test_other_workloads_are_refused() -> None:
    with pytest.raises(UsageError, match=r"differ in workload \(workload: kv abc against users def\)"):
        judge_comparable([told()], [told("users", "def")])
    with pytest.raises(UsageError, match="differ in workload"):
        judge_comparable([told()], [told(fingerprint="def")])
    with pytest.raises(UsageError, match="workload"):
        judge_comparable([told()], [make_document()])


def test_parameters_that_differ_are_named() -> None:
    with pytest.raises(UsageError, match=r"differ in param.keys \(param.keys: 5 against 6\)"):
        judge_comparable([told(keys=5)], [told(keys=6)])
    allowed = judge_comparable([told(keys=5)], [told(keys=6)], {"param.keys"})
    assert [one["name"] for one in allowed.differences] == ["param.keys"]
