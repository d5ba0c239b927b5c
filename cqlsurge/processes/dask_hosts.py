"""The hosts of a run, from Dask: a scheduler that runs already, SSH hosts, or this machine taken as several hosts.

Dask starts a worker on each host, tells us where they are and that the scheduler lives. Load is no Dask task: each
worker takes a connection from us (agent.py), and the scheduler sees nothing of it.
"""

from __future__ import annotations

import asyncio
import logging
import pkgutil
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from ipaddress import ip_address
from typing import Any

from cqlsurge.errors import RunError, UsageError
from cqlsurge.processes.link import Link
from cqlsurge.processes.remote_group import RemoteGroup
from cqlsurge.settings import Settings

INSTALL = "it needs Dask: pip install 'cqlsurge[cluster]' (uv sync --extra cluster), on CPython"
CONNECT_TIMEOUT_S = 5
WORKERS_TIMEOUT_S = 60
CLOSE_TIMEOUT_S = 2
#: the scheduler is asked for a sign of life so often, and lost when it gives none for so long
ASK_EVERY_S = 2.0
ASK_TIMEOUT_S = 5.0
#: without a dashboard Dask still serves some pages; never to others
NO_DASHBOARD = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}


@contextmanager
def open_hosts(settings: Settings, stage: Callable[[str], None]) -> Iterator[RemoteGroup]:
    """A group with a connection to an agent on each host, all of this version. Raises UsageError or RunError.

    What was started for it ends with the block.
    """
    try:
        from distributed import Client
        from distributed.utils import silence_logging_cmgr
    except ImportError:
        raise UsageError(f"--{'dask' if settings.dask else 'hosts'}: {INSTALL}") from None
    with ExitStack() as stack:
        # What goes wrong there is told by us; Dask's own lines would run through the live screen.
        stack.enter_context(silence_logging_cmgr(logging.CRITICAL))
        where = settings.dask or _start(settings, stage, stack)
        stage(f"connecting to the Dask scheduler {settings.dask}" if settings.dask else "waiting for the hosts")
        try:
            client = Client(where, timeout=CONNECT_TIMEOUT_S, set_as_default=False, name="cqlsurge")
        except (OSError, ValueError, TypeError) as error:
            raise RunError(
                f"no Dask scheduler answers at {settings.dask or 'the first host'}: {reason(error)}"
            ) from error
        stack.callback(_quietly, client.close, CLOSE_TIMEOUT_S)
        workers = _workers(client, settings)
        _check_versions(client, workers)
        _install(client, workers, settings)
        watch = SchedulerWatch(client)
        stack.callback(watch.stop)
        links = client.sync(_connect_all, workers, client.connection_args)
        group = RemoteGroup(links, client.loop.asyncio_loop, watch.trouble)
        stack.enter_context(group)
        yield group


def _quietly(close: Callable[[float], Any], timeout_s: float) -> None:
    """Ends something of Dask's that may be gone already."""
    with suppress(Exception):
        close(timeout_s)


def reason(error: BaseException) -> str:
    """The last line of an error that says something, or its name."""
    lines = str(error).strip().splitlines()
    return lines[-1][:200] if lines else type(error).__name__


def _start(settings: Settings, stage: Callable[[str], None], stack: ExitStack) -> Any:
    """A Dask cluster of our own, ended with the stack. Its workers have no nannies, which would start them again."""
    from distributed.security import Security

    protocol = "tls://" if Security().require_encryption else "tcp://"
    if settings.local_hosts:
        stage(f"starting {settings.local_hosts} Dask workers on this machine")
        cluster = _local_cluster(settings.local_hosts, protocol)
    else:
        stage(f"starting Dask on {', '.join(settings.host_names)} over SSH")
        try:
            cluster = _ssh_cluster(settings, protocol)
        except Exception as error:  # asyncssh has a tree of its own, and Dask raises plain Exceptions
            raise RunError(
                f"--hosts {settings.hosts}: {reason(error)}; each host must let you in by key (ssh HOST true) and have "
                f"cqlsurge[cluster] for {settings.remote_python or 'the same Python path as here; see --remote-python'}"
            ) from error
    stack.callback(_quietly, cluster.close, CLOSE_TIMEOUT_S)
    return cluster


def _local_cluster(count: int, protocol: str) -> Any:
    """A scheduler in this process and workers in processes of their own, all on loopback, without dashboards."""
    from distributed import Scheduler, SpecCluster
    from distributed.deploy.subprocess import SubprocessWorker

    common = {**NO_DASHBOARD, "host": "127.0.0.1", "protocol": protocol}
    worker = {**common, "nthreads": 1, "memory_limit": 0, "silence_logs": logging.CRITICAL}
    options = {"worker_class": "distributed.Worker", "worker_kwargs": worker}
    return SpecCluster(
        workers={at: {"cls": SubprocessWorker, "options": options} for at in range(count)},
        scheduler={"cls": Scheduler, "options": {**common, "port": 0}},
        silence_logs=logging.CRITICAL,
    )


