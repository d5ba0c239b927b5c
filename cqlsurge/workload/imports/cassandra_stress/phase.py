"""How much of a workload and how fast, as the command line of cassandra-stress says it: a phase of our file."""

from __future__ import annotations

import math
from collections.abc import Set
from typing import Any

from cqlsurge.workload.imports.cassandra_stress.command import Command
from cqlsurge.workload.imports.cassandra_stress.distributions import Distribution, gaussian
from cqlsurge.workload.imports.cassandra_stress.values import draw, number_text
from cqlsurge.workload.imports.report import Report

#: what cassandra-stress takes for n where it has a duration and no population
DEFAULT_SEEDS = 1_000_000


def is_load(command: Command) -> bool:
    """Whether seeds go in order by default: plain writes, and `ops(insert=..)` alone."""
    if command.command == "user":
        return {name.rpartition(".")[2] for name, _ in command.ops} == {"insert"}
    return command.command in {"write", "counter_write"}


def seeds_of(command: Command) -> tuple[int, int]:
    """The first and the last seed that can come."""
    population = command.population
    if population.sequence is not None:
        return population.sequence
    if population.drawn is not None:
        return population.drawn.low, population.drawn.high
    return 1, max(1, command.n or DEFAULT_SEEDS)


def drawn_seeds(command: Command) -> Distribution | None:
    """How seeds are drawn; None where they go in order."""
    if command.population.drawn is not None:
        return command.population.drawn
    if command.population.sequence is not None or is_load(command):
        return None
    return gaussian(*seeds_of(command))


def unwritten_share(draws: int, seeds: int) -> float:
    """The share of seeds that a bell over all of them, drawn so often, never gives."""
    steps = 600
    found = 0.0
    for step in range(steps):
        z = -3 + 6 * (step + 0.5) / steps
        density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
        found += math.exp(-draws * 6 * density / seeds)
    return found / steps


def make_phase(
    command: Command, mix: dict[str, float], writes: set[str], report: Report, seeded: Set[str] = frozenset()
) -> dict[str, Any]:
    """The phase `run`. seeded: the statements whose table has `seeds`: picks there speak of seeds by their numbers."""
    whole = all(weight == int(weight) for weight in mix.values())
    phase: dict[str, Any] = {"mix": {name: int(weight) if whole else weight for name, weight in mix.items()}}
    if len(mix) > 1 and not (command.runs.is_fixed and command.runs.low == 1):
        phase["runs"] = draw(command.runs)
    phase["pick"] = _pick(command, mix, writes, report, seeded)
    first, last = seeds_of(command)
    operations = command.n
    if not command.population.wrap:
        operations = min(command.n or last - first + 1, last - first + 1)
        report.keep(f"no-wrap: the run ends with seed {last}")
    if operations is not None:
        phase["operations"] = number_text(operations)
        phase["count"] = "partitions"
    elif command.duration_s is not None:
        phase["duration"] = f"{command.duration_s}s"
    else:
        phase["duration"] = "3m"
        report.mend(
            "neither n= nor duration=: the phase takes 3 minutes; cassandra-stress goes on until the mean rate has a "
            "standard "
            "error below 2%. Say --until 'p99 +- 2%' for an end by precision"
        )
    phase["consistency"] = command.consistency
    _speed(command, phase, report)
    if command.warmup:
        report.mend(
            "its warm-up is not made: it would run up to 50,000 operations a node against the same rows, unrecorded. "
            "Load "
            "processes warm up without the database; --warmup TIME leaves the beginning out of the figures"
        )
    return phase


def _speed(command: Command, phase: dict[str, Any], report: Report) -> None:
    rate = command.rate
    if rate.threads is not None:
        phase["concurrency"] = rate.threads
    elif rate.threads_range is not None:
        phase["concurrency"] = min(200, rate.threads_range[1])
        report.mend(
            f"no threads=: {phase['concurrency']} operations in flight; cassandra-stress tries "
            f"{rate.threads_range[0]} to "
            f"{rate.threads_range[1]} threads one after the other (`cqlsurge ladder` climbs here)"
        )
    if rate.per_s is not None:
        phase["rate"] = number_text(rate.per_s)
        phase["latency"] = rate.latency
        word = "fixed" if rate.latency == "response" else "throttle"
        report.keep(f"{word}: {rate.per_s}/s over all, its latency is the {rate.latency} time; all three are told here")


def _pick(
    command: Command, mix: dict[str, float], writes: set[str], report: Report, seeded: Set[str]
) -> dict[str, str]:
    of = drawn_seeds(command)
    first, last = seeds_of(command)
    if of is None:
        picks = {"any": "sequence"}
        if len(mix) > 1:
            report.keep(
                "one sequence of seeds for all operations: reads take other seeds than writes, as -pop seq= has it"
            )
        if command.population.look_back is not None:
            back = draw(command.population.look_back)
            picks |= {name: f"written({back})" for name in mix if name not in writes}
            report.keep(f"read-lookback: reads go back {back} partitions from the last one written")
        return picks
    if command.population.drawn is None:
        share = unwritten_share(command.n or DEFAULT_SEEDS, last)
        report.keep(
            f"no -pop: seeds are drawn from {draw(of)}, as cassandra-stress does for anything but plain inserts; of "
            "the keys "
            f"{share:.0%} are never visited, those in the middle often"
        )
        if command.duration_s is not None and command.n is None:
            report.keep("duration= without -pop: seeds 1 to 1,000,000, as cassandra-stress has it")
    else:
        report.mend("-pop dist=: seeds are drawn from our seed, the same in each run; cassandra-stress draws anew")
    picks = {name: _drawn_pick(of, 0 if name in seeded else first, report) for name in mix}
    return {"any": next(iter(picks.values()))} if len(set(picks.values())) == 1 else picks


def _drawn_pick(of: Distribution, offset: int, report: Report) -> str:
    """A pick by a distribution of seeds; `offset`: the seed whose partition has the number 0."""
    bounds = f"{of.low - offset}..{of.high - offset}"
    if of.is_fixed or of.name in {"uniform", "seq"}:
        return "sequence" if of.name == "seq" else "uniform"
    if of.name == "gaussian":
        middle, spread = (of.low + of.high) / 2, (of.high - of.low) / 6
        if of.mean == middle and abs(of.stdev - spread) < 1e-9 * spread:
            return f"gaussian({bounds})"
        return f"gaussian({bounds}, {of.mean - offset!r}, {of.stdev!r})"
    if of.name != "exp" or of.inverted:
        report.mend(f"-pop dist={of.name}: seeds are picked by exp(..) over the same range, small ones most often")
    return f"exp({bounds})"
