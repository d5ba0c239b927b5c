"""Profiles and command lines of cassandra-stress to our workload file.

Everything goes through the text of the file, so that what runs is what `cqlsurge workload import` prints.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cqlsurge.errors import UsageError
from cqlsurge.load.workload.cassandra_stress import salt
from cqlsurge.workload.cql_text import if_not_exists, qualify, split_statements, without_comments
from cqlsurge.workload.imports.cassandra_stress.command import Command
from cqlsurge.workload.imports.cassandra_stress.phase import make_phase, seeds_of
from cqlsurge.workload.imports.cassandra_stress.population import Keys, Population
from cqlsurge.workload.imports.cassandra_stress.predefined import convert_predefined
from cqlsurge.workload.imports.cassandra_stress.profile import Profile
from cqlsurge.workload.imports.cassandra_stress.settings import settings_of
from cqlsurge.workload.imports.cassandra_stress.statements import Statements, insert_rules
from cqlsurge.workload.imports.cassandra_stress.values import Values
from cqlsurge.workload.imports.places import nearest
from cqlsurge.workload.imports.report import Imported, Report
from cqlsurge.workload.tables import Table, read_create_table
from cqlsurge.workload.yaml_text import write_yaml

#: types whose fold into the seed of a row's cells has the sign of the value, while it is short
_SHORT_KEYS = {"int", "smallint", "tinyint", "bigint"}


def convert(
    command: Command,
    profiles: Mapping[str, Profile],
    tables: Mapping[str, Table] | None = None,
    mend: bool = False,
    exact: bool = False,
) -> Imported:
    """Our file for a command line.

    profiles: by the name that `profile=` gives them. tables: as a server has them, by keyspace.table, for profiles
    without table_definition. mend: booleans are drawn. exact: standard1 has the bytes of the Java program. Raises
    UsageError.
    """
    report = Report()
    if command.command != "user":
        return convert_predefined(command, report, exact)
    if exact:
        raise UsageError("--exact is for standard1: write, read or mixed; values of profiles are made anew")
    used = [profiles[name] for name in command.profiles]
    chosen = _chosen(command, used)
    seeds = seeds_of(command)
    document: dict[str, Any] = {
        "workload": used[0].specname,
        "imported": {"from": "cassandra-stress", "file": ", ".join(profile.file for profile in used)},
    }
    schema = [text for profile in used for text in _definitions(profile)]
    if schema:
        document["schema"] = ";\n".join(schema) + ";\n"
    made: dict[str, Any] = {}
    statements: dict[str, Any] = {}
    with_seeds: list[Profile] = []
    for profile in used:
        for line in profile.warnings:
            (report.refuse if "never this query" in line else report.mend)(line)
        table = _table(profile, tables or {})
        values = Values(report, mend)
        population = Keys(profile, table, seeds, values).population()
        if population.seeds:
            with_seeds.append(profile)
        _unknown_columns(profile, table, report)
        added = {
            column.name: values.of_column(column.name, column.type, profile.column(column.name), None) or "1"
            for column in table.values
            if column.is_counter
        }
        maker = Statements(profile, table, population, insert_rules(profile, command), command, report, added)
        made[f"{table.keyspace}.{table.name}"] = _table_entry(profile, table, population, maker, values)
        for name, (owner, operation) in chosen.items():
            if owner is profile:
                statements[name] = _statement(maker, profile, operation)
    document["tables"] = made
    document["statements"] = {
        name: statement["cql"] if set(statement) == {"cql"} else statement for name, statement in statements.items()
    }
    writes = {name for name, statement in statements.items() if not _reads(statement)}
    seeded = {name for name, (owner, _) in chosen.items() if owner in with_seeds}
    document["phases"] = {"run": make_phase(command, dict(command.ops), writes, report, seeded)}
    return Imported(write_yaml(document), report, settings_of(command, report))


def _reads(statement: Mapping[str, Any]) -> bool:
    return "scan" in statement or str(statement.get("cql", "")).lstrip().lower().startswith("select")


def _chosen(command: Command, profiles: list[Profile]) -> dict[str, tuple[Profile, str]]:
    """Name in `ops(...)` -> the profile and its operation."""
    found = {}
    for name, _weight in command.ops:
        specname, dot, operation = name.rpartition(".")
        owner = next((profile for profile in profiles if profile.specname == specname), None) if dot else profiles[0]
        if owner is None:
            names = [profile.specname for profile in profiles]
            raise UsageError(f"--stress ops({name}): no profile is called {specname}; {nearest(specname, names)}")
        found[name] = (owner, operation)
    return found


def _statement(maker: Statements, profile: Profile, operation: str) -> dict[str, Any]:
    found = maker.of(operation)
    if found is None:
        names = ["insert", *profile.queries, *profile.token_ranges, "validate"]
        raise UsageError(f"{profile.file} has no operation {operation}; {nearest(operation, names)}")
    return found


def _definitions(profile: Profile) -> list[str]:
    statements = [one for text in profile.definitions for one in split_statements(text)]
    return [if_not_exists(qualify(without_comments(one), profile.keyspace)) for one in statements]


def _table(profile: Profile, tables: Mapping[str, Table]) -> Table:
    if profile.table_definition is not None:
        for one in split_statements(profile.table_definition):
            try:
                table = read_create_table(one, profile.keyspace)
            except ValueError as error:
                raise UsageError(f"{profile.file}: table_definition: {error}") from None
            if table.name.lower() != profile.table.lower():
                raise UsageError(
                    f"{profile.file}: table_definition makes {table.name}, but table: says {profile.table}: they "
                    "must be one"
                )
            return table
    found = tables.get(f"{profile.keyspace}.{profile.table}")
    if found is None:
        raise UsageError(
            f"{profile.file}: there is no table_definition, so the columns of {profile.keyspace}.{profile.table} "
            "must be "
            "read from the database that has it: give an ADDRESS"
        )
    return found


def _unknown_columns(profile: Profile, table: Table, report: Report) -> None:
    names = {column.name.lower() for column in table.columns}
    for name in profile.columns:
        if name not in names:
            report.refuse(f"{name}: columnspec speaks of a column that the table does not have")


def _table_entry(
    profile: Profile, table: Table, population: Population, maker: Statements, values: Values
) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    if population.seeds:
        entry["seeds"] = population.seeds
    entry["partitions"] = population.partitions
    if population.rows != "1":
        entry["rows"] = population.rows
    columns = {column.name: population.columns[column.name] for column in table.key}
    nulls = maker.row_population_nulls()
    short = all(str(column.type) in _SHORT_KEYS for column in table.key)
    for column in table.values:
        if column.is_counter:
            continue
        text = values.of_column(column.name, column.type, profile.column(column.name), negative(column.name, short))
        share = nulls.get(column.name, 0.0)
        if share >= 1:
            text = "null"
        elif share > 0 and text is not None:
            text = f"null({share * 100:.6g}%, {text})"
        if text is not None:
            columns[column.name] = text
    entry["columns"] = columns
    return entry


def negative(column: str, short_keys: bool) -> bool | None:
    """Whether `seq` counts down in a column: the sign of its salt, where row seeds are surely small and positive."""
    return salt("seed for stress" + column) < 0 if short_keys else None