def _ssh_cluster(settings: Settings, protocol: str) -> Any:
    """A scheduler on the first host, and a worker on each."""
    from distributed import SSHCluster

    hosts = [host.rpartition("@") for host in settings.host_names]
    options = [{"username": user} if user else {} for user, _, _ in hosts]
    names = [name for _, _, name in hosts]
    common = {**NO_DASHBOARD, "protocol": protocol}
    listen = {"host": address} if (address := _address_of(names[0])) else {}
    return SSHCluster(
        [names[0], *names],
        connect_options=[options[0], *options],
        scheduler_options={**common, "port": 0, **listen},
        worker_options={**common, "nthreads": 1, "memory_limit": 0},
        worker_class="distributed.Worker",
        remote_python=settings.remote_python,
    )


def _address_of(name: str) -> str:
    """The address by which we know a host; nothing where the name is an alias of SSH's alone."""
    try:
        return str(socket.getaddrinfo(name.rpartition("@")[2], None)[0][4][0])
    except OSError:
        return ""


def _workers(client: Any, settings: Settings) -> dict[str, str]:
    """{Dask worker's address: host's name}. Of a cluster that was there before, one worker of each host."""
    wanted = settings.local_hosts or len(settings.host_names) or 1
    try:
        client.wait_for_workers(wanted, timeout=WORKERS_TIMEOUT_S if settings.hosts else CONNECT_TIMEOUT_S)
    except TimeoutError:
        raise RunError(f"the Dask scheduler has fewer than {wanted} workers; start them first") from None
    known = client.scheduler_info(n_workers=-1)["workers"]
    addresses = sorted(known, key=lambda address: (str(known[address]["host"]), address))
    if settings.local_hosts:
        return {address: f"local{number}" for number, address in enumerate(addresses, 1)}
    asked = {_address_of(name): name for name in settings.host_names}
    found: dict[str, str] = {}
    for address in addresses:
        name = asked.get(known[address]["host"], str(known[address]["host"]))
        if name not in found.values():
            found[address] = name
        elif settings.hosts:
            found[address] = f"{name} ({address})"
    return found


def _check_versions(client: Any, workers: dict[str, str]) -> None:
    """Raises UsageError that names the hosts which have no cqlsurge or another one."""
    from cqlsurge.processes.agent import identity

    ours = identity()
    # The name of a function of the standard library: nothing of ours has to be there to be asked.
    found = client.run(pkgutil.resolve_name, "cqlsurge:__version__", workers=list(workers), on_error="return")
    wrong = []
    for address, version in found.items():
        if isinstance(version, BaseException):
            wrong.append(f"host {workers[address]} has no cqlsurge ({reason(version)})")
        elif version != ours[0]:
            wrong.append(f"host {workers[address]} has cqlsurge {version}")
    if not wrong:
        for address, theirs in client.run(identity, workers=list(workers), on_error="return").items():
            if isinstance(theirs, BaseException):
                wrong.append(f"host {workers[address]} cannot take part ({reason(theirs)})")
            elif theirs != ours:
                wrong.append(f"host {workers[address]} has other code of cqlsurge {ours[0]} ({theirs[1]})")
    if wrong:
        raise UsageError(f"{'; '.join(wrong)}: all need cqlsurge {ours[0]} as here ({ours[1]})")


def _install(client: Any, workers: dict[str, str], settings: Settings) -> None:
    from cqlsurge.processes.agent import close_without_client, install

    client.run(install, bool(settings.local_hosts), workers=list(workers))
    if settings.host_names:
        client.run_on_scheduler(close_without_client, wait=False)


async def _connect_all(workers: dict[str, str], arguments: dict[str, Any]) -> list[tuple[str, str, Link]]:
    """A link to each host's agent. Raises RunError that names a host which cannot be reached."""
    from distributed.comm import connect

    async def link(address: str, name: str) -> tuple[str, str, Link]:
        try:
            comm = await connect(address, timeout=CONNECT_TIMEOUT_S, **arguments)
            await comm.write({"op": "cqlsurge", "reply": False})
        except OSError as error:
            raise RunError(
                f"host {name}: its Dask worker at {address} cannot be reached from here ({reason(error)}); run this "
                "where the scheduler's workers can be reached"
            ) from error
        return name, address, Link(comm)

    return list(await asyncio.gather(*(link(address, name) for address, name in workers.items())))


def is_loopback(address: str) -> bool:
    """Whether a Dask worker's address (tcp://HOST:PORT) is one of this machine alone."""
    try:
        return ip_address(address.rpartition("://")[2].rpartition(":")[0].strip("[]")).is_loopback
    except ValueError:
        return False


class SchedulerWatch:
    """Asks the scheduler for a sign of life, on the loop of Dask's client."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._text = ""
        self._task = asyncio.run_coroutine_threadsafe(self._run(), client.loop.asyncio_loop)

    def trouble(self) -> str:
        """Why the scheduler is lost, or nothing."""
        return self._text

    def stop(self) -> None:
        """Asks no more."""
        self._task.cancel()

    async def _run(self) -> None:
        while not self._text:
            await asyncio.sleep(ASK_EVERY_S / 4)
            if self._client.status != "running":
                self._text = "the Dask scheduler is lost: its connection broke"
                return
            try:
                async with asyncio.timeout(ASK_TIMEOUT_S):
                    await self._client.scheduler.echo(data="")
                await asyncio.sleep(ASK_EVERY_S * 3 / 4)
            except TimeoutError:
                self._text = f"the Dask scheduler is lost: it did not answer within {ASK_TIMEOUT_S:.0f} s"
            except OSError:
                self._text = "the Dask scheduler is lost: its connection broke"
