"""Alarms of a long run: `p99 > 50ms for 30s`, noted, told, and passed on to a command."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from cqlsurge.errors import UsageError
from cqlsurge.load.latency.histogram import percentile
from cqlsurge.results.seconds import Second
from cqlsurge.runs.phase import Observer, PhaseRun
from cqlsurge.units import parse_count, parse_duration_s, parse_share, positive_s

EXAMPLE = "'p99 > 50ms for 30s', 'errors > 1%' or 'rate < 40k for 10s'"
_FORM = re.compile(r"(p\d+(?:\.\d+)?|errors|rate)\s*([<>])\s*(\S+?)(?:\s+for\s+(\S+))?\Z")


@dataclass(frozen=True)
class Alarm:
    """What must not be for `for_s` seconds on end: a figure of each second above (or below) `limit`.

    figure: a percentile of the headline latency in us, errors (share of what ended) or rate (ok per second).
    """

    text: str
    figure: str
    above: bool
    limit: float
    for_s: float

    def broken_by(self, second: Second) -> bool:
        """Whether that second is as it must not be."""
        value = self._value(second)
        return value > self.limit if self.above else value < self.limit

    def _value(self, second: Second) -> float:
        if self.figure == "rate":
            return second.ok / max(second.span_s, 1e-3)
        if self.figure == "errors":
            return second.errors / max(1, second.ok + second.errors)
        return percentile(second.counts, float(self.figure[1:])) / 1000


def parse_alarm(text: str) -> Alarm:
    """Raises ValueError with the form."""
    found = _FORM.match(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no alarm: write it as {EXAMPLE}")
    figure, sign, limit, for_text = found.groups()
    if figure == "rate":
        value = float(parse_count(limit))
    elif figure == "errors":
        value = parse_share(limit)
    else:
        value = parse_duration_s(limit) * 1e6
    return Alarm(text.strip(), figure, sign == ">", value, positive_s(for_text) if for_text else 1.0)


class Alarms(Observer):
    """Watches the seconds of the measured phase; each alarm sounds once, until a second is well again."""

    def __init__(self, alarms: Sequence[Alarm], command: str | None = None) -> None:
        """Raises UsageError for a command without alarms."""
        if command is not None and not alarms:
            raise UsageError("--exec is for alarms: give an --alarm too")
        self._alarms, self._command = alarms, command
        self.hears_seconds = bool(alarms)
        self._since_s = [0.0] * len(alarms)
        self._sounding = [False] * len(alarms)
        self._told: list[str] = []
        self._measured = False
        self._started: list[subprocess.Popen[bytes]] = []

    def begin(self, phase: PhaseRun) -> None:
        """See Observer."""
        self._measured = phase.plan.measured

    def second(self, second: Second) -> None:
        """See Observer."""
        if not self._measured or second.warmup or not second.t_s:
            return
        for at, alarm in enumerate(self._alarms):
            if not alarm.broken_by(second):
                self._since_s[at] = 0.0
                if self._sounding[at]:
                    self._sounding[at] = False
                    self._told.append(f"alarm over: {alarm.text}")
                continue
            self._since_s[at] += second.span_s
            if self._since_s[at] >= alarm.for_s - 0.05 and not self._sounding[at]:
                self._sounding[at] = True
                self._told.append(f"alarm: {alarm.text}")

    def tick(self, phase: PhaseRun) -> None:
        """See Observer: tells what has been heard since, and has the command started."""
        self._started = [process for process in self._started if process.poll() is None]
        for text in self._told:
            phase.note(text, alarm=True)
            phase.listener.warn(text)
            if self._command is not None:
                self._start(text, phase)
        self._told.clear()

    def _start(self, text: str, phase: PhaseRun) -> None:
        """Not waited for; it gets the alarm in CQLSURGE_ALARM."""
        assert self._command is not None
        try:
            self._started.append(
                subprocess.Popen(
                    ["/bin/sh", "-c", self._command], env={**os.environ, "CQLSURGE_ALARM": text},
                    stdin=subprocess.DEVNULL, start_new_session=True,
                )
            )  # fmt: skip
        except OSError as error:
            phase.listener.warn(f"--exec could not be started: {error.strerror}")
