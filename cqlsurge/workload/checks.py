"""What can be checked of the answers of a statement, and why not the rest; as load/workload/judge.py does it."""

from __future__ import annotations

from cqlsurge.load.workload.expressions import Expr
from cqlsurge.load.workload.spec import CLUSTERING, PARTITION, REGULAR, STATIC, StatementSpec, TableSpec, WorkloadSpec

WRITES = {"insert", "update", "batch", "counter"}


def versioned(tree: Expr) -> bool:
    """Whether a tree's value depends on the version of the row."""
    changing = {"v", "column_function"}
    return any(part.op in changing or (part.op == "word" and "v" in part.data[1]) for part in tree.walk())


def what_is_checked(spec: WorkloadSpec, statement: StatementSpec) -> tuple[list[str], list[str]]:
    """(what of a read is checked, what is not and why), in words."""
    if statement.check == "none":
        return [], ["nothing: it says `check: none`"]
    if not statement.key:
        return [], ["rows: it names no partition, so that which rows come is not known"]
    table = spec.table(statement.table)
    returned = [one.column for one in statement.returns]
    columns = {column.name: column for column in table.columns}
    keys = [name for name in returned if name and columns[name].role in {PARTITION, CLUSTERING}]
    clustering = [column.name for column in table.columns if column.role == CLUSTERING]
    checked: list[str] = []
    unchecked: list[str] = []
    left: list[str] = []
    if keys:
        checked.append("keys")
    if statement.covers in {"partition", "range"} and set(clustering) <= set(returned):
        checked.append("order")
    known = statement.covers == "row" or set(clustering) <= set(returned)
    cells = [name for name in returned if name and columns[name].role in {REGULAR, STATIC}]
    if cells and not known:
        missing = [name for name in clustering if name not in returned]
        return checked, [f"{', '.join(cells)}: without {', '.join(missing)} in the answer rows cannot be told apart"]
    why = _why_not(spec, table, returned)
    for name in cells:
        tree = columns[name].expr
        if tree is None:
            unchecked.append(f"{name}: a counter")
        elif why and versioned(tree) and not (name == table.carrier and "partial" in why):
            left.append(name)
        else:
            checked.append(name)
    if left:
        unchecked.append(f"{', '.join(left)}: {why}")
    unchecked += [f"{one.name}: computed by the server" for one in statement.returns if not one.column]
    return checked, unchecked


def _why_not(spec: WorkloadSpec, table: TableSpec, returned: list[str]) -> str:
    """Why cells that depend on the version cannot be checked, "" where they can."""
    names = {column.name for column in table.columns if column.role in {REGULAR, STATIC}}
    writers = [one for one in spec.statements if one.kind in WRITES and one.table == table.name]
    if any(not one.children and names - set(one.columns) for one in writers):
        return "partial writes leave cells of several versions"
    if table.carrier and table.carrier in returned:
        return ""
    picks = [one.pick for one in writers if one.pick is not None]
    picks += [pick for phase in spec.phases for name, pick in phase.picks if name in {one.name for one in writers}]
    if any(pick.how not in {"next", "sequence", "like"} for pick in picks):
        what = f"{table.carrier} tells the version" if table.carrier else "no column tells the version"
        return f"{what}, and is not in the answer" if table.carrier else what
    return ""
