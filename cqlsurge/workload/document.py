"""A workload file as a tree whose every node knows its line and column, read strictly.

Scalars stay texts: nothing is a boolean, a date or an octal number because of how it looks. What YAML would take in
silence and people did not mean is refused: keys twice, keys without a value, a comma that begins a new key.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NoReturn

import yaml
from yaml.nodes import MappingNode, ScalarNode, SequenceNode

from cqlsurge.errors import UsageError

MAX_DEPTH = 40


class WorkloadError(UsageError):
    """Something in a workload file: `file:line:column: what is wrong, and its cure`."""


@dataclass(frozen=True)
class Place:
    """Where something stands; lines and columns count from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def fail(self, text: str) -> NoReturn:
        """Raises WorkloadError for this place."""
        raise WorkloadError(f"{self}: {' '.join(text.split())}")

    def moved(self, columns: int) -> Place:
        """So many columns to the right."""
        return Place(self.file, self.line, self.column + columns)


@dataclass(frozen=True)
class Node:
    """A scalar (`text`; `quoted`: by quotes or as a block), a list (`items`) or a mapping (`entries`)."""

    place: Place
    text: str | None = None
    quoted: bool = False
    block: bool = False
    items: tuple[Node, ...] | None = None
    entries: dict[str, Node] | None = None
    keys: dict[str, Place] = field(default_factory=dict)

    def fail(self, text: str) -> NoReturn:
        """Raises WorkloadError for this node."""
        self.place.fail(text)

    def scalar(self, what: str) -> str:
        """The text of a scalar, else an error that says what is wanted."""
        if self.text is None:
            self.fail(f"{what} is wanted here, not {'a list' if self.items is not None else 'a mapping'}")
        return self.text

    def mapping(self, what: str) -> dict[str, Node]:
        """The entries of a mapping."""
        if self.entries is None:
            self.fail(f"{what} is wanted here: `name: value`, one a line")
        return self.entries

    def sequence(self, what: str) -> tuple[Node, ...]:
        """The items of a list; of anything else, itself alone."""
        if self.entries is not None:
            self.fail(f"{what} is wanted here, not a mapping")
        return self.items if self.items is not None else (self,)

    def known(self, keys: Iterable[str], where: str) -> dict[str, Node]:
        """The entries of a mapping that may have these keys only."""
        entries, allowed = self.mapping(where), list(keys)
        for key in entries:
            if key not in allowed:
                self.keys[key].fail(f"{key!r} is no key of {where}{nearest(key, allowed)}")
        return entries


def nearest(name: str, names: Iterable[str]) -> str:
    """`; nearest is 'x'`, or which there are where nothing is near."""
    known = list(names)
    found = difflib.get_close_matches(name, known, 1, 0.5)
    if found:
        return f"; nearest is {found[0]!r}"
    return f"; there are {', '.join(known[:20])}" if known else ""


def read_text(text: str, file: str) -> Node:
    """The tree of a file's text. Raises WorkloadError."""
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            anchor = getattr(event, "anchor", None)
            if anchor is not None and event.start_mark is not None:
                at = Place(file, event.start_mark.line + 1, event.start_mark.column + 1)
                at.fail(f"anchors and aliases ({anchor}) are not used here: use `params` and `derived`")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(file, mark.line + 1, mark.column + 1) if mark is not None else Place(file)
        place.fail(f"this is no YAML: {_cure(str(error.problem or error.context))}")
    except (yaml.YAMLError, ValueError) as error:
        Place(file).fail(f"this is no YAML: {error}")
    if node is None:
        Place(file).fail("the file is empty; `cqlsurge workload show kv` prints one to start from")
    return _node(node, file, 0)


def _cure(problem: str) -> str:
    cures = {
        "mapping values are not allowed": "a value that holds `: ` must stand in quotes",
        "cannot start any token": "put the value in quotes",
        "tab": "indent with spaces",
        "expected ',' or '}'": "close the braces, or quote what stands in them",
        "expected <block end>": "look at the indentation",
        "while scanning a simple key": "a key must be followed by `: `",
        "could not find expected ':'": "a key must be followed by `: `",
    }
    return next((f"{problem}; {cure}" for words, cure in cures.items() if words in problem), problem)


def _place(node: Any, file: str) -> Place:
    return Place(file, node.start_mark.line + 1, node.start_mark.column + 1)


def _node(node: Any, file: str, depth: int) -> Node:
    place = _place(node, file)
    if depth > MAX_DEPTH:
        place.fail(f"nested more than {MAX_DEPTH} levels deep")
    if isinstance(node, ScalarNode):
        quoted = node.style is not None and node.style != ""
        return Node(place, text=node.value, quoted=quoted, block=node.style in ("|", ">"))
    if isinstance(node, SequenceNode):
        return Node(place, items=tuple(_node(one, file, depth + 1) for one in node.value))
    return _mapping(node, file, place, depth)


def _mapping(node: MappingNode, file: str, place: Place, depth: int) -> Node:
    entries: dict[str, Node] = {}
    keys: dict[str, Place] = {}
    for key, value in node.value:
        at = _place(key, file)
        if not isinstance(key, ScalarNode):
            at.fail("a key is a name")
        name = key.value
        if name in entries:
            at.fail(f"{name!r} stands here twice, first in line {keys[name].line}; leave one")
        empty = isinstance(value, ScalarNode) and not value.value and value.style in (None, "")
        if empty and node.flow_style:
            at.fail(f"a comma has made a key of {name!r}: put the value before it in quotes, or on a line of its own")
        if empty:
            at.fail(f"{name!r} has no value; give it one or leave it away")
        if name == "<<":
            at.fail("merge keys are not used here: write it out")
        entries[name] = _node(value, file, depth + 1)
        keys[name] = at
    return Node(place, entries=entries, keys=keys)
