"""Which writes of a run were acknowledged, and so which rows a later run must find."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cqlsurge.errors import UsageError
from cqlsurge.load.workload.kv import KeyValue
from cqlsurge.results.document import Document
from cqlsurge.settings import Settings

#: numbers of a mixed run that are looked at one by one, to tell its writes from its reads
LOOKED_AT = 5_000_000

Range = tuple[int, int]


def missing_partitions(document: Document, settings: Settings) -> list[Range]:
    """The partitions that an earlier run may have left unwritten, as ranges [first, past). Raises UsageError.

    A partition that any acknowledged write has written is there, whatever became of other writes of it.
    """
    earlier = Settings.from_json(document["settings"])
    for name in ("seed", "keyspace", "table", "blob_size", "fill"):
        if getattr(earlier, name) != getattr(settings, name):
            raise UsageError(
                f"--verify {settings.verify}: that run had {name.replace('_', '-')} {getattr(earlier, name)}, "
                f"this one has {getattr(settings, name)}"
            )
    told = document["unacknowledged"]
    below = told.get("below", earlier.total_operations or earlier.population)
    if not below:
        return []  # it wrote nothing: what it read was there
    acknowledged = outside([(first, past) for first, past in told["ranges"]], below)
    keys, offset = earlier.population, earlier.key_offset
    if earlier.mode == "mixed" and not earlier.populate:
        written = _written_in_between(acknowledged, earlier)
    else:
        written = joined(_partitions(acknowledged, keys))
    return [(offset + first, offset + past) for first, past in outside(written, keys)]


def outside(ranges: Iterable[Range], below: int) -> list[Range]:
    """What sorted ranges leave of [0, below)."""
    found, at = [], 0
    for first, past in ranges:
        if first > at:
            found.append((at, min(first, below)))
        at = max(at, past)
        if at >= below:
            return found
    return [*found, (at, below)]


def joined(ranges: Iterable[Range]) -> list[Range]:
    """Any ranges, sorted and disjoint."""
    found: list[Range] = []
    for first, past in sorted(ranges):
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], past))
        else:
            found.append((first, past))
    return found


def _partitions(numbers: Iterable[Range], keys: int) -> Iterator[Range]:
    """The partitions, from 0, that the writes of these numbers go to, one after the other and round again."""
    for first, past in numbers:
        if past - first >= keys:
            yield 0, keys
            continue
        begin, end = first % keys, (past - 1) % keys + 1
        if begin < end:
            yield begin, end
        else:
            yield begin, keys
            yield 0, end


def _written_in_between(numbers: Iterable[Range], settings: Settings) -> list[Range]:
    """The partitions, from 0, that a mixed run has written, which did not write its population before."""
    workload = KeyValue(
        seed=settings.seed, keyspace=settings.keyspace, table=settings.table, mode=settings.mode,
        keys=settings.population, blob_size=settings.blob_size, read_ratio=settings.read_ratio,
    )  # fmt: skip
    written: set[int] = set()
    left = LOOKED_AT
    for first, past in numbers:
        located = map(workload.locate, range(first, min(past, first + left)))
        written.update(partition for kind, partition, _ in located if workload.kinds[kind].writes)
        left -= min(past - first, left)
    return joined((partition, partition + 1) for partition in written)
