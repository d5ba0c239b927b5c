"""What a command line of cassandra-stress says, as data; `command_line` reads it."""

from __future__ import annotations

from dataclasses import dataclass, field

from cqlsurge.workload.imports.cassandra_stress.distributions import Distribution, Ratio, fixed, gaussian

PREDEFINED = ("write", "read", "mixed", "counter_write", "counter_read")
COMMANDS = (*PREDEFINED, "user")
#: so many operations of a kind are made before another kind is drawn
CLUSTERING = gaussian(1, 10)


@dataclass(frozen=True)
class Population:
    """-pop: seeds in order from a to b (`wrap`: again and again), or drawn; None where nothing was given."""

    sequence: tuple[int, int] | None = None
    drawn: Distribution | None = None
    wrap: bool = True
    look_back: Distribution | None = None
    contents: str = "arbitrary"


@dataclass(frozen=True)
class Rate:
    """-rate: threads (None: as many as it finds best), partitions a second, and which latency is shown."""

    threads: int | None = None
    per_s: int | None = None
    latency: str = "service"
    threads_range: tuple[int, int] | None = None


@dataclass(frozen=True)
class ErrorRules:
    """-errors: tries of an operation, and whether the run goes on once they are used up."""

    retries: int = 9
    ignore: bool = False
    skip_validation: bool = False
    skip_unsupported: bool = False


@dataclass(frozen=True)
class InsertRules:
    """-insert: what stands above the profile's own."""

    partitions: Distribution | None = None
    select: Ratio | None = None
    row_population: Ratio | None = None
    batch_type: str | None = None
    visits: Distribution = field(default_factory=lambda: fixed(1))


@dataclass(frozen=True)
class StandardColumns:
    """-col: the columns of standard1 and counter1."""

    names: tuple[str, ...] = ("C0", "C1", "C2", "C3", "C4")
    size: Distribution = field(default_factory=lambda: fixed(34))
    timestamp: Distribution | None = None


@dataclass(frozen=True)
class StandardSchema:
    """-schema: of the predefined tables."""

    keyspace: str = "keyspace1"
    replication: tuple[tuple[str, str], ...] = (("class", "SimpleStrategy"), ("replication_factor", "1"))
    compaction: tuple[tuple[str, str], ...] = ()
    compression: str = ""


@dataclass(frozen=True)
class Command:
    """A command line. n: partitions, None if not given; ops: (name, weight); key_size, add: of the predefined ones."""

    command: str
    profiles: tuple[str, ...] = ()
    ops: tuple[tuple[str, float], ...] = ()
    runs: Distribution = CLUSTERING
    n: int | None = None
    duration_s: int | None = None
    until_error: bool = False
    warmup: bool = True
    consistency: str = "LOCAL_ONE"
    serial_consistency: str = "SERIAL"
    truncate: str = "never"
    key_size: Distribution = field(default_factory=lambda: fixed(10))
    add: Distribution = field(default_factory=lambda: fixed(1))
    population: Population = Population()
    rate: Rate = Rate()
    errors: ErrorRules = ErrorRules()
    insert: InsertRules = InsertRules()
    columns: StandardColumns = field(default_factory=StandardColumns)
    schema: StandardSchema = StandardSchema()
    hdr_file: str | None = None
    token_range_wrap: bool = False
    split_factor: int = 1
    passed_over: tuple[tuple[str, str], ...] = ()
