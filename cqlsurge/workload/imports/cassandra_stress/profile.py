"""A profile of cassandra-stress (`user profile=FILE.yaml`), read as strictly as the program itself reads it.

An unknown key is an error, names of columns have no case, those of queries have. What the program accepts but does
not do as one would think becomes a warning of the profile.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from cqlsurge.settings import CONSISTENCIES
from cqlsurge.workload.imports.cassandra_stress.distributions import (
    Distribution,
    Ratio,
    fixed,
    parse_distribution,
    parse_number,
    parse_ratio,
    uniform,
)
from cqlsurge.workload.imports.places import Place, Value, nearest, read_yaml

T = TypeVar("T")

PROFILE_KEYS = (
    "specname", "keyspace", "keyspace_definition", "table", "table_definition", "extra_definitions", "columnspec",
    "insert", "queries", "token_range_queries",
)  # fmt: skip
COLUMN_KEYS = ("name", "size", "population", "cluster")
INSERT_KEYS = ("partitions", "select", "row-population", "batchtype")
QUERY_KEYS = ("cql", "fields", "consistencyLevel", "serialConsistencyLevel")
TOKEN_RANGE_KEYS = ("columns", "page_size")
SERIAL = ("SERIAL", "LOCAL_SERIAL")
BATCH_TYPES = ("logged", "unlogged", "counter")
#: operations of a profile that no query may be called
BUILT_IN = ("insert", "validate")
_HOLE = re.compile(r"\$\{\s*(\w+)\s*\}")

POPULATION = uniform(1, 100_000_000_000)
FIFTY_YEARS_MS = 50 * 365 * 24 * 3600 * 1000
TIME_POPULATION = uniform(1, FIFTY_YEARS_MS)
SIZE = uniform(4, 8)
ONE = fixed(1)
ALL_ROWS = Ratio(fixed(1), 1)


@dataclass(frozen=True)
class ColumnSpec:
    """What a profile says of a column; None where it says nothing."""

    name: str
    size: Distribution | None = None
    population: Distribution | None = None
    cluster: Distribution | None = None


@dataclass(frozen=True)
class Insert:
    """How a profile inserts: partitions a batch, share of a partition's rows, share of columns that are set."""

    partitions: Distribution = ONE
    select: Ratio = ALL_ROWS
    row_population: Ratio = ALL_ROWS
    batch_type: str | None = None


@dataclass(frozen=True)
class Query:
    """A query of a profile; `same_row` tells whether all its values come from one row."""

    name: str
    cql: str
    place: Place
    same_row: bool = False
    consistency: str | None = None
    serial_consistency: str | None = None


@dataclass(frozen=True)
class TokenRangeQuery:
    """A scan over token ranges, `page_size` rows an operation."""

    name: str
    columns: str
    page_size: int = 5000


@dataclass(frozen=True)
class Profile:
    """A profile. `definitions` are the CQL statements that make its schema, in order."""

    file: str
    keyspace: str
    table: str
    specname: str
    definitions: tuple[str, ...]
    table_definition: str | None
    columns: Mapping[str, ColumnSpec]
    insert: Insert
    queries: Mapping[str, Query]
    token_ranges: Mapping[str, TokenRangeQuery]
    warnings: tuple[str, ...]

    def column(self, name: str) -> ColumnSpec:
        """What is said of a column."""
        return self.columns.get(name.lower(), ColumnSpec(name))


def looks_like_profile(text: str) -> bool:
    """Whether a YAML text seems to be a profile and not a workload file of ours."""
    keys = set(re.findall(r"^([A-Za-z_]+)\s*:", text, re.MULTILINE))
    return "keyspace" in keys and "table" in keys and not keys & {"tables", "statements", "phases", "workload"}


