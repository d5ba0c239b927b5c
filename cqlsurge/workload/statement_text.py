"""The text of a statement: what it is, which rows it touches, what it binds and what it returns.

Read as far as a workload needs it; whether the server takes it is found at PREPARE.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cqlsurge.load.cql import types as t
from cqlsurge.workload.cql_text import RESERVED, Token, markers, tokens
from cqlsurge.workload.tables import CLUSTERING, PARTITION, REGULAR, STATIC, Table

_STARTS = {
    "from": "", "where": "", "group": "by", "order": "by", "per": "partition", "limit": "", "allow": "filtering",
    "using": "", "set": "", "values": "", "if": "", "into": "", "bypass": "cache",
}  # fmt: skip
_COMPARISONS = {"=", "<", ">", "<=", ">=", "!=", "in", "contains", "like"}
_RANGES = {"<", ">", "<=", ">="}


@dataclass(frozen=True)
class Variable:
    """A bind variable. name: as it is written, or as the server calls it. column: whose value it is, "" for none.

    use: `key` (compared with =), `in`, `range`, `value` (set), `condition`, `limit`, `ttl`, `timestamp`, `other`.
    """

    name: str
    type: t.CqlType | None
    column: str
    use: str


@dataclass
class StatementText:
    """What a text says. columns: those that it sets; returns: (name, type, column) of each cell of its rows."""

    kind: str
    table_name: str
    variables: list[Variable] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    returns: list[tuple[str, t.CqlType | None, str]] = field(default_factory=list)
    restricted: dict[str, str] = field(default_factory=dict)  # column -> use of what it is compared with
    limit: int = 0
    reverse: bool = False
    ordered_by: list[str] = field(default_factory=list)
    filtering: bool = False
    conditional: bool = False
    if_not_exists: bool = False
    nearest: str = ""  # the column of ANN OF
    by_token: bool = False
    counter: bool = False
    appends: bool = False
    covers: str = "row"
    key: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Word:
    """A token, or a marker with its name ("?" for none)."""

    kind: str
    text: str
    name: str | None
    column: str | None = None


def words_of(cql: str) -> list[Word]:
    """The tokens of a statement with each marker as one."""
    named = {marker.start: marker for marker in markers(cql)}
    found: list[Word] = []
    past = -1
    for token in tokens(cql):
        if token.start < past:
            continue
        marker = named.get(token.start)
        if marker is not None:
            found.append(Word("marker", cql[marker.start : marker.end], marker.name, marker.name))
            past = marker.end
        else:
            found.append(_word(token))
    return [word for word in found if word.text != ";"]


def _word(token: Token) -> Word:
    return Word(token.kind, token.lower, token.name)


def table_name_of(cql: str) -> tuple[str, str]:
    """(kind, name of the table with its keyspace where that is written) of a statement. ("ddl", "") for any other."""
    words = words_of(cql)
    first = words[0].text if words else ""
    kind = {"select": "select", "insert": "insert", "update": "update", "delete": "delete"}.get(first, "ddl")
    if kind == "ddl":
        return kind, ""
    after = {"select": "from", "insert": "into", "delete": "from", "update": "update"}[kind]
    at = next((place for place, word in enumerate(words) if word.text == after), -1) + 1
    if not 0 < at < len(words) or words[at].name is None:
        raise ValueError(f"it names no table after {after.upper()}")
    if at + 2 < len(words) and words[at + 1].text == ".":
        return kind, f"{words[at].name}.{words[at + 2].name}"
    return kind, str(words[at].name)


def read_statement(cql: str, table: Table) -> StatementText:
    """What a statement says of its table. Raises ValueError."""
    return _Reader(cql, table).read()


class _Reader:
    def __init__(self, cql: str, table: Table) -> None:
        self.table = table
        self.words = words_of(cql)
        self.kind, name = table_name_of(cql)
        self.found = StatementText(self.kind, name)

    def read(self) -> StatementText:
        for word in self.words:
            if word.kind == "marker" and word.text[1:].lower() in RESERVED:
                raise ValueError(f"{word.text} is a reserved word of CQL: name the variable otherwise")
        clauses = self._clauses()
        if self.kind == "insert":
            self._insert(clauses)
        if self.kind == "select":
            self._selected(clauses["head"])
        if self.kind == "delete":
            self.found.columns = [word.name for word in clauses["head"][1:] if word.name is not None]
        for name, words in clauses.items():
            self._clause(name, words)
        self._covering()
        return self.found

    def _clauses(self) -> dict[str, list[Word]]:
        clauses: dict[str, list[Word]] = {"head": []}
        current, depth = "head", 0
        for at, word in enumerate(self.words):
            depth += (word.text in {"(", "[", "{"}) - (word.text in {")", "]", "}"})
            following = self.words[at + 1].text if at + 1 < len(self.words) else ""
            starts = word.kind == "word" and depth == 0 and _STARTS.get(word.text) in {"", following}
            if starts and not (word.text == "limit" and current == "per" and len(clauses["per"]) == 1):
                if word.text == "using" and current == "order":
                    starts = False
                current = word.text
                clauses.setdefault(current, [])
            else:
                clauses[current].append(word)
        return clauses

    def _clause(self, name: str, words: list[Word]) -> None:
        if name == "where":
            for relation in _split(words, "and"):
                self._relation(relation, condition=False)
        elif name == "if":
            self.found.conditional = True
            self.found.if_not_exists = [word.text for word in words] == ["not", "exists"]
            for relation in _split(words, "and"):
                if [word.text for word in relation] not in (["exists"], ["not", "exists"]):
                    self._relation(relation, condition=True)
        elif name == "set":
            for assignment in _split(words, ","):
                self._assignment(assignment)
        elif name == "using":
            for part in _split(words, "and"):
                use = {"ttl": t.INT, "timestamp": t.BIGINT}.get(part[0].text)
                self._variables(part[1:], use, "", part[0].text if use is not None else "other")
        elif name == "order":
            self._order(words[1:])
        elif name in {"limit", "per"}:
            self._variables(words, t.INT, "", "limit")
            if name == "limit":
                self.found.limit = -1 if words and words[0].kind == "marker" else int(words[0].text) if words else 0
        elif name == "allow":
            self.found.filtering = True

    def _insert(self, clauses: dict[str, list[Word]]) -> None:
        into, values = clauses.get("into", []), clauses.get("values", [])
        opening = next((at for at, word in enumerate(into) if word.text == "("), None)
        if opening is None or not values:
            raise ValueError("INSERT is written INSERT INTO t (columns) VALUES (values)")
        names = [word.name or "" for word in into[opening:] if word.name is not None]
        given = _split(values[1:-1], ",")
        if len(names) != len(given):
            raise ValueError(f"{len(names)} columns but {len(given)} values")
        self.found.columns = names
        for name, value in zip(names, given, strict=True):
            whole = len(value) == 1
            of_key = self.column_kind(name) in {PARTITION, CLUSTERING}
            use = "key" if of_key else "value"
            self._variables(
                value, self.type_of(name) if whole else None, name if whole else "", use if whole else "other"
            )
            if of_key:
                self.found.restricted[name] = "key"
        clauses["values"] = []

    def _selected(self, words: list[Word]) -> None:
        names = words[1:]
        while names and names[0].text in {"distinct", "json"}:
            names = names[1:]
        for part in _split(names, ","):
            if len(part) == 1 and part[0].text == "*":
                # The server's order: the key, static columns, all others.
                every = [
                    *self.table.of_kind(PARTITION, CLUSTERING),
                    *self.table.of_kind(STATIC),
                    *self.table.of_kind(REGULAR),
                ]
                self.found.returns += [(column.name, column.type, column.name) for column in every]
            elif part and part[0].name is not None and (len(part) == 1 or part[1].text == "as"):
                column = self.known(part[0].name)
                self.found.returns.append((part[-1].name or column, self.type_of(column), column))
            else:
                self.found.returns.append(("".join(word.text for word in part), None, ""))
                self._variables(part, None, "", "other")

    def _order(self, words: list[Word]) -> None:
        for part in _split(words, ","):
            texts = [word.text for word in part]
            name = self.known(part[0].name or "")
            self.found.ordered_by.append(name)
            if "ann" in texts:
                self.found.nearest = name
                self._variables(part[1:], self.type_of(name), name, "other")
                continue
            column = self.table.column(name)
            down = "desc" in texts
            if column is not None and column.descending != down:
                self.found.reverse = True

    def _relation(self, words: list[Word], condition: bool) -> None:
        at = next((place for place, word in enumerate(words) if word.text in _COMPARISONS), None)
        if at is None:
            return
        left, op, right = words[:at], words[at].text, words[at + 1 :]
        if op == "contains" and right and right[0].text == "key":
            op, right = "contains key", right[1:]
        use = "condition" if condition else {"=": "key", "in": "in"}.get(op, "range" if op in _RANGES else "other")
        if left and left[0].text == "token":
            self.found.by_token = True
            if right and right[0].text == "token":
                keys = iter(self.table.of_kind(PARTITION))
                for word in right:
                    if word.kind == "marker" and (column := next(keys, None)) is not None:
                        self._variables([word], column.type, column.name, "other")
            else:
                self._variables(right, t.BIGINT, "", "other")
            return
        if left and left[0].text == "(":
            names = [self.known(word.name) for word in left if word.name is not None]
            turn = iter(names)
            for word in right:
                if word.kind == "marker":
                    name = next(turn, names[-1])
                    self._variables([word], self.type_of(name), name, use)
            for name in names:
                self._restrict(name, use)
            return
        name = self.known(left[0].name or "")
        of = self.type_of(name)
        if len(left) > 1:  # an element of a collection, or a field
            self._variables(left[1:], getattr(of, "key", t.INT), "", "other")
            self._variables(right, getattr(of, "value", getattr(of, "element", None)), "", use)
            return
        if op == "in" and right and right[0].kind == "marker":
            self._variables(right, t.ListType(of) if of is not None else None, name, use)
        elif op == "contains key":
            self._variables(right, getattr(of, "key", None), "", use)
        elif op == "contains":
            self._variables(right, getattr(of, "value", getattr(of, "element", None)), "", use)
        else:
            self._variables(right, of, name, use)
        if not condition:
            self._restrict(name, use)

    def _restrict(self, name: str, use: str) -> None:
        self.found.restricted[name] = use

    def _assignment(self, words: list[Word]) -> None:
        name = self.known(words[0].name or "")
        of = self.type_of(name)
        self.found.columns.append(name)
        texts = [word.text for word in words]
        if texts[1:2] in (["+="], ["-="]) or ("=" in texts and {"+", "-"} & set(texts[texts.index("=") :])):
            if of == t.COUNTER:
                self.found.counter = True
            else:
                self.found.appends = True
            minus = "-" in texts or "-=" in texts
            of = t.SetType(of.key) if isinstance(of, t.MapType) and minus else of
            self._variables(words[1:], of, "", "value")
        elif texts[1:2] == ["["]:
            closing = texts.index("]")
            self.found.appends = True
            self._variables(words[1:closing], getattr(of, "key", t.INT), "", "other")
            self._variables(words[closing:], getattr(of, "value", getattr(of, "element", None)), "", "value")
        elif texts[1:2] == ["."]:
            inner = dict(getattr(of, "fields", ())).get(words[2].name or "")
            self._variables(words[3:], inner, "", "value")
        else:
            whole = len(words) == 3
            self._variables(words[2:], of if whole else None, name if whole else "", "value")

    def _variables(self, words: list[Word], of: t.CqlType | None, column: str, use: str) -> None:
        for word in words:
            if word.kind == "marker":
                name = (
                    word.name or column or {"ttl": "[ttl]", "timestamp": "[timestamp]", "limit": "[limit]"}.get(use, "")
                )
                self.found.variables.append(Variable(name, of, column, use))

    def known(self, name: str) -> str:
        """A column's name, which the table must have."""
        from cqlsurge.workload.document import nearest

        if self.table.column(name) is None:
            names = [column.name for column in self.table.columns]
            raise ValueError(f"column {name!r} is not in {self.table.keyspace}.{self.table.name}{nearest(name, names)}")
        return name

    def type_of(self, name: str) -> t.CqlType | None:
        """A column's type."""
        column = self.table.column(self.known(name))
        return column.type if column is not None else None

    def column_kind(self, name: str) -> str:
        """A column's role."""
        column = self.table.column(self.known(name))
        return column.kind if column is not None else ""

    def _covering(self) -> None:
        """What rows it touches, and which variables make the partition key."""
        found, table = self.found, self.table
        uses = found.restricted
        partition, clustering = table.of_kind(PARTITION), table.of_kind(CLUSTERING)
        given = [uses.get(column.name) for column in partition]
        key: list[int] = []
        for column in partition:
            key += [
                at for at, one in enumerate(found.variables) if one.column == column.name and one.use in {"key", "in"}
            ][:1]
        found.key = key if len(key) == len(partition) and all(use in {"key", "in"} for use in given) else []
        if any(use not in {"key", "in"} for use in given):
            found.covers = "table"
        elif "in" in uses.values():
            found.covers = "many"
        elif all(uses.get(column.name) == "key" for column in clustering):
            found.covers = "row"
        elif self._only_static():
            found.covers = "partition"
        elif any(column.name in uses for column in clustering):
            found.covers = "range"
        else:
            found.covers = "partition"

    def _only_static(self) -> bool:
        kinds = {self.column_kind(name) for name in self.found.columns} - {PARTITION}
        return bool(kinds) and kinds == {STATIC}


def _split(words: list[Word], at: str) -> list[list[Word]]:
    parts: list[list[Word]] = [[]]
    depth = 0
    for word in words:
        depth += (word.text in {"(", "[", "{"}) - (word.text in {")", "]", "}"})
        if word.text == at and depth == 0:
            parts.append([])
        else:
            parts[-1].append(word)
    return [part for part in parts if part]
