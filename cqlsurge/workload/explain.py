"""What a workload comes to, in words and numbers: populations, sizes, hit rates, what can be checked."""

from __future__ import annotations

from typing import Any

from cqlsurge.load.cql.primitives import UNSET
from cqlsurge.load.workload.interpreter import Context
from cqlsurge.load.workload.operations import SpecWorkload
from cqlsurge.load.workload.picks import Picker
from cqlsurge.load.workload.spec import PhaseSpec, StatementSpec, TableSpec, WorkloadSpec
from cqlsurge.load.workload.walk import Walk
from cqlsurge.units import show_count, show_s
from cqlsurge.workload.checks import what_is_checked

#: rows that sizes are taken from
SAMPLED = 200
#: bytes of a row and of a cell beside their values, in round figures: row header, timestamps, lengths
ROW_BYTES, CELL_BYTES = 12, 6


def explain(spec: WorkloadSpec, seed: int = 1) -> str:
    """The text of `cqlsurge workload explain`."""
    lines = [f"{spec.name}" + (f": {spec.about}" if spec.about else "")]
    if spec.params:
        lines.append("parameters  " + ", ".join(f"{name}={value}" for name, value in spec.params))
    phase = next((one for one in spec.phases if one.mix), None)
    if phase is not None:
        workload = SpecWorkload(spec, phase.name, seed)
        for table in spec.tables:
            lines += ["", *_table(table, workload)]
    for one in spec.phases:
        lines += ["", *_phase(spec, one, seed)]
    return "\n".join(lines)


def _bytes(value: float) -> str:
    return f"{show_count(value)}{'' if value >= 1000 else ' '}B"


def _table(table: TableSpec, workload: SpecWorkload) -> list[str]:
    walk = Walk(table, workload.seed)
    row, cells = _row_bytes(table, workload, walk)
    rows = table.rows
    mean = sum(rows) / len(rows)
    shape = f"{rows[0]:,}" if len(rows) == 1 else f"{min(rows):,} to {max(rows):,}, {mean:,.1f} on average"
    total = table.partitions * mean
    seeds = f", drawn from {table.seeds:,} seeds" if table.draw is not None else ""
    lines = [
        f"table {table.name}",
        f"  partitions  {table.partitions:,}{seeds}; rows each: {shape}; {show_count(total)} rows",
        f"  sizes       {_bytes(row)} a row, {_bytes(row * mean)} a partition, {_bytes(row * total)} in all",
        f"  version     {_carrier(table)}",
    ]
    width = max(len(column.name) for column in table.columns)
    for column in table.columns:
        size, null = cells.get(column.name, (0.0, 0.0))
        absent = f", {null:.0%} null or not set" if null else ""
        lines.append(f"    {column.name:{width}}  {column.type}, {column.role}: {size:,.0f} B{absent}")
    return lines


def _carrier(table: TableSpec) -> str:
    if not table.carrier:
        return "no column tells a row's version: only keys and what no version changes can be checked"
    column = table.column(table.carrier)
    if column is not None and column.expr is not None and column.expr.op == "v":
        return f"told by column {table.carrier}"
    return f"told by the first bytes of column {table.carrier}, a tag of partition, row and version"


