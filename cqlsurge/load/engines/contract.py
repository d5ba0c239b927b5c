"""The contract of an engine: what it is given, what it must do.

An engine is made for one load process. `open` connects and prepares; `run` carries one phase of load to its end and
may be called again for the next phase; `close` lets everything go. All three run on the process's main thread.

What `run` owes (the contract suite, tests/integration/test_engine_contract.py, holds every engine to it):

- it takes operation numbers from `work.source` in order, and each number becomes exactly one operation;
- closed load (`work.pacer` is None): as soon as one of `work.concurrency` places is free the next operation is due;
  with a pacer: the k-th operation of this process is due at `work.start_ns` + the k-th offset, sent as soon as a place
  is free, and timed from the moment it was due;
- every operation ends in the recorder exactly once: ok, failed or unknown; or it is left in flight when told to stop,
  and then it is given to `recorder.leave`;
- it calls `work.control.poll` whenever `work.control.next_ns` has passed, with the recorder up to date, and when
  `control.stopping` is set it issues nothing more and drains until `control.drain_until_ns` at the latest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from cqlsurge.load.engines.control import Control
from cqlsurge.load.engines.recorder import Recorder
from cqlsurge.load.engines.source import Source
from cqlsurge.load.pacing.schedule import Pacer
from cqlsurge.load.workload.model import Workload


class EngineError(Exception):
    """The engine cannot start or go on; the text is one line that says why and what to do."""


@dataclass(frozen=True)
class Node:
    """One node of the cluster as the control plane saw it. Tokens are signed 64-bit; shards is 0 where it has none.

    certificate_name: what its certificate must bear with TLS; "": its address.
    """

    host_id: str
    address: str
    port: int
    dc: str
    rack: str
    tokens: tuple[int, ...] = ()
    shards: int = 0
    ignore_msb: int = 0
    shard_aware_port: int | None = None
    up: bool = True
    certificate_name: str = ""


@dataclass(frozen=True)
class Target:
    """The database to load: what an engine needs to connect and to route. It holds secrets and is never shown.

    replication: the keyspace's options with its class, as in system_schema.keyspaces; tablets: rows (last token, ((host
    id, shard), ...)) in token order, None where the table has none; tls: keys ca_file, cert_file, key_file,
    key_password, check_hostname, or None for plain TCP; compression: True asks for LZ4.
    """

    contact_points: tuple[tuple[str, int], ...]
    local_dc: str
    keyspace: str
    table: str
    nodes: tuple[Node, ...] = ()
    replication: Mapping[str, str] = field(default_factory=dict)
    tablets: tuple[tuple[int, tuple[tuple[str, int], ...]], ...] | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: Mapping[str, Any] | None = field(default=None, repr=False)
    compression: bool = False
    address_map: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """For a plan: the secrets are in it, so it travels on a pipe only."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Target:
        """The target from a plan's JSON."""
        fields = dict(data)
        fields["contact_points"] = tuple((host, port) for host, port in data["contact_points"])
        fields["nodes"] = tuple(Node(**{**node, "tokens": tuple(node["tokens"])}) for node in data["nodes"])
        if data.get("tablets") is not None:
            fields["tablets"] = tuple(
                (last, tuple((host, shard) for host, shard in replicas)) for last, replicas in data["tablets"]
            )
        return cls(**fields)


@dataclass(frozen=True)
class Setup:
    """What an engine is made from. Options: engine settings by name, such as technique and request_timeout_s.

    host_place: which of its machine's load processes this one is, and how many those are; they share its ports.
    """

    workload: Workload
    target: Target
    options: Mapping[str, Any]
    seed: int = 1
    worker: int = 0
    workers: int = 1
    host_place: tuple[int, int] = (0, 1)


@dataclass
class Work:
    """One phase of load. Times are of time.monotonic_ns() of this process's host.

    workload: may differ from the setup's in mode, never in statements. verify_share: the share of reads whose values
    are checked, 0 to 1. max_backlog: due operations that may wait before further ones are skipped; None: no limit.
    """

    workload: Workload
    source: Source
    recorder: Recorder
    control: Control
    concurrency: int
    start_ns: int
    pacer: Pacer | None = None
    max_backlog: int | None = None
    verify_share: float = 0.0
    spin: bool = True


class Engine:
    """Base of all engines; see the module's text for what each method owes."""

    name = ""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup

    def open(self) -> dict[str, Any]:
        """Connects and prepares; gives facts for the result (connections, compression, driver version, notes).

        Raises EngineError.
        """
        raise AssertionError("an engine must open")

    def run(self, work: Work) -> None:
        """Carries one phase to its end. Raises EngineError where it cannot go on."""
        raise AssertionError("an engine must run")

    def close(self) -> None:
        """Lets connections go; never raises for a dead server."""
