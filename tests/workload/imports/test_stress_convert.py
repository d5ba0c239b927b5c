"""Profiles and command lines turned into our file: what is said there, and what the report tells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from cqlsurge.errors import UsageError
from cqlsurge.load.workload.cassandra_stress import salt
from cqlsurge.workload.imports.cassandra_stress.command_line import read_command
from cqlsurge.workload.imports.cassandra_stress.convert import convert
from cqlsurge.workload.imports.cassandra_stress.phase import unwritten_share
from cqlsurge.workload.imports.cassandra_stress.profile import read_profile
from cqlsurge.workload.imports.report import Imported

PROFILES = Path(__file__).parent / "profiles"
NAMES = sorted(path.stem for path in PROFILES.glob("*.yaml"))


def import_profile(name: str, line: str = "", text: str | None = None, **more: Any) -> Imported:
    """The import of a profile; by default with all of its operations, alike."""
    profile = read_profile(text or (PROFILES / f"{name}.yaml").read_text(encoding="utf-8"), f"{name}.yaml")
    ops = ",".join(f"{one}=1" for one in ["insert", *profile.queries, *profile.token_ranges])
    command = read_command(f"user profile=p {line if 'ops(' in line else f'ops({ops}) {line}'}")
    return convert(command, {"p": profile}, **more)


def document(imported: Imported) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load(imported.text, Loader=yaml.BaseLoader)
    return found


def table_of(imported: Imported) -> dict[str, Any]:
    found: dict[str, Any] = next(iter(document(imported)["tables"].values()))
    return found


def test_there_are_twelve_profiles() -> None:
    assert len(NAMES) == 12


@pytest.mark.parametrize("name", NAMES)
def test_each_profile_becomes_a_file(name: str) -> None:
    imported = import_profile(name, "n=1k -pop seq=1..1k -rate threads=4")
    made = document(imported)
    assert set(made) == {"workload", "imported", "schema", "tables", "statements", "phases"}
    assert set(made["phases"]["run"]["mix"]) == set(made["statements"])
    assert made["phases"]["run"]["count"] == "partitions"
    assert made["schema"].count("IF NOT EXISTS") == made["schema"].count("CREATE ")
    assert imported.report.mended


def test_partitions_are_drawn_where_seeds_may_fall_on_one() -> None:
    table = table_of(import_profile("sets", "n=1k -pop seq=1..5k"))
    assert table["seeds"] == "1..5000"
    assert table["partitions"] == "draw(uniform(1..2k) - 1)"
    assert table["columns"]["user_id"] == "uuid(p + 1)"


def test_seeds_are_partitions_where_the_population_is_far_larger() -> None:
    table = table_of(import_profile("views", "n=1k -pop seq=1001..5k"))
    assert "seeds" not in table
    assert table["partitions"] == "4k"
    assert table["columns"]["username"] == "text(10..30, p + 1001)"


def test_all_columns_of_a_composite_key_are_drawn() -> None:
    table = table_of(import_profile("all_types", "n=1k -pop seq=1..1k"))
    assert table["partitions"] == "draw((uniform(1..1k) - 1) * 1000 + uniform(1..1k) - 1)"
    assert table["columns"]["pk_text"] == "text(10, p // 1000 + 1)"
    assert table["columns"]["pk_uuid"] == "uuid(p % 1000 + 1)"


def test_rows_are_the_product_of_the_clusters() -> None:
    table = table_of(import_profile("six_clustering", "n=1k -pop seq=1..1k"))
    assert table["rows"] == "uniform(2..4) * 8"
    assert table["columns"]["c1"] == "(r // 8) * 1073741824 - 2147483648"
    assert table["columns"]["c5"] == "blob(8, (r % 2) * 50000000000 + 1)"


def test_the_insert_is_an_update_of_all_value_columns_and_adds_to_collections() -> None:
    statement = document(import_profile("sets", "ops(insert=1) n=1"))["statements"]["insert"]
    assert statement["batch"] == "unlogged"
    assert statement["each"]["cql"] == (
        "UPDATE stress_sets.profiles SET avatar = :avatar, name = :name, numbers = numbers + :numbers, roles = :roles, "
        "tags = tags + :tags WHERE user_id = :user_id AND device = :device"
    )
    assert statement["each"]["rows"] == "select(55%)"
    assert statement["split"] == "65535"


def test_one_selected_row_is_no_batch() -> None:
    statement = document(import_profile("wide", "ops(insert=1) n=1"))["statements"]["insert"]
    assert statement["pick"] == {"partition": "sequence", "row": "uniform"}
    assert "batch" not in statement


def test_batches_over_partitions_say_so_and_the_command_line_stands_above_the_profile() -> None:
    statement = document(import_profile("six_clustering", "ops(insert=1) n=1"))["statements"]["insert"]
    assert (statement["batch"], statement["many"], statement["across"]) == ("logged", "2", "partitions")
    line = "ops(insert=1) n=1 -insert partitions=fixed(3) select-ratio=fixed(1)/1 batchtype=UNLOGGED"
    statement = document(import_profile("six_clustering", line))["statements"]["insert"]
    assert (statement["batch"], statement["many"], statement["each"]["rows"]) == ("unlogged", "3", "all")


def test_row_population_makes_the_later_columns_null() -> None:
    columns = table_of(import_profile("sets", "n=1k -pop seq=1..1k"))["columns"]
    assert columns["numbers"] == "set(4, uniform(-2147483648..2147483647))", "column 3 of 5: always set"
    assert columns["roles"].startswith("null(33.3333%, ")
    assert columns["tags"].startswith("null(66.6667%, ")
    line = "n=1k -pop seq=1..1k -insert row-population-ratio=fixed(2)/5"
    columns = table_of(import_profile("sets", line))["columns"]
    assert [columns[name] for name in ("numbers", "roles", "tags")] == ["null"] * 3


def test_multirow_takes_each_value_from_a_row_of_its_own() -> None:
    statements = document(import_profile("wide", "n=1k"))["statements"]
    assert statements["slice"]["cql"] == (
        "SELECT * FROM stress_wide.log WHERE host = :host AND seq >= :seq_1 AND seq < :seq_2 LIMIT 100"
    )
    assert statements["slice"]["with"] == {"seq_1": "any_row(seq)", "seq_2": "any_row(seq)"}
    assert "with" not in statements["row"]


def test_queries_keep_their_consistency() -> None:
    statements = document(import_profile("lwt", "n=1k cl=LOCAL_QUORUM serial-cl=LOCAL_SERIAL"))["statements"]
    assert statements["if_equal"]["consistency"] == "QUORUM"
    assert statements["touch"]["serial_consistency"] == "LOCAL_SERIAL"
    statements = document(import_profile("lwt", "n=1k"))["statements"]
    assert statements["touch"]["serial_consistency"] == "SERIAL"
    assert statements["create"]["serial_consistency"] == "LOCAL_SERIAL"


def test_scans_are_a_range_an_operation() -> None:
    statements = document(import_profile("six_clustering", "n=1k"))["statements"]
    assert statements["everything"] == {"scan": "stress_six.cube", "page_size": "500"}
    assert statements["values"] == {"scan": "stress_six.cube", "page_size": "5000", "columns": ["v1", "v2"]}
    statements = document(import_profile("six_clustering", "n=1k -tokenrange split-factor=2 wrap"))["statements"]
    assert statements["values"]["ranges"] == "512"


def test_a_change_of_the_schema_is_not_prepared() -> None:
    statements = document(import_profile("all_types", "n=1k"))["statements"]
    assert statements["alter"]["prepared"] == "false"


def test_names_with_capitals_and_dashes_stay() -> None:
    made = document(import_profile("comments", "n=1k"))
    assert made["statements"]["set-c-0"] == (
        'UPDATE stress_comments."MixedCase" SET "C-0" = :"C-0", "select" = :"select" WHERE "Id" = :"Id" AND seq = :seq'
    )
    read = made["statements"]["read-all"]["cql"]
    assert read.split() == ["SELECT", "*", "FROM", 'stress_comments."MixedCase"', "WHERE", '"Id"', "=", ':"Id"']


def test_seq_in_a_column_has_the_sign_of_its_salt() -> None:
    assert salt("seed for stresslwt_indicator") < 0
    imported = import_profile("lwt_view", "n=1k -pop seq=1..1k")
    assert table_of(imported)["columns"]["lwt_indicator"] == "uniform(-1000998..1)"
    assert any("-1000998..1" in line for line in imported.report.kept)


def test_without_pop_seeds_are_drawn_from_a_bell_unless_it_is_a_load() -> None:
    imported = import_profile("views", "n=1M")
    assert document(imported)["phases"]["run"]["pick"] == {"any": "gaussian(0..999999)"}
    assert any("are never visited" in line for line in imported.report.kept)
    seeded = import_profile("sets", "n=1M")
    assert document(seeded)["phases"]["run"]["pick"] == {"any": "gaussian(1..1000000)"}
    assert document(import_profile("views", "ops(insert=1) n=1M"))["phases"]["run"]["pick"] == {"any": "sequence"}
    table = table_of(import_profile("views", "ops(read_user=1) duration=1m"))
    assert table["partitions"] == "1M", "what cassandra-stress takes for n"
    drawn = import_profile("views", "n=1k -pop dist=uniform(11..20)")
    assert document(drawn)["phases"]["run"]["pick"] == {"any": "uniform"}
    assert table_of(drawn)["partitions"] == "10"


def test_keys_that_a_bell_never_gives_are_counted_right() -> None:
    import random

    draw = random.Random(1)
    size = 20_000
    seen = {max(1, min(size, int(draw.gauss((size + 1) / 2, (size - 1) / 6)))) for _ in range(size)}
    assert unwritten_share(size, size) == pytest.approx(1 - len(seen) / size, abs=0.01)


def test_the_phase_says_how_much_and_how_fast() -> None:
    line = "ops(insert=3,read_user=1) n=2M cl=QUORUM clustering=fixed(1) no-warmup -rate threads=50 throttle=20k/s"
    run = document(import_profile("views", line + " -pop seq=1..1M"))["phases"]["run"]
    assert run["mix"] == {"insert": "3", "read_user": "1"}
    assert "runs" not in run
    assert (run["operations"], run["consistency"], run["concurrency"]) == ("2M", "QUORUM", "50")
    assert (run["rate"], run["latency"]) == ("20k", "service")
    run = document(import_profile("views", "duration=90s -pop seq=1..10 no-wrap -rate fixed=5/s"))["phases"]["run"]
    assert (run["operations"], run["latency"], run["runs"]) == ("10", "response", "gaussian(1..10)")
    assert document(import_profile("views", "duration=90s"))["phases"]["run"]["duration"] == "90s"


def test_settings_that_have_no_place_in_the_file() -> None:
    line = "n=1 truncate=once -errors retries=2 ignore -log hdrfile=a.hdr -node 1.2.3.4"
    imported = import_profile("views", line)
    assert imported.settings == {"retries": 2, "error_budget": "100%", "truncate": True, "hdr_log": "a.hdr"}
    assert any(line.startswith("-node") for line in imported.report.refused)


def test_read_look_back_reads_behind_the_writes() -> None:
    line = "ops(insert=1,read_user=1) n=1k -pop seq=1..1k read-lookback=exp(1..100)"
    run = document(import_profile("views", line))["phases"]["run"]
    assert run["pick"] == {"any": "sequence", "read_user": "written(exp(1..100))"}


def test_several_profiles_have_their_operations_by_specname() -> None:
    six = read_profile((PROFILES / "six_clustering.yaml").read_text(), "six.yaml")
    users = read_profile((PROFILES / "views.yaml").read_text(), "users.yaml")
    command = read_command("user profile=a,b ops(six.insert=1,stress_views.users.read_user=2) n=1")
    made = document(convert(command, {"a": six, "b": users}))
    assert set(made["statements"]) == {"six.insert", "stress_views.users.read_user"}
    assert set(made["tables"]) == {"stress_six.cube", "stress_views.users"}
    with pytest.raises(UsageError, match="no profile is called sox; nearest is six"):
        convert(read_command("user profile=a,b ops(sox.insert=1) n=1"), {"a": six, "b": users})


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("where username = ?", "where username = ? LIMIT ?", "stands for no column"),
        ("table: users", "table: people", "they must be one"),
        ("CREATE TABLE users", "CREATE TABEL users", "no CREATE TABLE"),
    ],
)
def test_what_cannot_be_is_told(old: str, new: str, says: str) -> None:
    text = (PROFILES / "views.yaml").read_text()
    assert old in text
    with pytest.raises(UsageError, match=says):
        import_profile("views", "n=1", text=text.replace(old, new))


def test_an_unknown_operation_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="no operation read_usr; nearest is read_user"):
        import_profile("views", "ops(read_usr=1) n=1")


def test_predefined_ones_are_standard1() -> None:
    line = "write n=1M cl=ONE -col n=FIXED(2) size=FIXED(100) -schema keyspace=ks replication(factor=3) -rate threads=8"
    made = document(convert(read_command(line), {}))
    assert made["schema"].splitlines()[1] == (
        'CREATE TABLE IF NOT EXISTS ks.standard1 (key blob PRIMARY KEY, "C0" blob, "C1" blob);'
    )
    assert "'replication_factor': '3'" in made["schema"]
    assert made["statements"] == {"write": 'UPDATE ks.standard1 SET "C0" = :"C0", "C1" = :"C1" WHERE key = :key'}
    assert made["tables"]["ks.standard1"] == {
        "partitions": "1M", "columns": {"key": "blob(10, p + 1)", "C0": "blob(100)", "C1": "blob(100)"},
    }  # fmt: skip


def test_mixed_and_counters() -> None:
    made = document(convert(read_command("mixed ratio(write=1,counter_read=3) n=10k -pop seq=1..100"), {}))
    assert set(made["tables"]) == {"keyspace1.standard1", "keyspace1.counter1"}
    assert made["phases"]["run"]["mix"] == {"write": "1", "counter_read": "3"}
    made = document(convert(read_command("counter_write n=10k add=uniform(1..5) -col n=FIXED(1)"), {}))
    assert made["statements"]["counter_write"] == {
        "cql": 'UPDATE keyspace1.counter1 SET "C0" = "C0" + :"C0" WHERE key = :key', "with": {"C0": "uniform(1..5)"},
    }  # fmt: skip


def test_counters_grow_by_what_the_insert_binds() -> None:
    made = document(import_profile("counters", "n=1k"))
    assert made["statements"]["insert"]["with"] == {"bytes": "gaussian(200..20k)", "hits": "1"}
    assert set(made["tables"]["stress_counters.page_views"]["columns"]) == {"page", "hour"}


def test_exact_is_for_standard1_of_fixed_sizes() -> None:
    made = document(convert(read_command("read n=100k -pop seq=1..100k"), {}, exact=True))
    columns = made["tables"]["keyspace1.standard1"]["columns"]
    assert columns["key"] == "cassandra_stress_key(p + 1, 10)"
    assert columns["C4"] == "cassandra_stress_blob(p + 1, 10, 'C4', 34)"
    for line in ("counter_write n=1", "write n=1 -col size=uniform(1..10)"):
        with pytest.raises(UsageError, match="--exact"):
            convert(read_command(line), {}, exact=True)
