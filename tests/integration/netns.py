"""Network namespaces as hosts: each with an address of its own on one bridge, all gone at the end."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

NETWORK = "10.77.9"


def why_not() -> str:
    """Why namespaces cannot be had here, or nothing."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None:
        return "there is no `ip` (package iproute2)"
    probe = subprocess.run(["ip", "netns", "add", f"cqs{os.getpid()}p"], capture_output=True, text=True, check=False)
    if probe.returncode:
        return f"no network namespace can be made: {probe.stderr.strip()}"
    ip("netns", "del", f"cqs{os.getpid()}p")
    return ""


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


class Network:
    """Hosts by name; `address` and `inside` are what a test needs of them."""

    def __init__(self, names: list[str]) -> None:
        self.space = {name: f"cqs{os.getpid()}{name}" for name in names}
        self._hub = f"cqs{os.getpid()}hub"

    def address(self, name: str) -> str:
        return f"{NETWORK}.{list(self.space).index(name) + 1}"

    def inside(self, name: str) -> list[str]:
        """What to put before a command so that it runs on that host."""
        return ["ip", "netns", "exec", self.space[name]]

    def pids(self, name: str) -> list[int]:
        """The processes that run on that host."""
        words = ["ip", "netns", "pids", self.space[name]]
        return [int(pid) for pid in subprocess.run(words, check=True, capture_output=True).stdout.split()]

    def build(self) -> None:
        ip("netns", "add", self._hub)
        ip("-n", self._hub, "link", "add", "bridge", "type", "bridge")
        ip("-n", self._hub, "link", "set", "bridge", "up")
        for at, (name, space) in enumerate(self.space.items()):
            ip("netns", "add", space)
            ip("-n", self._hub, "link", "add", f"v{at}", "type", "veth", "peer", "name", "eth0", "netns", space)
            ip("-n", self._hub, "link", "set", f"v{at}", "master", "bridge", "up")
            ip("-n", space, "addr", "add", f"{self.address(name)}/24", "dev", "eth0")
            ip("-n", space, "link", "set", "eth0", "up")
            ip("-n", space, "link", "set", "lo", "up")

    def remove(self) -> None:
        for space in [*self.space.values(), self._hub]:
            subprocess.run(["ip", "netns", "del", space], check=False, capture_output=True)


@contextmanager
def network(*names: str) -> Iterator[Network]:
    """Hosts of these names, until the block ends."""
    made = Network(list(names))
    try:
        made.build()
        yield made
    finally:
        made.remove()
