"""What all statements may say beside what they are: pick, consistency, pages, timestamps, outcomes, checks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from cqlsurge.load.cql import types as t
from cqlsurge.load.workload.spec import PickSpec, StatementSpec
from cqlsurge.settings import CONSISTENCIES
from cqlsurge.workload.build import Builder
from cqlsurge.workload.document import Node, Place, nearest
from cqlsurge.workload.generators import GENERATORS
from cqlsurge.workload.names import Names
from cqlsurge.workload.parameters import duration_s
from cqlsurge.workload.picks import PickReader
from cqlsurge.workload.population import Population
from cqlsurge.workload.schema import Schema

SERIAL = ("SERIAL", "LOCAL_SERIAL")
MOST_PAGES = 1 << 30
FindPopulation = Callable[[str, Place], Population]


@dataclass(frozen=True)
class Surroundings:
    """What statements are read in: the parameters' names, the schema, the tables, the names of all statements."""

    names: Names
    schema: Schema
    population: FindPopulation
    statements: list[str]


class OptionReader:
    """Reads the options of one statement: `entries` are what its mapping holds."""

    def __init__(self, around: Surroundings, name: str, node: Node) -> None:
        self.around, self.name, self.node = around, name, node
        self.entries: dict[str, Node] = {}

    def number(self, node: Node, least: int, most: int) -> int:
        """A whole number, from parameters too."""
        names = Names(self.around.names.params, {}, self.around.names.shared, {})
        tree = Builder(names, GENERATORS, "", "p").text(node.scalar("a number"), node.place, t.BIGINT)
        if tree.op != "const" or not isinstance(tree.data, int):
            node.fail("a number or a parameter is wanted here")
        if not least <= tree.data <= most:
            node.fail(f"{tree.data} is not between {least} and {most:,}")
        return tree.data

    def flag(self, key: str) -> bool:
        """Whether a key says true."""
        node = self.entries.get(key)
        if node is None:
            return False
        text = node.scalar("true or false")
        if text not in {"true", "false"}:
            node.fail(f"{text!r} is neither true nor false")
        return text == "true"

    def choice(self, key: str, choices: tuple[str, ...]) -> str:
        """A consistency level, "" where there is none."""
        node = self.entries.get(key)
        if node is None:
            return ""
        text = node.scalar(f"one of {', '.join(choices)}").upper()
        if text not in choices:
            node.fail(f"{node.text!r} is no consistency level{nearest(text, choices)}")
        return text

    def options(self, spec: StatementSpec) -> StatementSpec:
        """The statement with its options."""
        entries = self.entries
        population = self.around.population(spec.table, self.node.place)
        pick: PickSpec | None = None
        if "pick" in entries:
            pick = pick_reader(self.around, population).read(entries["pick"])
        spec = replace(
            spec,
            pick=pick,
            consistency=self.choice("consistency", CONSISTENCIES),
            serial_consistency=self.choice("serial_consistency", SERIAL),
            page_size=self.number(entries["page_size"], 1, 1 << 31) if "page_size" in entries else 0,
            pages=self._pages(spec),
            timestamp=self._timestamp(spec),
            not_applied=self._outcomes(),
            check=self._check(spec),
            timeout_s=self._seconds("timeout"),
            split=self.number(entries["split"], 1, 65_535) if "split" in entries else 0,
        )
        if "prepared" in entries:
            spec = replace(spec, prepared=self.flag("prepared"))
        if "idempotent" in entries:
            if self.flag("idempotent") and (spec.kind == "counter" or spec.conditional):
                entries["idempotent"].fail(
                    "counters and conditional statements are not idempotent: sent twice they differ"
                )
            spec = replace(spec, idempotent=self.flag("idempotent"))
        if spec.serial_consistency and not spec.conditional:
            entries["serial_consistency"].fail("a serial consistency goes with IF; this statement has none")
        return spec

    def _pages(self, spec: StatementSpec) -> int:
        node = self.entries.get("pages")
        if node is None:
            return spec.pages
        if spec.kind != "select":
            node.fail("pages are of reads")
        return 0 if node.text == "all" else self.number(node, 1, MOST_PAGES)

    def _timestamp(self, spec: StatementSpec) -> str:
        node = self.entries.get("timestamp")
        if node is None:
            return "now"
        text = node.scalar("operation, now or server")
        if any(bind.name == "timestamp" or bind.name == "[timestamp]" for bind in spec.binds):
            return "server"  # the statement binds it itself
        if text not in {"operation", "now", "server"}:
            node.fail(f"{text!r}: a timestamp is operation, now or server; another goes into USING TIMESTAMP :name")
        if spec.kind == "select":
            node.fail("a timestamp is of writes")
        if text != "server" and (spec.conditional or spec.kind == "counter"):
            node.fail("conditional statements and counters have the server's timestamps: leave it away")
        return text

    def _outcomes(self) -> str:
        node = self.entries.get("outcomes")
        if node is None:
            return "ok"
        entries = node.known(["not_applied"], "`outcomes`")
        if "not_applied" not in entries:
            return "ok"
        text = entries["not_applied"].scalar("ok or error")
        if text not in {"ok", "error"}:
            entries["not_applied"].fail(f"{text!r}: what is not applied is `ok` or `error`")
        return text

    def _check(self, spec: StatementSpec) -> str:
        node = self.entries.get("check")
        if node is None:
            return ""
        if node.entries is None:
            text = node.scalar("none, or {contains: column}")
            if text != "none":
                node.fail(f"{text!r}: a check is `none` or {{contains: column}}")
            return text
        entries = node.known(["contains"], "`check`")
        column = entries["contains"].scalar("a column")
        known = [one.column for one in spec.returns if one.column]
        if column not in known:
            entries["contains"].fail(
                f"column {column!r} is not among what the statement returns{nearest(column, known)}"
            )
        return f"contains:{column}"

    def _seconds(self, key: str) -> float:
        node = self.entries.get(key)
        if node is None:
            return 0.0
        seconds = duration_s(node.scalar("a time such as 500ms"))
        if not seconds:
            node.fail(f"{node.text!r} is no time: write 500ms, 2s or 1m")
        return seconds


def pick_reader(around: Surroundings, population: Population) -> PickReader:
    """What reads the picks of a table's statements."""
    spec = population.spec or population.finish()
    return PickReader(around.names, spec, population.seeds_from, around.statements)
