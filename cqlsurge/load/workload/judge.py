"""Whether the rows of an answer are what the workload says they must be; only what is certain is claimed.

A row tells its version by the table's carrier, where the answer has that column; else it may be of any version that can
have been written, as long as these are few. A cell that an earlier version may have left is not judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional

from cqlsurge.load.cql.primitives import UNSET, Value
from cqlsurge.load.cql.type_names import parse_type
from cqlsurge.load.cql.values import decoder
from cqlsurge.load.outcomes.classes import MISSING, WRONG
from cqlsurge.load.workload.collation import sort_key
from cqlsurge.load.workload.interpreter import Context
from cqlsurge.load.workload.mixing import MASK
from cqlsurge.load.workload.model import shown
from cqlsurge.load.workload.operations import SpecWorkload
from cqlsurge.load.workload.picks import Picker
from cqlsurge.load.workload.spec import CLUSTERING, PARTITION, REGULAR, STATIC, ColumnSpec, StatementSpec, TableSpec

Cell = Optional[bytes]
Fault = tuple[str, str]  # (error class, text)

#: partitions with more rows than this are not looked through for the row of a key
MOST_ROWS = 50_000
#: versions that are tried where no column tells which one a row is of
MOST_VERSIONS = 4


class Judge:
    """Judges the answers of one phase's operations."""

    def __init__(self, workload: SpecWorkload) -> None:
        self.workload = workload
        self._places = {kind: place for place, kind in enumerate(workload.kind_of_mix)}
        self._tables = {table.name: _Table(workload, table) for table in workload.spec.tables}

    def judge(self, number: int, rows: Sequence[Sequence[Cell]]) -> Fault | None:
        """What is wrong with the answer of an operation, None where nothing is."""
        workload = self.workload
        place, ordinal = workload.mix.at(number)
        picker = workload.pickers[place]
        statement = picker.statement
        if statement.kind != "select" or statement.check == "none" or not statement.key:
            return None
        table = self._tables[statement.table]
        picks = [picker.pick(ordinal * statement.many + turn, number) for turn in range(statement.many)]
        wanted = [(workload.partition(picker.table, one), one.row) for one in picks]
        if 0 < statement.limit < len(rows):
            return WRONG, f"{len(rows)} rows where the limit is {statement.limit}"
        missing = self._absent(statement, picker, wanted, rows)
        if missing is not None:
            return missing
        return self._rows(statement, table, wanted, rows, self._versions(picker, number))

    def _absent(
        self, statement: StatementSpec, picker: Picker, wanted: list[tuple[int, int]], rows: Sequence[Sequence[Cell]]
    ) -> Fault | None:
        """Too few or too many rows, where the model is certain of their number."""
        table = self._tables[statement.table]
        if statement.many == 1 and statement.covers == "row" and len(rows) > 1:
            return WRONG, f"{len(rows)} rows for {table.key_text(wanted[0])}, not 1"
        certain = statement.table in self.workload.phase.loaded and not table.vanishing and not statement.filtered
        if not certain or picker.pick_spec.how == "new":
            return None
        there = picker.rows_walk.rows(wanted[0][0])
        if statement.many == 1 and statement.covers == "row" and not rows and there:
            return MISSING, f"no row for {table.key_text(wanted[0])}"
        whole = statement.pages == 0 or not statement.page_size
        if statement.many == 1 and statement.covers == "partition" and whole and statement.limit >= 0:
            least = min(there, statement.limit or there)
            if len(rows) < least:
                return MISSING, f"{len(rows)} rows for {table.key_text(wanted[0])}, not {least}"
        return None

    def _versions(self, picker: Picker, number: int) -> list[int] | None:
        """All versions that rows of the table can have by now, None where these are many or not known."""
        spec, phase = self.workload.spec, self.workload.phase
        newest = max(0, dict(phase.before).get(picker.table.name, 0) - 1)
        for statement in spec.statements:
            if not statement.writes or statement.kind in {"delete", "ddl"}:
                continue
            if picker.table.name not in {statement.table, *[child.table for child in statement.children]}:
                continue
            place = next((at for at, (name, _) in enumerate(phase.mix) if name == statement.name), None)
            if place is None:
                if not _walks(self.workload, statement):
                    return None
                continue
            other = self.workload.pickers[place]
            if not other.sequential:
                return None
            issued = self.workload.mix.issued_before(place, number + self.workload.spread)
            newest = max(newest, other.base + issued // max(1, other.walk.total))
        return list(range(newest + 1)) if newest < MOST_VERSIONS else None

    def _rows(
        self,
        statement: StatementSpec,
        table: _Table,
        wanted: list[tuple[int, int]],
        rows: Sequence[Sequence[Cell]],
        versions: list[int] | None,
    ) -> Fault | None:
        reader = _Reader(statement, table)
        last: tuple[int, Any] | None = None
        for cells in rows:
            found = reader.locate(cells, wanted)
            if isinstance(found, str):
                return WRONG, found
            if found is None:
                continue
            partition, row = found
            if statement.covers in {"partition", "range"} and row is not None:
                place = table.place(partition, row)
                if last is not None and last[0] == partition:
                    ahead = place < last[1] if statement.order == "reverse" else place > last[1]
                    if not ahead:
                        what = "twice" if place == last[1] else "out of order"
                        return WRONG, f"the row {table.key_text((partition, row))} comes {what}"
                last = (partition, place)
            if row is not None:
                fault = reader.content(cells, partition, row, versions)
                if fault:
                    return WRONG, fault
        return None


def _walks(workload: SpecWorkload, statement: StatementSpec) -> bool:
    """Whether all phases with the statement in their mix have it walk, so that its versions are rounds."""
    for phase in workload.spec.phases:
        for name, weight in phase.mix:
            if name == statement.name and weight:
                mix = workload.mix
                if not Picker(workload.spec, phase, statement, workload.seed, mix).sequential:
                    return False
    return True


class _Table:
    """What is known of a table's rows, made when it is asked for."""

    def __init__(self, workload: SpecWorkload, spec: TableSpec) -> None:
        self.workload, self.spec = workload, spec
        self.columns = {column.name: column for column in spec.columns}
        self.partition_key = [column for column in spec.columns if column.role == PARTITION]
        self.clustering = [column for column in spec.columns if column.role == CLUSTERING]
        writers = [
            one for one in workload.spec.statements if spec.name in {one.table, *[c.table for c in one.children]}
        ]
        #: whether rows can go by themselves, or by deletes
        self.vanishing = spec.expires or any(one.kind == "delete" for one in writers)
        names = {column.name for column in spec.columns if column.role in {REGULAR, STATIC}}
        self.partial = any(
            one.kind in {"update", "insert"} and names - set(one.columns) and not one.children for one in writers
        )
        self._places: dict[int, tuple[dict[tuple[Cell, ...], int], list[int]]] = {}

    def cells(self, columns: list[ColumnSpec], at: Context) -> tuple[Value, ...]:
        """The cells of some columns."""
        return tuple([self.workload.cell(one.expr, one.type, at) for one in columns if one.expr is not None])

    def key_text(self, where: tuple[int, int | None]) -> str:
        """A row's key for people."""
        key = self.workload.partition_key(self.spec, where[0])
        text = "key " + ", ".join([cell.hex() for cell in key])
        return text if where[1] is None or not self.clustering else f"{text} row {where[1]}"

    def _known(self, partition: int) -> tuple[dict[tuple[Cell, ...], int], list[int]]:
        """(clustering cells -> row, row -> place in the table's order) of a partition."""
        known = self._places.get(partition)
        if known is None:
            count = self.workload.run.row_counts[self.spec.name](partition)
            by_cells: dict[tuple[Cell, ...], int] = {}
            keys: list[Any] = []
            for row in range(count):
                by_cells.setdefault(self.cells(self.clustering, Context(partition, row)), row)  # type: ignore[arg-type]
                keys.append(self._sort_key(partition, row))
            order = sorted(range(count), key=lambda row: keys[row])
            for column in reversed(list(enumerate(self.clustering))):
                at, spec = column
                order.sort(key=lambda row, at=at: keys[row][at], reverse=spec.descending)  # type: ignore[misc]
            places = [0] * count
            for place, row in enumerate(order):
                places[row] = place
            if len(self._places) >= 16:
                self._places.clear()
            known = self._places[partition] = (by_cells, places)
        return known

    def _sort_key(self, partition: int, row: int) -> list[Any]:
        at = Context(partition, row)
        run = self.workload.run
        types = self.workload.user_types
        return [
            sort_key(parse_type(one.type, types))(run.evaluate(one.expr, at))
            for one in self.clustering
            if one.expr is not None
        ]

    def row_of(self, partition: int, cells: tuple[Cell, ...]) -> int | None:
        """The row with these clustering cells, None where there is none."""
        return self._known(partition)[0].get(cells)

    def place(self, partition: int, row: int) -> int:
        """Where a row stands among those of its partition."""
        places = self._known(partition)[1]
        return places[row] if row < len(places) else row


class _Reader:
    """Reads the answers of one statement: which columns are where."""

    def __init__(self, statement: StatementSpec, table: _Table) -> None:
        self.statement, self.table = statement, table
        self.at = {one.column: place for place, one in enumerate(statement.returns) if one.column}
        self.whole_key = all(column.name in self.at for column in table.clustering)

    def locate(self, cells: Sequence[Cell], wanted: list[tuple[int, int]]) -> tuple[int, int | None] | str | None:
        """(partition, row) of a returned row, row None where it cannot be told; or what is wrong with its key."""
        table, at = self.table, self.at
        partitions = list(dict.fromkeys(partition for partition, _ in wanted))
        for column in table.partition_key:
            if column.name in at:
                partitions = [
                    one for one in partitions
                    if table.cells([column], Context(one))[0] == cells[at[column.name]]
                ]  # fmt: skip
        if not partitions:
            return f"a row of another partition for {table.key_text(wanted[0])}"
        if len(partitions) > 1:
            return None
        partition = partitions[0]
        if self.statement.covers == "row" and self.statement.many == 1:
            row: int | None = wanted[0][1]
            for column in table.clustering:
                if (
                    column.name in at
                    and table.cells([column], Context(partition, wanted[0][1]))[0] != cells[at[column.name]]
                ):
                    return f"another row for {table.key_text(wanted[0])}"
            return partition, row
        if not table.clustering:
            return partition, 0
        count = table.workload.run.row_counts[table.spec.name](partition)
        if not self.whole_key or count > MOST_ROWS:
            return partition, None
        row = table.row_of(partition, tuple([cells[at[column.name]] for column in table.clustering]))
        if row is None and all(cells[at[column.name]] is None for column in table.clustering):
            return partition, None  # a partition with static columns and no rows
        if row is None:
            return f"a row that cannot exist for {table.key_text((partition, None))}"
        return partition, row

    def content(self, cells: Sequence[Cell], partition: int, row: int, versions: list[int] | None) -> str:
        """What is wrong with the cells of a row, "" where nothing is known to be."""
        table = self.table
        told = self._told(cells, partition, row)
        if isinstance(told, str):
            return told
        judged = [column for column in table.spec.columns if column.name in self.at and column.expr is not None]
        if told is not None:
            candidates: list[int] | None = [told]
            if table.partial:
                judged = [column for column in judged if column.name == table.spec.carrier or not _has_v(column)]
        else:
            candidates = versions
            if candidates is None or table.partial:
                judged = [column for column in judged if not _has_v(column)]
                candidates = [0]
        text = ""
        for version in candidates or [0]:
            text = self._differs(cells, judged, Context(partition, row, version))
            if not text:
                return ""
        return text

    def _told(self, cells: Sequence[Cell], partition: int, row: int) -> int | str | None:
        """The version that the carrier tells; or what is wrong with it; None where there is none to ask."""
        carrier = self.table.columns.get(self.table.spec.carrier)
        if carrier is None or carrier.name not in self.at or carrier.expr is None:
            return None
        cell = cells[self.at[carrier.name]]
        if cell is None:
            return (
                None
                if self.table.spec.expires or self.table.partial
                else f"{self._where(carrier, partition, row)}: null"
            )
        if carrier.expr.op == "v":
            version = decoder(parse_type(carrier.type))(cell)
            return version if isinstance(version, int) and version >= 0 else f"version {version} cannot exist"
        run = self.table.workload.run
        base = run.tag(carrier.expr.data[1], Context(partition, row, 0))
        try:
            tag = int(cell[:16], 16) if carrier.expr.op == "text" else int.from_bytes(cell[:8], "big")
        except ValueError:
            tag = base - 1
        version = (tag - base) & MASK
        if version >= 1 << 62:
            where = self._where(carrier, partition, row)
            return f"{where} is of another row, or of none: it begins with {cell[:16].hex()}"
        return version

    def _where(self, column: ColumnSpec, partition: int, row: int) -> str:
        return f"{self.table.key_text((partition, row))}, column {column.name}"

    def _differs(self, cells: Sequence[Cell], judged: list[ColumnSpec], at: Context) -> str:
        for column in judged:
            assert column.expr is not None
            value = self.table.workload.run.evaluate(column.expr, at)
            wanted = self.table.workload.encode(column.type, value)
            if wanted is UNSET:
                continue  # what an earlier version has left may be there
            if column.multicell and isinstance(value, list) and not value:
                wanted = None
            found = cells[self.at[column.name]]
            expired = found is None and self.table.spec.expires and column.role in {REGULAR, STATIC}
            if found != wanted and not expired:
                return f"{self._where(column, at.p, at.r)}: {shown(found)}, not {shown(wanted)}"
        return ""


def _has_v(column: ColumnSpec) -> bool:
    """Whether the column's cells depend on the version."""
    assert column.expr is not None
    for part in column.expr.walk():
        if part.op in {"v", "column_function"} or (part.op == "word" and "v" in part.data[1]):
            return True
    return False
