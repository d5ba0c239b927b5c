"""The command line of cassandra-stress: `user profile=p.yaml ops(insert=1,read1=3) n=1M -pop seq=1..1M -rate ...`.

Words may come in any order behind their option; each option accepts only its own words. What is about the connection
or the program's own output is taken note of and left to our own options.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cqlsurge.errors import UsageError
from cqlsurge.workload.imports.cassandra_stress.command import COMMANDS, Command
from cqlsurge.workload.imports.cassandra_stress.command_options import (
    OPTIONS,
    PASSED_OVER,
    READERS,
    duration_s,
    level,
    one_of,
    serial_level,
    unknown,
    value_of,
    weights,
)
from cqlsurge.workload.imports.cassandra_stress.distributions import parse_distribution, parse_number
from cqlsurge.workload.imports.places import nearest

_NOT_LOAD = {"help", "print", "version", "legacy"}
_SENT_AWAY = {"-send-to", "-sendto"}
_UNCERTAINTY = re.compile(r"(err|n)\s*([<>])\s*([0-9.]+[kmbKMB]?)\Z")


def read_command(text: str) -> Command:
    """The command that a line says, with or without `cassandra-stress` before it. Raises UsageError."""
    words = split_words(text)
    if words and words[0].rsplit("/", 1)[-1] in {"cassandra-stress", "stress"}:
        words = words[1:]
    if not words:
        raise UsageError(f"--stress: nothing is asked for: write one of {', '.join(COMMANDS)}")
    name = words[0].lower()
    if name in _NOT_LOAD:
        raise UsageError(f"--stress {name}: this makes no load; there are {', '.join(COMMANDS)}")
    if name not in COMMANDS:
        raise UsageError(f"--stress {words[0]!r}: no such command; {nearest(name, COMMANDS)}")
    groups = _groups(words[1:])
    command = _main(Command(name), groups.pop("", []))
    for option, given in groups.items():
        if option in PASSED_OVER:
            command = replace(command, passed_over=(*command.passed_over, (option, PASSED_OVER[option])))
        else:
            command = READERS[option](command, given)
    return command


def split_words(text: str) -> list[str]:
    """The words of a command line as a shell makes them; what stands in parentheses stays together."""
    # A shell would refuse bare parentheses; people quote the whole, as in "user ops(a=1, b=2)".
    quoted = re.sub(r"\(([^()]*)\)", lambda match: "(" + re.sub(r"\s+", "", match[1]) + ")", text)
    try:
        words = shlex.split(quoted)
    except ValueError as error:
        raise UsageError(f"--stress: {error} in {text!r}") from None
    return [word.strip() for word in words if word.strip()]


def _groups(words: list[str]) -> dict[str, list[str]]:
    """Words by the option that they stand behind; those of the command itself under ""."""
    groups: dict[str, list[str]] = {"": []}
    at = ""
    for word in words:
        if word.startswith("-") and not re.match(r"-[0-9]", word):
            at = word.lower()
            if at in _SENT_AWAY:
                raise UsageError(f"--stress {word}: a run is not sent to a daemon here: use --hosts for other machines")
            if at not in OPTIONS:
                raise UsageError(f"--stress {word}: no such option; {nearest(at, OPTIONS)}")
            if at in groups:
                raise UsageError(f"--stress {word}: given twice")
            groups[at] = []
        else:
            groups[at].append(word)
    return groups


#: words of the command itself: name -> (field, how it is read)
_MAIN: dict[str, tuple[str, Callable[[str], Any]]] = {
    "n": ("n", parse_number),
    "duration": ("duration_s", duration_s),
    "cl": ("consistency", level),
    "serial-cl": ("serial_consistency", serial_level),
    "truncate": ("truncate", one_of("never", "once", "always")),
    "clustering": ("runs", parse_distribution),
    "keysize": ("key_size", parse_distribution),
    "add": ("add", parse_distribution),
    "profile": ("profiles", lambda text: tuple(text.split(","))),
}


def _main(command: Command, words: list[str]) -> Command:
    found: dict[str, Any] = {}
    known = (*_MAIN, "no-warmup", "err<", "n>", "n<", "ops(...)", "ratio(...)")
    for word in words:
        name, equals, text = word.partition("=")
        ops = re.match(r"(ops|ratio)\((.*)\)\Z", word, re.DOTALL)
        if ops:
            found["ops"] = value_of(command.command, word, weights, ops[2])
        elif word == "no-warmup":
            found["warmup"] = False
        elif _UNCERTAINTY.match(word):
            found["until_error"] = True
        elif equals and name in _MAIN:
            where, parse = _MAIN[name]
            found[where] = value_of(command.command, word, parse, text)
        elif name == "super":
            raise UsageError(f"--stress {word}: super columns are Thrift's, which no server speaks any more")
        else:
            raise unknown(command.command, word, known)
    command = replace(command, **found)
    if command.n is not None and command.duration_s is not None:
        raise UsageError("--stress: give n= or duration=, not both")
    if command.command == "user":
        if not command.ops:
            raise UsageError("--stress user: say what to do: ops(insert=1,NAME=3)")
    elif command.profiles:
        raise UsageError(f"--stress {command.command}: profile= belongs to user")
    if command.ops and command.command not in {"user", "mixed"}:
        raise UsageError(f"--stress {command.command}: weights belong to user, ops(...), and mixed, ratio(...)")
    return command