def fill(text: str, file: str, params: Mapping[str, str]) -> str:
    """The text with each `${name}` replaced, as runners of profiles do. Raises UsageError for a name without value."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in params:
            line = text.count("\n", 0, match.start()) + 1
            column = match.start() - text.rfind("\n", 0, match.start())
            raise Place(file, line, column).error(f"{match[0]} has no value: give -p {match[1]}=VALUE")
        return params[match[1]]

    return _HOLE.sub(value, text)


def read_profile(text: str, file: str, params: Mapping[str, str] | None = None) -> Profile:
    """The profile that a YAML text holds. Raises UsageError with file, line and column."""
    root = read_yaml(fill(text, file, params or {}), file)
    entries = root.items("a profile")
    _known(entries, PROFILE_KEYS, "a profile")
    for key in ("keyspace", "table", "queries"):
        if key not in entries or entries[key].content is None:
            raise root.place.error(f"a profile needs {key}:")
    warnings: list[str] = []
    keyspace, table = (entries[key].text(key).strip() for key in ("keyspace", "table"))
    made = [entries[key] for key in ("keyspace_definition", "table_definition") if key in entries]
    extra = entries["extra_definitions"].list("extra_definitions") if "extra_definitions" in entries else []
    definitions = [value.text("a definition").strip() for value in [*made, *extra] if value.content is not None]
    table_value = entries.get("table_definition")
    queries = {name: _query(name, value, warnings) for name, value in entries["queries"].items("queries").items()}
    ranges = entries["token_range_queries"] if "token_range_queries" in entries else Value(root.place, None)
    token_ranges = {name: _token_range(name, value) for name, value in ranges.items("token_range_queries").items()}
    for name in token_ranges:
        if name in queries:
            raise ranges.items("")[name].place.error(f"{name} is the name of a query too: choose another")
    return Profile(
        file=file,
        keyspace=keyspace,
        table=table,
        specname=entries["specname"].text("specname") if "specname" in entries else f"{keyspace}.{table}",
        definitions=tuple(text for text in definitions if text),
        table_definition=table_value.text("table_definition") if table_value and table_value.content else None,
        columns=_columns(entries.get("columnspec")),
        insert=_insert(entries.get("insert")),
        queries=queries,
        token_ranges=token_ranges,
        warnings=tuple(warnings),
    )


def _known(entries: Mapping[str, Value], keys: tuple[str, ...], what: str) -> None:
    for key, value in entries.items():
        if key not in keys:
            raise value.place.error(f"{what} has no key {key!r}; {nearest(key, keys)}")


def _parsed(value: Value, parse: Callable[[str], T], what: str) -> T:
    try:
        return parse(value.text(what))
    except ValueError as error:
        raise value.place.error(f"{what}: {error}") from None


def _columns(value: Value | None) -> dict[str, ColumnSpec]:
    found: dict[str, ColumnSpec] = {}
    for element in value.list("columnspec") if value else []:
        entries = element.items("a column of columnspec")
        _known(entries, COLUMN_KEYS, "a column of columnspec")
        if "name" not in entries:
            raise element.place.error("a column of columnspec needs name:")
        name = entries["name"].text("name").lower()
        drawn = {
            key: _parsed(entries[key], parse_distribution, f"{key} of {name}")
            for key in ("size", "population", "cluster")
            if key in entries
        }
        found[name] = ColumnSpec(name, drawn.get("size"), drawn.get("population"), drawn.get("cluster"))
    return found


def _insert(value: Value | None) -> Insert:
    entries = {key.lower(): entry for key, entry in value.items("insert").items()} if value else {}
    if {"visits", "revisit"} & set(entries):
        key = min({"visits", "revisit"} & set(entries))
        raise entries[key].place.error(
            f"insert has no key {key!r}: it is given as -insert {key}=... on the command line"
        )
    if "row-population-ratio" in entries:
        raise entries["row-population-ratio"].place.error(
            "insert has no key 'row-population-ratio': in a profile it is row-population"
        )
    if "consistencylevel" in entries:
        raise entries["consistencylevel"].place.error(
            "cassandra-stress refuses consistencyLevel inside insert: give cl="
        )
    _known(entries, INSERT_KEYS, "insert")
    partitions, select, population, batch = (entries.get(key) for key in INSERT_KEYS)
    batch_type = batch.text("batchtype").strip().lower() if batch else None
    if batch and batch_type not in BATCH_TYPES:
        raise batch.place.error(f"batchtype {batch.content!r} is none of {', '.join(BATCH_TYPES)}")
    return Insert(
        _parsed(partitions, parse_distribution, "partitions") if partitions else ONE,
        _parsed(select, parse_ratio, "select") if select else ALL_ROWS,
        _parsed(population, parse_ratio, "row-population") if population else ALL_ROWS,
        batch_type,
    )


def _query(name: str, value: Value, warnings: list[str]) -> Query:
    entries = value.items(f"query {name}")
    _known(entries, QUERY_KEYS, f"query {name}")
    if "cql" not in entries:
        raise value.place.error(f"query {name} needs cql:")
    fields = entries["fields"].text("fields").strip().lower() if "fields" in entries else "multirow"
    if fields not in {"samerow", "multirow"}:
        raise entries["fields"].place.error(f"fields of query {name} is samerow or multirow, not {fields!r}")
    if name.lower() in BUILT_IN:
        warnings.append(f"query {name}: cassandra-stress runs its own {name.lower()} under this name, never this query")
    elif name != name.lower():
        warnings.append(f"query {name}: cassandra-stress cannot run a query whose name has capitals; here it can")
    return Query(
        name,
        entries["cql"].text("cql").strip(),
        value.place,
        same_row=fields == "samerow",
        consistency=_level(entries.get("consistencyLevel"), CONSISTENCIES),
        serial_consistency=_level(entries.get("serialConsistencyLevel"), SERIAL),
    )


def _level(value: Value | None, levels: tuple[str, ...]) -> str | None:
    if value is None:
        return None
    level = value.text("a consistency level").strip().upper()
    if level not in levels:
        raise value.place.error(f"{level} is no such consistency level; {nearest(level, levels)}")
    return level


def _token_range(name: str, value: Value) -> TokenRangeQuery:
    entries = value.items(f"token_range_queries {name}")
    _known(entries, TOKEN_RANGE_KEYS, f"token_range_queries {name}")
    if "columns" not in entries:
        raise value.place.error(f"token_range_queries {name} needs columns:")
    page_size = _parsed(entries["page_size"], parse_number, "page_size") if "page_size" in entries else 5000
    if page_size < 1:
        raise entries["page_size"].place.error("page_size is 1 or more")
    return TokenRangeQuery(name, entries["columns"].text("columns").strip(), page_size)
