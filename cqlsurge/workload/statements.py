"""The `statements` of a file: CQL with named binds, inserts of whole rows, batches, scans; their picks and binds."""

from __future__ import annotations

import re
from dataclasses import replace

from cqlsurge.load.cql import types as t
from cqlsurge.load.workload.expressions import Expr, O, const
from cqlsurge.load.workload.spec import BindSpec, ReturnSpec, StatementSpec
from cqlsurge.workload.build import Builder
from cqlsurge.workload.coercion import coerced
from cqlsurge.workload.cql_text import quote_name, without_comments
from cqlsurge.workload.document import Node, Place, nearest
from cqlsurge.workload.generators import GENERATORS
from cqlsurge.workload.names import Names
from cqlsurge.workload.parameters import duration_s
from cqlsurge.workload.population import Population
from cqlsurge.workload.schema import filled, place_in
from cqlsurge.workload.statement_options import OptionReader
from cqlsurge.workload.statement_text import StatementText, Variable, read_statement, table_name_of
from cqlsurge.workload.tables import PARTITION, Table

KEYS = (
    "cql", "insert", "batch", "each", "scan", "with", "many", "pick", "page_size", "pages", "consistency",
    "serial_consistency", "timestamp", "ttl", "prepared", "idempotent", "outcomes", "check", "timeout", "if_not_exists",
    "split", "across", "columns", "ranges", "rows",
)  # fmt: skip
#: a scan goes through so many ranges of tokens
RANGES = 256


