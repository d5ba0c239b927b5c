"""The options of cassandra-stress's command line (`-pop`, `-rate`, ...): each accepts only its own words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from cqlsurge.errors import UsageError
from cqlsurge.settings import CONSISTENCIES
from cqlsurge.workload.imports.cassandra_stress.command import (
    Command,
    ErrorRules,
    InsertRules,
    Population,
    Rate,
    StandardColumns,
    StandardSchema,
)
from cqlsurge.workload.imports.cassandra_stress.distributions import parse_distribution, parse_number, parse_ratio
from cqlsurge.workload.imports.places import nearest

T = TypeVar("T")

_CONNECTION = "of the connection: given here as ADDRESS, --user, --tls and so on"
_OUTPUT = "of the program's own output: here --json, --csv, --report, --hdr-log"
#: options that are read over -> why
PASSED_OVER = {
    "-mode": _CONNECTION,
    "-node": _CONNECTION,
    "-port": _CONNECTION,
    "-transport": _CONNECTION,
    "-cloudconf": _CONNECTION,
    "-credential-file": _CONNECTION,
    "-jmx": _CONNECTION,
    "-graph": _OUTPUT,
    "-reporting": _OUTPUT,
}
_DURATION = re.compile(r"([0-9]+)([smhSMH])\Z")
_FACTORS_S = {"s": 1, "m": 60, "h": 3600}


def value_of(option: str, word: str, parse: Callable[[str], T], text: str) -> T:
    """What the text of a word means, by `parse`. Raises UsageError that names the word."""
    try:
        return parse(text)
    except ValueError as error:
        raise UsageError(f"--stress {option} {word}: {error}".replace("  ", " ")) from None


def unknown(option: str, word: str, known: tuple[str, ...]) -> UsageError:
    """The error for a word that an option does not have."""
    return UsageError(
        f"--stress {option} {word!r} is not understood; {nearest(word.partition('=')[0], known)}".replace("  ", " ")
    )


def duration_s(text: str) -> int:
    """`30s`, `10m`, `2h` in seconds. Raises ValueError."""
    match = _DURATION.match(text)
    if match is None:
        raise ValueError(f"{text!r} is no duration: write it as 30s, 10m or 2h")
    return int(match[1]) * _FACTORS_S[match[2].lower()]


def level(text: str) -> str:
    """A consistency level. Raises ValueError."""
    if text.upper() not in CONSISTENCIES:
        raise ValueError(f"{text} is no consistency level; {nearest(text.upper(), CONSISTENCIES)}")
    return text.upper()


def serial_level(text: str) -> str:
    """A serial consistency level. Raises ValueError."""
    if text.upper() not in {"SERIAL", "LOCAL_SERIAL"}:
        raise ValueError(f"{text} is SERIAL or LOCAL_SERIAL")
    return text.upper()


def one_of(*words: str) -> Callable[[str], str]:
    """A reader of one of these words."""

    def read(text: str) -> str:
        if text.lower() not in words:
            raise ValueError(f"{text!r} is none of {', '.join(words)}")
        return text.lower()

    return read


def weights(text: str) -> tuple[tuple[str, float], ...]:
    """`insert=3,read1=1.5` as names and weights. Raises ValueError."""
    found: dict[str, float] = {}
    for part in text.split(","):
        name, equals, weight = part.partition("=")
        try:
            number = float(weight)
        except ValueError:
            number = -1.0
        if not equals or not name or not 0 < number < float("inf"):
            raise ValueError(f"{part!r} is no operation and weight: write it as insert=3")
        if name in found:
            raise ValueError(f"{name} stands there twice")
        found[name] = number
    return tuple(found.items())


def operations(text: str) -> tuple[tuple[str, float], ...]:
    """The weights of `--mix`. Raises UsageError."""
    return value_of("--mix", text, weights, text)


def _pop(command: Command, words: list[str]) -> Command:
    population = Population()
    for word in words:
        name, equals, text = word.partition("=")
        if name == "seq" and equals:
            bounds = value_of("-pop", word, parse_distribution, f"uniform({text})")
            population = replace(population, sequence=(bounds.low, bounds.high))
        elif name == "dist" and equals:
            population = replace(population, drawn=value_of("-pop", word, parse_distribution, text))
        elif word == "no-wrap":
            population = replace(population, wrap=False)
        elif name == "read-lookback" and equals:
            population = replace(population, look_back=value_of("-pop", word, parse_distribution, text))
        elif name == "contents" and equals:
            population = replace(population, contents=value_of("-pop", word, one_of("sorted", "shuffled"), text))
        else:
            raise unknown("-pop", word, ("seq", "dist", "no-wrap", "read-lookback", "contents"))
    if population.sequence and population.drawn:
        raise UsageError("--stress -pop: give seq= or dist=, not both")
    if not population.sequence and (population.look_back or not population.wrap):
        raise UsageError("--stress -pop: no-wrap and read-lookback= belong to seq=")
    return replace(command, population=population)


def _per_s(text: str) -> int:
    if not text.endswith("/s"):
        raise ValueError(f"{text!r} is no rate: write it as 5000/s")
    number = parse_number(text[:-2])
    if number < 1:
        raise ValueError("a rate is 1/s or more")
    return number


def _positive(text: str) -> int:
    number = parse_number(text)
    if number < 1:
        raise ValueError(f"{number} is not 1 or more")
    return number


def _rate(command: Command, words: list[str]) -> Command:
    rate = Rate()
    bounds: dict[str, int] = {}
    for word in words:
        limits = re.match(r"threads(>=|<=)(.+)\Z", word)
        name, equals, text = word.partition("=")
        if limits:
            bounds[limits[1]] = value_of("-rate", word, _positive, limits[2])
        elif name == "threads" and equals:
            rate = replace(rate, threads=value_of("-rate", word, _positive, text))
        elif name in {"throttle", "limit", "fixed"} and equals:
            if rate.per_s is not None:
                raise UsageError("--stress -rate: give throttle= or fixed=, not both")
            latency = "response" if name == "fixed" else "service"
            rate = replace(rate, per_s=value_of("-rate", word, _per_s, text), latency=latency)
        elif word != "auto":
            raise unknown("-rate", word, ("threads", "throttle", "fixed", "threads>=", "threads<=", "auto"))
    if rate.threads is None:
        rate = replace(rate, threads_range=(bounds.get(">=", 4), bounds.get("<=", 1000)))
    return replace(command, rate=rate)


def _errors(command: Command, words: list[str]) -> Command:
    rules = ErrorRules()
    for word in words:
        name, equals, text = word.partition("=")
        if name == "retries" and equals:
            rules = replace(rules, retries=value_of("-errors", word, parse_number, text))
        elif word == "ignore":
            rules = replace(rules, ignore=True)
        elif word == "skip-read-validation":
            rules = replace(rules, skip_validation=True)
        elif word == "skip-unsupported-columns":
            rules = replace(rules, skip_unsupported=True)
        elif word != "fail-fast" and name != "delay-policy":
            known = (
                "retries",
                "ignore",
                "skip-read-validation",
                "skip-unsupported-columns",
                "fail-fast",
                "delay-policy",
            )
            raise unknown("-errors", word, known)
    return replace(command, errors=rules)


def _log(command: Command, words: list[str]) -> Command:
    for word in words:
        name, equals, text = word.partition("=")
        if name == "hdrfile" and equals:
            command = replace(command, hdr_file=text)
        elif name not in {"file", "interval", "level", "no-summary", "no-settings", "no-progress", "show-queries"}:
            raise unknown("-log", word, ("hdrfile", "file", "interval", "level", "no-summary", "no-settings"))
    return command


def _options_of(text: str) -> tuple[str, dict[str, str]]:
    """`replication(strategy=X, factor=3)` as its name and entries; a word without `=` is the strategy."""
    match = re.match(r"(\w+)\((.*)\)\Z", text, re.DOTALL)
    if match is None:
        raise ValueError(f"{text!r}: write it as replication(factor=3)")
    entries = {}
    for part in filter(None, match[2].split(",")):
        name, equals, value = part.partition("=")
        entries[name.strip() if equals else "strategy"] = value.strip() if equals else part.strip()
    return match[1], entries


def _schema(command: Command, words: list[str]) -> Command:
    schema = StandardSchema()
    if command.command == "user":
        raise UsageError(
            "--stress -schema: belongs to write, read, mixed and the counters; a profile has its own schema"
        )
    for word in words:
        name, equals, text = word.partition("=")
        if name == "keyspace" and equals:
            schema = replace(schema, keyspace=text)
        elif name == "compression" and equals:
            schema = replace(schema, compression=text)
        elif word.startswith(("replication(", "compaction(")):
            kind, entries = value_of("-schema", word, _options_of, word)
            strategy = entries.pop("strategy", "SimpleStrategy" if kind == "replication" else "")
            if "factor" in entries:
                entries["replication_factor"] = entries.pop("factor")
            if kind == "replication" and strategy.endswith("SimpleStrategy"):
                entries.setdefault("replication_factor", "1")
            options = (("class", strategy), *entries.items())
            schema = (
                replace(schema, replication=options) if kind == "replication" else replace(schema, compaction=options)
            )
        else:
            raise unknown("-schema", word, ("keyspace", "replication", "compaction", "compression"))
    return replace(command, schema=schema)


def _col(command: Command, words: list[str]) -> Command:
    columns = StandardColumns()
    if command.command == "user":
        raise UsageError("--stress -col: belongs to write, read, mixed and the counters; a profile has columnspec")
    for word in words:
        name, equals, text = word.partition("=")
        if name == "n" and equals:
            count = value_of("-col", word, parse_distribution, text)
            if not count.is_fixed:
                raise UsageError(f"--stress -col {word}: a drawn number of columns is not made here: write n=FIXED(5)")
            columns = replace(columns, names=tuple(f"C{number}" for number in range(count.low)))
        elif name == "size" and equals:
            columns = replace(columns, size=value_of("-col", word, parse_distribution, text))
        elif name == "names" and equals:
            columns = replace(columns, names=tuple(text.split(",")))
        elif name == "timestamp" and equals:
            columns = replace(columns, timestamp=value_of("-col", word, parse_distribution, text))
        elif name in {"super", "comparator", "slice"}:
            raise UsageError(f"--stress -col {word}: this is Thrift's, which no server speaks any more")
        else:
            raise unknown("-col", word, ("n", "size", "names", "timestamp"))
    return replace(command, columns=columns)


def _insert(command: Command, words: list[str]) -> Command:
    rules = InsertRules()
    readers: dict[str, tuple[str, Callable[[str], Any]]] = {
        "partitions": ("partitions", parse_distribution),
        "select-ratio": ("select", parse_ratio),
        "row-population-ratio": ("row_population", parse_ratio),
        "batchtype": ("batch_type", one_of("logged", "unlogged", "counter")),
        "visits": ("visits", parse_distribution),
        "revisit": ("", parse_distribution),
    }
    for word in words:
        name, equals, text = word.partition("=")
        if name not in readers or not equals:
            raise unknown("-insert", word, tuple(readers))
        where, parse = readers[name]
        value = value_of("-insert", word, parse, text)
        rules = replace(rules, **{where: value}) if where else rules
    return replace(command, insert=rules)


def _tokenrange(command: Command, words: list[str]) -> Command:
    for word in words:
        name, equals, text = word.partition("=")
        if word == "wrap":
            command = replace(command, token_range_wrap=True)
        elif name == "split-factor" and equals:
            command = replace(command, split_factor=value_of("-tokenrange", word, _positive, text))
        elif name not in {"no-wrap", "savedata"}:
            raise unknown("-tokenrange", word, ("wrap", "no-wrap", "split-factor", "savedata"))
    return command


READERS: Mapping[str, Callable[[Command, list[str]], Command]] = {
    "-pop": _pop,
    "-rate": _rate,
    "-errors": _errors,
    "-log": _log,
    "-schema": _schema,
    "-col": _col,
    "-insert": _insert,
    "-tokenrange": _tokenrange,
}
OPTIONS = (*READERS, *PASSED_OVER)
