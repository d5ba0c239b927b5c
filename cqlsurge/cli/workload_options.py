"""Options that a run and `cqlsurge workload import` have alike."""

from __future__ import annotations

from typing import Any


def add_stress_options(parser: Any) -> None:
    """The options that tell what cassandra-stress is asked for; the run has them too."""
    parser.add_argument(
        "--stress", metavar="LINE",
        help='a command line of cassandra-stress: "user profile=FILE.yaml ops(insert=1) n=1M -rate threads=50"',
    )  # fmt: skip
    parser.add_argument("--exact", action="store_true", help="standard1 with the bytes that cassandra-stress makes")
    parser.add_argument("--mend", action="store_true", help="draw booleans, which cassandra-stress always has true")
