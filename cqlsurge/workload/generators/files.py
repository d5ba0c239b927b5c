"""Values of a column of a CSV or Parquet file. Read by the parent only; the values travel in the plan."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cqlsurge.load.cql import types as t
from cqlsurge.workload.document import nearest

MOST_VALUES = 1_000_000
_INTEGERS = {t.TINYINT, t.SMALLINT, t.INT, t.BIGINT, t.VARINT, t.COUNTER}


def read_column(path: str, column: str, folder: str, want: t.CqlType | None) -> tuple[tuple[Any, ...], str]:
    """(values, their kind) of a column. Raises ValueError, which says what is wrong."""
    place = Path(folder, path)
    try:
        found = _parquet(place, column) if place.suffix == ".parquet" else _csv(place, column)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{place} cannot be read: {error}") from error
    if not found:
        raise ValueError(f"{place} has no lines")
    if len(found) > MOST_VALUES:
        raise ValueError(f"{place} has {len(found):,} lines; the most is {MOST_VALUES:,}")
    convert, kind = _converter(want)
    try:
        return tuple(convert(value) for value in found), kind
    except ValueError as error:
        raise ValueError(f"{place}, column {column!r}: {error}") from error


def _converter(want: t.CqlType | None) -> tuple[Callable[[Any], Any], str]:
    if want in _INTEGERS:
        return int, "int"
    if want in {t.FLOAT, t.DOUBLE}:
        return float, "float"
    return str, "text"


def _csv(place: Path, column: str) -> list[str]:
    with place.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        names = rows.fieldnames or []
        if column not in names:
            raise ValueError(f"{place} has no column {column!r}{nearest(column, names)}")
        return [row[column] for row in rows]


def _parquet(place: Path, column: str) -> list[Any]:
    try:
        from pyarrow import parquet  # type: ignore[import-not-found,unused-ignore]
    except ImportError as error:
        raise ValueError(f"{place} is Parquet, which needs pyarrow: pip install pyarrow") from error
    table = parquet.read_table(place)
    if column not in table.column_names:
        raise ValueError(f"{place} has no column {column!r}{nearest(column, table.column_names)}")
    values: list[Any] = table.column(column).to_pylist()
    return values
