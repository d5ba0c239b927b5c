"""Writes workload files: plain Python values as block YAML, with texts quoted only where needed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*\Z")
_PLAIN = re.compile(r"[A-Za-z0-9_(.\-][^\n\t]*\Z")
# What YAML 1.1 readers take for something else than a text.
_OTHER = re.compile(
    r"(?:~|null|true|false|yes|no|on|off|y|n|[-+.0-9_:]+|0[xob].*|\d{4}-\d\d?-\d\d?.*)\Z", re.IGNORECASE
)
# Of these, what our file takes as it is: numbers, ranges, constants of expressions.
_OURS = re.compile(r"(?:\d+(?:\.\.\d+)?|true|false|null)\Z")


def scalar(value: Any) -> str:
    """One value on one line."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    text = str(value)
    plain = (
        _PLAIN.match(text)
        and not text.startswith("- ")
        and ": " not in text
        and " #" not in text
        and not text.endswith((":", " "))
        and (not _OTHER.match(text) or _OURS.match(text))
    )
    return text if plain else json.dumps(text, ensure_ascii=False)


def key(name: str) -> str:
    """A key."""
    return name if _KEY.match(name) and not _OTHER.match(name) else json.dumps(name, ensure_ascii=False)


def write_yaml(value: Mapping[str, Any], comments: Mapping[str, str] | None = None) -> str:
    """A map as YAML, an empty line between its entries where they hold more; `comments` stand above top-level keys."""
    parts = []
    for name, entry in value.items():
        head = "".join(f"# {line}\n" for line in (comments or {}).get(name, "").splitlines())
        parts.append(head + "\n".join(_entry(key(name) + ":", entry, "")))
    return "\n".join(part + ("\n" if "\n" in part else "") for part in parts).rstrip() + "\n"


def _entry(head: str, value: Any, indent: str) -> list[str]:
    inner = indent + "  "
    if isinstance(value, Mapping) and value:
        lines = [f"{indent}{head}"]
        for name, entry in value.items():
            lines += _entry(key(name) + ":", entry, inner)
        return lines
    if isinstance(value, Sequence) and not isinstance(value, str) and value:
        return [f"{indent}{head}", *(f"{inner}- {scalar(element)}" for element in value)]
    if isinstance(value, str) and "\n" in value:
        return [f"{indent}{head} |", *(inner + line if line else "" for line in value.rstrip().split("\n"))]
    if isinstance(value, (Mapping, Sequence)) and not value:
        return [f"{indent}{head} {'{}' if isinstance(value, Mapping) else json.dumps(value)}"]
    return [f"{indent}{head} {scalar(value)}"]
