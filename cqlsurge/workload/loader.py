"""A workload file, as text, to its spec. The file is read here and nowhere else."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from cqlsurge.errors import UsageError
from cqlsurge.load.workload.operations import load_functions
from cqlsurge.load.workload.python import Workload
from cqlsurge.load.workload.spec import StatementSpec, WorkloadSpec
from cqlsurge.workload import builtin
from cqlsurge.workload.build import Builder
from cqlsurge.workload.document import Node, Place, nearest, read_text
from cqlsurge.workload.generators import GENERATORS
from cqlsurge.workload.keys import check_keys
from cqlsurge.workload.names import Names, Shared
from cqlsurge.workload.parameters import Range, like_default, value_of
from cqlsurge.workload.phases import PhaseReader, finished
from cqlsurge.workload.population import Population, PopulationReader, check_unused
from cqlsurge.workload.python_file import root_of, run_file
from cqlsurge.workload.schema import FindTable, Schema, read_schema
from cqlsurge.workload.statement_options import Surroundings
from cqlsurge.workload.statements import StatementReader

KEYS = ("workload", "about", "imported", "params", "derived", "schema", "python", "tables", "statements", "phases")


def load_workload(
    text: str,
    name: str,
    params: Mapping[str, str] | None = None,
    *,
    folder: str = "",
    find: FindTable | None = None,
) -> WorkloadSpec:
    """The workload in a text. name: of the file, for errors; params: as `-p` has them; find: asks a server for tables.

    Raises WorkloadError; MissingTable where a table is not in the text and there is no `find`.
    """
    return _Loader(read_text(text, name), name, params or {}, folder, find).load()


def load_file(path: str, params: Mapping[str, str] | None = None, find: FindTable | None = None) -> WorkloadSpec:
    """The workload in a YAML or Python file, or the built-in one of that name. Raises as `load_workload`."""
    if path.endswith(".py"):
        workload, source = run_file(path)
        return load_python(workload, source, params, find)
    if builtin.is_name(path):
        return load_workload(builtin.text_of(path), f"{path}.yaml", params, find=find)
    text, folder = read_file(path)
    return load_workload(text, os.path.basename(path), params, folder=folder, find=find)


def load_python(
    workload: Workload, source: str = "", params: Mapping[str, str] | None = None, find: FindTable | None = None
) -> WorkloadSpec:
    """The workload that objects make. source: the text of the file that made them, for functions of columns."""
    loader = _Loader(root_of(workload), workload.file, params or {}, str(Path(workload.file).parent), find)
    if workload.functions:
        loader.helper = ("workload", source or Path(workload.file).read_text(encoding="utf-8"))
        loader.shared.functions.update(workload.functions)
    return loader.load()


def read_file(path: str) -> tuple[str, str]:
    """(text, folder) of a workload file. Raises UsageError."""
    try:
        return Path(path).read_text(encoding="utf-8"), str(Path(path).parent)
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise UsageError(
            f"--workload {path}: {why}; `cqlsurge workload list` tells which come with the package"
        ) from error


class _Loader:
    def __init__(self, root: Node, name: str, params: Mapping[str, str], folder: str, find: FindTable | None) -> None:
        self.root = root
        self.helper = ("", "")
        self.file, self.given, self.folder, self.find = name, params, folder, find
        self.shared = Shared()
        self.params: dict[str, Any] = {}
        self.schema = Schema()
        self.populations: dict[str, Population] = {}
        self._reading: list[str] = []

    def load(self) -> WorkloadSpec:
        entries = self.root.known(KEYS, "a workload")
        for key in ("statements", "phases"):
            if key not in entries:
                self.root.fail(f"a workload needs `{key}:`")
        self._params(entries.get("params"))
        self._python(entries.get("python"))
        self._derived(entries.get("derived"))
        self.schema = read_schema(entries.get("schema"), self.params, self.find)
        self.shared.user_types = self.schema.parsed_types
        self.tables = entries["tables"].mapping("`tables`") if "tables" in entries else {}
        for name in self.tables:
            self.population(name, entries["tables"].keys[name])
        statements, phases, complete = self._statements_and_phases(entries)
        for population in self.populations.values():
            check_unused(population)
            check_keys(population, population.spec or population.finish(), self.shared)
        spec = WorkloadSpec(
            name=entries["workload"].scalar("a name") if "workload" in entries else Path(self.file).stem,
            tables=tuple(population.spec for population in self.populations.values() if population.spec is not None),
            statements=tuple(statements.values()),
            phases=tuple(phases),
            about=entries["about"].scalar("a text") if "about" in entries else "",
            params=tuple((key, _told(value)) for key, value in self.params.items()),
            user_types=tuple(self.schema.user_types),
            distributions=tuple(self.shared.distributions),
            values=tuple(self.shared.values),
            python=self.helper,
            schema=tuple(self.schema.statements),
        )
        return finished(spec, complete)

    # -- parameters ---------------------------------------------------------------------------------------------------

    def _params(self, node: Node | None) -> None:
        defaults = node.mapping("`params`") if node is not None else {}
        for name, value in defaults.items():
            if not name.isidentifier() or name in {"p", "r", "v"}:
                assert node is not None
                node.keys[name].fail(f"{name!r} cannot be a parameter's name: letters, digits and _, and not p, r or v")
            if value.items is not None:
                self.params[name] = [value_of(one.scalar("a value")) for one in value.items]
            else:
                text = value.scalar("a value")
                self.params[name] = text if value.quoted else value_of(text)
        for name, text in self.given.items():
            if name not in self.params:
                raise UsageError(
                    f"-p {name}={text}: the workload has no parameter {name!r}{nearest(name, self.params)}"
                )
            try:
                self.params[name] = like_default(text, self.params[name])
            except ValueError as error:
                raise UsageError(f"-p {name}={text}: {error}") from error

    def _derived(self, node: Node | None) -> None:
        for name, value in (node.mapping("`derived`") if node is not None else {}).items():
            assert node is not None
            if name in self.params or not name.isidentifier() or name in {"p", "r", "v"}:
                node.keys[name].fail(f"{name!r} is a parameter already, or no name")
            builder = Builder(Names(self.params, {}, self.shared, {}), GENERATORS, "", "p")
            tree = builder.node(value, None)
            if tree.op != "const":
                value.fail("what is derived is one value, from numbers and parameters")
            self.params[name] = tree.data

    def _python(self, node: Node | None) -> None:
        if node is None:
            return
        path = Path(self.folder, node.scalar("a Python file"))
        try:
            source = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            node.fail(f"{path}: {getattr(error, 'strerror', None) or error}")
        module = path.stem
        if not module.isidentifier():
            node.fail(f"{module!r} is no module name: letters, digits and _")
        try:
            self.shared.functions.update(load_functions(module, source))
        except Exception as error:
            line = getattr(error, "lineno", None)
            node.fail(f"{path}{f':{line}' if line else ''}: {type(error).__name__}: {error}")
        if self.helper[0]:
            node.fail("functions of columns and a helper file do not go together: put all into the Python file")
        self.helper = (module, source)

    # -- tables -------------------------------------------------------------------------------------------------------

    def population(self, name: str, place: Place) -> Population:
        """The population of a table, read when it is first asked for."""
        table = self.schema.table(name, place)
        full = f"{table.keyspace}.{table.name}"
        if full in self.schema.base:
            base = self.schema.base[full]
            place.fail(f"{full} is a view: what is in it follows from {base}")
        if full in self.populations:
            return self.populations[full]
        if full in self._reading:
            place.fail(f"{full} is like itself: {' -> '.join([*self._reading, full])}")
        self._reading.append(full)
        self.shared.user_types = self.schema.parsed_types
        node = self.tables.get(full) or self.tables.get(table.name)
        columns: dict[str, Callable[[Place], Any]] = {}
        names = Names(self.params, columns, self.shared, table=full, folder=self.folder)
        population = Population(table, node, node.place if node is not None else place, names, streams=full)
        for column in table.columns:
            if not column.is_counter:
                columns[column.name] = lambda at, column=column.name: population.tree(column, at)  # type: ignore[misc]
        PopulationReader(population).read(self.population)
        self._reading.pop()
        self.populations[full] = population
        population.finish()
        return population

    # -- statements and phases ----------------------------------------------------------------------------------------

    def _statements_and_phases(self, entries: dict[str, Node]) -> tuple[dict[str, StatementSpec], list[Any], list[str]]:
        nodes = entries["statements"].mapping("`statements`")
        names = Names(self.params, {}, self.shared, folder=self.folder)
        around = Surroundings(names, self.schema, self.population, list(nodes))
        statements = {name: StatementReader(around, name, node).read() for name, node in nodes.items()}
        self._check_likes(statements, nodes)
        phases, complete = [], []
        for name, node in entries["phases"].mapping("`phases`").items():
            reader = PhaseReader(around, name, node, statements)
            phases.append(reader.read())
            if reader.all:
                complete.append(name)
        if not phases:
            entries["phases"].fail("a workload has at least one phase")
        return statements, phases, complete

    def _check_likes(self, statements: dict[str, StatementSpec], nodes: dict[str, Node]) -> None:
        for name, statement in statements.items():
            if statement.pick is not None and statement.pick.how == "like":
                other = statements[statement.pick.of]
                if other.table != statement.table:
                    nodes[name].fail(f"like({other.name}): that is of another table, {other.table}")


def _told(value: Any) -> Any:
    return str(value) if isinstance(value, Range) else tuple(value) if isinstance(value, list) else value


def with_consistency(spec: WorkloadSpec, level: str) -> WorkloadSpec:
    """The workload with the level that the command line gives for all phases that name none."""
    return replace(spec, phases=tuple(replace(one, consistency=one.consistency or level) for one in spec.phases))
