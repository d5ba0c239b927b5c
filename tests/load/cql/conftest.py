"""Hypothesis without its clocks, since slow does not mean wrong on shared cores, and with fewer examples.

The fuzz targets are where the many examples are.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("unhurried", max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")
