"""Synthetic runs for tests: the benchmark's own, which are whole result documents with a known truth."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

PATH = Path(__file__).resolve().parents[1] / "benchmarks" / "compare_power.py"


def load_power() -> ModuleType:
    """benchmarks/compare_power.py as a module."""
    if "compare_power" not in sys.modules:
        spec = importlib.util.spec_from_file_location("compare_power", PATH)
        assert spec is not None
        assert spec.loader is not None
        sys.modules["compare_power"] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules["compare_power"]
