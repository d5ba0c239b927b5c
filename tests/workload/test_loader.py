"""Workload files to specs: what comes along, the keys of files, Python files, and that all of it travels as JSON."""

import json
from pathlib import Path

import pytest

from cqlsurge.load.workload.operations import SpecWorkload
from cqlsurge.load.workload.spec import WorkloadSpec
from cqlsurge.workload import builtin
from cqlsurge.workload.document import WorkloadError
from cqlsurge.workload.loader import load_file, load_workload

SMALL = {
    "keys": "500",
    "records": "500",
    "users": "300",
    "sensors": "20",
    "every": "3600",
    "partitions": "30",
    "rows": "20",
}


def small(name):
    text = builtin.text_of(name)
    return {key: value for key, value in SMALL.items() if f"\n  {key}: " in text}


@pytest.mark.parametrize("name", builtin.names())
def test_what_comes_along(name):
    spec = load_file(name, small(name))
    assert WorkloadSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec
    for phase in spec.phases:
        workload = SpecWorkload(spec, phase.name, seed=5)
        operations = [workload.operation(number) for number in range(300)]
        again = SpecWorkload(WorkloadSpec.from_json(json.loads(json.dumps(spec.to_json()))), phase.name, seed=5)
        assert operations == [again.operation(number) for number in range(300)]
        assert {operation.kind for operation in operations} == set(range(len(phase.mix)))


def test_all_means_every_row_once():
    spec = load_file("wide", small("wide"))
    workload = SpecWorkload(spec, "load", seed=1)
    assert spec.phase("load").operations == 600
    rows = {(op.partition, op.row) for op in map(workload.operation, range(600))}
    assert len(rows) == 600


def test_reads_of_what_is_written_ask_for_what_is_written():
    spec = load_file("timeseries", {**small("timeseries"), "every": "60"})
    workload = SpecWorkload(spec, "run", seed=1, allowance=50)
    written = set()
    for number in range(6000):
        operation = workload.operation(number)
        if workload.kinds[operation.kind].writes:
            written.add((operation.partition, operation.row))
        elif number > 100:
            assert (operation.partition, operation.row) in written


def test_statements_are_the_same_in_all_phases():
    spec = load_file("kv", small("kv"))
    names = ["write", "read"]
    load = SpecWorkload(spec, "load", 1, statements=names)
    run = SpecWorkload(spec, "run", 1, statements=names)
    assert load.kinds == run.kinds
    assert {run.operation(number).kind for number in range(50)} == {0, 1}
    assert {load.operation(number).kind for number in range(50)} == {0}


PYTHON = """
from cqlsurge.workload import Workload, blob, expr, maybe, uuid, words, zipf

w = Workload("kv", keys=1000, size=100, skew=0.99)
w.schema("CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
w.schema("CREATE TABLE k.data (key uuid PRIMARY KEY, value blob, note text)")
data = w.table("k.data", partitions=w.keys, columns={"key": uuid(expr("p")), "note": maybe(0.1, words(range(1, 4)))})
write = w.insert("write", data)
read = w.statement("read", "SELECT key, value FROM k.data WHERE key = :key", pick=zipf(w.skew))
w.phase("load", mix=write, operations="all")
w.phase("run", mix={write: 20, read: 80}, duration="5m", rate="50k")


@w.column(data, "value")
def value(p, r, v, words):
    return words.bytes(10 if p % 10 else 50)
"""


def test_python_builds_the_same_objects(tmp_path):
    path = tmp_path / "kv.py"
    path.write_text(PYTHON)
    spec = load_file(str(path), {"keys": "200"})
    again = WorkloadSpec.from_json(json.loads(json.dumps(spec.to_json())))
    workload = SpecWorkload(again, "load", seed=1)
    cells = workload.operation(0).cells
    assert len(cells[2]) == 50
    assert len(workload.operation(1).cells[2]) == 10
    assert spec.phase("load").operations == 200
    assert spec.phase("run").rate == "50k"


def test_errors_in_python_name_the_line(tmp_path):
    path = tmp_path / "kv.py"
    path.write_text(PYTHON.replace('uuid(expr("p"))', 'uuid(expr("q"))'))
    with pytest.raises(WorkloadError, match=r"kv\.py:7:\d+: column 'q' is not in k\.data"):
        load_file(str(path))
    path.write_text(PYTHON.replace("w.insert(", "w.inzert("))
    with pytest.raises(WorkloadError, match=r"kv\.py:8:1: AttributeError"):
        load_file(str(path))


NESTED = """
schema: |
  CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1};
  CREATE TYPE k.inner (a int, b text);
  CREATE TYPE k.outer (i frozen<inner>, l list<int>);
  CREATE TABLE k.t ("Key" int, c1 int, c2 text, s text static, o frozen<outer>, m map<text, frozen<set<int>>>,
    t tuple<int, frozen<list<text>>>, v vector<float, 3>, big varint, span duration,
    PRIMARY KEY ("Key", c1, c2)) WITH CLUSTERING ORDER BY (c1 DESC, c2 ASC);
tables:
  k.t:
    partitions: 10
    rows: uniform(1..8)
    columns:
      c1: r // 2
      c2: f"{r % 2:04d}"
      s: text(3)
      o: {i: {a: p, b: "f'{p}'"}}
      m: map(1..3, word(10), set(2, uniform(1..9)))
      t: (r, list(2, word(5)))
statements:
  all: {insert: k.t}
  slice: SELECT c1, c2, o FROM k.t WHERE "Key" = :"Key" AND c1 > :c1 ORDER BY c1 ASC
phases:
  run: {mix: {all: 1, slice: 1}, operations: 100}
"""


def test_types_may_be_nested_and_names_quoted():
    spec = load_workload(NESTED, "nested.yaml")
    assert spec.statement("slice").order == "reverse"
    assert [column.multicell for column in spec.tables[0].columns].count(True) == 1
    workload = SpecWorkload(spec, "run", seed=1)
    for number in range(100):
        workload.operation(number)


def test_examples_of_generators_work():
    from cqlsurge.workload.build import Builder
    from cqlsurge.workload.document import Place
    from cqlsurge.workload.generators import GENERATORS
    from cqlsurge.workload.names import Names, Shared

    for generator in GENERATORS.values():
        if generator.example and generator.name not in {"any_row", "file", "vector"}:
            builder = Builder(Names({}, {}, Shared()), GENERATORS, "x", "prv")
            builder.text(generator.example, Place("x"), None)


def test_a_file_of_values(tmp_path):
    (tmp_path / "cities.csv").write_text("name,people\nUlm,126\nBern,134\n")
    text = """
schema: CREATE TABLE k.t (a int PRIMARY KEY, b text, c int)
tables:
  k.t:
    partitions: 10
    columns: {b: "file('cities.csv', 'name', p)", c: "file('cities.csv', 'people')"}
statements: {write: {insert: k.t}}
phases: {run: {mix: write, operations: all}}
"""
    spec = load_workload(text, "t.yaml", folder=str(tmp_path))
    workload = SpecWorkload(spec, "run", seed=1)
    assert [workload.operation(number).cells[1] for number in range(3)] == [b"Ulm", b"Bern", b"Ulm"]
    with pytest.raises(WorkloadError, match="has no column 'nme'; nearest is 'name'"):
        load_workload(text.replace("'name'", "'nme'"), "t.yaml", folder=str(tmp_path))


def test_the_shipped_examples_of_this_repository_load():
    for path in sorted(Path("examples").glob("**/*.yaml")):
        load_file(str(path))
