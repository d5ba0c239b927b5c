"""Where operations go as nodes: the mix, the walk over a table, the picks. What has no nodes asks the plain picker.

What each of them means is said by mix.py, walk.py and picks.py in load/workload.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

from cqlsurge.load.compiled.expressions import Numbers
from cqlsurge.load.compiled.graph import INT, INT_MAX, OBJECT, Graph, Node, bounded
from cqlsurge.load.compiled.scatter import scatterer
from cqlsurge.load.compiled.scope import Scope, Unsupported, origin
from cqlsurge.load.compiled.tables import Table
from cqlsurge.load.workload.mixing import unsigned
from cqlsurge.load.workload.spec import BLOCK

if TYPE_CHECKING:
    from cqlsurge.load.workload.mix import Mix
    from cqlsurge.load.workload.operations import SpecWorkload
    from cqlsurge.load.workload.picks import Picker
    from cqlsurge.load.workload.walk import Walk

_SHIFT = BLOCK.bit_length() - 1


class Places:
    """The mix of a phase: `place` is the INT of a number's place in the mix, `ordinal(k)` which of its kind it is."""

    def __init__(self, graph: Graph, mix: Mix) -> None:
        self.graph, self.mix = graph, mix
        self.place = graph.constant(0)
        if mix.single:
            return
        self._block = graph.divide(graph.number, BLOCK)
        self._turned = turned(graph, unsigned(mix.start), self._block)
        self._at = graph.low_bits(graph.add(graph.low_bits(graph.number, _SHIFT), self._turned), _SHIFT)
        self.place = graph.entry(Table(mix.pattern), self._at)
        self._before = Table(mix.before)

    def ordinal(self, place: int) -> Node:
        """Which operation of a place in the mix a number is that has this place."""
        graph, mix = self.graph, self.mix
        if mix.single:
            return graph.number
        count = mix.counts[place]
        passed = graph.entry(Table(mix.upto[place]), self._turned)
        first = graph.subtract(graph.entry(self._before, self._at), passed)
        ordinal = graph.add(graph.multiply(self._block, count), first)
        return graph.add(ordinal, graph.choose(graph.less(self._at, self._turned), count, 0))

    def issued_before(self, place: int, number: Node) -> Node:
        """How many operations of a place have a smaller number than one that is not negative."""
        graph, mix = self.graph, self.mix
        if mix.single:
            return number
        upto, count = mix.upto[place], mix.counts[place]
        twice = Table([*upto[:BLOCK], *[count + each for each in upto]])
        block = graph.divide(number, BLOCK)
        around = turned(graph, unsigned(mix.start), block)
        past = graph.entry(twice, graph.add(graph.low_bits(number, _SHIFT), around))
        within = graph.subtract(past, graph.entry(twice, around))
        return graph.add(graph.multiply(block, count), within)


def turned(graph: Graph, start: int, block: Node) -> Node:
    """How far a block is turned round, by the unsigned start of the stream."""
    return graph.place(graph.mix_rare(graph.word(start), block), 0, BLOCK)


