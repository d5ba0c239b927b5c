"""How a setting is declared, and how a value of it is checked, wherever it comes from."""

from __future__ import annotations

import dataclasses
import math
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cqlsurge.conditions import parse_condition
from cqlsurge.errors import UsageError
from cqlsurge.load.outcomes.policy import parse_policies
from cqlsurge.units import parse_count, parse_goal, parse_share, parse_size, positive_count

#: a frame's body is at most 256 MB (CQL v4, 2.5); beside the value it holds a key and a few numbers
VALUE_BYTES_MAX = (256 << 20) - 1024
_HOST = re.compile(r"([\w.-]+@)?[\w.:-]+\Z")


@dataclass(frozen=True)
class Option:
    """How one setting appears on the command line."""

    help: str
    group: str
    parse: Callable[[str], Any] = str
    metavar: str | None = None
    choices: tuple[str, ...] = ()
    flag: str = ""  # the option's name where it is not the field's
    switch: bool = False  # takes no value: --name
    on_off: bool = False  # takes no value: --name / --no-name
    optional_value: str | None = None  # what a bare --name means
    repeated: bool = False  # may be given several times; its value is a tuple
    objects: bool = False  # a program may give an object of its own instead of a text


def option(default: Any, help: str, group: str, **more: Any) -> Any:
    """A dataclass field that carries its Option."""
    return dataclasses.field(default=default, metadata={"option": Option(help=help, group=group, **more)})


def budget(text: str) -> str:
    """An error budget: a count, or a share written with %."""
    if text.strip().endswith("%"):
        parse_share(text)
    else:
        parse_count(text)
    return text.strip()


def parse_listen(text: str) -> tuple[str, int]:
    """Where to listen: PORT on loopback, or HOST:PORT. Raises ValueError."""
    host, _, port = text.rpartition(":")
    if not port.isdigit() or not 0 <= int(port) <= 65535:
        raise ValueError(f"{text!r}: write it as PORT or HOST:PORT, PORT from 0 to 65535")
    return host.strip("[]") or "127.0.0.1", int(port)


def policies(text: str) -> str:
    """Error policies, as they were written."""
    parse_policies(text)
    return text


def figure_condition(text: str) -> str:
    """A condition on a figure, as it was written. Raises ValueError."""
    parse_condition(text)
    return text


def goal(text: str) -> str:
    """A goal of precision, as it was written."""
    parse_goal(text)
    return text


def hosts(text: str) -> str:
    """Names of hosts, or local:N, as they were written. Raises ValueError."""
    if text.startswith("local:"):
        positive_count(text[6:])
    elif not all(_HOST.match(name) for name in text.split(",")) or len(set(text.split(","))) < text.count(",") + 1:
        raise ValueError(f"{text!r}: write it as host,user@host,... each once, or local:N")
    return text


def parameter(text: str) -> str:
    """NAME=VALUE, as it was written. Raises ValueError."""
    name, sign, _ = text.partition("=")
    if not sign or not name.isidentifier():
        raise ValueError(f"{text!r}: write it as NAME=VALUE")
    return text


def weights(text: str) -> str:
    """The weights of a mix, as they were written. Raises ValueError."""
    mix_of(text)
    return text


def mix_of(text: str) -> list[tuple[str, float]]:
    """The statements of a mix and their weights. Raises ValueError."""
    mix = []
    for part in text.split(","):
        name, sign, weight = part.partition("=")
        try:
            value = float(weight) if sign else 1.0
        except ValueError:
            value = -1.0
        if not name.strip() or not 0 <= value < math.inf:
            raise ValueError(f"{text!r}: write it as read=80,write=20")
        mix.append((name.strip(), value))
    if len({name for name, _ in mix}) < len(mix) or not any(value for _, value in mix):
        raise ValueError(f"{text!r}: each statement once, and not all weights 0")
    return mix


def listen(text: str) -> str:
    """Where to listen, as it was written. Raises ValueError."""
    parse_listen(text)
    return text


def value_size(text: str) -> int:
    """Bytes of a value. Raises ValueError for more than a request can carry."""
    size = parse_size(text)
    if size > VALUE_BYTES_MAX:
        raise ValueError(f"{text!r} is more than a request of CQL can carry: at most {VALUE_BYTES_MAX} bytes")
    return size


