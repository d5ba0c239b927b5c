"""Workloads written in Python: objects that collect what a file would say, each thing with the line that said it.

This runs in the parent, which reads the objects as it reads a file, and in load processes, where only the functions of
columns matter; so it needs nothing but the standard library.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Any, Callable

#: generators that are written as functions here; `exp` and the like are words of expressions
GENERATORS = (
    "uniform", "gaussian", "exp", "extreme", "zipf", "seq", "hotspot", "histogram", "choice", "boolean", "maybe",
    "null", "text", "ascii", "hex", "words", "word", "lorem", "name", "first_name", "last_name", "city", "email",
    "blob", "file", "uuid", "timeuuid", "date", "time", "timestamp", "duration", "inet", "inet6", "decimal", "varint",
    "list_of", "set_of", "map_of", "vector", "tuple_of", "any_row", "written", "like",
)  # fmt: skip
_NAMES = {"list_of": "list", "set_of": "set", "map_of": "map", "tuple_of": "tuple"}


class Expression(str):
    """The text of an expression."""

    __slots__ = ()


def expr(text: str) -> Expression:
    """An expression as it is written in a file."""
    return Expression(text)


class Parameter(Expression):
    """A parameter of a workload, by its name."""

    __slots__ = ()


def text_of(value: Any) -> str:
    """A value as it stands in an expression."""
    if isinstance(value, Expression):
        return str(value)
    if isinstance(value, range):
        return f"{value.start}..{value.stop - 1}"
    if isinstance(value, tuple):
        return f"({', '.join(map(text_of, value))}{',' if len(value) == 1 else ''})"
    return repr(value)


def _generator(name: str) -> Callable[..., Expression]:
    written = _NAMES.get(name, name)

    def generate(*args: Any, **named: Any) -> Expression:
        parts = [text_of(arg) for arg in args] + [f"{key}={text_of(value)}" for key, value in named.items()]
        return Expression(f"{written}({', '.join(parts)})")

    generate.__name__ = name
    generate.__doc__ = f"The generator `{written}` of expressions."
    return generate


@dataclass(frozen=True)
class Said:
    """Something that the file would say, and where it was said in Python. value: text, list, or dict of Said."""

    value: Any
    file: str
    line: int


def said(value: Any, depth: int = 2) -> Said:
    """A value with the place that called the caller."""
    frame = sys._getframe(depth)
    return _said(value, frame.f_code.co_filename, frame.f_lineno)


def _said(value: Any, file: str, line: int) -> Said:
    if isinstance(value, Said):
        return value
    if isinstance(value, (Statement, Table)):
        value = value.name
    if isinstance(value, dict):
        pairs = {(key.name if isinstance(key, (Statement, Table)) else str(key)): one for key, one in value.items()}
        return Said({key: _said(one, file, line) for key, one in pairs.items()}, file, line)
    if isinstance(value, (list, tuple)):
        return Said([_said(one, file, line) for one in value], file, line)
    if isinstance(value, bool):
        return Said(str(value).lower(), file, line)
    return Said(value if isinstance(value, str) else text_of(value), file, line)


@dataclass(frozen=True)
class Table:
    """A table of a workload, by name."""

    name: str


@dataclass(frozen=True)
class Statement:
    """A statement of a workload, by name."""

    name: str


@dataclass
class Workload:
    """A workload in Python. Further keywords are its parameters: `w.keys` stands for the parameter in expressions."""

    name: str
    entries: dict[str, Any] = field(default_factory=dict)
    functions: dict[str, Callable[..., Any]] = field(default_factory=dict)

    def __init__(self, name: str, about: str = "", **params: Any) -> None:
        self.name, self.entries, self.functions = name, {"workload": said(name)}, {}
        frame = sys._getframe(1)
        self.file = frame.f_code.co_filename
        if about:
            self.entries["about"] = said(about)
        if params:
            self.entries["params"] = said(params)

    def __getattr__(self, name: str) -> Parameter:
        for key in ("params", "derived"):
            if name in getattr(self.__dict__.get("entries", {}).get(key), "value", {}):
                return Parameter(name)
        raise AttributeError(f"the workload has no parameter {name!r}")

    def _put(self, key: str, name: str, value: Said) -> None:
        section = self.entries.get(key) or Said({}, value.file, value.line)
        self.entries[key] = Said({**section.value, name: value}, section.file, section.line)

    def derived(self, **values: Any) -> None:
        """Values from parameters, computed once."""
        for name, value in values.items():
            self._put("derived", name, said(value))

    def schema(self, cql: str) -> None:
        """Statements that make the schema; again and again adds to it."""
        before = self.entries.get("schema")
        text = f"{before.value.rstrip().rstrip(';')};\n{cql}" if before is not None else cql
        self.entries["schema"] = said(text)

    def table(self, name: str, **more: Any) -> Table:
        """A table: partitions, rows, columns and the other keys of a file."""
        self._put("tables", name, said(more))
        return Table(name)

    def column(self, table: Table, name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Decorates a pure function of (p, r, v, words) that gives the column's values."""
        place = said("")

        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            key = f"{table.name}.{name}"
            self.functions[key] = function
            given = self.entries["tables"].value[table.name]
            columns = given.value.get("columns", Said({}, place.file, place.line))
            call = Said(f"column_function({key!r})", place.file, place.line)
            columns = Said({**columns.value, name: call}, columns.file, columns.line)
            self._put("tables", table.name, Said({**given.value, "columns": columns}, given.file, given.line))
            return function

        return decorate

    def statement(self, name: str, cql: str = "", **more: Any) -> Statement:
        """A statement: its CQL, and the other keys of a file (`with_` for `with`)."""
        keys = {key.rstrip("_"): value for key, value in more.items()}
        self._put("statements", name, said({"cql": cql, **keys} if cql else keys))
        return Statement(name)

    def insert(self, name: str, table: Table, **more: Any) -> Statement:
        """A statement that inserts whole rows of a table."""
        self._put("statements", name, said({"insert": table.name, **more}))
        return Statement(name)

    def phase(self, name: str, **more: Any) -> None:
        """A phase: mix, pick, operations, duration, rate and the other keys of a file."""
        self._put("phases", name, said(more))


NAMES: dict[str, Any] = {
    "Workload": Workload,
    "Table": Table,
    "Statement": Statement,
    "expr": expr,
    **{name: _generator(name) for name in GENERATORS},
}