class Walks:
    """A walk as nodes."""

    def __init__(self, graph: Graph, walk: Walk) -> None:
        self.graph, self.walk = graph, walk
        self._start = unsigned(walk._start)

    def at(self, position: Node) -> tuple[Node, Node]:
        """(partition, row) at a position that is inside of the population."""
        partition, row = self._at(position)
        most = max(self.walk.row_counts)
        return bounded(partition, 0, self.walk.partitions - 1), bounded(row, 0, max(0, most - 1))

    def _at(self, position: Node) -> tuple[Node, Node]:
        graph, walk = self.graph, self.walk
        if walk.by_rows:
            return self._by_rows(position)
        if walk.fixed:
            return graph.divide(position, walk.fixed), graph.modulo(position, walk.fixed)
        sums = walk._sums
        block, rest = graph.divide(position, sums[BLOCK]), graph.modulo(position, sums[BLOCK])
        around = turned(graph, self._start, block)
        rest = graph.add(rest, graph.entry(Table(sums), around))
        rest = graph.subtract(rest, graph.choose(graph.less(rest, sums[BLOCK]), 0, sums[BLOCK]))
        place = graph.bisect(Table(sums), rest)
        partition = graph.add(graph.multiply(block, BLOCK), graph.low_bits(graph.subtract(place, around), _SHIFT))
        return partition, graph.subtract(rest, graph.entry(Table(sums), place))

    def _by_rows(self, position: Node) -> tuple[Node, Node]:
        graph, walk = self.graph, self.walk
        size = walk.group * walk.fixed
        begin = graph.multiply(graph.divide(position, size), walk.group)
        rest = graph.modulo(position, size)
        if walk.partitions % walk.group == 0:
            width = graph.constant(walk.group)
        else:
            left = graph.subtract(walk.partitions, begin)
            width = graph.choose(graph.less(left, walk.group), left, walk.group)
            # At a position that is inside there is at least one.
            width.low = max(width.low, 1)
        return graph.add(begin, graph.modulo(rest, width)), graph.divide(rest, width)

    def rows(self, partition: Node) -> Node:
        """How many rows a partition has."""
        graph, counts = self.graph, self.walk.row_counts
        if len(counts) == 1:
            return graph.constant(counts[0])
        around = turned(graph, self._start, graph.divide(partition, BLOCK))
        place = graph.low_bits(graph.add(graph.low_bits(partition, _SHIFT), around), _SHIFT)
        return graph.entry(Table(list(counts)), place)

    def group_of(self, position: Node) -> Node:
        """The number of the group in which a position lies."""
        walk = self.walk
        if walk.by_rows:
            return self.graph.divide(position, walk.group * walk.fixed)
        return self.graph.divide(self.at(position)[0], walk.group)

    def group_start(self, group: Node) -> Node:
        """The first position of a group."""
        graph, walk = self.graph, self.walk
        if not walk.by_rows and not walk.fixed:
            raise Unsupported("groups of partitions of unequal size")
        return graph.multiply(group, walk.group * walk.fixed)


