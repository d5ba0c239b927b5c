"""What a run asks of its load processes: on this host (local_group.py), or on many (remote_group.py)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

Message = dict[str, Any]


@dataclass
class Host:
    """A host of a run over several.

    name: what people call it; address: its Dask worker's; facts: the machine (host/facts.py); cores: the numbers of
    those that it lends; workers: the indexes of its load processes; clock_offset_ns: its monotonic clock less ours,
    known to clock_error_ns; use: how hard it was pressed (HostWatch.facts); message_bytes: messages of its load
    processes, both ways; lost: why it is.
    """

    name: str
    address: str
    facts: dict[str, Any]
    runtime: dict[str, Any]
    cores: list[int]
    workers: range = range(0)
    clock_offset_ns: int = 0
    clock_error_ns: int = 0
    use: dict[str, Any] = field(default_factory=dict)
    message_bytes: int = 0
    lost: str | None = None


class Member(Protocol):
    """A load process of a group."""

    @property
    def index(self) -> int:
        """Its number in the group."""

    @property
    def pid(self) -> int:
        """Its process number, on its host."""

    @property
    def ended(self) -> bool:
        """Whether it has closed its side."""

    @property
    def label(self) -> str:
        """Which process it is, for people."""

    @property
    def last_words(self) -> str:
        """The last line that it said on standard error, or nothing."""

    def exit_text(self) -> str:
        """How it ended, for people."""

    def kill(self) -> None:
        """Ends it at once."""


class ProcessGroup(Protocol):
    """All load processes of a run. Times in messages are of this host's monotonic clock, on both ways.

    hosts: what is known of each where there are several, else nothing; start_delay_ns: how long before its start a
    phase must be told.
    """

    @property
    def processes(self) -> Sequence[Member]:
        """All of them, by index."""

    @property
    def alive(self) -> Sequence[Member]:
        """Those that have not closed their side."""

    @property
    def hosts(self) -> Sequence[Host]:
        """See above."""

    @property
    def start_delay_ns(self) -> int:
        """See above."""

    def synchronize(self) -> None:
        """Compares clocks anew, before a phase."""

    def begin_watch(self) -> None:
        """From now on the load is measured: begins to watch how hard the machines are pressed."""

    def end_watch(self) -> None:
        """The load is over."""

    def use(self) -> dict[str, Any]:
        """How hard this machine was pressed since `begin_watch` (HostWatch.facts); empty where there are `hosts`."""

    def give_way(self) -> None:
        """To be called between steps of about a millisecond: a load process may want the core that this one is on."""

    def troubles(self) -> list[str]:
        """What has happened since the last call that must end the run, in words."""

    def send(self, index: int, message: Message) -> None:
        """Sends a message to one process; a dead one is noticed by `poll`."""

    def send_all(self, message: Message) -> None:
        """Sends a message to all processes that live."""

    def poll(self, timeout_s: float) -> list[tuple[int, Message | None]]:
        """What the processes said within the time, as (index, message); None says that the process has ended.

        A message `leaving` (text) says that its host ends the process before its time; its `end` still comes.
        """

    def close(self) -> None:
        """Ends all processes."""