class StatementReader(OptionReader):
    """Reads one statement."""

    def read(self) -> StatementSpec:
        """The statement."""
        node = self.node
        if node.entries is None:
            return self._of_text(node, node.scalar("CQL, or `cql:`, `insert:`, `batch:` or `scan:`,"))
        self.entries = node.known(KEYS, f"statement {self.name!r}")
        kinds = [key for key in ("cql", "insert", "batch", "scan") if key in self.entries]
        if len(kinds) != 1:
            node.fail(
                "a statement is one of `cql:`, `insert:`, `batch:` and `scan:`" + (", not several" if kinds else "")
            )
        if kinds[0] == "batch":
            return self._batch()
        if kinds[0] == "insert":
            return self.options(self._insert(self.entries["insert"].scalar("a table"), self.entries["insert"].place))
        if kinds[0] == "scan":
            return self.options(self._scan())
        return self._of_text(self.entries["cql"], self.entries["cql"].scalar("CQL"))

    # -- the kinds ----------------------------------------------------------------------------------------------------

    def _of_text(self, node: Node, raw: str) -> StatementSpec:
        cql = filled(raw, self.around.names.params, lambda offset: place_in(node, raw, offset))
        cql = without_comments(cql)
        cql = " ".join(cql.split()) if "'" not in cql and "$$" not in cql else cql
        cql = cql.rstrip("; ")
        if not cql:
            node.fail("a statement has a text")
        try:
            kind, table_name = table_name_of(cql)
        except ValueError as error:
            node.fail(str(error))
        if kind == "ddl":
            return self.options(
                StatementSpec(self.name, "ddl", cql, self._any_table(node), prepared=False, covers="table")
            )
        table = self.around.schema.table(table_name, node.place)
        try:
            text = read_statement(cql, table)
        except (ValueError, IndexError) as error:
            node.fail(f"{error}" if isinstance(error, ValueError) else "this CQL is not understood")
        return self.options(self._made(cql, text, table, node.place))

    def _any_table(self, node: Node) -> str:
        for name in self.around.schema.tables:
            return self.around.population(name, node.place).full_name
        node.fail("a workload has at least one table")

    def _made(self, cql: str, text: StatementText, table: Table, place: Place) -> StatementSpec:
        full = f"{table.keyspace}.{table.name}"
        population = self.around.population(self.around.schema.base.get(full, full), place)
        binds = self._binds(text, population, place)
        returns = tuple(ReturnSpec(name, str(of or t.BLOB), column) for name, of, column in text.returns)
        kind = "counter" if text.counter else text.kind
        conditional = text.conditional
        return StatementSpec(
            self.name, kind, cql, population.full_name, binds, returns, tuple(text.key), text.covers,
            tuple(text.columns), many=self._many(text), conditional=conditional,
            filtered=text.filtering or bool(text.nearest), limit=text.limit,
            order="reverse" if text.reverse else "forward",
            idempotent=not (text.counter or text.appends or conditional),
        )  # fmt: skip

    def _insert(self, name: str, place: Place, bare: bool = False) -> StatementSpec:
        table = self.around.schema.table(name, place)
        columns = [column.name for column in table.columns if not column.is_counter]
        if any(column.is_counter for column in table.columns):
            place.fail(f"{name} has counters, which cannot be inserted: UPDATE ... SET c = c + :n")
        markers = ", ".join("?" for _ in columns)
        cql = f"INSERT INTO {table.cql_name} ({', '.join(map(quote_name, columns))}) VALUES ({markers})"
        if not bare and self.flag("if_not_exists"):
            cql += " IF NOT EXISTS"
        if not bare and "ttl" in self.entries:
            cql += " USING TTL ?"
        return self._made(cql, read_statement(cql, table), table, place)

    def _batch(self) -> StatementSpec:
        node = self.entries["batch"]
        kind = node.scalar("logged, unlogged or counter")
        if kind not in {"logged", "unlogged", "counter"}:
            node.fail(f"{kind!r}: a batch is logged, unlogged or counter")
        if "each" not in self.entries:
            node.fail("a batch needs `each:`, which says what it is made of")
        each = self.entries["each"].known(["insert", "cql", "rows", "with"], "`each`")
        place = self.entries["each"].place
        if ("insert" in each) == ("cql" in each):
            place.fail("`each` is `insert:` of tables, or `cql:`")
        if "insert" in each:
            tables = each["insert"].sequence("a table or several")
            children = [self._insert(one.scalar("a table"), one.place, bare=True) for one in tables]
        else:
            outer, self.entries = self.entries, {**each, "cql": each["cql"]}
            children = [self._of_text(each["cql"], each["cql"].scalar("CQL"))]
            self.entries = outer
        children = [replace(child, name=f"{self.name}[{at}]") for at, child in enumerate(children)]
        self._check_batch(kind, children, place)
        rows, select = self._rows_of_each(each.get("rows"))
        first = children[0]
        spec = StatementSpec(
            self.name, "batch", "", first.table, key=first.key, covers="partition", columns=first.columns, batch=kind,
            rows=rows, select=select, many=self._picks(kind), children=tuple(children),
            idempotent=all(child.idempotent for child in children),
        )  # fmt: skip
        return self.options(spec)

    def _check_batch(self, kind: str, children: list[StatementSpec], place: Place) -> None:
        counters = [child.kind == "counter" for child in children]
        if any(counters) != (kind == "counter") or (any(counters) and not all(counters)):
            place.fail("counters go into `batch: counter`, and nothing else does")
        if any(child.kind == "select" for child in children):
            place.fail("a batch holds no SELECT")
        partitions = {tuple(child.binds[at].name for at in child.key) for child in children}
        tables = {child.cql for child in children}
        if kind == "unlogged" and len(tables) > 1 and len(partitions) > 1 and "across" not in self.entries:
            place.fail(
                "an unlogged batch over several partitions loses its point: say `across: partitions` if it is meant"
            )

    def _rows_of_each(self, node: Node | None) -> tuple[int, float]:
        """(rows, 0 for all; share of them that is chosen, 0 for no choice)."""
        if node is None:
            return 1, 0.0
        text = node.scalar("all, how many, or select(20%)")
        if text == "all":
            return 0, 0.0
        share = re.fullmatch(r"select\(\s*([0-9.]+)%\s*\)", text)
        if share is None and text.startswith("select"):
            node.fail(f"{text!r}: it is written select(20%)")
        if share is None:
            return self.number(node, 1, 65_535), 0.0
        if not 0 < float(share[1]) <= 100:
            node.fail(f"{text!r}: a share is above 0% and 100% at the most")
        return 0, float(share[1]) / 100

    def _picks(self, kind: str) -> int:
        """How many picks a batch is made of."""
        node = self.entries.get("many")
        if node is None:
            return 1
        count = self.number(node, 1, 65_535)
        if count > 1 and kind == "unlogged" and "across" not in self.entries:
            node.fail(
                "an unlogged batch over several partitions loses its point: say `across: partitions` if it is meant"
            )
        return count

    def _scan(self) -> StatementSpec:
        node = self.entries["scan"]
        table = self.around.schema.table(node.scalar("a table"), node.place)
        names = [column.name for column in table.columns]
        if "columns" in self.entries:
            names = []
            for one in self.entries["columns"].sequence("columns"):
                name = one.scalar("a column")
                if table.column(name) is None:
                    known = [column.name for column in table.columns]
                    one.fail(f"column {name!r} is not in {table.cql_name}{nearest(name, known)}")
                names.append(name)
        key = ", ".join(quote_name(column.name) for column in table.of_kind(PARTITION))
        selected = ", ".join(map(quote_name, names))
        cql = f"SELECT {selected} FROM {table.cql_name} WHERE token({key}) > ? AND token({key}) <= ?"
        population = self.around.population(f"{table.keyspace}.{table.name}", node.place)
        ranges = self.number(self.entries["ranges"], 1, 1 << 20) if "ranges" in self.entries else RANGES
        width = (1 << 64) // ranges
        low = tuple(-(1 << 63) + at * width for at in range(ranges))
        shared = self.around.names.shared
        starts, ends = shared.value_list(low), shared.value_list((*low[1:], (1 << 63) - 1))
        binds = tuple(
            BindSpec(name, "bigint", Expr("value", "int", (O,), at)) for name, at in (("from", starts), ("to", ends))
        )
        text = read_statement(cql, table)
        returns = tuple(ReturnSpec(name, str(of or t.BLOB), column) for name, of, column in text.returns)
        return StatementSpec(self.name, "select", cql, population.full_name, binds, returns, covers="table", pages=0)

    # -- binds --------------------------------------------------------------------------------------------------------

    def _binds(self, text: StatementText, population: Population, place: Place) -> tuple[BindSpec, ...]:
        given = self.entries["with"].mapping("`with`") if "with" in self.entries else {}
        used = {variable.name for variable in text.variables}
        for name in given:
            if name not in used:
                self.entries["with"].keys[name].fail(f"{name!r} is not bound in the statement{nearest(name, used)}")
        many = self._many_names()
        return tuple(
            self._bind(variable, population, given.get(variable.name), many, place) for variable in text.variables
        )

    def _bind(
        self, variable: Variable, population: Population, node: Node | None, many: set[str], place: Place
    ) -> BindSpec:
        names = self._row_names(population)
        builder = Builder(names, GENERATORS, f"{self.name}/{variable.name}", "o")
        of = variable.type
        if variable.use in {"ttl", "timestamp"} and node is None and variable.use in self.entries:
            node = self.entries[variable.use]
        if variable.name in many:
            column = self.entries["many"].entries or {}
            name = column[variable.name].text or ""
            if not isinstance(of, t.ListType):
                column[variable.name].fail(f"{variable.name!r} is no list: `many` goes with IN :{variable.name}")
            if population.table.column(name) is None:
                known = [one.name for one in population.table.columns]
                column[variable.name].fail(f"column {name!r} is not in {population.full_name}{nearest(name, known)}")
            return BindSpec(variable.name, str(of), population.tree(name, place), many=True)
        if node is not None:
            tree = self._duration(node) if variable.use == "ttl" else None
            tree = tree or builder.node(node, of)
            return BindSpec(variable.name, str(of or _guessed(tree)), tree)
        if population.table.column(variable.name) is not None:
            tree = population.tree(variable.name, place)
            if isinstance(of, t.ListType) and variable.use == "in":
                place.fail(
                    f"IN :{variable.name} wants a list: say `many: {{{variable.name}: {variable.column}, count: 5}}`"
                )
            own = population.table.column(variable.name)
            if of is not None and own is not None and str(of) != str(own.type):
                tree = coerced(tree, of, place)
            return BindSpec(variable.name, str(of or (own.type if own is not None else of)), tree)
        if variable.column and variable.name == variable.column:
            place.fail(f"column {variable.name!r} is not in {population.full_name}")
        known = [one.name for one in population.table.columns]
        near = nearest(variable.name, known)
        place.fail(f":{variable.name} is no column of {population.full_name}{near}; say what it is under `with`")

    def _duration(self, node: Node) -> Expr | None:
        seconds = duration_s((node.text or "").strip())
        return None if seconds is None else const(int(seconds))

    def _row_names(self, population: Population) -> Names:
        """What names mean in `with`: the columns of the picked row, params, p, r, v."""
        around = self.around.names
        columns = {
            column.name: (lambda place, name=column.name: population.tree(name, place))
            for column in population.table.columns
            if not column.is_counter
        }
        return Names(around.params, columns, around.shared, table=population.full_name, folder=around.folder)

    def _many_node(self) -> Node | None:
        """`many` of a statement with IN; of a batch it is a number, and of no concern to its parts."""
        return None if "batch" in self.entries else self.entries.get("many")

    def _many_names(self) -> set[str]:
        node = self._many_node()
        return set() if node is None else set(node.mapping("`many`")) - {"count"}

    def _many(self, text: StatementText) -> int:
        node = self._many_node()
        if node is None:
            return 1
        entries = node.mapping("`many: {ids: id, count: 5}`")
        used = {variable.name for variable in text.variables}
        for name in entries:
            if name != "count" and name not in used:
                node.keys[name].fail(f"{name!r} is not bound in the statement{nearest(name, used)}")
        if "count" not in entries:
            node.fail("`many` needs `count`: how many picks an operation makes")
        return self.number(entries["count"], 1, 65_535)


def _guessed(tree: Expr) -> t.CqlType:
    """The type of a bind that the text does not tell, by its value; PREPARE tells whether it is right."""
    return {
        "int": t.BIGINT, "float": t.DOUBLE, "text": t.TEXT, "bytes": t.BLOB, "uuid": t.UUID, "timeuuid": t.TIMEUUID,
        "timestamp": t.TIMESTAMP, "date": t.DATE, "time": t.TIME, "bool": t.BOOLEAN, "inet": t.INET,
    }.get(tree.kind, t.BLOB)  # fmt: skip