def checked(name: str, default: Any, option: Option, value: Any) -> Any:
    """A value from a program or a document, as the command line would have read it. Raises UsageError."""
    if value is None and (default is None or option.optional_value is not None):
        return None
    if option.objects and not isinstance(value, (str, os.PathLike)):
        return value
    if option.repeated and isinstance(value, (tuple, list)):
        return tuple([checked(name, "", dataclasses.replace(option, repeated=False), one) for one in value])
    try:
        if option.switch or option.on_off:
            if not isinstance(value, bool):
                raise ValueError("it is on or off: True or False")
            return value
        read = option.parse(_as_written(value, textual=isinstance(default, str) or option.parse is str))
        if option.choices and read not in option.choices:
            raise ValueError(f"there is {', '.join(option.choices)}")
    except (ValueError, TypeError) as error:
        raise UsageError(f"{name}={value!r}: {error}") from error
    # A number that is one already stays what it is: text would round it.
    return value if type(value) is type(read) and isinstance(value, (int, float)) else read


def _as_written(value: Any, *, textual: bool) -> str:
    """What one would have typed. Raises ValueError for what nobody could."""
    if isinstance(value, (str, os.PathLike)):
        return os.fspath(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or (isinstance(value, float) and textual):
        raise ValueError(f"a {type(value).__name__} is not what is wanted here")
    if not math.isfinite(value):
        raise ValueError("it is no number to count or measure with")
    return str(value) if isinstance(value, int) else f"{value:.12f}"


#: settings that say what a run without --workload does
_OF_KEY_VALUE = ("mode", "keys", "key_offset", "blob_size", "fill", "keyspace", "table", "populate")


def needs_of(settings: Any) -> dict[str, tuple[bool, str]]:
    """{setting: (whether it has an effect beside the others, what it needs)} of those that need something."""
    paced, own = settings.rate is not None, settings.address is None
    return {
        **dict.fromkeys(
            ("param", "phases", "mix"), (settings.workload is not None, "-p, --phases and --mix need a --workload")
        ),
        **dict.fromkeys(
            _OF_KEY_VALUE,
            (
                settings.workload is None,
                "--mode, --keys, --blob-size, --table and the like are not of a --workload: use -p",
            ),
        ),
        "arrivals": (paced, "--arrivals needs --rate: without a rate each operation waits for another's end"),
        "max_backlog": (paced, "--max-backlog needs --rate: without a rate nothing waits"),
        "spin": (paced, "--no-spin needs --rate: without a rate nothing spins"),
        "read_ratio": (settings.mode == "mixed" and settings.workload is None, "--read-ratio needs --mode mixed"),
        "verify_share": (settings.verify is not None, "--verify-share needs --verify"),
        "retries": (settings.engine == "wire", "--retries needs the engine wire: the drivers retry as they will"),
        "replication": (
            settings.create and settings.workload is None,
            "--replication is for a keyspace that is created: leave --no-create away",
        ),
        "create_with": (
            settings.create and settings.workload is None,
            "--create-with is for a table that is created: leave --no-create away",
        ),
        "tablets": (
            settings.create and settings.workload is None,
            "--tablets is for a keyspace that is created: leave --no-create away",
        ),
        "translate": (not own, "--translate needs an ADDRESS: the Cassandra that starts here is where it says"),
        "user": (not own, "--user needs an ADDRESS: the Cassandra that starts here asks nobody for a name"),
        "tls": (not own, "--tls needs an ADDRESS: the Cassandra that starts here is not encrypted"),
        "tls_ca": (not own, "--tls-ca needs an ADDRESS: the Cassandra that starts here is not encrypted"),
        "tls_cert": (not own, "--tls-cert needs an ADDRESS: the Cassandra that starts here is not encrypted"),
        "tls_key": (settings.tls_cert is not None, "--tls-key needs --tls-cert"),
        "tls_check_host": (settings.encrypted, "--no-tls-check-host needs --tls"),
        "password_file": (settings.user is not None, "--password-file needs --user"),
        "password_env": (settings.user is not None, "--password-env needs --user"),
        "remote_python": (bool(settings.host_names), "--remote-python is for the SSH hosts of --hosts"),
    }
