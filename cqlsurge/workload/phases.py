"""The `phases` of a file: which statements, how many, how fast."""

from __future__ import annotations

import re
from dataclasses import replace

from cqlsurge.conditions import condition
from cqlsurge.load.pacing.notation import parse as parse_rate
from cqlsurge.load.workload.mix import Mix
from cqlsurge.load.workload.picks import Picker
from cqlsurge.load.workload.spec import PhaseSpec, PickSpec, StatementSpec, WorkloadSpec
from cqlsurge.settings import CONSISTENCIES
from cqlsurge.units import parse_share
from cqlsurge.workload import sampling
from cqlsurge.workload.build import Builder
from cqlsurge.workload.document import Node, Place, nearest
from cqlsurge.workload.generators import GENERATORS
from cqlsurge.workload.names import Names
from cqlsurge.workload.parameters import duration_s
from cqlsurge.workload.statement_options import Surroundings, pick_reader

KEYS = (
    "mix", "pick", "operations", "duration", "rate", "concurrency", "warmup", "consistency", "runs", "count", "latency",
    "expect", "stop_if",
)  # fmt: skip
MOST_STATEMENTS = 31
_CONDITION = re.compile(r"\s*(<=|>=|<|>|=)?\s*([0-9.]+\s*(?:%|[a-zA-Z]+)?)\s*\Z")


class PhaseReader:
    """Reads one phase. `all`: filled in by `finished`, when the whole workload is known."""

    def __init__(self, around: Surroundings, name: str, node: Node, statements: dict[str, StatementSpec]) -> None:
        self.around, self.name, self.node, self.statements = around, name, node, statements
        self.entries: dict[str, Node] = {}
        self.all = False

    def read(self) -> PhaseSpec:
        """The phase, its operations still open where they are `all`."""
        node = self.node
        if node.entries is not None and "table" in node.entries:
            return self._verify()
        self.entries = node.known(KEYS, f"phase {self.name!r}")
        if "mix" not in self.entries:
            node.fail("a phase needs `mix: statement` or `mix: {statement: weight, ...}`")
        mix = self._mix(self.entries["mix"])
        return PhaseSpec(
            self.name,
            mix,
            self._picks(mix),
            operations=self._operations(),
            duration_s=self._seconds("duration"),
            rate=self._rate(),
            concurrency=self._number("concurrency", 1, 32_768),
            warmup_s=self._seconds("warmup"),
            consistency=self._choice("consistency", CONSISTENCIES),
            runs=self._runs(),
            count=self._choice("count", ("operations", "partitions")) or "operations",
            latency=self._choice("latency", ("service", "response")),
            expect=self._conditions("expect", mix),
            stop_if=self._conditions("stop_if", mix),
        )

    def _verify(self) -> PhaseSpec:
        entries = self.node.known(["table", "sample"], f"phase {self.name!r}")
        place = entries["table"].place
        population = self.around.population(entries["table"].scalar("a table"), place)
        share = 1.0
        if "sample" in entries:
            try:
                share = parse_share(entries["sample"].scalar("a share"))
            except ValueError as error:
                entries["sample"].fail(str(error))
        return PhaseSpec(self.name, verify=((population.full_name, share),))

    def _mix(self, node: Node) -> tuple[tuple[str, float], ...]:
        if node.entries is None:
            return ((self._statement(node.scalar("a statement"), node.place), 1.0),)
        mix = []
        for name, weight in node.entries.items():
            self._statement(name, node.keys[name])
            mix.append((name, self._weight(weight)))
        if len(mix) > MOST_STATEMENTS:
            node.fail(f"{len(mix)} statements; a phase has {MOST_STATEMENTS} at the most")
        if not any(weight for _, weight in mix):
            node.fail("all weights are 0: give at least one more")
        return tuple(mix)

    def _weight(self, node: Node) -> float:
        names = Names(self.around.names.params, {}, self.around.names.shared, {})
        tree = Builder(names, GENERATORS, "", "p").text(node.scalar("a weight"), node.place, None)
        if tree.op != "const" or not isinstance(tree.data, (int, float)) or isinstance(tree.data, bool):
            node.fail("a weight is a number")
        if tree.data < 0:
            node.fail(f"a weight of {tree.data}; 0 or more")
        return float(tree.data)

    def _statement(self, name: str, place: Place) -> str:
        if name not in self.statements:
            place.fail(f"statement {name!r} is not known{nearest(name, self.statements)}")
        return name

    def _picks(self, mix: tuple[tuple[str, float], ...]) -> tuple[tuple[str, PickSpec], ...]:
        node = self.entries.get("pick")
        if node is None:
            return ()
        if node.entries is None or set(node.entries) <= {"partition", "row"}:
            node.fail("`pick` says for which statement: {read: zipf(0.99)}, or {any: uniform}")
        mixed = [name for name, _ in mix]
        picks = []
        for name, given in node.entries.items():
            if name != "any" and name not in mixed:
                node.keys[name].fail(f"statement {name!r} is not in the mix{nearest(name, [*mixed, 'any'])}")
            # `any` may be of several tables: a distribution over partitions is one of each table's own.
            for one in mixed if name == "any" else [name]:
                if name == "any" and (one in node.entries or self.statements[one].pick is not None):
                    continue
                population = self.around.population(self.statements[one].table, given.place)
                picks.append((one, pick_reader(self.around, population).read(given)))
        return tuple(picks)

    def _operations(self) -> int:
        node = self.entries.get("operations")
        if node is not None and node.text == "all":
            self.all = True
            return 0
        return self._number("operations", 1, 1 << 60)

    def _number(self, key: str, least: int, most: int) -> int:
        node = self.entries.get(key)
        if node is None:
            return 0
        names = Names(self.around.names.params, {}, self.around.names.shared, {})
        tree = Builder(names, GENERATORS, "", "p").text(node.scalar("a number"), node.place, None)
        if tree.op != "const" or not isinstance(tree.data, int) or isinstance(tree.data, bool):
            node.fail("a whole number is wanted here" + (", or all" if key == "operations" else ""))
        if not least <= tree.data <= most:
            node.fail(f"{tree.data} is not between {least} and {most:,}")
        return tree.data

    def _seconds(self, key: str) -> float:
        node = self.entries.get(key)
        if node is None:
            return 0.0
        text = node.scalar("a time such as 5m")
        value = self.around.names.params.get(text)
        seconds = duration_s(text) if value is None else float(value)
        if seconds is None or (seconds <= 0 and key == "duration"):
            node.fail(f"{text!r} is no time: write 30s, 5m or 1h")
        return seconds

    def _rate(self) -> str:
        node = self.entries.get("rate")
        if node is None:
            return ""
        text = node.scalar("a rate")
        text = str(self.around.names.params.get(text, text))
        try:
            parse_rate(text)
        except ValueError as error:
            node.fail(str(error))
        return text

    def _choice(self, key: str, choices: tuple[str, ...]) -> str:
        node = self.entries.get(key)
        if node is None:
            return ""
        text = node.scalar(f"one of {', '.join(choices)}")
        found = next((choice for choice in choices if choice == text or choice == text.upper()), None)
        if found is None:
            node.fail(f"{text!r} is none of {', '.join(choices)}{nearest(text, choices)}")
        return found

    def _runs(self) -> tuple[int, ...]:
        node = self.entries.get("runs")
        if node is None:
            return (1,)
        names = Names(self.around.names.params, {}, self.around.names.shared, {})
        tree = Builder(names, GENERATORS, f"{self.name}/runs", "p").text(
            node.scalar("a distribution"), node.place, None
        )
        shared = self.around.names.shared
        if tree.op == "const" and isinstance(tree.data, int) and tree.data >= 1:
            return (tree.data,)
        if tree.op == "sample" and tree.kind == "int":
            counts = sampling.quantiles(shared.distributions[tree.data])
        elif tree.op == "range":
            counts = sampling.quantiles(sampling.uniform_range(tree.data[0], tree.data[0] + tree.data[1] - 1))
        else:
            node.fail("runs are a number or a distribution of whole numbers, such as gaussian(1..10)")
        if min(counts) < 1 or max(counts) > 1000:
            node.fail(f"runs of {min(counts)} to {max(counts)} operations; from 1 to 1000")
        return counts

    def _conditions(self, key: str, mix: tuple[tuple[str, float], ...]) -> tuple[tuple[str, str, str], ...]:
        node = self.entries.get(key)
        if node is None:
            return ()
        conditions = []
        for figure, value in node.mapping(f"`{key}`").items():
            known = [*[name for name, _ in mix], "all"]
            statement = figure.rpartition(".")[0]
            if statement and statement not in known:
                node.keys[figure].fail(f"statement {statement!r} is not in the mix{nearest(statement, known)}")
            found = _CONDITION.match(value.scalar("a value such as '> 10ms'"))
            if found is None:
                value.fail(f"{value.text!r} is no condition: write '> 10ms', '< 0.1%' or 100%")
            written = (figure, found[1] or "=", found[2].replace(" ", ""))
            try:
                condition(*written)
            except ValueError as error:
                node.keys[figure].fail(str(error))
            conditions.append(written)
        return tuple(conditions)


