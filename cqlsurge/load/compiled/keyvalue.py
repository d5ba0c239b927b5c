"""The key-value workload to a graph."""

from __future__ import annotations

from cqlsurge.load.compiled.graph import Graph, Node
from cqlsurge.load.compiled.layout import Hole, Piece, Slice, cell
from cqlsurge.load.compiled.statement import Lowered, Statement
from cqlsurge.load.workload.kv import _FIRST_KEEP, _FIRST_SET, _SECOND_KEEP, _SECOND_SET, POOL_OFFSETS, KeyValue


def lower_kv(workload: KeyValue) -> Lowered:
    graph = Graph()
    number = graph.number
    offset, keys = workload.key_offset, workload.keys
    written = graph.add(graph.modulo(number, keys), offset)
    read = written
    kind = graph.constant(workload.only_kind)
    if workload.mixed:
        drawn = graph.mix(graph.word(workload.draw_stream), number)
        read = graph.add(graph.below(drawn, keys), offset)
        share = graph.shifted(graph.mix(graph.word(workload.kind_stream), number), 11)
        kind = graph.choose(graph.less(share, workload.read_below), 1, 0)

    def pieces(p: Node) -> tuple[list[Piece], list[Piece]]:
        first, second = (
            graph.mix(graph.word(workload.first_stream), p),
            graph.mix(graph.word(workload.second_stream), p),
        )
        first = graph.bits("or", graph.bits("and", first, _FIRST_KEEP), _FIRST_SET)
        second = graph.bits("or", graph.bits("and", second, _SECOND_KEEP), _SECOND_SET)
        key: list[Piece] = [Hole("W", first), Hole("W", second)]
        at = graph.place(second, 20, POOL_OFFSETS)
        tail = Slice(workload.pool, at, graph.constant(workload.tail_size))
        value: list[Piece] = [*(key if workload.blob_size >= 16 else []), tail]
        return key, value

    key, value = pieces(written)
    write = Statement(workload.kinds[0], key, [cell(graph, key), cell(graph, value)])
    key, value = pieces(read)
    answer = [cell(graph, key), cell(graph, value)]
    return Lowered(graph, kind, (write, Statement(workload.kinds[1], key, [cell(graph, key)], answer)))
