"""The `tables` of a file: how many partitions and rows there are, and what stands in each column."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cqlsurge.load.cql import types as t
from cqlsurge.load.workload.expressions import Expr, P, R, V, const
from cqlsurge.load.workload.generators import LEAST_TAGGED
from cqlsurge.load.workload.mix import shuffled
from cqlsurge.load.workload.spec import ColumnSpec, TableSpec
from cqlsurge.workload import sampling
from cqlsurge.workload.bounds import Limits, bounds
from cqlsurge.workload.build import Builder
from cqlsurge.workload.coercion import INTEGER_LIMITS
from cqlsurge.workload.defaults import default_tree
from cqlsurge.workload.document import Node, Place, nearest
from cqlsurge.workload.generators import GENERATORS
from cqlsurge.workload.names import Names, RangeExpr
from cqlsurge.workload.tables import CLUSTERING, PARTITION, REGULAR, STATIC, Column, Table

KEYS = ("partitions", "rows", "walk", "group", "columns", "like", "seeds", "streams")
ROLES = {PARTITION: "partition", CLUSTERING: "clustering", STATIC: "static", REGULAR: "regular"}
MOST_PARTITIONS = 1 << 50
MOST_ROWS = 1 << 31


@dataclass
class Population:
    """A table as the file has it: its columns, its spec when it is done, and the trees of its columns as they are made.

    seeds_from: the first number of `seeds`.
    """

    table: Table
    node: Node | None
    place: Place
    names: Names
    partitions: int = 1
    rows: tuple[int, ...] = (1,)
    walk: str = "partitions"
    group: int = 1
    streams: str = ""
    seeds: int = 0
    seeds_from: int = 0
    draw: Expr | None = None
    like: Population | None = None
    spec: TableSpec | None = None

    def __post_init__(self) -> None:
        self.trees: dict[str, Expr] = {}
        self._making: list[str] = []

    @property
    def full_name(self) -> str:
        """keyspace.table."""
        return f"{self.table.keyspace}.{self.table.name}"

    @property
    def entries(self) -> dict[str, Node]:
        """What the file says of the table."""
        return self.node.entries or {} if self.node is not None else {}

    @property
    def columns(self) -> dict[str, Node]:
        """What it says of columns."""
        node = self.entries.get("columns")
        return node.entries or {} if node is not None else {}

    def tree(self, name: str, place: Place) -> Expr:
        """The tree of a column, made when it is first asked for."""
        if name in self.trees:
            return self.trees[name]
        if name in self._making:
            place.fail(f"column {name!r} needs itself: {' -> '.join([*self._making, name])}")
        column = self.table.column(name)
        assert column is not None
        self._making.append(name)
        try:
            tree = self._made(column)
        finally:
            self._making.pop()
        self.trees[name] = tree
        return tree

    def _made(self, column: Column) -> Expr:
        if column.name not in self.columns and self.like is not None:
            other = self.like.table.column(column.name)
            if other is None:
                self.place.fail(
                    f"column {column.name!r} is not in {self.like.full_name}, which {self.full_name} is like"
                )
            if str(other.type) != str(column.type):
                self.place.fail(f"column {column.name!r} is {column.type}, but {other.type} in {self.like.full_name}")
            return self.like.tree(column.name, self.place)
        role = ROLES[column.kind]
        builder = Builder(self.names, GENERATORS, self.stream_of(column.name), self.coordinates(role))
        node = self.columns.get(column.name)
        if node is None:
            return default_tree(column, role, builder, self.place, many=len(self.rows) > 1 or self.rows[0] > 1)
        tree = builder.node(node, column.type)
        if role in {"partition", "clustering"}:
            if tree.kind == "null" or tree.op in {"maybe", "null"}:
                node.fail(f"{column.name!r} belongs to the key: it is never null")
            if any(part.op == "v" for part in tree.walk()):
                node.fail(
                    f"{column.name!r} belongs to the key, which no version of a row changes: it cannot depend on v"
                )
        if role in {"partition", "static"} and any(part.op == "r" for part in tree.walk()):
            node.fail(f"{column.name!r} has one value in a partition: it cannot depend on r")
        self._check_range(tree, column, node)
        return tree

    def stream_of(self, name: str) -> str:
        """What the names of a column's streams begin with."""
        return "/".join(part for part in (self.streams, name) if part)

    def coordinates(self, role: str) -> str:
        """What the words of a column depend on."""
        single = self.rows == (1,)
        if role in {"partition", "static"}:
            return "p" if role == "partition" else "pv"
        return ("p" if single else "pr") + ("v" if role == "regular" else "")

    @property
    def limits(self) -> Limits:
        """The largest p and r."""
        return Limits(self.partitions - 1, max(self.rows) - 1, self.names.shared.distributions)

    def _check_range(self, tree: Expr, column: Column, node: Node) -> None:
        bits = INTEGER_LIMITS.get(column.type) if isinstance(column.type, t.NativeType) else None
        found = bounds(tree, self.limits) if bits is not None else None
        if bits is None or found is None:
            return
        if found[0] < -(1 << bits) or found[1] >= 1 << bits:
            most = (1 << bits) - 1
            node.fail(
                f"{column.name!r} goes from {found[0]} to {found[1]}, but {column.type} from {-most - 1} to {most}"
            )

    def finish(self) -> TableSpec:
        """The table's spec, with the trees of all columns."""
        node = self.entries.get("columns")
        if node is not None:
            for name in node.mapping("`columns`"):
                if self.table.column(name) is None:
                    known = [column.name for column in self.table.columns]
                    node.keys[name].fail(f"column {name!r} is not in {self.full_name}{nearest(name, known)}")
        trees = {
            column.name: None if column.is_counter else self.tree(column.name, self.place)
            for column in self.table.columns
        }
        carrier = self._carrier(trees)
        columns = tuple(
            ColumnSpec(
                column.name,
                str(column.type),
                ROLES[column.kind],
                trees[column.name],
                is_multicell(column),
                column.descending,
            )
            for column in self.table.columns
        )
        self.spec = TableSpec(
            self.full_name, columns, self.partitions, self.rows, self.walk, self.group, self.streams, self.seeds,
            self.draw, carrier, self.table.default_ttl_s > 0,
        )  # fmt: skip
        return self.spec

    def _carrier(self, trees: dict[str, Expr | None]) -> str:
        """The column that tells the version: v itself, else the first blob or text with room for a tag."""
        regular = [column for column in self.table.columns if column.kind == REGULAR]
        for column in regular:
            if trees[column.name] == V:
                return column.name
        if self.like is not None:
            return self.like.spec.carrier if self.like.spec and self.like.spec.carrier in trees else ""
        for column in regular:
            tree = trees[column.name]
            if tree is None or tree.op not in {"blob", "text"} or tree.args[0].data[1] == "x":
                continue
            least = bounds(tree.args[1], self.limits)
            if least is not None and least[0] >= LEAST_TAGGED:
                tagged = Expr(tree.op, tree.kind, tree.args, (tree.data[0], f"{self.stream_of(column.name)} tag"))
                trees[column.name] = self.trees[column.name] = tagged
                return column.name
        return ""


