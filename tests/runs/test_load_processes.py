"""What a load process is told of the others on its machine."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from cqlsurge.processes.group import Host
from cqlsurge.runs.load_processes import host_place


def group(*hosts: tuple[str, int]) -> Any:
    """A group of hosts: (Dask worker's address, load processes)."""
    first, made = 0, []
    for address, count in hosts:
        made.append(Host(address, address, {}, {}, [], range(first, first + count)))
        first += count
    return SimpleNamespace(hosts=made, processes=[None] * first)


@pytest.mark.parametrize(
    ("hosts", "places"),
    [
        ([("tcp://10.0.0.1:40", 2), ("tcp://10.0.0.2:40", 3)], [(0, 2), (1, 2), (0, 3), (1, 3), (2, 3)]),
        ([("tcp://127.0.0.1:40", 2), ("tcp://127.0.0.1:41", 2)], [(0, 4), (1, 4), (2, 4), (3, 4)]),
        ([("tcp://[::1]:40", 1), ("tcp://[::2]:40", 1)], [(0, 1), (0, 1)]),
    ],
)
def test_source_ports_belong_to_a_machine(hosts: list[tuple[str, int]], places: list[tuple[int, int]]) -> None:
    made = group(*hosts)
    assert [host_place(made, worker) for worker in range(len(places))] == places


def test_without_hosts_all_are_on_this_machine() -> None:
    made = SimpleNamespace(hosts=[], processes=[None] * 3)
    assert [host_place(made, worker) for worker in range(3)] == [(0, 3), (1, 3), (2, 3)]
