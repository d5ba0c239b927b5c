"""The phases that settings ask for, and which numbers of theirs write."""

from __future__ import annotations

from cqlsurge.runs.phases import measure_phase, phases_of
from cqlsurge.settings import Settings


def test_phases_say_whether_they_write() -> None:
    assert measure_phase(Settings(operations=500)).writes
    assert not measure_phase(Settings(mode="read")).writes
    assert measure_phase(Settings(mode="mixed", populate=False)).writes
    populate, measure = phases_of(Settings(mode="mixed", keys=70))
    assert (populate.total, populate.writes, populate.measured) == (70, True, False)
    assert (measure.writes, measure.written_before, measure.measured) == (False, 70, True)
    assert measure_phase(Settings(rate="5k")).headline == "response"