def is_multicell(column: Column) -> bool:
    """Whether each element is a cell of its own, so that an empty one is null."""
    whole = column.is_frozen or isinstance(column.type, (t.NativeType, t.TupleType, t.VectorType, t.CustomType))
    return not whole


class PopulationReader:
    """Reads the counts of a table: partitions, rows, seeds."""

    def __init__(self, population: Population) -> None:
        self.population = population

    def read(self, others: Callable[[str, Place], Population]) -> None:
        """Fills in the counts, from the file or from the table that this one is like."""
        one = self.population
        if one.node is None:
            return
        entries = one.node.known(KEYS, f"table {one.full_name}")
        if "like" in entries:
            other = others(entries["like"].scalar("a table"), entries["like"].place)
            one.like = other
            one.partitions, one.rows, one.walk, one.group = other.partitions, other.rows, other.walk, other.group
            one.streams, one.seeds, one.seeds_from, one.draw = other.streams, other.seeds, other.seeds_from, other.draw
        if "streams" in entries:
            one.streams = entries["streams"].scalar("a name")
        if "seeds" in entries:
            self._seeds(entries["seeds"])
        if "rows" in entries:
            one.rows = self._rows(entries["rows"])
        if "partitions" in entries:
            self._partitions(entries["partitions"])
        if "group" in entries:
            one.group = self._count(entries["group"], "a group has", 1, MOST_PARTITIONS)
        if "walk" in entries:
            one.walk = entries["walk"].scalar("rows or partitions")
            if one.walk not in {"rows", "partitions"}:
                entries["walk"].fail(f"{one.walk!r}: a walk goes by rows or by partitions")
            if one.walk == "rows" and len(set(one.rows)) > 1:
                entries["walk"].fail("a walk by rows needs the same number of rows in all partitions")

    def _builder(self, purpose: str) -> Builder:
        names = self.population.names
        inner = Names(names.params, {}, names.shared, {"p": P}, "", names.folder)
        return Builder(inner, GENERATORS, self.population.stream_of(purpose), "p")

    def _count(self, node: Node, what: str, least: int, most: int) -> int:
        tree = self._builder("count").text(node.scalar("a number"), node.place, None)
        value = tree.data if tree.op == "const" else None
        if isinstance(value, float) and value == int(value):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            node.fail(f"{what} a whole number, the same wherever it is asked: from params and numbers")
        if not least <= value <= most:
            node.fail(f"{what} {value}; from {least} to {most:,}")
        return value

    def _seeds(self, node: Node) -> None:
        builder = self._builder("seeds")
        from cqlsurge.workload.syntax import parse

        builder.source = parse(node.scalar("a range such as 1..1M"), node.place)
        found = builder.build(builder.source.tree)
        if isinstance(found, RangeExpr) and found.low.op == found.high.op == "const":
            low, high = found.low.data, found.high.data
        elif isinstance(found, Expr) and found.op == "const":
            low, high = 0, found.data - 1
        else:
            node.fail("seeds are a range such as 1..1M")
        if high < low:
            node.fail("seeds are a range with the smaller end first")
        self.population.seeds, self.population.seeds_from = high - low + 1, low

    def _partitions(self, node: Node) -> None:
        one = self.population
        text = node.scalar("how many partitions").strip()
        if not text.startswith("draw("):
            one.partitions = self._count(node, "there are", 1, MOST_PARTITIONS)
            return
        if not text.endswith(")"):
            node.fail("it is written draw(uniform(1..8M))")
        tree = self._builder("partitions").text(text[5:-1], node.place.moved(5), t.BIGINT)
        found = bounds(tree, Limits((one.seeds or 1) - 1, 0, one.names.shared.distributions))
        if found is None:
            node.fail("between which numbers it draws is not known; write draw(uniform(1..8M)) or another distribution")
        one.partitions = found[1] - found[0] + 1
        one.draw = tree if not found[0] else Expr("sub", "int", (tree, const(found[0])))
        one.seeds = one.seeds or one.partitions

    def _rows(self, node: Node) -> tuple[int, ...]:
        tree = self._builder("rows").text(node.scalar("how many rows"), node.place, None)
        counts = self._counts(tree, node)
        if min(counts) < 0 or max(counts) > MOST_ROWS or max(counts) == 0:
            node.fail(f"from {min(counts)} to {max(counts)} rows a partition; from 0 to {MOST_ROWS:,}, not all 0")
        if len(set(counts)) == 1:
            return counts[:1]
        # Neighbours must not have about as many rows: a part of a block would be unlike the whole.
        return tuple(counts[place] for place in shuffled(len(counts), "rows"))

    def _counts(self, tree: Expr, node: Node) -> tuple[int, ...]:
        shared = self.population.names.shared
        if tree.op == "const" and isinstance(tree.data, int):
            return (tree.data,)
        if tree.op == "sample" and tree.kind == "int":
            return sampling.quantiles(shared.distributions[tree.data])
        if tree.op == "range":
            low, count = tree.data
            return sampling.quantiles(sampling.uniform_range(low, low + count - 1))
        if tree.op == "mul":
            return sampling.product(self._counts(tree.args[0], node), self._counts(tree.args[1], node))
        if tree.op == "add":
            first, second = (self._counts(arg, node) for arg in tree.args)
            if len(first) == 1 or len(second) == 1:
                return tuple(one + other for one in first for other in second)
        node.fail("rows are a number, a distribution such as uniform(1..60), or a product of these")


def check_unused(population: Population) -> None:
    """Raises WorkloadError for an `R` in what has one row only: nothing is wrong with it, but it is always 0."""
    if population.rows == (1,):
        for name, tree in population.trees.items():
            if any(part == R for part in tree.walk()) and name in population.columns:
                population.columns[name].fail(
                    f"{name!r} depends on r, but there is one row a partition: say how many with `rows`"
                )
