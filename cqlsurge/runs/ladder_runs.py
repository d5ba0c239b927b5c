"""The climb: runs of all rungs on one database, round by round, up and down in turn.

All rungs do the same: operations 0, 1, 2 ... on the same keys, which are written once before. Their runs are of equal
time, not of equal work, since the top does in a second what the bottom does in a minute; what is compared is per second
and per operation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace

from cqlsurge.errors import ClusterError, RunError, UsageError
from cqlsurge.load.engines.registry import EngineInfo, engine_info
from cqlsurge.processes.interpreters import PYPY_VARIABLE
from cqlsurge.results.document import Document
from cqlsurge.results.ladder_document import Climb
from cqlsurge.results.techniques import Rung
from cqlsurge.runs.phases import POPULATE_CONCURRENCY
from cqlsurge.runs.plan import make_plan
from cqlsurge.runs.run import exit_code
from cqlsurge.runs.series import Audience, Series, Stages
from cqlsurge.settings import Settings
from cqlsurge.units import show_s

#: time until a load process runs as fast as it will: PyPy compiles a driver for some seconds; wire warms itself up
WARMUP_S = 0.5
WARMUP_COMPILED_S = 4.0
#: start and end of a run, for the estimate of the whole time
BESIDE_S = 1.5
#: our own database is cold: it is written to for so long, then each way to ask it is rehearsed, before anything counts
HEAT_S = 20.0
REHEARSAL_S = 6.0
#: where only writes follow, the keys need not all be there: writing them first ends after this time
POPULATE_S = 25.0


class Ladder:
    """A climb. `common`: the settings that all rungs share; `warmup_s`: instead of each rung's own.

    `round_over` is called when all rungs had a run.
    """

    def __init__(
        self,
        common: Settings,
        rungs: Sequence[Rung],
        rounds: int,
        *,
        warmup_s: float | None,
        audience: Audience,
        round_over: Callable[[], None],
    ) -> None:
        self.climbs = [Climb(rung) for rung in rungs]
        self.series = Series(common.address, audience)
        self._common, self._rounds, self._warmup_s = common, rounds, warmup_s
        self._audience, self._round_over = audience, round_over
        self._settings: dict[str, Settings] = {}

    def climb(self) -> None:
        """Makes the runs until all are made, the database is lost, or somebody interrupts; `series` says which."""
        self.series.make(self._steps, self._prepare)

    def _steps(self) -> None:
        self._populate()
        if self._common.address is None:
            self._rehearse()
        for number in range(1, self._rounds + 1):
            self._round(number)

    def _prepare(self) -> None:
        """Finds out which rungs can run here, and sets up what they need. Raises RunError where none can."""
        for climb in self.climbs:
            reasons = []
            for runtime in climb.rung.runtimes:
                settings = self._settings_of(climb.rung, runtime)
                try:
                    with self.series.interrupts.raising():
                        make_plan(settings, ExitStack(), Stages(self._audience))
                except (UsageError, RunError) as error:
                    reasons.append(cure(str(error), engine_info(climb.rung.engine), runtime))
                else:
                    self._settings[climb.rung.name] = settings
                    break
            else:
                climb.absent = reasons[0]
                self._audience.line(f"{climb.rung.name} cannot run here: {climb.absent}")
        if not self._settings:
            raise RunError(f"no rung can run here; {self.climbs[0].rung.name}: {self.climbs[0].absent}")
        self._audience.line(self._length())

    def _length(self) -> str:
        """How much there is to do, and how long it will take."""
        each_s = [BESIDE_S + settings.warmup + (settings.duration or 0) for settings in self._settings.values()]
        total = show_s(self._rounds * sum(each_s))
        return f"{len(each_s)} rungs in {self._rounds} rounds take about {total} once the database is there"

    def _settings_of(self, rung: Rung, runtime: str) -> Settings:
        compiled = runtime == "pypy" and bool(engine_info(rung.engine).packages)
        own_s = WARMUP_COMPILED_S if compiled else WARMUP_S
        return replace(
            self._common,
            engine=rung.engine,
            technique=rung.technique,
            runtime=runtime,
            processes=None if rung.every_core else 1,
            concurrency=self._common.concurrency if rung.places else 1,
            warmup=own_s if self._warmup_s is None else self._warmup_s,
        )

    def _populate(self) -> None:
        """Writes the keys once. Raises RunError where that fails."""
        self._audience.line(f"writing the {self._common.population:,} keys, by the engine wire: this does not count")
        self._write(self._common.population, POPULATE_S if self._common.mode == "write" else None)

    def _rehearse(self) -> None:
        """Warms a database that has just been started: much load, then each rung that asks it in a way of its own."""
        self._audience.line("warming the database, which was just started: this does not count either")
        self._write(None, HEAT_S)
        for climb in self._able:
            settings = self._settings[climb.rung.name]
            if settings.runtime == "cpython":
                self._attempt(climb, replace(settings, warmup=0.0, duration=REHEARSAL_S), "rehearsal")

    def _write(self, operations: int | None, duration_s: float | None) -> None:
        """One run of writes that does not count."""
        settings = replace(
            self._common,
            mode="write",
            processes=1,
            concurrency=POPULATE_CONCURRENCY,
            operations=operations,
            duration=duration_s,
        ).effective()
        fault = why_not(self.series.run(settings))
        if fault:
            raise RunError(f"the keys could not be written: {fault}")

    @property
    def _able(self) -> list[Climb]:
        return [climb for climb in self.climbs if not climb.absent]

    def _round(self, number: int) -> None:
        climbs = self._able
        for at, climb in enumerate(climbs if number % 2 else climbs[::-1], 1):
            where = f"round {number} of {self._rounds}"
            self._audience.line(f"{where}, run {at} of {len(climbs)}: {climb.rung.name}")
            document = self._attempt(climb, self._settings[climb.rung.name], where)
            if document is not None:
                fault = why_not(document)
                if fault:
                    self._leave_out(climb, where, fault)
                else:
                    climb.runs.append(document)
        self._round_over()

    def _attempt(self, climb: Climb, settings: Settings, where: str) -> Document | None:
        """A run of a rung; None where it could not start, which ends the rung if it never did before."""
        try:
            return self.series.run(settings)
        except ClusterError:
            raise  # without the database there is nothing to climb on
        except (UsageError, RunError) as error:
            if climb.runs:
                self._leave_out(climb, where, str(error))
            else:
                climb.absent = str(error)
                self._audience.line(f"    cannot run here: {error}")
        return None

    def _leave_out(self, climb: Climb, where: str, why: str) -> None:
        climb.left_out.append(f"{where}: {why}")
        self._audience.line(f"    does not count: {why}")


def cure(text: str, engine: EngineInfo, runtime: str) -> str:
    """Why a rung cannot run here, and what to install: a run's own words name options that the ladder has not."""
    for words in ("; by hand:", "; try it by hand:", ": choose with --runtime"):
        text = text.partition(words)[0]
    text = text.removeprefix("--runtime pypy: ")
    if "install" in text:
        return text
    if runtime == "cpython":
        return f"{text}; {engine.remedy}"
    return f"{text}; uv python install pypy@3.11, or name a PyPy 3.11 that has it in {PYPY_VARIABLE}"


def why_not(document: Document) -> str:
    """Why a run does not count; empty where it does."""
    if document["state"] != "done":
        return str(document["events"][-1]["event"])
    if exit_code(document):
        return "errors: " + ", ".join(f"{name} {count:,}" for name, count in document["errors"].items())
    if not document["throughput_ops_s"] or not document["client"]["cpu_us_per_op"]:
        return "not one operation ended in the time: give it more with --duration"
    return ""