def _row_bytes(table: TableSpec, workload: SpecWorkload, walk: Walk) -> tuple[float, dict[str, tuple[float, float]]]:
    """(bytes of a row on average, column -> (bytes of a cell that is there, share of the others)) of a sample."""
    sizes: dict[str, list[int]] = {}
    for number in range(SAMPLED):
        partition, row = walk.at(number * max(1, walk.total // SAMPLED) % walk.total)
        for column in table.columns:
            if column.expr is not None:
                cell = workload.cell(column.expr, column.type, Context(partition, row, 0))
                sizes.setdefault(column.name, []).append(len(cell) if isinstance(cell, bytes) else -1)
    found: dict[str, tuple[float, float]] = {}
    total = float(ROW_BYTES)
    for name, each in sizes.items():
        there = [size for size in each if size >= 0]
        mean = sum(there) / len(there) if there else 0.0
        share = len(there) / len(each)
        found[name] = (mean, 1 - share)
        total += share * (mean + CELL_BYTES)
    return total, found


def _phase(spec: WorkloadSpec, phase: PhaseSpec, seed: int) -> list[str]:
    if phase.verify:
        table, share = phase.verify[0]
        return [f"phase {phase.name}: reads {table} back, {share:.0%} of it"]
    limits = [
        f"{phase.operations:,} operations" if phase.operations else "",
        show_s(phase.duration_s) if phase.duration_s else "",
        f"at {phase.rate} a second" if phase.rate else "",
    ]
    lines = [f"phase {phase.name}: {', '.join(limit for limit in limits if limit) or 'no limit of its own'}"]
    workload = SpecWorkload(spec, phase.name, seed)
    total = sum(weight for _, weight in phase.mix) or 1.0
    width = max(len(name) for name, _ in phase.mix)
    for place, (name, weight) in enumerate(phase.mix):
        picker = workload.pickers[place]
        statement = spec.statement(name)
        count = workload.mix.counts[place] if not workload.mix.single else 4096
        part = f"{weight / total:6.1%} ({count} of 4096)"
        lines.append(f"  {name:{width}}  {part}  {_pick(picker)}; {_expected(spec, phase, statement, picker)}")
    return lines


def _pick(picker: Picker) -> str:
    pick = picker.pick_spec
    if pick.how == "draw":
        drawn = picker.spec.distributions[pick.distribution].text
        return f"{drawn}, {'in order' if pick.ordered else 'scattered'}"
    if pick.how == "written":
        back = picker.spec.distributions[pick.distribution].text if pick.distribution >= 0 else ""
        return {-1: "written, all alike", -2: "the newest written"}.get(
            pick.distribution, f"written, {back} groups back"
        )
    return {"next": "in order, again and again", "new": "new partitions"}.get(pick.how, pick.how)


def _expected(spec: WorkloadSpec, phase: PhaseSpec, statement: StatementSpec, picker: Picker) -> str:
    """What reads are expected to find, and what can be checked of it."""
    if statement.writes:
        return "conditional: applied or not is counted apart" if statement.conditional else "writes"
    loaded = picker.table.name in phase.loaded
    how = picker.pick_spec.how
    if how == "new":
        return "finds nothing"
    if loaded and not any(spec.statement(name).kind == "delete" for one in spec.phases for name, _ in one.mix):
        hits = "finds rows always (an earlier phase writes all)"
    elif how == "written":
        hits = "finds rows, once the phase has written some"
    else:
        hits = "finds what has been written by then"
    checked, unchecked = what_is_checked(spec, statement)
    parts = [hits]
    if checked:
        parts.append(f"--verify checks {', '.join(checked)}")
    if unchecked:
        parts.append(f"not checked: {'; '.join(unchecked)}")
    return "; ".join(parts)


def operations_text(spec: WorkloadSpec, phase: str | None, count: int, seed: int = 1) -> str:
    """The first operations of a phase, a line each."""
    name = phase or next(one.name for one in reversed(spec.phases) if one.mix)
    workload = SpecWorkload(spec, name, seed)
    lines = []
    for number in range(count):
        operation = workload.operation(number)
        kind = workload.kinds[operation.kind]
        where = f"partition {operation.partition} row {operation.row} version {operation.version}"
        values = [
            f"{column.name}={_shown(cell)}" for column, cell in zip(kind.binds, operation.cells, strict=True)
        ] or [f"{len(operation.batch)} statements"]
        lines.append(f"{number} {kind.name} {where}: {', '.join(values)}")
    return "\n".join(lines)


def _shown(cell: Any) -> str:
    if cell is UNSET:
        return "unset"
    if cell is None:
        return "null"
    return f"0x{cell[:16].hex()}{'...' if len(cell) > 16 else ''}"
