"""What a profile does to its table, as statements of our file: its insert, its queries, its scans."""

from __future__ import annotations

from typing import Any

from cqlsurge.load.cql.types import ListType, SetType
from cqlsurge.workload.cql_text import markers, qualify, quote_name, tokens, without_comments
from cqlsurge.workload.imports.cassandra_stress.command import Command
from cqlsurge.workload.imports.cassandra_stress.population import Population
from cqlsurge.workload.imports.cassandra_stress.profile import Insert, Profile, Query, TokenRangeQuery
from cqlsurge.workload.imports.cassandra_stress.values import draw, is_supported
from cqlsurge.workload.imports.report import Report
from cqlsurge.workload.tables import PARTITION, STATIC, Column, Table

BATCH_LIMIT = 65_535
_SCHEMA_WORDS = ("create", "alter", "drop", "truncate")


def insert_rules(profile: Profile, command: Command) -> Insert:
    """How the insert is made: the command line stands above the profile."""
    given, own = command.insert, profile.insert
    return Insert(
        given.partitions or own.partitions,
        given.select or own.select,
        given.row_population or own.row_population,
        given.batch_type or own.batch_type,
    )


def _bind(column: Column) -> str:
    return f":{quote_name(column.name)}"


def _adds(column: Column) -> bool:
    """Whether the insert adds to what is there: counters, and sets and lists that are not frozen."""
    return column.is_counter or (isinstance(column.type, (SetType, ListType)) and not column.is_frozen)


def insert_cql(table: Table, columns: list[Column]) -> str:
    """The insert: an UPDATE that sets all value columns, so that no row marker is written."""
    key = " AND ".join(f"{quote_name(column.name)} = {_bind(column)}" for column in table.key)
    if not columns:
        names = ", ".join(quote_name(column.name) for column in table.key)
        return f"INSERT INTO {table.cql_name} ({names}) VALUES ({', '.join(map(_bind, table.key))})"
    parts = []
    for column in columns:
        name = quote_name(column.name)
        parts.append(f"{name} = {name} + {_bind(column)}" if _adds(column) else f"{name} = {_bind(column)}")
    return f"UPDATE {table.cql_name} SET {', '.join(parts)} WHERE {key}"


