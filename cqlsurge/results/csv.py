"""The timeline of a result document as CSV, one row a row."""

from __future__ import annotations

import csv
import io

from cqlsurge.results.document import Document
from cqlsurge.results.files import marked

COLUMNS = ("t_s", "span_s", "ok", "errors", "ops_s", "p50_us", "p99_us", "p99_9_us", "warmup")
KIND = marked("timeline in CSV", ",".join(COLUMNS))


def timeline_csv(document: Document) -> str:
    """A head line and a line for each row of the timeline; `ops_s` is ok / span_s, `warmup` is 0 or 1."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in document["timeline"]:
        values = {**row, "ops_s": round(row["ok"] / max(row["span_s"], 1e-3), 1), "warmup": int(row["warmup"])}
        writer.writerow([values[name] for name in COLUMNS])
    return text.getvalue()
