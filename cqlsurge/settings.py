"""The settings of a run: each declared once, with its default, unit and help; checked here; free of secrets.

The command line, the Python API and `--from RUN.json` all make this one object. Passwords are named by file or
environment variable and read only when a connection is made, so a Settings can be shown and stored whole.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cqlsurge.errors import UsageError
from cqlsurge.load.outcomes.policy import BACKOFF, RETRY, parse_policies
from cqlsurge.load.workload.kv import MODES
from cqlsurge.options import (
    Option,
    budget,
    checked,
    figure_condition,
    goal,
    hosts,
    listen,
    needs_of,
    option,
    parameter,
    policies,
    value_size,
    weights,
)
from cqlsurge.units import parse_count, parse_duration_s, parse_share, positive_count, positive_s

CONSISTENCIES = (
    "ANY", "ONE", "TWO", "THREE", "QUORUM", "ALL", "LOCAL_QUORUM", "EACH_QUORUM", "LOCAL_ONE",
)  # fmt: skip
DEFAULT_DC = "datacenter1"
DEFAULT_OPERATIONS = 1_000_000
#: with a rate, operations in flight follow the rate up to this many in each process
RATE_CONCURRENCY = 16_384
STREAM_IDS = 32_768
NO_ADDRESS = "without an ADDRESS Cassandra starts here on loopback, where other hosts cannot reach it: give an ADDRESS"
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,47}\Z")

#: operations in flight in each process where a workload does not say
WORKLOAD_CONCURRENCY = 64

GROUPS = (
    "What to do",
    "How hard",
    "The database",
    "Security",
    "How it is done",
    "More than one host",
    "Errors",
    "Results",
)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings of one run. Fields are named as the options are; None means what the option's help says."""

    address: str | None = None

    # What to do
    workload: Any = option(  # noqa: RUF009
        None,
        "what to do: a YAML or Python file, or one that comes along (`cqlsurge workload list`); without it rows `key "
        "uuid, value blob` are written or read as the options below say",
        "What to do",
        metavar="FILE|NAME",
        objects=True,
    )
    param: tuple[str, ...] = option(
        (), "value of a parameter of the workload, again and again (default: what its file says)", "What to do",
        parse=parameter, flag="-p", metavar="NAME=VALUE", repeated=True,
    )  # fmt: skip
    phases: str | None = option(
        None, "phases of the workload to run (default: all, in their order)", "What to do", metavar="NAME,..."
    )
    mix: str | None = option(
        None, "statements and weights of the last phase instead of its own: read=80,write=20", "What to do",
        parse=weights, metavar="NAME=WEIGHT,...",
    )  # fmt: skip
    mode: str = option("write", "what each operation does", "What to do", choices=MODES)
    operations: int | None = option(
        None, "operations in total (default 1M; none when only --duration is given)", "What to do", parse=positive_count
    )
    duration: float | None = option(
        None, "time to run after warm-up; with --operations, the first reached ends the run", "What to do",
        parse=positive_s, metavar="TIME",
    )  # fmt: skip
    warmup: float = option(
        0.0, "time at the start that counts in operations but in no figure (default 0)", "What to do",
        parse=parse_duration_s, metavar="TIME",
    )  # fmt: skip
    until: str | None = option(
        None,
        'end the run once a percentile is known so well: "p99 +- 2%%" (of the headline latency, 95%% confidence, 10 s '
        "at least); --operations and --duration still end it too",
        "What to do",
        parse=goal,
        metavar="GOAL",
    )
    expect: tuple[str, ...] = option(
        (),
        'what a figure of the run shall be, else exit code 1; again and again: "read.p99 < 10ms", "errors < 0.1%%" '
        "(default: nothing)",
        "What to do",
        parse=figure_condition,
        metavar="CONDITION",
        repeated=True,
    )
    stop_if: tuple[str, ...] = option(
        (), 'end the run, with exit code 1, once a figure is so: "p99 > 1s" (default: never)', "What to do",
        parse=figure_condition, metavar="CONDITION", repeated=True,
    )  # fmt: skip
    blob_size: int = option(1_000, "size of each value in bytes (default 1_000)", "What to do", parse=value_size)
    read_ratio: float = option(
        0.5, "share of reads in mixed mode, 0 to 1 (default 0.5)", "What to do", parse=parse_share
    )
    keys: int | None = option(
        None, "population of keys (default: as many as operations)", "What to do", parse=positive_count
    )
    key_offset: int = option(0, "first key of the population (default 0)", "What to do", parse=parse_count)
    populate: bool = option(True, "write the population before a mixed run (default on)", "What to do", on_off=True)
    fill: str = option(
        "random", "what values are made of: random bytes do not shrink, text does", "What to do",
        choices=("random", "text"),
    )  # fmt: skip
    seed: int = option(1, "what keys, values and draws depend on (default 1)", "What to do", parse=parse_count)
    verify: str | None = option(
        None, "check what every read returns; a run's result file names writes that may be missing", "What to do",
        metavar="RUN.json", optional_value="",
    )  # fmt: skip
    verify_share: float = option(
        1.0, "share of the reads that --verify checks, 0 to 1 (default 1)", "What to do", parse=parse_share
    )

    # How hard
    concurrency: int | None = option(
        None, "operations in flight per process (default 1, of a workload 64; with --rate an upper limit)", "How hard",
        parse=positive_count,
    )  # fmt: skip
    processes: int | None = option(
        None, "load processes, on each host (default: the cores that may be used)", "How hard", parse=positive_count
    )
    rate: str | None = option(
        None, "operations per second asked for in total: 50k, or a shape (see below)", "How hard", metavar="RATE"
    )
    arrivals: str = option("constant", "how asked operations arrive", "How hard", choices=("constant", "poisson"))
    max_backlog: int | None = option(
        None, "due operations that may wait in each process before further ones are skipped (default: no limit)",
        "How hard", parse=positive_count,
    )  # fmt: skip

    # The database
    dc: str | None = option(
        None, f"data centre to send to (default {DEFAULT_DC}, or the cluster's only one)", "The database"
    )
    keyspace: str = option("test", "keyspace (default test)", "The database")
    table: str = option("kv", "table (default kv)", "The database")
    consistency: str = option(
        "LOCAL_QUORUM", "consistency level (default LOCAL_QUORUM)", "The database",
        parse=str.upper, choices=CONSISTENCIES, metavar="LEVEL",
    )  # fmt: skip
    replication: str = option(
        "1", "replication of a keyspace that is created: a factor, or dc1:3,dc2:2 (default 1)", "The database"
    )
    create: bool = option(True, "create keyspace and table where absent (default on)", "The database", on_off=True)
    create_with: str | None = option(
        None, "further table options of a table that is created, as in CQL after WITH", "The database", metavar="CQL"
    )
    tablets: bool | None = option(
        None,
        "tablets in a keyspace that is created, ScyllaDB only (default: the server's)",
        "The database",
        on_off=True,
    )
    truncate: bool = option(False, "empty the table first", "The database", switch=True)
    compression: bool | None = option(
        None, "LZ4 compression of frames (default: on where the values shrink)", "The database", on_off=True
    )
    translate: str | None = option(
        None, "addresses to use instead of those that nodes announce: 10.0.0.1=127.0.0.1:9142,...", "The database",
        metavar="FROM=TO[:PORT],...",
    )  # fmt: skip

    # Security
    user: str | None = option(None, "user name", "Security")
    password_file: str | None = option(None, "file that holds the password", "Security", metavar="FILE")
    password_env: str | None = option(
        None, "environment variable that holds the password (default CQLSURGE_PASSWORD)", "Security", metavar="NAME"
    )
    tls: bool = option(False, "encrypt; the server's certificate is checked", "Security", switch=True)
    tls_ca: str | None = option(
        None,
        "certificate authorities to trust, PEM (default: the system's); turns --tls on",
        "Security",
        metavar="FILE",
    )
    tls_cert: str | None = option(None, "client certificate, PEM; turns --tls on", "Security", metavar="FILE")
    tls_key: str | None = option(
        None, "key of the client certificate, PEM; its pass phrase, if it has one, is read from "
        "CQLSURGE_TLS_KEY_PASSWORD or asked for", "Security", metavar="FILE",
    )  # fmt: skip
    tls_check_host: bool = option(
        True, "check that the certificate names the host (default on)", "Security", on_off=True
    )

    # How it is done
    engine: str = option(
        "wire", "what speaks to the database (default wire); `--engine help` lists all", "How it is done"
    )
    technique: str | None = option(
        None,
        "how the engine issues requests, for scylla-driver: window (default), window-default (the same with the "
        "driver's own settings), batch, sync",
        "How it is done",
    )
    runtime: str = option(
        "auto", "interpreter of the load processes: auto, cpython, pypy or a path (default auto)", "How it is done"
    )
    spin: bool = option(
        True, "with --rate, spin below 2 ms to the next due time (default on)", "How it is done", on_off=True
    )
    request_timeout: float = option(
        10.0, "time after which an operation counts as timed out (default 10s)", "How it is done",
        parse=positive_s, metavar="TIME",
    )  # fmt: skip

    # More than one host
    dask: str | None = option(
        None, "let the hosts of this running Dask scheduler load: tcp://HOST:8786, or tls:// with the certificates of "
        "Dask's own configuration", "More than one host", metavar="ADDRESS",
    )  # fmt: skip
    hosts: str | None = option(
        None, "let these hosts load, reached over SSH: host,user@host,...; local:N takes this machine for N hosts, to "
        "try it", "More than one host", parse=hosts, metavar="HOST,...|local:N",
    )  # fmt: skip
    remote_python: str | None = option(
        None, "Python with cqlsurge[cluster] on SSH hosts (default: the path that runs this)", "More than one host",
        metavar="PATH",
    )  # fmt: skip

    # Errors
    retries: int = option(
        3,
        "further attempts of an operation where its error class allows it, for wire (default 3)",
        "Errors",
        parse=parse_count,
    )
    on_error: str | None = option(
        None,
        "what to do about errors of a class: retry (also where the rules would not, if it is safe), backoff (retry, "
        "and have less in flight for a while), count (no retry), ignore (count, but not against the budget), stop (end "
        "the run within about a second); retry, backoff and the lack of retries are wire's, the drivers of other "
        "engines retry as they will",
        "Errors",
        parse=policies,
        metavar="CLASS=POLICY,...",
    )
    error_budget: str = option(
        "0", "failed and unknown operations that still exit 0: a count or a share such as 1%% (default 0)", "Errors",
        parse=budget, metavar="N|SHARE",
    )  # fmt: skip

    # Results
    json: str | None = option(
        None, "write the result document, as the run goes (- for standard output)", "Results", metavar="FILE"
    )
    hdr_log: str | None = option(
        None, "write an HdrHistogram interval log, as the run goes: a line a second, kind and latency", "Results",
        metavar="FILE",
    )  # fmt: skip
    metrics: str | None = option(
        None, "serve the run's figures to Prometheus at http://HOST:PORT/metrics (HOST: 127.0.0.1)", "Results",
        parse=listen, metavar="[HOST:]PORT",
    )  # fmt: skip
    server_metrics: str | None = option(
        None,
        "ask the server's metrics port for its side of the verdict, for ScyllaDB: http://HOST:9180/metrics,... "
        "(default: not asked)",
        "Results",
        metavar="URL,...",
    )
    force: bool = option(False, "let --json replace a file that is no result document", "Results", switch=True)
    quiet: bool = option(False, "no progress, only the summary", "Results", switch=True)

    def check(self) -> Settings:
        """The settings, each as its option reads it, if they fit together. Raises UsageError."""
        values = {name: checked(name, default, option, getattr(self, name)) for name, default, option in options()}
        settings = dataclasses.replace(self, **values)
        settings._check_together()
        for text in settings.ignored().values():
            raise UsageError(text)
        return settings

    def _check_together(self) -> None:
        if self.address is not None and not (isinstance(self.address, str) and self.address):
            raise UsageError(f"address={self.address!r} is no address: write host[:port][,host[:port]...]")
        for name in ("keyspace", "table"):
            if not _IDENTIFIER.match(getattr(self, name)):
                value = getattr(self, name)
                raise UsageError(f"--{name} {value!r} is no identifier: a letter, then letters, digits, _, at most 48")
        if self.verify is not None and self.mode == "write" and self.workload is None:
            raise UsageError("--verify checks reads: use it with --mode read or mixed")
        if self.engine != "wire" and {RETRY, BACKOFF} & set(self.error_policies.values()):
            raise UsageError(f"--on-error: retry and backoff need the engine wire, not {self.engine}")
        if self.dask and self.hosts:
            raise UsageError("give --dask or --hosts, not both")
        if self.host_names and self.address is None:
            raise UsageError(NO_ADDRESS)
        if self.password_file and self.password_env:
            raise UsageError("give --password-file or --password-env, not both")

    def ignored(self) -> dict[str, str]:
        """Settings that are given and would have no effect, and of each what it needs."""
        defaults = {name: default for name, default, _ in options()}
        return {
            name: text
            for name, (used, text) in needs_of(self).items()
            if not used and getattr(self, name) not in (None, defaults[name])
        }

    def effective(self) -> Settings:
        """The same without those that would have no effect: for a run made from the settings of another."""
        defaults = {name: default for name, default, _ in options()}
        return dataclasses.replace(self, **{name: defaults[name] for name in self.ignored()})

    @property
    def total_operations(self) -> int | None:
        """How many operations end the run; None where only the duration does."""
        if self.operations is None and self.duration is None and self.until is None:
            return DEFAULT_OPERATIONS
        return self.operations

    @property
    def population(self) -> int:
        """How many keys there are."""
        return self.keys or self.total_operations or DEFAULT_OPERATIONS

    @property
    def in_flight_limit(self) -> int:
        """Operations in flight at the most, in each process."""
        if self.concurrency is not None:
            return self.concurrency
        if self.rate is not None:
            return RATE_CONCURRENCY
        return 1 if self.workload is None else WORKLOAD_CONCURRENCY

    @property
    def error_policies(self) -> dict[str, str]:
        """Policies by error class."""
        return parse_policies(self.on_error or "")

    @property
    def local_hosts(self) -> int:
        """The N of --hosts local:N, else 0."""
        return parse_count(self.hosts[6:]) if self.hosts and self.hosts.startswith("local:") else 0

    @property
    def host_names(self) -> list[str]:
        """The SSH hosts of --hosts."""
        return self.hosts.split(",") if self.hosts and not self.local_hosts else []

    @property
    def encrypted(self) -> bool:
        """Whether connections use TLS."""
        return self.tls or self.tls_ca is not None or self.tls_cert is not None

    def to_json(self) -> dict[str, Any]:
        """All settings by name; there is no secret in them. A workload that is an object is told by its name."""
        named = self.workload is None or isinstance(self.workload, str)
        settings = self if named else dataclasses.replace(self, workload=f"the object {self.workload.name}")
        told = dataclasses.asdict(settings)
        return {name: list(value) if isinstance(value, tuple) else value for name, value in told.items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Settings:
        """Settings from a result document; names that this version does not know are an error."""
        known = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(set(data) - known)
        if unknown:
            raise UsageError(f"settings of another version of cqlsurge: {', '.join(unknown)} not known here")
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in data.items()
        }
        return cls(**values)


def options() -> list[tuple[str, Any, Option]]:
    """(field name, default, Option) of every setting that is an option, in order."""
    return [
        (field.name, field.default, field.metadata["option"])
        for field in dataclasses.fields(Settings)
        if "option" in field.metadata
    ]