def finished(spec: WorkloadSpec, complete: list[str], seed: int = 1) -> WorkloadSpec:
    """The workload with what each phase must know of those before it, and with the numbers of those that do `all`."""
    phases: list[PhaseSpec] = []
    rounds: dict[str, int] = {}
    loaded: list[str] = []
    for phase in spec.phases:
        phase = replace(phase, before=tuple(sorted(rounds.items())), loaded=tuple(loaded))
        written = _walked(spec, phase)
        if phase.name in complete:
            phase = replace(phase, whole=True, operations=_operations_of_all(spec, phase, seed))
            loaded += [table for table in written if table not in loaded]
        for table in written:
            rounds[table] = rounds.get(table, 0) + 1
        phases.append(phase)
    return replace(spec, phases=tuple(phases))


def _walked(spec: WorkloadSpec, phase: PhaseSpec) -> list[str]:
    """The tables that a phase writes row by row in order."""
    found: list[str] = []
    mix = Mix([weight for _, weight in phase.mix] or [1.0], 1, phase.name)
    for name, weight in phase.mix:
        statement = spec.statement(name)
        if weight and statement.kind in {"insert", "update", "batch"}:
            picker = Picker(spec, phase, statement, 1, mix)
            if picker.pick_spec.how in {"next", "sequence"}:
                found += [child.table for child in statement.children] or [statement.table]
    return list(dict.fromkeys(found))


def _operations_of_all(spec: WorkloadSpec, phase: PhaseSpec, seed: int) -> int:
    """How many operations it takes until each statement that walks has been through its table once."""
    mix = Mix([weight for _, weight in phase.mix], seed, phase.name, phase.runs)
    most = 0
    for kind, (name, weight) in enumerate(phase.mix):
        if not weight:
            continue
        picker = Picker(spec, phase, spec.statement(name), seed, mix)
        if picker.pick_spec.how == "next":
            most = max(most, mix.number_of(kind, picker.walk.total - 1) + 1)
        elif picker.pick_spec.how == "sequence":
            most = max(most, picker.places)
    return most or 1
