"""The generators of expressions by name: how each is written, and the tree it makes.

A new one is a function here with its line in `GENERATORS`, and, where its operation is new, its meaning in
cqlsurge/load/workload/generators.py.
"""

from __future__ import annotations

from cqlsurge.workload.generators.form import Generator
from cqlsurge.workload.generators.numbers import NUMBERS
from cqlsurge.workload.generators.structures import STRUCTURES
from cqlsurge.workload.generators.texts import TEXTS
from cqlsurge.workload.generators.times import TIMES

GENERATORS: dict[str, Generator] = {one.name: one for one in (*NUMBERS, *TEXTS, *TIMES, *STRUCTURES)}
