"""What a generator is to the rest: name, how it is written, one line about it, the function that makes trees."""

from __future__ import annotations

from dataclasses import dataclass

from cqlsurge.load.workload.expressions import Expr
from cqlsurge.workload.calls import Call, Generate


@dataclass(frozen=True)
class Generator:
    """`form` shows how it is written; `about` is one line for people; `example` is an expression that works."""

    name: str
    form: str
    about: str
    example: str
    generate: Generate

    def __call__(self, call: Call) -> Expr:
        """The tree of a call."""
        return self.generate(call)
