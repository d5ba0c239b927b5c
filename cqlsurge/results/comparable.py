"""Whether runs may be compared: what differs between them that a reader would not expect."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from cqlsurge.errors import UsageError
from cqlsurge.results.document import Document

EVERYTHING = "all"
#: settings that say where results go or how the database is reached, not what is measured
INDIFFERENT = {
    "address", "json", "force", "quiet", "hdr_log", "metrics", "server_metrics", "error_budget", "seed",
    "user", "password_file", "password_env", "tls_ca", "tls_cert", "tls_key", "tls_check_host", "translate", "dc",
    "truncate", "create", "verify", "dask", "hosts", "remote_python",
}  # fmt: skip
FACTS = {
    "engine": ("name", "technique", "driver", "compression"),
    "runtime": ("name",),
    "cluster": ("product", "version", "nodes", "dcs", "shards", "replication", "tls"),
    "host": ("cpu", "cores", "machine"),
}


@dataclass(frozen=True)
class Judged:
    """What differs, as [{name, base, candidate}] with every value seen on a side, and what a reader should know."""

    differences: list[dict[str, Any]]
    warnings: list[str]


def facts_of(document: Document) -> dict[str, Any]:
    """All that should be the same in runs that are compared, by name: a setting's, or group.fact."""
    facts = {name: value for name, value in document["settings"].items() if name not in INDIFFERENT}
    for group, names in FACTS.items():
        facts.update({f"{group}.{name}": document[group].get(name) for name in names})
    facts.update(_workload(document))
    facts["cqlsurge"] = document["version"]
    facts["hosts"] = len(document.get("hosts", []))
    # What the engine turned out to be says more than what was asked for.
    for name in ("engine", "technique", "runtime", "compression"):
        facts.pop(name, None)
    return facts


def _workload(document: Document) -> dict[str, Any]:
    """What is done, by name: the workload, what it is made of, and each of its parameters."""
    told = document.get("workload")
    if told is None:
        return {"workload": None, "param": None, "phases": None, "mix": None}
    facts = {
        "workload": f"{told['name']} {told['fingerprint']}",
        "param": None,
        "phases": document["phase"],
        "mix": ",".join(f"{name}={weight:g}" for name, weight in told["mix"].items()),
    }
    return {**facts, **{f"param.{name}": value for name, value in told["params"].items()}}


def judge_comparable(base: Sequence[Document], candidate: Sequence[Document], allowed: Collection[str] = ()) -> Judged:
    """Finds what differs between the runs. Raises UsageError where that is not allowed.

    `allowed` holds names of settings or facts (`concurrency`, `engine.name`), of whole groups (`engine`), or `all`.
    """
    sides = [[facts_of(document) for document in side] for side in (base, candidate)]
    every = [*sides[0], *sides[1]]
    names = sorted({name for facts in every for name in facts})
    differing = [name for name in names if any(facts.get(name) != every[0].get(name) for facts in every)]
    refused = [] if EVERYTHING in allowed else [name for name in differing if not _covers(allowed, name)]
    found = [
        {"name": name, "base": _values(sides[0], name), "candidate": _values(sides[1], name)} for name in differing
    ]
    if refused:
        first = next(one for one in found if one["name"] == refused[0])
        raise UsageError(
            f"the runs differ in {', '.join(refused)} ({first['name']}: {_text(first['base'])} against "
            f"{_text(first['candidate'])}); to compare them so: --allow-different {','.join(refused)}"
        )
    return Judged(found, _warnings(base, candidate))


def _covers(allowed: Collection[str], name: str) -> bool:
    return name in allowed or name.partition(".")[0] in allowed


def _values(side: Sequence[dict[str, Any]], name: str) -> list[Any]:
    values: list[Any] = []
    for facts in side:
        if facts.get(name) not in values:
            values.append(facts.get(name))
    return values


def _text(values: Sequence[Any]) -> str:
    return " and ".join("unset" if value is None else str(value) for value in values)


def _warnings(base: Sequence[Document], candidate: Sequence[Document]) -> list[str]:
    every = [*base, *candidate]
    warnings = []
    cut = [document["started_at"] for document in every if document["state"] != "done"]
    if cut:
        warnings.append(f"{len(cut)} of {len(every)} runs did not end as asked: {', '.join(cut)}")
    identities = [(document["started_at"], document["operations"].get("issued")) for document in every]
    if len(set(identities)) < len(identities):
        warnings.append("a run is given twice: that makes runs look more alike than they are")
    bound = [document for document in every if document.get("verdict", {}).get("bound_by") == "client"]
    if bound:
        warnings.append(f"in {len(bound)} of {len(every)} runs the client was the limit: they compare clients")
    return warnings