class Picks:
    """The picks of one place in the mix as nodes."""

    def __init__(self, graph: Graph, numbers: Numbers, places: Places, picker: Picker) -> None:
        self.graph, self.numbers, self.places, self.picker = graph, numbers, places, picker

    def scope(self, load: SpecWorkload, ordinal: Node) -> Scope:
        """Partition, row and version of an operation."""
        graph, picker = self.graph, self.picker
        number = graph.number
        try:
            partition, row = self._place(ordinal)
            version = self._version(ordinal)
        except Unsupported:
            picked = graph.call(picker.pick, ordinal, number, type=OBJECT)
            partition, row, version = [
                graph.call(operator.attrgetter(name), picked, type=INT, low=0, high=INT_MAX)
                for name in ("partition", "row", "version")
            ]
        if picker.table.draw is not None:
            partition = self.numbers.whole(picker.table.draw, _only(graph, partition))
        return Scope(partition, row, version, ordinal)

    def _version(self, ordinal: Node) -> Node:
        graph, picker = self.graph, self.picker
        if not picker.statement.writes:
            return graph.constant(0)
        if picker.sequential:
            return graph.add(graph.divide(ordinal, picker.walk.total), picker.base)
        if picker.pick_spec.how == "sequence":
            return graph.add(graph.divide(graph.number, picker.places), picker.base)
        if picker.statement.conditional:
            return graph.add(graph.divide(ordinal, picker.walk.total), max(1, picker.base))
        return graph.add(graph.number, 1)

    def _place(self, ordinal: Node) -> tuple[Node, Node]:
        graph, picker = self.graph, self.picker
        how = picker.pick_spec.how
        if picker.statement.many != 1 or (picker.walk.chunk != 1 and picker.statement.batch):
            raise Unsupported("more than one pick")
        if how == "next":
            return Walks(graph, picker.walk).at(graph.modulo(ordinal, picker.walk.total))
        if how == "sequence":
            partition = graph.modulo(graph.number, picker.places)
            return partition, self._row_of(partition, ordinal)
        if how == "written":
            return self._written(ordinal)
        if how == "uniform":
            partition = graph.below(self._word(picker._pick, ordinal), picker.places)
            return partition, self._row_of(partition, ordinal)
        if how != "draw":
            raise Unsupported(how)
        partition = self.numbers.sample(picker.pick_spec.distribution, self._word(picker._pick, ordinal))
        if partition.type != INT:
            raise Unsupported("a rank that is no whole number")
        if not picker.pick_spec.ordered:
            if partition.low < 0:
                raise Unsupported("a rank below 0")
            move = scatterer(picker.places, picker.key)
            partition = graph.call(move, partition, type=INT, low=0, high=picker.places - 1)
        return partition, self._row_of(partition, ordinal)

    def _word(self, start: int, ordinal: Node) -> Node:
        return self.graph.mix(self.graph.word(unsigned(start)), ordinal)

    def _row_of(self, partition: Node, ordinal: Node) -> Node:
        graph, picker = self.graph, self.picker
        rows = Walks(graph, picker.rows_walk).rows(partition)
        how = picker.pick_spec.row
        if rows.high <= 1 or how == "first":
            return graph.constant(0)
        last = graph.subtract(rows, 1)
        if rows.low < 1:
            last = graph.choose(graph.less(last, 0), 0, last)
        if how == "last":
            return last
        if how == "at":
            return graph.choose(graph.less(last, picker.pick_spec.row_value), last, picker.pick_spec.row_value)
        count = graph.add(last, 1)
        word = self._word(picker._row, ordinal)
        if how == "draw":
            drawn = self.numbers.sample(picker.pick_spec.row_distribution, word)
            if drawn.type != INT:
                raise Unsupported("a row that is no whole number")
            return graph.modulo(drawn, count)
        return graph.below(word, count)

    def _available(self) -> Node:
        """How many positions of the walk are surely written, at least 1 where any is asked for; see Picker."""
        graph, picker = self.graph, self.picker
        total = picker.rows_walk.total
        if picker._writer is None:
            return graph.constant(total)
        place, _, walk, how = picker._writer
        if how != "next" or walk is not picker.rows_walk:
            raise Unsupported("a writer that goes beyond the population, or not row by row")
        if picker._loaded:
            return graph.constant(total)
        past = graph.subtract(graph.number, picker.allowance)
        past = graph.choose(graph.less(past, 0), 0, past)
        past.low = max(past.low, 0)
        done = self.places.issued_before(place, past)
        return graph.choose(graph.less(done, total), done, total)

    def _written(self, ordinal: Node) -> tuple[Node, Node]:
        """Where nothing is written yet it is position 0, as the first of one."""
        graph, picker = self.graph, self.picker
        walks = Walks(graph, picker.rows_walk)
        available = self._available()
        # Of one position at least, so that there is something to divide by: the outcome is position 0 then too.
        available = graph.choose(graph.less(available, 1), 1, available)
        available.low = max(available.low, 1)
        drawn = picker.pick_spec.distribution
        word = self._word(picker._row, ordinal)
        if drawn == -1:
            return walks.at(graph.below(word, available))
        group = walks.group_of(graph.subtract(available, 1))
        if drawn >= 0:
            back = self.numbers.sample(drawn, self._word(picker._back, ordinal))
            if back.type != INT or back.low < 0:
                raise Unsupported("groups back that are no whole number")
            around = graph.modulo(back, graph.add(group, 1))
            group = graph.subtract(group, graph.choose(graph.less(group, back), around, back))
            group.low = max(group.low, 0)
        start = walks.group_start(group)
        end = walks.group_start(graph.add(group, 1))
        end = graph.choose(graph.less(end, available), end, available)
        size = graph.subtract(end, start)
        size.low = max(size.low, 1)
        return walks.at(graph.add(start, graph.below(word, size)))


def _only(graph: Graph, partition: Node) -> Scope:
    zero = origin(graph)
    return Scope(partition, zero.r, zero.v, zero.o)
