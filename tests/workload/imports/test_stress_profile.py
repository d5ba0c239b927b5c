"""Profiles of cassandra-stress: what is read, what is refused and where, and what the program only seems to do."""

from __future__ import annotations

import pytest

from cqlsurge.errors import UsageError
from cqlsurge.workload.imports.cassandra_stress.distributions import fixed, parse_distribution
from cqlsurge.workload.imports.cassandra_stress.profile import Profile, looks_like_profile, read_profile

PROFILE = """\
# a comment
keyspace: post
keyspace_definition: |
  CREATE KEYSPACE post WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1};
table: parcels
table_definition: |
  CREATE TABLE parcels (depot blob, parcel blob, weight int, PRIMARY KEY (depot, parcel))
extra_definitions:
  - CREATE INDEX ON post.parcels (weight)
columnspec:
  - name: Depot
    size: fixed(12)
    population: uniform(1..8M)
  - name: parcel
    cluster: uniform(1..60)
  - name: gone
    size: fixed(1)
insert:
  Partitions: fixed(1)
  select: fixed(1)/10
  row-population: uniform(1..4)/4
  batchtype: UNLOGGED
queries:
  parcel:
    cql: SELECT * FROM parcels WHERE depot = ? LIMIT 1
    fields: samerow
  heavy:
    cql: SELECT * FROM parcels WHERE weight > ? ALLOW FILTERING
    consistencyLevel: QUORUM
    serialConsistencyLevel: local_serial
token_range_queries:
  all:
    columns: weight
    page_size: 1k
"""


def read(text: str) -> Profile:
    return read_profile(text, "p.yaml")


def test_a_profile_is_read() -> None:
    profile = read(PROFILE)
    assert profile.specname == "post.parcels"
    assert [text.split()[1] for text in profile.definitions] == ["KEYSPACE", "TABLE", "INDEX"]
    assert profile.column("DEPOT").population == parse_distribution("uniform(1..8M)")
    assert profile.column("depot").size == fixed(12)
    assert profile.column("weight").size is None
    assert profile.insert.partitions == fixed(1)
    assert profile.insert.batch_type == "unlogged"
    assert profile.insert.select.average() == 0.1
    assert profile.insert.row_population.average() == 0.625
    assert profile.queries["parcel"].same_row
    assert not profile.queries["heavy"].same_row, "multirow is the default"
    assert profile.queries["heavy"].consistency == "QUORUM"
    assert profile.queries["heavy"].serial_consistency == "LOCAL_SERIAL"
    assert profile.token_ranges["all"].page_size == 1000
    assert not profile.warnings


def test_queries_that_the_program_cannot_run_are_told() -> None:
    profile = read(PROFILE.replace("  heavy:", "  insert:").replace("  parcel:", "  readOne:"))
    assert len(profile.warnings) == 2
    assert "never this query" in profile.warnings[1]


def test_defaults_of_what_is_left_out() -> None:
    profile = read("keyspace: k\ntable: t\nqueries:\n  q: {cql: SELECT * FROM t}\n")
    assert profile.insert.select.is_one
    assert profile.insert.batch_type is None
    assert profile.table_definition is None
    assert profile.definitions == ()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("table: parcels", "tabel: parcels", "p.yaml:5:8: a profile has no key 'tabel'; nearest is table"),
        ("queries:", "token_range_queries:", "p.yaml:2:1: a profile needs queries:"),
        ("    size: fixed(12)", "    sizes: fixed(12)", "has no key 'sizes'; nearest is size"),
        ("uniform(1..8M)", "zipf(1..8M)", "p.yaml:13:17: population of depot: 'zipf' is no distribution"),
        ("row-population:", "row-population-ratio:", "in a profile it is row-population"),
        ("  select:", "  visits:", "given as -insert visits=..."),
        ("  select: fixed(1)/10", "  consistencyLevel: ONE", "give cl="),
        ("UNLOGGED", "FAST", "batchtype 'FAST' is none of logged"),
        ("fields: samerow", "fields: onerow", "is samerow or multirow, not 'onerow'"),
        ("fixed(1)/10", "fixed(1)", "select: 'fixed(1)' is no ratio"),
        ("consistencyLevel: QUORUM", "consistencyLevel: QUORAM", "nearest is QUORUM"),
        ("consistencyLevel: QUORUM", "consistency: QUORUM", "has no key 'consistency'"),
        ("  all:", "  heavy:", "heavy is the name of a query too"),
        ("    columns: weight", "    column: weight", "has no key 'column'; nearest is columns"),
        ("  - name: Depot\n", "  - \n", "needs name:"),
        ("columnspec:\n", "columnspec: [\n", "no YAML"),
        ("table: parcels", "table: [a]", "table must be a text"),
        ("table: parcels", "table: ${name}", "${name} has no value: give -p name=VALUE"),
    ],
)
def test_errors_say_where_and_what(old: str, new: str, says: str) -> None:
    assert old in PROFILE
    with pytest.raises(UsageError) as error:
        read(PROFILE.replace(old, new, 1))
    assert says in str(error.value)
    assert str(error.value).startswith("p.yaml:")
    assert "\n" not in str(error.value)


def test_holes_are_filled() -> None:
    profile = read_profile(PROFILE.replace("table: parcels", "table: ${t}"), "p.yaml", {"t": "parcels_7"})
    assert profile.table == "parcels_7"


def test_profiles_are_told_from_our_own_files() -> None:
    assert looks_like_profile(PROFILE)
    assert not looks_like_profile("workload: x\ntables:\n  a.b:\n    partitions: 1\n")
