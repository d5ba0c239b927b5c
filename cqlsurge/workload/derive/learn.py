"""What is learned of a table from a sample of its rows."""

from __future__ import annotations

from dataclasses import dataclass, field

from cqlsurge.workload.derive.histograms import Histogram, learn
from cqlsurge.workload.derive.sample import Sample
from cqlsurge.workload.derive.shapes import Shape, shape_of, size_text
from cqlsurge.workload.tables import CLUSTERING, PARTITION, STATIC, Table

#: letters that a key needs so that each number has its own
KEY_LETTERS = 8


@dataclass
class Learned:
    """Shapes of columns, rows a partition, how many partitions there are, TTLs in seconds."""

    partitions: int
    rows: Histogram
    shapes: dict[str, Shape] = field(default_factory=dict)
    ttl_s: Histogram | None = None
    notes: list[str] = field(default_factory=list)


def learn_table(table: Table, sample: Sample, keep_values: bool = False) -> Learned | None:
    """The shapes of a table; None where the sample has no rows."""
    if not sample.row_count:
        return None
    counts = [count for count in sample.partition_rows if count]
    found = Learned(sample.partitions, learn(counts, private=False))
    share = f"{sample.covered:.0%}" if sample.covered >= 0.01 else f"{sample.covered:.2g} of 1"
    found.notes.append(
        f"{sample.row_count:,} rows of {len(counts):,} partitions were read, {share} of the token ring: about "
        f"{sample.partitions:,} partitions"
    )
    if sample.cut:
        found.notes.append(f"{sample.cut} partitions were larger than what is read at a time, and are left out or cut")
    for column in table.columns:
        values = sample.statics[column.name] if column.kind == STATIC else sample.rows[column.name]
        if column.kind in {PARTITION, CLUSTERING}:
            shape = _key_shape(str(column.type), values, "p" if column.kind == PARTITION else "r")
        elif column.is_counter:
            shape = None
        else:
            shape = shape_of(column.type, values, keep_values)
            if shape is None and values and all(value is None for value in values):
                shape = Shape("null")
        if shape is not None:
            found.shapes[column.name] = shape
    _learn_ttl(table, sample, found)
    return found


def _key_shape(kind: str, values: list[object], number: str) -> Shape | None:
    """Keys are numbered, so that each has a row of its own; of texts and blobs the lengths are kept."""
    if kind not in {"text", "ascii", "blob"}:
        return None
    lengths = learn([len(value) for value in values if isinstance(value, (str, bytes))], private=False)
    if lengths.low < KEY_LETTERS:
        return None
    generator = "blob" if kind == "blob" else "text"
    return Shape(f"{generator}({size_text(lengths)}, {number})", (("length", lengths),))


def _learn_ttl(table: Table, sample: Sample, found: Learned) -> None:
    if not sample.ttls_s:
        return
    longest = max(sample.ttls_s)
    if table.default_ttl_s and longest <= table.default_ttl_s:
        found.notes.append(f"rows expire by the table's default_time_to_live of {table.default_ttl_s} s")
        return
    found.ttl_s = learn(sample.ttls_s)
    expiring = len(sample.ttls_s) / (len(sample.ttls_s) + sample.without_ttl)
    found.notes.append(f"{expiring:.0%} of the rows have a TTL; what is left of it is taken for what is written")