class Statements:
    """Makes the statements of one profile, and notes what becomes of them."""

    def __init__(
        self,
        profile: Profile,
        table: Table,
        population: Population,
        rules: Insert,
        command: Command,
        report: Report,
        added: dict[str, str],
    ) -> None:
        """added: what the insert adds to each counter."""
        self.profile, self.table, self.population = profile, table, population
        self.rules, self.command, self.report, self.added = rules, command, report, added

    def of(self, operation: str) -> dict[str, Any] | None:
        """The statement of an operation of `ops(...)`; None where the profile has none of this name."""
        if operation == "insert":
            return self.insert()
        if operation == "validate":
            return self.validate()
        if operation in self.profile.queries:
            return self.query(self.profile.queries[operation])
        if operation in self.profile.token_ranges:
            return self.scan(self.profile.token_ranges[operation])
        return None

    def insert(self) -> dict[str, Any]:
        """The insert of all selected rows of so many partitions."""
        skipped = [column for column in self.table.values if not is_supported(column.type)]
        columns = [
            column for column in self.table.values if column not in skipped or not self.command.errors.skip_unsupported
        ]
        for column in skipped if self.command.errors.skip_unsupported else []:
            self.report.keep(f"{column.name}: left out of the insert, as skip-unsupported-columns has it")
        cql = insert_cql(self.table, columns)
        if any(column.kind == STATIC for column in columns) and self.population.most_rows > 1:
            self.report.keep("static columns are set with every row of the insert")
        if any(_adds(column) and not column.is_counter for column in columns):
            self.report.keep("sets and lists grow at each visit: the insert adds to them")
        statement: dict[str, Any] = {"cql": cql, **({"with": self.added} if self.added else {})}
        selected = self.rules.select.average() * self.population.row_count
        if self.population.most_rows == 1 and self.rules.partitions.is_fixed and self.rules.partitions.low == 1:
            return statement
        if not self.rules.select.is_one and selected <= 1:
            self.report.mend(
                "select: one row of the partition is written at each visit, chosen by seed and operation; "
                "cassandra-stress "
                "chooses anew in each run, and takes the last row where it chose none"
            )
            return {**statement, "pick": {"partition": "sequence", "row": "uniform"}}
        return self._batch(statement)

    def _batch(self, each: dict[str, Any]) -> dict[str, Any]:
        kind = "counter" if self.added else self.rules.batch_type or "logged"
        most = self.population.most_rows * self.rules.partitions.high
        if kind == "logged" and most > BATCH_LIMIT:
            self.report.mend(
                f"a logged batch may have {most} rows, which cassandra-stress refuses to start: it is cut at "
                f"{BATCH_LIMIT}"
            )
        rows: Any = "all"
        if not self.rules.select.is_one:
            share = self.rules.select.average()
            rows = f"select({share * 100:g}%)"
            self.report.mend(
                f"select: each row of the partition with probability {share:.4g}, at least one, chosen by seed and "
                "operation; "
                "cassandra-stress chooses anew in each run"
            )
        statement: dict[str, Any] = {"batch": kind, "each": {**each, "rows": rows}, "split": BATCH_LIMIT}
        partitions = self.rules.partitions
        if not (partitions.is_fixed and partitions.low == 1):
            count = max(1, round(partitions.average()))
            if not partitions.is_fixed:
                self.report.mend(
                    f"partitions: {count} in each batch, the mean; cassandra-stress draws {draw(partitions)}"
                )
            statement |= {"many": count, "across": "partitions"}
        return statement

    def row_population_nulls(self) -> dict[str, float]:
        """Value column -> share of its cells that are null."""
        if self.rules.row_population.is_one:
            return {}
        columns = self.table.values
        shares = {
            column.name: self.rules.row_population.share_below((place + 1) / len(columns))
            for place, column in enumerate(columns)
        }
        found = {name: share for name, share in shares.items() if share > 0}
        if any(share < 1 for share in found.values()):
            self.report.mend(
                "row-population: each column is null with the share that it has in cassandra-stress, where always "
                "the first "
                "columns of the table are set"
            )
        elif found:
            self.report.keep(f"row-population: {', '.join(found)} are written as null")
        return found

    def validate(self) -> dict[str, Any]:
        """The built-in that reads back partitions."""
        self.report.mend(
            "validate: reads whole partitions, and --verify compares them; cassandra-stress reads random ranges too, "
            "and "
            "fails where not all rows were written"
        )
        key = " AND ".join(f"{quote_name(one.name)} = {_bind(one)}" for one in self.table.of_kind(PARTITION))
        return {"cql": f"SELECT * FROM {self.table.cql_name} WHERE {key}", "page_size": 5000, "pages": "all"}

    def query(self, query: Query) -> dict[str, Any]:
        """A query with its markers named."""
        cql = qualify(without_comments(query.cql).rstrip("; \n"), self.profile.keyspace)
        first = cql.split(None, 1)[0].lower() if cql.split() else ""
        statement: dict[str, Any] = {}
        others: dict[str, str] = {}
        pieces: list[str] = []
        at = 0
        for marker in markers(cql):
            column = self.table.column(marker.name) if marker.name else None
            pieces.append(cql[at : marker.start])
            at = marker.end
            if column is None:
                what = cql[marker.start : marker.end]
                raise query.place.error(
                    f"query {query.name}: {what} stands for no column of {self.table.cql_name}, so nothing can be "
                    "bound: write a value"
                )
            name = column.name
            if not query.same_row and column.kind != PARTITION and self.population.most_rows > 1:
                name = f"{column.name}_{len(others) + 1}"
                others[name] = f"any_row({column.name})"
            pieces.append(f":{quote_name(name)}")
        statement["cql"] = "".join(pieces) + cql[at:]
        if others:
            statement["with"] = others
            self.report.keep("multirow: values of clustering and other columns come each from a row of its own")
        if query.consistency:
            statement["consistency"] = query.consistency
        if query.serial_consistency or self.command.serial_consistency != "SERIAL":
            statement["serial_consistency"] = query.serial_consistency or self.command.serial_consistency
        elif " if " in f" {' '.join(cql.lower().split())} " and first != "select":
            statement["serial_consistency"] = "SERIAL"
        if first == "select":
            statement |= {"page_size": 5000, "pages": "all"}
        if first in _SCHEMA_WORDS:
            statement["prepared"] = False
        return statement

    def scan(self, query: TokenRangeQuery) -> dict[str, Any]:
        """A scan of the whole table, a range of tokens an operation."""
        self.report.mend(
            f"{query.name}: an operation reads a range of tokens with all its pages; cassandra-stress counts each page"
        )
        if not self.command.token_range_wrap:
            self.report.mend(
                f"{query.name}: goes round the ring until the phase ends; cassandra-stress ends after one round"
            )
        scan: dict[str, Any] = {"scan": f"{self.table.keyspace}.{self.table.name}", "page_size": query.page_size}
        columns = [token.name for token in tokens(query.columns) if token.name is not None]
        if columns:
            scan["columns"] = columns
        if self.command.split_factor > 1:
            scan["ranges"] = 256 * self.command.split_factor
        return scan
