"""Command lines of cassandra-stress: every word that is honoured, and one line for each that is not."""

from __future__ import annotations

import pytest

from cqlsurge.errors import UsageError
from cqlsurge.workload.imports.cassandra_stress.command_line import read_command
from cqlsurge.workload.imports.cassandra_stress.distributions import fixed, gaussian, parse_distribution, uniform


def test_user_with_all_that_belongs_to_it() -> None:
    command = read_command(
        "cassandra-stress user profile=a.yaml,b.yaml 'ops(insert=3, a.read1=1.5)' n=1M cl=quorum "
        "serial-cl=LOCAL_SERIAL "
        "no-warmup truncate=once clustering=fixed(1) -pop seq=5..1M no-wrap contents=sorted "
        "-rate threads=50 fixed=5k/s "
        "-errors retries=2 ignore -log hdrfile=x.hdr interval=5 -insert visits=fixed(10) revisit=uniform(1..5) "
        "partitions=fixed(2) select-ratio=fixed(1)/2 batchtype=UNLOGGED row-population-ratio=fixed(1)/4 "
        "-mode native cql3 user=a password=b -node 1.1.1.1,2.2.2.2 -tokenrange wrap split-factor=4"
    )
    assert command.profiles == ("a.yaml", "b.yaml")
    assert command.ops == (("insert", 3), ("a.read1", 1.5))
    assert (command.n, command.consistency, command.serial_consistency) == (1_000_000, "QUORUM", "LOCAL_SERIAL")
    assert (command.warmup, command.truncate, command.runs) == (False, "once", fixed(1))
    assert command.population.sequence == (5, 1_000_000)
    assert not command.population.wrap
    assert command.population.contents == "sorted"
    assert (command.rate.threads, command.rate.per_s, command.rate.latency) == (50, 5000, "response")
    assert (command.errors.retries, command.errors.ignore) == (2, True)
    assert command.hdr_file == "x.hdr"
    assert command.insert.visits == fixed(10)
    assert command.insert.batch_type == "unlogged"
    assert command.insert.select is not None
    assert command.insert.select.average() == 0.5
    assert (command.token_range_wrap, command.split_factor) == (True, 4)
    assert [name for name, _ in command.passed_over] == ["-mode", "-node"]


def test_parentheses_need_no_quotes_inside_the_line() -> None:
    assert read_command("user profile=p.yaml ops(insert=1, q=2) n=10").ops == (("insert", 1), ("q", 2))
    assert read_command(r"user profile=p.yaml ops\(insert=1\) n=10").ops == (("insert", 1),)


def test_predefined_ones() -> None:
    command = read_command(
        "mixed ratio(write=1,read=3) duration=10m keysize=fixed(12) -col n=FIXED(2) size=GAUSSIAN(10..100) "
        "-schema keyspace=ks replication(strategy=NetworkTopologyStrategy,dc1=3) "
        "compaction(strategy=LeveledCompactionStrategy) compression=LZ4Compressor -rate throttle=100/s threads=2 "
        "-pop dist=UNIFORM(1..100)"
    )
    assert command.ops == (("write", 1), ("read", 3))
    assert command.duration_s == 600
    assert command.key_size == fixed(12)
    assert command.columns.names == ("C0", "C1")
    assert command.columns.size == gaussian(10, 100)
    assert dict(command.schema.replication) == {"class": "NetworkTopologyStrategy", "dc1": "3"}
    assert dict(command.schema.compaction) == {"class": "LeveledCompactionStrategy"}
    assert command.rate.latency == "service"
    assert command.population.drawn == uniform(1, 100)


def test_defaults() -> None:
    command = read_command("write n=100k")
    assert command.consistency == "LOCAL_ONE"
    assert command.columns.names == ("C0", "C1", "C2", "C3", "C4")
    assert command.columns.size == fixed(34)
    assert dict(command.schema.replication) == {"class": "SimpleStrategy", "replication_factor": "1"}
    assert command.errors.retries == 9
    assert command.rate.threads is None
    assert command.runs == gaussian(1, 10)
    assert read_command("write n=1 -schema replication(factor=3)").schema.replication[1] == ("replication_factor", "3")
    assert read_command("write err<0.02 n>30 n<200").until_error
    assert read_command("read n=10 -pop seq=1..10 read-lookback=extreme(1..10,2)").population.look_back == (
        parse_distribution("extreme(1..10,2)")
    )


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "nothing is asked for"),
        ("wrte n=1", "nearest is write"),
        ("help", "makes no load"),
        ("write m=1", "'m=1' is not understood"),
        ("write n=1.5", "no whole number"),
        ("write n=1 duration=1s", "n= or duration=, not both"),
        ("write duration=10", "write it as 30s"),
        ("write n=1 cl=MANY", "no consistency level"),
        ("write n=1 -popp seq=1..2", "nearest is -pop"),
        ("write n=1 -pop", None),
        ("write n=1 -pop seq=1..2 dist=fixed(1)", "seq= or dist=, not both"),
        ("write n=1 -pop no-wrap", "belong to seq="),
        ("write n=1 -pop sequence=1..2", "nearest is seq"),
        ("write n=1 -pop seq=1..2 -pop seq=1..3", "given twice"),
        ("write n=1 -rate threads=0", "not 1 or more"),
        ("write n=1 -rate throttle=1/s fixed=1/s", "throttle= or fixed=, not both"),
        ("write n=1 -rate throttle=100", "write it as 5000/s"),
        ("write n=1 -errors retry=1", "nearest is retries"),
        ("write n=1 -col super=fixed(2)", "Thrift"),
        ("write super=fixed(2)", "Thrift"),
        ("write n=1 -col n=uniform(1..5)", "drawn number of columns"),
        ("write n=1 -send-to 1.2.3.4", "--hosts"),
        ("write profile=a.yaml", "belongs to user"),
        ("write ops(a=1)", "weights belong"),
        ("user profile=a.yaml n=1", "say what to do"),
        ("user profile=a.yaml ops(a) n=1", "write it as insert=3"),
        ("user profile=a.yaml ops(a=0) n=1", "write it as insert=3"),
        ("user profile=a.yaml ops(a=1,a=2) n=1", "twice"),
        ("user profile=a.yaml ops(a=1) -col n=fixed(5)", "columnspec"),
        ("user profile=a.yaml ops(a=1) -schema keyspace=a", "its own schema"),
        ("user profile=a.yaml 'ops(a=1)", "No closing quotation"),
        ("write n=1 -insert select=fixed(1)/2", "nearest is select-ratio"),
        ("write n=1 -tokenrange wrapp", "nearest is wrap"),
        ("write n=1 -log hdrfiles=a", "nearest is hdrfile"),
        ("write n=1 -schema replication", "'replication' is not understood"),
    ],
)
def test_errors_are_one_line_with_the_cure(line: str, says: str | None) -> None:
    if says is None:
        read_command(line)
        return
    with pytest.raises(UsageError) as error:
        read_command(line)
    assert says in str(error.value)
    assert "\n" not in str(error.value)
